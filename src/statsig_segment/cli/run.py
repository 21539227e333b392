"""One run of a command over its inputs: what it reads, its output files, its counts, its progress, and how it ends."""

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import attrs

from statsig_segment.cli.blocks import Block, BlockResult, Tally, placed, placed_payloads, reject_record
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.files import READ_ERRORS, STANDARD_INPUT, read_blocks
from statsig_segment.cli.messages import printable, summary_text
from statsig_segment.cli.outputs import Outputs, Taken, UnusableError, reason
from statsig_segment.cli.records import Split
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.outcomes import Rejected

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

OK: Final = 0
REJECTED: Final = 1
UNUSABLE: Final = 2

_PROGRESS_AFTER: Final = 1.0  # seconds
_PROGRESS_EVERY: Final = 0.2


class TerminatedError(BaseException):
    """A signal asks this process to end; holds its number."""


def standard_output() -> BinaryIO:
    """Give standard output as bytes; `UnusableError` where it is closed."""
    if sys.stdout is None:
        raise UnusableError("standard output is closed")
    return sys.stdout.buffer


@contextmanager
def naming_standard_output() -> Generator[None]:
    """Turn an error of writing into one that names standard output; only a pipe that is closed stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnusableError(f"standard output: {reason(error)}") from None


def encoded(text: str) -> bytes:
    """Encode text for people as their terminal has it."""
    return text.encode(sys.stdout.encoding, "backslashreplace")


def say(text: str) -> None:
    """Write lines for people on standard error; where that is closed or full, nobody can be told."""
    say_as_it_is(f"{printable(text)}\n")


def say_as_it_is(text: str) -> None:
    """Write text that is safe to show, and may hold escape codes of ours."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except (AttributeError, OSError, ValueError):
        pass


def say_if_waiting(name: str, what: str) -> None:
    """Say that an input is awaited from the terminal, where it is."""
    if name == STANDARD_INPUT and sys.stdin is not None and sys.stdin.isatty():
        end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
        say(f"Reading {what} from the terminal; {end} ends it.")


@attrs.frozen(kw_only=True)
class Direction:
    """What the inputs of a command hold."""

    what: str
    """What it is called, such as `Segment calls`."""
    split: Split
    error: type[StatsigSegmentError]
    other: str
    """What to say where it holds input of the other direction (CL-7)."""
    outbound: bool


@attrs.frozen(kw_only=True)
class Place:
    """Where a payload stands."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{'standard input' if self.file == STANDARD_INPUT else self.file}:{self.line}"


class Run:
    """One run of a command."""

    def __init__(self, arguments: Any, direction: Direction) -> None:
        """Begin with the inputs named, none meaning standard input; `UnusableError` where one cannot be read."""
        self.tally = Tally()
        self.misdirected = 0
        self.direction = direction
        self.files: Sequence[str] = arguments.files or (STANDARD_INPUT,)
        self.quiet: bool = getattr(arguments, "quiet", False)
        self._json: bool = getattr(arguments, "json", True)
        self._stdout = standard_output()
        self._limit: int | None = arguments.limit
        self._failures: list[str] = []
        self._notes: list[str] = []
        for name in self.files:
            check_readable(name)
        self.outputs = Outputs(taken_files(self.files, arguments.config))
        self._progress = _Progress(self.files)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.clear()
        self.outputs.discard()
        if isinstance(error, KeyboardInterrupt | TerminatedError):
            self.say_summary()
            say("interrupted: no file was written" if self.outputs else "interrupted")

    # -- Input ---------------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of all inputs, as many payloads as are wanted; an input that fails midway ends there."""
        for _, _, block in self._placed_blocks():
            yield block

    def payloads(self) -> Iterator[tuple[Place, Any]]:
        """Give the payloads of all inputs, each with its place, `Rejected` among them for what could not be decoded."""
        for name, line, block in self._placed_blocks():
            for number, payload in placed_payloads(line, block, self.direction.split, self.direction.error):
                yield Place(file=name, line=number), payload
            self.block_done()

    def _placed_blocks(self) -> Iterator[tuple[str, int, Block]]:
        left = self._limit
        for name in self.files:
            for line, block in self._blocks_of(name):
                if left is None:
                    yield name, line, block
                    continue
                found = placed_payloads(line, block, self.direction.split, self.direction.error)
                some = list(islice(found, left))
                left -= len(some)
                yield name, line, some
                if not left:
                    return

    def _blocks_of(self, name: str) -> Iterator[tuple[int, Block]]:
        say_if_waiting(name, self.direction.what)
        before = self._progress.bytes
        try:
            yield from read_blocks(name, self.direction.split, self.direction.error, on_read=self._progress.add)
        except READ_ERRORS as error:
            done = self._progress.bytes - before
            self._failures.append(f"{name}: {reason(error)}{f'; only {done:,} bytes of it were read' if done else ''}")

    # -- Output --------------------------------------------------------------------------------------------------------

    def write(self, text: bytes) -> None:
        """Write what comes out, one record a line, to `--output` or standard output."""
        if "output" in self.outputs:
            self.outputs.write("output", text, text.count(b"\n"))
            return
        with naming_standard_output():
            self._stdout.write(text)

    def show(self, text: str) -> None:
        """Write text for people on standard output, as their terminal has it."""
        self.write(encoded(text))

    @property
    def shows_lines(self) -> bool:
        """Whether people read the output, and get a line a call in place of JSON."""
        return not self._json and "output" not in self.outputs and sys.stdout.isatty()

    def flush(self) -> None:
        """Hand on what is written."""
        with naming_standard_output():
            self._stdout.flush()

    def block_done(self) -> None:
        """Hand on what is written, and show how far we are."""
        self.flush()
        if not self.quiet:
            self._progress.show(self.tally.read, beside_output="output" not in self.outputs)

    def note(self, text: str) -> None:
        """Say something at the end, before the summary."""
        self._notes.append(text)

    def reject(self, outcome: Rejected) -> None:
        """Write down what was rejected; it is the payload counted last."""
        self.write_reject(self.tally.read - 1, reject_record(outcome))

    def write_reject(self, position: int, record: bytes) -> None:
        """Write the record of what was rejected."""
        self.outputs.write("rejects", placed(position, record) + b"\n")

    def add(self, result: BlockResult) -> None:
        """Write and count what else came of a block than events."""
        self.outputs.write("audiences", result.updates, result.tally.audiences)
        for position, record in result.rejects:
            self.write_reject(self.tally.read + position, record)
        self.count(result.tally, result.misdirected)

    def count(self, tally: Tally, misdirected: int) -> None:
        """Count what came of a block that is done."""
        self.tally.add(tally)
        self.misdirected += misdirected
        self.block_done()

    # -- The end -------------------------------------------------------------------------------------------------------

    def finish(self, *, output: int | None = None, with_summary: bool = True) -> int:
        """Put the output files in place, say what became of everything, and give the exit status.

        `output` is the number of records that came out, where it is known.
        """
        self.flush()
        self._progress.clear()
        self.outputs.write("summary_json", FAST.encode(attrs.asdict(self.tally)) + b"\n")
        try:
            self.outputs.put_in_place(
                output=output,
                rejects=self.tally.rejected.total(),
                audiences=self.tally.audiences,
                summary_json=1,
                html=1,
            )
        except UnusableError as error:
            self._failures.append(str(error))
        for failure in self._failures:
            say(f"statsig-segment: {failure}")
        if self.misdirected:
            self.note(f"{self.misdirected:,} of the rejects look like {self.direction.other}")
        for text in self._notes if not self.quiet else ():
            say(f"note: {text}")
        if with_summary:
            self.say_summary()
        return UNUSABLE if self._failures else REJECTED if self.tally.rejected else OK

    def say_summary(self) -> None:
        """Say what became of everything, unless that is not wanted."""
        if self.quiet:
            return
        if sys.stderr is None or not sys.stderr.isatty():
            say(summary_text(self.tally))
            return
        from statsig_segment.cli.screen import Screen, summary  # noqa: PLC0415 - only terminals need it

        screen = Screen(sys.stderr)
        say_as_it_is(screen.text(summary(self.tally, screen.width, outbound=self.direction.outbound)))


def taken_files(files: Sequence[str], config: str | None) -> list[Taken]:
    """List the files that no output may be written to; `UnusableError` where standard output is one of the inputs."""
    output = Taken.stream("standard output", 1)
    inputs = [Taken.of(f"the input {name}", name) for name in files if name != STANDARD_INPUT]
    for each in inputs:
        if each.is_same(output):
            raise UnusableError(f"{each.what}: standard output goes to this very file")
    configs = [] if config in {None, STANDARD_INPUT} else [Taken.of("the configuration", str(config))]
    return [*inputs, *configs, Taken.stream("standard input", 0), output, Taken.stream("standard error", 2)]


def check_readable(name: str) -> None:
    """Find what cannot be read before anything is written; an input is opened once only, as it may be a pipe."""
    if name == STANDARD_INPUT:
        return
    path = Path(name)
    why = None
    if not path.exists():
        why = "no such file"
    elif path.is_dir():
        why = "a directory"
    elif not os.access(path, os.R_OK):
        why = "not allowed to read it"
    if why is not None:
        raise UnusableError(f"{name}: {why}")


def given(payload: Any) -> Any:
    """Give a payload as it was given, be it decoded or not."""
    return payload.payload if isinstance(payload, Rejected) else payload


class Lines:
    """The lines of calls at a terminal, under the names of their files where there are many."""

    def __init__(self, run: Run) -> None:
        """Begin with none."""
        from statsig_segment.cli.screen import Screen  # noqa: PLC0415 - only terminals need it

        self._run = run
        self._screen = Screen(sys.stdout)
        self._file: str | None = None if len(run.files) > 1 else run.files[0]

    def show(self, place: Place, payload: Any, outcome: Any, name: Callable[[Any], tuple[str, str]]) -> None:
        """Show the line of a payload."""
        from statsig_segment.cli.screen import CallLine, call_line  # noqa: PLC0415 - only terminals need it

        if self._run.quiet:
            return
        if place.file != self._file:
            self._file = place.file
            self._run.show(f"{printable(self._file)}:\n")
        line = CallLine(
            place=str(place.line),
            what=name(given(payload)),
            outcome=outcome,
            payload=given(payload),
            outbound=self._run.direction.outbound,
        )
        self._run.show(self._screen.text(call_line(line, self._screen.width)))


class _Progress:
    """A line on a terminal that shows how far a long run is, where it disturbs nothing else."""

    def __init__(self, files: Sequence[str]) -> None:
        self.bytes = 0
        self._total = _size(files)
        self._next = time.monotonic() + _PROGRESS_AFTER
        self._bar: Bar | None = None

    def add(self, size: int) -> None:
        self.bytes += size

    def show(self, read: int, *, beside_output: bool) -> None:
        now = time.monotonic()
        if now < self._next or sys.stderr is None or not sys.stderr.isatty():
            return
        self._next = now + _PROGRESS_EVERY
        from statsig_segment.cli.screen import is_plain, is_terminal, progress  # noqa: PLC0415 - only terminals need it

        if is_plain() or (beside_output and is_terminal(sys.stdout)):
            return
        if self._bar is None:
            self._bar = progress(sys.stderr, self._total)
            self._bar.start()
        self._bar.update(self._bar.task_ids[0], completed=self.bytes, read=read)
        self._bar.refresh()

    def clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _size(files: Sequence[str]) -> int | None:
    """Give the size of all inputs together, `None` where it is not known."""
    paths = [Path(name) for name in files]
    return sum(path.stat().st_size for path in paths) if all(path.is_file() for path in paths) else None
