"""Properties of the preview (CO-1 to CO-10): one class for each rule, the rule quoted."""

from __future__ import annotations

import json
import pickle
from collections import Counter
from contextlib import suppress
from typing import Any

import attrs
from hypothesis import given
from hypothesis import strategies as st
from tests.support.sizes import TEN_BY_DEFAULT
from tests.support.strategies import hostile_values

from statsig_segment import (
    AudienceUpdate,
    IdMapping,
    IntegrationConfig,
    Rejected,
    SegmentEvent,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    apply_id_mappings,
    export_many,
    parse_segment_event,
    translate_many,
)
from statsig_segment.inbound.translate import log_events_or_outcomes
from statsig_segment.insight.preview import (
    LIKELY_MAPPINGS,
    Counts,
    EventPreview,
    GrowingCounts,
    GrowingPreview,
    Preview,
    preview,
)
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.testing import integration_configs, json_values, segment_calls, statsig_events

mappings = st.sampled_from(
    (
        *LIKELY_MAPPINGS,
        IdMapping(field="traits.companyId", id_type="companyID"),
        IdMapping(field="anonymousId", id_type="userid"),
        IdMapping(field="context.externalIds[type=phone].id", id_type="phoneID"),
        IdMapping(field="userId", id_type="accountID"),
    )
)
calls_of_any_kind = st.lists(segment_calls(malformed=True) | json_values(max_leaves=3), max_size=5)
few_names = st.integers(0, 3)


def by_event(found: Preview) -> dict[tuple[str | None, str | None], EventPreview]:
    return {(event.type, event.name): event for event in found.events}


def in_any_order(found: Preview) -> Any:
    return by_event(found), found.rest, set(found.gains), found.max_names


def totals(found: Preview) -> Preview:
    """All that does not depend on which names are kept apart."""
    return attrs.evolve(found, events=(), rest=EventPreview())


def enriched(config: IntegrationConfig, mapping: IdMapping) -> IntegrationConfig:
    """The configuration with one more mapping, as the last."""
    rows = (*config.inbound.id_mappings, mapping)
    return attrs.evolve(config, inbound=attrs.evolve(config.inbound, id_mappings=rows))


def ids_of(outcome: Any) -> dict[str, str]:
    """All IDs of what a call became, the user ID among them."""
    who = outcome.user if isinstance(outcome, StatsigEvent) else outcome
    user_id = getattr(who, "user_id", None)
    return dict(getattr(who, "custom_ids", {})) | ({} if user_id is None else {"userID": user_id})


def parsed(calls: list[Any]) -> list[SegmentEvent]:
    """The calls that can be parsed."""
    found: list[SegmentEvent] = []
    for call in calls:
        with suppress(SegmentEventError):
            found.append(parse_segment_event(call))
    return found


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

        groups = (*found.events, found.rest)
        assert sum(group.read for group in groups) == found.read
        assert sum(group.user_ids for group in groups) == found.user_ids
        for counts in ("skipped", "rejected", "issues", "id_types"):
            summed = Counter[str]()
            for group in groups:
                summed.update(getattr(group, counts))
            assert summed == getattr(found, counts)

    @given(calls_of_any_kind, few_names)
    def test_no_more_names_are_kept_apart_than_asked_for(self, calls: list[Any], most: int) -> None:
        found = preview(calls, max_names=most)

        assert sum(event.name is not None for event in found.events) <= most
        assert found.read == preview(calls).read

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
    rejected calls it would save, and how many events would gain an ID. The figures are measured on the input.
    `candidates`, more mappings, are measured likewise. A placeholder (ID-8) saves and gains nobody."""

    @given(calls_of_any_kind, integration_configs(), mappings)
    def test_the_figures_are_what_adding_the_row_brings(
        self, calls: list[Any], config: IntegrationConfig, mapping: IdMapping
    ) -> None:
        gains = {gain.mapping: gain for gain in preview(calls, config, candidates=[mapping]).gains}
        if mapping in config.inbound.id_mappings:
            assert mapping not in gains
            return
        saved = gained = 0
        id_type = "userID" if mapping.id_type.lower() == "userid" else mapping.id_type
        for before, after in zip(
            translate_many(calls, config), translate_many(calls, enriched(config, mapping)), strict=True
        ):
            is_gain = id_type not in ids_of(before) and not is_placeholder(ids_of(after).get(id_type, ""))
            saved += isinstance(before, Rejected) and not isinstance(after, Rejected) and is_gain
            gained += isinstance(before, StatsigEvent) and is_gain

        assert (gains[mapping].saved_calls, gains[mapping].enriched_events) == (saved, gained)

    @given(calls_of_any_kind)
    def test_a_candidate_of_the_table_is_measured_once(self, calls: list[Any]) -> None:
        assert preview(calls, candidates=LIKELY_MAPPINGS) == preview(calls)


class TestCO4:
    """CO-4: `a.merge(b)` is the preview of the input of `a` followed by that of `b`; order of parts does not matter
    but for the order of names."""

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, calls_of_any_kind, integration_configs())
    def test_parts_merge_to_the_whole(self, one: list[Any], two: list[Any], config: IntegrationConfig) -> None:
        assert preview(one, config).merge(preview(two, config)) == preview(one + two, config)

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, calls_of_any_kind, integration_configs())
    def test_the_order_of_parts_does_not_matter(
        self, one: list[Any], two: list[Any], config: IntegrationConfig
    ) -> None:
        a, b = preview(one, config), preview(two, config)

        assert in_any_order(a.merge(b)) == in_any_order(b.merge(a))

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, calls_of_any_kind, calls_of_any_kind)
    def test_it_is_associative(self, one: list[Any], two: list[Any], three: list[Any]) -> None:
        a, b, c = preview(one), preview(two), preview(three)

        assert a.merge(b).merge(c) == a.merge(b.merge(c))

    @given(calls_of_any_kind)
    def test_nothing_merged_changes_nothing(self, calls: list[Any]) -> None:
        assert preview([]).merge(preview(calls)) == preview(calls) == preview(calls).merge(preview([]))

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, calls_of_any_kind, few_names)
    def test_beyond_the_limit_of_names_the_totals_still_merge(self, one: list[Any], two: list[Any], most: int) -> None:
        merged = preview(one, max_names=most).merge(preview(two, max_names=most))
        whole = preview(one + two, max_names=most)

        assert totals(merged) == totals(whole)
        assert sum(event.name is not None for event in merged.events) <= most

    @given(calls_of_any_kind)
    def test_it_travels_between_processes(self, calls: list[Any]) -> None:
        found = preview(calls)

        assert pickle.loads(pickle.dumps(found)) == found  # noqa: S301 - our own bytes


class TestCO5:
    """CO-5: No value of a payload stands in it but event names and ID types (and, since CO-7 and CO-9, the names of
    client libraries and consent categories)."""

    @given(st.lists(segment_calls(), max_size=4), integration_configs())
    def test_values_leave_no_trace(self, calls: list[Any], config: IntegrationConfig) -> None:
        secret = "only-in-values-7f3a"
        for call in calls:
            call["userId"] = call["anonymousId"] = call["context"] = secret
            for holder in ("properties", "traits"):
                free = {key: value for key, value in call.get(holder, {}).items() if not key.startswith("statsig")}
                call[holder] = {**free, "plan": secret, "statsigCustomIDs": ["companyID", secret]}

        assert secret not in repr(preview(calls, config))


class TestCO6:
    """CO-6: `first_ms` and `last_ms`: the earliest and latest time among translated events."""

    @given(calls_of_any_kind, integration_configs())
    def test_the_span_is_that_of_the_events(self, calls: list[Any], config: IntegrationConfig) -> None:
        events = [each for each in translate_many(calls, config) if isinstance(each, StatsigEvent)]
        times = [event.time_ms for event in events if event.time_ms is not None]

        found = preview(calls, config)

        assert (found.first_ms, found.last_ms) == (min(times, default=None), max(times, default=None))


class TestCO7:
    """CO-7: `libraries`: the same counts as for an event (translated, user IDs, each ID type) by
    `context.library.name`, absent under `None`; at most 50 apart, the rest together."""

    @given(calls_of_any_kind, integration_configs())
    def test_the_libraries_count_what_the_events_count(self, calls: list[Any], config: IntegrationConfig) -> None:
        found = preview(calls, config)

        assert sum(library.translated for library in found.libraries) == found.translated
        assert sum(library.user_ids for library in found.libraries) == found.user_ids
        assert sum((Counter(library.id_types) for library in found.libraries), Counter[str]()) == found.id_types

    @given(st.lists(segment_calls(), max_size=5), st.data())
    def test_each_counts_the_events_that_it_sent(self, calls: list[Any], data: st.DataObject) -> None:
        expected = Counter[str | None]()
        for call in calls:
            name = data.draw(st.sampled_from(("analytics.js", "analytics-swift", "", None, 5)))
            call["context"] = {"library": {"name": name}}
            expected[name if isinstance(name, str) and name else None] += not isinstance(
                next(translate_many([call])), Rejected | Skipped | AudienceUpdate
            )

        assert {library.name: library.translated for library in preview(calls).libraries} == +expected

    @given(st.integers(0, 60))
    def test_no_more_than_50_are_kept_apart(self, count: int) -> None:
        calls = [
            {"type": "track", "event": "A", "userId": "u", "context": {"library": {"name": f"l{n}"}}}
            for n in range(count)
        ]

        found = preview(calls)

        assert [library.name for library in found.libraries] == [
            *(f"l{number}" for number in range(min(count, 50))),
            *([""] if count > 50 else []),
        ]
        assert sum(library.translated for library in found.libraries) == count


class TestCO8:
    """CO-8: `mappings`: for each row of `id_mappings`, how many calls had a value there, and how many IDs it gave.
    (Over all calls that parse, skipped ones too; `found` counts usable IDs.)"""

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, integration_configs())
    def test_a_row_gave_what_is_there_with_it_and_not_without_it(
        self, calls: list[Any], config: IntegrationConfig
    ) -> None:
        rows = config.inbound.id_mappings
        drops = config.inbound.drop_placeholder_ids
        gave = Counter[IdMapping]()
        for call in parsed(calls):
            for place, row in enumerate(rows):
                before = apply_id_mappings(call, rows[:place], drop_placeholders=drops)
                after = apply_id_mappings(call, rows[: place + 1], drop_placeholders=drops)
                gave[row] += len(ids_of(after)) - len(ids_of(before))

        assert [(use.field, use.id_type, use.gave) for use in preview(calls, config).mappings] == [
            (row.field, row.id_type, gave[row]) for row in dict.fromkeys(rows)
        ]

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, integration_configs())
    def test_a_row_found_what_it_gives_where_nothing_else_does(
        self, calls: list[Any], config: IntegrationConfig
    ) -> None:
        drops = config.inbound.drop_placeholder_ids
        found = Counter[IdMapping]()
        for call in parsed(calls):
            alone = attrs.evolve(call, user_id=None, custom_ids={}, _id_sources={})
            for row in dict.fromkeys(config.inbound.id_mappings):
                probe = attrs.evolve(row, id_type="probe")
                found[row] += "probe" in apply_id_mappings(alone, [probe], drop_placeholders=drops).custom_ids

        uses = preview(calls, config).mappings
        assert [use.found for use in uses if use.field != "userId"] == [
            found[row] for row in dict.fromkeys(config.inbound.id_mappings) if row.field != "userId"
        ]

    @TEN_BY_DEFAULT
    @given(calls_of_any_kind, integration_configs())
    def test_no_row_gives_more_than_it_finds(self, calls: list[Any], config: IntegrationConfig) -> None:
        assert all(use.gave <= use.found <= len(calls) for use in preview(calls, config).mappings)


class TestCO9:
    """CO-9: `consent`: category -> how many calls give it, and how many refuse it (anything but `true`), of those that
    carry preferences; at most 100 apart."""

    @given(
        st.lists(
            st.tuples(
                segment_calls(malformed=True),
                st.dictionaries(
                    st.sampled_from(("ads", "analytics", "other")), st.booleans() | json_values(max_leaves=2)
                ),
            ),
            max_size=6,
        )
    )
    def test_each_category_is_given_or_refused(self, drawn: list[tuple[Any, dict[str, Any]]]) -> None:
        given_in, refused_in = Counter[str](), Counter[str]()
        for call, preferences in drawn:
            call["context"] = {"consent": {"categoryPreferences": preferences}}
            for category, value in preferences.items() if parsed([call]) else ():
                (given_in if value is True else refused_in)[category] += 1

        found = preview([call for call, _ in drawn]).consent

        assert {name: consent.given for name, consent in found.items() if consent.given} == given_in
        assert {name: consent.refused for name, consent in found.items() if consent.refused} == refused_in


class TestCO10:
    """CO-10: `Preview` is the only tally there is: what counts outcomes of every kind counts as it does."""

    @given(calls_of_any_kind, integration_configs())
    def test_outcomes_of_every_kind_count_alike(self, calls: list[Any], config: IntegrationConfig) -> None:
        found = preview(calls, config)
        for outcomes in (translate_many(calls, config), log_events_or_outcomes(calls, config.inbound, None)):
            counts = GrowingCounts()
            for outcome in outcomes:
                counts.add(outcome)
            counted = counts.frozen(Counts)
            assert (counted.read, counted.translated, counted.audiences) == (
                found.read,
                found.translated,
                found.audiences,
            )
            assert (counted.skipped, counted.rejected, counted.issues) == (found.skipped, found.rejected, found.issues)

    @given(calls_of_any_kind, integration_configs())
    def test_models_and_log_events_make_the_same_preview(self, calls: list[Any], config: IntegrationConfig) -> None:
        growing = GrowingPreview(config)
        for call, outcome in zip(calls, translate_many(calls, config), strict=True):
            growing.add(call, outcome)

        assert growing.preview() == preview(calls, config)

    @given(st.lists(statsig_events() | json_values(max_leaves=3), max_size=6))
    def test_exports_count_too(self, exports: list[Any]) -> None:
        counts = GrowingCounts()
        for outcome in export_many(exports):
            counts.add(outcome)

        assert counts.read == len(exports)
        assert counts.translated == sum(isinstance(outcome, dict) for outcome in export_many(exports))

    @given(calls_of_any_kind)
    def test_what_could_not_be_decoded_counts_as_what_it_is(self, calls: list[Any]) -> None:
        broken = Rejected(error=SegmentEventError("invalid_json"), payload=b"{")

        found = preview([*calls, broken])

        assert Counter(found.rejected) == Counter(preview(calls).rejected) + Counter(invalid_json=1)
