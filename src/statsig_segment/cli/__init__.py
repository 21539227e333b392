"""The command line: everything that reads and writes; the library itself does neither."""

from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and return its exit status; raises nothing.

    >>> from statsig_segment.cli import main
    >>> main(["check-config", "no-such-file.toml"])
    2
    """
    try:
        from statsig_segment.cli.program import run  # noqa: PLC0415 - its import may be interrupted, too
    except KeyboardInterrupt:
        return 130
    return run(argv)
