"""How JavaScript prints numbers and trees; no rule of translation.

Python trees come from callers, so every walk here is a loop with a stack of its own (TR-4).
"""

import re
from collections.abc import Iterator
from json.encoder import encode_basestring as _quote
from math import isfinite
from typing import Any, Final

from statsig_segment._values import ATOMS, FlatDict, FrozenDict, is_object, list_entries, plain
from statsig_segment.errors import TranslationError

_SHALLOW: Final = 16
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def json_text(root: object) -> tuple[str, bool]:
    """Write a tree as `JSON.stringify` does (US-7); also tell whether all its numbers were finite: others are null.

    Compact, key order kept, non-ASCII kept; a lone surrogate is escaped. A number too long for Python to print is a
    `TranslationError`, code `number_too_long`.

    >>> json_text({"a": [1.0, True, None], "é": float("nan")})
    ('{"a":[1,true,null],"é":null}', False)
    """
    try:
        return _well_formed(_shallow_text(root, _SHALLOW)), True
    except (TypeError, ValueError, RecursionError, TranslationError):
        return _any_text(root)


def _shallow_text(value: Any, room: int) -> str:
    """Write a shallow tree of exact types, as nearly all are, four times as fast; raise where it is another."""
    kind: type = type(value)
    if kind in ATOMS:
        text = atom_text(value)
        if text is None:
            raise ValueError
        return _quote(text) if kind is str else text
    if kind is dict or kind is FlatDict or kind is FrozenDict:
        if not room:
            raise RecursionError
        pairs = [
            f"{_quote(key)}:{_quote(item) if type(item) is str else _shallow_text(item, room - 1)}"
            for key, item in value.items()
        ]
        return f"{{{','.join(pairs)}}}"
    if kind is list or kind is tuple:
        if not room:
            raise RecursionError
        items = [_quote(item) if type(item) is str else _shallow_text(item, room - 1) for item in value]
        return f"[{','.join(items)}]"
    raise TypeError


def _any_text(root: object) -> tuple[str, bool]:
    """Write any tree, as deep and odd as it may be."""
    out: list[str] = []
    finite = True
    around: set[int] = set()
    frames: list[tuple[Iterator[tuple[Any, Any]], str, int]] = []
    entries: Iterator[tuple[Any, Any]] = iter(((None, root),))
    closer, mark, comma = "", 0, ""
    while True:
        for key, value in entries:
            if closer == "}":
                if not isinstance(key, str):
                    continue
                out.append(f"{comma}{_quote(key)}:")
            else:
                out.append(comma)
            comma = ","
            item = value if type(value) in ATOMS else plain(value)
            if type(item) in ATOMS:
                text = atom_text(item)
                finite &= text is not None
                out.append("null" if text is None else _quote(text) if type(item) is str else text)
            elif id(item) in around:
                out.append("null")
            else:
                frames.append((entries, closer, mark))
                entries, mark, comma = list_entries(item), id(item), ""
                around.add(mark)
                opener, closer = "{}" if is_object(item) else "[]"
                out.append(opener)
                break
        else:
            if not frames:
                return _well_formed("".join(out)), finite
            out.append(closer)
            around.discard(mark)
            (entries, closer, mark), comma = frames.pop(), ","


def _well_formed(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text


def quoted_size(text: str) -> int:
    """Count the characters of a text inside a JSON string, without the quotes.

    >>> quoted_size('a"b')
    4
    """
    return len(_well_formed(_quote(text))) - len('""')


def atom_text(value: Any) -> str | None:
    """Give the text of an atom: a string as it is, a number as JavaScript prints it, `None` where it is not finite.

    >>> [atom_text(x) for x in ("x", True, 1.0, 1e21, 1e-7, 12345678901234567890, float("inf"))]
    ['x', 'true', '1', '1e+21', '1e-7', '12345678901234567890', None]
    """
    kind: type = type(value)
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return integer_text(value)
    if kind is float:
        return float_text(value)
    return "null" if value is None else "true" if value else "false"


def integer_text(number: int) -> str:
    """Print an integer in full; where Python refuses (over 4,300 digits), so do we: `TranslationError`."""
    try:
        return f"{number}"
    except ValueError:
        raise TranslationError("number_too_long") from None


def float_text(number: float) -> str | None:
    """Print a float as ECMAScript's Number::toString does; Python has the same digits, but other exponents."""
    text = f"{number!r}"
    if text[-3] == ".":  # two decimals, as most prices have: the same in both languages
        return text
    if "e" not in text:
        if text[-2:] == ".0":
            return "0" if number == 0 else text[:-2]
        return text if isfinite(number) else None
    mantissa, _, exponent = text.partition("e")
    sign = "-" if number < 0 else ""
    digits = mantissa.lstrip("-").replace(".", "")
    point = int(exponent) + 1  # the value is 0.digits x 10^point
    if 0 < point <= 21:  # noqa: PLR2004 - the bounds of ECMA-262, Number::toString
        return f"{sign}{digits:0<{point}}"
    if -6 < point <= 0:  # noqa: PLR2004
        return f"{sign}0.{'0' * -point}{digits}"
    rest = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{rest}e{'+' if point > 0 else '-'}{abs(point - 1)}"
