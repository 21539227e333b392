"""Blocks -> results in as many processes as asked for, in the order of the blocks; does not know what the work is.

Each process is a fresh interpreter. It gets the work once, when it starts, and then one block after the other. The
interrupt of Ctrl-C goes to every process of a terminal: this one alone reacts to it. And however this one ends, even
killed, the others end too: each has a thread that waits for that.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Any, Final, TypeVar, cast

_AHEAD: Final = 2
"""How many blocks a process may be read ahead of what is written: what bounds the memory."""
_work: Callable[[Any], Any]
"""In a process that shares the work: what it does with a block."""

_Result = TypeVar("_Result")


class WorkerError(Exception):
    """A process ended before its work was done."""


def in_order(work: Callable[[Any], _Result], blocks: Iterable[Any], jobs: int) -> Generator[_Result]:
    """Do the work on every block in `jobs` processes, and yield the results in the order of the blocks."""
    if jobs == 1:
        yield from map(work, blocks)
        return
    waiting: deque[tuple[Any, Future[_Result]]] = deque()
    with _sheltered():
        pool = ProcessPoolExecutor(jobs, get_context("spawn"), begin, (work,))

    def oldest() -> _Result:
        block, future = waiting.popleft()
        try:
            return future.result()
        except RecursionError:  # the block is nested deeper than `pickle` can follow: it stays in this process
            return work(block)

    try:
        for block in blocks:
            with _sheltered():
                waiting.append((block, pool.submit(do, block)))
            if len(waiting) > _AHEAD * jobs:
                yield oldest()
        while waiting:
            yield oldest()
    except BrokenProcessPool:
        raise WorkerError("a process ended before its work was done") from None
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _sheltered() -> Generator[None]:
    """Let a process start here that no interrupt reaches, and that imports nothing from the folder at hand."""
    is_chosen = "PYTHONSAFEPATH" in os.environ
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    has_mask = hasattr(signal, "pthread_sigmask")  # not on Windows
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_mask else set()
    try:
        yield
    finally:
        if not is_chosen:
            del os.environ["PYTHONSAFEPATH"]
        if has_mask:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


# -- In the other processes --------------------------------------------------------------------------------------------


def begin(work: Callable[[Any], Any]) -> None:
    """Keep the work, and end when the process that sent it does."""
    global _work  # noqa: PLW0603 - a process has one work
    _work = work
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    wait([cast("BaseProcess", parent_process()).sentinel])
    os._exit(1)


def do(block: Any) -> Any:
    """Do the work on a block."""
    return _work(block)
