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
_MODELS: Final = """
import attrs, time
spent, made, frozen = 0, 0, attrs.frozen
def timed(**options):
    def make(model):
        global spent, made
        start = time.process_time_ns()
        model = frozen(**options)(model)
        spent, made = spent + time.process_time_ns() - start, made + 1
        return model
    return make
attrs.frozen = timed
start = time.process_time_ns()
import statsig_segment
print(spent / (time.process_time_ns() - start), made)
"""
_LOADED: Final = f"import sys, statsig_segment; print(*[name for name in {UNWANTED!r} if name in sys.modules])"


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
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        environment["PYTHONPYCACHEPREFIX"] = folder
        times = _times(max(4, int(seconds)), environment)
        unwanted = _python(_LOADED, environment).split()
        parts = [_python(_MODELS, environment).split() for _ in range(5)]
    return [
        spread("attrs", "import statsig_segment / import attrs", ratios(times, "statsig_segment", "attrs"), goal=1.5),
        spread("cattrs", "import statsig_segment / import cattrs", ratios(times, "statsig_segment", "cattrs")),
        spread("pydantic", "import statsig_segment / import pydantic", ratios(times, "statsig_segment", "pydantic")),
        spread("ms", "import statsig_segment", [time / 1e6 for time in times["statsig_segment"]], unit="ms"),
        spread(
            "models",
            f"of what it costs over attrs, making {parts[0][1]} classes with attrs",
            [100 * float(part) for part, _ in parts],
            unit="%",
        ),
        single("unwanted", f"of {', '.join(UNWANTED)} loaded", len(unwanted), unit="", goal=0),
    ]
