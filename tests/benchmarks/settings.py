"""The configuration that every section measures with, for the library and for the baseline: all rules on."""

from typing import Final

from tests.benchmarks import pydantic_baseline
from tests.benchmarks.builds import BUILDS

from statsig_segment import IntegrationConfig

CONFIG: Final[IntegrationConfig] = BUILDS[0].config
"""Mappings, ID types, a filter, a default environment; loop guard and integrations by default."""

CONFIG_TEXT: Final = """
[inbound]
default_environment = "production"
id_types = ["companyID", "stableID", "workspaceID", "deviceID", "segmentAnonymousId"]
id_mappings = [
    {field = "anonymousId", id_type = "segmentAnonymousId"},
    {field = "groupId", id_type = "companyID"},
    {field = "context.device.id", id_type = "deviceID"},
]
filters = {exclude = ["Heartbeat"]}
"""
"""The same as a file of the command line."""

SETTINGS: Final = pydantic_baseline.Settings(
    mappings=[("anonymous_id", "segmentAnonymousId"), ("group_id", "companyID"), ("context.device.id", "deviceID")],
    exclude=frozenset({"Heartbeat"}),
    default_environment="production",
)
"""The same for the baseline with pydantic."""
