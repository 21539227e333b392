"""`outbound`: Statsig's exports -> Segment `track` calls."""

import argparse
from collections.abc import Iterable, Iterator
from typing import Any, Final

import attrs

from statsig_segment._json.javascript import json_text
from statsig_segment.cli.arguments import add_inputs, add_outputs
from statsig_segment.cli.blocks import count, export_payload, is_segment, split_events
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.messages import event_name
from statsig_segment.cli.run import Direction, Lines, Run
from statsig_segment.configuration.choices import PROFILES
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.errors import StatsigEventError
from statsig_segment.outbound.export import OutboundTrack
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.batches import to_segment_batches

EVENTS: Final = Direction(
    what="what Statsig exported",
    split=split_events,
    error=StatsigEventError,
    other="Segment calls: `statsig-segment inbound` reads those",
    outbound=True,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, EVENTS.what)
    parser.add_argument("--profile", choices=PROFILES, help="the form of the calls, in place of the configured one")
    parser.add_argument("--batch", action="store_true", help="pack the calls into bodies for Segment's API")
    add_outputs(parser)


def run(arguments: Any) -> int:
    """Translate, and give the exit status."""
    config = read_config(arguments.config)
    if arguments.profile is not None:
        config = attrs.evolve(config, outbound=attrs.evolve(config.outbound, profile=arguments.profile))
    with Run(arguments, EVENTS) as task:
        task.outputs.open(output=arguments.output, rejects=arguments.rejects, summary_json=arguments.summary_json)
        if task.shows_lines:
            _show_lines(task, config)
        else:
            tracks = _tracks(task, config)
            for text in _batches(task, tracks) if arguments.batch else _calls(task, tracks):
                task.write(text)
        return task.finish(output=None if arguments.batch else task.tally.translated)


def _outcomes(task: Run, config: IntegrationConfig) -> Iterator[tuple[Any, Any, Any]]:
    """Give each payload with its place and what came of it, and count and write down what did not come through."""
    for place, payload in task.payloads():
        outcome = export_payload(payload, config)
        count(task.tally, outcome)
        if isinstance(outcome, Rejected):
            task.reject(outcome)
            task.misdirected += is_segment(outcome.payload)
        yield place, payload, outcome


def _tracks(task: Run, config: IntegrationConfig) -> Iterator[OutboundTrack]:
    for _, _, outcome in _outcomes(task, config):
        if not isinstance(outcome, Rejected | Skipped):
            yield outcome


def _calls(task: Run, tracks: Iterable[OutboundTrack]) -> Iterator[bytes]:
    for track in tracks:
        task.tally.translated += 1
        yield FAST.encode(track) + b"\n"


def _batches(task: Run, tracks: Iterable[OutboundTrack]) -> Iterator[bytes]:
    """Pack calls into bodies, written in the very way in which their sizes were measured."""
    for body in to_segment_batches(tracks):
        if isinstance(body, Rejected):  # the track asked for last
            task.tally.rejected[body.error.code] += 1
            task.reject(body)
        else:
            task.tally.translated += len(body["batch"])
            yield json_text(body)[0].encode() + b"\n"


def _show_lines(task: Run, config: IntegrationConfig) -> None:
    """Show one line an event in place of its call."""
    lines = Lines(task)
    for place, payload, outcome in _outcomes(task, config):
        task.tally.translated += not isinstance(outcome, Rejected | Skipped)
        lines.show(place, payload, outcome, event_name)
