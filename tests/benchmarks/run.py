"""The one command of the benchmark; `--help` lists its options."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    runpy.run_module("tests.benchmarks.program", run_name="__main__")
