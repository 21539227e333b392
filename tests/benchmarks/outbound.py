"""Statsig -> Segment: `export_many` against parsing the same line, in both profiles."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks.builds import BUILDS, Build
from tests.benchmarks.corpus import statsig_exports
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.timing import Slice, Task, Times, chunked, each, per_event, race, ratios

from statsig_segment import IntegrationConfig, export_many

DOCUMENTED: Final = IntegrationConfig()
_MOST: Final = {"orjson": 1.6, "orjson_compiled": 1.3}


def export_all(payloads: Sequence[dict[str, Any]], config: Any = DOCUMENTED, build: Build = BUILDS[0]) -> None:
    """What a caller writes."""
    for _ in build.library.export_many(payloads, config):
        pass


def _contestants(lines: Sequence[bytes]) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    contestants: dict[str, Task] = {
        "orjson": lambda: each(orjson.loads, lines),
        "hand": lambda: each(hand_baseline.export, payloads),
    }
    for build in BUILDS:
        for profile in ("documented", "deliverable"):
            outbound = build.library.OutboundConfig(profile=profile)
            config = build.library.IntegrationConfig(outbound=outbound)
            contestants[build.key(profile)] = partial(export_all, payloads, config, build)
    return contestants


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
        *(figure for build in BUILDS for figure in _figures(times, build)),
        spread("floor", "the same by hand, unchecked / `orjson.loads`", ratios(times, "hand", "orjson")),
        single("us_orjson", "`orjson.loads` of one event", per_event(times, "orjson"), unit="µs"),
    ]


def _figures(times: Times, build: Build) -> list[Figure]:
    documented, deliverable, orjson_key = build.key("documented"), build.key("deliverable"), build.key("orjson")
    label = f"`export_many`, documented{build.label}"
    over_orjson, over_hand = ratios(times, documented, "orjson"), ratios(times, documented, "hand")
    return [
        spread(orjson_key, f"{label} / `orjson.loads`", over_orjson, at_most=_MOST.get(orjson_key)),
        spread(
            deliverable,
            f"`export_many`, deliverable{build.label} / `orjson.loads`",
            ratios(times, deliverable, "orjson"),
        ),
        spread(build.key("hand"), f"{label} / the same by hand, unchecked", over_hand),
        single(build.key("us"), f"{label}, one event", per_event(times, documented), unit="µs"),
    ]
