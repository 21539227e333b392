"""Where in a call its values are, by the paths that a configuration would name (ID-4)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, cast

from statsig_segment import segment
from statsig_segment._json.paths import FieldPath
from statsig_segment.insight.comparison.archive import Json, object_of
from statsig_segment.insight.comparison.likeness import texts_of

_MAX_PLACES: Final = 2000
"""The most values of one call that are visited; real calls have about a hundred."""
_MAX_DEPTH: Final = 8
"""The longest path, in steps; no one maps a value that is deeper."""
_MAX_ITEMS: Final = 20
"""The most items of an array in which objects are looked for: each text in each of them makes a selector, and a
path."""
_RESERVED: Final = frozenset(".[]=")
"""The characters that no step of a path may contain, because the notation uses them."""
_CONTAINERS: Final = frozenset({dict, list})
_FREE: Final = frozenset({segment.PROPERTIES, segment.TRAITS})
"""The objects with free content, in which an ID may be that of somebody else."""


def places(call: Json) -> Iterator[tuple[str, Any]]:
    """Yield the values in a call, containers among them, with their paths."""
    found = 0
    stack = [(path, value, 1) for path, value in _top_level(call)]
    while stack and found < _MAX_PLACES:
        path, value, depth = stack.pop()
        found += 1
        yield path, value
        if depth < _MAX_DEPTH and type(value) in _CONTAINERS:
            inside = _entries(cast("Json", value), path) if type(value) is dict else _selected(value, path)
            stack += [(step, item, depth + 1) for step, item in inside]


def _top_level(call: Json) -> Iterator[tuple[str, Any]]:
    for name, value in call.items():
        if type(name) is str and name:
            is_step = _RESERVED.isdisjoint(name)
            if is_step or (FieldPath.read(name) is not None and type(value) not in _CONTAINERS):
                yield name, value


def _entries(holder: Mapping[Any, Any], path: str) -> Iterator[tuple[str, Any]]:
    return (
        (f"{path}.{key}", value)
        for key, value in holder.items()
        if type(key) is str and key and _RESERVED.isdisjoint(key)
    )


def _selected(items: Iterable[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Yield the objects of an array by each of their texts: `externalIds[type=phone]`."""
    for _, item in zip(range(_MAX_ITEMS), items, strict=False):
        for key, value in object_of(item).items():
            if type(value) is str and "]" not in value and type(key) is str and key and _RESERVED.isdisjoint(key):
                yield f"{path}[{key}={value}]", item


def near_ids(call: Json) -> Iterator[str]:
    """Yield what may be an ID at the top level of a call or in its context."""
    yield from _ids({name: value for name, value in call.items() if name not in _FREE})


def far_ids(call: Json) -> Iterator[str]:
    """Yield what may be an ID in the properties or traits of a call."""
    yield from _ids({name: value for name, value in call.items() if name in _FREE})


def _ids(call: Json) -> Iterator[str]:
    for _, value in places(call):
        if type(value) in {str, int, float}:
            yield from texts_of(value)
