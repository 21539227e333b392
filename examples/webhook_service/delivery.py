"""The process that splits and delivers what was accepted: `python -m webhook_service.delivery`, started by the service.

It is woken by each byte on its standard input and ends when that ends, however its parent did. What troubles it, it
writes to its standard output: whenever that changes, and once a second, as a sign of life.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

import httpx

from .commits import now_ms
from .courier import Courier
from .lanes import segment_lane, statsig_lane
from .logs import set_up_logs
from .rounds import GATHER_S, IDLE_S, Rounds
from .settings import Settings, settings_from
from .splitter import split_next
from .store import Store, StoreThread

_NICE: Final = 5
"""Requests come first: they wait for an answer."""
_SPARE_DEPTH: Final = 100
"""What could be read when it was accepted, just so, can also be read here."""
_SWITCH_S: Final = 0.001
"""How long a transaction, which keeps others from writing, waits for Python at most; the default is 5 ms."""
_LIFE_S: Final = 1.0
_CHECKPOINT_S: Final = 0.1

Work: TypeAlias = Callable[[], Awaitable[float]]


class Delivery:
    """All that runs in this process."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; it begins with `run`."""
        self._settings = settings
        self._store = Store(settings.database, is_synced=False)  # the next body that is accepted syncs it all
        self._thread = StoreThread()
        self._troubles: dict[str, str | None] = {}
        names = "split", "statsig", "segment", "forget", "checkpoint"
        self._rounds = {name: Rounds(name, settings, self._note) for name in names}

    async def run(self) -> None:
        """Work until standard input ends."""
        asyncio.get_running_loop().add_reader(sys.stdin.fileno(), self._heard)
        life = asyncio.create_task(self._live())
        certificates = httpx.create_ssl_context()  # once; without this, for each proxy there is anew
        async with httpx.AsyncClient(timeout=self._settings.request_timeout_s, verify=certificates) as client:
            works: dict[str, Work] = {
                "split": self._split,
                "forget": self._forget,
                "checkpoint": self._checkpoint,
            }
            for lane in (statsig_lane(self._settings), segment_lane(self._settings)):
                rounds = self._rounds[lane.name]
                works[lane.name] = Courier(lane, self._settings, client, self._store, self._thread, rounds).carry
            await asyncio.gather(*(self._rounds[name].run(partial(self._in_turn, works[name])) for name in works))
        life.cancel()
        await self._thread.call(self._store.close)
        self._thread.close()

    async def _in_turn(self, work: Work) -> float:
        """Do nothing while another instance does it all."""
        return await work() if await self._thread.call(self._store.take_turn) else IDLE_S

    async def _split(self) -> float:
        wait_s = await self._thread.call(split_next, self._store)
        if wait_s != IDLE_S:
            for name in ("statsig", "segment"):
                self._rounds[name].wake()
        return wait_s

    async def _forget(self) -> float:
        has_more = await self._thread.call(self._store.forget, now_ms(), self._settings.keep_ms)
        return GATHER_S if has_more else IDLE_S

    async def _checkpoint(self) -> float:
        await self._thread.call(self._store.checkpoint)
        return _CHECKPOINT_S

    def _heard(self) -> None:
        """Look for new bodies, or end."""
        if os.read(sys.stdin.fileno(), 4096):
            self._rounds["split"].wake()
            return
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        for rounds in self._rounds.values():
            rounds.stop()

    async def _live(self) -> None:
        while True:
            self._show()
            await asyncio.sleep(_LIFE_S)

    def _note(self, name: str, why: str | None) -> None:
        if self._troubles.get(name, "") != why:
            self._troubles[name] = why
            self._show()

    def _show(self) -> None:
        with suppress(OSError):  # the parent is gone, and standard input ends
            print(json.dumps(self._troubles), flush=True)


def main() -> None:
    """Work until the parent ends, which hears the signals that are meant for both."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.nice(_NICE)
    gc.freeze()
    sys.setrecursionlimit(sys.getrecursionlimit() + _SPARE_DEPTH)
    sys.setswitchinterval(_SWITCH_S)
    set_up_logs()
    asyncio.run(Delivery(settings_from(os.environ)).run())


if __name__ == "__main__":
    main()
