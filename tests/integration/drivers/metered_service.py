"""Run the service; at SIGUSR1, write to the file `HOLD` how long its event loop has stood still since the last time.

That is the longest hold, in milliseconds of processor time, which all threads of the service share: time in which a
thread of the service keeps the loop from running counts, and time in which another program has the processor does not.
"""

from __future__ import annotations

import asyncio
import os
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

if TYPE_CHECKING:
    from collections.abc import Coroutine


class Meter:
    """Wakes up as often as the loop allows, and sees what the process did in between."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._longest_s = 0.0

    async def run(self) -> None:
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._write)
        before = time.process_time()
        while True:
            await asyncio.sleep(0.001)
            now = time.process_time()
            self._longest_s = max(self._longest_s, now - before)
            before = now

    def _write(self) -> None:
        self._path.write_text(f"{self._longest_s * 1000:.1f}\n", encoding="ascii")
        self._longest_s = 0.0


def metered(serve: Coroutine[Any, Any, None]) -> None:
    """Serve, with the meter in the same loop."""

    async def both() -> None:
        running = asyncio.create_task(Meter(Path(os.environ["HOLD"])).run())
        try:
            await serve
        finally:
            running.cancel()

    run(both())


run, uvloop.run = uvloop.run, metered  # type: ignore[assignment] # the service's own loop runs the meter, too
sys.path.insert(0, str(Path.cwd()))
runpy.run_module("webhook_service", run_name="__main__", alter_sys=True)
