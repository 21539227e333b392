"""Files and standard input -> blocks, and blocks over many processes, both in constant memory; translates nothing.

An input is one of two things, and its first line tells which:

- *lines*, each a record of its own (NDJSON). They pass on as blocks of bytes, undecoded, so that any process can work
  on any block. A line is held whole, whatever its length.
- *a document*: a record that does not end on its first line, such as a printed array or envelope. An array is read
  element by element, anything else whole. After the document, the next line tells again.
"""

import gzip
import signal
import sys
import zlib
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from statsig_segment.cli.blocks import Block
from statsig_segment.cli.records import Split, Window, documents
from statsig_segment.errors import StatsigSegmentError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

STANDARD_INPUT: Final = "-"
READ_ERRORS: Final = (OSError, EOFError, zlib.error)
"""What a file may raise while it is read; the last two come of damaged gzip."""

_PIECE: Final = 1 << 19
_PAYLOADS: Final = 500
_GZIP: Final = b"\x1f\x8b"
_WAITING: Final = 2
"""So many blocks a process may be read ahead of what is written."""

_Result = TypeVar("_Result")


def read_blocks(name: str, split: Split, error: type[StatsigSegmentError]) -> Iterator[Block]:
    """Read a file, or standard input for `-`, plain or gzip; raises one of `READ_ERRORS` where that fails."""
    with _opened(name) as stream:
        head = stream.read(len(_GZIP))
        if head == _GZIP:
            unzipped = gzip.GzipFile(fileobj=cast("Any", _Rejoined(head, stream)), mode="rb")
            source = _Source(unzipped, b"")
        else:
            source = _Source(stream, head)
        yield from _blocks(source, split, error)


def standard_input() -> BinaryIO:
    """Give standard input as bytes; `OSError` where it is closed."""
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name != STANDARD_INPUT:
        return Path(name).open("rb")
    return nullcontext(standard_input())


class _Rejoined:
    """A stream with its first bytes, already read, before it again."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head = head
        self._stream = stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head, b""
        return head or self._stream.read(size)


class _Source:
    """The bytes of an input, piece by piece, as they come."""

    def __init__(self, stream: object, pending: bytes) -> None:
        self._read: Callable[[int], bytes] = cast("Any", stream).read1  # waits for no more than there is
        self.pending = pending

    def piece(self) -> bytes:
        """Give the next bytes, none at the end."""
        pending, self.pending = self.pending, b""
        return pending or self._read(_PIECE)


def _blocks(source: _Source, split: Split, error: type[StatsigSegmentError]) -> Iterator[Block]:
    window = Window(source.piece)
    payloads = documents(window, split, error)
    while block := list(islice(payloads, _PAYLOADS)):
        yield block
    source.pending = window.rest()
    yield from _lines(source)


def _lines(source: _Source) -> Iterator[bytes]:
    """Cut the rest of an input into blocks of whole lines."""
    begun: list[bytes] = []
    while piece := source.piece():
        cut = piece.rfind(b"\n") + 1
        if cut:
            yield b"".join((*begun, piece[:cut]))
            begun.clear()
        begun.append(piece[cut:])
    if last := b"".join(begun):
        yield last


def in_order(work: Callable[[Block], _Result], blocks: Iterable[Block], jobs: int) -> Generator[_Result]:
    """Do the work on every block, in as many processes as asked for; give the results in the order of the blocks."""
    if jobs == 1:
        yield from map(work, blocks)
        return
    from concurrent.futures import Future  # noqa: PLC0415 - one process does without
    from concurrent.futures.process import BrokenProcessPool  # noqa: PLC0415

    waiting: deque[Future[_Result]] = deque()
    pool = _pool(jobs)
    try:
        for block in blocks:
            waiting.append(pool.submit(work, block))
            if len(waiting) > _WAITING * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise ChildProcessError("one of the processes ended before its work was done") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(jobs: int) -> "ProcessPoolExecutor":
    """Start processes, anew and not as copies of this one: that is safe on every platform, whatever runs here."""
    from concurrent.futures import ProcessPoolExecutor  # noqa: PLC0415
    from multiprocessing import get_context  # noqa: PLC0415

    leave_interrupts_to_us = (signal.SIGINT, signal.SIG_IGN)
    pool = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=signal.signal, initargs=leave_interrupts_to_us
    )
    handler = signal.signal(*leave_interrupts_to_us)  # what is ignored stays so in a new process, from its start
    try:
        for _ in range(jobs):
            pool.submit(int)  # nothing: a process starts when there is something to do
    finally:
        signal.signal(signal.SIGINT, handler)
    return pool
