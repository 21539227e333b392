"""Puts bodies on the disk in groups: what arrives while one commit runs shares the next one, and its sync."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .settings import Settings
    from .store import Body, ReplayError, Store, StoreThread

_LOG = logging.getLogger("webhook_service")
_MOST_BODIES: Final = 64
_HOUR_MS: Final = 3_600_000
_TIDY_S: Final = 1.0


def now_ms() -> int:
    """Read the clock."""
    return time.time_ns() // 1_000_000


class Commits:
    """The writing side of the intake."""

    def __init__(self, store: Store, thread: StoreThread, settings: Settings) -> None:
        """Take what it needs."""
        self._store = store
        self._thread = thread
        self._settings = settings
        self._pending: list[tuple[Body, asyncio.Future[int]]] = []
        self._task: asyncio.Task[None] | None = None
        self.trouble: str | None = None
        """The kind of the last error, until something could be written again."""

    async def accept(self, body: Body) -> int:
        """Keep the messages of a body, and say how many are new; when this returns, they are on the disk."""
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pending.append((body, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit())
        return await future

    async def _commit(self) -> None:
        while self._pending:
            group, self._pending = self._pending[:_MOST_BODIES], self._pending[_MOST_BODIES:]
            try:
                results: Sequence[int | Exception] = await self._store_group([body for body, _ in group])
            except Exception as error:  # noqa: BLE001 - whatever it is, each of these requests must hear of it
                self._note(error)
                results = [error] * len(group)
            for (_, future), result in zip(group, results, strict=True):
                _resolve(future, result)

    async def _store_group(self, bodies: Sequence[Body]) -> list[int | ReplayError]:
        results = await self._thread.call(self._store.accept, bodies, now_ms())
        self.trouble = None
        return results

    async def tidy(self) -> None:
        """Forget what is old, forever; this also notices when the disk does or does not take anything."""
        keep_ms = int(self._settings.keep_days * 24 * _HOUR_MS)
        replay_ms = int(self._settings.replay_hours * _HOUR_MS)
        has_more = False
        while True:
            await asyncio.sleep(0.02 if has_more else _TIDY_S)
            try:
                has_more = await self._thread.call(self._store.forget, now_ms(), keep_ms, replay_ms)
            except Exception as error:  # noqa: BLE001 - it goes on
                self._note(error)
            else:
                self.trouble = None

    def _note(self, error: Exception) -> None:
        self.trouble = type(error).__name__
        _LOG.error("intake: nothing can be stored: %s", self.trouble)


def _resolve(future: asyncio.Future[int], result: int | Exception) -> None:
    if future.done():  # its request was cancelled
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
