"""Arguments: the parser of each command, and what is wrong with them in plain words; runs nothing."""

import argparse
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NoReturn, Protocol

from typing_extensions import override

from statsig_segment._version import __version__
from statsig_segment.cli.blocks import RecentIds
from statsig_segment.inbound.fast_lane import COMPILED

_shtab: Final[Any] = import_module("shtab") if find_spec("shtab") else None
REMEMBERED: Final = 1_000_000
"""How many message IDs `--deduplicate` remembers."""

_find_choice: Final = re.compile(r"(?:argument (.*): )?invalid choice: '(.*)' \(choose from (.*)\)").fullmatch


class Command(Protocol):
    """What the module of a command has to hold."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the arguments."""
        ...

    def run(self, arguments: Any) -> int:
        """Do the work, and return the exit status."""
        ...


class _Parser(argparse.ArgumentParser):
    """A parser that says what is wrong in one line and what is close to it, without the usage before it."""

    @override
    def error(self, message: str) -> NoReturn:
        if choice := _find_choice(message):
            where, word, words = choice.groups()
            choices = re.findall(r"[\w-]+", words)
            what = "unknown command" if where in {None, "command"} else f"{where}: unknown choice"
            message = f"{what} {word!r}: {_nearest(word, choices) or 'expected ' + ', '.join(choices)}"
        self.exit(2, f"{self.prog}: {message}\nFor help: {self.prog} --help\n")

    @override
    def print_help(self, file: Any = None) -> None:
        print(self.format_help(), end="", file=file)  # argparse hides it where this fails


class _Version(argparse.Action):
    """Prints the version, and fails if standard output does."""

    @override
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"{parser.prog} {__version__} ({'compiled' if COMPILED else 'pure Python'})")
        parser.exit()


def parse(argv: Sequence[str] | None, commands: Mapping[str, tuple[Command, str]]) -> argparse.Namespace:
    """Read the arguments; `SystemExit` once help, the version or what is wrong has been printed."""
    parser = _Parser(
        prog="statsig-segment",
        description="Translate Segment calls to Statsig events, and Statsig's exports to Segment calls.",
        epilog="Input is JSON: one object, array or batch a line, or one over many lines; plain, gzip or zstd. Output "
        "is JSON, or readable text at a terminal. Exit status: 0 if all is well; 1 if something was rejected or, in "
        "compare and diff, differs; 2 for any other problem.",
    )
    parser.add_argument("-V", "--version", action=_Version, nargs=0, help="show the version and exit")
    if _shtab is not None:
        _shtab.add_argument_to(parser, "--print-completion", help="print the completion script of a shell and exit")
    parsers = parser.add_subparsers(required=True, metavar="command", dest="command")
    for name, (command, what) in commands.items():
        added = parsers.add_parser(name, help=what, description=f"{what[0].upper()}{what[1:]}.")
        added.set_defaults(parser=added, run=command.run)
        command.add_arguments(added)
    words = sys.argv[1:] if argv is None else argv
    if not words:
        parser.print_help()
        parser.exit()
    arguments, unknown = parser.parse_known_args(words)
    if unknown:
        options = re.findall(r"--?[a-z][\w-]*", arguments.parser.format_help())
        nearest = _nearest(unknown[0].partition("=")[0], options)
        arguments.parser.error(f"unknown argument {unknown[0]!r}{nearest and f': {nearest}'}")
    return arguments


def _nearest(word: str, words: Sequence[str]) -> str:
    """Return a question that suggests the closest of the words; empty if none is close."""
    return "".join(f"did you mean {near!r}?" for near in get_close_matches(word, words, 1))


# -- Arguments of many commands ----------------------------------------------------------------------------------------


def add_file_argument(
    parser: Any, name: str, text: str, *, short: str | None = None, metavar: str = "FILE", **others: Any
) -> None:
    """Add an argument that names a file, which a shell can complete."""
    added = parser.add_argument(*filter(None, (short, name)), metavar=metavar, help=text, **others)
    added.complete = _shtab and _shtab.FILE


def add_inputs(parser: argparse.ArgumentParser, what: str, *, limit: str = "stop after N calls") -> None:
    """Add the files to read, and the configuration."""
    add_file_argument(parser, "files", f"{what}, in files or folders; standard input if none or -", nargs="*")
    add_config(parser)
    parser.add_argument("-n", "--limit", type=positive, metavar="N", help=limit)


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the configuration."""
    add_file_argument(parser, "--config", "the configuration, in TOML or JSON (default: all defaults)", short="-c")


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the files to write, and what is shown."""
    add_file_argument(parser, "--output", "write JSON to this file instead of standard output", short="-o")
    add_file_argument(parser, "--rejects", "write each rejected payload to this file, with the reason", short="-r")
    add_file_argument(parser, "--summary-json", "write the counts to this file, as one JSON object")
    add_json(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="show only errors: no lines, summary or progress")


def add_deduplicate(parser: argparse.ArgumentParser) -> None:
    """Add the choice to skip repeated calls."""
    parser.add_argument(
        "--deduplicate",
        action="store_true",
        help=f"skip a call if its messageId is one of the last {REMEMBERED:,}; not with --jobs",
    )


def remembered(arguments: argparse.Namespace) -> RecentIds | None:
    """Return what remembers the message IDs, if repeated calls are to be skipped."""
    if arguments.deduplicate and arguments.jobs > 1:
        arguments.parser.error("--deduplicate needs a single process that remembers all IDs: leave out --jobs")
    return RecentIds(REMEMBERED) if arguments.deduplicate else None


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice of JSON."""
    parser.add_argument("--json", action="store_true", help="write JSON, even at a terminal")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the number of processes."""
    parser.add_argument("-j", "--jobs", type=positive, default=1, metavar="N", help="work in N processes (default: 1)")


def whole_from(least: int) -> Callable[[str], int]:
    """Return what parses a whole number of at least this."""

    def parse(text: str) -> int:
        with suppress(ValueError):
            if (number := int(text)) >= least:
                return number
        raise argparse.ArgumentTypeError(f"expected a whole number from {least}, not {text!r}")

    return parse


positive: Final = whole_from(1)
from_zero: Final = whole_from(0)
