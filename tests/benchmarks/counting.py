"""Counting over the same pass: preview, differences and join, against writing the log events of the same calls."""

from collections.abc import Sequence
from typing import Final

import attrs
import orjson
from tests.benchmarks.corpus import segment_calls, statsig_exports
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.inbound import write_all
from tests.benchmarks.settings import CONFIG
from tests.benchmarks.timing import Slice, chunked, per_event, race, ratios

from statsig_segment import IntegrationConfig, differences, join, preview

_AFTER: Final = IntegrationConfig(inbound=attrs.evolve(CONFIG.inbound, default_environment="staging"))
"""The configuration that would take the place of the other: each event differs."""
_EXPOSURES: Final = 40
"""Events of an export, half of them exposures: few, because the calls that pass by are what grows."""
_SLICE: Final = 500
"""More than elsewhere, since every preview has to be made up at its end."""


def _contestants(lines: Sequence[bytes]) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    exposures = [orjson.loads(line) for line in statsig_exports(_EXPOSURES)]
    return {
        "log_events": lambda: write_all(payloads),
        "preview": lambda: preview(payloads, CONFIG),
        "differences": lambda: differences(payloads, CONFIG, _AFTER),
        "join": lambda: join(payloads, exposures, CONFIG),
    }


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    times = race(chunked(segment_calls(2000), _SLICE), _contestants, seconds)
    twice = [ratio / 2 for ratio in ratios(times, "differences", "log_events")]
    return [
        spread("log_events", "`preview` / `log_events`", ratios(times, "preview", "log_events"), at_most=1.4),
        spread("differences", "`differences` / twice `log_events`", twice, at_most=1.5),
        spread("join", "`join` with a few exposures / `log_events`", ratios(times, "join", "log_events"), at_most=1.5),
        single("us", "`preview`, one call", per_event(times, "preview", _SLICE), unit="µs"),
    ]
