"""One run of a command over its inputs: its output files, its counts, its progress, and how it ends."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, Self

from statsig_segment.cli.blocks import Block, Tally, block_payloads, placed, reject_record
from statsig_segment.cli.files import READ_ERRORS, STANDARD_INPUT, read_blocks
from statsig_segment.cli.records import Split
from statsig_segment.cli.screen import printable, summary_text
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.outcomes import Rejected

OK: Final = 0
REJECTED: Final = 1
UNUSABLE: Final = 2

_PROGRESS_AFTER: Final = 1.0  # seconds
_PROGRESS_EVERY: Final = 0.2
_CLEAR_LINE: Final = "\r\x1b[K"


class UnusableError(Exception):
    """Something about arguments or files because of which there is nothing to do."""


def standard_output() -> BinaryIO:
    """Give standard output as bytes; `UnusableError` where it is closed."""
    if sys.stdout is None:
        raise UnusableError("standard output is closed")
    return sys.stdout.buffer


def tell(text: str) -> None:
    """Write a line for people, on standard error."""
    if sys.stderr is not None:
        sys.stderr.write(f"{printable(text)}\n")


def reason(error: Exception) -> str:
    """Say why a file cannot be used, without its name."""
    return (isinstance(error, OSError) and error.strerror) or str(error)


class Task:
    """One run of a command: what it reads, writes and counts."""

    def __init__(self, files: Sequence[str], split: Split, error: type[StatsigSegmentError]) -> None:
        """Begin with these inputs, none meaning standard input; `UnusableError` where one cannot be read."""
        self.tally = Tally()
        self.stdout = standard_output()
        self._files = files or (STANDARD_INPUT,)
        self._split = split
        self._error = error
        self._failures: list[str] = []
        self._outputs: dict[str, BinaryIO] = {}
        self._opened = ExitStack()
        self._progress = _Progress()
        for name in self._files:
            _check_readable(name)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._progress.clear()
        self._opened.__exit__(kind, error, traceback)

    def open_outputs(self, **names: str | None) -> None:
        """Open files to write to, as far as they are named; `UnusableError` where one is an input or named twice."""
        taken = [name for name in self._files if name != STANDARD_INPUT]
        for kind, name in names.items():
            if name is None:
                continue
            if name == STANDARD_INPUT or any(_is_same(name, other) for other in taken):
                raise UnusableError(f"--{kind} {name}: not a file of its own")
            taken.append(name)
            self._outputs[kind] = self._opened.enter_context(Path(name).open("wb"))  # noqa: SIM115 - it is

    def writes(self, kind: str) -> bool:
        """Tell whether there is such an output."""
        return kind in self._outputs

    def write(self, kind: str, text: bytes) -> None:
        """Write to an output, if there is such a one."""
        if kind in self._outputs:
            self._outputs[kind].write(text)

    def blocks(self) -> Iterator[Block]:
        """Give the blocks of all inputs; one that fails half-way ends there, and the others go on."""
        for name in self._files:
            try:
                yield from read_blocks(name, self._split, self._error)
            except READ_ERRORS as error:
                self._failures.append(f"{name}: {reason(error)}")

    def payloads(self) -> Iterator[Any]:
        """Give the payloads of all inputs, `Rejected` among them for what could not be decoded."""
        for block in self.blocks():
            yield from block_payloads(block, self._split, self._error)
            self.block_done()

    def block_done(self) -> None:
        """Hand on what is written, and show how far we are."""
        self.stdout.flush()
        self._progress.show(self.tally)

    def reject(self, outcome: Rejected) -> None:
        """Write down what was rejected; it is the payload counted last."""
        self.write_reject(self.tally.read - 1, reject_record(outcome))

    def write_reject(self, position: int, record: bytes) -> None:
        """Write the record of what was rejected."""
        self.write("rejects", placed(position, record) + b"\n")

    def finish(self) -> int:
        """Tell what became of everything, and give the exit status."""
        self.stdout.flush()
        self._progress.clear()
        for failure in self._failures:
            tell(f"statsig-segment: {failure}")
        tell(summary_text(self.tally))
        return UNUSABLE if self._failures else REJECTED if self.tally.rejected else OK


def _check_readable(name: str) -> None:
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


def _is_same(name: str, other: str) -> bool:
    return Path(name).is_file() and Path(other).is_file() and Path(name).samefile(other)


class _Progress:
    """A line on a terminal that tells how far a long run is."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _PROGRESS_AFTER
        self._shows = False

    def show(self, tally: Tally) -> None:
        now = time.monotonic()
        if now < self._next or sys.stderr is None or not sys.stderr.isatty():
            return
        self._next = now + _PROGRESS_EVERY
        self._shows = True
        sys.stderr.write(f"{_CLEAR_LINE}{summary_text(tally).partition(chr(10))[0]}")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._shows:
            self._shows = False
            sys.stderr.write(_CLEAR_LINE)
