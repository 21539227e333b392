"""`python -m statsig_segment.conformance`: see `runner`."""

import sys

from statsig_segment.conformance.runner import main

if __name__ == "__main__":
    sys.exit(main())
