"""`inbound`: Segment calls -> Statsig events."""

import argparse
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import Any, Final

from statsig_segment.cli.arguments import add_file_argument, add_inputs, add_outputs, positive
from statsig_segment.cli.blocks import (
    FORMS,
    RecentIds,
    count,
    is_statsig,
    split_calls,
    translate_block,
    translate_payload,
    update_line,
)
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.configuration import read_config
from statsig_segment.cli.messages import call_name
from statsig_segment.cli.processes import in_order
from statsig_segment.cli.run import Direction, Lines, Run
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.errors import SegmentEventError
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import Seen
from statsig_segment.outcomes import Rejected
from statsig_segment.statsig.events import to_log_event_request

REQUEST_EVENTS: Final = 500
"""So many events make a `log_event` request."""
REMEMBERED: Final = 1_000_000
"""So many message IDs `--deduplicate` remembers."""

CALLS: Final = Direction(
    what="Segment calls",
    split=split_calls,
    error=SegmentEventError,
    other="a Statsig export: `statsig-segment outbound` reads those",
    outbound=False,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    add_inputs(parser, CALLS.what)
    parser.add_argument(
        "--format",
        choices=tuple(FORMS),
        default="log-event",
        help=f"what is written of an event; request packs {REQUEST_EVENTS} events into one",
    )
    add_outputs(parser)
    add_file_argument(parser, "--audiences", "write the changes of ID lists, as they come, to this file")
    parser.add_argument(
        "--deduplicate",
        action="store_true",
        help=f"skip a call whose messageId is among the last {REMEMBERED:,}; not with --jobs",
    )
    parser.add_argument("--jobs", type=positive, default=1, metavar="N", help="share the work among N processes")


def run(arguments: Any) -> int:
    """Translate, and give the exit status."""
    if arguments.deduplicate and arguments.jobs > 1:
        arguments.parser.error("--deduplicate needs one process that remembers all IDs: leave out --jobs")
    seen = RecentIds(REMEMBERED) if arguments.deduplicate else None
    config = read_config(arguments.config)
    with Run(arguments, CALLS) as task:
        task.outputs.open(
            output=arguments.output,
            rejects=arguments.rejects,
            audiences=arguments.audiences,
            summary_json=arguments.summary_json,
        )
        if task.shows_lines:
            _show_lines(task, config, seen)
        else:
            _write_events(task, config, arguments, seen)
        if task.tally.audiences and "audiences" not in task.outputs:
            task.note("changes of ID lists were read and not written; --audiences FILE writes them")
        return task.finish(output=None if arguments.format == "request" else task.tally.translated)


def _write_events(task: Run, config: IntegrationConfig, arguments: Any, seen: Seen | None) -> None:
    work = partial(translate_block, config, arguments.format, seen=seen)
    with closing(_events(task, work, arguments.jobs)) as events:
        for text in _requests(events) if arguments.format == "request" else events:
            task.write(text)


def _events(task: Run, work: Any, jobs: int) -> Generator[bytes]:
    """Give the lines of the events block by block, and write and count what else comes of the blocks."""
    with closing(in_order(work, task.blocks(), jobs)) as results:
        for result in results:
            yield result.events
            task.add(result)


def _requests(events: Iterable[bytes]) -> Iterator[bytes]:
    """Pack lines of events into bodies for `POST /v1/log_event`."""
    metadata = FAST.encode(to_log_event_request([])["statsigMetadata"])
    waiting: list[bytes] = []
    for text in events:
        waiting += text.splitlines()
        while len(waiting) >= REQUEST_EVENTS:
            yield _request(waiting[:REQUEST_EVENTS], metadata)
            del waiting[:REQUEST_EVENTS]
    if waiting:
        yield _request(waiting, metadata)


def _request(events: list[bytes], metadata: bytes) -> bytes:
    return b'{"events":[%b],"statsigMetadata":%b}\n' % (b",".join(events), metadata)


def _show_lines(task: Run, config: IntegrationConfig, seen: Seen | None) -> None:
    """Show one line a call in place of its event; the other files are written as ever."""
    lines = Lines(task)
    for place, payload in task.payloads():
        outcome = translate_payload(payload, config, seen=seen)
        count(task.tally, outcome)
        if isinstance(outcome, Rejected):
            task.reject(outcome)
            task.misdirected += is_statsig(outcome.payload)
        elif isinstance(outcome, AudienceUpdate):
            task.outputs.write("audiences", update_line(outcome))
        lines.show(place, payload, outcome, call_name)
