"""Delivers the messages of a lane in batches until each one has arrived; each lane runs in a thread of its own.

A message is settled only after the server has answered. If the process ends in between, the message is sent again under
the same key. Only a refusal of the message itself makes it a dead letter: it was refused, then another one was
taken, and then it was refused again, alone.
"""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

import attrs
import httpx
from typing_extensions import override

from statsig_segment import to_log_event_request

from .messages import Json, State
from .settings import Settings
from .store import Store, Waiting
from .worker import GATHER_S, IDLE_S, Loop, TroubleError

_REFUSED: Final = frozenset({400, 413, 422})  # the content may be at fault; anything else may pass, even a wrong key
_MAX_REFUSALS: Final = 8  # in one step; the fault may be the server's
_MAX_ANSWER_BYTES: Final = 64_000


def lanes(settings: Settings, store: Store) -> list[Lane]:
    """Return the lane to Statsig and the lane to Segment."""
    start, end = json.dumps(to_log_event_request(())).encode().split(b"[]")
    key = {"statsig-api-key": settings.statsig_server_key}
    basic = {"authorization": "Basic " + b64encode(f"{settings.segment_write_key}:".encode()).decode()}
    statsig, segment = f"{settings.statsig_api}/log_event", f"{settings.segment_api}/batch"
    return [
        Lane("statsig", settings, store, statsig, key, (start + b"[", b"]" + end), 4_000_000),
        Lane("segment", settings, store, segment, basic, (b'{"batch":[', b"]}"), 499_988),
    ]


@attrs.define(eq=False)
class Lane(Loop):
    """Delivers to one destination."""

    url: str
    headers: dict[str, str] = attrs.field(repr=False)
    around: tuple[bytes, bytes]  # what comes before and after the messages in a request
    max_bytes: int  # of the messages in a request. A larger one goes alone
    _client: httpx.Client = attrs.field(factory=httpx.Client, init=False)
    _taken: int = attrs.field(default=0, init=False)  # requests, ever
    _suspects: dict[int, int] = attrs.field(factory=dict[int, int], init=False)  # refused alone -> taken by then

    @override
    def step(self) -> float:
        """Deliver the messages that come next."""
        most = self.settings.batch_events
        messages = self.store.waiting(self.name, most, self.max_bytes) if self.store.take_turn() else []
        if not messages:
            return IDLE_S
        taken_before, refused = self._taken, dict[Waiting, str]()
        self._deliver(messages, refused)
        if refused:
            self.store.settle(list(refused), State.WAITING)
            if self._taken == taken_before:
                raise TroubleError(next(iter(refused.values())))
        return 0.0 if len(messages) == most else GATHER_S

    def _deliver(self, messages: Sequence[Waiting], refused: dict[Waiting, str]) -> None:
        """Send a batch and settle it. A refused batch is halved until the message at fault is alone."""
        if self.stopping.is_set() or len(refused) >= _MAX_REFUSALS:
            return
        code = self._send(messages)
        if code is None:
            self._taken += 1
            self.failures = 0
            self._settle(messages, State.SENT)
        elif len(messages) > 1:
            self._deliver(messages[: len(messages) // 2], refused)
            self._deliver(messages[len(messages) // 2 :], refused)
        elif self._suspects.setdefault(messages[0].id, self._taken) < self._taken:
            self._settle(messages, State.DEAD, code)
        else:
            refused[messages[0]] = code

    def _settle(self, messages: Sequence[Waiting], state: State, code: str | None = None) -> None:
        self.insist(lambda: self.store.settle(messages, state, code))  # or they would be sent again and again
        for message in messages:
            self._suspects.pop(message.id, None)

    def _send(self, messages: Sequence[Waiting]) -> str | None:
        """Send one request. Return None if it was taken, and a code if it was refused."""
        headers = {"content-type": "application/json", "accept-encoding": "identity", **self.headers}
        if self.name == "statsig":
            headers["statsig-client-time"] = str(time.time_ns() // 1_000_000)
        content = b",".join(message.payload for message in messages).join(self.around)
        timeout_s, answer = self.settings.request_timeout_s, b""
        end = time.monotonic() + timeout_s
        try:
            with self._client.stream("POST", self.url, content=content, headers=headers, timeout=timeout_s) as response:
                for chunk in response.iter_raw():
                    answer += chunk
                    if len(answer) > _MAX_ANSWER_BYTES or time.monotonic() > end:
                        raise TroubleError("answer_without_end")
        except httpx.TransportError as error:
            raise TroubleError(type(error).__name__) from error
        code = f"http_{response.status_code}"
        if response.is_success:
            _check_success(answer)
            return None
        if response.status_code in _REFUSED:
            return code
        asked = response.headers.get("retry-after", "")
        raise TroubleError(code, float(asked) if asked.isdecimal() else 0.0)


def _check_success(answer: bytes) -> None:
    """Believe a success unless its body says otherwise: both vendors answer in JSON, a proxy in between in HTML."""
    try:
        content: Json = json.loads(answer or b"{}")
    except (ValueError, RecursionError):
        raise TroubleError("answer_not_json") from None
    if isinstance(content, dict) and content.get("success") is False:
        raise TroubleError("answer_not_success")
