"""How configuration models check what they are given: exact types, no coercion, `ConfigError` for anything else."""

# The stubs of attrs know no type of what a converter or validator of Any takes:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Collection
from typing import Any, Final, cast

import attrs
from attrs import validators

from statsig_segment._values import FrozenDict, is_object
from statsig_segment.errors import ConfigError, Issue

Check = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def problem(code: str, path: str, message: str) -> ConfigError:
    """Make a `ConfigError` of one problem."""
    return ConfigError([Issue(code=code, path=path, message=message)])


def expect(what: str, *checks: Check) -> Check:
    """Make a validator of attrs' own that raises `ConfigError`, and holds no value in its message."""

    def check(model: object, attribute: "attrs.Attribute[Any]", value: object) -> None:
        try:
            for each in checks:
                each(model, attribute, value)
        except TypeError:
            raise problem("wrong_type", attribute.name, f"expected {what}") from None
        except ValueError:
            raise problem("wrong_value", attribute.name, f"expected {what}") from None

    return check


def name_set(value: Any) -> Any:
    """Turn a list, tuple or set of names into a frozenset; leave anything else for the validator to refuse."""
    try:
        return frozenset(cast("Collection[Any]", value)) if isinstance(value, (list, tuple, set, frozenset)) else value
    except TypeError:
        return cast("Any", value)


def table(value: Any) -> Any:
    """Turn a mapping into a frozen one, with no entry lost; leave anything else for the validator to refuse."""
    return FrozenDict(value) if is_object(value) else value


_TEXT: Final = validators.instance_of(str)
_A_SET: Final[Any] = validators.instance_of(frozenset)
_NAMES: Final[Any] = validators.deep_iterable(_TEXT, _A_SET)

A_BOOL: Final = expect("true or false", validators.instance_of(bool))
TEXT: Final = expect("a string", _TEXT)
FILLED_TEXT: Final = expect("a non-empty string", _TEXT, validators.min_len(1))
FILLED_TEXT_OR_NONE: Final = expect("a non-empty string", validators.optional([_TEXT, validators.min_len(1)]))
NAMES: Final = expect("a list of strings", _NAMES)
NAMES_OR_NONE: Final = expect("a list of strings", validators.optional(_NAMES))
