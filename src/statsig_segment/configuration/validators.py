"""How configuration models check what they are given: no coercion, `ConfigError` for anything else.

The type of an attribute says what it may hold (`by_type`), and `expect` what else must be true of it.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType, NoneType, UnionType
from typing import Any, Final, TypeAlias, get_args, get_origin

import attrs

from statsig_segment._json.paths import NOWHERE, FieldPath
from statsig_segment._json.values import FrozenDict
from statsig_segment.errors import ConfigError, Issue

Attribute: TypeAlias = "attrs.Attribute[Any]"
Check: TypeAlias = Callable[[Any, Attribute, Any], None]


def problem(code: str, path: str, message: str) -> ConfigError:
    """Return a `ConfigError` for one problem."""
    return ConfigError([Issue(code=code, path=path, message=message)])


def by_type(_model: type, attributes: list[Attribute]) -> list[Attribute]:
    """Make each attribute that is given check the type of its value first, and show a set sorted (attrs calls this)."""
    return [_checked_by_type(attribute) if attribute.init else attribute for attribute in attributes]


def _checked_by_type(attribute: Attribute) -> Attribute:
    kinds = (attribute.type, *get_args(attribute.type))
    show = sorted_names if any(get_origin(kind) is frozenset for kind in kinds) else attribute.repr
    own = [attribute.validator] if attribute.validator else []
    return attribute.evolve(validator=attrs.validators.and_(_check_type, *own), repr=show)


def _check_type(_model: object, attribute: Attribute, value: object) -> None:
    if not _holds(_is_a, value, attribute.type):
        raise problem("wrong_type", attribute.name, f"expected {_spoken(attribute.type)}")


def _spoken(kind: Any) -> str:
    """Return what a message calls a type."""
    if get_origin(kind) is UnionType:
        return " or ".join(_spoken(part) for part in get_args(kind) if part is not NoneType)
    return _SPOKEN.get(get_origin(kind) or kind) or f"an {kind.__name__}"


_SPOKEN: Final[Mapping[Any, str]] = MappingProxyType(
    {bool: "true or false", str: "a string", frozenset: "a list of strings", tuple: "a list", Mapping: "a table"}
)


def expect(what: str, is_sound: Callable[[Any], object]) -> Check:
    """Return a validator for what must be true of a value beside its type."""

    def check(_model: object, attribute: Attribute, value: object) -> None:
        if not _holds(is_sound, value):
            raise problem("wrong_value", attribute.name, f"expected {what}")

    return check


def _holds(test: Callable[..., object], *arguments: object) -> bool:
    try:
        return bool(test(*arguments))
    except Exception:  # noqa: BLE001 - a caller's object raises whatever it likes when it is looked at
        return False


def _is_a(value: Any, kind: Any) -> bool:
    """Return whether a value, as the converters leave it, is of a type, with all that is in it."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:
        return any(_is_a(value, part) for part in parts)
    if not isinstance(value, origin or kind):
        return False
    if origin is Mapping:
        return all(_is_a(key, parts[0]) and _is_a(value[key], parts[1]) for key in value)
    return origin is None or all(_is_a(item, parts[0]) for item in value)


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


def is_path(text: str) -> bool:
    """Return whether a text is a path that can be read."""
    return text != "" and FieldPath.read(text) is not None


A_PATH_IS: Final = "a path of at most 100 steps, such as context.device.id or context.externalIds[type=phone].id"

PATH: Final = expect(A_PATH_IS, is_path)
FILLED_TEXT: Final = expect("a non-empty string", lambda text: text != "")
FILLED_NAMES: Final = expect("a list of non-empty strings", all)
PATHS: Final = expect("a table of paths", lambda paths: all(paths) and all(map(is_path, paths.values())))


def one_of(*texts: str) -> Check:
    """Make a validator for one of some texts."""
    return expect(" or ".join(texts), lambda text: text in texts)
