"""JSON values: reading text, copying and freezing trees, JavaScript's text of them; no rule of translation.

Python trees come from callers, so every walk here is a loop with a stack of its own: depth costs memory, never a
`RecursionError` (TR-4). What JSON does not have (a `datetime`, a set, a container inside itself) reads as null; an
entry whose key is no string is left out.
"""

# Testing JSON for its exact type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import json
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from json.encoder import encode_basestring as _quote
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeGuard

from statsig_segment.errors import StatsigSegmentError, TranslationError

ATOMS: Final = frozenset({str, int, float, bool, type(None)})
"""The exact types of values that hold no others."""
STRINGS: Final = frozenset({str})
_SHALLOW: Final = 16
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class FrozenDict(dict[str, Any]):
    """An immutable dict, as the models hold: equal to a plain one, ready for any JSON encoder, hashable, picklable."""

    __slots__ = ()

    if not TYPE_CHECKING:  # pragma: no branch - to a type checker the models' fields are Mappings, which have none

        def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
            raise TypeError(f"{type(self).__name__} is immutable")

        __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

        def __hash__(self) -> int:
            return hash(frozenset(self.items()))

        def __copy__(self) -> "FrozenDict":
            return self

        def __deepcopy__(self, _memo: object) -> "FrozenDict":
            return self

        def __reduce__(self) -> tuple[Any, ...]:
            return (type(self), (dict(self),))


class FlatDict(FrozenDict):
    """A FrozenDict that is known to hold atoms alone: thawing it is one copy."""

    __slots__ = ()


EMPTY: Final = FlatDict()

_FROZEN: Final = frozenset({FrozenDict, FlatDict})
_OBJECTS: Final = _FROZEN | {dict}
_EXACT: Final = ATOMS | _OBJECTS | {list, tuple}


def is_object(value: object) -> TypeGuard[Mapping[str, Any]]:
    """Tell whether a value is an object of JSON: any mapping. Asking an ABC is slow, so exact types come first."""
    return type(value) in _OBJECTS or isinstance(value, Mapping)


def is_own_object(value: object) -> TypeGuard[dict[str, Any]]:
    """Tell whether a value of a tree of ours, read or thawed, is an object."""
    return type(value) is dict


def is_array(value: object) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    """Tell whether a value is an array of JSON: a list or tuple."""
    return isinstance(value, (list, tuple))


def plain(value: Any) -> Any:
    """Give a value as JSON has it: an exact `str`, `int`, `float`, `bool`, `None`, or a container as it is.

    A subclass (an `IntEnum`, a `str` with methods) becomes its plain value; what JSON does not have becomes `None`.
    """
    if type(value) in _EXACT or isinstance(value, (Mapping, list, tuple)):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    return float.__float__(value) if isinstance(value, float) else None


def freeze(value: object) -> Any:
    """Copy a tree into FrozenDicts and tuples, immutable all the way down."""
    try:
        return _frozen(value, _SHALLOW)
    except (TypeError, RecursionError):
        return _rebuild(value, FlatDict, FrozenDict, tuple)


def thaw(value: object) -> Any:
    """Copy a tree into fresh dicts and lists."""
    try:
        return _thawed(value, _SHALLOW)
    except (TypeError, RecursionError):
        return _rebuild(value, dict, dict, list)


# Nearly all trees are shallow and of exact types: these copy them fast. For any other, they raise.


def _frozen(value: Any, room: int) -> Any:
    kind: type = type(value)
    if kind in ATOMS or kind in _FROZEN:
        return value
    if kind is dict and STRINGS.issuperset(map(type, value)):
        if ATOMS.issuperset(map(type, value.values())):
            return FlatDict(value)
        if room:
            return FrozenDict(
                {key: item if type(item) in ATOMS else _frozen(item, room - 1) for key, item in value.items()}
            )
    elif (kind is list or kind is tuple) and room:
        return tuple([item if type(item) in ATOMS else _frozen(item, room - 1) for item in value])
    raise TypeError


def _thawed(value: Any, room: int) -> Any:
    kind: type = type(value)
    if kind is FlatDict:
        return value.copy()
    if kind in ATOMS:
        return value
    if room and (kind is FrozenDict or (kind is dict and STRINGS.issuperset(map(type, value)))):
        return {key: item if type(item) in ATOMS else _thawed(item, room - 1) for key, item in value.items()}
    if room and (kind is tuple or kind is list):
        return [item if type(item) in ATOMS else _thawed(item, room - 1) for item in value]
    raise TypeError


def _rebuild(
    root: object,
    make_flat: Callable[[Any], Any],
    make_object: Callable[[Any], Any],
    make_array: Callable[[Any], Any],
) -> Any:
    top: list[Any] = []
    around: set[int] = set()
    frames: list[tuple[Iterator[tuple[Any, Any]], Any, Any, int]] = [(iter(((None, root),)), top, None, 0)]
    while True:
        entries, built, key, mark = frames[-1]
        for name, value in entries:
            item = value if type(value) in ATOMS else plain(value)
            if type(item) not in ATOMS:
                if _is_flat(item):  # the usual case: one copy at C speed
                    item = make_flat(item) if isinstance(item, dict) else make_array(item)
                elif id(item) in around:
                    item = None
                else:
                    around.add(id(item))
                    frames.append((_entries(item), {} if is_object(item) else [], name, id(item)))
                    break
            _put(built, name, item)
        else:
            if built is top:
                return top[0]
            frames.pop()
            around.discard(mark)
            _put(frames[-1][1], key, make_object(built) if type(built) is dict else make_array(built))


def _is_flat(container: Any) -> bool:
    """Tell whether an exact dict, list or tuple holds nothing but atoms, under string keys."""
    kind: type = type(container)
    if kind in _OBJECTS:
        return ATOMS.issuperset(map(type, container.values())) and STRINGS.issuperset(map(type, container))
    return (kind is list or kind is tuple) and ATOMS.issuperset(map(type, container))


def _entries(container: Any) -> Iterator[tuple[Any, Any]]:
    """List a container as pairs: (key, value) of an object, (None, value) of an array."""
    return iter(container.items()) if is_object(container) else zip(repeat(None), container)


def _put(built: Any, key: object, value: object) -> None:
    if type(built) is list:
        built.append(value)
    elif isinstance(key, str):
        built[str.__str__(key)] = value


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
                entries, mark, comma = _entries(item), id(item), ""
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


def read_text(text: str | bytes, error: type[StatsigSegmentError]) -> Any:
    """Read JSON text; `error` with code `invalid_json` or `number_too_long` where Python cannot (IN-1).

    The bare tokens NaN, Infinity and -Infinity are read; of a repeated key the last wins; one byte order mark is
    passed over. Bytes are UTF-8.
    """
    try:
        if isinstance(text, bytes):
            text = text.decode()
        return json.loads(text.removeprefix("\ufeff"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise error("invalid_json") from None
    except ValueError:  # the interpreter's limit on the digits of an integer
        raise error("number_too_long") from None


def read_object(payload: Any, error: type[StatsigSegmentError]) -> Mapping[str, Any]:
    """Give the object that a payload is or, as JSON text, holds; else `error` with code `not_an_object`."""
    if type(payload) is dict:
        return payload
    value = read_text(payload, error) if isinstance(payload, (str, bytes)) else payload
    if is_object(value):
        return value
    raise error("not_an_object")
