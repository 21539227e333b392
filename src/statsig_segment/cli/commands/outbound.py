"""`outbound`: Statsig's exports -> Segment `track` calls."""

import argparse
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any

import attrs

from statsig_segment._json.javascript import json_text
from statsig_segment.cli.arguments import add_inputs, add_outputs
from statsig_segment.cli.blocks import EVENTS, export_payloads
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.run import Run
from statsig_segment.configuration import PROFILES
from statsig_segment.outbound.export import OutboundTrack
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.batches import to_segment_batches


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, EVENTS.what)
    parser.add_argument("--profile", choices=PROFILES, help="the form of the calls, instead of the configured one")
    parser.add_argument("--batch", action="store_true", help="pack the calls into request bodies for Segment's API")
    add_outputs(parser)


def run(arguments: Any) -> int:
    """Translate, and return the exit status."""
    config = read_config(arguments.config)
    if arguments.profile is not None:
        config = attrs.evolve(config, outbound=attrs.evolve(config.outbound, profile=arguments.profile))
    with Run(arguments, EVENTS) as task:
        task.outputs.open(output=arguments.output, rejects=arguments.rejects, summary_json=arguments.summary_json)
        outcomes = task.outcomes(partial(export_payloads, config=config))
        if task.shows_lines:
            task.show_lines(outcomes)
        else:
            tracks = (track for _, _, track in outcomes if not isinstance(track, Rejected | Skipped))
            for text in _batches(task, tracks) if arguments.batch else (FAST.encode(track) + b"\n" for track in tracks):
                task.write(text)
        return task.finish(output=None if arguments.batch else task.counts.translated)


def _batches(task: Run, tracks: Iterable[OutboundTrack]) -> Iterator[bytes]:
    """Pack calls into bodies, written in the very way in which their sizes were measured."""
    for body in to_segment_batches(tracks):
        if isinstance(body, Rejected):  # the track asked for last, which counts as translated so far
            task.counts.translated -= 1
            task.reject(body)
        else:
            yield json_text(body)[0].encode() + b"\n"
