"""Run work on blocks in several processes, and yield the results in the order of the blocks.

Each process is a fresh interpreter, with pipes that only it and this process hold. So the loss of one is noticed, even
in the middle of an answer, because its end of the pipe closes; the pools of the standard library, whose processes share
a pipe, would wait for the rest forever. Likewise, however this process ends, even killed, the others find their pipes
closed and end, too.

A process gets its next block once its answer has been read, never before: where both ends wrote at once, each could
wait for the other to read.
"""

import pickle
import signal
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from functools import partial
from itertools import cycle
from subprocess import PIPE, Popen
from typing import Any, BinaryIO, Final, TypeVar, cast

_PROGRAM: Final = f"""
import os, pickle, sys
sys.path[:] = pickle.load(sys.stdin.buffer)
from {__name__} import serve
serve(sys.stdin.buffer, sys.stdout.buffer)
os._exit(0)  # else the interpreter would complain of an answer that nobody reads
"""

_Result = TypeVar("_Result")


class WorkerError(Exception):
    """A process ended before its work was done."""


def in_order(work: Callable[[Any], _Result], blocks: Iterable[Any], jobs: int) -> Generator[_Result]:
    """Do the work on every block in `jobs` processes, and yield the results in the order of the blocks."""
    if jobs == 1:
        yield from map(work, blocks)
        return
    # `-P` imports nothing from the current folder. A group of its own gets no Ctrl-C: this process alone reacts to it.
    command = [sys.executable, "-P", "-c", _PROGRAM]
    processes = [Popen(command, stdin=PIPE, stdout=PIPE, process_group=0) for _ in range(jobs)]  # noqa: S603 - our own
    try:
        for process in processes:
            _send(process, sys.path)
            _send(process, work)
        waiting: deque[Callable[[], _Result]] = deque()
        for process, block in zip(cycle(processes), blocks, strict=False):
            ready = [waiting.popleft()()] if len(waiting) == jobs else []
            try:
                _send(process, block)
                waiting.append(partial(_answer, process))
            except RecursionError:  # the block is nested deeper than `pickle` can follow: it stays here
                waiting.append(partial(work, block))
            yield from ready
        while waiting:
            yield waiting.popleft()()
    finally:
        for process in processes:
            process.kill()
            with suppress(OSError), process:  # waits for its end, and closes its pipes
                pass


def _send(process: Popen[bytes], value: object) -> None:
    data = pickle.dumps(value)  # as a whole, so that nothing is sent of what cannot be pickled
    pipe = cast("BinaryIO", process.stdin)
    try:
        pipe.write(data)
        pipe.flush()
    except OSError:
        raise WorkerError("a process ended before its work was done") from None


def _answer(process: Popen[bytes]) -> Any:
    try:
        result, error = pickle.load(cast("BinaryIO", process.stdout))  # noqa: S301 - from our own process
    except (EOFError, OSError, pickle.UnpicklingError):
        raise WorkerError("a process ended before its work was done") from None
    if error is not None:
        raise error
    return result


def serve(blocks: BinaryIO, answers: BinaryIO) -> None:
    """Do the work that comes first on all blocks that follow, until their pipe closes; runs in a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # for Windows, which has no process groups
    with suppress(EOFError, OSError, pickle.UnpicklingError):  # where the sender is killed, a block is cut off
        work = pickle.load(blocks)  # noqa: S301 - from our own process
        while True:
            block = pickle.load(blocks)  # noqa: S301 - likewise
            answer: tuple[Any, Exception | None]
            try:
                answer = work(block), None
            except Exception as error:  # noqa: BLE001 - it is raised at the other end
                answer = None, error
            pickle.dump(answer, answers)
            answers.flush()
