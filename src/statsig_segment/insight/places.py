"""What places in a call as it was sent hold, and where an ID was probably meant to be (EX-3)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from statsig_segment import segment
from statsig_segment._json.paths import FieldPath, select
from statsig_segment._json.values import EMPTY, as_object, freeze, kind_of
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import Group, Identify

_WITH_TRAITS: Final = frozenset({Group.type, Identify.type})


def object_in(holder: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object at a key; an empty one if there is none."""
    value: Any = holder.get(key)
    if value is None:
        return EMPTY
    return value if kind_of(value) is dict else as_object(value) or EMPTY


def own_ids(call: Mapping[str, Any]) -> tuple[Any, str]:
    """Return the array `statsigCustomIDs` of a call, and its wire path; `None` where the call has none (ID-3)."""
    holders = (segment.PROPERTIES, segment.TRAITS) if segment.TRAITS in call else (segment.PROPERTIES,)
    for holder in holders:
        array = object_in(call, holder).get(segment.CUSTOM_IDS)
        if array is not None and (holder == segment.PROPERTIES or freeze(call[segment.TYPE]) in _WITH_TRAITS):
            return array, f"$.{holder}.{segment.CUSTOM_IDS}"
    return None, ""


def value_at(call: Mapping[str, Any], path: FieldPath) -> Any:
    """Return the value that a mapping reads (ID-4)."""
    if not path.moves or path.field in call:  # a field of that exact name stops the walk
        return call.get(path.field)
    value: Any = call.get(path.name)
    for move in path.moves:
        if value is None:
            break
        if not isinstance(move, str):
            _, value = select(freeze(value), move, {})
        elif kind_of(value) is dict:
            value = value.get(move)
        else:
            value = (as_object(value) or EMPTY).get(move)
    return value


def id_text(value: object) -> str | None:
    """Return an ID as text; `None` for what is not an ID, and for a number that Python refuses to print."""
    try:
        return coerce_id(freeze(value))
    except StatsigSegmentError:
        return None


def near_key(keys: Iterable[str], wanted: str) -> str | None:
    """Return the first key that differs from the wanted one in letter case or separators, and in nothing else.

    >>> near_key(["type", "anonymous_ID", "anonymousID"], "anonymousId")
    'anonymous_ID'
    """
    folded = _folded(wanted)
    return next((key for key in keys if key != wanted and _folded(key) == folded), None)


def _folded(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def near_path(
    call: Mapping[str, Any], path: FieldPath, near: Callable[[tuple[str, ...], str], str | None] = near_key
) -> str | None:
    """Return the path that was probably meant where a path leads to nothing, as the configuration would write it.

    Args:
        call: The call as it was sent.
        path: A path that is absent in it.
        near: `near_key`, or the same with a memory.

    Returns:
        The path with its first absent step replaced by the near miss in the same object; `None` if there is none.

    """
    value: object = call
    names = [step.name for step in path.steps]
    for place, (name, selector) in enumerate(path.steps):
        holder = as_object(value)
        if selector is not None or holder is None:
            return None
        if holder.get(name) is None:
            found = near(tuple(key for key in holder if type(key) is str), name)
            return found and ".".join((*names[:place], found, *names[place + 1 :]))
        value = holder[name]
    return None
