"""Reading a configuration from a mapping, TOML or JSON; the only user of cattrs."""

from collections.abc import Mapping
from typing import Any

from statsig_segment.config import IntegrationConfig


def load_config(source: Mapping[str, Any] | str) -> IntegrationConfig:
    """Read a configuration."""
    raise NotImplementedError
