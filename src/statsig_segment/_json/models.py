"""How the public models are made: what their constructors check, and the one way past them.

A model that a caller makes goes through its constructor, which freezes what it is given and refuses wrong types. The
library itself has frozen and checked every value before it makes a model, so it makes those that it needs for each
event with `made`, which only puts the attributes in place: a constructor would look at each of them once more, which
is half the cost of an event.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import attrs

from statsig_segment._json.values import freeze, is_object
from statsig_segment.errors import Issue, StatsigSegmentError

_Model = TypeVar("_Model")
Check: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def made(model: type[_Model], attributes: dict[str, Any]) -> _Model:
    """Make a model of all its attributes, which are frozen and of the right types, without its constructor."""
    new = object.__new__(model)
    new.__dict__.update(attributes)
    return new


def frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze an object; anything else is left for the validator to refuse."""
    return freeze(value)  # type: ignore[no-any-return]  # the validator looks at it next


def plain(value: str) -> str:
    """Turn text of any type into an exact string; anything else is left for the validator to refuse."""
    return freeze(value)  # type: ignore[no-any-return]  # likewise


def plain_or_none(value: str | None) -> str | None:
    """Turn text of any type into an exact string, and keep `None`; the validator refuses anything else."""
    return freeze(value)  # type: ignore[no-any-return]  # likewise


def issue_tuple(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    """Turn issues into a tuple; anything else is left for the validator to refuse."""
    return tuple(issues) if issubclass(type(issues), Iterable) else issues  # type: ignore[return-value]  # likewise


class Checks:
    """The validators of the models of one side. Each raises its error, with the attribute's name and no value."""

    def __init__(self, error: type[StatsigSegmentError]) -> None:
        self._error = error
        self.text = self._expect("a string", lambda value: type(value) is str)
        self.text_or_none = self._expect("a string", lambda value: value is None or type(value) is str)
        self.time = self._expect("milliseconds as an integer", lambda value: value is None or type(value) is int)
        self.truth = self._expect("true or false", lambda value: type(value) is bool)
        self.object = self._expect("a mapping", is_object)
        self.texts = self._expect(
            "a mapping of strings to strings",
            lambda value: is_object(value) and {str}.issuperset(map(type, value.values())),
        )
        self.issues = self.tuple_of(Issue, "issues")
        self.strings = self.tuple_of(str, "strings")

    def tuple_of(self, kind: type, what: str) -> Check:
        """Make a validator for a tuple of instances of one class."""
        return self._expect(
            what, lambda value: type(value) is tuple and all(issubclass(type(item), kind) for item in value)
        )

    def instance_of(self, kind: type) -> Check:
        """Make a validator for an instance of a class."""
        return self._expect(f"a {kind.__name__}", lambda value: issubclass(type(value), kind))

    def scalar(self, what: str, *kinds: type) -> Check:
        """Make a validator for values of exact types."""
        return self._expect(what, lambda value: type(value) in kinds)

    def _expect(self, what: str, is_right: Callable[[Any], bool]) -> Check:
        def check(_model: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
            if not is_right(value):
                raise self._error("wrong_type", attribute.name, f"expected {what}")

        return check
