"""Segment -> Statsig: the whole way against parsing the same line, against pydantic, and the share of every step."""

import json
from collections.abc import Sequence
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks import pydantic_baseline as baseline
from tests.benchmarks.corpus import segment_calls, sound_calls
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.timing import Slice, chunked, each, per_event, race, ratios

from statsig_segment import (
    AudienceUpdate,
    Identify,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    apply_filters,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
    translate,
)
from statsig_segment.segment import read_call

CONFIG: Final = IntegrationConfig(
    inbound=InboundConfig(
        default_environment="production",
        id_types=["companyID", "stableID", "workspaceID", "deviceID", "segmentAnonymousId"],
        id_mappings=[
            IdMapping(field="anonymousId", id_type="segmentAnonymousId"),
            IdMapping(field="groupId", id_type="companyID"),
            IdMapping(field="context.device.id", id_type="deviceID"),
        ],
        filters=InboundFilter(exclude=["Heartbeat"]),
    )
)
"""All rules on: mappings, ID types, a filter, a default environment; loop guard and integrations by default."""

SETTINGS: Final = baseline.Settings(
    mappings=[("anonymous_id", "segmentAnonymousId"), ("group_id", "companyID"), ("context.device.id", "deviceID")],
    exclude=frozenset({"Heartbeat"}),
    default_environment="production",
)

Lines = Sequence[bytes]


def translate_all(payloads: Sequence[dict[str, Any]]) -> None:
    """What a caller writes: translate, write the events, take what is refused."""
    for payload in payloads:
        try:
            outcome = translate(payload, CONFIG)
        except StatsigSegmentError:
            continue
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)


def translate_lines(lines: Lines) -> None:
    """The same from bytes, decoded by orjson."""
    for line in lines:
        try:
            outcome = translate(orjson.loads(line), CONFIG)
        except StatsigSegmentError:
            continue
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)


def _floors(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "orjson": lambda: each(orjson.loads, lines),
        "json": lambda: each(json.loads, lines),
        "translate": lambda: translate_all(payloads),
    }


def _models(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "orjson": lambda: each(orjson.loads, lines),
        "hand": lambda: each(hand_baseline.translate, payloads),
        "translate": lambda: translate_all(payloads),
        "pydantic": lambda: each(baseline.translate_object, payloads, SETTINGS),
        "translate lines": lambda: translate_lines(lines),
        "pydantic lines": lambda: each(baseline.translate_line, lines, SETTINGS),
    }


def _steps(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    rows, filters = CONFIG.inbound.id_mappings, CONFIG.inbound.filters
    calls = [parse_segment_event(payload) for payload in payloads]
    mapped = [apply_id_mappings(call, rows) for call in calls]
    named = [call for call in mapped if not isinstance(call, Identify)]
    events = [to_statsig_event(call, CONFIG.inbound) for call in named]
    return {
        "translate": lambda: translate_all(payloads),
        "borrow": lambda: each(read_call, payloads),
        "parse": lambda: each(parse_segment_event, payloads),
        "filter": lambda: each(apply_filters, calls, filters),
        "map": lambda: each(apply_id_mappings, calls, rows),
        "convert": lambda: each(to_statsig_event, named, CONFIG.inbound),
        "wire": lambda: each(to_log_event, events),
    }


_STEPS: Final = {
    "borrow": "parsing as translate does it, the payload borrowed",
    "parse": "parse_segment_event, the payload copied and frozen",
    "filter": "apply_filters",
    "map": "apply_id_mappings",
    "convert": "to_statsig_event",
    "wire": "to_log_event",
}


# -- Outputs are equal before they are timed ---------------------------------------------------------------------------


def check_baselines(lines: Lines) -> None:
    """Compare every output of the baselines, by both ways of pydantic, with ours; by hand, events alone."""
    for line in lines:
        payload = orjson.loads(line)
        ours = _comparable(translate(payload, CONFIG))
        others = [baseline.translate_line(line, SETTINGS), baseline.translate_object(payload, SETTINGS)]
        if payload["type"] != "identify":
            others.append(hand_baseline.translate(payload))
        for theirs in map(_comparable, others):
            if ours != theirs:
                raise SystemExit(f"a baseline gives another output:\n{line.decode()}\n{ours}\n{theirs}")


def _comparable(outcome: object) -> object:
    if isinstance(outcome, StatsigEvent):
        return to_log_event(outcome)
    if isinstance(outcome, AudienceUpdate | baseline.AudienceUpdate):
        return outcome.id_list, outcome.member, outcome.user_id, outcome.custom_ids, outcome.time_ms
    return None if isinstance(outcome, Skipped) else outcome


# -- The section -------------------------------------------------------------------------------------------------------


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    sound = sound_calls(2000)
    check_baselines(sound)
    whole = race(chunked(segment_calls(2000)), _floors, seconds * 0.4)
    models = race(chunked(sound), _models, seconds * 0.4)
    steps = race(chunked(sound), _steps, seconds * 0.2)
    return [
        spread("orjson", "translate + to_log_event / orjson.loads", ratios(whole, "translate", "orjson"), goal=1.0),
        spread("json", "translate + to_log_event / json.loads", ratios(whole, "translate", "json")),
        spread(
            "pydantic", "translate + to_log_event / pydantic v2", ratios(models, "translate", "pydantic"), goal=0.33
        ),
        spread(
            "pydantic_lines",
            "orjson.loads + translate + to_log_event / pydantic v2 from JSON",
            ratios(models, "translate lines", "pydantic lines"),
        ),
        spread("hand", "translate + to_log_event / the same by hand, unchecked", ratios(models, "translate", "hand")),
        spread("floor", "the same by hand, unchecked / orjson.loads", ratios(models, "hand", "orjson")),
        spread("pydantic_orjson", "the same with pydantic v2 / orjson.loads", ratios(models, "pydantic", "orjson")),
        single("us", "translate + to_log_event, one event", per_event(whole, "translate"), unit="µs"),
        single("us_orjson", "orjson.loads, the same line", per_event(whole, "orjson"), unit="µs"),
        *(
            spread(f"step_{name}", f"{label} / translate + to_log_event", ratios(steps, name, "translate"))
            for name, label in _STEPS.items()
        ),
    ]
