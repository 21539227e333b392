"""`compare`: whether Statsig holds what the calls become here, and which configuration would agree (CL-4, CM-5)."""

import argparse
import sys
from array import array
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import attrs

from statsig_segment.cli.arguments import add_config, add_file_argument, add_json, from_zero
from statsig_segment.cli.blocks import CALLS, EVENTS, STANDARD_INPUT, Direction, Payloads
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.comparison_facts import Sides, comparison_record, proposal_text, verdict
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.files import READ_ERRORS, read_blocks
from statsig_segment.cli.outputs import Outputs, UnusableError, reason
from statsig_segment.cli.run import (
    OK,
    REJECTED,
    UNUSABLE,
    encoded,
    input_files,
    naming_standard_output,
    say,
    say_if_waiting,
    standard_output,
    taken_files,
)
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.insight.comparison import Comparison, compare, config_table

DIFFERS: Final = REJECTED
"""The exit status where pairs differ."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_file_argument(parser, "calls", "Segment calls; - is standard input", metavar="CALLS")
    add_file_argument(parser, "export", "what Statsig holds of them; - is standard input", metavar="EXPORT")
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
    names = (arguments.calls, arguments.export)
    if names.count(STANDARD_INPUT) + (arguments.config == STANDARD_INPUT) > 1:
        arguments.parser.error("standard input can be only one of CALLS, EXPORT and --config")
    config = read_config(arguments.config)
    input_files(names)
    with _output(arguments) as outputs:
        calls, exported = _Side.read(arguments.calls, CALLS), _Side.read(arguments.export, EVENTS)
        found = compare(calls.payloads, exported.payloads, config, tolerance_ms=arguments.tolerance_ms)
        sides = Sides(
            calls=arguments.calls, call_lines=calls.lines, export=arguments.export, export_lines=exported.lines
        )
        _write(arguments, found, sides, config)
        if found.paired and "write_config" in outputs:
            outputs.write("write_config", proposal_text(found.proposal, arguments.write_config))
            outputs.put_in_place(write_config=1)
    return _status(found)


@contextmanager
def _output(arguments: Any) -> Generator[Outputs]:
    """Open the file to write, which appears whole or not at all."""
    outputs = Outputs(taken_files((arguments.calls, arguments.export), arguments.config))
    outputs.open(write_config=arguments.write_config)
    try:
        yield outputs
    finally:
        outputs.discard()


@attrs.frozen
class _Side:
    """All payloads of a file, and the lines where they begin."""

    payloads: list[Any]
    lines: "array[int]"

    @classmethod
    def read(cls, name: str, direction: Direction) -> "_Side":
        """Read a file whole; `UnusableError` where that fails: half a side would look like a difference."""
        side = cls([], array("q"))
        say_if_waiting(name, direction.what)
        try:
            for block in read_blocks(name, direction):
                payloads = Payloads(block, direction)
                for payload in payloads:
                    side.payloads.append(payload)
                    side.lines.append(payloads.line)
        except READ_ERRORS as error:
            raise UnusableError(f"{name}: {reason(error)}") from None
        return side


def _write(arguments: Any, found: Comparison, sides: Sides, config: IntegrationConfig) -> None:
    """Write JSON, or at a terminal what people read."""
    output = standard_output()
    if arguments.json or not sys.stdout.isatty():
        text = FAST.encode(comparison_record(found, sides)) + b"\n"
    else:
        from statsig_segment.cli.comparison_text import comparison  # noqa: PLC0415 - only terminals need it
        from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - only terminals need it

        screen = Screen(sys.stdout)
        text = encoded(screen.text(comparison(found, sides, config_table(config), screen.width)))
    with naming_standard_output():
        output.write(text)


def _status(found: Comparison) -> int:
    """Give the exit status; where nothing could be compared, say so on standard error."""
    if found.paired:
        return OK if found.agrees else DIFFERS
    say(f"statsig-segment: {verdict(found)}")
    return UNUSABLE
