"""Run work on blocks in several processes, and yield the results in the order of the blocks.

Each process is a fresh interpreter that talks to a thread of this one through a pipe that only these two hold. So the
loss of one is noticed, even in the middle of an answer, because its end of the pipe closes; the pool of
`concurrent.futures`, whose processes share a pipe, would wait for the rest forever. Likewise, however this process
ends, even killed, the others find their pipes closed and end, too.
"""

import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.resource_tracker import ensure_running
from queue import SimpleQueue
from typing import Any, Final, Generic, TypeVar

_AHEAD: Final = 2
"""How many blocks for each process are read ahead of what is written. This bounds the memory; with two or more, a
process never waits for its next block."""

_Result = TypeVar("_Result")


class WorkerError(Exception):
    """A process ended before its work was done."""


def in_order(work: Callable[[Any], _Result], blocks: Iterable[Any], jobs: int) -> Generator[_Result]:
    """Do the work on every block in `jobs` processes, and yield the results in the order of the blocks."""
    if jobs == 1:
        yield from map(work, blocks)
        return
    waiting: deque[Future[_Result]] = deque()
    idle: SimpleQueue[_Worker[_Result]] = SimpleQueue()
    threads = ThreadPoolExecutor(jobs)
    with _sheltered():
        workers = [_Worker(work) for _ in range(jobs)]

    def do(block: Any) -> _Result:
        worker = idle.get()
        try:
            return worker.do(block)
        finally:
            idle.put(worker)

    try:
        for worker in workers:
            idle.put(worker)
        for block in blocks:
            waiting.append(threads.submit(do, block))
            if len(waiting) > _AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.kill()
        threads.shutdown()


@contextmanager
def _sheltered() -> Generator[None]:
    """Start processes in this block that ignore Ctrl-C and import nothing from the current folder.

    The terminal sends the interrupt to all of them; this process alone reacts to it.
    """
    is_chosen = "PYTHONSAFEPATH" in os.environ
    os.environ.setdefault("PYTHONSAFEPATH", "1")
    has_mask = hasattr(signal, "pthread_sigmask")  # not on Windows
    if has_mask:
        ensure_running()  # else the first process starts it, and it unblocks the interrupt on its way
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if has_mask else set[int]()
    try:
        yield
    finally:
        if not is_chosen:
            del os.environ["PYTHONSAFEPATH"]
        if has_mask:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker(Generic[_Result]):
    """A process that does one block after the other."""

    def __init__(self, work: Callable[[Any], _Result]) -> None:
        self._work = work
        self._pipe, theirs = get_context("spawn").Pipe()
        self._process = get_context("spawn").Process(target=serve, args=(theirs, work), daemon=True)
        self._process.start()
        theirs.close()

    def do(self, block: Any) -> _Result:
        result: _Result
        try:
            self._pipe.send(block)
            result, error = self._pipe.recv()
        except RecursionError:  # the block is nested deeper than `pickle` can follow: it stays here
            return self._work(block)
        except (EOFError, OSError):
            raise WorkerError("a process ended before its work was done") from None
        if error is not None:
            raise error
        return result

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def serve(pipe: "Connection[Any, Any]", work: Callable[[Any], Any]) -> None:
    """Work on blocks from a pipe and send the results back, until the other end closes; runs in a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(EOFError, OSError):
        while True:
            block = pipe.recv()
            answer: tuple[Any, Exception | None]
            try:
                answer = work(block), None
            except Exception as error:  # noqa: BLE001 - it is raised at the other end
                answer = None, error
            pipe.send(answer)
