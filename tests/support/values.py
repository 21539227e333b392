"""JSON values in Python: what they are, and two ways to treat them."""

from __future__ import annotations

from typing import Any, TypeAlias, TypeGuard

JsonObject: TypeAlias = dict[str, Any]


def is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def empty(value: Any) -> None:
    """Empty a tree from the leaves up."""
    tree: Any = value
    if isinstance(value, dict | list):
        for item in list(tree.values() if is_object(tree) else tree):
            empty(item)
        tree.clear()


def thawed(value: Any) -> Any:
    """A value as the wire has it: lists in place of tuples."""
    items: Any = value
    return list(items) if isinstance(value, tuple) else value
