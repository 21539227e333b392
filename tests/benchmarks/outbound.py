"""Statsig -> Segment: the whole way against parsing the same line, in both profiles."""

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks.corpus import statsig_exports
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.timing import Slice, chunked, each, per_event, race, ratios

from statsig_segment import OutboundConfig, StatsigEvent, parse_statsig_event, to_outbound_track

DOCUMENTED: Final = OutboundConfig()
DELIVERABLE: Final = OutboundConfig(profile="deliverable")


def export_all(payloads: Sequence[dict[str, Any]], config: OutboundConfig) -> None:
    """What a caller writes."""
    for payload in payloads:
        event = parse_statsig_event(payload)
        if isinstance(event, StatsigEvent):
            to_outbound_track(event, config)


def _contestants(lines: Sequence[bytes]) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "orjson": lambda: each(orjson.loads, lines),
        "json": lambda: each(json.loads, lines),
        "hand": lambda: each(hand_baseline.export, payloads),
        "documented": lambda: export_all(payloads, DOCUMENTED),
        "deliverable": lambda: export_all(payloads, DELIVERABLE),
        "parse": lambda: each(parse_statsig_event, payloads),
    }


def check_baseline(lines: Sequence[bytes]) -> None:
    """Compare every output of the baseline with ours."""
    for line in lines:
        payload = orjson.loads(line)
        event = parse_statsig_event(payload)
        if not isinstance(event, StatsigEvent) or to_outbound_track(event) != hand_baseline.export(payload):
            raise SystemExit(f"the baseline gives another output:\n{line.decode()}")


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    lines = statsig_exports(2000)
    check_baseline(lines)
    times = race(chunked(lines), _contestants, seconds)
    whole = "parse_statsig_event + to_outbound_track"
    return [
        spread("orjson", f"{whole} / orjson.loads", ratios(times, "documented", "orjson"), goal=0.7),
        spread("deliverable", f"{whole}, deliverable / orjson.loads", ratios(times, "deliverable", "orjson")),
        spread("json", f"{whole} / json.loads", ratios(times, "documented", "json")),
        spread("hand", f"{whole} / the same by hand, unchecked", ratios(times, "documented", "hand")),
        spread("floor", "the same by hand, unchecked / orjson.loads", ratios(times, "hand", "orjson")),
        spread("step_parse", f"parse_statsig_event / {whole}", ratios(times, "parse", "documented")),
        single("us", f"{whole}, one event", per_event(times, "documented"), unit="µs"),
        single("us_orjson", "orjson.loads, the same line", per_event(times, "orjson"), unit="µs"),
    ]
