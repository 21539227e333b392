"""`python -m statsig_segment`: the command line; reads nothing and writes nothing itself."""

import sys

from statsig_segment.cli import main

if __name__ == "__main__":  # not where a process of `--jobs` imports this anew
    sys.exit(main())
