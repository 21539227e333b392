"""Writes a configuration as the table that `load_config` reads: only what differs from the default."""

from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from statsig_segment._json.values import freeze, is_array
from statsig_segment.configuration.models import IntegrationConfig

_NULLABLE: Final = "value_property"


def config_table(config: IntegrationConfig) -> Mapping[str, Any]:
    """Return a configuration as an immutable table, ready for `load_config`, JSON and TOML; defaults are left out.

    `load_config(config_table(config)) == config`.

    >>> from statsig_segment import InboundConfig
    >>> config_table(IntegrationConfig(inbound=InboundConfig(default_environment="staging", value_property=None)))
    {'inbound': {'default_environment': 'staging', 'value_property': False}}
    """
    return cast("Mapping[str, Any]", freeze(_table(config)))


def _table(model: attrs.AttrsInstance) -> dict[str, Any]:
    default = _default(model)
    values = {field.name: getattr(model, field.name) for field in attrs.fields(model.__class__) if field.init}
    changed = {name: value for name, value in values.items() if default is None or value != getattr(default, name)}
    return {name: _written(name, value) for name, value in changed.items()}


def _default(model: attrs.AttrsInstance) -> Any:
    """Return the default of a model, or `None` if it has none: a row of a table is written in full."""
    kind = model.__class__
    return kind() if all(field.default is not attrs.NOTHING for field in attrs.fields(kind)) else None


def _written(name: str, value: Any) -> Any:
    if attrs.has(value.__class__):
        return _table(value)
    if type(value) is frozenset:
        return sorted(cast("frozenset[str]", value))
    if is_array(value):  # rows of a table, or names
        return [_written(name, row) for row in value]
    return False if value is None and name == _NULLABLE else value
