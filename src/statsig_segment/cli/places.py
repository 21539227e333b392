"""Where the keys of a configuration are in its text, TOML or JSON; tomllib and json keep no positions.

It makes one pass over the tokens, the same for both languages. The text has been parsed before, so nothing is checked.
"""

import json
import re
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from itertools import chain, takewhile
from typing import Final, TypeAlias

import attrs

Path: TypeAlias = tuple[str | int, ...]
_Tokens: TypeAlias = Iterator[re.Match[str]]
_Places: TypeAlias = Iterator[tuple[Path, re.Match[str]]]

_find_tokens: Final = re.compile(
    r'"""(?:[^\\]|\\.)*?"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*'
    r'|\n|[\[\]{}=:,.]|[^\s\[\]{}=:,."\'#]+',
    re.DOTALL,
).finditer
_find_steps: Final = re.compile(r'\.([^.\[]+)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]').findall


@attrs.frozen(kw_only=True)
class Stretch:
    """A stretch of one line."""

    line: int
    """Counted from 1."""
    column: int
    """Counted from 0."""
    length: int = 1


def place_of(text: str, path: str) -> Stretch | None:
    """Return the place of a path such as `$.inbound.id_mappings[0].field`, or of what holds it; `None` if unknown."""
    wanted: Path = tuple(
        name or (int(index) if index else json.loads(quoted)) for name, index, quoted in _find_steps(path)
    )
    tokens: dict[Path, re.Match[str]] = {}
    with suppress(RecursionError, ValueError):  # too deep, or an escape that only TOML knows
        tokens = {found: token for found, token in _places(text) if found and found == wanted[: len(found)]}
    if not tokens:
        return None
    start, end = tokens[max(tokens, key=len)].span()
    line_start = text.rfind("\n", 0, start) + 1
    return Stretch(line=text.count("\n", 0, start) + 1, column=start - line_start, length=max(1, end - start))


def _places(text: str) -> _Places:
    """Yield the path of each key and of each item of a list, with the token at which it begins."""
    tokens = (token for token in _find_tokens(text) if not token[0].startswith("#"))
    table: Path = ()
    rows: Counter[Path] = Counter()
    for token in tokens:
        if token[0] == "[":
            table = yield from _header(tokens, rows)
        elif token[0] == "{":
            yield from _entries(tokens, (), "}")
        else:
            yield from _entries(chain((token,), tokens), table, "\n")


def _header(tokens: _Tokens, rows: Counter[Path]) -> Generator[tuple[Path, re.Match[str]], None, Path]:
    """Read [the.header] of a table; a step through [[rows]] means the last row there is."""
    path: Path = ()
    is_row = False
    for token in takewhile(lambda token: token[0] != "\n", tokens):
        if token[0] == "[":
            is_row = True
        elif token[0] not in "].":
            if rows[path]:
                path = (*path, rows[path] - 1)
            path = (*path, _name(token[0]))
            yield path, token
    if is_row:
        rows[path] += 1
        path = (*path, rows[path] - 1)
    return path


def _entries(tokens: _Tokens, table: Path, end: str) -> _Places:
    path: Path | None = table  # of the key that is being read; `None` behind a value
    for token in takewhile(lambda token: token[0] != end, tokens):
        mark = token[0]
        if mark == ",":
            path = table
        elif path is None or mark in ".\n":
            continue
        elif mark in "=:":
            first = next((token for token in tokens if token[0] != "\n"), token)
            yield from _inside(first, tokens, path)
            path = None
        else:
            path = (*path, _name(mark))
            yield path, token


def _inside(first: re.Match[str], tokens: _Tokens, path: Path) -> _Places:
    """Yield what a value holds, which begins with this token."""
    if first[0] == "{":
        yield from _entries(tokens, path, "}")
    elif first[0] == "[":
        index, is_new = 0, True
        for token in takewhile(lambda token: token[0] != "]", tokens):
            if token[0] == ",":
                index, is_new = index + 1, True
            elif is_new and token[0] != "\n":
                is_new = False
                yield (*path, index), token
                yield from _inside(token, tokens, (*path, index))


def _name(token: str) -> str:
    return str(json.loads(token)) if token.startswith('"') else token.strip("'")
