"""Files and standard input -> blocks, in constant memory; translates nothing.

An input is one of two things, and its first line shows which:

- *lines*, each a record or a few (NDJSON). They pass on as blocks of bytes, undecoded, so that any process can work on
  any block. A line is held whole, whatever its length.
- *a document*: a record that does not end on its first line, such as a printed array or envelope, or a first line of
  over a million characters. An array is read element by element, anything else whole. After the document, the next line
  shows again.
"""

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import attrs

from statsig_segment.cli.blocks import STANDARD_INPUT, Block, Direction
from statsig_segment.cli.records import Window, documents

READ_ERRORS: Final = (OSError, EOFError, zlib.error)
"""What a file may raise while it is read; the last two are what damaged gzip raises."""

_PIECE: Final = 1 << 19
_PAYLOADS: Final = 500
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_NOT_READ: Final[Mapping[bytes, str]] = {
    b"PK\x03\x04": "a zip archive: unpack it first, or pipe it in with unzip -p",
    b"BZh": "compressed with bzip2: unpack it first, or pipe it in with bzcat",
    b"\xfd7zXZ\x00": "compressed with xz: unpack it first, or pipe it in with xzcat",
    b"PAR1": "a Parquet file: convert it to JSON, one object a line, first",
    b"Obj\x01": "an Avro file: convert it to JSON, one object a line, first",
}
"""First bytes of what is not read -> what it is, and what to do."""
FIRST_BYTES: Final = (_GZIP, _ZSTD, *_NOT_READ)
"""First bytes of whatever is not plain text."""


def ignore(_size: int) -> None:
    """Take note of nothing."""


def read_blocks(name: str, direction: Direction, *, on_read: Callable[[int], object] = ignore) -> Iterator[Block]:
    """Read a file, or standard input for `-`, plain, gzip or zstd, block by block.

    Raises one of `READ_ERRORS` where that fails. `on_read` is called with the number of bytes of each read.
    """
    with _opened(name) as stream:
        raw = _Raw(stream, on_read)
        for block in _blocks(_decompressed(raw, raw.first_bytes()), direction):
            yield attrs.evolve(block, file=name)


def standard_input() -> BinaryIO:
    """Give standard input as bytes; `OSError` where it is closed."""
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name != STANDARD_INPUT:
        return Path(name).open("rb")
    return nullcontext(standard_input())


class _Raw:
    """A stream as it is stored, whose first bytes may be looked at before they are read."""

    def __init__(self, stream: BinaryIO, on_read: Callable[[int], object]) -> None:
        self._read: Callable[[int], bytes] = cast("Any", stream).read1  # waits for no more than there is
        self._on_read = on_read
        self._pending = b""

    def first_bytes(self) -> bytes:
        """Look at as many bytes as it takes to know what the stream is, or a few more."""
        while any(len(self._pending) < len(mark) and mark.startswith(self._pending) for mark in FIRST_BYTES):
            piece = self._next(_PIECE)
            if not piece:
                break
            self._pending += piece
        return self._pending

    def _next(self, size: int) -> bytes:
        piece = self._read(size)
        self._on_read(len(piece))
        return piece

    def read(self, size: int) -> bytes:
        pending, self._pending = self._pending[:size], self._pending[size:]
        return pending or self._next(size)

    read1 = read


def _decompressed(raw: _Raw, first: bytes) -> Any:
    for mark, what in _NOT_READ.items():
        if first.startswith(mark):
            raise OSError(what)
    if first.startswith(_GZIP):
        return gzip.GzipFile(fileobj=cast("Any", raw), mode="rb")
    if first.startswith(_ZSTD):
        return _Zstd(raw)
    return raw


class _Zstd:
    """A zstd stream, whose errors are errors of reading."""

    def __init__(self, raw: _Raw) -> None:
        zstd = _zstd()
        self._error: type[Exception] = zstd.ZstdError
        self._read1: Callable[[int], bytes] = zstd.ZstdFile(raw).read1

    def read1(self, size: int) -> bytes:
        try:
            return self._read1(size)
        except self._error:
            raise OSError("damaged zstd") from None


def _zstd() -> Any:
    """Give the module that Python has from 3.14 on, or the same module for older ones."""
    for name in ("compression.zstd", "backports.zstd"):
        with suppress(ImportError):
            return import_module(name)
    raise OSError("compressed with zstd: pip install 'statsig-segment[cli]'")


class _Source:
    """The bytes of an input, piece by piece, as they come."""

    def __init__(self, stream: Any) -> None:
        self._read1: Callable[[int], bytes] = stream.read1
        self.pending = b""

    def piece(self) -> bytes:
        """Give the next bytes, none at the end."""
        pending, self.pending = self.pending, b""
        return pending or self._read1(_PIECE)


def _blocks(stream: Any, direction: Direction) -> Iterator[Block]:
    source = _Source(stream)
    window = Window(source.piece)
    payloads = documents(window, direction)
    while block := list(islice(payloads, _PAYLOADS)):
        yield Block(data=block, line=block[0][0])
    line, source.pending = window.line, window.rest()
    for lines in _lines(source):
        yield Block(data=lines, line=line)
        line += lines.count(b"\n")


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
