"""Statsig -> Segment: `export_many` against parsing the same line, in both profiles."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks.corpus import statsig_exports
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.timing import Slice, chunked, each, per_event, race, ratios

from statsig_segment import IntegrationConfig, OutboundConfig, export_many

DOCUMENTED: Final = IntegrationConfig()
DELIVERABLE: Final = IntegrationConfig(outbound=OutboundConfig(profile="deliverable"))


def export_all(payloads: Sequence[dict[str, Any]], config: IntegrationConfig) -> None:
    """What a caller writes."""
    for _ in export_many(payloads, config):
        pass


def _contestants(lines: Sequence[bytes]) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "orjson": lambda: each(orjson.loads, lines),
        "hand": lambda: each(hand_baseline.export, payloads),
        "documented": lambda: export_all(payloads, DOCUMENTED),
        "deliverable": lambda: export_all(payloads, DELIVERABLE),
    }


def check_baseline(lines: Sequence[bytes]) -> None:
    """Compare every output of the baseline with ours, the order of keys included."""
    payloads = [orjson.loads(line) for line in lines]
    for payload, track in zip(payloads, export_many(payloads, DOCUMENTED), strict=True):
        if orjson.dumps(track) != orjson.dumps(hand_baseline.export(payload)):
            raise SystemExit(f"the baseline gives another output:\n{payload}\n{track}\n{hand_baseline.export(payload)}")


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    lines = statsig_exports(2000)
    check_baseline(lines)
    times = race(chunked(lines), _contestants, seconds)
    return [
        spread(
            "orjson", "`export_many`, documented / `orjson.loads`", ratios(times, "documented", "orjson"), at_most=1.6
        ),
        spread("deliverable", "`export_many`, deliverable / `orjson.loads`", ratios(times, "deliverable", "orjson")),
        spread("hand", "`export_many`, documented / the same by hand, unchecked", ratios(times, "documented", "hand")),
        spread("floor", "the same by hand, unchecked / `orjson.loads`", ratios(times, "hand", "orjson")),
        single("us", "`export_many`, documented, one event", per_event(times, "documented"), unit="µs"),
        single("us_orjson", "`orjson.loads` of one event", per_event(times, "orjson"), unit="µs"),
    ]
