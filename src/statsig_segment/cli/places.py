"""Where the keys of a configuration stand in its text, TOML or JSON, which are read alike here; checks nothing.

The text is known to be sound: whoever asks has had it read already, and wants to know where a path of it stands.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final, TypeAlias

import attrs

Path: TypeAlias = tuple[str | int, ...]

_find_tokens: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|\n|[\[\]{}=:,.]|[^\s\[\]{}=:,."\'#]+',
    re.DOTALL,
).finditer
_find_steps: Final = re.compile(r'\.([^.\[]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]').finditer
_END: Final = ""


@attrs.frozen(kw_only=True)
class Place:
    """A stretch of one line."""

    line: int
    """Counted from 1."""
    column: int
    """Counted from 0."""
    length: int = 1


def place_of(text: str, path: str) -> Place | None:
    """Give the place of a path such as `$.inbound.id_mappings[0].field`, or of what it stands in; `None` if unknown."""
    steps: Path = tuple(name or (int(index) if index else json.loads(quoted)) for name, index, quoted in _groups(path))
    with suppress(Exception):
        places = _Reader(text).places()
        for length in range(len(steps), 0, -1):
            if steps[:length] in places:
                return places[steps[:length]]
    return None


def _groups(path: str) -> Iterator[tuple[Any, ...]]:
    return (found.groups() for found in _find_steps(path))


class _Reader:
    """Reads the text token by token, and notes where each key and each item begins."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [found for found in _find_tokens(text) if not found[0].startswith("#")]
        self._at = 0
        self._places: dict[Path, Place] = {}
        self._items: Counter[Path] = Counter()

    def places(self) -> dict[Path, Place]:
        """Read everything."""
        self._skip("\n")
        if self._peek() == "{":
            self._value(())
        else:
            self._toml()
        return self._places

    def _peek(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else _END

    def _take(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _skip(self, marks: str) -> None:
        while self._peek() != _END and self._peek() in marks:
            self._at += 1

    def _note(self, path: Path) -> None:
        start, end = self._tokens[self._at].span()
        line = self._text.count("\n", 0, start) + 1
        column = start - self._text.rfind("\n", 0, start) - 1
        self._places[path] = Place(line=line, column=column, length=max(1, end - start))

    def _toml(self) -> None:
        table: Path = ()
        while self._peek() != _END:
            if self._peek() == "[":
                table = self._header()
            else:
                self._entry(table)
            self._skip("\n")

    def _header(self) -> Path:
        self._take()
        is_item = self._peek() == "["
        if is_item:
            self._take()
        path = self._key((), "]", of_table=True)
        if is_item:
            self._take()
            path = (*path, self._items[path])
            self._items[path[:-1]] += 1
        return path

    def _key(self, path: Path, ends: str, *, of_table: bool = False) -> Path:
        """Read a key, dotted or not, and what ends it; a step through an array of tables means its last one."""
        while self._peek() not in {*ends, _END}:
            if self._peek() == ".":
                self._take()
                if of_table and self._items[path]:
                    path = (*path, self._items[path] - 1)
                continue
            path = (*path, _name(self._peek()))
            self._note(path)
            self._take()
        self._take()
        return path

    def _entry(self, table: Path) -> None:
        self._value(self._key(table, "=:"))

    def _value(self, path: Path) -> None:
        self._skip("\n")
        if self._peek() == "{":
            self._take()
            while self._more("}"):
                self._entry(path)
        elif self._peek() == "[":
            self._take()
            index = 0
            while self._more("]"):
                self._note((*path, index))
                self._value((*path, index))
                index += 1
        else:
            while self._peek() not in {",", "}", "]", "\n", _END}:
                self._take()

    def _more(self, end: str) -> bool:
        self._skip(",\n")
        if self._peek() not in {end, _END}:
            return True
        self._take()
        return False


def _name(token: str) -> str:
    if token.startswith('"'):
        return str(json.loads(token))
    return token.strip("'")
