"""Puts bodies on the disk in groups: what arrives while one commit runs shares the next one, and its sync."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .settings import Settings
    from .store import Body, ReplayError, Store, StoreThread

_LOG = logging.getLogger("webhook_service")
_MOST_BODIES: Final = 64
_GATHER_S: Final = 0.002
"""So long bodies gather: where a disk is fast, a commit for each would cost more than all the rest."""
_TIDY_S: Final = 1.0


def now_ms() -> int:
    """Read the clock."""
    return time.time_ns() // 1_000_000


class Commits:
    """The writing side of the intake."""

    def __init__(self, store: Store, thread: StoreThread, settings: Settings, wake: Callable[[], None]) -> None:
        """Take what it needs, and a function to call when there are new bodies."""
        self._store = store
        self._thread = thread
        self._settings = settings
        self._wake = wake
        self._pending: list[tuple[Body, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """The kind of the last error, until something could be written again."""

    async def accept(self, body: Body) -> None:
        """Keep a body; when this returns, it is on the disk."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((body, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit())
        await future

    async def _commit(self) -> None:
        while self._pending:
            await asyncio.sleep(_GATHER_S)
            group, self._pending = self._pending[:_MOST_BODIES], self._pending[_MOST_BODIES:]
            try:
                results: Sequence[Exception | None] = await self._store_group([body for body, _ in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, each of these requests must hear of it
                self._note(error)
                results = [error] * len(group)
            for (_, future), result in zip(group, results, strict=True):
                _resolve(future, result)

    async def _store_group(self, bodies: Sequence[Body]) -> list[ReplayError | None]:
        results = await self._thread.call(self._store.accept, bodies, now_ms())
        self.trouble = None
        self._wake()
        return results

    async def tidy(self) -> None:
        """Forget old signatures, forever; this also notices when the disk does or does not take anything."""
        has_more = False
        while True:
            await asyncio.sleep(0.02 if has_more else _TIDY_S)
            try:
                has_more = await self._thread.call(self._store.forget_signatures, now_ms(), self._settings.replay_ms)
            except Exception as error:  # noqa: BLE001 - it goes on
                self._note(error)
            else:
                self.trouble = None

    def _note(self, error: Exception) -> None:
        self.trouble = type(error).__name__
        _LOG.error("intake: nothing can be stored: %s", self.trouble)


def _resolve(future: asyncio.Future[None], result: Exception | None) -> None:
    if future.done():  # its request was cancelled
        return
    if result is not None:
        future.set_exception(result)
    else:
        future.set_result(None)
