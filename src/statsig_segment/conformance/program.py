"""Runs the program under test within limits of time and output, which its child processes share.

The program leads a process group of its own. However the run ends, the whole group is killed, so nothing lives on that
the program started. (A process that leaves the group on purpose lives on, but cannot delay the end of the run.)
A thread for each of the three streams keeps the pipes moving, and ends when its pipe does.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BytesIO
from threading import Thread
from time import monotonic
from typing import IO, Any, Final

import attrs

MEGABYTE: Final = 1_000_000
_CHUNK_BYTES: Final = 1 << 16
_ERROR_OUTPUT_BYTES: Final = 4_000
"""How much of standard error is kept: the end, where tracebacks say what is wrong."""
_DRAINING_SECONDS: Final = 1.0
"""How long the pipes of a killed program may take to run dry."""


@attrs.frozen(kw_only=True)
class Limits:
    """What a run may take."""

    seconds: float
    output_bytes: int


@attrs.frozen(kw_only=True)
class Run:
    """What a program wrote, and how its run ended."""

    output: bytes
    error_output: str
    """The end of what it wrote to standard error, safe to print."""
    problem: str
    """Why the run did not end well; empty if it did."""

    def lines(self) -> Iterator[str]:
        """Yield the lines of the output; only a newline ends one, because JSON may hold U+2028 as it is."""
        return (line.decode(errors="replace") for line in BytesIO(self.output))


def run(command: Sequence[str], questions: bytes, limits: Limits) -> Run:
    """Run a program over the questions; stop it when it exceeds a limit, and keep what it wrote until then.

    Errors: `OSError` if the program cannot be started.
    """
    output, error_output = bytearray(), bytearray()
    with _process_group(command) as program:
        _start(_write, program.stdin, questions)
        reader = _start(_keep_start, program.stdout, output, limits.output_bytes)
        error_reader = _start(_keep_end, program.stderr, error_output)
        is_in_time = _ended(program, reader, limits.seconds)
    for thread in (reader, error_reader):
        thread.join(_DRAINING_SECONDS)
    return Run(
        output=bytes(output),
        error_output=_printable(error_output.decode(errors="replace")),
        problem=_problem(program.returncode, limits, is_in_time=is_in_time, output_bytes=len(output)),
    )


@contextmanager
def _process_group(command: Sequence[str]) -> Generator[subprocess.Popen[bytes]]:
    """Start a program as the leader of a process group, and kill the group at the end."""
    pipe = subprocess.PIPE
    program = subprocess.Popen(  # noqa: S603 - running the program that it is given is the job of this module
        command, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )
    try:
        yield program
    finally:
        _kill_group(program)
        program.wait()


def _kill_group(program: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":  # pragma: no cover - Windows has no process groups: children may live on there
        program.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # nobody is left, or (on macOS) only zombies are
            os.killpg(program.pid, signal.SIGKILL)


def _ended(program: subprocess.Popen[bytes], reader: Thread, seconds: float) -> bool:
    """Wait for the program and for all who share its output; say whether they ended in time."""
    deadline = monotonic() + seconds
    reader.join(seconds)
    try:
        program.wait(max(0, deadline - monotonic()))
    except subprocess.TimeoutExpired:
        return False
    return not reader.is_alive()


def _problem(status: int, limits: Limits, *, is_in_time: bool, output_bytes: int) -> str:
    if output_bytes > limits.output_bytes:
        return f"The program was stopped because it wrote more than {limits.output_bytes / MEGABYTE:g} MB."
    if not is_in_time:
        return f"The program, or a process that it started, was stopped after {limits.seconds:g} seconds."
    if status < 0:
        names = {number.value: number.name for number in signal.Signals}  # those of real time have none
        return f"The program was killed by the signal {names.get(-status, -status)}."
    return f"The program exited with status {status}." if status else ""


def _printable(text: str) -> str:
    """Escape what could steer a terminal, and what it might not be able to show."""
    return "".join(c if c == "\n" or (c.isascii() and c.isprintable()) else ascii(c)[1:-1] for c in text)


# -- The three streams ------------------------------------------------------------------------------------------------


def _start(work: Callable[..., object], *arguments: Any) -> Thread:
    thread = Thread(target=work, args=arguments, daemon=True)
    thread.start()
    return thread


def _write(stream: IO[bytes], questions: bytes) -> None:
    """Write the questions; a program may stop reading whenever it likes."""
    with suppress(BrokenPipeError), stream:
        stream.write(questions)


def _keep_start(stream: IO[bytes], kept: bytearray, max_bytes: int) -> None:
    """Keep what a program writes; one chunk over the limit closes the pipe, so that no more can be written."""
    with stream:
        while len(kept) <= max_bytes and (chunk := os.read(stream.fileno(), _CHUNK_BYTES)):
            kept += chunk


def _keep_end(stream: IO[bytes], kept: bytearray) -> None:
    """Keep the end of what a program writes."""
    with stream:
        while chunk := os.read(stream.fileno(), _CHUNK_BYTES):
            kept += chunk
            del kept[:-_ERROR_OUTPUT_BYTES]
