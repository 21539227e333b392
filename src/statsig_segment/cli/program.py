"""The program: parse the arguments, run the command, return an exit status, and print one line for any failure.

Exit status: 0; 1 where anything was rejected or, in `compare`, differs, and for no other reason; 2 for anything else
that went wrong; 130 when interrupted; 141, without a word, when standard output was closed before all was written, as
`head` closes it. A signal that asks the process to end still ends it, once unfinished files are removed.
"""

import os
import signal
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from traceback import extract_tb
from typing import Any, Final

from statsig_segment.cli.arguments import parse
from statsig_segment.cli.commands import COMMANDS
from statsig_segment.cli.configuration import BrokenConfigError
from statsig_segment.cli.outputs import UnusableError, reason
from statsig_segment.cli.processes import WorkerError
from statsig_segment.cli.run import OK, UNUSABLE, TerminatedError, naming_standard_output, say

INTERRUPTED: Final = 130
CLOSED: Final = 141  # 128 + SIGPIPE, as a shell says it of any other program

_ENDING: Final = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name))


def run(argv: Sequence[str] | None) -> int:
    """Run the command line, and return its exit status; raises nothing."""
    try:
        with _ending_in_order():
            return _run(argv)
    except BrokenPipeError:
        return CLOSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except TerminatedError as signaled:
        os.kill(os.getpid(), signaled.args[0])  # end as the signal would have ended this process
        return 128 + int(signaled.args[0])
    except Exception as error:  # noqa: BLE001 - nothing else may end with the status of rejects
        say(what_went_wrong(error))
        return UNUSABLE
    finally:
        _let_go(sys.stdout)
        _let_go(sys.stderr)


def _run(argv: Sequence[str] | None) -> int:
    try:
        with naming_standard_output():
            arguments = parse(argv, COMMANDS)
        status: int = arguments.run(arguments)
    except SystemExit as done:  # argparse has already printed the help, the version, or the error
        status = int(done.code or OK)
    if sys.stdout is not None:
        with naming_standard_output():
            sys.stdout.flush()
    return status


def what_went_wrong(error: Exception) -> str:
    """Print in one line what went wrong."""
    match error:
        case BrokenConfigError():
            return str(error)
        case OSError(filename=str(name)):
            return f"statsig-segment: {name}: {reason(error)}"
        case UnusableError() | WorkerError() | OSError():
            return f"statsig-segment: {reason(error)}"
        case ModuleNotFoundError(name=str(name)):
            package = name.partition(".")[0].replace("_", "-")
            return f"statsig-segment: this needs {package}: pip install {package}"
        case MemoryError():
            return "statsig-segment: not enough memory"
        case _:  # without its message, which may hold a value of a payload
            frames = extract_tb(error.__traceback__)[-1:]
            place = "".join(f" in {Path(frame.filename).name}, line {frame.lineno}" for frame in frames)
            return f"statsig-segment: unexpected {type(error).__name__}{place}; please report it"


@contextmanager
def _ending_in_order() -> Generator[None]:
    """Make signals that end the process raise `TerminatedError`, so that unfinished files are removed."""
    with suppress(ValueError):  # not in the main thread
        for number in _ENDING:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, _terminate)
    try:
        yield
    finally:
        for number in _ENDING:
            if signal.getsignal(number) is _terminate:
                signal.signal(number, signal.SIG_DFL)


def _terminate(number: int, _frame: object) -> None:
    raise TerminatedError(number)


def _let_go(stream: Any) -> None:
    """Flush a standard stream, or discard the rest; otherwise the interpreter prints an error when it exits."""
    with suppress(AttributeError, ValueError):
        try:
            stream.flush()
        except OSError:
            with suppress(OSError), Path(os.devnull).open("wb") as nowhere:
                os.dup2(nowhere.fileno(), stream.fileno())
