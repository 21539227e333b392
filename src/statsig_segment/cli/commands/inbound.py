"""`inbound`: Segment calls -> Statsig events."""

import argparse
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import islice
from typing import Any, Final

from statsig_segment.cli import arguments as options
from statsig_segment.cli.blocks import CALLS, FORMS, translate_block
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.processes import in_order
from statsig_segment.cli.run import Run
from statsig_segment.inbound.translate import translate_many
from statsig_segment.statsig.events import to_log_event_request

REQUEST_EVENTS: Final = 500
"""How many events a `log_event` request holds."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    options.add_inputs(parser, CALLS.what)
    parser.add_argument(
        "-f",
        "--format",
        choices=tuple(FORMS),
        default="log-event",
        help=f"how to write events (default: log-event); request packs {REQUEST_EVENTS} events into one",
    )
    options.add_outputs(parser)
    options.add_file_argument(parser, "--audiences", "write the changes of ID lists to this file")
    options.add_deduplicate(parser)
    options.add_jobs(parser)


def run(arguments: Any) -> int:
    """Translate, and return the exit status."""
    seen = options.remembered(arguments)
    config = read_config(arguments.config)
    with Run(arguments, CALLS) as task:
        task.outputs.open(
            output=arguments.output,
            rejects=arguments.rejects,
            audiences=arguments.audiences,
            summary_json=arguments.summary_json,
        )
        if task.shows_lines:
            task.show_lines(task.outcomes(partial(translate_many, config=config, seen=seen)))
        else:
            work = partial(translate_block, config, arguments.format, seen=seen)
            with closing(_events(task, work, arguments.jobs)) as events:
                for text in _requests(events) if arguments.format == "request" else events:
                    task.write(text)
        if task.counts.audiences and "audiences" not in task.outputs:
            task.notes.append("ID lists changed, but the changes were not written; --audiences FILE writes them")
        return task.finish(output=None if arguments.format == "request" else task.counts.translated)


def _events(task: Run, work: Any, jobs: int) -> Generator[bytes]:
    """Yield the lines of the events block by block; write and count all other results."""
    with closing(in_order(work, task.blocks(), jobs)) as results:
        for result in results:
            yield result.events
            task.add(result)


def _requests(events: Iterable[bytes]) -> Iterator[bytes]:
    """Pack lines of events into bodies for `POST /v1/log_event`."""
    metadata = FAST.encode(to_log_event_request([])["statsigMetadata"])
    lines = (line for text in events for line in text.splitlines())
    while packed := b",".join(islice(lines, REQUEST_EVENTS)):
        yield b'{"events":[%b],"statsigMetadata":%b}\n' % (packed, metadata)
