"""Properties of the preview (CO-1 to CO-5): one class for each rule, the rule quoted."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    translate_many,
)
from statsig_segment.insight.preview import LIKELY_MAPPINGS, EventPreview, Preview, preview
from statsig_segment.testing import hostile_values, integration_configs, json_values, segment_calls

calls_of_any_kind = st.lists(segment_calls(malformed=True) | json_values(max_leaves=3), max_size=8)
few_names = st.integers(0, 3)


def by_event(found: Preview) -> dict[tuple[str | None, str | None], EventPreview]:
    return {(event.type, event.name): event for event in found.events}


def in_any_order(found: Preview) -> Any:
    return by_event(found), found.rest, set(found.gains), found.max_names


def enriched(config: IntegrationConfig, row: int) -> IntegrationConfig:
    """The configuration with one more likely mapping, as the last."""
    mappings = (*config.inbound.id_mappings, LIKELY_MAPPINGS[row])
    return attrs.evolve(config, inbound=attrs.evolve(config.inbound, id_mappings=mappings))


class TestCO1:
    """CO-1: `Preview` counts `read`, `translated`, `audiences`, `skipped` by reason, `rejected` by code, `issues` by
    code, and the same for each event. The sums add up. At most `max_names` names are kept apart; the rest count
    together."""

    @given(calls_of_any_kind, integration_configs())
    def test_the_totals_are_those_of_the_outcomes(self, calls: list[Any], config: IntegrationConfig) -> None:
        outcomes = list(translate_many(calls, config))
        sent = [each for each in outcomes if isinstance(each, StatsigEvent | AudienceUpdate)]

        found = preview(calls, config)

        assert found.read == len(calls)
        assert found.translated == sum(isinstance(each, StatsigEvent) for each in outcomes)
        assert found.audiences == sum(isinstance(each, AudienceUpdate) for each in outcomes)
        assert found.skipped == Counter(each.reason for each in outcomes if isinstance(each, Skipped))
        assert found.rejected == Counter(each.error.code for each in outcomes if isinstance(each, Rejected))
        assert found.issues == Counter(issue.code for each in sent for issue in each.issues)

    @given(calls_of_any_kind, integration_configs())
    def test_an_event_counts_what_is_sent_under_its_name(self, calls: list[Any], config: IntegrationConfig) -> None:
        events = [each for each in translate_many(calls, config) if isinstance(each, StatsigEvent)]

        found = Counter[str | None]()
        for event in preview(calls, config).events:
            found[event.name] += event.translated

        assert +found == Counter(event.event_name for event in events)

    @given(calls_of_any_kind, integration_configs(), few_names)
    def test_the_groups_add_up_to_the_total(self, calls: list[Any], config: IntegrationConfig, most: int) -> None:
        found = preview(calls, config, max_names=most)

        assert sum(group.read for group in found.groups) == found.read
        assert sum(group.user_ids for group in found.groups) == found.user_ids
        for counts in ("skipped", "rejected", "issues", "id_types"):
            summed = Counter[str]()
            for group in found.groups:
                summed.update(getattr(group, counts))
            assert summed == getattr(found, counts)

    @given(calls_of_any_kind, few_names)
    def test_no_more_names_are_kept_apart_than_asked_for(self, calls: list[Any], most: int) -> None:
        found = preview(calls, max_names=most)

        assert sum(event.name is not None for event in found.events) <= most
        assert found.total == preview(calls).total

    @given(calls_of_any_kind, integration_configs())
    def test_text_counts_as_what_it_holds(self, calls: list[Any], config: IntegrationConfig) -> None:
        texts = [json.dumps(call) for call in calls if isinstance(call, dict)]

        assert preview(texts, config) == preview([json.loads(text) for text in texts], config)

    @given(st.lists(hostile_values(), max_size=4), hostile_values())
    def test_anything_at_all_is_counted(self, payloads: list[Any], value: Any) -> None:
        payloads.append({"type": "page", "name": value, "groupId": value, "context": value, "properties": value})

        assert preview(payloads).read == len(payloads)


class TestCO2:
    """CO-2: `Preview.share(id_type)` is the share of translated events that an experiment on this unit could use
    (`"userID"` included)."""

    @given(calls_of_any_kind, integration_configs(), st.sampled_from(("userID", "companyID", "deviceID")))
    def test_it_is_counted_on_the_events(self, calls: list[Any], config: IntegrationConfig, unit: str) -> None:
        users = [each.user for each in translate_many(calls, config) if isinstance(each, StatsigEvent)]
        usable = sum(user.user_id is not None if unit == "userID" else unit in user.custom_ids for user in users)

        assert preview(calls, config).share(unit) == (usable / len(users) if users else 0.0)


class TestCO3:
    """CO-3: `Preview.gains`: for each row of a fixed table of likely mappings that the configuration lacks: how many
    rejected calls it would save, and how many events would gain an ID. The figures are measured on the input."""

    @given(calls_of_any_kind, integration_configs(), st.integers(0, len(LIKELY_MAPPINGS) - 1))
    def test_the_figures_are_what_adding_the_row_brings(
        self, calls: list[Any], config: IntegrationConfig, row: int
    ) -> None:
        mapping = LIKELY_MAPPINGS[row]
        gains = {gain.mapping: gain for gain in preview(calls, config).gains}
        if mapping in config.inbound.id_mappings:
            assert mapping not in gains
            return
        saved = gained = 0
        richer = enriched(config, row)
        for before, after in zip(translate_many(calls, config), translate_many(calls, richer), strict=True):
            saved += isinstance(before, Rejected) and not isinstance(after, Rejected)
            if isinstance(before, StatsigEvent) and isinstance(after, StatsigEvent):
                gained += len(after.user.custom_ids) - len(before.user.custom_ids)

        assert (gains[mapping].saved_calls, gains[mapping].enriched_events) == (saved, gained)


class TestCO4:
    """CO-4: `a.merge(b)` is the preview of the input of `a` followed by that of `b`; order of parts does not matter
    but for the order of names."""

    @given(calls_of_any_kind, calls_of_any_kind, integration_configs())
    def test_parts_merge_to_the_whole(self, one: list[Any], two: list[Any], config: IntegrationConfig) -> None:
        assert preview(one, config).merge(preview(two, config)) == preview(one + two, config)

    @given(calls_of_any_kind, calls_of_any_kind, integration_configs())
    def test_the_order_of_parts_does_not_matter(
        self, one: list[Any], two: list[Any], config: IntegrationConfig
    ) -> None:
        a, b = preview(one, config), preview(two, config)

        assert in_any_order(a.merge(b)) == in_any_order(b.merge(a))

    @given(calls_of_any_kind, calls_of_any_kind, calls_of_any_kind)
    def test_it_is_associative(self, one: list[Any], two: list[Any], three: list[Any]) -> None:
        a, b, c = preview(one), preview(two), preview(three)

        assert a.merge(b).merge(c) == a.merge(b.merge(c))

    @given(calls_of_any_kind)
    def test_nothing_merged_changes_nothing(self, calls: list[Any]) -> None:
        assert preview([]).merge(preview(calls)) == preview(calls) == preview(calls).merge(preview([]))

    @given(calls_of_any_kind, calls_of_any_kind, few_names)
    def test_beyond_the_limit_of_names_the_totals_still_merge(self, one: list[Any], two: list[Any], most: int) -> None:
        merged = preview(one, max_names=most).merge(preview(two, max_names=most))
        whole = preview(one + two, max_names=most)

        assert (merged.total, merged.gains) == (whole.total, whole.gains)
        assert sum(event.name is not None for event in merged.events) <= most

    @given(calls_of_any_kind)
    def test_it_travels_between_processes(self, calls: list[Any]) -> None:
        found = preview(calls)

        assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes


class TestCO5:
    """CO-5: No value of a payload stands in it but event names and ID types."""

    @given(st.lists(segment_calls(), max_size=4), integration_configs())
    def test_values_leave_no_trace(self, calls: list[Any], config: IntegrationConfig) -> None:
        secret = "only-in-values-7f3a"
        for call in calls:
            call["userId"] = call["anonymousId"] = call["context"] = secret
            for holder in ("properties", "traits"):
                free = {key: value for key, value in call.get(holder, {}).items() if not key.startswith("statsig")}
                call[holder] = {**free, "plan": secret, "statsigCustomIDs": ["companyID", secret]}

        assert secret not in repr(preview(calls, config))
