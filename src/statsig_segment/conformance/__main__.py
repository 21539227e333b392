"""`python -m statsig_segment.conformance`: see `command`."""

import sys

from statsig_segment.conformance.command import main

if __name__ == "__main__":
    sys.exit(main())
