"""Writes a configuration as the table that `load_config` reads: only what differs from the default."""

from collections.abc import Mapping
from typing import Any, Final, cast

import attrs

from statsig_segment._json.values import freeze
from statsig_segment.configuration.models import IntegrationConfig

_NULLABLE: Final = "value_property"


def config_table(config: IntegrationConfig) -> Mapping[str, Any]:
    """Return a configuration as an immutable table, ready for `load_config`, JSON and TOML; defaults are left out.

    `load_config(config_table(config)) == config`.

    >>> from statsig_segment import InboundConfig
    >>> config_table(IntegrationConfig(inbound=InboundConfig(default_environment="staging", value_property=None)))
    {'inbound': {'default_environment': 'staging', 'value_property': False}}
    """
    return cast("Mapping[str, Any]", freeze(attrs.asdict(config, filter=_differs, value_serializer=_written)))


def _differs(field: "attrs.Attribute[Any]", value: Any) -> bool:
    default: Any = field.default
    return field.init and value != (default.factory() if hasattr(default, "factory") else default)


def _written(_model: object, field: "attrs.Attribute[Any] | None", value: Any) -> Any:
    if type(value) is frozenset:
        return sorted(cast("frozenset[str]", value))
    return False if value is None and field is not None and field.name == _NULLABLE else value
