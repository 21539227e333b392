"""Makes the clock wrong by as many seconds as the file named in `CLOCK_OFFSET` says.

Python imports a module of this name before a program starts, if its folder is in `PYTHONPATH`.
"""

import os
import time
from pathlib import Path

right_ns = time.time_ns
offset = Path(os.environ["CLOCK_OFFSET"])


def wrong_ns() -> int:
    return right_ns() + int(offset.read_text(encoding="ascii") or 0) * 1_000_000_000


time.time_ns = wrong_ns
time.time = lambda: wrong_ns() / 1e9
