"""Segment -> Statsig: `log_events` and `translate` against parsing the same line, pydantic, and hand-written code."""

import json
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks import pydantic_baseline as baseline
from tests.benchmarks.builds import BUILDS, Build
from tests.benchmarks.corpus import segment_calls, sound_calls
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.settings import CONFIG, SETTINGS
from tests.benchmarks.timing import Slice, Task, Times, chunked, each, per_event, race, ratios

from statsig_segment import AudienceUpdate, Skipped, log_events

Lines = Sequence[bytes]

PEER_DICTS: Final = 1.7
PEER_BYTES: Final = 3.0
"""The only peer, Jitsu's Statsig destination on a warm Node 20, in November 2026: its times over `orjson.loads`."""
_MOST: Final = {
    "orjson": 2.3,
    "translate": 3.5,
    "peer_bytes_compiled": 0.95,
    "orjson_compiled": 1.7,
    "peer_compiled": 1.0,
}
"""The goals of the figures over `orjson.loads` and over the peer."""


def write_all(payloads: Sequence[dict[str, Any]], build: Build = BUILDS[0]) -> None:
    """What a caller writes who wants log events."""
    for _ in build.library.log_events(payloads, build.config):
        pass


def write_lines(lines: Lines, build: Build) -> None:
    """The same from bytes to bytes, with orjson."""
    for outcome in build.library.log_events(map(orjson.loads, lines), build.config):
        if isinstance(outcome, dict):
            orjson.dumps(outcome)


def translate_all(payloads: Sequence[dict[str, Any]], build: Build = BUILDS[0]) -> None:
    """What a caller writes who wants models: translate, write the events, take what is refused."""
    library, config = build.library, build.config
    translate, to_log_event, event_class = library.translate, library.to_log_event, library.StatsigEvent
    for payload in payloads:
        try:
            outcome = translate(payload, config)
        except library.StatsigSegmentError:
            continue
        if isinstance(outcome, event_class):
            to_log_event(outcome)


def _copy_lines(lines: Lines) -> None:
    for line in lines:
        orjson.dumps(orjson.loads(line))


def _whole_corpus(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    contestants: dict[str, Task] = {
        "orjson": lambda: each(orjson.loads, lines),
        "json": lambda: each(json.loads, lines),
        "copy": lambda: _copy_lines(lines),
    }
    for build in BUILDS:
        contestants[build.key("log_events")] = partial(write_all, payloads, build)
        contestants[build.key("bytes")] = partial(write_lines, lines, build)
        contestants[build.key("translate")] = partial(translate_all, payloads, build)
    return contestants


def _sound_corpus(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "orjson": lambda: each(orjson.loads, lines),
        "hand": lambda: each(hand_baseline.translate, payloads),
        "log_events": lambda: write_all(payloads),
        "pydantic": lambda: each(baseline.translate_object, payloads, SETTINGS),
    }


# -- Outputs are equal before they are timed ---------------------------------------------------------------------------


def check_baselines(lines: Lines) -> None:
    """Compare every output of the baselines, by both ways of pydantic, with ours; by hand, events alone."""
    for line in lines:
        payload = orjson.loads(line)
        (written,) = log_events([payload], CONFIG)
        ours = _comparable(written)
        others = [baseline.translate_line(line, SETTINGS), baseline.translate_object(payload, SETTINGS)]
        if payload["type"] != "identify":
            others.append(hand_baseline.translate(payload))
        for theirs in map(_comparable, others):
            if ours != theirs:
                raise SystemExit(f"a baseline gives another output:\n{line.decode()}\n{ours!r}\n{theirs!r}")


def _comparable(outcome: object) -> object:
    """Give what has to be equal; of a log event its text, since the order of its keys counts too."""
    if isinstance(outcome, dict):
        return json.dumps(outcome)
    if isinstance(outcome, AudienceUpdate | baseline.AudienceUpdate):
        return outcome.id_list, outcome.member, outcome.user_id, outcome.custom_ids, outcome.time_ms
    return None if isinstance(outcome, Skipped) else outcome


# -- The section -------------------------------------------------------------------------------------------------------


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    sound = sound_calls(2000)
    check_baselines(sound)
    whole = race(chunked(segment_calls(2000)), _whole_corpus, seconds * 0.6)
    models = race(chunked(sound), _sound_corpus, seconds * 0.4)
    by_build = [figure for build in BUILDS for figure in _whole_figures(whole, build)]
    return [*by_build, *_model_figures(models), *_times(whole)]


def _whole_figures(times: Times, build: Build) -> list[Figure]:
    def against(key: str, label: str, own: str, other: str, times_of_other: float = 1) -> Figure:
        found = [ratio / times_of_other for ratio in ratios(times, build.key(own), other)]
        return spread(build.key(key), f"{label}{build.label}", found, at_most=_MOST.get(build.key(key)))

    peer = "the peer's, by way of `orjson.loads`"  # which both were measured against
    return [
        against("orjson", "`log_events`, dict to log event / `orjson.loads`", "log_events", "orjson"),
        against("json", "`log_events` / `json.loads`", "log_events", "json"),
        against("bytes_orjson", "bytes to bytes (`loads`, `log_events`, `dumps`) / `orjson.loads`", "bytes", "orjson"),
        against("bytes", "bytes to bytes / `orjson.loads` + `dumps` of the call", "bytes", "copy"),
        against("translate", "`translate` + `to_log_event` / `orjson.loads`", "translate", "orjson"),
        against("peer", f"`log_events` / {peer}", "log_events", "orjson", PEER_DICTS),
        against("peer_bytes", f"bytes to bytes / {peer}", "bytes", "orjson", PEER_BYTES),
    ]


def _model_figures(times: Times) -> list[Figure]:
    against_pydantic = ratios(times, "log_events", "pydantic")
    return [
        spread("pydantic", "`log_events` / the same with pydantic v2", against_pydantic, at_most=0.55),
        spread("pydantic_orjson", "the same with pydantic v2 / `orjson.loads`", ratios(times, "pydantic", "orjson")),
        spread("sound", "`log_events` / `orjson.loads`, sound calls alone", ratios(times, "log_events", "orjson")),
        spread("hand", "`log_events` / the same by hand, unchecked", ratios(times, "log_events", "hand")),
        spread("floor", "the same by hand, unchecked / `orjson.loads`", ratios(times, "hand", "orjson")),
    ]


def _times(times: Times) -> list[Figure]:
    labels = {
        "log_events": "`log_events`, one call",
        "bytes": "bytes to bytes, one call",
        "translate": "`translate` + `to_log_event`, one call",
    }
    figures = [single("us_orjson", "`orjson.loads` of one call", per_event(times, "orjson"), unit="µs")]
    figures += [
        single(build.key(f"us_{name}"), f"{label}{build.label}", per_event(times, build.key(name)), unit="µs")
        for name, label in labels.items()
        for build in BUILDS
    ]
    return figures
