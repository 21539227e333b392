"""Carries the messages of one lane from the database to their collector: in order, in batches, until they arrive.

A message leaves the state `waiting` only after the collector has answered. A process that dies in between sends it
again: at least once, with the same key.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final

import httpx

from .store import Settled, State, Store, StoreThread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .lanes import Item, Lane
    from .settings import Settings

_LOG = logging.getLogger("webhook_service")
_REFUSED: Final = frozenset({400, 413, 422})
"""The content is at fault: the same request would be refused again. Any other failure may pass, wrong keys too."""


class Answer(Enum):
    """What a collector made of a request."""

    TAKEN = auto()
    REFUSED = auto()
    FAILED = auto()


class Courier:
    """Carries one lane."""

    def __init__(self, lane: Lane, settings: Settings, client: httpx.AsyncClient, store: Store) -> None:
        """Take what it needs; it begins with `run`."""
        self._lane = lane
        self._settings = settings
        self._client = client
        self._store = store
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._failures = 0  # in a row
        self._retry_after_s = 0.0

    def wake(self) -> None:
        """Say that there are new messages."""
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end after the request that is under way. What waits stays in the database."""
        self._stop.set()
        self._wake.set()

    async def run(self, thread: StoreThread) -> None:
        """Carry messages until it is asked to stop."""
        while not self._stop.is_set():
            self._wake.clear()
            messages = await thread.call(self._store.waiting, self._lane.name, self._settings.batch_events)
            if not messages:
                await self._wake.wait()
                continue
            plan = self._lane.plan(messages)
            await thread.call(self._store.settle, plan.settled)
            for batch in plan.batches:
                if self._stop.is_set() or not await self._deliver(batch, thread):
                    break

    async def _deliver(self, items: Sequence[Item], thread: StoreThread) -> bool:
        """Send a batch and settle it. A refused one is halved until the message at fault stands alone."""
        answer, code = await self._send(items)
        if answer is Answer.FAILED:
            _LOG.warning("lane %s: %d messages wait after %s", self._lane.name, len(items), code)
            await thread.call(self._store.postpone, [number for number, _ in items], self._settings.max_attempts)
            await self._back_off()
            return False
        self._failures = 0
        if answer is Answer.REFUSED and len(items) > 1:
            middle = len(items) // 2
            return await self._deliver(items[:middle], thread) and await self._deliver(items[middle:], thread)
        refused = answer is Answer.REFUSED
        state = State.DEAD if refused else State.SENT
        ends = [Settled(id=number, state=state, code=code if refused else None) for number, _ in items]
        await thread.call(self._store.settle, ends)
        return True

    async def _send(self, items: Sequence[Item]) -> tuple[Answer, str]:
        """Send one request; give the answer, and a code for the log and for dead letters."""
        headers = {"content-type": "application/json", **self._lane.headers}
        if self._lane.name == "statsig":
            headers["STATSIG-CLIENT-TIME"] = str(time.time_ns() // 1_000_000)
        self._retry_after_s = 0.0
        try:
            content = _json(self._lane.body(items))
        except (ValueError, RecursionError):
            return Answer.REFUSED, "not_json"
        try:
            response = await self._client.post(self._lane.url, content=content, headers=headers)
        except httpx.TransportError as error:
            return Answer.FAILED, type(error).__name__
        code = f"http_{response.status_code}"
        if response.is_success:
            return Answer.TAKEN, code
        if response.status_code in _REFUSED:
            return Answer.REFUSED, code
        wished = response.headers.get("retry-after", "")
        self._retry_after_s = float(wished) if wished.isdecimal() else 0.0
        return Answer.FAILED, code

    async def _back_off(self) -> None:
        """Wait longer after each failure in a row, as long as the collector wishes, and no longer than allowed."""
        longest = self._settings.max_backoff_s
        grown = min(self._settings.first_backoff_s * 2 ** min(self._failures, 20), longest)
        self._failures += 1
        delay = min(max(grown * random.uniform(0.5, 1.0), self._retry_after_s), longest)  # noqa: S311 - no secret
        try:
            await asyncio.wait_for(self._stop.wait(), delay)
        except TimeoutError:
            return


def _json(body: Mapping[str, Any]) -> bytes:
    """Encode compactly, as the library counts bytes. A lone surrogate stays an escape; NaN raises `ValueError`."""
    text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="backslashreplace")
