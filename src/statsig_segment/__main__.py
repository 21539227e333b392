"""`python -m statsig_segment`: the command line; reads nothing and writes nothing itself."""

from statsig_segment.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
