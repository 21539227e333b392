"""How configuration models check what they are given: exact types, no coercion, `ConfigError` for anything else."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs
from attrs import validators

from statsig_segment._json.paths import NOWHERE, FieldPath
from statsig_segment._json.values import FrozenDict
from statsig_segment.errors import ConfigError, Issue

Attribute: TypeAlias = "attrs.Attribute[Any]"
Check: TypeAlias = Callable[[Any, Attribute, Any], None]


def problem(code: str, path: str, message: str) -> ConfigError:
    """Return a `ConfigError` for one problem."""
    return ConfigError([Issue(code=code, path=path, message=message)])


def expect(what: str, *checks: Check) -> Check:
    """Return a validator that raises `ConfigError` where attrs' own raises, without the value in its message."""

    def check(model: object, attribute: Attribute, value: object) -> None:
        try:
            for each in checks:
                each(model, attribute, value)
        except ValueError:
            code = "wrong_value"
        except Exception:  # noqa: BLE001 - attrs raises TypeError, and a caller's object whatever it likes
            code = "wrong_type"
        else:
            return
        # Not raised above: attrs' error, which holds the value, would be the context of ours.
        raise problem(code, attribute.name, f"expected {what}")

    return check


def name_set(value: Any) -> Any:
    """Turn a list, tuple or set of names into a frozenset; leave anything else for the validator to refuse."""
    return _converted(value, list | tuple | set | frozenset, frozenset)


def table(value: Any) -> Any:
    """Turn a mapping into a frozen one, with no entry lost; leave anything else for the validator to refuse."""
    return _converted(value, Mapping, FrozenDict)


def rows(value: Any) -> Any:
    """Turn a list into a tuple; leave anything else for the validator to refuse."""
    return _converted(value, list | tuple, tuple)


def _converted(value: object, kinds: Any, make: Callable[[Any], Any]) -> Any:
    kind = type(value)  # which cannot raise, unlike the attribute `__class__`
    try:
        return make(value) if issubclass(kind, kinds) else value
    except Exception:  # noqa: BLE001 - a caller's object raises whatever it likes when it is read
        return object()  # which every validator refuses


def sorted_names(names: frozenset[str] | None) -> str:
    """Return the `repr` of a set of names, sorted: equal models have the same `repr` in every process."""
    return f"frozenset({{{', '.join(map(repr, sorted(names)))}}})" if names else repr(names)


def read_path(row: Any) -> FieldPath:
    """Return the path in the `field` of a row."""
    return FieldPath.read(row.field) or NOWHERE  # which never happens behind `checked`


def checked() -> Any:
    """Declare that the attributes above are sound before the attributes below are derived from them.

    attrs itself runs validators last, when a derived attribute would have met a value of any kind already.
    """
    return derived(attrs.validate)


def derived(make: Callable[[Any], Any]) -> Any:
    """Declare an attribute that is made once from the others: it is neither given, compared nor shown."""
    return attrs.field(init=False, default=attrs.Factory(make, takes_self=True), eq=False, repr=False)


def _readable_path(_model: object, _attribute: Attribute, value: Any) -> None:
    if FieldPath.read(value) is None:
        raise ValueError


_TEXT: Final[Check] = validators.instance_of(str)
FILLED: Final[Check] = validators.and_(_TEXT, validators.min_len(1))
_NAMES: Final[Check] = validators.deep_iterable(_TEXT, validators.instance_of(frozenset))
_PATH: Final[Check] = validators.and_(FILLED, _readable_path)
A_PATH_IS: Final = "a path of at most 100 steps, such as context.device.id or context.externalIds[type=phone].id"

A_BOOL: Final = expect("true or false", validators.instance_of(bool))
TEXT: Final = expect("a string", _TEXT)
FILLED_TEXT: Final = expect("a non-empty string", FILLED)
FILLED_TEXT_OR_NONE: Final = expect("a non-empty string", validators.optional(FILLED))
NAMES: Final = expect("a list of strings", _NAMES)
FILLED_NAMES: Final = expect(
    "a list of non-empty strings", validators.deep_iterable(FILLED, validators.instance_of(frozenset))
)
NAMES_OR_NONE: Final = expect("a list of strings", validators.optional(_NAMES))
PATH: Final = expect(A_PATH_IS, _PATH)


def one_of(*texts: str) -> Check:
    """Make a validator for one of some texts."""
    return expect(" or ".join(texts), _TEXT, validators.in_(texts))


def path_table(what: str, key: Check = FILLED) -> Check:
    """Make a validator for a table of paths."""
    return expect(what, validators.deep_mapping(key, _PATH, validators.instance_of(dict)))


def a_model(model: type) -> Check:
    """Make a validator for another configuration model."""
    return expect(f"an {model.__name__}", validators.instance_of(model))
