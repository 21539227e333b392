"""Where in a call its values are, by the paths that a configuration would name (ID-4)."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

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
    stack = [(name, value, 1) for name, value in call.items() if _is_first_step(name, value)]
    while stack and found < _MAX_PLACES:
        path, value, depth = stack.pop()
        found += 1
        yield path, value
        if depth < _MAX_DEPTH and type(value) in _CONTAINERS:
            stack += [(step, item, depth + 1) for step, item in _inside(value, path)]


def _is_first_step(name: Any, value: Any) -> bool:
    """Return whether a path may begin with a field: a name with a dot leads to the field itself, and no further."""
    return _is_step(name) or (
        type(name) is str and bool(name) and FieldPath.read(name) is not None and type(value) not in _CONTAINERS
    )


def _is_step(name: Any) -> bool:
    return type(name) is str and bool(name) and _RESERVED.isdisjoint(name)


def _inside(holder: Json | list[Any], path: str) -> Iterator[tuple[str, Any]]:
    """Yield what an object holds, or the objects of an array by each of their texts: `externalIds[type=phone]`."""
    if isinstance(holder, dict):
        yield from ((f"{path}.{key}", value) for key, value in holder.items() if _is_step(key))
        return
    for item in islice(holder, _MAX_ITEMS):
        for key, value in object_of(item).items():
            if type(value) is str and "]" not in value and _is_step(key):
                yield f"{path}[{key}={value}]", item


def ids_in(call: Json, *, free: bool) -> Iterator[str]:
    """Yield what may be an ID in the properties or traits of a call (`free`), or everywhere else."""
    for _, value in places({name: value for name, value in call.items() if (name in _FREE) is free}):
        if type(value) in {str, int, float}:
            yield from texts_of(value)
