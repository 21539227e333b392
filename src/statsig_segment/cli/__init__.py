"""The command line: everything that reads and writes; the library itself does neither."""

import importlib.util
import sys
from collections.abc import Sequence

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line, and give its exit status; raises nothing.

    >>> from statsig_segment.cli import main
    >>> main(["check-config", "no-such-file.toml"])
    2
    """
    if any(importlib.util.find_spec(name) is None for name in ("rich", "shtab", "tomli_w")):
        print("statsig-segment: the command needs its extra: pip install 'statsig-segment[cli]'", file=sys.stderr)
        return 2
    from statsig_segment.cli.program import run  # noqa: PLC0415 - who uses only parts of this package needs no extra

    return run(argv)
