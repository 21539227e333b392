"""The comparison: what pairs, what is proposed, each kind of noise, and bad input."""

from __future__ import annotations

import json
import sys
import tracemalloc
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import pytest
from tests.support.sizes import small_and_large

from statsig_segment import EventNaming, IntegrationConfig, StatsigEvent, load_config, to_log_event, translate_many
from statsig_segment.configuration.models import derived_of
from statsig_segment.insight.comparison import Comparison, Example, Finding, PathCount, compare
from statsig_segment.insight.comparison.likeness import texts_of
from statsig_segment.insight.comparison.templates import Naming

JsonObject = dict[str, Any]

START_MS = 1_793_692_800_000
HIDDEN = load_config(
    {
        "inbound": {
            "naming": {"prefix": "web/", "page": "Saw {name}"},
            "value_property": "total",
            "default_environment": "staging",
            "id_mappings": [{"field": "anonymousId", "id_type": "visitorID"}],
            "filters": {"exclude": ["Heartbeat"]},
        }
    }
)


def call(at: int, **fields: Any) -> JsonObject:
    return {"userId": f"u{at % 3}", "anonymousId": f"a{at}", "timestamp": START_MS + 1000 * at, **fields}


def archive(count: int = 40) -> list[JsonObject]:
    """Tracks, pages and heartbeats in turn."""
    return [call(at, **_kind(at)) for at in range(count)]


def _kind(at: int) -> JsonObject:
    if at % 3 == 0:
        return {"type": "track", "event": f"Event {at % 7}", "properties": {"total": at + 0.5, "value": 1}}
    if at % 3 == 1:
        return {"type": "page", "name": f"Page {at}", "category": "Docs"}
    return {"type": "track", "event": "Heartbeat"}


def exports(calls: list[JsonObject], config: IntegrationConfig = HIDDEN) -> list[JsonObject]:
    events = [to_log_event(each) for each in translate_many(calls, config) if isinstance(each, StatsigEvent)]
    return [{("timestamp" if key == "time" else key): value for key, value in event.items()} for event in events]


def as_row(event: JsonObject, written: Any) -> JsonObject:
    """An event as a row of the warehouse export: times and values are text, and objects may be."""
    user = dict(event["user"])
    custom_ids, user_id = user.pop("customIDs", None), user.get("userID")
    moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    return {
        "user_id": user_id,
        "stable_id": None,
        "custom_ids": None if custom_ids is None else written(custom_ids),
        "timestamp": f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03} UTC",
        "event_name": event["eventName"],
        "event_value": None if event.get("value") is None else str(event["value"]),
        "user_object": written(user),
        "statsig_metadata": written({"sdkType": "segment"}),
        "company_metadata": written(event["metadata"]),
    }


def track(event: str = "Signed Up", at: int = 0, **fields: Any) -> JsonObject:
    return {"type": "track", "event": event, "userId": "u1", "timestamp": START_MS + at, **fields}


def exported(name: str = "segment::Signed Up", at: int = 0, **fields: Any) -> JsonObject:
    return {"eventName": name, "userID": "u1", "timestamp": START_MS + at, "metadata": {}, **fields}


def finding(found: Comparison, aspect: str) -> Finding:
    return next(each for each in found.findings if each.aspect == aspect)


class TestPairing:
    def test_a_call_finds_its_event_by_time_and_user_id(self) -> None:
        found = compare([track(at=0), track(at=1)], [exported(at=1), exported(at=2)])

        assert (found.paired, found.only_called, found.only_exported) == (1, 1, 1)

    def test_an_anonymous_call_finds_its_event_before_it_is_mapped(self) -> None:
        event = exported(userID=None, user={"customIDs": {"visitorID": "a1"}})

        assert compare([track(userId=None, anonymousId="a1")], [event]).paired == 1

    @pytest.mark.parametrize("place", ["context", "properties"])
    def test_an_id_deep_in_the_call_is_found(self, place: str) -> None:
        event = exported(userID=None, user={"customIDs": {"deviceID": "d1"}})

        assert compare([track(userId=None) | {place: {"device": {"id": "d1"}}}], [event]).paired == 1

    def test_an_id_deep_in_the_call_is_found_beside_others_within_a_tolerance(self) -> None:
        """Each moment within reach is searched for every ID of the call."""
        call = track(userId=None) | {"properties": {"device": {"id": "d1"}}}
        events = [exported(at=-500, userID="u2"), exported(userID=None, user={"customIDs": {"deviceID": "d1"}})]

        assert compare([call], events, tolerance_ms=999).paired == 1

    def test_an_id_in_properties_counts_only_where_no_other_does(self) -> None:
        calls = [track("One", properties={"friend": "u2"}), track("Two", userId="u2")]
        events = [exported("segment::One"), exported("segment::2", userID="u2")]

        found = compare(calls, events)

        assert (found.paired, found.ambiguous) == (2, 0)

    def test_of_several_that_fit_the_one_of_equal_name_counts(self) -> None:
        calls = [track("One"), {**track(), "type": "page", "name": "Home"}]
        events = [exported("seen: Home"), exported("segment::One")]

        found = compare(calls, events)

        assert (found.paired, found.ambiguous) == (2, 0)
        assert finding(found, "track name").differ == 0

    def test_what_stays_ambiguous_is_compared_with_nothing(self) -> None:
        found = compare([track("One"), track("Two")], [exported("1"), exported("2")])

        assert (found.paired, found.ambiguous, found.ambiguous_exported, found.findings) == (0, 2, 2, ())

    def test_names_learned_elsewhere_settle_what_was_ambiguous(self) -> None:
        crowd = [track("One", 5), track("Two", 5)]
        lone = [track(f"Event {at}", 10 + at) for at in range(3)]
        events = [exported("x One", 5), exported("x Two", 5)]
        events += [exported(f"x Event {at}", 10 + at) for at in range(3)]

        found = compare([*crowd, *lone], events)

        assert (found.paired, found.ambiguous) == (5, 0)

    def test_an_identify_call_pairs_with_nothing(self) -> None:
        found = compare([{**track(), "type": "identify"}], [exported()])

        assert (found.paired, found.only_called, found.only_exported) == (0, 1, 1)

    def test_a_config_change_pairs_with_nothing(self) -> None:
        found = compare([track()], [exported("statsig::config_change")])

        assert (found.paired, found.only_exported) == (0, 1)


class TestFindings:
    def test_an_example_is_a_pair_of_positions_and_a_path(self) -> None:
        calls = ["oops", track(at=1), track(at=2, properties={"statsigCustomIDs": ["companyID", "c1"]})]
        events = [exported(at=2, user={"customIDs": {"companyID": "c2"}}), exported(at=1)]

        found = finding(compare(calls, events), "custom IDs")

        assert found == Finding(
            aspect="custom IDs",
            rule="ID-4",
            agree=0,
            differ=1,
            examples=(Example(call=2, exported=0, path="$.user.customIDs.companyID"),),
            paths=(PathCount(path="$.user.customIDs.companyID", kind="different", count=1),),
        )

    def test_a_call_that_is_filtered_here_and_arrived_there_differs(self) -> None:
        config = load_config({"inbound": {"filters": {"exclude": ["Signed Up"]}}})

        found = compare([track()], [exported()], config)

        assert finding(found, "sent").examples == (Example(call=0, exported=0, path="$"),)
        assert load_config(found.proposal).inbound.filters.exclude == frozenset()

    def test_all_pairs_that_agree_make_it_agree(self) -> None:
        assert compare([track()], [exported()]).agrees
        assert not compare([track()], [exported("Signed Up")]).agrees
        assert not compare([], []).agrees


class TestProposal:
    def test_it_is_found_for_everything_at_once(self) -> None:
        calls = archive()

        found = compare(calls, exports(calls))

        assert load_config(found.proposal) == load_config(
            {
                "inbound": {
                    "naming": {"prefix": "web/", "page": "Saw {name}"},
                    "value_property": "total",
                    "default_environment": "staging",
                    "id_mappings": [{"field": "anonymousId", "id_type": "visitorID"}],
                    "filters": {"exclude": ["Heartbeat"]},
                    "user_fields": {"ip": "context.ip", "userAgent": "context.userAgent", "locale": "context.locale"},
                }
            }
        )
        assert compare(calls, exports(calls), load_config(found.proposal)).agrees

    def test_it_can_be_written_as_json(self) -> None:
        calls = archive()
        found = compare(calls, exports(calls))

        assert load_config(json.dumps(found.proposal)) == load_config(found.proposal)

    def test_what_the_configuration_says_elsewhere_is_kept(self) -> None:
        table = {"inbound": {"id_types": ["companyID"]}, "outbound": {"profile": "deliverable"}}

        assert compare([track()], [exported()], load_config(table)).proposal == {
            "inbound": {"id_types": ("companyID",)},
            "outbound": {"profile": "deliverable"},
        }

    def test_two_parts_that_never_stand_together_make_one_template(self) -> None:
        calls = [
            {**track(at=at), "type": "page", **parts}
            for at, parts in enumerate(({"name": "Home"}, {"category": "Docs"}, {"name": "About"}))
        ]
        events = [exported(f"segment::Saw {name}", at) for at, name in enumerate(("Home", "Docs", "About"))]

        naming = load_config(compare(calls, events).proposal).inbound.naming

        assert naming.page in {"Saw {name} {category}", "Saw {category} {name}"}

    def test_braces_of_a_name_stand_for_themselves(self) -> None:
        calls = [track(name, at) for at, name in enumerate(("One", "Two"))]
        events = [exported("{One}", 0), exported("{Two}", 1)]

        found = compare(calls, events)

        assert found.proposal == {"inbound": {"naming": {"prefix": "", "track": "{{{event}}}"}}}

    def test_a_default_that_agrees_stays_where_others_agree_as_well(self) -> None:
        call = track(properties={"value": 5, "revenue": 5})

        found = compare([call], [exported(value=5, metadata={"value": "5", "revenue": "5"})])

        assert found.proposal == {}
        assert "inbound.value_property" in found.undecided

    def test_what_tells_them_apart_decides(self) -> None:
        calls = [track(properties={"value": 5, "revenue": 5}), track(at=1, properties={"value": 5, "revenue": 6})]
        events = [
            exported(value=5, metadata={"value": "5", "revenue": "5"}),
            exported(at=1, value=6, metadata={"value": "5", "revenue": "6"}),
        ]

        found = compare(calls, events)

        assert found.proposal == {"inbound": {"value_property": "revenue"}}
        assert "inbound.value_property" not in found.undecided

    def test_a_value_that_never_arrives_is_proposed_away(self) -> None:
        found = compare([track(properties={"value": 5})], [exported(metadata={"value": "5"})])

        assert found.proposal == {"inbound": {"value_property": False}}

    def test_two_rows_that_fill_one_id_type_keep_their_order(self) -> None:
        rows = [{"field": "shopId", "id_type": "unit"}, {"field": "anonymousId", "id_type": "unit"}]
        hidden = load_config({"inbound": {"id_mappings": rows}})
        ids: tuple[JsonObject, ...] = ({"shopId": "s", "anonymousId": "a"}, {"anonymousId": "b"}, {"shopId": "t"})
        calls = [track(at=at, **each) for at, each in enumerate(ids)]

        assert load_config(compare(calls, exports(calls, hidden)).proposal) == hidden

    def test_a_call_that_never_arrived_speaks_against_a_mapping_that_would_send_it(self) -> None:
        calls = [
            track(at=0, userId=None, anonymousId="a1", shopId="a1"),
            track(at=1, userId=None, anonymousId="a2"),
        ]
        event = exported(userID=None, user={"customIDs": {"unit": "a1"}})

        found = compare(calls, [event])

        assert found.proposal["inbound"]["id_mappings"] == ({"field": "shopId", "id_type": "unit"},)


class TestNeverWorse:
    """CM-3: no proposal agrees with fewer pairs of any aspect than the configuration that was given."""

    def test_what_would_keep_calls_from_being_sent_is_taken_back(self) -> None:
        """Each call has its ID in a field of its own, of which five can be mapped; the others have a placeholder."""
        calls = [track(at=at, userId="undefined", **{f"field{at}": f"id{at}"}) for at in range(12)]
        events = [exported(at=at, userID=None, user={"customIDs": {"unit": f"id{at}"}}) for at in range(12)]

        found = compare(calls, events)

        assert (found.paired, found.proposal) == (12, {})
        assert finding(found, "sent").agree == 12


class TestSettings:
    """Every setting that CM-3 names, alone, from calls that show it."""

    @pytest.mark.parametrize(
        "setting",
        [
            {"naming": {"from_properties": True}},
            {"naming": {"prefix": "", "screen": "{category}/{name}"}},
            {"value_property": ["total", "price"]},
            {"nested": "flatten"},
            {"default_environment": "staging"},
            {"user_fields": {"email": "context.traits.email", "ip": "context.ip"}},
            {"custom_fields": {"tags": "context.tags", "size": "context.screen.width"}},
            {"metadata_fields": {"path": "context.page.path"}},
            {"id_mappings": [{"field": "context.externalIds[type=phone].id", "id_type": "phone"}]},
            {"id_mappings": [{"field": "anonymousId", "id_type": "userID"}]},
            {"filters": {"exclude": ["Heartbeat"]}},
        ],
        ids=str,
    )
    def test_it_is_found(self, setting: JsonObject) -> None:
        calls = [self.rich(at) for at in range(24)]
        hidden = load_config({"inbound": setting})

        proposal = load_config(compare(calls, exports(calls, hidden)).proposal)

        assert proposal == hidden

    def test_a_row_for_an_object_is_found_where_its_key_is_taken_at_times(self) -> None:
        """Under flatten one row makes many entries, and none where a property has its key."""
        hidden = load_config({"inbound": {"nested": "flatten", "metadata_fields": {"campaign": "context.campaign"}}})
        campaign = {"source": "mail", "term": {"word": "shoes"}}
        taken = [{"campaign": "none"} if at % 2 else {} for at in range(6)]
        calls = [track(f"E{at}", at, properties=each, context={"campaign": campaign}) for at, each in enumerate(taken)]

        proposal = load_config(compare(calls, exports(calls, hidden)).proposal)

        assert proposal.inbound.metadata_fields == {"campaign": "context.campaign"}
        assert exports(calls, proposal) == exports(calls, hidden)

    def test_numbers_are_found_however_they_are_written(self) -> None:
        """1e300 is an ID of 301 digits, and `1e+300` in metadata."""
        hidden = load_config(
            {
                "inbound": {
                    "metadata_fields": {"shop": "shopId"},
                    "id_mappings": [{"field": "shopId", "id_type": "shop"}],
                }
            }
        )
        calls = [track(shopId=1e300)]

        assert exports(calls, load_config(compare(calls, exports(calls, hidden)).proposal)) == exports(calls, hidden)

    def rich(self, at: int) -> JsonObject:
        kinds: tuple[JsonObject, ...] = (
            {"type": "track", "event": f"Event {at}"},
            {"type": "track", "event": "Heartbeat"},
            {"type": "page", "category": f"C{at}", "name": f"Page {at}"},
            {"type": "screen", "name": f"Screen {at}", "category": f"C{at}"},
            {"type": "page"},
            {"type": "screen"},
        )
        properties = {
            **({"total": at} if at % 2 else {}),
            "price": at + 100,
            "value": at + 0.25,
            "name": f"Landing {at}",
            "cart": {"size": at, "items": [at]},
        }
        context = {
            "locale": f"l{at}",
            "userAgent": f"Browser/{at}",
            "ip": f"203.0.113.{at}",
            "traits": {"email": f"{at}@example.com"},
            "tags": [f"tag{at}", "all"],
            "screen": {"width": 900 + at},
            "page": {"path": f"/{at}"},
            "externalIds": [{"type": "phone", "id": f"+44{at}"}],
        }
        control: JsonObject = {} if at % 4 else {"statsigCustomIDs": ["companyID", f"c{at}"]}
        user_id = f"u{at}" if at % 4 else None
        return {
            **call(at),
            "userId": user_id,
            **kinds[at % 6],
            "properties": {**properties, **control},
            "context": context,
        }


class TestNoise:
    """Each kind alone, over an archive whose hidden configuration is found without it."""

    def clean(self) -> tuple[list[JsonObject], list[JsonObject], Any]:
        calls = archive(90)
        return calls, exports(calls), compare(calls, exports(calls)).proposal

    def test_missing_events(self) -> None:
        calls, events, proposal = self.clean()

        found = compare(calls, [event for at, event in enumerate(events) if at % 5])

        assert found.proposal == proposal

    def test_extra_events(self) -> None:
        calls, events, proposal = self.clean()
        extra = [exported("checkout", 1000 * at + 7, userID="u0", value=at) for at in range(50)]

        found = compare(calls, [*extra, *events])

        assert found.proposal == proposal
        assert found.only_exported == 50

    def test_times_cut_to_seconds(self) -> None:
        calls = [{**each, "timestamp": each["timestamp"] + 17 * at % 900} for at, each in enumerate(archive(90))]
        events = [{**event, "timestamp": event["timestamp"] // 1000 * 1000} for event in exports(calls)]
        proposal = self.clean()[2]

        assert compare(calls, events).paired < len(events) / 10
        assert compare(calls, events, tolerance_ms=999).proposal == proposal

    def test_numbers_as_text(self) -> None:
        calls, events, proposal = self.clean()
        for event in events:
            event["timestamp"] = str(event["timestamp"])
            if "value" in event:
                event["value"] = str(event["value"])

        assert compare(calls, events).proposal == proposal

    def test_metadata_with_its_types(self) -> None:
        calls, events, proposal = self.clean()
        for event in events:
            event["metadata"] = {
                key: json.loads(value) if value[0].isdigit() else value for key, value in event["metadata"].items()
            }

        found = compare(calls, events)

        assert found.proposal == proposal
        assert finding(found, "metadata values").differ == 0

    def test_keys_dropped_by_limits(self) -> None:
        call = track(properties={"long": "x" * 5_000, "a.b": "c", "plan": "pro"})

        found = compare([call], [exported(metadata={"plan": "pro"})])

        assert finding(found, "metadata keys").differ == 0
        assert found.proposal == {}

    def test_texts_trimmed_by_limits(self) -> None:
        name, plan = "x" * 200, "p" * 300
        event = exported(f"segment::{name}"[:128], metadata={"plan": plan[:128]})

        found = compare([track(name, properties={"plan": plan})], [event])

        assert [each.aspect for each in found.findings if each.differ] == []
        assert found.proposal == {}

    def test_duplicates_on_both_sides(self) -> None:
        calls, events, proposal = self.clean()
        again = [{**each, "messageId": f"m{at}"} for at, each in enumerate(calls)]

        found = compare([*calls, *again], [*events, *events])

        assert (found.proposal, found.paired, found.ambiguous) == (proposal, 2 * len(events), 0)

    def test_duplicates_on_one_side(self) -> None:
        calls, events, proposal = self.clean()

        found = compare([*calls, *calls], events)

        assert (found.paired, found.proposal) == (len(events), proposal)

    def test_text_lines(self) -> None:
        calls, events, proposal = self.clean()

        assert compare(map(json.dumps, calls), map(json.dumps, events)).proposal == proposal

    @pytest.mark.parametrize("written", [dict, json.dumps], ids=["objects", "text"])
    def test_rows_of_the_warehouse(self, written: Any) -> None:
        calls, events, proposal = self.clean()

        found = compare(calls, [as_row(event, written) for event in events])

        assert found.proposal == proposal
        assert compare(calls, [as_row(event, written) for event in events], load_config(proposal)).agrees

    def test_an_export_of_one_hour_of_the_day(self) -> None:
        """Names that only occur outside that hour are not taken for filtered."""
        calls = [track(f"Event {at}" if at < 30 else "Paid", 1000 * at) for at in range(60)]
        events = [exported("segment::Paid", 1000 * at) for at in range(40, 50)]

        assert compare(calls, events).proposal == {}

    def test_a_rare_name_is_not_taken_for_filtered_where_calls_get_lost(self) -> None:
        calls = [track("Once" if at == 17 else "Paid", 1000 * at) for at in range(40)]
        events = [exported("segment::Paid", 1000 * at) for at in range(40) if at % 4 and at != 17]

        assert compare(calls, events).proposal == {}


class TestBadInput:
    def test_swapped_sides_are_named(self) -> None:
        found = compare([exported()], [track()])

        assert found.problems == (
            "The two sides are swapped: the calls are Statsig events, and the exported events are Segment calls.",
        )
        assert (found.unreadable_calls, found.unreadable_exported, found.proposal) == (1, 1, {})

    def test_an_export_without_times_is_named(self) -> None:
        (problem,) = compare([track()], [exported(timestamp=None)]).problems

        assert "time" in problem

    def test_nothing_in_common_is_named(self) -> None:
        (problem,) = compare([track()], [exported(at=5)]).problems

        assert "same time" in problem

    @pytest.mark.parametrize(("calls", "events"), [([], [exported()]), ([track()], []), (["{"], [exported()])])
    def test_a_side_with_nothing_readable_is_named(self, calls: list[Any], events: list[Any]) -> None:
        assert len(compare(calls, events).problems) == 1

    def test_sound_sides_have_no_problem(self) -> None:
        assert compare([track()], [exported()]).problems == ()

    @pytest.mark.parametrize("name", ["{", "}{", "{event", "\ud800", "a\nb", "", "%s", "x" * 10_000, "\x00"])
    def test_a_hostile_name_is_learned_like_any_other(self, name: str) -> None:
        calls = [track(f"{name}{at}", at) for at in range(3)]
        events = [exported(f"seg/{name}{at}", at) for at in range(3)]

        assert load_config(compare(calls, events).proposal).inbound.naming.prefix == "seg/"

    @pytest.mark.parametrize("count", small_and_large(20, 200))
    def test_work_grows_with_the_number_of_events_where_one_moment_holds_them_all(self, count: int) -> None:
        def function_calls(count: int) -> int:
            calls = [track(f"Event {at}") for at in range(count)]
            events = [exported(f"seg/{at}") for at in range(count)]
            profile: list[str] = []
            sys.setprofile(lambda _frame, event, _arg: profile.append(event))
            compare(calls, events)
            sys.setprofile(None)
            return len(profile)

        compare([], [])  # what is imported when first needed
        assert function_calls(16 * count) < 20 * function_calls(count)  # linear work is 16 times as much

    @pytest.mark.parametrize("count", small_and_large(200, 800))
    def test_many_names_need_bounded_memory_beside_the_sides_themselves(self, count: int) -> None:
        def peak(count: int) -> int:
            calls = [track(f"Event {at}", at) for at in range(count)]
            events = [exported(f"seg/Event {at}", at) for at in range(count)]
            tracemalloc.start()
            compare(calls, events)
            size = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            return size // count

        assert peak(2 * count) < 1.2 * peak(count)


class TestBounds:
    """However odd an archive is, what is kept of it has a bound."""

    def test_paths_of_one_aspect(self) -> None:
        metadata = {f"k{at}": str(at) for at in range(1_100)}

        found = finding(compare([track()], [exported(metadata=metadata)]), "metadata keys")

        assert found.differ == 1
        assert len(found.paths) == 1_000

    def test_keys_that_are_searched_for(self) -> None:
        metadata = {f"k{at}": f"v{at}" for at in range(600)}
        calls = [track(context={"page": metadata})]

        proposed = load_config(compare(calls, [exported(metadata=metadata)]).proposal).inbound

        assert 0 < len(proposed.metadata_fields) <= 50

    def test_places_of_one_value(self) -> None:
        calls = [track(context={f"p{at}": "same" for at in range(300)})]

        found = compare(calls, [exported(metadata={"key": "same"})])

        assert len(load_config(found.proposal).inbound.metadata_fields) == 1

    def test_ways_in_which_calls_bear_on_the_value(self) -> None:
        calls = [track(at=at, properties={f"p{at}": 1}) for at in range(2_100)]
        events = [exported(at=at, metadata={f"p{at}": "1"}) for at in range(2_100)]

        assert compare(calls, events).proposal == {}

    def test_names_of_one_type_of_call(self) -> None:
        calls = [track(f"Event {at}", at) for at in range(1_050)]
        events = [exported(f"web/Event {at}", at) for at in range(1_050)]

        assert compare(calls, events).proposal == {"inbound": {"naming": {"prefix": "web/"}}}

    def test_integrations_of_calls(self) -> None:
        calls = [track(at=at, integrations={f"Other {at}": True}) for at in range(510)]

        found = compare(calls, [exported(at=at) for at in range(510)])

        assert (found.agrees, found.proposal) == (True, {})

    def test_a_path_that_begins_to_hold_the_ids_late_is_found(self) -> None:
        """Once the likeliest path is known it is looked at first, and searched beyond where it does not hold the ID."""
        calls = [track(at=at, **{"shopId" if at < 250 else "storeId": f"s{at}"}) for at in range(400)]
        events = [exported(at=at, user={"customIDs": {"unit": f"s{at}"}}) for at in range(400)]

        rows = load_config(compare(calls, events).proposal).inbound.id_mappings

        assert [row.field for row in rows] == ["shopId", "storeId"]

    def test_events_of_one_id_at_one_time_stay_ambiguous_whatever_is_learned_elsewhere(self) -> None:
        crowd = [track("One") for _ in range(150)]
        lone = [track(f"Event {at}", 10 + at) for at in range(3)]
        events = [exported(f"x {at}") for at in range(150)]
        events += [exported(f"x Event {at}", 10 + at) for at in range(3)]

        found = compare([*crowd, *lone], events)

        assert (found.paired, found.ambiguous, found.ambiguous_exported) == (3, 150, 150)


class TestOddCalls:
    """Calls and names that are rare, and have to be withstood all the same."""

    TOO_LONG = 10**5_000

    def test_a_call_that_cannot_be_translated_is_compared_in_nothing(self) -> None:
        odd = {"total": self.TOO_LONG, "statsigEnvironment": {"tier": "staging"}}

        found = compare([track(properties=odd)], [exported()])

        assert found.paired == 1
        assert [(each.aspect, each.agree, each.differ) for each in found.findings] == [("sent", 0, 1)]
        assert found.proposal == {}

    def test_a_call_that_cannot_be_translated_is_not_taken_for_filtered(self) -> None:
        lost = [track("Odd", at, properties={"total": self.TOO_LONG}) for at in range(1, 4)]

        found = compare([track(at=0), *lost, track(at=4)], [exported(at=0), exported(at=4)])

        assert (found.paired, found.only_called, found.proposal) == (2, 3, {})

    def test_a_user_id_that_a_pair_gives_is_found_where_the_pair_stands(self) -> None:
        call = track(userId=None, properties={"statsigCustomIDs": ["userID", "u9"]})

        found = compare([call], [exported(userID="u9")])

        assert (found.paired, finding(found, "user ID").agree, found.proposal) == (1, 1, {})

    @pytest.mark.parametrize(("part", "name"), [("a", "aaaaaaaaa"), ("aa", "aaaaa"), ("aba", "ababa")])
    def test_a_part_that_stands_in_a_name_many_times_makes_a_template_that_agrees(self, part: str, name: str) -> None:
        calls, events = [track(part)], [exported(f"segment::{name}")]

        proposed = load_config(compare(calls, events).proposal)

        assert compare(calls, events, proposed).agrees

    def test_views_of_one_part_and_no_other_make_a_template_that_agrees(self) -> None:
        calls = [{**track(at=at), "type": "page", "name": f"Page {at}"} for at in range(3)]
        calls.append({**track(at=3), "type": "page"})
        events = [exported(f"segment::Saw Page {at}", at, metadata={"name": f"Page {at}"}) for at in range(3)]
        events.append(exported("segment::Saw nothing", 3))

        proposed = load_config(compare(calls, events).proposal)

        assert compare(calls, events, proposed).agrees
        assert proposed.inbound.naming.page_unnamed == "Saw nothing"

    def test_a_name_that_the_call_and_statsig_have_twice_settles_nothing_it_need_not(self) -> None:
        calls = [track("One"), track("One"), track("Two")]

        found = compare(calls, [exported("segment::One"), exported("segment::One"), exported("segment::Two")])

        assert (found.paired, found.ambiguous, found.only_exported) == (3, 0, 0)

    def test_a_call_without_a_time_finds_an_event_without_one(self) -> None:
        assert compare([track(timestamp=None)], [exported(timestamp=None)]).paired == 1

    def test_one_event_of_calls_that_differ_stays_ambiguous(self) -> None:
        calls = [track("One"), track("Two")]

        found = compare(calls, [exported("Three")])

        assert (found.paired, found.ambiguous, found.ambiguous_exported) == (0, 2, 1)

    def test_values_that_json_does_not_have_are_compared_as_what_they_become(self) -> None:
        day = datetime(2026, 11, 3, tzinfo=UTC)

        found = compare([track(properties={"day": day})], [exported(metadata={"day": day.isoformat()})])

        assert finding(found, "metadata values").agree == 1

    def test_a_value_that_statsig_has_trimmed_says_nothing(self) -> None:
        value = "v" * 300

        found = compare(
            [track(properties={"value": value})], [exported(value=value[:128], metadata={"value": value[:128]})]
        )

        assert [each.aspect for each in found.findings if each.differ] == []
        assert found.proposal == {}

    def test_a_field_without_a_name_is_no_place(self) -> None:
        assert compare([track(userId=None) | {"": "d1"}], [exported(userID="d1")]).paired == 0

    def test_a_number_that_cannot_be_printed_is_no_text(self) -> None:
        assert texts_of(self.TOO_LONG) == frozenset()

    def test_a_second_delivery_of_a_call_that_has_its_event_is_not_missing(self) -> None:
        calls = [track(at=at, messageId=f"m{at}") for at in range(5)]

        found = compare([*calls, *calls], [exported(at=at) for at in range(5)])

        assert (found.agrees, found.unexplained_calls) == (True, 0)

    def test_an_id_under_a_name_that_no_path_can_hold_is_not_found(self) -> None:
        found = compare([track(userId=None) | {"device[0": "d1"}], [exported(userID="d1")])

        assert (found.paired, found.only_called, found.only_exported) == (0, 1, 1)

    def test_an_object_of_an_array_is_found_by_its_texts_alone(self) -> None:
        def ids(at: int) -> list[JsonObject]:
            return [{"rank": 1, "type": "phone", "id": f"p{at}"}, {"id": f"m{at}", "type": "mail"}]

        calls = [track(at=at, context={"externalIds": ids(at)}) for at in range(2)]
        events = [exported(at=at, user={"customIDs": {"phoneID": f"p{at}"}}) for at in range(2)]

        proposed = load_config(compare(calls, events).proposal)

        assert [row.field for row in proposed.inbound.id_mappings] == ["context.externalIds[type=phone].id"]

    def test_no_more_than_five_properties_are_proposed_for_the_value(self) -> None:
        calls = [track(at=at, properties={f"p{at}": at + 10}) for at in range(6)]
        events = [exported(at=at, value=at + 10, metadata={f"p{at}": str(at + 10)}) for at in range(6)]

        proposed = load_config(compare(calls, events).proposal)

        assert len(derived_of(proposed.inbound).value_properties) == 5

    def test_names_that_never_settle_are_learned_three_times_and_no_more(self, monkeypatch: pytest.MonkeyPatch) -> None:
        prefixes = iter(("a/", "b/", "c/", "d/"))

        def learned(_samples: Any, _config: Any) -> Naming:
            return Naming(EventNaming(prefix=next(prefixes)), 0, (), ())

        monkeypatch.setattr("statsig_segment.insight.comparison.pairing.learn_naming", learned)
        found = compare([track("One"), track("Two")], [exported("1"), exported("2")])

        assert (found.paired, found.ambiguous) == (0, 2)
        assert next(prefixes) == "d/"

    def test_a_mapping_is_a_call_and_an_array_is_not(self) -> None:
        read_only: Any = MappingProxyType(track("One"))

        found = compare([read_only, [track("One")]], [exported("segment::One")])

        assert (found.paired, found.unreadable_calls) == (1, 1)
