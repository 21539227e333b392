"""Text of JSON as it comes -> payloads, each with the line where it begins (CL-1); opens nothing.

A window moves over the text. It reads what a line of its own cannot hold: values spread over many lines, values that
follow one another on a line, arrays element by element, and whatever is broken.

A broken value costs itself and not its neighbors. Where it ends is a guess, and the first of these that fits counts:

1. its own closing bracket, if brackets and quotes pair up on the line;
2. where it begins its line, the next line that begins or ends a value and is indented no deeper;
3. the next `}{` or `},{` on its line;
4. the end of the text.
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
Placed: TypeAlias = tuple[int, Any]
"""The line where a payload begins, counted from 1, and the payload, or `Rejected` for text that is broken."""

_LONG: Final = 1 << 20
"""A first line of more characters is not awaited whole: it is read value by value, and an array element by element."""
_KEPT: Final = 1 << 24
"""So many characters of a broken value are kept."""
_STRADDLE: Final = 64
"""So many characters may a gap between two values have, for it to be found where text is cut."""
_CUT_TOKEN: Final = 16
"""No token but a string or number is longer: so close to the end of the text, an error may be that of the cut."""
_STEP: Final = 1 << 14
"""So many bytes are read at a time."""
_DROPPED_SHARE: Final = 16
_CREDIT: Final = 1 << 20
_CREDIT_RATE: Final = 8
"""What looking for closing brackets may cost, at first and for each character passed over: so it stays linear."""

_DECODER: Final = json.JSONDecoder()
_CLOSERS: Final = {"{": "}", "[": "]"}

# Between values there may be record separators (RFC 7464), and byte order marks where files were joined.
_match_space: Final = re.compile(r"[ \t\r\n\x1e\ufeff]*").match
_match_blanks: Final = re.compile(r"[ \t\r\x1e\ufeff]*").match
_match_closers: Final = re.compile(r"[ \t\r\n\x1e,\]}]*").match
_STRING: Final = r'"(?:[^"\\\n\x1e]|\\[^\n\x1e])*+"'
_match_no_bracket: Final = re.compile(rf'[^"{{}}\[\]\n\x1e]*+(?:{_STRING}[^"{{}}\[\]\n\x1e]*+)*+').match
_match_stray: Final = re.compile(rf'(?:{_STRING}|\[(?!\s*[\[{{\]])|[^{{\[\n\x1e"]++|")++').match
_match_stray_element: Final = re.compile(rf'(?:{_STRING}|.)[^{{\[,\]\n\x1e"]*+', re.DOTALL).match
_find_gap: Final = re.compile(r"\}[ \t\r]*+,?[ \t\r]*+(?=[{\[\x1e])|[\x1e\n]").search
_find_line_end: Final = re.compile(r"[\x1e\n]").search
_find_undecoded: Final = re.compile("[\udc80-\udcff]").search


class BrokenError(Exception):
    """The text at hand is not a JSON value; holds the code of the error that it will be."""


class Window:
    """A stretch of the text of an input, which moves on; bytes that are not UTF-8 stand in it as lone surrogates."""

    def __init__(self, read: Callable[[], bytes], line: int = 1) -> None:
        """Begin at the start of a line of an input, whose next bytes `read` gives, none at the end."""
        self._read = read
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._unread = b""
        self._text = ""
        self._at = 0
        self._ended = False
        self._one_line_until = 0  # to here, no line ends
        self._indent = 0  # of the line at hand
        self._first = True  # on its line
        self._line = line  # of what stands at `_counted`
        self._counted = 0
        self._credit = _CREDIT
        while not self._text and self._grow():
            pass  # until there is a whole character

    def _grow(self) -> bool:
        """Read on, at least as much as is held: so trying anew each time stays linear in all."""
        if self._ended:
            return False
        self._drop_taken()
        held = [self._text]
        wanted = len(self._text)
        while not self._ended and wanted >= 0:
            piece = self._next_piece()
            held.append(self._utf8.decode(piece, final=not piece))
            wanted -= len(piece)
            self._ended = not piece
        self._text = "".join(held)
        return True

    def _next_piece(self) -> bytes:
        piece = self._unread or self._read()
        self._unread = piece[_STEP:]
        return piece[:_STEP]

    def _drop_taken(self) -> None:
        """Forget the text before the place at hand: an error of the decoder costs as much as there is of it."""
        self._count_lines()
        self._text = self._text[self._at :]
        self._one_line_until = max(0, self._one_line_until - self._at)
        self._at = self._counted = 0

    def _count_lines(self) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at

    @property
    def line(self) -> int:
        """The number of the line at hand."""
        self._count_lines()
        return self._line

    def rest(self) -> bytes:
        """Give what is read and not yet taken."""
        return self._text[self._at :].encode("utf-8", "surrogateescape") + self._utf8.getstate()[0] + self._unread

    def peek(self) -> str:
        """Pass over space, and give the next character, or nothing at the end."""
        while (at := self._space_end()) == len(self._text):
            if not self._grow():
                self._at = at
                return ""
        line = self._text.rfind("\n", self._at, at)
        if line >= 0:
            self._indent, self._first = at - line - 1, True
        self._at = at
        return self._text[at]

    def _space_end(self) -> int:
        return cast("re.Match[str]", _match_space(self._text, self._at)).end()

    def take(self) -> None:
        """Pass over one character."""
        self._at += 1
        self._first = False

    def begins_document(self) -> bool:
        """Tell whether what begins here is more than a line of records: it does not end on its line, or it is long."""
        first = self.peek()
        if not first or first not in "[{":
            return False
        end = self._line_end()
        if end < 0 and len(self._text) - self._at > _LONG:
            return True
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
        self._first = False
        return value

    # -- What is broken ------------------------------------------------------------------------------------------------

    def pass_over(self, *, in_array: bool = False) -> str:
        """Pass over a broken value that begins here, and give its text."""
        if self._at > max(_STEP, len(self._text) // _DROPPED_SHARE):
            self._drop_taken()
        kept = _Kept()
        if not self.begins_container():
            self._move(kept, self._stray_element if in_array else self._stray)
        elif (end := self._closing_bracket()) is not None:
            self._move(kept, lambda: (end, True))
        elif self._first and self._line_end() >= 0:
            self._move(kept, self._next_line)
        else:
            self._move(kept, self._gap)
            if self._text.startswith("\n", self._at):
                self._move(kept, self._next_line)
        self._first = False
        return kept.text()

    def _move(self, kept: "_Kept", find: Callable[[], tuple[int, bool]]) -> None:
        """Pass over text to where `find` says it ends, and read on while it says that it does not yet."""
        while True:
            end, found = find()
            kept.add(self._text[self._at : end])
            self._credit += _CREDIT_RATE * (end - self._at)
            self._at = end
            if found or not self._grow():
                return

    def begins_container(self) -> bool:
        """Tell whether an object begins here or an array of containers, and not a word in brackets."""
        if self._text[self._at] != "[":
            return self._text[self._at] == "{"
        while (at := cast("re.Match[str]", _match_space(self._text, self._at + 1)).end()) == len(self._text):
            if not self._grow():
                return False
        return self._text[at] in "[{]"

    def _closing_bracket(self) -> int | None:
        """Find the end of the value that begins here, if its brackets and quotes pair up on its line."""
        while True:
            end = self._matching_bracket()
            self._credit -= abs(end) - self._at
            if end > 0:
                return end
            if -end < len(self._text) or self._credit < 0 or not self._grow():
                return None

    def _matching_bracket(self) -> int:
        """Give the index behind the bracket that matches the one at hand, or minus the index where the search ended."""
        text, at = self._text, self._at
        last = min(len(text), at + self._credit)
        opened: list[str] = []
        while at < last:
            mark = text[at]
            if mark in _CLOSERS:
                opened.append(_CLOSERS[mark])
            elif mark == '"':  # of a string that does not end, at least not here
                return -at if _find_line_end(text, at) else -len(text)
            elif mark != opened.pop():
                break
            elif not opened:
                return at + 1
            at = cast("re.Match[str]", _match_no_bracket(text, at + 1)).end()
        return -at

    def _line_end(self) -> int:
        """Find the end of the line at hand, but of a very long one; -1 where there is none."""
        while True:
            end = self._text.find("\n", max(self._at, self._one_line_until))
            self._one_line_until = end if end >= 0 else len(self._text)
            if end >= 0 or len(self._text) - self._at > _LONG or not self._grow():
                return end

    def goes_on(self) -> bool:
        """Tell whether something else follows on the line at hand."""
        while (at := cast("re.Match[str]", _match_blanks(self._text, self._at)).end()) == len(self._text):
            if not self._grow():
                return False
        return self._text[at] != "\n"

    def _next_line(self) -> tuple[int, bool]:
        """Find the next line that begins or ends a value and is indented no deeper."""
        found = re.compile(rf"\n[ \t]{{0,{self._indent}}}(?=[\[{{\]}}])").search(self._text, self._at)
        return (found.start(), True) if found else (self._last_line(), False)

    def _last_line(self) -> int:
        """Tell where the last line begins, if more text may show that it begins a value; else the end."""
        line = self._text.rfind("\n", self._at)
        is_open = line >= 0 and not self._ended and len(self._text) - line <= self._indent + 1
        return line if is_open else len(self._text)

    def _gap(self) -> tuple[int, bool]:
        """Find the end of the value on its line, where the next one seems to begin, or the end of the line."""
        found = _find_gap(self._text, self._at)
        if found:
            return found.start() + (found[0][0] == "}"), True
        return (len(self._text) if self._ended else max(self._at, len(self._text) - _STRADDLE)), False

    def _stray(self) -> tuple[int, bool]:
        """Find the end of what stands where a value should begin."""
        return self._end_of(_match_stray)

    def _stray_element(self) -> tuple[int, bool]:
        """Find the end of what stands where an element should begin."""
        return self._end_of(_match_stray_element)

    def _end_of(self, match: Callable[[str, int], re.Match[str] | None]) -> tuple[int, bool]:
        self._line_end()  # is read, so that a quote that seems to be alone is
        while (end := cast("re.Match[str]", match(self._text, self._at)).end()) == len(self._text) and self._grow():
            pass
        return end, True

    def pass_over_closers(self) -> None:
        """Pass over what ends the values around a broken one."""
        while True:
            self._at = cast("re.Match[str]", _match_closers(self._text, self._at)).end()
            if self._at < len(self._text) or not self._grow():
                return


class _Kept:
    """The text of a broken value, as much of it as is kept."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = _KEPT
        self._lost = 0

    def add(self, text: str) -> None:
        self._parts.append(text[: self._room])
        self._lost += max(0, len(text) - self._room)
        self._room -= len(self._parts[-1])

    def text(self) -> str:
        """Give the text, and say at its end how much is missing."""
        text = "".join(self._parts).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").strip()
        return f"{text}… and {self._lost:,} more characters" if self._lost else text


def _is_begun(line: str) -> bool:
    """Tell whether a line is JSON as far as it goes, and goes not far enough; no string runs over the end of a line."""
    at = 0
    while at < len(line):
        try:
            _, at = _DECODER.raw_decode(line, at)
        except json.JSONDecodeError as error:
            return error.pos >= len(line)
        except (RecursionError, ValueError):
            return False
        at = cast("re.Match[str]", _match_space(line, at)).end()
    return False


def documents(window: Window, split: Split, error: type[StatsigSegmentError]) -> Iterator[Placed]:
    """Give the payloads of the documents that an input begins with, and `Rejected` for what is broken."""
    while window.begins_document():
        yield from _elements(window, error) if window.peek() == "[" else _record(window, split, error)
        while window.goes_on():
            yield from _record(window, split, error)


def line_payloads(line: bytes, split: Split, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the payloads of a line that is not one JSON value: values that follow one another, some of them broken."""
    pieces = iter((line,))
    window = Window(lambda: next(pieces, b""))
    while window.peek():
        for _, payload in _record(window, split, error):
            yield payload


def _record(window: Window, split: Split, error: type[StatsigSegmentError]) -> Iterator[Placed]:
    """Give the payloads of the value that begins here, and `Rejected` for what is broken of it."""
    first = window.peek()
    if first == "[" and window.begins_container():
        yield from _elements(window, error)
        return
    line = window.line
    try:
        value = window.value(may_begin=first == "{")
    except BrokenError as broken:
        yield line, Rejected(error=error(str(broken)), payload=window.pass_over())
        window.pass_over_closers()
    else:
        for payload in _payloads(value, split):
            yield line, payload


def _payloads(record: Any, split: Split) -> Iterator[Any]:
    """Give the payloads of a record, or `Rejected` with the record as it is."""
    try:
        yield from split(record)
    except StatsigSegmentError as refused:
        yield Rejected(error=refused.with_traceback(None), payload=record)


def _elements(window: Window, error: type[StatsigSegmentError]) -> Iterator[Placed]:
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
        line = window.line
        try:
            yield line, window.value(may_begin=not (whole and before == "value"))
            before = "value"
        except BrokenError as broken:
            yield line, Rejected(error=error(str(broken)), payload=window.pass_over(in_array=True))
            before, whole = "[", False
    if whole:  # cut off between two elements
        yield window.line, Rejected(error=error("invalid_json"), payload="")
