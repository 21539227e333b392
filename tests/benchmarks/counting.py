"""Preview: counting what calls would become, against writing their log events."""

from collections.abc import Sequence
from typing import Final

import orjson
from tests.benchmarks.corpus import segment_calls
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.inbound import write_all
from tests.benchmarks.settings import CONFIG
from tests.benchmarks.timing import Slice, chunked, per_event, race, ratios

from statsig_segment import preview

_SLICE: Final = 500
"""More than elsewhere, since every preview has to be made up at its end."""


def _contestants(lines: Sequence[bytes]) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {"preview": lambda: preview(payloads, CONFIG), "log_events": lambda: write_all(payloads)}


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    times = race(chunked(segment_calls(2000), _SLICE), _contestants, seconds)
    return [
        spread("log_events", "`preview` / `log_events`", ratios(times, "preview", "log_events"), at_most=1.4),
        single("us", "`preview`, one call", per_event(times, "preview", _SLICE), unit="µs"),
    ]
