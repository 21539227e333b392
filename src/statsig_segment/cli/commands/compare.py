"""`compare`: whether Statsig holds what the calls become here, and which configuration would agree (CL-4, CM-5)."""

import argparse
import sys
from contextlib import ExitStack
from typing import Any, Final

from statsig_segment.cli.arguments import add_config, add_file_argument, add_json, from_zero
from statsig_segment.cli.blocks import CALLS, EVENTS, STANDARD_INPUT
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.comparison_facts import Side, comparison_record, proposal_text, verdict
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.outputs import Outputs
from statsig_segment.cli.run import (
    OK,
    REJECTED,
    UNUSABLE,
    encoded,
    input_files,
    naming_standard_output,
    say,
    standard_output,
    taken_files,
)
from statsig_segment.insight.comparison import compare, config_table

DIFFERS: Final = REJECTED
"""The exit status where pairs differ."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    calls = "Segment calls, in files or folders; - is standard input"
    add_file_argument(parser, "calls", calls, metavar="CALLS", nargs="+")
    add_file_argument(parser, "export", "what Statsig has for them, likewise", metavar="EXPORT")
    add_config(parser)
    parser.add_argument(
        "--tolerance-ms",
        type=from_zero,
        default=0,
        metavar="N",
        help="how far the times of a call and its event may lie apart; 999 where the export cuts them to seconds",
    )
    add_json(parser)
    add_file_argument(parser, "--write-config", "write the proposed configuration to this file, TOML or (.json) JSON")


def run(arguments: Any) -> int:
    """Compare, and give the exit status."""
    names = (*arguments.calls, arguments.export)
    if names.count(STANDARD_INPUT) + (arguments.config == STANDARD_INPUT) > 1:
        arguments.parser.error("standard input can be only one of CALLS, EXPORT and --config")
    config = read_config(arguments.config)
    files = input_files(arguments.calls), input_files([arguments.export])
    outputs = Outputs(taken_files([*files[0], *files[1]], arguments.config))
    outputs.open(write_config=arguments.write_config)  # it appears whole or not at all
    with ExitStack() as stack:
        stack.callback(outputs.discard)
        calls, export = Side(files[0], CALLS), Side(files[1], EVENTS)
        found = compare(calls.read(), export.read(), config, tolerance_ms=arguments.tolerance_ms)
        output = standard_output()
        if arguments.json:
            text = FAST.encode(comparison_record(found, calls, export)) + b"\n"
        else:
            from statsig_segment.cli.comparison_text import comparison  # noqa: PLC0415 - JSON needs no rich
            from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - likewise

            screen = Screen(sys.stdout)
            text = encoded(screen.text(comparison(found, calls, export, config_table(config), screen.width)))
        with naming_standard_output():
            output.write(text)
        if found.paired and "write_config" in outputs:
            outputs.write("write_config", proposal_text(found.proposal, arguments.write_config))
            outputs.put_in_place(write_config=1)
    if not found.paired:
        say(f"statsig-segment: {verdict(found)}")
        return UNUSABLE
    return OK if found.agrees else DIFFERS
