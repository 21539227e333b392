"""JSON values: reading text, copying and freezing trees, JavaScript's text of them; no rule of translation.

Python trees come from callers, so every walk here is a loop with a stack of its own: depth costs memory, never a
`RecursionError` (TR-4). What JSON does not have (a `datetime`, a set, a container inside itself) reads as null; an
entry whose key is no string is left out.
"""

# Testing JSON for its exact type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeGuard

from statsig_segment.errors import StatsigSegmentError

ATOMS: Final = frozenset({str, int, float, bool, type(None)})
"""The exact types of values that hold no others."""
STRINGS: Final = frozenset({str})
_SHALLOW: Final = 16


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
                    frames.append((list_entries(item), {} if is_object(item) else [], name, id(item)))
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


def list_entries(container: Any) -> Iterator[tuple[Any, Any]]:
    """List a container as pairs: (key, value) of an object, (None, value) of an array."""
    return iter(container.items()) if is_object(container) else zip(repeat(None), container)


def _put(built: Any, key: object, value: object) -> None:
    if type(built) is list:
        built.append(value)
    elif isinstance(key, str):
        built[str.__str__(key)] = value


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
