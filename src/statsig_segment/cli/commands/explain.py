"""`explain`: where each field of an event comes from, or why there is no event (CL-5)."""

import argparse
import sys
from typing import Any, Final

from statsig_segment.cli.arguments import add_inputs, positive
from statsig_segment.cli.blocks import count, is_statsig
from statsig_segment.cli.commands.inbound import CALLS
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.run import Run, given
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.insight.explain import Explanation, explain
from statsig_segment.outcomes import Rejected, Skipped

OUTCOMES: Final = ("event", "audience", "skipped", "rejected")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, CALLS.what, limit="explain at most N calls")
    parser.add_argument("--at", type=positive, metavar="N", help="explain only the Nth call, counted from 1")
    parser.add_argument("--only", choices=OUTCOMES, help="explain only calls that end so")


def run(arguments: Any) -> int:
    """Explain, and give the exit status."""
    from statsig_segment.cli.screen import Screen, explanation  # noqa: PLC0415 - the other commands start without rich

    config = read_config(arguments.config)
    left, arguments.limit = arguments.limit, arguments.at  # no call after the Nth is read
    with Run(arguments, CALLS) as task:
        screen = Screen(sys.stdout)
        number = 0
        for number, (place, payload) in enumerate(task.payloads(), start=1):
            if arguments.at not in {None, number}:
                continue
            found = _explained(payload, config)
            _count(task, found, payload)
            if arguments.only in {None, _kind(found.result)}:
                task.show(screen.text(explanation(str(place), given(payload), found, screen.width)))
                left = left and left - 1
            if left == 0:
                break
        if arguments.at is not None and number < arguments.at:
            arguments.parser.error(f"--at {arguments.at}: there are only {number:,} calls")
        return task.finish()


def _explained(payload: Any, config: IntegrationConfig) -> Explanation:
    return Explanation(rows=(), result=payload) if isinstance(payload, Rejected) else explain(payload, config)


def _count(task: Run, found: Explanation, payload: Any) -> None:
    count(task.tally, found.result)
    task.misdirected += isinstance(found.result, Rejected) and is_statsig(given(payload))


def _kind(result: Any) -> str:
    if isinstance(result, Skipped):
        return "skipped"
    if isinstance(result, Rejected):
        return "rejected"
    return "audience" if isinstance(result, AudienceUpdate) else "event"
