"""Paths to a value in a call, as the configuration writes them: `context.externalIds[type=phone].id` (ID-4)."""

import re
from typing import Any, Final, NamedTuple, TypeAlias

from statsig_segment._json.values import DEPTH, FrozenDict, is_array, is_object
from statsig_segment.errors import join_path

_STEP: Final = r"(?:[^.\[\]]+\[[^=\]]+=[^\]]*\]|[^.\[\]]*)"
_PATH: Final = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_EACH_STEP: Final = re.compile(rf"(?:^|\.)({_STEP})")
_SELECTOR: Final = re.compile(r"([^.\[\]]+)\[([^=\]]+)=([^\]]*)\]")


class Selector(NamedTuple):
    """Selects the first object of an array whose `key` is exactly this string."""

    key: str
    text: str


class Step(NamedTuple):
    """One step of a path: into an object by the name of a key, and on into the array there if there is a selector."""

    name: str
    selector: Selector | None = None


Move: TypeAlias = str | Selector
"""One move from a value into what it holds: a key of an object, or what a selector takes of an array."""


class FieldPath(NamedTuple):
    """A field of a call: the name of a top-level field, or the steps that lead to a nested one."""

    field: str
    steps: tuple[Step, ...]
    name: str
    """The top-level field that the steps begin with."""
    moves: tuple[Move, ...]
    """The steps from the top-level field on."""
    top_path: str
    """The wire path of a top-level field of exactly this name."""
    path: str
    """The wire path of the value. Where there are selectors, it is a format that takes the indexes they find."""

    @classmethod
    def read(cls, field: str) -> "FieldPath | None":
        """Parse a path as the configuration writes it; return `None` if it is malformed or has over 100 steps.

        >>> path = FieldPath.read("context.externalIds[type=phone].id")
        >>> assert path is not None
        >>> path.steps[1]
        Step(name='externalIds', selector=Selector(key='type', text='phone'))
        >>> FieldPath.read("items[0].id") is None
        True
        """
        texts = _EACH_STEP.findall(field) if _PATH.fullmatch(field) else []
        if not 0 < len(texts) <= DEPTH:
            return None
        steps = tuple(map(_step, texts))
        path = "$"
        for name, selector in steps:
            path = join_path(path, name) + ("[\0]" if selector else "")
        if "\0" in path:  # in the place of an index; a key with this character is written in quotes and escaped
            path = path.replace("%", "%%").replace("\0", "%d")
        moves = tuple(move for step in steps for move in step if move is not None)
        return cls(field, steps, steps[0].name, moves[1:], join_path("$", field), path)


def _step(text: str) -> Step:
    selected = _SELECTOR.fullmatch(text)
    return Step(selected[1], Selector(selected[2], selected[3])) if selected else Step(text)


NOWHERE: Final = FieldPath("", (), "", (), "$", "$")
"""Takes the place of a path that cannot be read until its validator refuses it."""

Arrays: TypeAlias = dict[int, dict[tuple[str, str], tuple[int, FrozenDict]]]
"""What selectors have looked for in the arrays of one call: identity of the array -> each key and text of its objects
-> the first object that has them, and its index. So an array is read once, however many selectors there are (TR-4)."""


def select(array: Any, selector: Selector, arrays: Arrays) -> tuple[int, FrozenDict | None]:
    """Return the first object of an array that a selector fits, with its index; `None` if there is none."""
    if not is_array(array):
        return -1, None
    if id(array) not in arrays:
        found = arrays[id(array)] = {}
        for index, item in enumerate(array):
            for key, text in item.items() if is_object(item) else ():
                if type(text) is str:
                    found.setdefault((key, text), (index, item))
    return arrays[id(array)].get(selector, (-1, None))
