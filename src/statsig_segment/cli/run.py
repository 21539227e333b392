"""One run of a command over its inputs: what it reads, its output files, its counts, its progress, and how it ends."""

import os
import sys
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Self

import attrs

from statsig_segment.cli.blocks import (
    STANDARD_INPUT,
    Block,
    BlockResult,
    Payloads,
    Place,
    reject_record,
    update_line,
)
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.files import READ_ERRORS, look, read_blocks
from statsig_segment.cli.messages import printable, summary_record, summary_text
from statsig_segment.cli.outputs import Outputs, UnusableError, identity, reason
from statsig_segment.cli.records import Direction
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.insight.preview import Counts, GrowingCounts
from statsig_segment.outcomes import Rejected, settled

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

OK: Final = 0
REJECTED: Final = 1
UNUSABLE: Final = 2

_PROGRESS_AFTER: Final = 1.0  # seconds
_PROGRESS_EVERY: Final = 0.2  # seconds: often enough to look alive, too seldom to cost anything


class TerminatedError(BaseException):
    """A signal asks this process to end; holds its number."""


# -- Standard streams --------------------------------------------------------------------------------------------------


def standard_output() -> BinaryIO:
    """Return standard output as bytes; raise `UnusableError` if it is closed."""
    if sys.stdout is None:
        raise UnusableError("standard output is closed")
    return sys.stdout.buffer


@contextmanager
def naming_standard_output() -> Generator[None]:
    """Turn an error of writing into one that names standard output, except that of a closed pipe."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UnusableError(f"standard output: {reason(error)}") from None


def encoded(text: str) -> bytes:
    """Return text for people in the encoding of their terminal."""
    return text.encode(sys.stdout.encoding, "backslashreplace")


def say(text: str, *, is_safe: bool = False) -> None:
    """Write lines for people to standard error; make text from elsewhere safe to show."""
    with suppress(AttributeError, OSError, ValueError):  # if it is closed or full, nothing is left to report that to
        sys.stderr.write(text if is_safe else f"{printable(text)}\n")
        sys.stderr.flush()


def say_if_waiting(name: str, what: str) -> None:
    """Print that the command is waiting for input, if that comes from a terminal."""
    if name == STANDARD_INPUT and sys.stdin is not None and sys.stdin.isatty():
        end = "Ctrl-Z and Enter" if os.name == "nt" else "Ctrl-D"
        say(f"Reading {what} from the terminal, as JSON, one a line; end with {end}.")


def can_show(stream: Any) -> bool:
    """Return whether a stream is a terminal, and rich is there to write for it."""
    return stream is not None and stream.isatty() and find_spec("rich") is not None


# -- Input files -------------------------------------------------------------------------------------------------------


def input_files(names: Sequence[str]) -> list[str]:
    """Return the files to read, with those in a folder for the folder; raise `UnusableError` if one is unreadable.

    The check is here so that nothing is written if one is unreadable. An input is opened only once: it may be a pipe.
    """
    found: list[str] = []
    for name in names:
        if name == STANDARD_INPUT or not Path(name).is_dir():
            found.append(name)
            continue
        inside = (path for path in Path(name).rglob("*") if path.is_file() and not path.name.startswith("."))
        files = sorted(map(str, inside))
        if not files:
            raise UnusableError(f"{name}: no files in this folder")
        found += files
    for name in found:
        if name != STANDARD_INPUT and not os.access(name, os.R_OK):
            raise UnusableError(f"{name}: {'not allowed to read it' if Path(name).exists() else 'no such file'}")
    return found


def taken_files(files: Sequence[str], config: str | None) -> dict[Hashable, str]:
    """Return the files that no output may go to; raise `UnusableError` if standard output is one of the inputs."""
    inputs = {identity(name): f"the input {name}" for name in files if name != STANDARD_INPUT}
    output = identity(1)
    if output is not None and output in inputs:
        raise UnusableError(f"{inputs[output]}: standard output goes to the same file")
    taken = {identity(0): "standard input", identity(2): "standard error", output: "standard output"}
    if config is not None and config != STANDARD_INPUT:
        taken[identity(config)] = "the configuration"
    taken |= inputs
    taken.pop(None, None)
    return taken


# -- The run -----------------------------------------------------------------------------------------------------------


class Run:
    """One run of a command."""

    def __init__(self, arguments: Any, direction: Direction) -> None:
        """Begin with the inputs named, none meaning standard input; raise `UnusableError` if one cannot be read."""
        self.counts = GrowingCounts()
        self.misdirected = 0
        self.direction = direction
        self.files: Sequence[str] = input_files(arguments.files or (STANDARD_INPUT,))
        self.quiet: bool = getattr(arguments, "quiet", False)
        self._json: bool = getattr(arguments, "json", True)
        self._stdout = standard_output()
        self._limit: int | None = arguments.limit
        self._skip: int = (getattr(arguments, "at", None) or 1) - 1
        self._place = Place(STANDARD_INPUT, 1)
        self._failures: list[str] = []
        self.notes: list[str] = []  # printed at the end, before the summary
        self._looks: dict[str, str] = {}  # what an input looks like -> the last file of this kind
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
            self._say_summary()
            say("interrupted: no file was written" if self.outputs else "interrupted")

    # -- Input ---------------------------------------------------------------------------------------------------------

    def blocks(self) -> Iterator[Block]:
        """Yield the blocks of all inputs, as many payloads as are wanted; an input that fails midway ends there."""
        left, skip = self._limit, self._skip
        for name in self.files:
            for block in self._blocks_of(name):
                if left is None:
                    yield block
                    continue
                payloads = Payloads(block, self.direction)
                some = [(payloads.line, payload) for payload in islice(payloads, left)]
                yield attrs.evolve(block, data=some[skip:])
                left, skip = left - len(some), max(0, skip - len(some))
                if not left:
                    return

    def _blocks_of(self, name: str) -> Iterator[Block]:
        say_if_waiting(name, self.direction.what)
        before = self._progress.bytes
        is_first = True
        try:
            for block in read_blocks(name, self.direction, on_read=self._progress.add):
                if is_first and (what := look(block)):
                    self._looks[what] = "standard input" if name == STANDARD_INPUT else name
                is_first = False
                yield block
        except READ_ERRORS as error:
            done = self._progress.bytes - before
            self._failures.append(f"{name}: {reason(error)}{f'; only {done:,} bytes of it were read' if done else ''}")

    def outcomes(self, translate: Callable[[Payloads], Iterable[Any]]) -> Iterator[tuple[Place, Any, Any]]:
        """Translate all payloads one by one: yield the place of each, the payload as it was given, and its outcome.

        Each is counted, and what belongs into the other output files is written.
        """
        for block in self.blocks():
            payloads = Payloads(block, self.direction)
            for result in translate(payloads):
                outcome = settled(result)
                payload = outcome.payload if isinstance(payloads.payload, Rejected) else payloads.payload
                self._place = Place(block.file, payloads.line)
                if isinstance(outcome, Rejected):
                    self.reject(outcome)
                else:
                    self.counts.add(outcome)
                    if isinstance(outcome, AudienceUpdate):
                        self.outputs.write("audiences", update_line(outcome))
                yield self._place, payload, outcome
            self._block_done()

    # -- Output --------------------------------------------------------------------------------------------------------

    def write(self, text: bytes) -> None:
        """Write the results, one record a line, to `--output` or standard output."""
        if "output" in self.outputs:
            self.outputs.write("output", text, text.count(b"\n"))
            return
        with naming_standard_output():  # a terminal might obey control characters, even in JSON
            self._stdout.write(printable(text.decode()).encode() if sys.stdout.isatty() else text)

    def show(self, text: str) -> None:
        """Write text for people on standard output, as their terminal has it."""
        with naming_standard_output():
            self._stdout.write(encoded(text))

    @property
    def shows_lines(self) -> bool:
        """Whether people read the output, who get one line for each call instead of JSON."""
        return not self._json and "output" not in self.outputs and can_show(sys.stdout)

    def show_lines(self, outcomes: Iterable[tuple[Place, Any, Any]]) -> None:
        """Show one line for each outcome, under the names of the files where there are many."""
        from statsig_segment.cli.screen import Screen, call_line  # noqa: PLC0415 - only terminals need it

        screen = Screen(sys.stdout)
        file = None if len(self.files) > 1 else self.files[0]
        for place, payload, outcome in outcomes:
            if self.quiet:
                continue
            if place.file != file:
                file = place.file
                self.show(f"{printable(file)}:\n")
            line = call_line(place, payload, outcome, screen.width, outbound=self.direction.outbound)
            self.show(screen.text(line))

    def _block_done(self) -> None:
        """Hand on what is written, and show the progress."""
        with naming_standard_output():
            self._stdout.flush()
        if not self.quiet:
            self._progress.show(self.counts.read, beside_output="output" not in self.outputs)

    def reject(self, outcome: Rejected) -> None:
        """Count the rejection of the latest payload, and write it to the rejects."""
        self._write_reject(self.counts.read, reject_record(outcome, self._place))
        self.counts.add(outcome)
        self.misdirected += self.direction.is_other(outcome.payload)

    def _write_reject(self, position: int, record: bytes) -> None:
        self.outputs.write("rejects", b'{"position":%d,%b\n' % (position, record[1:]))

    def add(self, result: BlockResult) -> None:
        """Write and count the results of a block other than events."""
        self.outputs.write("audiences", result.updates, result.counts.audiences)
        for position, record in result.rejects:
            self._write_reject(self.counts.read + position, record)
        self.count(result.counts, result.misdirected)

    def count(self, counts: Counts, misdirected: int) -> None:
        """Count the results of a finished block."""
        self.counts.merge(counts)
        self.misdirected += misdirected
        self._block_done()

    # -- The end -------------------------------------------------------------------------------------------------------

    def finish(self, *, output: int | None = None, with_summary: bool = True) -> int:
        """Move the output files in place, print the summary, and return the exit status.

        `output` is the number of records that came out, where it is known.
        """
        self._block_done()
        self._progress.clear()
        self.outputs.write("summary_json", FAST.encode(summary_record(self.counts.frozen(Counts))) + b"\n")
        rejected = sum(self.counts.rejected.values())
        try:
            self.outputs.put_in_place(
                output=output, rejects=rejected, audiences=self.counts.audiences, summary_json=1, html=1
            )
        except UnusableError as error:
            self._failures.append(str(error))
        for failure in self._failures:
            say(f"statsig-segment: {failure}")
        if self.misdirected:
            looks = "looks" if self.misdirected == 1 else "look"
            self.notes.append(f"{self.misdirected:,} of the rejects {looks} like {self.direction.other}")
        for what, file in self._looks.items() if rejected else ():
            self.notes.append(f"{file} looks like {what}")
        for text in self.notes if not self.quiet else ():
            say(f"note: {text}")
        if with_summary:
            self._say_summary()
        return UNUSABLE if self._failures else REJECTED if rejected else OK

    def _say_summary(self) -> None:
        counts = self.counts.frozen(Counts)
        if self.quiet:
            return
        if not can_show(sys.stderr):
            say(summary_text(counts))
            return
        from statsig_segment.cli.screen import Screen, summary  # noqa: PLC0415 - only terminals need it

        screen = Screen(sys.stderr)
        say(screen.text(summary(counts, screen.width, outbound=self.direction.outbound)), is_safe=True)


class _Progress:
    """A line on a terminal that shows the progress of a long run, unless it would disturb other output."""

    def __init__(self, files: Sequence[str]) -> None:
        paths = [Path(name) for name in files]
        self.bytes = 0
        self._total = sum(path.stat().st_size for path in paths) if all(path.is_file() for path in paths) else None
        self._start = time.monotonic()
        self._next = self._start + _PROGRESS_AFTER
        self._bar: Bar | None = None

    def add(self, size: int) -> None:
        self.bytes += size

    def show(self, read: int, *, beside_output: bool) -> None:
        now = time.monotonic()
        if now < self._next or not can_show(sys.stderr):
            return
        self._next = now + _PROGRESS_EVERY
        from statsig_segment.cli.screen import is_plain, is_terminal, progress  # noqa: PLC0415 - only terminals need it

        if is_plain() or (beside_output and is_terminal(sys.stdout)):
            return
        if self._bar is None:
            self._bar = progress(sys.stderr, self._total)
            self._bar.start()
        rate = read / max(now - self._start, _PROGRESS_EVERY)
        self._bar.update(self._bar.task_ids[0], completed=self.bytes, read=read, rate=rate, refresh=True)

    def clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
