"""The comparison of whole archives: what is proposed, what is left open, and never a wrong yes (CM-1 to CM-6).

Each class is a case in which the comparison once gave a wrong answer, found with archives of 1,000 to 200,000 calls.
"""

from __future__ import annotations

from typing import Any

import pytest
from tests.support.archives import (
    HOUR_MS,
    START_MS,
    TRACKS,
    JsonObject,
    exported_by,
    in_cents,
    in_lower_case,
    in_seconds,
    kept,
    of_another_sdk,
    renamed,
    segment_archive,
    shifted,
    snake_case,
)
from tests.support.sizes import slow, small_and_large
from tests.support.values import canonical

from statsig_segment import IntegrationConfig, load_config
from statsig_segment.configuration.models import derived_of
from statsig_segment.insight.comparison import Comparison, Finding, PathCount, compare

DEFAULT = IntegrationConfig()
ANONYMOUS = {"id_mappings": [{"field": "anonymousId", "id_type": "visitorID"}]}


@pytest.fixture(params=small_and_large(400, 1_000))
def count(request: pytest.FixtureRequest) -> int:
    """How many calls an archive has."""
    return int(request.param)


def configured(**inbound: Any) -> IntegrationConfig:
    return load_config({"inbound": inbound})


def finding(found: Comparison, aspect: str) -> Finding:
    return next(each for each in found.findings if each.aspect == aspect)


def agreement(found: Comparison) -> dict[str, tuple[int, int]]:
    return {each.aspect: (each.agree, each.differ) for each in found.findings}


def assert_never_worse(calls: list[JsonObject], events: list[JsonObject], given: IntegrationConfig = DEFAULT) -> None:
    found = compare(calls, events, given)
    before, after = agreement(found), agreement(compare(calls, events, load_config(found.proposal)))
    assert {aspect: (after.get(aspect), before[aspect]) for aspect in before if worse(before, after, aspect)} == {}


def worse(before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], aspect: str) -> bool:
    agree, differ = after.get(aspect, (0, 0))
    return agree < before[aspect][0] or differ > before[aspect][1]


class TestNamesThatNoTemplateExpresses:
    """CM-3: a template without a placeholder is proposed for `track` only where it fits at least 95 % of the pairs of
    three names or more; names that no template expresses are said to be so."""

    def test_snake_case_gives_no_constant_name(self, count: int) -> None:
        calls = segment_archive(count)
        found = compare(calls, renamed(exported_by(calls, DEFAULT), snake_case))

        assert "track" not in found.proposal.get("inbound", {}).get("naming", {})
        assert any("track calls" in problem for problem in found.problems)
        assert not found.agrees

    def test_one_name_for_all_tracks_is_proposed_where_it_is_so(self, count: int) -> None:
        calls = segment_archive(count)
        hidden = configured(naming={"track": "Something happened"})

        assert compare(calls, exported_by(calls, hidden)).proposal == {
            "inbound": {"naming": {"track": "Something happened"}}
        }

    def test_two_names_that_became_one_are_too_few(self, count: int) -> None:
        calls = segment_archive(count, names=TRACKS[:2])
        found = compare(calls, exported_by(calls, configured(naming={"track": "Something happened"})))

        assert "inbound" not in found.proposal

    def test_a_value_in_cents_is_no_property(self, count: int) -> None:
        calls = segment_archive(count)
        found = compare(calls, in_cents(exported_by(calls, DEFAULT), calls))

        assert found.proposal == {}
        assert finding(found, "value").paths[0].kind == "different"

    def test_nothing_gets_worse_in_a_mix_that_cannot_be_expressed(self, count: int) -> None:
        calls = segment_archive(count)
        events = in_cents(renamed(exported_by(calls, configured(**ANONYMOUS)), snake_case), calls)

        assert_never_worse(calls, kept(events, 0.7))


class TestFilters:
    """CM-3: a name is proposed as excluded only where its silence is not chance at the measured rate of loss and it was
    called while the export lasts; where there is too little to tell, `undecided` says `inbound.filters`."""

    NAMES = tuple(f"Event {at}" for at in range(30))

    def test_an_include_list_under_a_sample_is_left_open(self, count: int) -> None:
        calls = segment_archive(2 * count, names=self.NAMES)
        hidden = configured(filters={"include": [*self.NAMES[:4]]})
        found = compare(calls, kept(exported_by(calls, hidden), 0.1))

        excluded = load_config(found.proposal).inbound.filters.exclude
        assert excluded.isdisjoint(self.NAMES[:4])
        assert "inbound.filters" in found.undecided

    def test_enough_calls_show_an_excluded_name_even_under_a_sample(self, count: int) -> None:
        calls = segment_archive(5 * count)
        hidden = configured(filters={"exclude": [TRACKS[0]]})
        found = compare(calls, kept(exported_by(calls, hidden), 100 / count))

        assert found.proposal == {"inbound": {"filters": {"exclude": (TRACKS[0],)}}}
        assert not found.agrees

    def test_a_name_that_is_called_only_after_the_export_ends_is_not_excluded(self, count: int) -> None:
        calls = segment_archive(count)
        end = calls[8 * count // 10]["timestamp"]
        late = [
            {**call, "event": "Late"} if call["type"] == "track" and call["timestamp"] > end else call for call in calls
        ]
        found = compare(late, [event for event in exported_by(late, DEFAULT) if event["timestamp"] <= end])

        assert found.proposal == {}
        assert "inbound.filters" in found.undecided
        assert found.unpaired["outside_export"] > count / 10

    def test_a_name_that_is_called_only_during_an_outage_is_not_excluded(self, count: int) -> None:
        calls = segment_archive(2 * count)
        begin, end = calls[6 * count // 10]["timestamp"], calls[9 * count // 10]["timestamp"]
        rare = [
            {**call, "event": "Rare"}
            if call["type"] == "track" and begin < call["timestamp"] < end and at % 3
            else call
            for at, call in enumerate(calls)
        ]
        events = [event for event in exported_by(rare, DEFAULT) if not begin < event["timestamp"] < end]

        assert compare(rare, events).proposal == {}

    def test_what_an_include_list_holds_back_though_it_arrived_is_included(self, count: int) -> None:
        calls = segment_archive(count)
        given = configured(filters={"include": [*TRACKS[:3]], "types": ["track"]})
        found = compare(calls, exported_by(calls, DEFAULT), given)

        assert set(TRACKS) <= set(load_config(found.proposal).inbound.filters.include or ())
        assert compare(calls, exported_by(calls, DEFAULT), load_config(found.proposal)).agrees


class TestOrder:
    """CM-3: the order of two rows or two value properties is decided, or named as undecided, where no call has both."""

    ROWS = ({"field": "groupId", "id_type": "companyID"}, {"field": "context.groupId", "id_type": "companyID"})

    def archive(self, count: int, *, both: bool) -> list[JsonObject]:
        calls = segment_archive(count)
        for at, call in enumerate(calls):
            if call["type"] == "track":
                if at % 2 or both:
                    call["groupId"] = f"g{at}"
                if not at % 2 or both:
                    call["context"]["groupId"] = f"c{at}"
        return calls

    def test_rows_of_which_no_call_has_both_are_left_open(self, count: int) -> None:
        calls = self.archive(count, both=False)
        found = compare(calls, exported_by(calls, configured(id_mappings=self.ROWS)))

        assert {row.field for row in load_config(found.proposal).inbound.id_mappings} == {"groupId", "context.groupId"}
        assert "inbound.id_mappings.order" in found.undecided
        assert "inbound.id_mappings" not in found.undecided

    def test_rows_that_meet_in_a_call_are_decided(self, count: int) -> None:
        calls = [*self.archive(count, both=False)[: count // 2], *self.archive(count, both=True)[count // 2 :]]
        found = compare(calls, exported_by(calls, configured(id_mappings=self.ROWS)))

        assert [row.field for row in load_config(found.proposal).inbound.id_mappings] == [
            row["field"] for row in self.ROWS
        ]
        assert "inbound.id_mappings.order" not in found.undecided

    def test_two_value_properties_likewise(self, count: int) -> None:
        calls = segment_archive(count)
        for at, call in enumerate(calls):
            if call["type"] == "track":
                call["properties"] = {"revenue": at + 0.5} if at % 2 else {"price": at + 0.25}
        found = compare(calls, exported_by(calls, configured(value_property=["revenue", "price"])))

        assert set(derived_of(load_config(found.proposal).inbound).value_properties) == {"revenue", "price"}
        assert "inbound.value_property.order" in found.undecided


class TestWhatHoldsCallsBack:
    """CM-3: `honor_integrations`, `drop_placeholder_ids`, `consent_categories` and `integration_names` are decided, or
    named in `undecided`."""

    KEYS = frozenset(
        {
            "inbound.honor_integrations",
            "inbound.integration_names",
            "inbound.consent_categories",
            "inbound.drop_placeholder_ids",
        }
    )

    def test_an_archive_that_says_nothing_leaves_all_open(self, count: int) -> None:
        calls = segment_archive(count)

        assert set(compare(calls, exported_by(calls, DEFAULT)).undecided) >= self.KEYS

    @pytest.mark.parametrize(
        ("extra", "hidden"),
        [
            ({"integrations": {"All": False}}, {"honor_integrations": False}),
            ({"integrations": {"All": False, "Webhooks": True}}, {"integration_names": ["Statsig", "Webhooks"]}),
            ({"context": {"consent": {"categoryPreferences": {"ads": False}}}}, {"consent_categories": ["ads"]}),
            ({"userId": "undefined"}, {"drop_placeholder_ids": True, **ANONYMOUS}),
        ],
        ids=["integrations", "names", "consent", "placeholders"],
    )
    def test_it_is_found(self, count: int, extra: JsonObject, hidden: JsonObject) -> None:
        calls = [{**call, **extra} if at % 4 == 0 else call for at, call in enumerate(segment_archive(count))]
        if "integration_names" in hidden:  # some that nothing switches on again
            calls = [{**call, "integrations": {"All": False}} if at % 9 == 1 else call for at, call in enumerate(calls)]
        found = compare(calls, exported_by(calls, configured(**hidden)))
        proposed = load_config(found.proposal).inbound

        assert {key: getattr(proposed, key) for key in hidden} == {
            key: getattr(configured(**hidden).inbound, key) for key in hidden
        }
        assert set(found.undecided).isdisjoint(f"inbound.{key}" for key in hidden)
        assert not found.agrees
        assert compare(calls, exported_by(calls, configured(**hidden)), load_config(found.proposal)).agrees

    def test_what_is_honored_on_both_sides_is_decided(self, count: int) -> None:
        calls = [
            {**call, "integrations": {"All": False}} if at % 4 == 0 else call
            for at, call in enumerate(segment_archive(count))
        ]
        found = compare(calls, exported_by(calls, configured(**ANONYMOUS)), configured(**ANONYMOUS))

        assert found.agrees
        assert "inbound.honor_integrations" not in found.undecided


class TestNoFalseYes:
    """CM-6: `agrees` is true only where every aspect agrees and at most 5 % of the calls that we would send, and of the
    exported events that came from Segment, stay unpaired and unclassified."""

    def test_a_fifth_of_the_calls_lost_is_no_yes(self, count: int) -> None:
        calls = segment_archive(count)
        found = compare(calls, kept(exported_by(calls, DEFAULT), 0.8))

        assert not any(each.differ for each in found.findings)
        assert not found.agrees
        assert found.unexplained_calls > count / 10

    def test_a_few_lost_calls_are_a_yes(self, count: int) -> None:
        calls = segment_archive(count)

        assert compare(calls, kept(exported_by(calls, DEFAULT), 0.98)).agrees

    def test_calls_that_would_be_skipped_and_that_statsig_holds_differ(self) -> None:
        calls = [{**call, "integrations": {"All": False}} for call in segment_archive(10) if call["type"] != "identify"]
        found = compare(calls, exported_by(calls, configured(honor_integrations=False)))

        assert finding(found, "sent").paths == (PathCount(path="$", kind="extra", count=found.paired),)
        assert not found.agrees

    def test_events_of_calls_that_are_not_there_are_no_yes(self, count: int) -> None:
        calls = segment_archive(count)

        assert not compare(calls[: count // 2], exported_by(calls, DEFAULT)).agrees


class TestUnpaired:
    """CM-6: `Comparison.unpaired` classifies what has no partner, each with a count."""

    def test_identify_calls_that_arrived_as_events(self, count: int) -> None:
        calls = segment_archive(count)
        arrived = [
            {**call, "type": "track", "event": "Identify"} if call["type"] == "identify" else call for call in calls
        ]
        found = compare(calls, exported_by(arrived, DEFAULT))
        identifies = sum(call["type"] == "identify" and call["userId"] is not None for call in calls)

        assert found.unpaired == {"identify_as_event": identifies}

    def test_events_without_any_id(self, count: int) -> None:
        calls = segment_archive(count)
        events = exported_by(calls, configured(id_mappings=[{"field": "anonymousId", "id_type": "x"}]))
        events = [event if "userID" in event["user"] else {**event, "user": {}} for event in events]
        found = compare(calls, events)

        assert found.unpaired == {"without_id": sum(not event["user"] for event in events)}

    def test_events_of_another_sdk(self, count: int) -> None:
        calls = segment_archive(count)
        found = compare(calls, [*exported_by(calls, DEFAULT), *of_another_sdk(200)])

        assert found.unpaired == {"not_from_segment": 200}
        assert found.agrees

    def test_calls_outside_the_export(self, count: int) -> None:
        calls = segment_archive(count)
        begin, end = calls[3 * count // 10]["timestamp"], calls[6 * count // 10]["timestamp"]
        found = compare(calls, [event for event in exported_by(calls, DEFAULT) if begin <= event["timestamp"] <= end])

        assert found.agrees
        assert found.unpaired["outside_export"] + found.paired == len(exported_by(calls, DEFAULT))

    def test_calls_of_names_that_never_arrive(self, count: int) -> None:
        calls = segment_archive(count)
        found = compare(calls, exported_by(calls, configured(filters={"exclude": [TRACKS[0]]})))

        silent = sum(call.get("event") == TRACKS[0] and call["userId"] is not None for call in calls)
        assert found.unpaired == {"silent_name": silent}
        assert finding(found, "sent").paths == (PathCount(path="$", kind="missing", count=silent),)


class TestWhyNothingPairs:
    """CM-1: where few pair, one shift that would pair most is looked for and named among the problems."""

    def problem(self, events: list[JsonObject], calls: list[JsonObject]) -> str:
        found = compare(calls, events)
        assert found.paired < len(events) / 10
        assert not found.agrees
        (problem,) = found.problems
        return problem

    @pytest.mark.parametrize(
        ("shift_ms", "words"),
        [(HOUR_MS, "1 h later"), (-HOUR_MS, "1 h earlier"), (19_800_000, "5 h and 30 min later")],
        ids=str,
    )
    def test_a_shift_of_the_clock_is_named(self, count: int, shift_ms: int, words: str) -> None:
        calls = segment_archive(count)

        assert words in self.problem(shifted(exported_by(calls, DEFAULT), shift_ms), calls)

    def test_seconds_are_named(self, count: int) -> None:
        calls = segment_archive(count)
        events = in_seconds(exported_by(calls, DEFAULT))

        assert "whole seconds" in self.problem(events, calls)
        assert compare(calls, events, tolerance_ms=999).paired > count / 2

    def test_ids_in_another_letter_case_are_named(self, count: int) -> None:
        calls = segment_archive(count)

        assert "letter case" in self.problem(in_lower_case(exported_by(calls, DEFAULT)), calls)

    def test_two_archives_of_one_time_are_not_said_to_be_shifted(self, count: int) -> None:
        calls, others = segment_archive(count), segment_archive(count, seed=7)
        for call in others:
            call["userId"] = f"other-{call['anonymousId']}"

        assert "same time" in self.problem(exported_by(others, DEFAULT), calls)


class TestHiddenConfigurations:
    """CM-4, under loss and sampling: what arrived is translated alike under the proposal."""

    HIDDEN: tuple[JsonObject, ...] = (
        {},
        ANONYMOUS,
        {"naming": {"prefix": "web/", "page": "Saw {name}"}, "value_property": "total"},
        {"nested": "flatten", "metadata_fields": {"path": "context.page.path"}},
        {"user_fields": {"ip": "context.ip"}, "default_environment": "staging", **ANONYMOUS},
        {"custom_fields": {"source": "context.campaign.source"}, "value_property": ["revenue", "total"]},
        {"naming": "segment_2021", "id_mappings": [{"field": "context.device.id", "id_type": "deviceID"}]},
    )

    @pytest.mark.parametrize("share", [0.9, slow(1.0), slow(0.1)], ids=["loss", "all", "sample"])
    @pytest.mark.parametrize("hidden", HIDDEN, ids=str)
    def test_it_is_found(self, count: int, hidden: JsonObject, share: float) -> None:
        calls = segment_archive(count)
        events = kept(exported_by(calls, configured(**hidden)), share)
        found = compare(calls, [*events, *of_another_sdk(50)])
        again = exported_by(calls, load_config(found.proposal))

        assert {*map(canonical, events)} <= {*map(canonical, again)}


class TestTheSameConfiguration:
    @pytest.mark.parametrize("hidden", TestHiddenConfigurations.HIDDEN, ids=str)
    def test_it_proposes_nothing(self, count: int, hidden: JsonObject) -> None:
        calls, config = segment_archive(count), configured(**hidden)
        found = compare(calls, exported_by(calls, config), config)

        assert found.agrees
        assert load_config(found.proposal) == config

    def test_a_side_compared_with_itself_proposes_nothing(self) -> None:
        calls = segment_archive(50)

        assert compare(calls, calls).proposal == {}


def test_the_time_of_the_first_call_is_that_of_the_archive() -> None:
    assert 0 < segment_archive(1)[0]["timestamp"] - START_MS < 1_000
