"""The commands of the command line, in one table; each is a module of its own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from statsig_segment.cli.arguments import Command
from statsig_segment.cli.commands import check_config, compare, diff, explain, inbound, join, outbound, preview

COMMANDS: Final[Mapping[str, tuple[Command, str]]] = MappingProxyType(
    {
        "inbound": (inbound, "translate Segment calls to Statsig events"),
        "outbound": (outbound, "translate Statsig's exports to Segment calls"),
        "explain": (explain, "show why an ID is missing, where each field comes from, or why there is no event"),
        "preview": (preview, "count what Segment calls would become, and show what would help"),
        "compare": (compare, "compare Segment calls with what Statsig has for them, and propose a configuration"),
        "diff": (diff, "show what another configuration would change for Segment calls"),
        "join": (join, "show which units of experiments the events of Segment calls reach, and what would reach more"),
        "check-config": (check_config, "show every problem of a configuration, or what it changes"),
    }
)
"""Name -> its module, and what the command does."""
