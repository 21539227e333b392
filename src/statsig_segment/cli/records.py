"""Read JSON text of any layout as payloads, each with the line where it begins (CL-1); opens no files.

A window moves over the text. It reads what the quick decoder of whole lines cannot: values over many lines, values that
follow one another on a line, long arrays element by element, and whatever is broken.

A broken value must not affect its neighbors, so the elements of an array, and the items of an envelope such as
`{"batch": […]}`, are then read one by one. Only the broken one is a reject, with its text. No one can know where that
text ends, because a missing quote or bracket changes the meaning of everything after it. So the value ends at the first
of these that is found, each of which is rare in the middle of a value:

1. the bracket that closes it, where brackets and quotes pair up on its line;
2. `},{` before an object with the first key of the first element: a program prints all elements of an array alike, and
   objects inside them begin with other keys. Outside an array, `}{`, which no value contains, or `{` with that key
   where no value can hold an object, because the value was cut off before its own bracket;
3. where it begins its line, the next line that begins or ends a value and is indented no deeper;
4. in an array, any `},{` on its line;
5. the end of the line; or, if the value continues after it, a line as in 3.

Text that none of these divides is one reject. The time is proportional to the length of the text: text that is searched
without being consumed is at most `_NEAR` characters for each broken value.
"""

import codecs
import io
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
    split: Callable[[dict[str, Any]], Iterable[Any]]
    """Takes an object; returns the payloads in it (IN-8, OU-2), or raises one of our errors."""
    many: tuple[str, str]
    """The keys of objects that may hold many payloads; an object without them is a payload itself."""
    error: type[StatsigSegmentError]
    is_other: Callable[[Any], bool]
    """Returns whether a payload belongs to the other direction (CL-7)."""
    other: str
    """How messages describe those payloads, and which command reads them."""
    outbound: bool = False

    def payloads(self, record: Any, text: bytes | None = None) -> Iterator[Any]:
        """Yield the payloads of a decoded record; if it can hold none, one `Rejected` with its text, or itself."""
        if record.__class__ is list:
            yield from record
            return
        try:
            if record.__class__ is not dict:
                raise self.error("not_an_object")
            yield from self.split(record)
        except StatsigSegmentError as refused:
            yield Rejected(error=refused.with_traceback(None), payload=record if text is None else text)


_LONG: Final = 1 << 20
"""The most characters of a first line that is read whole. A longer one is most likely a whole archive on one line, so
it is read value by value, and an array element by element, in constant memory."""
_NEAR: Final = 1 << 15
"""How far ahead a closing bracket or a sibling is searched for: Segment accepts no call of more bytes (OU-8)."""
_DEPTH: Final = 12
"""How deeply brackets may be nested to be paired up. Regular expressions cannot recurse, so the pattern is written out
to this depth; calls rarely have half of it."""
_CUT_TOKEN: Final = 16
"""The longest token other than a string or number, with room to spare. An error this close to the end may only mean
that the rest of a token has not been read yet."""
_STEP: Final = 1 << 14
"""The number of bytes that are read at a time."""
_TAKEN_SHARE: Final = 16
"""Consumed text is dropped once it is more than one part in this many. Dropping it copies the rest, so doing it for
each value would be quadratic; never doing it would be, too, because an error of the decoder counts all lines before
it."""

_DECODER: Final = json.JSONDecoder()

# Between values there may be record separators (RFC 7464), and byte order marks where files were concatenated. All
# repetition below is possessive (`*+`, `++`): a match never backtracks, so its time is linear whatever the text.
_match_space: Final = re.compile(r"[ \t\r\n\x1e\ufeff]*").match
_match_closers: Final = re.compile(r"[ \t\r\n\x1e,\]}]*").match
_match_array: Final = re.compile(r"\[\s*+[\[{\]]").match
_match_first_key: Final = re.compile(r'\{\s*+"(?:[^"\\\n]|\\.)*+"\s*+:').match
_find_gap: Final = re.compile(r"(?<=\})[ \t\r]*+(?=[{\x1e])|[\x1e\n]").search
_find_gap_or_begin: Final = re.compile(r"(?<=\})[ \t\r]*+(?=[{\x1e])|(?<![\s:,\[])[ \t\r]*+(?=\{)|[\x1e\n]").search
_find_gap_in_array: Final = re.compile(r"(?<![ \t\r])[ \t\r]*+,[ \t\r]*+(?=[{\[])|[\x1e\n]").search
_STRING: Final = r'"(?:[^"\\\n\x1e]|\\[^\n\x1e])*+"'
_match_scrap: Final = re.compile(rf"(?:{_STRING}|\[(?!\s*[\[{{\]])|[^{{\[\n\x1e\"]++|\")++").match
_match_scrap_in_array: Final = re.compile(rf'(?:{_STRING}|.)[^{{\[,\]\n\x1e"]*+', re.DOTALL).match
_find_undecoded: Final = re.compile("[\udc80-\udcff]").search


def _paired(depth: int) -> str:
    """Return the pattern of a value whose brackets pair up on its line, whatever is between them.

    After a missing quote, what is taken for a string is what stands between strings, and a letter follows it at once.
    """
    inside = ""
    for _ in range(depth):
        inside = rf'(?:[^"{{}}\[\]\n\x1e]++|{_STRING}(?!\w)|[{{\[]{inside}[}}\]])*+'
    return rf"[{{\[]{inside}[}}\]]"


_match_paired: Final = re.compile(_paired(_DEPTH)).match


class BrokenError(Exception):
    """Raised for text that is not a JSON value, with the code of the error to report."""


class Window:
    """A window on the text of an input, which moves forward.

    Bytes that are not UTF-8 are lone surrogates in it: so they spoil only the value that they are in, and a reject can
    show them.
    """

    def __init__(self, read: Callable[[int], bytes]) -> None:
        """Start at the beginning of a line; `read` returns the next bytes of the input, and none at its end."""
        self._read = read
        self._utf8 = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._at = 0
        self._ended = False
        self._indent = 0  # of the line at hand
        self._first = True  # on its line
        self._line = 1  # at the position `_counted`
        self._counted = 0

    def _grow(self) -> bool:
        """Read more text, and return whether there is any.

        The text at least doubles each time. So a caller may start over with all of it after each read, and still takes
        linear time overall.
        """
        if self._ended:
            return False
        held = [self._text]
        wanted = len(self._text)
        while not self._ended and wanted >= 0:
            piece = self._read(_STEP)
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
        """Return the bytes that are read and not yet consumed."""
        return self._text[self._at :].encode("utf-8", "surrogateescape") + self._utf8.getstate()[0]

    def peek(self) -> str:
        """Skip space, and return the next character; empty at the end."""
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

    def take(self, end: int | None = None) -> None:
        """Consume the text up to a position, or one character."""
        self._at = self._at + 1 if end is None else end
        self._first = False

    def begins_document(self) -> bool:
        """Return whether a document begins here: a value that continues on the next line, or a very long one."""
        if self.peek() not in {"[", "{"}:
            return False
        while (end := self._text.find("\n", self._at)) < 0 and len(self._text) - self._at <= _LONG and self._grow():
            pass
        if end < 0 and len(self._text) - self._at > _LONG:
            return True
        return _is_begun(self._text[self._at : end if end >= 0 else None].rstrip())

    def value(self) -> Any:
        """Consume and return the value that begins here; raise `BrokenError` if there is none."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                # An unterminated string is reported at its start, however far that is from the end.
                may_go_on = error.pos >= len(self._text) - _CUT_TOKEN or error.msg.startswith("Unterminated string")
                if may_go_on and self._grow():
                    continue
                raise BrokenError("invalid_json") from None
            except RecursionError:
                raise BrokenError("invalid_json") from None
            except ValueError:  # the interpreter's limit on the digits of an integer
                raise BrokenError("number_too_long") from None
            is_whole = self._text[end - 1] in '"]}' or end < len(self._text) - _CUT_TOKEN
            if is_whole or not self._grow():  # the rest of a number may not have been read yet
                break
        if _find_undecoded(self._text, self._at, end):
            raise BrokenError("invalid_json")
        self.take(end)
        return value

    def first_key(self) -> str:
        """Return the text of the object that begins here, up to the value of its first key."""
        found = _match_first_key(self._text, self._at)
        return found[0] if found else ""

    def envelope_head(self, many: tuple[str, str]) -> dict[str, Any] | None:
        """Consume a broken envelope up to its items, and return what it holds before them.

        The last key is that of the items, with null as its value. If this is not an envelope, return `None` and consume
        nothing.
        """
        found = re.compile(rf'"({"|".join(many)})"\s*+:\s*+(?=\[)').search(self._text, self._at, self._at + _NEAR)
        if found is None:
            return None
        before = self._text[self._at : found.start()]
        try:  # if closing it here makes it valid, the key is its own, and not that of an object inside it
            head: dict[str, Any] = _DECODER.decode(f'{before}"{found[1]}":null}}')
        except (ValueError, RecursionError):
            return None
        self.take(found.end())
        return head

    def envelope_tail(self) -> dict[str, Any]:
        """Consume and return what an envelope holds after its items; raise `BrokenError` if that is broken."""
        mark = self.peek()
        if mark == ",":  # with a bracket instead of the comma, the rest is an object
            self._text = f"{self._text[: self._at]}{{{self._text[self._at + 1 :]}"
            return cast("dict[str, Any]", self.value())
        if mark != "}":
            raise BrokenError("invalid_json")
        self.take()
        return {}

    # -- What is broken ------------------------------------------------------------------------------------------------

    def is_array(self) -> bool:
        """Return whether an array of objects or arrays begins here, as opposed to a word in brackets."""
        return bool(_match_array(self._text, self._at))

    def pass_over(self, *, in_array: bool = False, like: str = "") -> str:
        """Consume a broken value that begins here, and return its text; `like` is the beginning of its siblings."""
        end = self._broken_end(in_array=in_array, like=like)
        text = self._text[self._at : end]
        self.take(end)
        if not in_array:  # brackets that close what was around it match nothing now
            self._at = self._end_of(_match_closers)
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace").strip()

    def _end_of(self, match: Callable[[str, int], re.Match[str] | None]) -> int:
        """Return the end of what matches here, however much has to be read for it."""
        while (end := cast("re.Match[str]", match(self._text, self._at)).end()) == len(self._text) and self._grow():
            pass
        return end

    def _broken_end(self, *, in_array: bool, like: str) -> int:
        """Return the position at which a broken value ends, by the rules at the top of this module."""
        near = self._at + _NEAR
        while (line_end := self._text.find("\n", self._at, near)) < 0 and len(self._text) < near and self._grow():
            pass
        if self._text[self._at] != "{" and not self.is_array():
            return self._end_of(_match_scrap_in_array if in_array else _match_scrap)
        paired = _match_paired(self._text, self._at, near)
        # The pattern lets `{` pair with `]`; a text whose outer brackets differ has lost some inside.
        if paired and paired[0][0] + paired[0][-1] in {"{}", "[]"}:
            return paired.end()
        find = _find_gap_in_array if in_array else _find_gap
        find_sibling = _find_gap_or_begin if like and not in_array else find
        at = self._at
        while (found := find_sibling(self._text, at + 1, near)) and found[0] not in {"\x1e", "\n"}:
            at = found.end()
            if self._text.startswith(like, at) or (not in_array and self._text[found.start() - 1] == "}"):
                return found.start()
        # Indentation divides only a value that begins its line; for any other, a gap or a line end comes first.
        if not (self._first and line_end >= 0):
            while not (found := find(self._text, self._at + 1)) and self._grow():
                pass
            if found is None or found[0] != "\n":
                return found.start() if found else len(self._text)
            line_end = found.start()
        return self._next_line(line_end)

    def _next_line(self, at: int) -> int:
        """Return the position of the next line that begins or ends a value and is not indented more deeply."""
        find = re.compile(rf"\n[ \t]{{0,{self._indent}}}(?=[\[{{\]}},])").search
        while not (found := find(self._text, at)):
            at = max(at, self._text.rfind("\n"))
            if not self._grow():
                return len(self._text)
        return found.start()


def _is_begun(line: str) -> bool:
    """Return whether a line is valid JSON that breaks off at its end, outside of a string.

    A string cannot continue on the next line, so a line that ends inside one is broken, and not a document.
    """
    at = 0
    while at < len(line):
        try:
            _, at = _DECODER.raw_decode(line, at)
        except (RecursionError, ValueError) as error:
            return getattr(error, "pos", -1) >= len(line)
        at = cast("re.Match[str]", _match_space(line, at)).end()
    return False


def documents(window: Window, direction: Direction) -> Iterator[Placed]:
    """Yield the payloads of the documents at the beginning of an input, and `Rejected` for broken ones."""
    while window.begins_document():
        yield from _elements(window, direction) if window.peek() == "[" else _record(window, direction)


def line_payloads(line: bytes, direction: Direction) -> Iterator[Any]:
    """Yield the payloads of a line that is not a single JSON value: several values in a row, some of them broken."""
    window, like = Window(io.BytesIO(line).read), ""
    while window.peek():
        like = window.first_key() or like
        for _, payload in _record(window, direction, like):
            yield payload


def _record(window: Window, direction: Direction, like: str = "") -> Iterator[Placed]:
    """Yield the payloads of the record that begins here, and `Rejected` for its broken parts."""
    first, line = window.peek(), window.line
    try:
        if first not in "{[":  # a scrap, even if it is valid JSON: no record is a bare string or number
            raise BrokenError("invalid_json")  # noqa: TRY301 - it is handled as what cannot be
        record = window.value()
    except BrokenError as broken:
        if window.is_array():
            yield from _elements(window, direction)
            return
        head = window.envelope_head(direction.many)
        if head is None:
            yield line, Rejected(error=direction.error(str(broken)), payload=window.pass_over(like=like))
            return
        record = _envelope(window, head, direction)
    for payload in direction.payloads(record):
        yield line, payload


def _envelope(window: Window, head: dict[str, Any], direction: Direction) -> dict[str, Any]:
    """Return a broken envelope, read on from its items, with `Rejected` among them for its broken parts."""
    *_, key = head
    items, tail = [payload for _, payload in _elements(window, direction)], dict[str, Any]()
    try:
        tail = window.envelope_tail()
    except BrokenError as broken:
        # Nothing is broken off at the end of the input, and before the next record.
        text = "" if window.peek() in "{[" else window.pass_over()
        if text or not any(isinstance(item, Rejected) for item in items):
            items.append(Rejected(error=direction.error(str(broken)), payload=text))
    return head | tail | {key: items}


def _elements(window: Window, direction: Direction) -> Iterator[Placed]:
    """Yield the elements of an array one by one.

    After a broken element, commas are no longer checked: it may have consumed one, or left one behind.
    """
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
    if whole:  # the input was cut off between two elements
        yield window.line, Rejected(error=direction.error("invalid_json"), payload="")
