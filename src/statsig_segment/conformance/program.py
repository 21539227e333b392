"""Runs the program under test within limits of time and output, and leaves none of its processes behind.

Questions and answers go through temporary files, so no pipe can fill up and the output is bounded by looking at the
files. The program leads a process group of its own, and its environment carries a mark that its children inherit. At
the end of the run the group is killed and, where there is a /proc (Linux), every other process with the mark, so a
child that starts a session of its own does not survive either. What survives: on Linux a process that was started with
an empty environment and left the group; on macOS any process that left the group; on Windows all children.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, Final, NamedTuple
from uuid import uuid4

MEGABYTE: Final = 1_000_000
_ERROR_OUTPUT_BYTES: Final = 4_000
"""How much of standard error is kept: the end, where tracebacks say what is wrong."""
_LOOK_SECONDS: Final = 0.05
"""How often the size of the output is looked at."""
_MARK: Final = "STATSIG_SEGMENT_CONFORMANCE_RUN"
_PASSES: Final = 3
"""How often marked processes are looked for: one may start another while it is being found."""


class Run(NamedTuple):
    """What a program wrote, and how its run ended."""

    output: bytes
    error_output: str
    """The end of what it wrote to standard error, safe to print."""
    problem: str
    """Why the run did not end well; empty if it did."""

    def lines(self) -> Iterator[str]:
        """Yield the lines of the output; only a newline ends one, because JSON may hold U+2028 as it is."""
        return (line.decode(errors="replace") for line in BytesIO(self.output))


def run(command: Sequence[str], questions: bytes, *, seconds: float, output_bytes: int) -> Run:
    """Run a program over the questions; stop it when it exceeds a limit, and keep what it wrote until then.

    Args:
        command: The program and its arguments.
        questions: What it reads from standard input.
        seconds: How long it may run.
        output_bytes: How much it may write to standard output and standard error together.

    Returns:
        What it wrote, and how it ended.

    Raises:
        OSError: The program cannot be started.

    """
    with TemporaryFile() as asked, TemporaryFile() as output, TemporaryFile() as errors:
        asked.write(questions)
        asked.seek(0)
        mark = uuid4().hex
        program = subprocess.Popen(  # noqa: S603 - running the program that it is given is the job of this module
            command,
            stdin=asked,
            stdout=output,
            stderr=errors,
            env={**os.environ, _MARK: mark},
            start_new_session=True,
        )
        try:
            problem = _watch(program, (output, errors), seconds, output_bytes)
        finally:
            _kill_all(program, f"{_MARK}={mark}".encode())
        output.seek(0)
        errors.seek(max(0, _size(errors) - _ERROR_OUTPUT_BYTES))
        return Run(
            output=output.read(output_bytes + 1),
            error_output=_printable(errors.read().decode(errors="replace")),
            problem=problem,
        )


def _kill_all(program: subprocess.Popen[bytes], mark: bytes) -> None:
    """Kill the program, its process group, and every process that carries the mark."""
    if sys.platform == "win32":  # pragma: no cover - Windows has no process groups
        program.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):  # no process is left, or (on macOS) only zombies are
            os.killpg(program.pid, signal.SIGKILL)
    program.wait()
    for environment in chain.from_iterable(Path("/proc").glob("[0-9]*/environ") for _ in range(_PASSES)):
        with suppress(OSError):  # it has ended, or belongs to somebody else
            if mark in environment.read_bytes():
                os.kill(int(environment.parent.name), signal.SIGKILL)


def _watch(program: subprocess.Popen[bytes], streams: Sequence[IO[bytes]], seconds: float, output_bytes: int) -> str:
    """Wait for the end of the program, or until it exceeds a limit; return the problem, empty if there is none."""
    deadline = monotonic() + seconds
    while True:
        left = deadline - monotonic()
        with suppress(subprocess.TimeoutExpired):
            program.wait(min(_LOOK_SECONDS, max(0, left)))
        if sum(map(_size, streams)) > output_bytes:
            return f"The program was stopped because it wrote more than {output_bytes / MEGABYTE:g} MB."
        if program.returncode is not None:
            return _bad_end(program.returncode)
        if left <= 0:
            return f"The program was stopped after {seconds:g} seconds."


def _size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def _bad_end(status: int) -> str:
    if status < 0:
        names = {number.value: number.name for number in signal.Signals}  # those of real time have none
        return f"The program was killed by the signal {names.get(-status, -status)}."
    return f"The program exited with status {status}." if status else ""


def _printable(text: str) -> str:
    """Escape what could steer a terminal, and what it might not be able to show."""
    return "".join(c if c == "\n" or (c.isascii() and c.isprintable()) else ascii(c)[1:-1] for c in text)
