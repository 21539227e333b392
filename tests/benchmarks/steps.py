"""The reference: the public steps one by one, and how often the fast lane leaves a call to it."""

from collections.abc import Sequence
from typing import Any, Final

import orjson
from tests.benchmarks.corpus import segment_calls, sound_calls
from tests.benchmarks.figures import Figure, single, spread
from tests.benchmarks.settings import CONFIG
from tests.benchmarks.timing import Slice, chunked, each, race, ratios

from statsig_segment import (
    Identify,
    StatsigEvent,
    apply_filters,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
)
from statsig_segment.configuration.models import derived_of
from statsig_segment.inbound import fast_lane, translate

_INBOUND: Final = CONFIG.inbound
_STEPS: Final = ("parse_segment_event", "apply_filters", "apply_id_mappings", "to_statsig_event", "to_log_event")


def step_by_step(payloads: Sequence[dict[str, Any]]) -> None:
    """What a caller writes who takes the steps one by one."""
    for payload in payloads:
        call = apply_filters(parse_segment_event(payload), _INBOUND.filters)
        if call is not None and not isinstance(call, Identify):
            to_log_event(to_statsig_event(apply_id_mappings(call, _INBOUND.id_mappings), _INBOUND))


def by_reference(payloads: Sequence[dict[str, Any]]) -> None:
    """What `log_events` does with every call when the lane is off."""
    for position, payload in enumerate(payloads):
        outcome = translate.reference_outcome(payload, _INBOUND, position, None)
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)


def _contestants(lines: Sequence[bytes]) -> Slice:
    payloads = [orjson.loads(line) for line in lines]
    calls = [parse_segment_event(payload) for payload in payloads]
    mapped = [apply_id_mappings(call, _INBOUND.id_mappings) for call in calls]
    named = [call for call in mapped if not isinstance(call, Identify)]
    events = [to_statsig_event(call, _INBOUND) for call in named]
    return {
        "orjson": lambda: each(orjson.loads, lines),
        "steps": lambda: step_by_step(payloads),
        "reference": lambda: by_reference(payloads),
        "parse_segment_event": lambda: each(parse_segment_event, payloads),
        "apply_filters": lambda: each(apply_filters, calls, _INBOUND.filters),
        "apply_id_mappings": lambda: each(apply_id_mappings, calls, _INBOUND.id_mappings),
        "to_statsig_event": lambda: each(to_statsig_event, named, _INBOUND),
        "to_log_event": lambda: each(to_log_event, events),
    }


def lane_share(lines: Sequence[bytes]) -> float:
    """Give the percentage of calls that the fast lane does not leave to the reference."""
    found = [fast_lane.log_event(orjson.loads(line), derived_of(_INBOUND).plan) for line in lines]
    return 100 * sum(written is not None for written in found) / len(found)


def measure(seconds: float) -> list[Figure]:
    """Measure the section in about so many seconds."""
    times = race(chunked(sound_calls(2000)), _contestants, seconds)
    sound, whole = lane_share(sound_calls(2000)), lane_share(segment_calls(2000))
    return [
        single("lane_sound", "sound calls that stay in the fast lane", sound, unit="%", at_least=95),
        single("lane_whole", "all calls that stay in it, one in a hundred broken", whole, unit="%", at_least=90),
        spread("steps", "the public steps one by one / `orjson.loads`", ratios(times, "steps", "orjson"), at_most=10),
        spread("reference", "the reference alone, lane off / `orjson.loads`", ratios(times, "reference", "orjson")),
        *(spread(name, f"`{name}` / `orjson.loads`", ratios(times, name, "orjson")) for name in _STEPS),
    ]
