"""The commands of the command line, in one table; each is a module of its own."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from statsig_segment.cli.arguments import Command
from statsig_segment.cli.commands import check_config, compare, diff, explain, inbound, join, outbound, preview

COMMANDS: Final[Mapping[str, Command]] = MappingProxyType(
    {
        "inbound": Command(
            help="translate Segment calls to Statsig events",
            add_arguments=inbound.add_arguments,
            run=inbound.run,
        ),
        "outbound": Command(
            help="translate Statsig's exports to Segment calls",
            add_arguments=outbound.add_arguments,
            run=outbound.run,
        ),
        "explain": Command(
            help="show why an ID is missing, where each field comes from, or why there is no event",
            add_arguments=explain.add_arguments,
            run=explain.run,
        ),
        "preview": Command(
            help="count what Segment calls would become, and show what would help",
            add_arguments=preview.add_arguments,
            run=preview.run,
        ),
        "compare": Command(
            help="compare Segment calls with what Statsig has for them, and propose a configuration",
            add_arguments=compare.add_arguments,
            run=compare.run,
        ),
        "diff": Command(
            help="show what another configuration would change for Segment calls",
            add_arguments=diff.add_arguments,
            run=diff.run,
        ),
        "join": Command(
            help="show which units of experiments the events of Segment calls reach, and what would reach more",
            add_arguments=join.add_arguments,
            run=join.run,
        ),
        "check-config": Command(
            help="show every problem of a configuration, or what it changes",
            add_arguments=check_config.add_arguments,
            run=check_config.run,
        ),
    }
)
