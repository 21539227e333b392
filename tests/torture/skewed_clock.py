"""Run the service with a clock that is wrong by as many seconds as the file named in `CLOCK_OFFSET` says."""

import os
import runpy
import sys
import time
from pathlib import Path

right_ns = time.time_ns
offset = Path(os.environ["CLOCK_OFFSET"])


def wrong_ns() -> int:
    return right_ns() + int(offset.read_text(encoding="ascii") or 0) * 1_000_000_000


time.time_ns = wrong_ns
time.time = lambda: wrong_ns() / 1e9
sys.path.insert(0, str(Path.cwd()))
runpy.run_module("webhook_service", run_name="__main__", alter_sys=True)
