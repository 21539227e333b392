"""Those who send to the service: each body until it is acknowledged, some of them again later."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import hmac
import itertools
import json
import random
import time
from base64 import b64encode
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Final, TypeAlias

from tests.torture.load import CALL, answer_status

PATIENCE_S: Final = 15.0
REPLAYED: Final = 0.05  # of what is acknowledged
BASIC: Final = f"Basic {b64encode(b'source key:').decode()}"

Request: TypeAlias = tuple[str, dict[str, str], bytes]
"""Path, headers, body."""
Kind: TypeAlias = Callable[[Sequence[str]], Request]
"""Makes the request for messages of these numbers; each try makes its own."""


def segment_webhook(numbers: Sequence[str]) -> Request:
    """Send calls as Segment's webhook destination does: the signature is that of the first."""
    calls = [json.dumps(segment_call(number) | {"messageId": f"id-{number}"}).encode() for number in numbers]
    signature = hmac.new(b"segment secret", calls[0], hashlib.sha1).hexdigest()
    return "/segment", {"X-Signature": signature}, b"[" + b",".join(calls) + b"]"


def segment_library(numbers: Sequence[str]) -> Request:
    """Send calls without an ID as a library might, stamped at each try, in a gzip body of two members."""
    text = json.dumps({"batch": [segment_call(number) for number in numbers], "sentAt": str(time.time_ns())}).encode()
    body = gzip.compress(text[:50], 1) + gzip.compress(text[50:], 1)
    return "/v1/batch", {"Authorization": BASIC, "Content-Encoding": "gzip"}, body


def statsig_webhook(numbers: Sequence[str]) -> Request:
    """Send an export as Statsig does: half of the events have an ID."""
    body = json.dumps({"data": [exported_event(number) for number in numbers]}).encode()
    timestamp = str(time.time_ns() // 1_000_000)
    digest = hmac.new(b"statsig secret", b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return "/statsig", {"X-Statsig-Request-Timestamp": timestamp, "X-Statsig-Signature": f"v0={digest}"}, body


def segment_call(number: str) -> dict[str, Any]:
    return {name: value for name, value in CALL.items() if name != "sentAt"} | {"properties": {"n": number}}


def exported_event(number: str) -> dict[str, Any]:
    event = {"eventName": "walk_saved", "userID": "u1", "timestamp": 1_793_692_800_000, "metadata": {"n": number}}
    return event | ({"timeUUID": f"uuid-{number}"} if int(number.split("-")[1]) % 2 else {})


class Sender:
    """One who sends, at its own pace, to whichever instance there is."""

    def __init__(self, name: str, kind: Kind, urls: Callable[[], list[str]], pause_s: float) -> None:
        self._numbers = (f"{name}-{at}" for at in itertools.count())
        self._kind = kind
        self._urls = urls
        self._pause_s = pause_s
        self._recent: deque[list[str]] = deque(maxlen=200)
        self.is_stopping = False
        self.acknowledged: set[str] = set()
        self.answers: Counter[int] = Counter()
        """0 is no answer at all."""

    async def run(self) -> None:
        """Send until it is told to stop, and then until the last body is acknowledged."""
        while not self.is_stopping:
            await self._send([next(self._numbers) for _ in range(random.randint(1, 12))])
            if self._recent and random.random() < REPLAYED:
                await self._send(random.choice(self._recent))
            await asyncio.sleep(self._pause_s)

    async def _send(self, numbers: list[str]) -> None:
        while await self._try(numbers) != 200:  # noqa: ASYNC110 - each turn of the loop is another attempt
            await asyncio.sleep(0.1)
        self.acknowledged.update(numbers)
        self._recent.append(numbers)

    async def _try(self, numbers: Sequence[str]) -> int:
        status = 0
        try:
            async with asyncio.timeout(PATIENCE_S):
                status = await post(random.choice(self._urls()), *self._kind(numbers))
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        self.answers[status] += 1
        return status


async def post(url: str, path: str, headers: dict[str, str], body: bytes) -> int:
    """Send one request over a connection of its own, and give the status."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    with closing(writer):
        lines = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        return await answer_status(reader)
