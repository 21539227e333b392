"""Preview: what is counted where, the limits, and what a gain means."""

from __future__ import annotations

import tracemalloc
from enum import Enum
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.sizes import small_and_large

from statsig_segment import EventNaming, IdMapping, InboundConfig, InboundFilter, IntegrationConfig
from statsig_segment.insight.preview import MAX_ID_TYPES, Gain, Preview, preview

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(Enum):
    TRACK = "track"


def track(event: str = "Signed Up", **fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, **fields}


def kinds(found: Preview) -> list[tuple[str | None, str | None, int]]:
    return [(event.type, event.name, event.read) for event in found.events]


def test_an_event_stands_under_the_name_that_would_be_sent() -> None:
    calls = [track(userId="u1"), {"type": "page", "category": "Docs", "name": "Home", "userId": "u1"}]

    assert kinds(preview(calls)) == [("track", "segment::Signed Up", 1), ("page", "segment::Viewed Docs Home Page", 1)]


def test_calls_that_make_no_event_count_under_the_name_they_would_have_had() -> None:
    config = IntegrationConfig(inbound=InboundConfig(filters=InboundFilter(exclude=["Heartbeat"])))
    calls = [track(userId="u1"), track(), track("Heartbeat", userId="u1")]

    found = preview(calls, config)

    assert kinds(found) == [("track", "segment::Signed Up", 2), ("track", "segment::Heartbeat", 1)]
    assert found.events[0].rejected == {"no_identifier": 1}
    assert found.events[1].skipped == {"filtered": 1}


def test_calls_without_a_name_stand_under_their_type_alone() -> None:
    calls: list[Any] = [
        {"type": "identify", "userId": "u1"},
        {"type": "track", "userId": "u1"},
        {"type": "video"},
        "oops",
        7,
    ]

    assert kinds(preview(calls)) == [("identify", None, 1), ("track", None, 1), (None, None, 3)]


def test_one_name_is_two_events_where_two_types_of_call_share_it() -> None:
    config = IntegrationConfig(inbound=InboundConfig(naming=EventNaming(page="{name}")))
    calls = [track("Home", userId="u1"), {"type": "page", "name": "Home", "userId": "u1"}]

    assert [event.type for event in preview(calls, config).events] == ["track", "page"]


def test_names_beyond_the_limit_count_together() -> None:
    found = preview([track(f"Event {number}", userId="u1") for number in range(5)], max_names=2)

    assert kinds(found) == [("track", "segment::Event 0", 1), ("track", "segment::Event 1", 1)]
    assert found.rest.translated == 3
    assert found.read == 5


def test_calls_without_a_name_need_no_room_among_the_names() -> None:
    found = preview([track("One", userId="u1"), {"type": "identify"}, track("Two", userId="u1")], max_names=1)

    assert kinds(found) == [("track", "segment::One", 1), ("identify", None, 1)]
    assert found.rest.read == 1


def test_id_types_beyond_the_limit_count_together() -> None:
    calls = [track(userId="u1", properties={"statsigCustomIDs": [f"type{n}", "x"]}) for n in range(MAX_ID_TYPES + 3)]

    found = preview(calls)

    assert len(found.id_types) == MAX_ID_TYPES
    assert found.other_ids == 3


def test_merged_id_types_keep_to_the_limit_too() -> None:
    calls = [track(userId="u1", properties={"statsigCustomIDs": [f"type{n}", "x"]}) for n in range(MAX_ID_TYPES + 3)]

    merged = preview(calls[:60]).merge(preview(calls[60:]))

    assert merged == preview(calls)


def test_issues_of_calls_that_are_rejected_do_not_count() -> None:
    assert preview([track(userId=True)]).issues == {}
    assert preview([track(userId=True, anonymousId=True, properties={"statsigCustomIDs": ["a", "b"]})]).issues == {
        "id_invalid": 2
    }


@pytest.mark.parametrize("spelling", ["userID", "userid", "USERID"])
def test_the_user_id_is_a_unit_in_any_letter_case(spelling: str) -> None:
    assert preview([track(userId="u1"), track(anonymousId="a1")]).share(spelling) == 1.0


def test_a_gain_tells_saved_calls_from_events_that_gain_an_id() -> None:
    found = preview([track(userId="u1", anonymousId="a1"), track(anonymousId="a2"), track(anonymousId=True), track()])

    assert found.gains[0] == Gain(field="anonymousId", id_type="segmentAnonymousId", saved_calls=1, enriched_events=1)


def test_a_gain_is_not_counted_where_the_id_type_has_an_id() -> None:
    calls = [track(userId="u1", groupId="g1", properties={"statsigCustomIDs": ["companyID", "c1"]})]

    assert preview(calls).gains[1] == Gain(field="groupId", id_type="companyID")


def test_a_gain_is_not_counted_for_skipped_calls_and_audiences() -> None:
    personas = {"computation_class": "audience", "computation_key": "vip_users"}
    calls = [
        track(userId="u1", anonymousId="a1", integrations={"All": False}),
        {
            "type": "identify",
            "userId": "u1",
            "anonymousId": "a1",
            "context": {"personas": personas},
            "traits": {"vip_users": True},
        },
    ]

    found = preview(calls)

    assert found.audiences == 1
    assert found.gains[0] == Gain(field="anonymousId", id_type="segmentAnonymousId")


def test_a_mapping_that_the_configuration_has_is_no_gain() -> None:
    mapping = IdMapping(field="anonymousId", id_type="segmentAnonymousId")
    found = preview([], IntegrationConfig(inbound=InboundConfig(id_mappings=[mapping])))

    assert mapping not in [gain.mapping for gain in found.gains]
    assert len(found.gains) == 4


def test_a_top_level_field_of_a_dotted_name_is_read_in_place_of_the_path() -> None:
    call = track(userId="u1", context={"device": {"id": "d1"}}) | {"context.device.id": None}

    assert [gain.enriched_events for gain in preview([call]).gains] == [0, 0, 0, 0, 0]


@pytest.mark.parametrize("many", small_and_large(400, 1_000))
def test_more_names_than_the_limit_need_no_more_memory(many: int) -> None:
    def calls(count: int) -> Iterator[dict[str, Any]]:
        return (track(f"Event {number}", userId="u1") for number in range(count))

    def peak(count: int) -> int:
        tracemalloc.start()
        preview(calls(count), max_names=100)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return size

    peak(100)  # what is made once
    assert peak(6 * many) < 2 * peak(many)


def test_a_name_that_comes_back_after_thousands_of_others_counts_with_its_event() -> None:
    names = [*(f"Event {number}" for number in range(5_000)), "Event 0"]

    found = preview(map(track, names), max_names=5_000)

    assert found.rejected == {"no_identifier": 5_001}
    assert (len(found.events), found.events[0].name) == (5_000, "segment::Event 0")
    assert found.events[0].rejected == {"no_identifier": 2}


@pytest.mark.parametrize("name", ["<script>", "\ud800", "a\nb", "x" * 100_000, "segment::", "🙂"])
def test_a_hostile_name_is_a_name(name: str) -> None:
    assert preview([track(name, userId="u1")]).events[0].name == f"segment::{name}"


def test_a_type_that_is_an_enumeration_counts_under_its_value() -> None:
    found = preview([track(userId="u1") | {"type": Kind.TRACK}])

    assert kinds(found) == [("track", "segment::Signed Up", 1)]


def test_a_candidate_for_the_user_id_saves_calls_and_gains_where_there_is_none() -> None:
    calls = [track(userId="u1", memberId="m1"), track(memberId="m2"), track(memberId="undefined")]
    ids = {"statsigCustomIDs": ["companyID", "c1"]}

    [*_, gain] = preview(
        [*calls, track(memberId="m3", properties=ids)], candidates=[IdMapping(field="memberId", id_type="userID")]
    ).gains

    assert (gain.saved_calls, gain.enriched_events) == (1, 1)


@pytest.mark.parametrize(
    ("field", "call", "near"),
    [
        ("anonymousID", {"anonymousId": "a1"}, "anonymousId"),
        ("context.Device.id", {"context": {"device": {"id": "d1"}}}, "context.device.id"),
        ("context.device.ID", {"context": {"device": {"id": "d1"}}}, "context.device.id"),
        ("traits.company-id", {"traits": {"Company_ID": "c1"}}, "traits.Company_ID"),
        ("anonymousID", {"anonymous": "a1"}, None),
        ("context.externalIds[type=phone].id", {"context": {"externalIDs": [{"type": "phone", "id": "1"}]}}, None),
    ],
)
def test_a_mapping_that_finds_nothing_is_shown_with_what_was_meant(field: str, call: Any, near: str | None) -> None:
    config = IntegrationConfig(inbound=InboundConfig(id_mappings=[IdMapping(field=field, id_type="x")]))

    [use] = preview([track(userId="u1") | call], config).mappings

    assert (use.found, use.near) == (0, near)


def test_a_number_too_long_to_be_an_id_is_none() -> None:
    call = track(userId="u1", groupId=10**5_000)
    config = IntegrationConfig(inbound=InboundConfig(id_mappings=[IdMapping(field="groupId", id_type="x")]))

    assert (preview([call]).rejected, preview([call]).gains[1].enriched_events) == ({"number_too_long": 1}, 0)
    assert preview([call], config).mappings[0].found == 0


def test_what_was_meant_does_not_matter_once_the_mapping_finds_an_id() -> None:
    config = IntegrationConfig(inbound=InboundConfig(id_mappings=[IdMapping(field="anonymousId", id_type="x")]))
    wrong, right = track(userId="u1", anonymousID="a1"), track(userId="u1", anonymousId="a1")

    [use] = preview([wrong, right], config).mappings
    [merged] = preview([wrong], config).merge(preview([right], config)).mappings

    assert (use.found, use.near) == (1, None)
    assert merged == use


def test_objects_of_ever_new_keys_need_no_more_memory() -> None:
    config = IntegrationConfig(inbound=InboundConfig(id_mappings=[IdMapping(field="memberId", id_type="x")]))
    calls = [track(userId="u1") | {f"key {number}": 1} for number in range(1_100)]

    assert preview(calls, config).mappings[0].near is None


def test_calls_of_ever_new_kinds_are_worked_out_in_between() -> None:
    calls = [track(userId="u1", context={"library": {"name": f"l{number}"}}) for number in range(1_100)]

    found = preview(calls)

    assert [library.translated for library in found.libraries] == [1] * 50 + [1_050]
