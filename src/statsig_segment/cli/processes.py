"""Blocks -> results in as many processes as asked for, in the order of the blocks; knows nothing of what the work is.

Each process is a fresh interpreter that talks to this one through two pipes, and holds nothing else of it: neither its
standard streams nor the pipes of its neighbors. When this process ends, however it ends, the pipes close and the others
end, too. Each is served by a thread of this process, which waits for the pipes and notices a process that died or was
stopped.
"""

import os
import pickle
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from io import RawIOBase
from queue import SimpleQueue
from typing import Any, BinaryIO, Final, TypeVar, cast

_WAITING: Final = 2
"""So many blocks a process may be read ahead of what is written."""
_PATIENCE: Final = 1.0
"""Seconds between two looks at a process that does not answer."""
_LENGTH: Final = 8
_PIPE: Final = 1 << 20
_START: Final = """
import os, sys
sys.path[:] = {path!r}
sink = os.fdopen(os.dup(1), "wb")
os.dup2(2, 1)  # whatever is printed goes nowhere
from statsig_segment.cli.processes import serve
serve(sys.stdin.buffer, sink)
"""
_POSIX: Final = os.name == "posix"

_Result = TypeVar("_Result")
_Work = Callable[[Any], _Result]


class WorkerError(Exception):
    """A process that did not do its work."""


def in_order(work: _Work[_Result], blocks: Iterable[Any], jobs: int) -> Generator[_Result]:
    """Do the work on every block, in as many processes as asked for; give the results in the order of the blocks."""
    if jobs == 1:
        yield from map(work, blocks)
        return
    waiting: deque[Future[_Result]] = deque()
    pool = _Pool(work, jobs)
    try:
        for block in blocks:
            waiting.append(pool.submit(block))
            if len(waiting) > _WAITING * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.close()


class _Pool:
    """Threads, each with a process of its own, that share the blocks."""

    def __init__(self, work: _Work[Any], jobs: int) -> None:
        self._work = work
        self._start = pickle.dumps(work)
        self._idle: SimpleQueue[Worker | None] = SimpleQueue()
        for _ in range(jobs):
            self._idle.put(None)  # a process that is not started yet
        self._workers: list[Worker] = []
        self._threads = ThreadPoolExecutor(jobs)

    def submit(self, block: Any) -> Future[Any]:
        try:
            message = pickle.dumps(block, pickle.HIGHEST_PROTOCOL)
        except RecursionError:  # nested so deep that it cannot leave this process
            return _done(self._work, block)
        return self._threads.submit(self._do, message)

    def _do(self, message: bytes) -> Any:
        worker = self._idle.get()
        try:
            worker = worker or self._started()
            return worker.do(message)
        finally:
            self._idle.put(worker)

    def _started(self) -> "Worker":
        worker = Worker(self._start)
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        """End all processes; what they were still at is lost."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.kill()
        self._threads.shutdown()
        for worker in self._workers:  # of which one may have been started meanwhile
            worker.kill()
            worker.close()


def _done(work: _Work[Any], block: Any) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_result(work(block))
    return future


class Worker:
    """A process that does one block after the other."""

    def __init__(self, start: bytes) -> None:
        """Start it, and send it the work."""
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [sys.executable, "-P", "-c", _START.format(path=sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            **_OWN_GROUP,  # an interrupt at the terminal is for this process alone
        )
        self._to = cast("RawIOBase", self._process.stdin)
        self._from = cast("RawIOBase", self._process.stdout)
        if _POSIX:
            for pipe in (self._to, self._from):
                _prepare(pipe)
        self._send(start)

    def do(self, message: bytes) -> Any:
        """Have a block done; `WorkerError` where the process did not do it, and what the work raised."""
        self._send(message)
        done, result = pickle.loads(self._receive())  # noqa: S301 - our own
        if done:
            return result
        raise result

    def _send(self, message: bytes) -> None:
        for part in (_length(message), message):
            view = memoryview(part)
            while view:
                try:
                    sent = self._to.write(view)
                except OSError:
                    raise self._failure() from None
                if sent is None:
                    self._wait(self._to, selectors.EVENT_WRITE)
                else:
                    view = view[sent:]

    def _receive(self) -> bytes:
        size = int.from_bytes(self._read(_LENGTH), "big")
        return self._read(size)

    def _read(self, size: int) -> bytes:
        parts: list[bytes] = []
        while size:
            part = self._from.read(size)
            if part is None:
                self._wait(self._from, selectors.EVENT_READ)
            elif part:
                parts.append(part)
                size -= len(part)
            else:
                raise self._failure()
        return b"".join(parts)

    def _wait(self, pipe: RawIOBase, event: int) -> None:
        """Wait until a pipe is ready, and look now and then whether the process still runs."""
        with selectors.DefaultSelector() as selector:
            selector.register(pipe, event)
            while not selector.select(_PATIENCE):
                if is_stopped(self._process.pid):
                    raise WorkerError(f"process {self._process.pid} was stopped before its work was done")

    def _failure(self) -> WorkerError:
        status = self._process.wait()
        how = f"was killed by signal {-status}" if status < 0 else "ended"
        return WorkerError(f"process {self._process.pid} {how} before its work was done")

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Close the pipes."""
        self._to.close()
        self._from.close()


_OWN_GROUP: Final[dict[str, Any]] = (
    {"process_group": 0} if _POSIX else {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
)


def _prepare(pipe: RawIOBase) -> None:
    """Let a pipe hold much, where it can, and never block: so that waiting for it can end."""
    os.set_blocking(pipe.fileno(), False)
    with suppress(ImportError, AttributeError, OSError):
        import fcntl  # noqa: PLC0415 - not everywhere

        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


def is_stopped(pid: int) -> bool:
    """Tell whether a process that this one started is stopped."""
    with suppress(ChildProcessError):
        found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOHANG | os.WNOWAIT)
        return found is not None and found.si_code == os.CLD_STOPPED
    return False


def _length(message: bytes) -> bytes:
    return len(message).to_bytes(_LENGTH, "big")


# -- In the other process ----------------------------------------------------------------------------------------------


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Do what comes until it ends, and send the results."""
    work = pickle.loads(_message(source))  # noqa: S301 - our own
    with suppress(BrokenPipeError, EOFError):
        while True:
            answer = _answer(work, _message(source))
            sink.write(_length(answer))
            sink.write(answer)
            sink.flush()


def _message(source: BinaryIO) -> bytes:
    size = source.read(_LENGTH)
    if len(size) < _LENGTH:
        raise EOFError
    return source.read(int.from_bytes(size, "big"))


def _answer(work: _Work[Any], message: bytes) -> bytes:
    try:
        return pickle.dumps((True, work(pickle.loads(message))), pickle.HIGHEST_PROTOCOL)  # noqa: S301 - our own
    except Exception as error:  # noqa: BLE001 - it is raised in the other process
        return _failure(error)


def _failure(error: Exception) -> bytes:
    """Send what the work raised, if it can be sent, without what it held on to."""
    error.__traceback__ = error.__cause__ = error.__context__ = None
    try:
        message = pickle.dumps((False, error))
        pickle.loads(message)  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever it is
        return pickle.dumps((False, WorkerError(f"its work ended with {type(error).__name__}")))
    return message
