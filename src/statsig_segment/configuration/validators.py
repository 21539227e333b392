"""How configuration models check what they are given: exact types, no coercion, `ConfigError` for anything else."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias, cast

import attrs
from attrs import validators

from statsig_segment._json.paths import NOWHERE, FieldPath
from statsig_segment._json.values import FrozenDict
from statsig_segment.errors import ConfigError, Issue

Attribute: TypeAlias = "attrs.Attribute[Any]"
Check: TypeAlias = Callable[[Any, Attribute, Any], None]


def problem(code: str, path: str, message: str) -> ConfigError:
    """Make a `ConfigError` of one problem."""
    return ConfigError([Issue(code=code, path=path, message=message)])


def expect(what: str, *checks: Check) -> Check:
    """Make a validator from attrs' own that raises `ConfigError`, and holds no value in its message."""

    def check(model: object, attribute: Attribute, value: object) -> None:
        code = _failure(checks, model, attribute, value)
        if code is not None:
            raise problem(code, attribute.name, f"expected {what}")

    return check


def _failure(checks: tuple[Check, ...], model: object, attribute: Attribute, value: object) -> str | None:
    """Give the code of what is wrong with a value; attrs' own error, which holds the value, ends here."""
    try:
        for check in checks:
            check(model, attribute, value)
    except TypeError:
        return "wrong_type"
    except ValueError:
        return "wrong_value"
    return None


def name_set(value: Any) -> Any:
    """Turn a list, tuple or set of names into a frozenset; leave anything else for the validator to refuse."""
    if not isinstance(value, list | tuple | set | frozenset):
        return value
    names = cast("Iterable[Any]", value)
    try:
        return frozenset(names)
    except TypeError:
        return names


def table(value: Any) -> Any:
    """Turn a mapping into a frozen one, with no entry lost; leave anything else for the validator to refuse."""
    kind = cast("type[object]", type(value))
    return FrozenDict(value) if issubclass(kind, Mapping) else value


def rows(value: Any) -> Any:
    """Turn a list into a tuple; leave anything else for the validator to refuse."""
    return tuple(cast("Iterable[Any]", value)) if isinstance(value, list | tuple) else value


def read_path(model: Any) -> FieldPath:
    """Read the path in a model's `field` once; where that fails, the field's validator refuses it next."""
    field = model.field
    return (isinstance(field, str) and FieldPath.read(field)) or NOWHERE


def derived(make: Callable[[Any], Any]) -> Any:
    """Declare an attribute that is made once from the others: it is neither given, compared nor shown."""
    return attrs.field(init=False, default=attrs.Factory(make, takes_self=True), eq=False, repr=False)


def _readable_path(_model: object, _attribute: Attribute, value: Any) -> None:
    if FieldPath.read(value) is None:
        raise ValueError


_TEXT: Final[Check] = validators.instance_of(str)
_FILLED: Final[Check] = validators.and_(_TEXT, validators.min_len(1))
_NAMES: Final[Check] = validators.deep_iterable(_TEXT, validators.instance_of(frozenset))
_PATH: Final[Check] = validators.and_(_FILLED, _readable_path)
A_PATH_IS: Final = "a path of at most 100 steps, such as context.device.id or context.externalIds[type=phone].id"

A_BOOL: Final = expect("true or false", validators.instance_of(bool))
TEXT: Final = expect("a string", _TEXT)
FILLED_TEXT: Final = expect("a non-empty string", _FILLED)
FILLED_TEXT_OR_NONE: Final = expect("a non-empty string", validators.optional(_FILLED))
NAMES: Final = expect("a list of strings", _NAMES)
FILLED_NAMES: Final = expect(
    "a list of non-empty strings", validators.deep_iterable(_FILLED, validators.instance_of(frozenset))
)
NAMES_OR_NONE: Final = expect("a list of strings", validators.optional(_NAMES))
PATH: Final = expect(A_PATH_IS, _PATH)


def one_of(*texts: str) -> Check:
    """Make a validator for one of some texts."""
    return expect(" or ".join(texts), _TEXT, validators.in_(texts))


def path_table(what: str, key: Check = _FILLED) -> Check:
    """Make a validator for a table of paths."""
    return expect(what, validators.deep_mapping(key, _PATH, validators.instance_of(dict)))


def a_model(model: type) -> Check:
    """Make a validator for another configuration model."""
    return expect(f"an {model.__name__}", validators.instance_of(model))
