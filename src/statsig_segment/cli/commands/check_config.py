"""`check-config`: every problem of a configuration, or the settings that it changes."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from statsig_segment._json.values import is_array, is_object
from statsig_segment.cli.arguments import add_file_argument
from statsig_segment.cli.configuration import read_source
from statsig_segment.cli.messages import printable, shown
from statsig_segment.cli.run import OK, encoded, naming_standard_output, say, standard_output
from statsig_segment.configuration.tables import config_table
from statsig_segment.errors import join_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the argument of the command."""
    add_file_argument(parser, "config", "TOML or JSON; - is standard input")


def run(arguments: Any) -> int:
    """Check, and give the exit status."""
    source = read_source(arguments.config)
    config = source.load()
    output = standard_output()
    for warning in source.warnings(config):
        say(warning)
    changed = "".join(
        f"  {printable(path[2:])} = {shown(value)}\n" for path, value in _settings(config_table(config), "$")
    )
    what = f"It changes these settings:\n{changed}" if changed else "It changes no setting.\n"
    with naming_standard_output():
        output.write(encoded(f"{arguments.config} can be used. {what}"))
    return OK


def _settings(table: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any]]:
    """Yield each setting of a table with its path, each row of a list of tables apart."""
    for key, value in table.items():
        below = join_path(path, key)
        if is_object(value) and value:
            yield from _settings(value, below)
        elif is_array(value) and any(map(is_object, value)):
            yield from ((f"{below}[{index}]", row) for index, row in enumerate(value))
        else:
            yield below, value
