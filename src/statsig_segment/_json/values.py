"""JSON values in Python: read once into frozen trees of exact types, and copied back out (IN-10, TR-5).

Whatever a caller hands over passes through `freeze` or `read_tree` first. From there on a value is an exact `str`,
`int`, `float`, `bool` or `None`, a `FrozenDict` with exact `str` keys, or a `tuple`, and lies at most 100 levels deep.
So every later walk may be a plain recursion, and no foreign object is ever compared, hashed or shown.

A tree is read by a plain recursion that keeps no places. Only where that meets something odd (a type that JSON does
not have, too great a depth) is the tree read again, by the careful recursion, which knows all of Python's types and
says what it had to leave out.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import compress
from numbers import Integral, Real
from operator import not_
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast
from uuid import UUID

from statsig_segment._json.javascript import json_text
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.rulebook import CODES

if TYPE_CHECKING:
    from typing_extensions import TypeIs

DEPTH: Final = 100
"""The most objects and arrays around a value; what lies deeper reads as null (TR-5)."""

JsonValue: TypeAlias = dict[str, Any] | list[Any] | str | float | bool | None
"""What a JSON reader returns. A parameter of this type still has to be checked, but its checks narrow it well."""


class FrozenDict(dict[str, Any]):
    """An immutable dict, as the models hold: equal to a plain one, ready for any JSON encoder, hashable, picklable.

    `dict.__setitem__` can still write into one, as into any dict. So no two models share one as a default.
    """

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


EMPTY: Final = FrozenDict()
"""For a look-up that finds nothing. No model holds it: whatever one model holds, no other may."""

Lost: TypeAlias = str | FrozenDict | None
"""What could not be read of a value: the code of the reason (`not_json`, `too_deep`) where it is the value itself;
what could not be read of its parts, by key or index, where it is something inside; `None` if all was read."""

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_STRINGS: Final = frozenset({str})
_put: Final[Callable[[FrozenDict, str, Any], None]] = cast("Any", dict).__setitem__
"""Writes into a frozen object while it is being made, and never afterwards."""
_NOT_JSON: Final = "not_json"
"""A value with this code is left out of an object; in an array it is null, as too deep a value is everywhere."""


def is_object(value: object) -> "TypeIs[FrozenDict]":
    """Return whether a value of a frozen tree is an object."""
    return type(value) is FrozenDict


def as_object(value: object) -> Mapping[str, Any] | None:
    """Return an object to read and not to keep: a dict itself, any other object frozen; `None` for anything else."""
    read = cast("Any", value) if type(value) is dict else freeze(value)
    return cast("Mapping[str, Any]", read) if isinstance(read, dict) else None


def is_array(value: object) -> "TypeIs[tuple[Any, ...]]":
    """Return whether a value of a frozen tree is an array."""
    return type(value) is tuple


kind_of: Final[Callable[[object], object]] = type
"""The type of a value; a type checker takes `type(value) is dict` itself for a dict of unknown keys and values."""


def filled_text(value: object) -> str | None:
    """Return a value of a frozen tree if it is a non-empty string, else `None`."""
    return value if type(value) is str and value else None


def freeze(value: object) -> Any:
    """Return a frozen copy of any value, without what JSON does not have."""
    return read_tree(value)[0]


def read_tree(value: object) -> tuple[Any, Lost]:
    """Return a frozen copy of any value, and what could not be read."""
    if type(value) is FrozenDict or type(value) in _SCALARS:
        return value, None
    try:
        return _frozen(value, DEPTH), None
    except _OddError:
        return _read(value, ())


class _OddError(Exception):
    """Raised by the plain recursion for something that only the careful one can read."""


def _frozen(value: Any, room: int) -> Any:
    """Return an object or array of exact JSON types, frozen; it may be `room` levels deep."""
    kind: type[object] = type(value)  # pyright: ignore[reportUnknownVariableType] - the type of Any; a cast costs time
    # This also ends a value inside itself, which only the careful recursion recognizes.
    if not room:
        raise _OddError
    if kind is list or kind is tuple:
        if _SCALARS.issuperset(map(type, value)):
            return tuple(value)
        return tuple([item if type(item) in _SCALARS else _frozen(item, room - 1) for item in value])
    # A key of a subclass of `str` may run code of the caller's when it is compared, and JSON has no other keys.
    if (kind is not dict and kind is not FrozenDict) or not _STRINGS.issuperset(map(type, value)):
        raise _OddError
    frozen = FrozenDict(value)
    # The copy holds the scalars already, so most objects are done, and the loop visits only what is left.
    if not _SCALARS.issuperset(map(type, value.values())):
        for key in compress(value, map(not_, map(_SCALARS.__contains__, map(type, value.values())))):
            _put(frozen, key, _frozen(value[key], room - 1))
    return frozen


def _read(value: Any, around: tuple[int, ...]) -> tuple[Any, Lost]:
    """Return any value, frozen, and what was lost; `around` holds the identities of the containers around it."""
    kind: type[object] = type(value)  # pyright: ignore[reportUnknownVariableType] - as above
    if value is None or (kind in _SCALARS and len(around) <= DEPTH):
        return value, None
    # A value inside itself has no end, so it counts as too deep without walking it down to the limit.
    if len(around) > DEPTH or id(value) in around:
        return None, "too_deep"
    try:
        return _read_other(value, kind, (*around, id(value)))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - whatever a caller's object raises, it is a value that cannot be read
        return None, _NOT_JSON


def _read_other(value: Any, kind: type, inside: tuple[int, ...]) -> tuple[Any, Lost]:
    """Return a container, or a value of a type that JSON does not have, as the table of IN-10 reads it."""
    # `issubclass` on the type, because `isinstance` asks the value, which may run code of the caller's.
    if issubclass(kind, Enum):
        return _read(value.value, inside)
    if issubclass(kind, Mapping):
        return _read_object(value, inside)
    if issubclass(kind, list | tuple):
        return _read_array(value, inside)
    if issubclass(kind, AbstractSet):
        # Sets have no order, and a translation must not depend on the hash seed.
        items, lost = _read_array(value, inside)
        return tuple(sorted(items, key=lambda item: json_text(item)[0])), lost
    for base, convert in _CONVERSIONS:
        if issubclass(kind, base):
            return convert(value), None
    return None, _NOT_JSON


def _read_object(value: Mapping[Any, Any], inside: tuple[int, ...]) -> tuple[FrozenDict, Lost]:
    found: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    entries: tuple[Any, ...] = tuple(value.items())
    # With exact strings as keys; if keys become equal, the last wins.
    for key, item in {str.__str__(key): item for key, item in entries if issubclass(type(key), str)}.items():
        found[key], loss = _read(item, inside)
        if loss is not None:
            lost[key] = loss
        if loss == _NOT_JSON:
            del found[key]
    return FrozenDict(found), FrozenDict(lost) or None


def _read_array(value: Iterable[Any], inside: tuple[int, ...]) -> tuple[tuple[Any, ...], Lost]:
    found: list[Any] = []
    lost: dict[Any, Any] = {}
    codes: set[str] = set()
    for index, item in enumerate(tuple(value)):
        read, loss = _read(item, inside)
        found.append(read)
        # Issues name a property and not an item, so for each code the first loss is enough, however long the array.
        if loss is not None and not (isinstance(loss, str) and loss in codes):
            lost[index] = loss
            codes.update({loss} if isinstance(loss, str) else ())
    return tuple(found), FrozenDict(lost) or None


def codes_of(lost: Lost) -> Iterable[str]:
    """Return the code of each reason for which part of a value could not be read, once."""
    if isinstance(lost, str) or lost is None:
        return () if lost is None else (lost,)
    return dict.fromkeys(code for inside in lost.values() for code in codes_of(inside))


def _moment_text(moment: datetime) -> str:
    """Return a moment as ISO text, in UTC if its offset has seconds, which ISO 8601 does not allow."""
    offset = moment.utcoffset()
    odd = offset is not None and (offset.seconds % 60 or offset.microseconds)
    return str.__str__((moment.astimezone(UTC) if odd else moment).isoformat())


def _decimal_number(number: Decimal) -> int | float:
    """Return a decimal as the number that JSON would have; a fraction or a huge number as the nearest float."""
    is_whole = number.is_finite() and number.adjusted() < _MOST_DIGITS and number == number.to_integral_value()
    return int(number) if is_whole else float(number)


_MOST_DIGITS: Final = 4_300
"""The most digits of an integer that Python prints by default, since 3.11."""
_CONVERSIONS: Final = (
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (datetime, _moment_text),
    (date, date.isoformat),
    (UUID, UUID.__str__),
    (Decimal, _decimal_number),
    (Integral, int),
    (Real, float),
)
"""Type -> function that reads its values; the first type that fits counts, so subclasses come first (IN-10)."""


def thaw(value: Mapping[str, Any] | tuple[Any, ...] | str | float | None) -> Any:
    """Return a copy of a frozen tree in new dicts and lists."""
    if type(value) is FrozenDict:
        copied = dict(value)
        if not _SCALARS.issuperset(map(type, value.values())):
            for key in compress(value, map(not_, map(_SCALARS.__contains__, map(type, value.values())))):
                copied[key] = thaw(value[key])
        return copied
    if type(value) is tuple:
        return [item if type(item) in _SCALARS else thaw(item) for item in value]
    return value


def unshare(value: Any) -> Any:
    """Return a copy of the containers in a caller's tree, however deep; all other values stay the same objects."""
    # No recursion, because the tree has not been checked and may be deeper than Python's stack.
    copies: dict[int, Any] = {}
    pending: list[tuple[dict[Any, Any] | list[Any], Any]] = []

    def copy_of(item: Any) -> Any:
        if id(item) in copies:
            return copies[id(item)]
        contents = _contents(item)
        if contents is None:
            return item
        made: Any = {} if isinstance(contents, dict) else []
        copies[id(item)] = made
        pending.append((contents, made))
        return made

    top = copy_of(value)
    while pending:
        contents, made = pending.pop()
        if isinstance(contents, dict):
            made.update((key, copy_of(item)) for key, item in contents.items())
        else:
            made.extend(map(copy_of, contents))
    return top


def _contents(value: Any) -> dict[Any, Any] | list[Any] | None:
    """Return the contents of a container; `None` for any other value, and for a mapping that fails when it is read."""
    kind: type[object] = type(value)  # pyright: ignore[reportUnknownVariableType] - the type of Any; a cast costs time
    if kind is dict or kind is list:
        return cast("dict[Any, Any] | list[Any]", value)
    try:
        if issubclass(kind, Mapping):
            return dict(value.items())
        return list(value) if issubclass(kind, list | tuple) else None
    except Exception:  # noqa: BLE001 - a caller's object; the parser refuses it
        return None


def read_text(text: str | bytes, error: type[StatsigSegmentError]) -> Any:
    """Read JSON text (IN-1).

    The bare tokens NaN, Infinity and -Infinity are read; of a repeated key the last wins; one byte order mark is
    skipped. Bytes are UTF-8.

    Raises:
        StatsigSegmentError: `error` itself, with code `invalid_json` or `number_too_long`.

    """
    code, place = "invalid_json", ""
    try:
        readable = bytes.decode(text) if isinstance(text, bytes) else str.__str__(text)
        return json.loads(readable.removeprefix("\ufeff"))
    except json.JSONDecodeError as broken:
        place = f" (at line {broken.lineno}, column {broken.colno})"
    except (UnicodeDecodeError, RecursionError):
        pass
    except ValueError:  # the interpreter's limit on the digits of an integer
        code = "number_too_long"
    # Outside the handler: an error of ours holds no other, and so no text of the payload (TR-3).
    raise error(code, message=CODES[code].meaning + place)


def read_payload(payload: object, error: type[StatsigSegmentError]) -> tuple[FrozenDict, FrozenDict]:
    """Return the object that a payload is or, as JSON text, holds, and what could not be read of it, by key.

    Raises:
        StatsigSegmentError: `error` itself, with code `not_an_object`, or as `read_text` does.

    """
    is_json = issubclass(type(payload), str | bytes)
    value = read_text(cast("str | bytes", payload), error) if is_json else payload
    frozen, lost = read_tree(value)
    if not is_object(frozen):
        raise error("not_an_object", message=f"expected a JSON object, not {type_name(value)}")
    return frozen, lost if is_object(lost) else FrozenDict()


def type_name(value: object) -> str:
    """Return the name of the type of any value, and run none of its code."""
    return cast("str", type.__dict__["__name__"].__get__(type(value)))
