"""How the public models are made: what their constructors check, and the one way past them.

A model that a caller makes goes through its constructor, which freezes what it is given and refuses wrong types. The
library itself has frozen and checked every value before it makes a model, so it makes those that it needs for each
event with `made`, which only puts the attributes in place: a constructor would look at each of them once more, which
is half the cost of an event.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias, TypeVar

import attrs

from statsig_segment._json.values import is_array, is_object, read_tree
from statsig_segment.errors import Issue, StatsigSegmentError

_Model = TypeVar("_Model")
Check: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def made(model: type[_Model], attributes: dict[str, Any]) -> _Model:
    """Return a model with these attributes, all frozen and of the right types, without calling its constructor."""
    new = object.__new__(model)
    object.__setattr__(new, "__dict__", attributes)
    return new


def frozen(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze an object."""
    return _exact(value)  # type: ignore[no-any-return]  # the validator looks at it next


def plain(value: str) -> str:
    """Turn text of any type into an exact string."""
    return _exact(value)  # type: ignore[no-any-return]  # likewise


def plain_or_none(value: str | None) -> str | None:
    """Turn text of any type into an exact string, and keep `None`."""
    return _exact(value)  # type: ignore[no-any-return]  # likewise


def scalar(value: str | float | None) -> str | float | None:
    """Turn a scalar of any type into an exact one."""
    return _exact(value)  # type: ignore[no-any-return]  # likewise


def _exact(value: object) -> Any:
    """Freeze a value; what cannot be read is left for the validator to refuse."""
    read, lost = read_tree(value)
    return value if isinstance(lost, str) else read


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

    def tuple_of(self, kind: type, what: str) -> Check:
        """Make a validator for a tuple of instances of one class."""
        return self._expect(
            what, lambda value: is_array(value) and all(issubclass(each, kind) for each in map(type, value))
        )

    def instance_of(self, kind: type) -> Check:
        """Make a validator for an instance of a class."""
        return self._expect(f"a {kind.__name__}", lambda value: issubclass(type(value), kind))

    def one_of(self, what: str, *kinds: type) -> Check:
        """Make a validator for values of exact types."""
        return self._expect(what, lambda value: type(value) in kinds)

    def _expect(self, what: str, is_right: Callable[[Any], bool]) -> Check:
        def check(_model: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
            if not is_right(value):
                raise self._error("wrong_type", attribute.name, f"expected {what}")

        return check
