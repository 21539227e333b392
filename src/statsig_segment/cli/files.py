"""Files and standard input -> blocks, in constant memory; translates nothing.

An input is one of two things, and its first line shows which:

- *lines*, each a record or a few (NDJSON). They pass on as blocks of bytes, undecoded, so that any process can work on
  any block. A line is held whole, whatever its length.
- *a document*: a record that does not end on its first line, such as a printed array or envelope, or a first line of
  over a million characters. An array is read element by element, anything else whole. After the document, the next line
  shows again.
"""

import gzip
import re
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext, suppress
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from statsig_segment.cli.blocks import STANDARD_INPUT, Block
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.records import Direction, Window, documents
from statsig_segment.outcomes import Rejected

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
    # UTF-32 comes first: its byte order mark begins with that of UTF-16.
    **{
        first.encode(
            f"{name}-{order}"
        ): f"text in {name}: convert it to UTF-8 first, or pipe it in with iconv -f {name} -t UTF-8"
        for name in ("UTF-32", "UTF-16")
        for order in ("LE", "BE")
        for first in "\ufeff{["
    },
}
"""First bytes of an unsupported format -> its name, and what to do (CL-7)."""
FIRST_BYTES: Final = (_GZIP, _ZSTD, *_NOT_READ)
"""First bytes of whatever is not plain text."""

_LOOKS: Final[Mapping[re.Pattern[bytes], str]] = {
    re.compile(rb'[^\n]*"(?:H4sI|\\u001f)'): (
        "gzip data inside JSON strings: decode the strings (often base64) and unpack them first"
    ),
    re.compile(rb'"\s*[{\[]'): (
        "JSON strings that hold JSON: decode them first, or pipe the file in with jq -c fromjson"
    ),
    re.compile(
        rb'(?![^\n]*"type")(?=[^\n]*"received_at")[^\n]*"(?:uuid_ts|original_timestamp|event_text|anonymous_id)"',
        re.IGNORECASE,
    ): "rows of Segment's own warehouse tables: use the calls themselves, such as those of Segment's archive on S3",
    re.compile(rb'"?[A-Za-z_][\w .-]*"?(?:[,;\t]\s*"?[\w .-]+"?){2,}\s*(?:\n|\Z)'): (
        "CSV: convert it to JSON, one object a line, first"
    ),
}
"""How the first record of an input that holds no payloads begins -> what it is, and what to do (CL-7)."""
_LOOKED_AT: Final = 1 << 15  # bytes of the first record: the keys that give a format away come first


def read_blocks(
    name: str, direction: Direction, *, on_read: Callable[[int], object] = lambda _size: None
) -> Iterator[Block]:
    """Read a file, or standard input for `-`, plain, gzip or zstd, block by block.

    Raises one of `READ_ERRORS` where that fails. `on_read` is called with the number of bytes of each read.
    """
    with nullcontext(standard_input()) if name == STANDARD_INPUT else Path(name).open("rb") as stream:
        read = _decompressed(_Raw(stream, on_read))
        window = Window(read)
        payloads = documents(window, direction)
        while data := list(islice(payloads, _PAYLOADS)):
            yield Block(data=data, file=name, line=data[0][0])
        line = window.line
        for lines in _lines(chain((window.rest(),), iter(lambda: read(_PIECE), b""))):
            yield Block(data=lines, file=name, line=line)
            line += lines.count(b"\n")


def standard_input() -> BinaryIO:
    """Return standard input as bytes; raise `OSError` if it is closed."""
    if sys.stdin is None:
        raise OSError("standard input is closed")
    return sys.stdin.buffer


def look(block: Block) -> str | None:
    """Return what an input that begins with this block is, and what to do, if it cannot hold payloads; else nothing."""
    data: Any = block.data
    if not isinstance(data, bytes):
        data = data[0][1].payload if isinstance(data[0][1], Rejected) else data[0][1]
        data = data.encode() if isinstance(data, str) else FAST.encode(data)
    start = data[:_LOOKED_AT].lstrip()
    return next((what for pattern, what in _LOOKS.items() if pattern.match(start)), None)


class _Raw:
    """A stream as it is stored, whose first bytes may be looked at before they are read."""

    def __init__(self, stream: BinaryIO, on_read: Callable[[int], object]) -> None:
        self._read: Callable[[int], bytes] = cast("Any", stream).read1  # waits for no more than there is
        self._on_read = on_read
        self._unread = b""

    def first_bytes(self) -> bytes:
        """Look at as many bytes as it takes to know what the stream is, or a few more."""
        first = b""
        while any(mark != first and mark.startswith(first) for mark in FIRST_BYTES) and (piece := self.read(_PIECE)):
            first += piece
        self._unread = first
        return first

    def read(self, size: int) -> bytes:
        piece, self._unread = self._unread[:size], self._unread[size:]
        if not piece:
            piece = self._read(size)
            self._on_read(len(piece))
        return piece


def _decompressed(raw: _Raw) -> Callable[[int], bytes]:
    """Return what reads the next bytes of a stream, once it is decompressed."""
    first = raw.first_bytes()
    for mark, what in _NOT_READ.items():
        if first.startswith(mark):
            raise OSError(what)
    if first.startswith(_GZIP):
        return gzip.GzipFile(fileobj=cast("Any", raw), mode="rb").read1
    return _zstd(raw) if first.startswith(_ZSTD) else raw.read


def _zstd(raw: _Raw) -> Callable[[int], bytes]:
    for name in ("compression.zstd", "backports.zstd"):  # Python has the first from 3.14 on
        with suppress(ImportError):
            module = import_module(name)
            break
    else:
        raise OSError("compressed with zstd, which needs another package: pip install backports.zstd")
    stream: Any = module.ZstdFile(raw)

    def read1(size: int) -> bytes:
        try:
            return cast("bytes", stream.read1(size))
        except module.ZstdError:
            raise OSError("damaged zstd") from None

    return read1


def _lines(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Cut what comes in pieces into blocks of whole lines; blanks before a line are dropped, however many."""
    begun: list[bytes] = []
    for piece in pieces:
        if cut := piece.rfind(b"\n") + 1:
            lines = b"".join((*begun, piece[:cut]))
            begun.clear()
            yield lines
        if begun or piece[cut:].strip():
            begun.append(piece[cut:])
    if begun:
        yield b"".join(begun)
