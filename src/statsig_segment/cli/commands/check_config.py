"""`check-config`: every problem of a configuration, or what it does."""

import argparse
from typing import Any

from statsig_segment.cli.arguments import add_file_argument
from statsig_segment.cli.configuration import read_source
from statsig_segment.cli.description import config_text
from statsig_segment.cli.run import OK, encoded, naming_standard_output, say, standard_output


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
    with naming_standard_output():
        output.write(encoded(f"{arguments.config} can be used.\n\n{config_text(config)}\n"))
    return OK
