"""The command line: everything that reads and writes; the library itself does neither."""

from statsig_segment.cli.commands import main

__all__ = ["main"]
