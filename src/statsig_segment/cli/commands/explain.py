"""`explain`: why an ID is missing, where each field comes from, or why there is no event; both ways (CL-5)."""

import argparse
import sys
from functools import partial
from typing import Any, Final

import attrs

from statsig_segment.cli.arguments import add_inputs, positive
from statsig_segment.cli.blocks import CALLS, EVENTS
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.outputs import UnusableError
from statsig_segment.cli.run import Run
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import translate_many
from statsig_segment.insight.explain import explain
from statsig_segment.insight.exported import explain_export
from statsig_segment.outbound.export import export_many
from statsig_segment.outcomes import Rejected, Skipped

OUTCOMES: Final = ("event", "audience", "skipped", "rejected")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, CALLS.what, limit="explain at most N calls")
    parser.add_argument(
        "--exports", action="store_true", help="the files hold events of a Statsig export: explain the way to Segment"
    )
    parser.add_argument("--at", type=positive, metavar="N", help="explain only the Nth call, counted from 1")
    parser.add_argument("--only", choices=OUTCOMES, help="explain only calls with this outcome")


def run(arguments: Any) -> int:
    """Explain, and return the exit status."""
    from statsig_segment.cli.screen import Screen, explanation  # noqa: PLC0415 - the other commands start without rich

    config = read_config(arguments.config)
    left, arguments.limit = arguments.limit, arguments.at  # no call after the Nth is read
    translated: Any = export_many if arguments.exports else translate_many
    explained: Any = explain_export if arguments.exports else explain
    with Run(arguments, EVENTS if arguments.exports else CALLS) as task:
        screen = Screen(sys.stdout)
        for place, payload, outcome in task.outcomes(partial(translated, config=config)):
            if arguments.only not in {None, _kind(outcome)}:
                continue
            found = attrs.evolve(explained(payload, config), result=outcome)  # which knows why text cannot be read
            task.show(screen.text(explanation(place, payload, found, screen.width, outbound=arguments.exports)))
            left = left and left - 1
            if left == 0:
                break
        if arguments.at is not None and not task.counts.read:
            raise UnusableError(f"--at {arguments.at}: there are fewer calls than that")
        return task.finish()


def _kind(outcome: Any) -> str:
    if isinstance(outcome, Skipped):
        return "skipped"
    if isinstance(outcome, Rejected):
        return "rejected"
    return "audience" if isinstance(outcome, AudienceUpdate) else "event"
