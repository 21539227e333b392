"""Values that are nearly JSON: of types that other libraries pass as strings and objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class Text(str):
    """A string with a type of its own, as enums of strings are."""

    __slots__ = ()


class Integer(int):
    """A whole number with a type of its own, as enums of numbers are."""


class Lookup(Mapping[Any, Any]):
    """A mapping that is not a dict, and can do no more than a mapping must."""

    def __init__(self, held: dict[Any, Any]) -> None:
        self.held = held

    def __getitem__(self, key: Any) -> Any:
        return self.held[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.held)

    def __len__(self) -> int:
        return len(self.held)
