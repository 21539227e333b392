"""What the reference may cost: its public steps, by the bytecodes and calls of Python functions that they make.

Counts and not times, for they are the same on every run and every machine. The bytecodes are those of CPython 3.11.
"""

from __future__ import annotations

import json
import sys

import pytest
from tests.benchmarks.corpus import sound_calls, statsig_exports
from tests.support.counting import Count, count_exports, count_steps, stays

from statsig_segment import (
    COMPILED,
    Identify,
    IdMapping,
    InboundConfig,
    InboundFilter,
    apply_id_mappings,
    parse_segment_event,
    to_statsig_event,
)

CONFIG = InboundConfig(
    default_environment="production",
    id_types=["companyID", "stableID", "workspaceID", "deviceID", "segmentAnonymousId"],
    id_mappings=[
        IdMapping(field="anonymousId", id_type="segmentAnonymousId"),
        IdMapping(field="groupId", id_type="companyID"),
        IdMapping(field="context.device.id", id_type="deviceID"),
    ],
    filters=InboundFilter(exclude=["Heartbeat"]),
)
MOST = {
    "parse": Count(2_150, 45),
    "filters": Count(210, 10),
    "map": Count(560, 22),
    "convert": Count(1_850, 60),
    "wire": Count(300, 8),
}
"""Step -> the most that it may cost one event of a realistic corpus."""
IN_ALL = Count(5_000, 130)


EXPORT = Count(2_050, 65)
"""From Statsig to Segment, for one event."""


@pytest.fixture(scope="module")
def export_cost() -> Count:
    return count_exports([json.loads(line) for line in statsig_exports(200)])


@pytest.fixture(scope="module")
def costs() -> dict[str, Count]:
    return count_steps([json.loads(line) for line in sound_calls(200)], CONFIG)


@pytest.mark.parametrize("step", MOST)
def test_a_step_makes_few_calls(costs: dict[str, Count], step: str) -> None:
    assert costs[step].calls <= MOST[step].calls


def test_all_steps_together_make_few_calls(costs: dict[str, Count]) -> None:
    assert sum(cost.calls for cost in costs.values()) <= IN_ALL.calls


def test_an_export_makes_few_calls(export_cost: Count) -> None:
    assert export_cost.calls <= EXPORT.calls


def test_a_sound_call_is_converted_in_five_modules_with_few_returns_to_one_of_them() -> None:
    for line in sound_calls(200):
        call = apply_id_mappings(parse_segment_event(json.loads(line)), CONFIG.id_mappings)
        if isinstance(call, Identify) or "statsigCustom" in call.properties or to_statsig_event(call, CONFIG).issues:
            continue  # notes and custom attributes take further modules
        if len(json.dumps(dict(getattr(call, "traits", call.properties)))) > 600:
            continue  # as does metadata that may be too large
        passed = stays(lambda call=call: to_statsig_event(call, CONFIG))  # type: ignore[misc]  # mypy knows no such default

        assert len(set(passed)) <= 5
        assert len(passed) - len(set(passed)) < 10


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="each version of Python has other bytecodes")
@pytest.mark.skipif(COMPILED, reason="compiled functions have none")
class TestBytecodes:
    @pytest.mark.parametrize("step", MOST)
    def test_a_step_has_few(self, costs: dict[str, Count], step: str) -> None:
        assert costs[step].bytecodes <= MOST[step].bytecodes

    def test_all_steps_together_have_few(self, costs: dict[str, Count]) -> None:
        assert sum(cost.bytecodes for cost in costs.values()) <= IN_ALL.bytecodes

    def test_an_export_has_few(self, export_cost: Count) -> None:
        assert export_cost.bytecodes <= EXPORT.bytecodes
