"""Peak resident memory at 10,000 and at 1,000,000 events, each in a process of its own.

A process begins with the peak of the one that started it, so a launcher that holds next to nothing stands between.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from tests.benchmarks.corpus import segment_calls
from tests.benchmarks.figures import Figure, single

SECONDS: Final = 50.0
SMALL: Final = 10_000
LARGE: Final = 1_000_000
_BLOCK: Final = 1000

_LAUNCHER: Final = """
import json, resource, subprocess, sys
subprocess.run(json.loads(sys.argv[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

_STREAM: Final = """
import sys
import orjson
from statsig_segment import IdMapping, InboundConfig, IntegrationConfig, log_events
rows = [IdMapping(field="anonymousId", id_type="segmentAnonymousId")]
config = IntegrationConfig(inbound=InboundConfig(default_environment="production", id_mappings=rows))
for outcome in log_events(map(orjson.loads, sys.stdin.buffer), config):
    pass
"""

PROGRAMS: Final = {
    "stream": ("a stream of `log_events`", ("-c", _STREAM)),
    "command": ("the command line", ("-m", "statsig_segment", "inbound", "-")),
    "preview": ("`preview`", ("-m", "statsig_segment", "preview", "-")),
}


def peak_mb(arguments: Sequence[str], events: int) -> float:
    """Feed so many events to a program, and give the peak of its resident memory in megabytes."""
    block = b"\n".join(segment_calls(_BLOCK)) + b"\n"
    command = json.dumps([sys.executable, *arguments])
    with subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-S", "-c", _LAUNCHER, command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as launcher:
        if launcher.stdin is None or launcher.stdout is None:
            raise SystemExit("no pipes")
        for _ in range(events // _BLOCK):
            launcher.stdin.write(block)
        launcher.stdin.close()
        peak = int(launcher.stdout.read())
    return peak / (1_000_000 if sys.platform == "darwin" else 1_000)


def measure(seconds: float) -> list[Figure]:
    """Measure the section: a million events, or as many as the shorter time allows."""
    large = LARGE if seconds >= SECONDS else LARGE // 20
    figures: list[Figure] = []
    for key, (label, arguments) in PROGRAMS.items():
        low, high = peak_mb(arguments, SMALL), peak_mb(arguments, large)
        figures += [
            single(f"{key}_small", f"peak of {label} at {SMALL:,} events", low, unit="MB"),
            single(f"{key}_large", f"peak of {label} at {large:,} events", high, unit="MB"),
            single(f"{key}_growth", f"peak of {label} at {large:,} / at {SMALL:,}", high / low, unit="x", at_most=1.05),
        ]
    return figures
