"""Runs a piece of work in rounds, forever: woken, stopped, and never ended by an error, which is waited out."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Final

from .settings import Settings

_LOG = logging.getLogger("webhook_service")
GATHER_S: Final = 0.05
"""So long work gathers: a request or a transaction for each message would cost more than all the rest."""
IDLE_S: Final = 1.0
"""After so long a round looks for what another process put into the database."""
SHORT_BACKOFF_S: Final = 10.0
"""The longest wait where the collector is not overloaded: what comes new may be taken, or the disk be free again."""


class DeliveryError(Exception):
    """A collector did not take a request, for a reason that may pass."""

    def __init__(self, code: str, *, retry_after_s: float = 0.0, longest_s: float = float("inf")) -> None:
        """Take a code for the log, and how long to wait at least and at most."""
        super().__init__(code)
        self.code = code
        self.retry_after_s = retry_after_s
        self.longest_s = longest_s


class Rounds:
    """The rounds of one piece of work."""

    def __init__(self, name: str, settings: Settings, report: Callable[[str, str | None], None]) -> None:
        """Take a name, and a function to call with it and why the work fails, or with None when it works."""
        self._name = name
        self._settings = settings
        self._report = report
        self._wake = asyncio.Event()
        self._stop = asyncio.Event()
        self._failures = 0  # in a row

    @property
    def is_stopping(self) -> bool:
        """Whether it was asked to end."""
        return self._stop.is_set()

    def wake(self) -> None:
        """Say that there is something new."""
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end after the step that is under way."""
        self._stop.set()
        self._wake.set()

    async def run(self, work: Callable[[], Awaitable[float]]) -> None:
        """Call a function, which says how long to wait for more, until it is asked to stop."""
        while not self.is_stopping:
            self._wake.clear()
            try:
                wait_s = await work()
            except Exception as error:  # noqa: BLE001 - it goes on
                await self.wait_out(error)
                continue
            self.progress()
            self._report(self._name, None)
            await _wait_for(self._wake if wait_s == IDLE_S else self._stop, wait_s)

    def progress(self) -> None:
        """Wait only shortly after the next failure: something has worked."""
        self._failures = 0

    async def wait_out(self, error: Exception) -> None:
        """Log the kind of an error, and wait: longer after each in a row, and as long as the collector wishes."""
        if not isinstance(error, DeliveryError):
            error = DeliveryError(type(error).__name__, longest_s=SHORT_BACKOFF_S)
        self._report(self._name, error.code)
        _LOG.warning("%s: %s, failure %d in a row", self._name, error.code, self._failures + 1)
        longest = min(self._settings.max_backoff_s, error.longest_s)
        grown = min(self._settings.first_backoff_s * 2 ** min(self._failures, 20), longest)
        self._failures += 1
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        await _wait_for(self._stop, max(grown * jitter, min(error.retry_after_s, longest) * (1.5 - jitter / 2)))


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    if not seconds:
        return
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return
