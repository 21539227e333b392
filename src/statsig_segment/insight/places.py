"""Where an ID was probably meant to be: the field whose name differs only in letter case or separators (EX-3)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from statsig_segment._json.paths import FieldPath
from statsig_segment._json.values import as_object


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
