"""Turns bodies into messages that are ready to be sent, within bounds on time and memory; runs in the main thread."""

from __future__ import annotations

import gc
import logging
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Final

import attrs
from typing_extensions import override

from .messages import Outcome, split, translate
from .settings import Settings
from .store import Body, Store

_LOG = logging.getLogger("webhook_service")
GATHER_S: Final = 0.05  # how long work gathers: a transaction and a request for each message would cost too much
IDLE_S: Final = 1.0  # how long to wait for a wake-up before looking for what another instance has accepted
_MAX_BODIES, _MAX_BYTES = 500, 500_000  # that are worked on together
_MAX_STARTS: Final = 3  # a body that was started so often and never finished has ended the process each time
_MAX_EVENTS: Final = 5_000  # of a body; Segment's own limit is 2,500
_MAX_OUTCOME_BYTES: Final = 8_000_000  # of all messages of a body, each with its share of the envelope
_LOOK_S: Final = 0.02
_SPARE_BYTES: Final = 50_000_000  # a body may always take these, however much earlier ones have left behind


@attrs.define
class TroubleError(Exception):
    """Something failed that may work later."""

    code: str
    at_least_s: float = 0.0  # how long the server asks to wait


class TooCostlyError(BaseException):
    """A body takes more time or memory than it may. No `except Exception` on the way may catch this."""

    code = property(str)


@attrs.define(eq=False)
class Loop:
    """Repeats a step until it is stopped. An error is logged, shown in `/healthz`, and waited out."""

    name: str
    settings: Settings
    store: Store
    trouble: str | None = attrs.field(default=None, init=False)  # why the last step failed
    failures: int = attrs.field(default=0, init=False)  # in a row
    stopping: threading.Event = attrs.field(factory=threading.Event, init=False)
    _wake: threading.Event = attrs.field(factory=threading.Event, init=False)

    def step(self) -> float:
        """Do the work that there is, and return how long to wait for more."""
        raise NotImplementedError

    def run(self) -> None:
        """Repeat the step until it is stopped."""
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                pause_s = self.step()
            except Exception as error:  # noqa: BLE001 - nothing ends a loop
                self.wait_out(error)
            else:
                self.trouble, self.failures = None, 0
                (self._wake if pause_s == IDLE_S else self.stopping).wait(pause_s)

    def wake(self) -> None:
        """Tell it that there is something new."""
        self._wake.set()

    def stop(self) -> None:
        """Ask it to end after what it is doing."""
        self.stopping.set()
        self._wake.set()

    def wait_out(self, error: Exception) -> None:
        """Wait after an error: longer after each one in a row, with jitter, and as long as the server asks."""
        if not isinstance(error, TroubleError):
            error = TroubleError(str(error) if isinstance(error, sqlite3.Error) else type(error).__name__)
        self.trouble = error.code
        self.failures += 1
        _LOG.warning("%s: %s, failure %d in a row", self.name, error.code, self.failures)
        jitter = random.uniform(1.0, 1.5)  # noqa: S311 - no secret
        wait_s = max(self.settings.first_backoff_s * 2 ** min(self.failures - 1, 20), error.at_least_s)
        self.stopping.wait(min(wait_s, self.settings.max_backoff_s) * jitter)

    def insist(self, write: Callable[[], None]) -> None:
        """Repeat a write until it works, because the work before it must not be done again."""
        while True:
            try:
                return write()
            except Exception as error:
                if self.stopping.is_set():
                    raise
                self.wait_out(error)


@attrs.define(eq=False)
class Worker(Loop):
    """Splits and translates bodies in the order in which they were accepted."""

    lanes: Sequence[Loop]
    _forget_s: float = attrs.field(default=0.0, init=False)

    @override
    def step(self) -> float:
        """Work on the next bodies, each for itself, and store the messages of all of them together."""
        if time.monotonic() >= self._forget_s:
            self._forget_s = time.monotonic() + IDLE_S
            self.store.forget(time.time_ns() // 1_000_000 - int(self.settings.keep_days * 86_400_000))
        bodies = self.store.start(_MAX_BODIES, _MAX_BYTES) if self.store.take_turn() else []
        if not bodies:
            return IDLE_S
        results = [(body, self._result(body)) for body in bodies]
        self.insist(lambda: self.store.finish(results))
        for lane in self.lanes:
            lane.wake()
        return GATHER_S

    def _result(self, body: Body) -> list[Outcome] | str:
        """Return the messages of a body, or the code with which it becomes a dead letter."""
        if body.starts >= _MAX_STARTS:
            return "never_finished"
        outcomes, left = list[Outcome](), _MAX_OUTCOME_BYTES
        try:
            with _bounded(self.settings.work_timeout_s, self.settings.work_memory_bytes):
                for key, payload in split(body.lane, body.content):
                    outcomes.append(translate(body.lane, key, payload, self.settings.integration))
                    left -= len(outcomes[-1].payload or b"")
                    if left < 0 or len(outcomes) > _MAX_EVENTS:
                        return "too_many_messages"
        except (Exception, TooCostlyError) as error:  # noqa: BLE001 - or this body would stop all those behind it
            code = str(getattr(error, "code", type(error).__name__))
            _LOG.warning("%s: number %d is a dead letter: %s", self.name, body.id, code)
            return code
        return outcomes


@contextmanager
def _bounded(seconds: float, memory_bytes: int) -> Generator[None]:
    """Interrupt the block with `TooCostlyError` once it has taken too much processor time or memory.

    Python runs a signal handler in the main thread between any two of its instructions. What runs in one piece, such as
    decoding JSON, is bounded by what the door lets in.
    """
    end = time.thread_time() + seconds
    most_bytes = max(memory_bytes, _memory_bytes() + _SPARE_BYTES)

    def look(_number: int, _frame: FrameType | None) -> None:
        code = "too_slow" if time.thread_time() > end else "too_much_memory" if _memory_bytes() > most_bytes else None
        if code:
            signal.setitimer(signal.ITIMER_REAL, 0)  # once is enough, and again might be outside of the block
            raise TooCostlyError(code)

    gc.disable()  # it would stop all threads, to look for cycles in JSON, where there are none
    signal.signal(signal.SIGALRM, look)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_S, _LOOK_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        gc.enable()


def _memory_bytes() -> int:
    """Return the memory of this process on Linux; elsewhere the bound on time has to do."""
    with suppress(OSError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096
    return 0
