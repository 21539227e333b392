"""How the public models are made: what their constructors check, and the one way past them.

A model that a caller makes goes through its constructor, which freezes what it is given and refuses wrong types; which
types are right follows from the annotations. The library itself has frozen and checked every value before it makes a
model, so it makes those that it needs for each event with `made`, which only puts the attributes in place: a
constructor would look at each of them once more, which is half the cost of an event.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeVar

import attrs

from statsig_segment._json.values import is_array, is_object, read_tree
from statsig_segment.errors import Issue, StatsigSegmentError

_Model = TypeVar("_Model")


def made(model: type[_Model], attributes: dict[str, Any]) -> _Model:
    """Return a model with these attributes, all frozen and of the right types, without calling its constructor."""
    new = object.__new__(model)
    object.__setattr__(new, "__dict__", attributes)
    return new


def frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze a value; what cannot be read is left for the check to refuse."""
    read, lost = read_tree(value)
    return value if isinstance(lost, str) else read  # the check looks at it next


def issue_tuple(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Turn issues into a tuple; anything else is left for the check to refuse."""
    return tuple(issues) if issubclass(type(issues), Iterable) else issues  # type: ignore[return-value]  # likewise


def _is_texts(value: Any) -> bool:
    return is_object(value) and {str}.issuperset(map(type, value.values()))


def _is_issues(value: Any) -> bool:
    return is_array(value) and all(issubclass(kind, Issue) for kind in map(type, value))


_CHECKS: Final[Mapping[Any, tuple[str, Callable[[Any], bool]]]] = MappingProxyType(
    {
        str: ("a string", lambda value: type(value) is str),
        str | None: ("a string", lambda value: type(value) in {str, type(None)}),
        str | float | None: ("a string or number", lambda value: type(value) in {str, int, float, type(None)}),
        int | None: ("milliseconds as an integer", lambda value: type(value) in {int, type(None)}),
        bool: ("true or false", lambda value: type(value) is bool),
        Mapping[str, Any]: ("a mapping", is_object),
        Mapping[str, str]: ("a mapping of strings to strings", _is_texts),
        tuple[Issue, ...]: ("issues", _is_issues),
    }
)
"""Annotation of an attribute -> what its values are, and a function that returns whether a value is one."""
_CONVERTERS: Final[Mapping[Any, Callable[[Any], Any]]] = MappingProxyType(
    dict.fromkeys((str, str | None, str | float | None, Mapping[str, Any], Mapping[str, str]), frozen)
)
"""Annotation -> what makes values exact before they are checked; all others are refused unless they are exact."""


def checks(error: type[StatsigSegmentError]) -> Callable[[type, list[Any]], list[Any]]:
    """Return a transformer for the fields of a model, which has its constructor freeze and check each attribute.

    The constructor raises `error` with the attribute's name, and no value.
    """

    def check(_model: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        what, is_right = _CHECKS.get(attribute.type) or _instance_check(attribute.type)
        if not is_right(value):
            raise error("wrong_type", attribute.name, f"expected {what}")

    def transform(_model: type, fields: list[Any]) -> list[Any]:
        return [
            field
            if field.validator or not (field.type in _CHECKS or attrs.has(field.type))  # a base class saw to it
            else field.evolve(validator=check, converter=field.converter or _CONVERTERS.get(field.type))
            for field in fields
        ]

    return transform


def _instance_check(model: Any) -> tuple[str, Callable[[Any], bool]]:
    return f"a {model.__name__}", lambda value: issubclass(type(value), model)
