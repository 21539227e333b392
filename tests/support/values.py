"""JSON values in Python: what they are, how they compare, and ways to change them."""

from __future__ import annotations

import json
import math
from typing import Any, TypeAlias, TypeGuard

JsonObject: TypeAlias = dict[str, Any]


def is_object(value: Any) -> TypeGuard[JsonObject]:
    return isinstance(value, dict)


def is_array(value: Any) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def is_finite(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def canonical(value: Any) -> str:
    """A text by which JSON values compare exactly: `1`, `1.0` and `true` apart, key order no matter."""
    return json.dumps(value, sort_keys=True)


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
