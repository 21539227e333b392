"""Time and memory of `compare` for each call of an archive: one that agrees, and one under a hidden configuration."""

import json
import time
import tracemalloc
from collections.abc import Iterator
from itertools import count
from typing import Any, Final

from tests.benchmarks.corpus import sound_calls
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.timing import frozen_heap

from statsig_segment import IntegrationConfig, compare, load_config, log_events

SECONDS: Final = 30.0
CALLS: Final = 20_000
_START_MS: Final = 1_793_692_800_000
HIDDEN: Final = {
    "id_mappings": [{"field": "anonymousId", "id_type": "visitorID"}],
    "naming": {"prefix": "web/", "page": "Saw {name}"},
    "value_property": "revenue",
    "default_environment": "staging",
}
"""The configuration that is to be found from the other archive."""


def _archive(config: IntegrationConfig) -> tuple[list[str], list[str]]:
    """Make calls at times of their own, and what a Statsig with this configuration would export, as JSON lines."""
    calls: list[dict[str, Any]] = [json.loads(line) for line in sound_calls(CALLS)]
    for at, call in zip(count(_START_MS, 700), calls, strict=False):
        call["timestamp"] = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at // 1000)) + f".{at % 1000:03}Z"
    events = (event for event in log_events(calls, config) if isinstance(event, dict))
    exported = [{("timestamp" if key == "time" else key): value for key, value in event.items()} for event in events]
    return list(map(json.dumps, calls)), list(map(json.dumps, exported))


def _read(lines: list[str]) -> Iterator[Any]:
    return map(json.loads, lines)


def _milliseconds(calls: list[str], exported: list[str]) -> float:
    with frozen_heap():
        start = time.process_time()
        compare(_read(calls), _read(exported))
        return (time.process_time() - start) / len(calls) * 1000


def _kilobytes(calls: list[str], exported: list[str]) -> float:
    tracemalloc.start()
    compare(_read(calls), _read(exported))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / len(calls) / 1024


def measure(seconds: float) -> list[Figure]:
    """Measure the section: a few comparisons, or one where the time is shorter."""
    turns = 3 if seconds >= SECONDS else 1
    figures: list[Figure] = []
    for key, label, inbound in (("same", "that agree", {}), ("hidden", "of a hidden configuration", HIDDEN)):
        sides = _archive(load_config({"inbound": inbound}))
        times = [_milliseconds(*sides) for _ in range(turns)]
        figures += [
            spread(f"{key}_ms", f"`compare` of calls {label}, a call", times, unit="ms", at_most=0.5),
            single(f"{key}_kb", f"its memory for calls {label}, a call", _kilobytes(*sides), unit="KB", at_most=2),
        ]
    return figures
