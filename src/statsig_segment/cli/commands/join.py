"""`join`: which units of experiments the events of calls reach, and which mapping would reach more (CL-4, JO-1)."""

import argparse
import sys
from typing import Any

import attrs

from statsig_segment.cli.arguments import add_config, add_file_argument, add_json
from statsig_segment.cli.blocks import CALLS, EVENTS, STANDARD_INPUT
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.comparison_facts import Side
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.run import OK, encoded, input_files, naming_standard_output, standard_output
from statsig_segment.insight.join import Join, join


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    calls = f"{CALLS.what}, in files or folders; standard input if none or -"
    add_file_argument(parser, "files", calls, nargs="*", metavar="CALLS")
    add_file_argument(
        parser,
        "--exposures",
        "exposures: events of the export webhook or rows of the warehouse; may be repeated",
        action="append",
        required=True,
    )
    add_config(parser)
    add_json(parser)


def run(arguments: Any) -> int:
    """Show the join, and return the exit status."""
    if [*arguments.files, *arguments.exposures, arguments.config].count(STANDARD_INPUT) > 1:
        arguments.parser.error("standard input can be only one of the calls, --exposures and --config")
    config = read_config(arguments.config)
    calls, exposures = (
        Side(input_files(arguments.files or [STANDARD_INPUT]), CALLS),
        Side(input_files(arguments.exposures), EVENTS),
    )
    found = join(calls.read(), exposures.read(), config)
    if arguments.json:
        text = FAST.encode(_record(found)) + b"\n"
    else:
        from statsig_segment.cli.join_text import shown_join  # noqa: PLC0415 - JSON needs no rich
        from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - likewise

        text = encoded(Screen(sys.stdout).text(shown_join(found)))
    with naming_standard_output():
        standard_output().write(text)
    return OK


def _record(found: Join) -> dict[str, Any]:
    advice = [
        {"unit_type": each.unit_type, "field": each.mapping.field, "would_join": each.would_join}
        for each in found.advice
    ]
    return {"experiments": [attrs.asdict(each) for each in found.experiments], "advice": advice}
