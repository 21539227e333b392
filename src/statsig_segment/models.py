"""How models are made: the fast way in for values that are frozen already; no model of its own.

Every model is `@attrs.frozen(kw_only=True, slots=False)`: its ordinary constructor freezes what it is given. On the
path that every event takes, the values are frozen by then, and going through `__init__` would cost more than the
translation. `make` therefore lays the finished fields into the new object's `__dict__`; a field left out is found on
the class, where `defaults_on_class` put its default. The result equals an ordinarily made one: comparison, hash,
repr, pickle, `evolve`.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final, TypeVar, cast

import attrs

from statsig_segment._values import freeze
from statsig_segment.errors import Issue

Model = TypeVar("Model")

_new: Final = object.__new__
_set: Final = object.__setattr__


def defaults_on_class(model: type[Model]) -> type[Model]:
    """Let the fields of a model be found on its class where an instance has them not: for `make`."""
    factory: Any = attrs.Factory  # a class, though its stub calls it a function
    fields: tuple[attrs.Attribute[Any], ...] = attrs.fields(cast("type[attrs.AttrsInstance]", model))
    for field in fields:
        if field.default is not attrs.NOTHING and not isinstance(field.default, factory):
            setattr(model, field.name, field.default)
    return model


def read_when_asked(model: type[Model], field: str, read: Callable[[Model], object]) -> None:
    """Let a field that `make` was not given be read when it is first asked for, and kept."""
    later = cached_property(read)
    later.__set_name__(model, field)
    setattr(model, field, later)


def make(model: type[Model], fields: dict[str, Any]) -> Model:
    """Make a model from its fields, already frozen; those left out have their defaults. The dict becomes its own."""
    made = _new(model)
    _set(made, "__dict__", fields)
    return made


def changed(model: Model, **fields: Any) -> Model:
    """Copy a model with some fields changed, already frozen."""
    return make(type(model), {**model.__dict__, **fields})


def amend(model: object, fields: dict[str, Any]) -> None:
    """Change fields of a model in place: only for one that `make` has just made and nobody else has seen."""
    model.__dict__.update(fields)


def frozen_object(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze an object: the converter of free-form fields."""
    return freeze(value)  # type: ignore[no-any-return]


def frozen_value(value: Any) -> Any:
    """Freeze any value of JSON: the converter of such fields."""
    return freeze(value)


def frozen_ids(value: Mapping[str, str]) -> Mapping[str, str]:
    """Freeze custom IDs: the converter of such fields."""
    return freeze(value)  # type: ignore[no-any-return]


def frozen_issues(value: Iterable[Issue]) -> tuple[Issue, ...]:
    """Freeze a list of issues: the converter of `issues`."""
    return tuple(value)
