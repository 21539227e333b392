"""The requests: who may send, what is answered, and when; it acknowledges only what is on the disk."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import time
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from typing import Final, TypeAlias

from statsig_segment import url_verification_code, verify_segment_signature, verify_statsig_signature

from .answers import Answer, Application, RefusalError, Request, as_json
from .bodies import Budget, Share, check_values, decompressed, read_body
from .commits import Commits, now_ms
from .intake import check_segment, check_statsig
from .settings import Settings
from .store import Body, Signed, Store, StoreThread
from .supervisor import Supervisor

Steps: TypeAlias = Iterator[Body | str | None]
"""Work that may pause after each step, and ends with what it found: a body, or the code of a handshake."""

_LOG = logging.getLogger("webhook_service")
_TINY: Final = 2_000  # bytes: little work, even if an envelope multiplies it
_SMALL: Final = 64_000  # bytes: reading it takes a few milliseconds at most; a thread would cost half as much again
_FEW: Final = 1_000  # objects and arrays: an envelope that shares more takes long for each message
_SLICE_S: Final = 0.005
_HANDSHAKE: Final = 4_000  # bytes: a larger body is not looked at without a signature
_ACCEPTED: Final = as_json({"success": True})


class Service:
    """The requests of one running service."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; the rest begins with `running`."""
        self._settings = settings
        self._thread = StoreThread()
        self._store = Store(settings.database)
        self._delivery = Supervisor(settings.request_timeout_s)
        self._commits = Commits(self._store, self._thread, settings, self._delivery.wake)
        self._budget = Budget(settings.max_held_bytes)
        self._one_large = asyncio.Semaphore(1)
        key = f"{settings.segment_source_write_key}:".encode()
        self._basic = b"Basic " + b64encode(key)
        self.requests = Application(
            ("POST",), {"/segment": self.segment, "/v1/batch": self.batch, "/statsig": self.statsig}
        )
        """The application for those who send."""
        self.status = Application(("GET", "HEAD"), {"/healthz": self.health, "/counters": self.counters})
        """The application for those who operate it; it listens on a port of its own."""

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Start the process that delivers; at the end let it finish its requests, and close."""
        tasks = [asyncio.create_task(self._commits.tidy()), asyncio.create_task(self._delivery.run())]
        try:
            yield
        finally:
            _LOG.info("stopping: delivery ends after the requests that are under way")
            await self._delivery.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._thread.call(self._store.close)
            self._thread.close()

    async def segment(self, request: Request) -> Answer:
        """Take what Segment's webhook destination sends: `X-Signature` over the raw bytes."""
        signature = request.header("x-signature")

        def read(body: bytes) -> Steps:
            check_values(body, self._settings.max_body_values)
            verify_segment_signature(body, signature, self._settings.segment_webhook_secret)
            yield from check_segment(body, self._settings)
            yield Body(lane="statsig", content=body, signed=self._signed(body, signature))

        return await self._accept(request, read)

    async def batch(self, request: Request) -> Answer:
        """Take what Segment's own libraries send: Basic authentication with the write key, perhaps gzip."""
        if not hmac.compare_digest(request.header("authorization").encode("latin-1"), self._basic):
            raise RefusalError(401, "wrong_write_key")
        encoding = request.header("content-encoding").lower()

        def read(body: bytes) -> Steps:
            text = decompressed(body, encoding, self._settings.max_body_bytes)
            check_values(text, self._settings.max_body_values)
            yield from check_segment(text, self._settings)
            yield Body(lane="statsig", content=text)

        return await self._accept(request, read)

    async def statsig(self, request: Request) -> Answer:
        """Take what Statsig's webhook sends. The handshake of registration comes before there is a secret to sign."""
        timestamp = request.header("x-statsig-request-timestamp")
        signature = request.header("x-statsig-signature")

        def read(body: bytes) -> Steps:
            code = url_verification_code(body) if len(body) <= _HANDSHAKE else None
            if code is not None:
                yield code
                return
            tolerance = self._settings.tolerance_ms
            secret = self._settings.statsig_webhook_secret
            verify_statsig_signature(body, timestamp, signature, secret, now_ms=now_ms(), tolerance_ms=tolerance)
            check_values(body, self._settings.max_body_values)
            yield from check_statsig(body, self._settings)
            yield Body(lane="segment", content=body, signed=self._signed(body, signature))

        return await self._accept(request, read)

    async def health(self, _: Request) -> Answer:
        """Say whether it can store and send, and if not, why."""
        why = self._delivery.troubles | {"intake": self._commits.trouble}
        return as_json({"unwell": why}, 503 if any(why.values()) else 200)

    async def counters(self, _: Request) -> Answer:
        """Count the messages of each lane by state, and the bodies that are still to be split into messages."""
        return as_json(await self._thread.call(self._store.counts))

    def _signed(self, body: bytes, signature: str) -> Signed | None:
        if not self._settings.replay_hours:
            return None
        return Signed(signature=signature.encode(), digest=hashlib.sha256(body).digest()[:16])

    async def _accept(self, request: Request, read: Callable[[bytes], Steps]) -> Answer:
        """Read, commit, then answer: an answer is a promise."""
        with closing(Share(self._budget)) as share:
            raw = await read_body(request, share, self._settings)
            is_plain = not request.header("content-encoding")
            if is_plain and len(raw) <= _TINY:
                body = _finish(read(raw))
            else:
                is_small = is_plain and len(raw) <= _SMALL and raw.count(b"[") + raw.count(b"{") <= _FEW
                body = await self._work(read(raw), is_small=is_small)
            if isinstance(body, str):
                return as_json({"verification_code": body})
            share.take(len(body.content))
            await self._commits.accept(body)
        return _ACCEPTED

    async def _work(self, steps: Steps, *, is_small: bool) -> Body | str:
        """Let others run while there is work on a body, and keep the objects of only one at a time in memory."""
        async with self._one_large:
            return await (_in_slices(steps) if is_small else asyncio.to_thread(_finish, steps))


def _finish(steps: Steps) -> Body | str:
    return next(found for found in steps if found is not None)


async def _in_slices(steps: Steps) -> Body | str:
    began = time.perf_counter()
    while (found := next(steps)) is None:
        if time.perf_counter() - began > _SLICE_S:
            await asyncio.sleep(0)
            began = time.perf_counter()
    return found
