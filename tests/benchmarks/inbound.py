"""Segment -> Statsig: the whole way against parsing the same line, against pydantic, and the share of every step."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
import pydantic_baseline as baseline
from corpus import segment_calls, sound_calls
from timing import SLICE, Figure, Slice, chunked, per_event, race, ratios, single, spread

from statsig_segment import (
    AudienceUpdate,
    Group,
    Identify,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Page,
    Screen,
    StatsigEvent,
    StatsigSegmentError,
    Track,
    apply_filters,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
    translate,
)

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
"""All rules on: mappings, declared ID types, a filter, a default environment; loop guard and integrations by default."""

SETTINGS: Final = baseline.Settings(
    mappings=[("anonymous_id", "segmentAnonymousId"), ("group_id", "companyID"), ("context.device.id", "deviceID")],
    exclude=frozenset({"Heartbeat"}),
    default_environment="production",
)

Objects = Sequence[dict[str, Any]]
Lines = Sequence[bytes]


def read_all(loads: Callable[[bytes], Any], lines: Lines) -> None:
    for line in lines:
        loads(line)


def translate_all(payloads: Objects) -> None:
    """What a caller writes: translate, write the events, take what is refused."""
    for payload in payloads:
        try:
            outcome = translate(payload, CONFIG)
        except StatsigSegmentError:
            continue
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)


def translate_lines(lines: Lines) -> None:
    for line in lines:
        outcome = translate(orjson.loads(line), CONFIG)
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)


def _floors(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "orjson": lambda: read_all(orjson.loads, lines),
        "json": lambda: read_all(json.loads, lines),
        "translate": lambda: translate_all(payloads),
    }


def _pydantic(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    return {
        "translate": lambda: translate_all(payloads),
        "pydantic": lambda: [baseline.translate_object(payload, SETTINGS) and None for payload in payloads],
        "translate lines": lambda: translate_lines(lines),
        "pydantic lines": lambda: [baseline.translate_line(line, SETTINGS) and None for line in lines],
    }


# -- The steps, each alone ------------------------------------------------------------------------------------------

Call = Track | Page | Screen | Group | Identify


def _steps(lines: Lines) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    calls = [parse_segment_event(payload) for payload in payloads]
    mapped = [apply_id_mappings(call, CONFIG.inbound.id_mappings) for call in calls]
    named = [call for call in mapped if not isinstance(call, Identify)]
    events = [to_statsig_event(call, CONFIG.inbound) for call in named]
    return {
        "translate": lambda: translate_all(payloads),
        "parse": lambda: [parse_segment_event(payload) and None for payload in payloads],
        "filter": lambda: [apply_filters(call, CONFIG.inbound.filters) and None for call in calls],
        "map": lambda: [apply_id_mappings(call, CONFIG.inbound.id_mappings) and None for call in calls],
        "convert": lambda: [to_statsig_event(call, CONFIG.inbound) and None for call in named],
        "wire": lambda: [to_log_event(event) and None for event in events],
    }


# -- Outputs are equal before they are timed ------------------------------------------------------------------------


def check_baseline(lines: Lines) -> int:
    """Compare every output of the baseline with ours; give how many there were."""
    for line in lines:
        ours: Any = translate(orjson.loads(line), CONFIG)
        theirs: Any = baseline.translate_line(line, SETTINGS)
        if isinstance(ours, StatsigEvent):
            ours = to_log_event(ours)
        elif isinstance(ours, AudienceUpdate):
            ours = (ours.id_list, ours.member, ours.user_id, ours.custom_ids, ours.time_ms)
            theirs = (theirs.id_list, theirs.member, theirs.user_id, theirs.custom_ids, theirs.time_ms)
        else:
            ours = None
        if ours != theirs or theirs != _again(line, theirs):
            raise SystemExit(f"the pydantic baseline gives another output:\n{line.decode()}\n{ours}\n{theirs}")
    return len(lines)


def _again(line: bytes, theirs: Any) -> Any:
    """Take the other way into the baseline; an audience update has been compared as a tuple."""
    return theirs if isinstance(theirs, tuple) else baseline.translate_object(orjson.loads(line), SETTINGS)


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    sound = sound_calls(2000)
    check_baseline(sound)
    whole = race(chunked(segment_calls(2000)), _floors, seconds * 0.4)
    models = race(chunked(sound), _pydantic, seconds * 0.4)
    steps = race(chunked(sound), _steps, seconds * 0.2)
    figures = [
        spread("orjson", "translate and to_log_event / orjson.loads", ratios(whole, "translate", "orjson"), goal=1.0),
        spread("json", "translate and to_log_event / json.loads", ratios(whole, "translate", "json")),
        spread("pydantic", "translate and to_log_event / pydantic v2", ratios(models, "translate", "pydantic"), goal=0.33),
        spread(
            "pydantic_lines",
            "orjson.loads, translate and to_log_event / pydantic v2 from JSON",
            ratios(models, "translate lines", "pydantic lines"),
        ),
        single("us", "translate and to_log_event, one event", per_event(whole, "translate", SLICE), unit="µs"),
        single("us_orjson", "orjson.loads, the same line", per_event(whole, "orjson", SLICE), unit="µs"),
    ]
    return figures + [
        spread(f"step_{name}", f"{name} alone / translate and to_log_event", ratios(steps, name, "translate"))
        for name in ("parse", "filter", "map", "convert", "wire")
    ]
