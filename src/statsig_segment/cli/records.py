"""Text of JSON as it comes -> payloads, each with the line where it begins (CL-1); opens nothing.

A window moves over the text. It reads what the quick decoder of whole lines cannot: values over many lines, values that
follow one another on a line, long arrays element by element, and whatever is broken.

A broken value costs itself and not its neighbors: the elements of an array, and the items of an envelope such as
`{"batch": […]}`, are then read one by one. Only the broken one itself is a reject, with its text. Where that text ends
nobody can know, for a quote or bracket that is missing changes what all that follows seems to be. The first of these
that is there is taken; each is something that rarely stands in the middle of a value:

1. the bracket that closes it, where brackets and quotes pair up on its line;
2. `},{` before an object with the first key of the first element: whoever prints an array prints its elements alike,
   and objects inside these begin otherwise. Outside an array, `}{`, which no value holds;
3. where it begins its line, the next line that begins or ends a value and is indented no deeper;
4. in an array, any `},{` on its line;
5. the end of the line; and where the value goes on over it, a line as in 3.

What none of these divides stays together, as one reject. All of this takes time in proportion to the text: what is
searched and not passed over is at most `_NEAR` characters for each broken value.
"""

import codecs
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias, cast

import attrs

from statsig_segment.errors import StatsigSegmentError
from statsig_segment.outcomes import Rejected

Placed: TypeAlias = tuple[int, Any]
"""The line where a payload begins, counted from 1, and the payload, or `Rejected` for text that is broken."""


@attrs.frozen(kw_only=True)
class Direction:
    """What inputs hold, and how they are read."""

    what: str
    """What people call it, such as `Segment calls`."""
    split: Callable[[Any], Iterable[Any]]
    """Takes a record, gives its payloads or raises one of our errors."""
    many: tuple[str, str]
    """The keys of objects that may hold many payloads (IN-8, OU-2); an object without them is a payload itself."""
    error: type[StatsigSegmentError]
    is_other: Callable[[Any], bool]
    """Tells whether a payload belongs to the other direction (CL-7)."""
    other: str
    """What to say of these."""
    outbound: bool = False


_LONG: Final = 1 << 20
"""A first line of more characters is not awaited whole: it is read value by value, and an array element by element."""
_NEAR: Final = 1 << 15
"""How far a closing bracket or a sibling is looked for: Segment takes no call of more bytes (OU-8)."""
_DEPTH: Final = 12
"""How many brackets may stand in one another for them to be paired up; calls rarely have half as many."""
_CUT_TOKEN: Final = 16
"""No token but a string or number is longer: an error so close to the end may only mean that the text goes on."""
_STEP: Final = 1 << 14
"""How many bytes are read at a time."""
_TAKEN_SHARE: Final = 16
"""Text that was taken is forgotten from this part of all on. Forgetting copies the rest, but keeping it costs as well:
an error of the decoder counts the lines from the start of the text."""

_DECODER: Final = json.JSONDecoder()

# Between values there may be record separators (RFC 7464), and byte order marks where files were joined.
_match_space: Final = re.compile(r"[ \t\r\n\x1e\ufeff]*").match
_match_closers: Final = re.compile(r"[ \t\r\n\x1e,\]}]*").match
_match_array: Final = re.compile(r"\[\s*+[\[{\]]").match
_match_first_key: Final = re.compile(r'\{\s*+"(?:[^"\\\n]|\\.)*+"\s*+:').match
_find_gap: Final = re.compile(r"\}[ \t\r]*+(?=[{\x1e])|[\x1e\n]").search
_find_gap_in_array: Final = re.compile(r"\}?+[ \t\r]*+,[ \t\r]*+(?=[{\[])|[\x1e\n]").search
_STRING: Final = r'"(?:[^"\\\n\x1e]|\\[^\n\x1e])*+"'
_match_scrap: Final = re.compile(rf"(?:{_STRING}|\[(?!\s*[\[{{\]])|[^{{\[\n\x1e\"]++|\")++").match
_match_scrap_in_array: Final = re.compile(rf'(?:{_STRING}|.)[^{{\[,\]\n\x1e"]*+', re.DOTALL).match
_find_undecoded: Final = re.compile("[\udc80-\udcff]").search


def _paired(depth: int) -> str:
    """Write the pattern of a value whose brackets pair up on its line, whatever stands between them."""
    inside = ""
    for _ in range(depth):
        inside = rf'(?:[^"{{}}\[\]\n\x1e]++|{_STRING}|[{{\[]{inside}[}}\]])*+'
    return rf"[{{\[]{inside}[}}\]]"


_match_paired: Final = re.compile(_paired(_DEPTH)).match


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
        self._indent = 0  # of the line at hand
        self._first = True  # on its line
        self._line = line  # of what stands at `_counted`
        self._counted = 0

    def _grow(self) -> bool:
        """Read on, at least as much as is held: so trying anew each time stays linear in all."""
        if self._ended:
            return False
        held = [self._text]
        wanted = len(self._text)
        while not self._ended and wanted >= 0:
            piece = self._unread or self._read()
            piece, self._unread = piece[:_STEP], piece[_STEP:]
            held.append(self._utf8.decode(piece, final=not piece))
            wanted -= len(piece)
            self._ended = not piece
        self._text = "".join(held)
        return True

    @property
    def line(self) -> int:
        """The number of the line at hand."""
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def rest(self) -> bytes:
        """Return what is read and not yet taken."""
        return self._text[self._at :].encode("utf-8", "surrogateescape") + self._utf8.getstate()[0] + self._unread

    def peek(self) -> str:
        """Pass over space, and return the next character, or nothing at the end."""
        while True:
            at = cast("re.Match[str]", _match_space(self._text, self._at)).end()
            line = self._text.rfind("\n", self._at, at)
            if line >= 0:
                self._indent, self._first = at - line - 1, True
            elif self._first:
                self._indent += at - self._at
            self._at = at
            if at > max(_STEP, len(self._text) // _TAKEN_SHARE):
                self._line = self.line
                self._text = self._text[at:]
                self._at = self._counted = 0
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._grow():
                return ""

    def take(self) -> None:
        """Pass over one character."""
        self._at += 1
        self._first = False

    def begins_document(self) -> bool:
        """Tell whether what begins here is more than a line of records: it does not end on its line, or it is long."""
        first = self.peek()
        if not first or first not in "[{":
            return False
        while (end := self._text.find("\n", self._at)) < 0:
            if len(self._text) - self._at > _LONG:
                return True
            if not self._grow():
                break
        return _is_begun(self._text[self._at : end if end >= 0 else None].rstrip())

    def value(self) -> Any:
        """Take the value that begins here; `BrokenError` where there is none."""
        value, end = self._decoded(self._at)
        if _find_undecoded(self._text, self._at, end):
            raise BrokenError("invalid_json")
        self._at, self._first = end, False
        return value

    def _decoded(self, at: int) -> tuple[Any, int]:
        """Decode the value that begins there, and say where it ends."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, at)
            except json.JSONDecodeError as error:
                may_go_on = error.pos >= len(self._text) - _CUT_TOKEN or error.msg.startswith("Unterminated string")
                if not (may_go_on and self._grow()):
                    raise BrokenError("invalid_json") from None
            except RecursionError:
                raise BrokenError("invalid_json") from None
            except ValueError:  # the interpreter's limit on the digits of an integer
                raise BrokenError("number_too_long") from None
            else:
                is_whole = self._text[end - 1] in '"]}' or end < len(self._text) - _CUT_TOKEN
                if is_whole or not self._grow():  # a number may have more digits
                    return value, end

    def first_key(self) -> str:
        """Return how the object that begins here begins: its text up to the value of its first key."""
        found = _match_first_key(self._text, self._at)
        return found[0] if found else ""

    def envelope_head(self, many: tuple[str, str]) -> dict[str, Any] | None:
        """Take a broken envelope up to its items, or nothing, and return `None`, if it is no envelope.

        Returns what the envelope says before its items, and last the key of these with nothing under it.
        """
        found = re.compile(rf'"({"|".join(many)})"\s*+:\s*+(?=\[)').search(self._text, self._at, self._at + _NEAR)
        if found is None:
            return None
        before = self._text[self._at : found.start()]
        try:  # closed right here, it is sound if the key is its own, and not of an object in it
            head: dict[str, Any] = _DECODER.decode(f'{before}"{found[1]}":null}}')
        except (ValueError, RecursionError):
            return None
        self._at, self._first = found.end(), False
        return head

    def envelope_tail(self) -> dict[str, Any]:
        """Take what an envelope says after its items; `BrokenError` where it is broken."""
        mark = self.peek()
        if mark == ",":  # from here on it is an object, but for its bracket
            self._text = f"{self._text[: self._at]}{{{self._text[self._at + 1 :]}"
            return cast("dict[str, Any]", self.value())
        if mark != "}":
            raise BrokenError("invalid_json")
        self._at += 1
        return {}

    # -- What is broken ------------------------------------------------------------------------------------------------

    def is_array(self) -> bool:
        """Tell whether an array of objects or arrays begins here, and not a word in brackets."""
        return bool(_match_array(self._text, self._at))

    def pass_over(self, *, in_array: bool = False, like: str = "") -> str:
        """Pass over a broken value that begins here, and return its text; `like` is how its siblings begin."""
        end = self._broken_end(in_array=in_array, like=like)
        text, self._at, self._first = self._text[self._at : end], end, False
        if not in_array:  # what ends the values around it belongs to nothing any more
            while (at := cast("re.Match[str]", _match_closers(self._text, self._at)).end()) == len(self._text):
                if not self._grow():
                    break
            self._at = at
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").strip()

    def _broken_end(self, *, in_array: bool, like: str) -> int:
        """Find where a broken value ends: see the top of this module."""
        near = self._at + _NEAR
        while (line_end := self._text.find("\n", self._at, near)) < 0 and len(self._text) < near and self._grow():
            pass
        if self._text[self._at] != "{" and not self.is_array():
            return self._scrap_end(_match_scrap_in_array if in_array else _match_scrap)
        paired = _match_paired(self._text, self._at, near)
        if paired and paired[0][0] + paired[0][-1] in {"{}", "[]"}:
            return paired.end()
        find = _find_gap_in_array if in_array else _find_gap
        at = self._at
        while (found := find(self._text, at, near)) and found[0] not in "\x1e\n":
            at = found.end()
            if self._text.startswith(like, at):
                return _gap_end(found)
        if not (self._first and line_end >= 0):
            while not (found := find(self._text, self._at)) and self._grow():
                pass
            if found is None or found[0] != "\n":
                return _gap_end(found) if found else len(self._text)
            line_end = found.start()
        return self._next_line(line_end)

    def _scrap_end(self, match: Callable[[str, int], re.Match[str] | None]) -> int:
        """Find the end of what stands where a value should begin."""
        while (end := cast("re.Match[str]", match(self._text, self._at)).end()) == len(self._text) and self._grow():
            pass
        return end

    def _next_line(self, at: int) -> int:
        """Find the next line that begins or ends a value and is indented no deeper."""
        find = re.compile(rf"\n[ \t]{{0,{self._indent}}}(?=[\[{{\]}},])").search
        while not (found := find(self._text, at)):
            at = max(at, self._text.rfind("\n"))
            if not self._grow():
                return len(self._text)
        return found.start()


def _gap_end(gap: re.Match[str]) -> int:
    return gap.start() + (gap[0][0] == "}")


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


def documents(window: Window, direction: Direction) -> Iterator[Placed]:
    """Yield the payloads of the documents that an input begins with, and `Rejected` for what is broken."""
    while window.begins_document():
        yield from _elements(window, direction) if window.peek() == "[" else _record(window, direction)


def line_payloads(line: bytes, direction: Direction) -> Iterator[Any]:
    """Yield the payloads of a line that is not one JSON value: values that follow one another, some of them broken."""
    pieces = iter((line,))
    window = Window(lambda: next(pieces, b""))
    while window.peek():
        for _, payload in _record(window, direction):
            yield payload


def _record(window: Window, direction: Direction) -> Iterator[Placed]:
    """Yield the payloads of the record that begins here, and `Rejected` for what is broken of it."""
    first, line = window.peek(), window.line
    try:
        if first not in "{[":  # a scrap, even if it can be read: no line begins so
            raise BrokenError("invalid_json")  # noqa: TRY301 - it is handled as what cannot be
        record = window.value()
    except BrokenError as broken:
        if window.is_array():
            yield from _elements(window, direction)
            return
        head = window.envelope_head(direction.many)
        if head is None:
            yield line, Rejected(error=direction.error(str(broken)), payload=window.pass_over())
            return
        record = _envelope(window, head, direction)
    try:
        for payload in direction.split(record):
            yield line, payload
    except StatsigSegmentError as refused:
        yield line, Rejected(error=refused.with_traceback(None), payload=record)


def _envelope(window: Window, head: dict[str, Any], direction: Direction) -> dict[str, Any]:
    """Read a broken envelope from its items on: `Rejected` stands among these for what is broken of it."""
    *_, key = head
    items = [payload for _, payload in _elements(window, direction)]
    try:
        return head | window.envelope_tail() | {key: items}
    except BrokenError as broken:
        text = "" if window.peek() in "{[" else window.pass_over()  # nothing at the end, or before the next record
        if text or not any(isinstance(item, Rejected) for item in items):
            items.append(Rejected(error=direction.error(str(broken)), payload=text))
        return head | {key: items}


def _elements(window: Window, direction: Direction) -> Iterator[Placed]:
    """Yield the elements of an array one by one; once one is broken, nobody can say where commas belong."""
    window.take()
    before, whole, like = "[", True, ""
    while mark := window.peek():
        if mark == "]" and not (whole and before == ","):
            window.take()
            return
        if (mark == "," and before == "value") or (mark in ",}" and not whole):
            window.take()
            before = mark
            continue
        line = window.line
        like = like or window.first_key()
        try:
            if whole and before == "value":
                raise BrokenError("invalid_json")  # noqa: TRY301 - there is a comma missing
            yield line, window.value()
            before = "value"
        except BrokenError as broken:
            text = window.pass_over(in_array=True, like=like)
            yield line, Rejected(error=direction.error(str(broken)), payload=text)
            before, whole = "[", False
    if whole:  # cut off between two elements
        yield window.line, Rejected(error=direction.error("invalid_json"), payload="")
