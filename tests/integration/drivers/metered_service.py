"""Run the service; at SIGUSR1, write to the file `HOLD` how long its event loop was held since the last time.

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

import uvicorn

if TYPE_CHECKING:
    import socket

longest_s = 0.0
serve = uvicorn.Server.serve


async def measure() -> None:
    """Wake up as often as the loop allows, and see how much the process did in between."""
    global longest_s  # noqa: PLW0603 - the signal handler reads it
    before = time.process_time()
    while True:
        await asyncio.sleep(0.001)
        now = time.process_time()
        longest_s = max(longest_s, now - before)
        before = now


async def metered(self: uvicorn.Server, sockets: list[socket.socket] | None = None) -> None:
    measuring = asyncio.create_task(measure())
    await serve(self, sockets)
    measuring.cancel()


def write(*_: Any) -> None:
    global longest_s  # noqa: PLW0603 - it starts anew
    Path(os.environ["HOLD"]).write_text(f"{longest_s * 1000:.1f}\n", encoding="ascii")
    longest_s = 0.0


uvicorn.Server.serve = metered  # type: ignore[method-assign] # the service's own loop runs the meter, too
signal.signal(signal.SIGUSR1, write)
sys.path.insert(0, str(Path.cwd()))
runpy.run_module("webhook_service", run_name="__main__", alter_sys=True)
