"""The command line: arguments and commands; what they read and write goes through `streams` and `task`.

Exit status: 0; 1 where anything was rejected; 2 for unusable arguments, files or configurations; 130 when interrupted;
141 when standard output was closed before all was written, as `head` closes it, and nothing is said of it.
"""

import argparse
import os
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs

from statsig_segment._javascript import json_text
from statsig_segment._values import FrozenDict
from statsig_segment._version import __version__
from statsig_segment.batches import to_segment_batches
from statsig_segment.choices import PROFILES
from statsig_segment.cli.blocks import (
    FORMS,
    Block,
    Done,
    LastIds,
    count,
    export_payload,
    split_calls,
    split_events,
    translate_block,
)
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.files import STANDARD_INPUT, in_order, standard_input
from statsig_segment.cli.runs import OK, UNUSABLE, Task, UnusableError, reason, standard_output, tell
from statsig_segment.cli.screen import config_text, explanation_text, problems_text
from statsig_segment.config import IntegrationConfig
from statsig_segment.config_file import load_config
from statsig_segment.errors import ConfigError, SegmentEventError, StatsigEventError
from statsig_segment.explain import Explanation, explain
from statsig_segment.outbound import OutboundTrack
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.statsig import to_log_event_request

INTERRUPTED: Final = 130
CLOSED: Final = 141  # 128 + SIGPIPE, as a shell says it of any other program

REQUEST_EVENTS: Final = 500
"""So many events make a `log_event` request."""
REMEMBERED: Final = 1_000_000
"""So many message IDs `--deduplicate` remembers."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and give its exit status; raises nothing.

    >>> from statsig_segment.cli.commands import main
    >>> main(["check-config", "no-such-file.toml"])
    2
    """
    try:
        return _run(argv)
    except BrokenPipeError:
        _let_go_of_stdout()
        return CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except ConfigError as error:
        tell(problems_text(error.issues))
    except OSError as error:
        tell(f"statsig-segment: {f'{error.filename}: ' if error.filename else ''}{reason(error)}")
    except UnusableError as error:
        tell(f"statsig-segment: {error}")
    return UNUSABLE


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
    except SystemExit as done:  # argparse has said all: help, the version, or what is wrong
        return int(done.code or OK)
    command: Callable[[argparse.Namespace], int] = arguments.command
    status = command(arguments)
    sys.stdout.flush()
    return status


def _let_go_of_stdout() -> None:
    """Send nowhere what is left in the buffer: else the interpreter complains of it on its way out."""
    with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


# -- Arguments --------------------------------------------------------------------------------------------------------

_INPUT: Final = "- or none is standard input"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="statsig-segment",
        description="Segment calls to Statsig events, and Statsig's exports to Segment calls.",
        epilog="Input is JSON: an object, array or batch envelope a line, or one of them over many lines, plain or "
        "gzip. Output is one JSON object a line. Exit status: 0; 1 where anything was rejected; 2 for unusable "
        "arguments, files or configurations.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    for name, (command, told, add_arguments) in _COMMANDS.items():
        added = commands.add_parser(name, help=told, description=f"{told[0].upper()}{told[1:]}.")
        added.set_defaults(command=command)
        add_arguments(added)
    return parser


def _inbound_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"Segment calls; {_INPUT}")
    _config_argument(parser)
    parser.add_argument(
        "--format",
        choices=tuple(FORMS),
        default="log-event",
        help=f"what is written of an event; request packs {REQUEST_EVENTS} events into one",
    )
    _rejects_argument(parser)
    parser.add_argument("--audiences", metavar="FILE", help="write the changes of ID lists, as they come, to this file")
    parser.add_argument(
        "--deduplicate",
        action="store_true",
        help=f"skip a call whose messageId is among the last {REMEMBERED:,}; not with --jobs",
    )
    parser.add_argument("--jobs", type=_positive, default=1, metavar="N", help="share the work among N processes")


def _outbound_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"what Statsig exported; {_INPUT}")
    _config_argument(parser)
    parser.add_argument("--profile", choices=PROFILES, help="the form of the calls, in place of the configured one")
    parser.add_argument("--batch", action="store_true", help="pack the calls into bodies for Segment's API")
    _rejects_argument(parser)


def _explain_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", default=STANDARD_INPUT, metavar="FILE", help=f"Segment calls; {_INPUT}")
    _config_argument(parser)


def _check_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("config", metavar="FILE", help="TOML or JSON; - is standard input")


def _config_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="the configuration, TOML or JSON; without one, the default")


def _rejects_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rejects", metavar="FILE", help="write what was rejected, and why, to this file")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _config(name: str | None) -> IntegrationConfig:
    if name is None:
        return IntegrationConfig()
    data = standard_input().read() if name == STANDARD_INPUT else Path(name).read_bytes()
    try:
        return load_config(data.decode("utf-8"))
    except UnicodeDecodeError:
        raise UnusableError(f"{name}: not in UTF-8") from None


# -- Commands ---------------------------------------------------------------------------------------------------------


def _inbound(arguments: argparse.Namespace) -> int:
    if arguments.deduplicate and arguments.jobs > 1:
        raise UnusableError("--deduplicate needs one process that remembers all: leave --jobs out")
    seen = LastIds(REMEMBERED) if arguments.deduplicate else None
    work = partial(translate_block, _config(arguments.config), arguments.format, seen=seen)
    with Task(arguments.files, split_calls, SegmentEventError) as task:
        task.open_outputs(rejects=arguments.rejects, audiences=arguments.audiences)
        with closing(_events(task, work, arguments.jobs)) as events:
            for text in _requests(events) if arguments.format == "request" else events:
                task.stdout.write(text)
        status = task.finish()
        if task.tally.audiences and not task.writes("audiences"):
            tell("note: changes of ID lists were read and not written; --audiences FILE writes them")
        return status


def _events(task: Task, work: Callable[[Block], Done], jobs: int) -> Generator[bytes]:
    """Give the lines of the events block by block, and write and count what else comes of the blocks."""
    with closing(in_order(work, task.blocks(), jobs)) as results:
        for done in results:
            yield done.events
            task.write("audiences", done.updates)
            for position, record in done.rejects:
                task.write_reject(task.tally.read + position, record)
            task.tally.add(done.tally)
            task.block_done()


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


def _outbound(arguments: argparse.Namespace) -> int:
    config = _config(arguments.config)
    if arguments.profile is not None:
        config = attrs.evolve(config, outbound=attrs.evolve(config.outbound, profile=arguments.profile))
    with Task(arguments.files, split_events, StatsigEventError) as task:
        task.open_outputs(rejects=arguments.rejects)
        tracks = _tracks(task, config)
        for text in _batches(task, tracks) if arguments.batch else _calls(task, tracks):
            task.stdout.write(text)
        return task.finish()


def _tracks(task: Task, config: IntegrationConfig) -> Iterator[OutboundTrack]:
    for payload in task.payloads():
        outcome = export_payload(payload, config)
        count(task.tally, outcome)
        if isinstance(outcome, Rejected):
            task.reject(outcome)
        elif not isinstance(outcome, Skipped):
            yield outcome


def _calls(task: Task, tracks: Iterable[OutboundTrack]) -> Iterator[bytes]:
    for track in tracks:
        task.tally.translated += 1
        yield FAST.encode(track) + b"\n"


def _batches(task: Task, tracks: Iterable[OutboundTrack]) -> Iterator[bytes]:
    """Pack calls into bodies, written in the very way in which their sizes were measured."""
    for body in to_segment_batches(tracks):
        if isinstance(body, Rejected):  # the track asked for last
            task.tally.rejected[body.error.code] += 1
            task.reject(body)
        else:
            task.tally.translated += len(body["batch"])
            yield json_text(body)[0].encode() + b"\n"


def _explain(arguments: argparse.Namespace) -> int:
    config = _config(arguments.config)
    with Task([arguments.file], split_calls, SegmentEventError) as task:
        for payload in task.payloads():
            told = Explanation(rows=(), result=payload) if isinstance(payload, Rejected) else explain(payload, config)
            given = payload.payload if isinstance(payload, Rejected) else payload
            task.stdout.write(_printed(f"{explanation_text(task.tally.read, given, told)}\n"))
            count(task.tally, told.result)
        return task.finish()


def _check_config(arguments: argparse.Namespace) -> int:
    text = config_text(_config(arguments.config))
    standard_output().write(_printed(f"{arguments.config} can be used.\n\n{text}\n"))
    return OK


def _printed(text: str) -> bytes:
    """Encode what is for people as their terminal has it."""
    return text.encode(sys.stdout.encoding, "backslashreplace")


_COMMANDS: Final[Mapping[str, tuple[Any, str, Callable[[argparse.ArgumentParser], None]]]] = FrozenDict(
    {
        "inbound": (_inbound, "translate Segment calls to Statsig events", _inbound_arguments),
        "outbound": (_outbound, "translate Statsig's exports to Segment calls", _outbound_arguments),
        "explain": (
            _explain,
            "tell where each field of an event comes from, or why there is no event",
            _explain_arguments,
        ),
        "check-config": (
            _check_config,
            "tell every problem of a configuration, or what it does",
            _check_config_arguments,
        ),
    }
)
