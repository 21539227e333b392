"""JSON values that are spread over many lines, read from text as it comes; opens nothing and translates nothing.

A window moves over the text. An array is read element by element, any other value whole. What is broken is passed over
as far as the next line that begins or ends a value and stands no deeper than the line where it began.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias, cast

from statsig_segment.errors import StatsigSegmentError
from statsig_segment.outcomes import Rejected

Split: TypeAlias = Callable[[Any], Iterable[Any]]
"""Takes a record, gives its payloads or raises one of our errors."""

_LONG: Final = 1 << 20
"""From this length on the end of a line is not awaited: an array is read element by element."""
_KEPT: Final = 1 << 16
"""So much text is kept of what is passed over."""
_BOM: Final = "\ufeff"
_DECODER: Final = json.JSONDecoder()
_CUT_TOKEN: Final = 16
"""No token but a string or number is longer: so close to the end of the text, an error may be that of the cut."""
_match_space: Final = re.compile(r"[ \t\r\n]*").match
_match_closers: Final = re.compile(r"[ \t\r\n,\]}]*").match
_find_undecoded: Final = re.compile("[\udc80-\udcff]").search


class BrokenError(Exception):
    """The text at hand is no JSON value; holds the code of the error that it will be."""


class Window:
    """A stretch of the text of an input, which moves on; bytes that are no UTF-8 stand in it as lone surrogates."""

    def __init__(self, read: Callable[[], bytes]) -> None:
        """Begin at the start of an input, whose next bytes `read` gives, none at the end."""
        self._read = read
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._ended = False
        self._indent = 0  # of the line at hand
        while not self._text and self._grow():
            pass  # until there is a whole character
        self._text = self._text.removeprefix(_BOM)

    def _grow(self) -> bool:
        """Read on, at least as much as is held: so trying anew each time stays linear in all."""
        if self._ended:
            return False
        held = [self._text[self._at :]]
        wanted = len(held[0])
        while not self._ended and wanted >= 0:
            piece = self._read()
            held.append(self._utf8.decode(piece, final=not piece))
            wanted -= len(piece)
            self._ended = not piece
        self._text, self._at = "".join(held), 0
        return True

    def rest(self) -> bytes:
        """Give what is read and not yet taken."""
        return self._text[self._at :].encode("utf-8", "surrogateescape") + self._utf8.getstate()[0]

    def peek(self) -> str:
        """Pass over space, and give the next character, or nothing at the end."""
        while (at := self._space_end()) == len(self._text):
            if not self._grow():
                self._at = at
                return ""
        line = self._text.rfind("\n", self._at, at)
        if line >= 0:
            self._indent = at - line - 1
        self._at = at
        return self._text[at]

    def _space_end(self) -> int:
        return cast("re.Match[str]", _match_space(self._text, self._at)).end()

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
                break
        return _is_begun(self._text[self._at : end if end >= 0 else None].rstrip())

    def value(self, *, may_begin: bool = True) -> Any:
        """Take the value that begins here; `BrokenError` where there is none, or none may begin."""
        if not may_begin:
            raise BrokenError("invalid_json")
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not (self._may_be_cut(error) and self._grow()):
                    raise BrokenError("invalid_json") from None
            except RecursionError:
                raise BrokenError("invalid_json") from None
            except ValueError:  # the interpreter's limit on the digits of an integer
                raise BrokenError("number_too_long") from None
            else:
                if self._text[end - 1] in '"]}' or end < len(self._text) - _CUT_TOKEN or not self._grow():
                    return self._taken(value, end)

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.pos >= len(self._text) - _CUT_TOKEN or error.msg.startswith("Unterminated string")

    def _taken(self, value: Any, end: int) -> Any:
        if _find_undecoded(self._text, self._at, end):
            raise BrokenError("invalid_json")
        self._at = end
        return value

    def pass_over(self) -> str:
        """Pass over what is broken, to the next line that begins or ends a value no deeper; give its text."""
        find = re.compile(rf"\n[ \t]{{0,{self._indent}}}(?=[\[{{\]}}])").search
        kept = ""
        while True:
            found = find(self._text, self._at)
            end = found.start() if found else self._last_line()
            kept += self._text[self._at : end][: _KEPT - len(kept)]
            self._at = end
            if found or not self._grow():
                return kept.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").strip()

    def _last_line(self) -> int:
        """Tell where the last line begins, if more text may show that it begins a value; else the end."""
        line = self._text.rfind("\n", self._at)
        is_open = line >= 0 and not self._ended and len(self._text) - line <= self._indent + 1
        return line if is_open else len(self._text)

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


def documents(window: Window, split: Split, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the payloads of the documents that an input begins with, and `Rejected` for what is broken."""
    while window.begins_document():
        if window.peek() == "[":
            yield from _elements(window, error)
            continue
        try:
            value = window.value()
        except BrokenError as broken:
            yield Rejected(error=error(str(broken)), payload=window.pass_over())
            window.pass_over_closers()
            continue
        yield from payloads_of(value, split)


def payloads_of(record: Any, split: Split) -> Iterable[Any]:
    """Give the payloads of a record, or `Rejected` with the record as it is."""
    try:
        return split(record)
    except StatsigSegmentError as refused:
        return (Rejected(error=refused.with_traceback(None), payload=record),)


def _elements(window: Window, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the elements of an array one by one; once one is broken, nobody can say where commas belong."""
    window.take()
    before, whole = "[", True
    while mark := window.peek():
        if mark == "]" and not (whole and before == ","):
            window.take()
            return
        if (mark == "," and before == "value") or (mark in ",}" and not whole):
            window.take()
            before = mark
            continue
        try:
            yield window.value(may_begin=not (whole and before == "value"))
            before = "value"
        except BrokenError as broken:
            yield Rejected(error=error(str(broken)), payload=window.pass_over())
            before, whole = "[", False
    if whole:  # cut off between two elements
        yield Rejected(error=error("invalid_json"), payload="")
