"""Arguments: the parser of each command, and what is wrong with them in plain words; runs nothing."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs
import shtab
from typing_extensions import override

from statsig_segment._version import __version__

INPUT: Final = "- or none is standard input"
_SHELLS: Final = tuple(shtab.SUPPORTED_SHELLS)


@attrs.frozen(kw_only=True)
class Command:
    """A command: what it does, its arguments, and the function that runs it and gives the exit status."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Any], int]


class _Parser(argparse.ArgumentParser):
    """A parser whose help does not pass for printed where it could not be."""

    @override
    def print_help(self, file: Any = None) -> None:
        print(self.format_help(), end="", file=file)


class _Version(argparse.Action):
    """Prints the version, likewise."""

    @override
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        print(f"{parser.prog} {__version__}")
        parser.exit()


def parse(argv: Sequence[str] | None, commands: Mapping[str, Command]) -> argparse.Namespace:
    """Read the arguments; `SystemExit` once help, the version or what is wrong has been printed."""
    arguments, unknown = make_parser(commands).parse_known_args(argv)
    if unknown:
        arguments.parser.error(f"unknown argument: {' '.join(unknown)}")
    return arguments


def make_parser(commands: Mapping[str, Command]) -> argparse.ArgumentParser:
    """Make the parser of the program."""
    parser = _Parser(
        prog="statsig-segment",
        description="Segment calls to Statsig events, and Statsig's exports to Segment calls.",
        epilog="Input is JSON: an object, array or batch envelope a line, or one of them over many lines; plain, gzip "
        "or zstd. Output is JSON, or at a terminal what people read. Exit status: 0; 1 where anything was rejected or, "
        "in compare, differs; 2 for anything else that went wrong.",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    shtab.add_argument_to(parser, "--print-completion", help="print what completes arguments in this shell, and exit")
    parsers = parser.add_subparsers(required=True, metavar="command", dest="command")
    for name, command in commands.items():
        added = parsers.add_parser(name, help=command.help, description=f"{command.help[0].upper()}{command.help[1:]}.")
        added.set_defaults(parser=added)
        command.add_arguments(added)
    return parser


# -- Arguments of many commands ----------------------------------------------------------------------------------------


def add_file_argument(parser: Any, name: str, text: str, *, metavar: str = "FILE", **others: Any) -> None:
    """Add an argument that names a file, which a shell can complete."""
    parser.add_argument(name, metavar=metavar, help=text, **others).complete = shtab.FILE


def add_inputs(parser: argparse.ArgumentParser, what: str, *, limit: str = "stop after N calls") -> None:
    """Add the files to read, and the configuration."""
    add_file_argument(parser, "files", f"{what}; {INPUT}", nargs="*")
    add_file_argument(parser, "--config", "the configuration, TOML or JSON; without one, the default")
    parser.add_argument("--limit", type=positive, metavar="N", help=limit)


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the files to write, and what is shown."""
    add_file_argument(parser, "--output", "write JSON to this file, not to standard output")
    add_file_argument(parser, "--rejects", "write what was rejected, and why, to this file")
    add_file_argument(parser, "--summary-json", "write the counts to this file, as one JSON object")
    parser.add_argument("--json", action="store_true", help="write JSON at a terminal, too")
    parser.add_argument("--quiet", action="store_true", help="show nothing but errors: no lines, summary or progress")


def positive(text: str) -> int:
    """Read a whole number from 1."""
    return _whole(text, 1)


def from_zero(text: str) -> int:
    """Read a whole number from 0."""
    return _whole(text, 0)


def _whole(text: str, least: int) -> int:
    try:
        number = int(text)
    except ValueError:
        number = least - 1
    if number < least:
        raise argparse.ArgumentTypeError(f"expected a whole number from {least}, not {text!r}")
    return number
