"""Properties of what another configuration would change (DI-1, DI-2): one class for each rule, the rule quoted."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.sizes import TEN_BY_DEFAULT
from tests.support.values import JsonObject

from statsig_segment import AudienceUpdate, IntegrationConfig, StatsigEvent, load_config, to_log_event, translate_many
from statsig_segment.insight.differences import Differences, differences
from statsig_segment.testing import integration_configs, segment_calls

FATES = ("same", "changed", "started", "stopped")
CALLS = st.lists(segment_calls() | segment_calls(malformed=True), max_size=4)
CONFIGS = integration_configs()


def sent(outcome: Any) -> Any:
    """Give what an outcome sends, less what is no change: issues and message IDs."""
    if isinstance(outcome, StatsigEvent):
        return to_log_event(outcome)
    if isinstance(outcome, AudienceUpdate):
        return (outcome.id_list, outcome.member, outcome.user_id, outcome.custom_ids, outcome.time_ms)
    return None


def fate(one: Any, other: Any) -> str:
    """Name what becomes of a call."""
    if one is None or other is None:
        return "same" if one is other else "started" if one is None else "stopped"
    return "same" if one == other else "changed"


class TestDI1WhatChanges:
    """
    `Differences` counts `same`, `changed`, `started` (sent only after) and `stopped` (sent only before), in all and for
    each event (type and name before), memberships included; and for each aspect of CM-2 by path with counts; up to five
    positions each. No values but event names and ID types.

    Corner: a call that neither configuration sends is `same`; issues and `message_id` are no change; what only starts
    stands under its name after.
    """

    @TEN_BY_DEFAULT
    @given(CALLS, CONFIGS, CONFIGS)
    def test_each_call_counts_once(
        self, calls: list[JsonObject], before: IntegrationConfig, after: IntegrationConfig
    ) -> None:
        outcomes = zip(translate_many(calls, before), translate_many(calls, after), strict=True)
        expected = Counter(fate(sent(one), sent(other)) for one, other in outcomes)

        found = differences(calls, before, after)

        assert {name: getattr(found, name) for name in FATES} == {name: expected[name] for name in FATES}
        for name in FATES:
            assert getattr(found, name) == sum(getattr(event, name) for event in found.events)

    @TEN_BY_DEFAULT
    @given(CALLS, CONFIGS, CONFIGS)
    def test_what_differs_is_told_by_aspect_and_path(
        self, calls: list[JsonObject], before: IntegrationConfig, after: IntegrationConfig
    ) -> None:
        found = differences(calls, before, after)

        by_aspect = {each.aspect: each for each in found.findings}
        assert (found.changed > 0) == bool(by_aspect.keys() - {"sent"})
        assert found.started + found.stopped == (by_aspect["sent"].differ if "sent" in by_aspect else 0)
        for each in found.findings:
            assert 0 < each.differ <= sum(path.count for path in each.paths)
            assert len(each.examples) == min(each.differ, 5)
            assert all(example.call < len(calls) and example.exported is None for example in each.examples)

    def test_the_commonest_changes_are_told_as_they_are(self) -> None:
        call = {"type": "track", "event": "Paid", "userId": "u-1", "groupId": "g-1", "properties": {"cart": {"id": 9}}}
        after = load_config(
            """
            [inbound]
            nested = "flatten"
            id_mappings = [{ field = "groupId", id_type = "companyID" }]
            [inbound.filters]
            exclude = ["Heartbeat"]
            """
        )

        found = differences([call, call | {"event": "Heartbeat"}, "{"], IntegrationConfig(), after)

        assert (found.same, found.changed, found.started, found.stopped) == (1, 1, 0, 1)
        assert [(each.type, each.name, each.changed, each.stopped) for each in found.events] == [
            ("track", "segment::Paid", 1, 0),
            ("track", "segment::Heartbeat", 0, 1),
            (None, None, 0, 0),
        ]
        assert {(each.aspect, path.path, path.kind) for each in found.findings for path in each.paths} == {
            ("custom IDs", "$.user.customIDs.companyID", "extra"),
            ("metadata keys", "$.metadata.cart", "missing"),
            ("metadata keys", "$.metadata.cart_id", "extra"),
            ("sent", "$", "missing"),
        }

    def test_paths_are_held_up_to_a_thousand(self) -> None:
        calls = [
            {"type": "track", "event": "e", "userId": "u-1", "properties": {f"k{n}": {"a": 1}}} for n in range(600)
        ]

        found = differences(calls, IntegrationConfig(), load_config({"inbound": {"nested": "flatten"}}))

        told = next(each for each in found.findings if each.aspect == "metadata keys")
        assert (told.differ, len(told.paths)) == (600, 1_000)

    def test_memberships_count(self) -> None:
        personas = {"computation_class": "audience", "computation_key": "vips"}
        call = {"type": "identify", "anonymousId": "a-1", "traits": {"vips": True}, "context": {"personas": personas}}
        after = load_config({"inbound": {"id_mappings": [{"field": "anonymousId", "id_type": "deviceID"}]}})

        found = differences([call], IntegrationConfig(), after)

        assert [(each.type, each.name, each.started) for each in found.events] == [("identify", None, 1)]

    @given(st.lists(segment_calls(), max_size=3), CONFIGS)
    def test_text_and_objects_are_counted_alike(self, calls: list[JsonObject], after: IntegrationConfig) -> None:
        import json  # noqa: PLC0415 - for this test alone

        texts = [json.dumps(call) for call in calls]

        assert differences(texts, IntegrationConfig(), after) == differences(calls, IntegrationConfig(), after)


class TestDI2ItsLaws:
    """
    `differences(p, a, a)` is all the same; exchanging `before` and `after` exchanges `started` and `stopped`; `merge`
    as CO-4.
    """

    @given(CALLS, CONFIGS)
    def test_between_equals_all_is_the_same(self, calls: list[JsonObject], config: IntegrationConfig) -> None:
        found = differences(calls, config, config)

        assert (found.same, found.findings) == (len(calls), ())

    @TEN_BY_DEFAULT
    @given(CALLS, CONFIGS, CONFIGS)
    def test_exchanged_configurations_exchange_what_starts_and_stops(
        self, calls: list[JsonObject], before: IntegrationConfig, after: IntegrationConfig
    ) -> None:
        one, other = differences(calls, before, after), differences(calls, after, before)

        assert (one.same, one.changed, one.started, one.stopped) == (
            other.same,
            other.changed,
            other.stopped,
            other.started,
        )
        assert [(each.aspect, each.differ) for each in one.findings] == [
            (each.aspect, each.differ) for each in other.findings
        ]

    @TEN_BY_DEFAULT
    @given(CALLS, CALLS, CALLS, CONFIGS, CONFIGS)
    @example([], [], [], IntegrationConfig(), IntegrationConfig())
    def test_parts_merge_to_the_whole(
        self,
        one: list[JsonObject],
        two: list[JsonObject],
        three: list[JsonObject],
        before: IntegrationConfig,
        after: IntegrationConfig,
    ) -> None:
        parts = [differences(calls, before, after) for calls in (one, two, three)]
        whole = differences([*one, *two, *three], before, after)

        assert parts[0].merge(*parts[1:]) == whole
        assert parts[0].merge(parts[1]).merge(parts[2]) == whole
        assert Differences().merge(whole) == whole
