"""What `import statsig_segment` costs and loads, in fresh interpreters that take turns."""

import os
import subprocess
import sys
from collections.abc import Mapping
from tempfile import TemporaryDirectory
from typing import Final

from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.timing import Times, ratios

UNWANTED: Final = ("argparse", "cattrs", "jsonschema", "orjson", "tomllib")
MODULES: Final = ("attrs", "statsig_segment", "cattrs", "pydantic")

_TIME: Final = """
import sys, time
start = time.process_time_ns()
import {module}
print(time.process_time_ns() - start)
"""
_LOADED: Final = f"import sys, statsig_segment; print(*[name for name in {UNWANTED!r} if name in sys.modules])"


def compiling_into(folder: str) -> dict[str, str]:
    """Give an environment in which compiled files are kept, as an installed package has them."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": folder}


def _python(code: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


def _times(rounds: int, environment: Mapping[str, str]) -> Times:
    times: Times = {module: [] for module in MODULES}
    for turn in range(-1, rounds):
        at = turn % len(MODULES)
        for module in MODULES[at:] + MODULES[:at]:
            nanoseconds = int(_python(_TIME.format(module=module), environment))
            if turn >= 0:  # the first round writes the compiled files
                times[module].append(nanoseconds)
    return times


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds; compiled files are kept for all modules alike."""
    with TemporaryDirectory() as folder:
        environment = compiling_into(folder)
        times = _times(max(4, int(seconds)), environment)
        unwanted = _python(_LOADED, environment).split()
    own = times["statsig_segment"]
    return [
        _against("attrs", times, at_most=1.8),
        _against("cattrs", times),
        _against("pydantic", times),
        spread("ms", "`import statsig_segment`", [time / 1e6 for time in own], unit="ms"),
        single("unwanted", f"modules loaded of {', '.join(UNWANTED)}", len(unwanted), unit="", at_most=0),
    ]


def _against(module: str, times: Times, at_most: float | None = None) -> Figure:
    found = ratios(times, "statsig_segment", module)
    return spread(module, f"`import statsig_segment` / `import {module}`", found, at_most=at_most)
