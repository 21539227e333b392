"""JSON values in Python: read once into frozen trees of exact types, and copied back out (IN-10, TR-5).

Whatever a caller hands over passes through `freeze` first. From there on a value is an exact `str`, `int`, `float`,
`bool` or `None`, a `FrozenDict` with exact `str` keys, or a `tuple`, and lies at most 100 levels deep. So every later
walk may be a plain recursion, and no foreign object is ever compared, hashed or shown.
"""

import json
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias, cast
from uuid import UUID

import attrs
from typing_extensions import TypeIs, override

from statsig_segment._json.javascript import json_text
from statsig_segment.errors import StatsigSegmentError, join_path
from statsig_segment.rulebook.codes import CODES

DEPTH: Final = 100
"""So many objects and arrays may stand around a value; what lies deeper reads as null (TR-5)."""

Steps: TypeAlias = tuple[str | int, ...]
"""The keys and indexes that lead to a value."""

JsonValue: TypeAlias = dict[str, Any] | list[Any] | str | float | bool | None
"""What a JSON reader gives; a parameter of this type still has to be checked, but its checks narrow it well."""


class FrozenDict(dict[str, Any]):
    """An immutable dict, as the models hold: equal to a plain one, ready for any JSON encoder, hashable, picklable."""

    __slots__ = ()

    if not TYPE_CHECKING:  # pragma: no branch - to a type checker the models' fields are Mappings, which have none

        def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
            raise TypeError(f"{type(self).__name__} is immutable")

        __setitem__ = __delitem__ = __ior__ = clear = pop = popitem = setdefault = update = _refuse

        @override
        def __hash__(self) -> int:
            return hash(frozenset(self.items()))

        def __copy__(self) -> "FrozenDict":
            return self

        def __deepcopy__(self, _memo: object) -> "FrozenDict":
            return self

        @override
        def __reduce__(self) -> tuple[Any, ...]:
            return (type(self), (dict(self),))


EMPTY: Final = FrozenDict()

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_STRINGS: Final = frozenset({str})
_NOTHING: Final = frozenset({type(None)})
_UNREADABLE: Final = object()
"""Stands for a value that JSON does not have while a tree is read: left out of an object, null in an array."""


@attrs.frozen(kw_only=True)
class Loss:
    """A value that could not be read and counts as absent: where it stood, and why."""

    code: str
    """The issue that this becomes where the value would have been sent: `not_json` or `too_deep`."""
    steps: Steps

    @property
    def path(self) -> str:
        """The wire path of the value."""
        path = "$"
        for step in self.steps:
            path = join_path(path, step) if isinstance(step, str) else f"{path}[{step}]"
        return path


def is_object(value: object) -> TypeIs[FrozenDict]:
    """Say whether a value of a frozen tree is an object."""
    return type(value) is FrozenDict


def is_array(value: object) -> TypeIs[tuple[Any, ...]]:
    """Say whether a value of a frozen tree is an array."""
    return type(value) is tuple


def filled_text(value: object) -> str | None:
    """Give a value of a frozen tree if it is a string that is not empty."""
    return value if type(value) is str and value else None


def freeze(value: object, losses: list[Loss] | None = None) -> Any:
    """Copy any value into a frozen tree; what JSON does not have is left out, and listed in `losses`."""
    if type(value) is FrozenDict:
        return value
    read = _Reader([] if losses is None else losses).read(value, (), ())
    return None if read is _UNREADABLE else read


def freeze_object(value: Mapping[str, Any]) -> FrozenDict:
    """Freeze an object: the converter of free-form fields, for which anything else is empty."""
    if type(value) is FrozenDict:
        return value
    frozen = freeze(value)
    return frozen if is_object(frozen) else EMPTY


class _Reader:
    """One walk over one tree. `around` holds the identities of the containers around the value at hand."""

    def __init__(self, losses: list[Loss]) -> None:
        self._losses = losses

    def read(self, value: Any, steps: Steps, around: tuple[int, ...]) -> Any:
        kind: type[object] = type(value)  # pyright: ignore[reportUnknownVariableType] - the type of Any; a cast costs time
        if len(around) > DEPTH or id(value) in around:
            return None if value is None else self._lost("too_deep", steps)
        if kind in _SCALARS:
            return value
        inside = (*around, id(value))
        if kind is dict or kind is FrozenDict:
            return self._object(value, steps, inside)
        if kind is list or kind is tuple:
            return self._array(value, steps, inside)
        try:
            return self._foreign(value, kind, steps, inside)
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001 - whatever a caller's object raises, it is a value that cannot be read
            return self._lost("not_json", steps)

    def _lost(self, code: str, steps: Steps) -> Any:
        self._losses.append(Loss(code=code, steps=steps))
        return None if code == "too_deep" else _UNREADABLE

    def _object(self, value: dict[Any, Any], steps: Steps, inside: tuple[int, ...]) -> FrozenDict:
        """Read an object: copy it whole, and replace what the copy may not hold."""
        if not _STRINGS.issuperset(map(type, value)):
            return self._object(_with_exact_keys(value.items()), steps, inside)
        known = _known(inside)
        if known.issuperset(map(type, value.values())):
            return FrozenDict(value)
        found = dict(value)
        for key, item in [(key, item) for key, item in found.items() if type(item) not in known]:
            found[key] = self.read(item, (*steps, key), inside)
            if found[key] is _UNREADABLE:
                del found[key]
        return FrozenDict(found)

    def _array(self, value: Iterable[Any], steps: Steps, inside: tuple[int, ...]) -> tuple[Any, ...]:
        items, known = tuple(value), _known(inside)
        if known.issuperset(map(type, items)):
            return items
        found = [
            item if type(item) in known else self.read(item, (*steps, index), inside)
            for index, item in enumerate(items)
        ]
        return tuple([None if item is _UNREADABLE else item for item in found])

    def _foreign(self, value: Any, kind: type, steps: Steps, inside: tuple[int, ...]) -> Any:
        """Read a value of a type that JSON does not have, by the table of IN-10."""
        if issubclass(kind, Enum):
            return self.read(value.value, steps, inside)
        if issubclass(kind, Mapping):
            return self._object(_with_exact_keys(value.items()), steps, inside)
        if issubclass(kind, list | tuple):
            return self._array(value, steps, inside)
        if issubclass(kind, AbstractSet):
            return tuple(sorted(self._array(value, steps, inside), key=lambda item: json_text(item)[0]))
        for base, convert in _CONVERSIONS:
            if issubclass(kind, base):
                return convert(value)
        return self._lost("not_json", steps)


def _known(around: tuple[int, ...]) -> frozenset[object]:
    """Give the types of which a value may stand inside so many containers, and needs no reading."""
    return _SCALARS if len(around) <= DEPTH else _NOTHING


def _with_exact_keys(entries: Iterable[tuple[Any, Any]]) -> dict[str, Any]:
    """Keep the entries whose keys are strings, under exact ones; of those that become the same, the last wins."""
    return {str.__str__(key): item for key, item in tuple(entries) if issubclass(type(key), str)}


def _moment_text(moment: datetime) -> str:
    """Write a moment as ISO text; an offset with seconds, which ISO 8601 does not have, moves it to UTC."""
    offset = moment.utcoffset()
    odd = offset is not None and (offset.seconds % 60 or offset.microseconds)
    return str.__str__((moment.astimezone(UTC) if odd else moment).isoformat())


def _decimal_number(number: Decimal) -> int | float:
    """Give a decimal as the number that JSON would have; a fraction or a huge one as the nearest float."""
    is_whole = number.is_finite() and number.adjusted() < _MOST_DIGITS and number == number.to_integral_value()
    return int(number) if is_whole else float(number)


_MOST_DIGITS: Final = 4_300
"""Python prints no longer integer by default."""
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
"""Type -> how its values are read, the first that fits (IN-10)."""


def thaw(value: Mapping[str, Any] | tuple[Any, ...] | str | float | None) -> Any:
    """Copy a frozen tree into fresh dicts and lists."""
    if type(value) is FrozenDict and _SCALARS.issuperset(map(type, value.values())):
        return dict(value)
    if type(value) is FrozenDict:
        return {key: thaw(item) for key, item in value.items()}
    if type(value) is tuple:
        return [item if type(item) in _SCALARS else thaw(item) for item in value]
    return value


def unshare(value: Any) -> Any:
    """Copy the containers of a caller's own tree, however deep, and keep all other values as they are."""
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
    """Give what a container holds, `None` for any other value and for a mapping that fails when it is read."""
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
    """Read JSON text; `error` with code `invalid_json` or `number_too_long` where Python cannot (IN-1).

    The bare tokens NaN, Infinity and -Infinity are read; of a repeated key the last wins; one byte order mark is
    skipped. Bytes are UTF-8.
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


def read_payload(payload: object, error: type[StatsigSegmentError], losses: list[Loss]) -> FrozenDict:
    """Give the object that a payload is or, as JSON text, holds; else `error` with code `not_an_object`."""
    is_json = issubclass(type(payload), str | bytes)
    value = read_text(cast("str | bytes", payload), error) if is_json else payload
    frozen = freeze(value, losses)
    if is_object(frozen):
        return frozen
    raise error("not_an_object", message=f"expected a JSON object, not {type_name(value)}")


def type_name(value: object) -> str:
    """Name the type of any value, and run no code of its own."""
    return cast("str", type.__dict__["__name__"].__get__(type(value)))
