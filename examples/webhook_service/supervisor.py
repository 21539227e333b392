"""Keeps the process that delivers running: starts it, wakes it, hears what troubles it, and starts it again."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from asyncio.subprocess import PIPE, Process
from typing import Final

_LOG = logging.getLogger("webhook_service")
_PAUSE_S: Final = 1.0
_SILENT_S: Final = 10.0
"""After so long without a sign of life it is unwell; it gives one each second."""


class Supervisor:
    """The parent's view of the process that delivers."""

    def __init__(self, request_timeout_s: float) -> None:
        """Take how long a request may take, which it is given time for at the end."""
        self._request_timeout_s = request_timeout_s
        self._process: Process | None = None
        self._is_stopping = False
        self._heard_s = time.monotonic()
        self._troubles: dict[str, str | None] = {"delivery": None}

    @property
    def troubles(self) -> dict[str, str | None]:
        """Why it is unwell, or a part of it."""
        is_silent = time.monotonic() - self._heard_s > _SILENT_S and not self._troubles["delivery"]
        return self._troubles | ({"delivery": "silent"} if is_silent else {})

    def wake(self) -> None:
        """Say that there are new bodies."""
        pipe = self._process and self._process.stdin
        if pipe and not pipe.is_closing() and not pipe.transport.get_write_buffer_size():  # else it is still to hear it
            pipe.write(b".")

    async def run(self) -> None:
        """Start it, and start it again when it ends, until it was asked to stop."""
        while not self._is_stopping:
            try:
                why = f"ended with {await self._run_once()}"
            except Exception as error:  # noqa: BLE001 - it is started again
                why = type(error).__name__
            if not self._is_stopping:
                self._troubles["delivery"] = why
                _LOG.error("delivery: %s; it is started again", why)
                await asyncio.sleep(_PAUSE_S)

    async def _run_once(self) -> int:
        command = sys.executable, "-m", f"{__package__}.delivery"
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
        assert self._process.stdin
        assert self._process.stdout
        try:
            async for line in self._process.stdout:
                self._heard_s = time.monotonic()
                self._troubles = {"delivery": None, **json.loads(line)}
            return await self._process.wait()
        finally:
            self._process.stdin.close()  # which ends it, should it still run

    async def stop(self) -> None:
        """Let it finish the requests that are under way, and end it."""
        self._is_stopping = True
        if self._process and self._process.stdin:
            self._process.stdin.close()
            try:
                await asyncio.wait_for(self._process.wait(), self._request_timeout_s + _SILENT_S)
            except TimeoutError:
                self._process.kill()
