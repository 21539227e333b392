"""Carries the messages of one lane from the database to their collector, in batches, until they arrive.

A message leaves the state `waiting` only after the collector has answered. A process that dies in between sends it
again: at least once, with the same key. Whatever goes wrong is logged, waited out and tried again. Only a refusal of
the very message makes a dead letter: it was sent alone and refused, another was taken, and it was refused again.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Final

import attrs
import httpx

from .lanes import Item, Lane
from .rounds import GATHER_S, IDLE_S, SHORT_BACKOFF_S, DeliveryError, Rounds
from .settings import Settings
from .store import Settled, State, Store, StoreThread

_REFUSED: Final = frozenset({400, 413, 422})
"""The content may be at fault. Any other failure may pass, wrong keys too."""
_MOST_REFUSALS: Final = 8
"""After so many, with nothing taken, the fault is taken to be the collector's."""
_MOST_ANSWER_BYTES: Final = 64_000


@attrs.define
class _Round:
    """What has come of the messages that were taken from the database together."""

    taken: int = 0
    """Requests."""
    refused: dict[int, str] = attrs.Factory(dict[int, str])
    """Messages that were sent alone -> the code of the answer; without those that were given up."""


class Courier:
    """Carries one lane."""

    def __init__(
        self,
        lane: Lane,
        settings: Settings,
        client: httpx.AsyncClient,
        store: Store,
        thread: StoreThread,
        rounds: Rounds,
    ) -> None:
        """Take what it needs."""
        self._lane = lane
        self._settings = settings
        self._client = client
        self._store = store
        self._thread = thread
        self._rounds = rounds
        self._taken = 0  # requests, ever
        self._suspects: dict[int, int] = {}  # messages that were refused -> requests that had been taken by then

    async def carry(self) -> float:
        """Carry the messages that come next, and say how long to wait for more."""
        most = self._settings.batch_events, self._settings.batch_bytes
        messages = await self._thread.call(self._store.waiting, self._lane.name, *most)
        if not messages:
            return IDLE_S
        plan = await self._thread.call(self._lane.plan, messages)
        await self._settle(plan.settled)
        await self._carry(plan.batches)
        return 0.0 if len(messages) == self._settings.batch_events else GATHER_S

    async def _carry(self, batches: Sequence[Sequence[Item]]) -> None:
        this = _Round()
        try:
            for batch in batches:
                await self._deliver(batch, this)
        finally:
            await self._put_off(this, [number for batch in batches for number, _ in batch])

    async def _deliver(self, items: Sequence[Item], this: _Round) -> None:
        """Send a batch and settle it. A refused one is halved until the message at fault stands alone."""
        if self._rounds.is_stopping:
            return
        code = await self._send(items)
        if code is None:
            this.taken += 1
            self._taken += 1
            self._rounds.progress()
            await self._settle([Settled(id=number, state=State.SENT) for number, _ in items])
        elif len(items) > 1:
            middle = len(items) // 2
            await self._deliver(items[:middle], this)
            await self._deliver(items[middle:], this)
        else:
            await self._refused(items[0][0], code, this)

    async def _refused(self, number: int, code: str, this: _Round) -> None:
        """Give up a message that was refused twice, if another was taken in between; else it is put off."""
        if self._suspects.setdefault(number, self._taken) < self._taken:
            await self._settle([Settled(id=number, state=State.DEAD, code=code)])
            return
        this.refused[number] = code
        if len(this.refused) >= _MOST_REFUSALS and not this.taken:
            raise DeliveryError(code, longest_s=SHORT_BACKOFF_S)

    async def _put_off(self, this: _Round, ids: Sequence[int]) -> None:
        """Put what was refused behind what was not; where nothing was taken, the fault may be the collector's."""
        if this.refused:
            await self._thread.call(self._store.postpone, this.refused if this.taken else ids)
            if not this.taken:
                raise DeliveryError(next(iter(this.refused.values())), longest_s=SHORT_BACKOFF_S)

    async def _settle(self, settled: Sequence[Settled]) -> None:
        """Write down what became of messages. Until that works nothing is sent, or the same would be sent again."""
        while settled:
            try:
                await self._thread.call(self._store.settle, self._lane.name, settled)
            except Exception as error:
                if self._rounds.is_stopping:
                    raise
                await self._rounds.wait_out(error)
            else:
                break
        for one in settled:
            self._suspects.pop(one.id, None)

    async def _send(self, items: Sequence[Item]) -> str | None:
        """Send one request; give the code of a refusal, if it is refused."""
        headers = {"content-type": "application/json", "accept-encoding": "identity", **self._lane.headers}
        if self._lane.name == "statsig":
            headers["STATSIG-CLIENT-TIME"] = str(time.time_ns() // 1_000_000)
        request = self._client.stream("POST", self._lane.url, content=self._lane.body(items), headers=headers)
        try:
            async with asyncio.timeout(self._settings.request_timeout_s), request as response:
                answer = await _answer(response)
        except (httpx.TransportError, TimeoutError) as error:
            raise DeliveryError(type(error).__name__) from error
        return _refusal(response, answer)


async def _answer(response: httpx.Response) -> bytes:
    """Read an answer, but not without end."""
    answer = bytearray()
    async for chunk in response.aiter_raw():
        answer += chunk
        if len(answer) > _MOST_ANSWER_BYTES:
            raise DeliveryError("answer_too_large")
        await asyncio.sleep(0)  # one that comes a byte at a time holds up nothing else
    return bytes(answer)


def _refusal(response: httpx.Response, answer: bytes) -> str | None:
    """Give the code of a refusal, and nothing for a success; raise for any other answer."""
    code = f"http_{response.status_code}"
    if response.is_success:
        _check_success(answer)
        return None
    if response.status_code in _REFUSED:
        return code
    raise DeliveryError(code, retry_after_s=_seconds(response.headers.get("retry-after", "")))


def _check_success(answer: bytes) -> None:
    """Believe a success unless its body contradicts: both vendors answer in JSON, a proxy in between in HTML."""
    try:
        content: dict[str, object] | list[object] | str | float | None = json.loads(answer or b"{}")
    except (ValueError, RecursionError):
        raise DeliveryError("answer_not_json") from None
    if isinstance(content, dict) and content.get("success") is False:
        raise DeliveryError("answer_not_success")


def _seconds(retry_after: str) -> float:
    """Read `Retry-After`: seconds or a date; anything else wishes nothing."""
    try:
        if retry_after.isdecimal():
            return float(retry_after)
        return parsedate_to_datetime(retry_after).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
