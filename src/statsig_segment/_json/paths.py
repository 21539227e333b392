"""Paths to a value in a call, as the configuration writes them: `context.externalIds[type=phone].id` (ID-4)."""

import re
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment._json.values import DEPTH, is_array, is_object
from statsig_segment.errors import join_path

_STEP: Final = r"(?:[^.\[\]]+\[[^=\]]+=[^\]]*\]|[^.\[\]]*)"
_PATH: Final = re.compile(rf"{_STEP}(?:\.{_STEP})*")
_EACH_STEP: Final = re.compile(rf"(?:^|\.)({_STEP})")
_SELECTOR: Final = re.compile(r"([^.\[\]]+)\[([^=\]]+)=([^\]]*)\]")


class Selector(NamedTuple):
    """Takes the first object of an array whose `key` is this very string."""

    key: str
    text: str


class Step(NamedTuple):
    """One step of a path: into an object by the name of a key, and on into the array there if there is a selector."""

    name: str
    selector: Selector | None = None


class Found(NamedTuple):
    """A value, and the wire path where it stands."""

    value: Any
    path: str


@attrs.frozen
class FieldPath:
    """A field of a call: the name of a top-level field, or the steps that lead to a nested one."""

    field: str
    steps: tuple[Step, ...]

    @property
    def is_top_level(self) -> bool:
        """Whether it is the name of a top-level field and nothing else."""
        return len(self.steps) == 1 and self.steps[0].selector is None

    @classmethod
    def read(cls, field: str) -> "FieldPath | None":
        """Read a path as the configuration writes it; `None` where that cannot be done, or it has over 100 steps.

        >>> path = FieldPath.read("context.externalIds[type=phone].id")
        >>> assert path is not None
        >>> path.steps[1]
        Step(name='externalIds', selector=Selector(key='type', text='phone'))
        >>> FieldPath.read("items[0].id") is None
        True
        """
        steps = _EACH_STEP.findall(field) if _PATH.fullmatch(field) else []
        return cls(field, tuple(map(_step, steps))) if 0 < len(steps) <= DEPTH else None


NOWHERE: Final = FieldPath("", ())
"""Stands for a path that cannot be read until its validator refuses it."""


def _step(text: str) -> Step:
    selected = _SELECTOR.fullmatch(text)
    return Step(selected[1], Selector(selected[2], selected[3])) if selected else Step(text)


def walk(start: Found, steps: Iterable[Step]) -> Found | None:
    """Follow steps from a value into what it holds; `None` where they lead nowhere."""
    value, path = start
    for step in steps:
        if not is_object(value):
            return None
        value, path = value.get(step.name), join_path(path, step.name)
        if step.selector is not None:
            found = select(value, step.selector, path)
            if found is None:
                return None
            value, path = found
    return Found(value, path)


def select(value: Any, selector: Selector, path: str) -> Found | None:
    """Give the first object of an array that a selector fits; `None` where there is none, or no array."""
    for index, item in enumerate(value if is_array(value) else ()):
        if is_object(item) and item.get(selector.key) == selector.text:
            return Found(item, f"{path}[{index}]")
    return None
