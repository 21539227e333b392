"""Files and standard input -> blocks of records, in constant memory; translates nothing.

An input is one of two things, and its first line tells which:

- *lines*, each a record of its own (NDJSON). They pass on as blocks of bytes, undecoded, so that any process can work
  on any block. A line is held whole, whatever its length.
- *a document*: a record that does not end on its first line, such as a printed array or envelope. An array is read
  element by element, anything else whole. A broken element is passed over as far as the next line that begins a value
  and stands no deeper, and reading goes on there. After the document the next line tells again.
"""

import codecs
import gzip
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias, cast

from statsig_segment.errors import StatsigSegmentError
from statsig_segment.results import Rejected

STANDARD_INPUT: Final = "-"
READ_ERRORS: Final = (OSError, EOFError, zlib.error)
"""What a file may raise while it is read; the last two come of damaged gzip."""

Block: TypeAlias = bytes | list[Any]
"""Whole lines, or payloads that are decoded already, `Rejected` among them for what could not be."""
Split: TypeAlias = Callable[[Any], Iterable[Any]]
"""Takes a decoded record, gives its payloads or raises one of our errors."""

_PIECE: Final = 1 << 19
_LONG: Final = 1 << 20
"""From this length on an array that does not end is not awaited: it is read element by element."""
_KEPT: Final = 1 << 16
"""So much text is kept of what is passed over."""
_PAYLOADS: Final = 500
_GZIP: Final = b"\x1f\x8b"
_BOM: Final = "\ufeff"
_DECODER: Final = json.JSONDecoder()
_CUT_TOKEN: Final = 16
"""No token but a string or number is longer: an error so close to the end of a piece may be the cut's."""
_match_space: Final = re.compile(r"[ \t\r\n]*").match
_match_closers: Final = re.compile(r"[ \t\r\n,\]}]*").match
_find_undecoded: Final = re.compile("[\udc80-\udcff]").search


def read_blocks(name: str, split: Split, error: type[StatsigSegmentError]) -> Iterator[Block]:
    """Read a file, or standard input for `-`, plain or gzip; raises one of `READ_ERRORS` where that fails."""
    with _opened(name) as stream:
        head = stream.read(len(_GZIP))
        if head == _GZIP:
            stream = cast("BinaryIO", gzip.GzipFile(fileobj=cast("Any", _Rejoined(head, stream)), mode="rb"))
            head = b""
        yield from _blocks(_Source(stream, head), split, error)


def _opened(name: str) -> AbstractContextManager[BinaryIO]:
    if name != STANDARD_INPUT:
        return Path(name).open("rb")
    return nullcontext(sys.stdin.buffer)


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

    def __init__(self, stream: BinaryIO, head: bytes) -> None:
        self._stream = stream
        self._pending = head

    def piece(self) -> bytes:
        """Give the next bytes, none at the end."""
        pending, self._pending = self._pending, b""
        return pending or cast("bytes", cast("Any", self._stream).read1(_PIECE))

    def give_back(self, data: bytes) -> None:
        self._pending = data


def _blocks(source: _Source, split: Split, error: type[StatsigSegmentError]) -> Iterator[Block]:
    window = _Window(source)
    payloads = _documents(window, split, error)
    while block := list(islice(payloads, _PAYLOADS)):
        yield block
    source.give_back(window.rest())
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


class _BrokenError(Exception):
    """The text at hand is no JSON; holds the code of the error it will be."""


class _Window:
    """A stretch of the text of an input, that moves on; bytes that are no UTF-8 stand in it as lone surrogates."""

    def __init__(self, source: _Source) -> None:
        self._source = source
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._ended = False
        self._indent = 0
        """How deep the line at hand stands."""
        self._grow()
        self._text = self._text.removeprefix(_BOM)

    def _grow(self) -> bool:
        """Read on, at least as much as is held: so trying again each time stays linear in all."""
        if self._ended:
            return False
        held = [self._text[self._at :]]
        wanted = len(held[0])
        while wanted >= 0:
            piece = self._source.piece()
            held.append(self._utf8.decode(piece, final=not piece))
            wanted -= len(piece)
            if not piece:
                self._ended = True
                break
        self._text, self._at = "".join(held), 0
        return True

    def rest(self) -> bytes:
        """Give what is read and not yet taken."""
        return self._text[self._at :].encode("utf-8", "surrogateescape") + self._utf8.getstate()[0]

    def peek(self) -> str:
        """Pass over space, and give the next character, or nothing at the end."""
        while (at := cast("re.Match[str]", _match_space(self._text, self._at)).end()) == len(self._text):
            if not self._grow():
                self._at = at
                return ""
        line = self._text.rfind("\n", self._at, at)
        if line >= 0:
            self._indent = at - line - 1
        self._at = at
        return self._text[at]

    def take(self) -> None:
        """Pass over one character."""
        self._at += 1

    def begins_document(self) -> bool:
        """Tell whether a value begins here that does not end on its line."""
        first = self.peek()
        if not first or first not in "[{":
            return False
        while (end := self._text.find("\n", self._at)) < 0:
            if first == "[" and len(self._text) - self._at > _LONG:
                return True
            if not self._grow():
                end = len(self._text)
                break
        return _is_begun(self._text[self._at : end].rstrip())

    def value(self) -> Any:
        """Take the value that begins here; `_BrokenError` where there is none."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._may_be_cut(error) and self._grow()):
                    raise _BrokenError("invalid_json") from None
            except RecursionError:
                raise _BrokenError("invalid_json") from None
            except ValueError:  # the interpreter's limit on the digits of an integer
                raise _BrokenError("number_too_long") from None
            else:
                if end == len(self._text) and self._text[end - 1] not in '"]}' and self._grow():
                    continue  # a number may go on
                if _find_undecoded(self._text, self._at, end):
                    raise _BrokenError("invalid_json")
                self._at = end
                return value

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self._text) - _CUT_TOKEN or error.msg.startswith("Unterminated string")

    def pass_over(self) -> str:
        """Pass over what is broken, to the next line that begins or ends a value and stands no deeper; give its text."""
        find = re.compile(rf"\n[ \t]{{0,{self._indent}}}(?=[\[{{\]}}])").search
        kept = ""
        while not (found := find(self._text, self._at)):
            # What may belong to the next line's beginning is looked at again.
            line = self._text.rfind("\n", self._at)
            end = line if line >= 0 and len(self._text) - line <= self._indent + 1 else len(self._text)
            kept += self._text[self._at : end][: _KEPT - len(kept)]
            self._at = end
            if not self._grow():
                break
        else:
            kept += self._text[self._at : found.start()][: _KEPT - len(kept)]
            self._at = found.start()
        return kept.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").strip()

    def pass_over_closers(self) -> None:
        """Pass over what ends the values around a broken one."""
        self._at = cast("re.Match[str]", _match_closers(self._text, self._at)).end()


def _is_begun(line: str) -> bool:
    """Tell whether a line is JSON as far as it goes, and goes not far enough; no string runs over the end of a line."""
    try:
        _DECODER.raw_decode(line)
    except json.JSONDecodeError as error:
        return error.pos >= len(line)
    except (RecursionError, ValueError):
        return False
    return False


def _documents(window: _Window, split: Split, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the payloads of the documents that an input begins with."""
    while window.begins_document():
        if window.peek() == "[":
            yield from _elements(window, error)
            continue
        try:
            value = window.value()
        except _BrokenError as broken:
            yield Rejected(error=error(str(broken)), payload=window.pass_over())
            window.pass_over_closers()
            continue
        try:
            yield from split(value)
        except StatsigSegmentError as refused:
            yield Rejected(error=refused.with_traceback(None), payload=value)


def _elements(window: _Window, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the elements of an array one by one; once one is broken, nobody can say where commas belong."""
    window.take()
    before, whole = "[", True
    while mark := window.peek():
        if mark == "]" and (before != "," or not whole):
            window.take()
            return
        if mark == "," and (before == "value" or not whole):
            window.take()
            before = ","
            continue
        if mark == "}" and not whole:
            window.take()
            continue
        try:
            if before == "value" and whole:
                raise _BrokenError("invalid_json")
            value = window.value()
        except _BrokenError as broken:
            yield Rejected(error=error(str(broken)), payload=window.pass_over())
            whole = False
            continue
        before = "value"
        yield value
    if whole:  # cut off between two elements
        yield Rejected(error=error("invalid_json"), payload="")
