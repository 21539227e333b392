"""`diff`: what would change for Segment calls if one configuration took the place of another (CL-4, DI-1)."""

import argparse
import sys
from typing import Any, Final

import attrs

from statsig_segment.cli.arguments import add_file_argument, add_json
from statsig_segment.cli.blocks import CALLS, STANDARD_INPUT
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.comparison_facts import Side
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.run import OK, REJECTED, encoded, input_files, naming_standard_output, standard_output
from statsig_segment.insight.differences import differences

DIFFERS: Final = REJECTED
"""The exit status where something would change."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_file_argument(parser, "before", "the configuration in use", metavar="BEFORE")
    add_file_argument(parser, "after", "the configuration that would take its place", metavar="AFTER")
    add_file_argument(
        parser, "files", f"{CALLS.what}, in files or folders; standard input if none or -", nargs="*", metavar="FILE"
    )
    add_json(parser)


def run(arguments: Any) -> int:
    """Show what would change, and return the exit status."""
    if [arguments.before, arguments.after, *arguments.files].count(STANDARD_INPUT) > 1:
        arguments.parser.error("standard input can be only one of BEFORE, AFTER and the files")
    before, after = read_config(arguments.before), read_config(arguments.after)
    calls = Side(input_files(arguments.files or [STANDARD_INPUT]), CALLS)
    found = differences(calls.read(), before, after)
    if arguments.json:
        text = FAST.encode(attrs.asdict(found) | {"findings": [calls.finding_record(each) for each in found.findings]})
    else:
        from statsig_segment.cli.difference_text import shown_differences  # noqa: PLC0415 - JSON needs no rich
        from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - likewise

        screen = Screen(sys.stdout)
        text = encoded(screen.text(shown_differences(found, calls, screen.width)))
    with naming_standard_output():
        standard_output().write(text + b"\n" if arguments.json else text)
    return DIFFERS if found.changed or found.started or found.stopped else OK
