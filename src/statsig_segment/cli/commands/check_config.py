"""`check-config`: every problem of a configuration, or the settings that it changes."""

import argparse
from typing import Any

import tomli_w

from statsig_segment.cli.arguments import add_file_argument
from statsig_segment.cli.configuration import read_source
from statsig_segment.cli.messages import printable
from statsig_segment.cli.run import OK, encoded, naming_standard_output, say, standard_output
from statsig_segment.configuration.tables import config_table


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
    changed = printable(tomli_w.dumps(config_table(config)))
    what = f"It changes these settings:\n\n{changed}" if changed else "It changes no setting.\n"
    with naming_standard_output():
        output.write(encoded(f"{arguments.config} can be used. {what}"))
    return OK
