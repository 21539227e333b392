"""The fast lane back, branch by branch: what it takes equals the reference, and whatever is odd it leaves to it."""

from __future__ import annotations

import copy
from typing import Any, Final

import pytest
from tests.support.values import JsonObject

from statsig_segment import ConfigError, FieldFilter, OutboundConfig, OutboundFilter, Rejected, Skipped
from statsig_segment.configuration.models import outbound_plan
from statsig_segment.outbound.export import reference_outcome
from statsig_segment.outbound.fast_lane import outbound_track

DOCUMENTED: Final = OutboundConfig()
DELIVERABLE: Final = OutboundConfig(profile="deliverable")
COMPANY: Final = OutboundConfig(profile="deliverable", anonymous_id="companyID")
FILTERED: Final = OutboundConfig(
    filters=OutboundFilter(exposures=False, include_new_events=False, events={"checkout": True, "noise": False})
)
FROM_SEGMENT: Final = OutboundConfig(allow_segment_origin=True)
SEVERAL: Final = OutboundConfig(profile="deliverable", anonymous_id=["deviceID", "companyID"], group_id="companyID")
CONTENT: Final = OutboundConfig(profile="deliverable", message_id="content")
BOTS: Final = OutboundConfig(
    filters=OutboundFilter(
        drop_where=[
            FieldFilter(field="user.userAgent", matches=["*Bot/*"]),
            FieldFilter(field="user.custom.tenant", matches=["test"]),
            FieldFilter(field="value", matches=["7"]),
        ]
    )
)
CONFIGS: Final = (DOCUMENTED, DELIVERABLE, COMPANY, FILTERED, FROM_SEGMENT, SEVERAL, CONTENT, BOTS)


def event(**fields: Any) -> JsonObject:
    return {"eventName": "checkout", "userID": "u1", "timestamp": 1709296496789, **fields}


def without(name: str, **fields: Any) -> JsonObject:
    return {key: value for key, value in event(**fields).items() if key != name}


def nested(levels: int) -> JsonObject:
    value: JsonObject = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


TAKEN: Final[dict[str, tuple[JsonObject, OutboundConfig]]] = {
    "a plain event": (event(), DOCUMENTED),
    "a time as text": (event(timestamp="2024-03-01T12:34:56.789Z"), DOCUMENTED),
    "a time as digits": (event(timestamp="1709296496789"), DOCUMENTED),
    "a time as a fraction": (event(timestamp=1709296496789.5), DOCUMENTED),
    "the time of an SDK": (without("timestamp", time=1709296496789), DOCUMENTED),
    "a null time beside that of an SDK": (event(timestamp=None, time=1709296496789), DOCUMENTED),
    "no time": (without("timestamp"), DOCUMENTED),
    "no time, to be delivered": (without("timestamp"), DELIVERABLE),
    "a null user": (event(user=None), DOCUMENTED),
    "an empty user": (event(user={}), DOCUMENTED),
    "a user with private attributes": (event(user={"email": "a@x.io", "privateAttributes": {"b": 1}}), DOCUMENTED),
    "null custom IDs": (event(user={"customIDs": None}), DOCUMENTED),
    "a scalar value": (event(value=9.5), DOCUMENTED),
    "a null value": (event(value=None), DOCUMENTED),
    "an object as the value": (event(value={"a": [1, {"b": None}]}), DOCUMENTED),
    "metadata": (event(metadata={"a": [1, "b", None], "c": {"d": True}}), DOCUMENTED),
    "null metadata": (event(metadata=None), DOCUMENTED),
    "64 levels": (event(metadata=nested(64)), DOCUMENTED),
    "a stable ID": (event(statsigMetadata={"stableID": "s1", "sdkType": "js-client"}), DOCUMENTED),
    "a null stable ID": (event(statsigMetadata={"stableID": None}), DOCUMENTED),
    "a null stable ID beside one of the user": (
        event(statsigMetadata={"stableID": None}, user={"customIDs": {"stableID": "s2"}}),
        DOCUMENTED,
    ),
    "a stable ID of the user": (event(user={"customIDs": {"stableID": "s2"}}), DOCUMENTED),
    "a null stable ID of the user": (event(user={"customIDs": {"stableID": None}}), DOCUMENTED),
    "the ID of the user's object": (without("userID", user={"userID": "u2"}), DOCUMENTED),
    "an empty ID beside that of the user's object": (event(userID="", user={"userID": "u2"}), DOCUMENTED),
    "no user ID": (without("userID"), DOCUMENTED),
    "a null user ID": (event(userID=None), DOCUMENTED),
    "an empty user ID": (event(userID=""), DOCUMENTED),
    "a null ID in the user's object": (without("userID", user={"userID": None}), DOCUMENTED),
    "a user's object without an ID": (without("userID", user={"email": "a@x.io"}), DOCUMENTED),
    "nobody but a stable ID, to be delivered": (event(userID=None, statsigMetadata={"stableID": "s1"}), DELIVERABLE),
    "a user ID alone, to be delivered": (event(), DELIVERABLE),
    "an anonymous ID of another type": (event(user={"customIDs": {"companyID": "c1"}}), COMPANY),
    "a message ID": (event(timeUUID="t1"), DELIVERABLE),
    "a message ID that is a number": (event(timeUUID=7), DELIVERABLE),
    "an email": (event(user={"email": "a@x.io"}), DELIVERABLE),
    "an empty email": (event(user={"email": ""}), DELIVERABLE),
    "an exposure": (event(eventName="statsig::gate_exposure"), DOCUMENTED),
    "an event that is switched on": (event(), FILTERED),
    "the second of several anonymous IDs, and a group": (event(user={"customIDs": {"companyID": "c1"}}), SEVERAL),
    "neither of several anonymous IDs": (event(user={"customIDs": {"stableID": "s1"}}), SEVERAL),
    "a message ID of its own where one would be made": (event(timeUUID="t1"), CONTENT),
    "a field that no row fits": (event(user={"userAgent": "Mozilla/5.0", "custom": {"tenant": "real"}}), BOTS),
    "a value on the way to a field": (event(user={"custom": "tenant"}), BOTS),
    "an ID that begins and ends like a placeholder": (event(userID="underlined"), DOCUMENTED),
    "a custom ID that is a number": (event(user={"customIDs": {"companyID": 7}}), DOCUMENTED),
    "an event of Segment's that may pass": (event(eventName="segment::Paid"), FROM_SEGMENT),
}
SKIPPED: Final[dict[str, tuple[JsonObject, OutboundConfig, str]]] = {
    "an internal event": (event(eventName="statsig::diagnostics"), DOCUMENTED, "filtered"),
    "an exposure that is switched off": (event(eventName="statsig::gate_exposure"), FILTERED, "filtered"),
    "an event that is switched off": (event(eventName="noise"), FILTERED, "filtered"),
    "a new event where those are off": (event(eventName="new"), FILTERED, "filtered"),
    "an event with Segment's prefix": (event(eventName="segment::Paid"), DOCUMENTED, "segment_origin"),
    "a crawler": (event(user={"userAgent": "SomeBot/2.1"}), BOTS, "filtered"),
    "a test tenant": (event(user={"custom": {"tenant": "test"}}), BOTS, "filtered"),
    "a value to drop by": (event(value=7), BOTS, "filtered"),
    "an event that Segment logged": (event(statsigMetadata={"sdkType": "segment"}), DOCUMENTED, "segment_origin"),
}
LEFT: Final[dict[str, tuple[Any, OutboundConfig]]] = {
    "JSON text": ('{"eventName": "checkout"}', DOCUMENTED),
    "no name": (without("eventName"), DOCUMENTED),
    "an empty name": (event(eventName=""), DOCUMENTED),
    "a config change": (event(eventName="statsig::config_change"), DOCUMENTED),
    "a time that cannot be read": (event(timestamp="yesterday"), DOCUMENTED),
    "a time that is true": (event(timestamp=True), DOCUMENTED),
    "a time in an array": (event(timestamp=[1]), DOCUMENTED),
    "a row of a table": ({"event_name": "checkout", "user_id": "u1"}, DOCUMENTED),
    "a time before 1970": (event(timestamp=-1), DOCUMENTED),
    "an array as the message ID": (event(timeUUID=["t1"]), DOCUMENTED),
    "an object as the user ID": (event(userID={"a": 1}), DOCUMENTED),
    "a number as the user ID": (event(userID=7), DOCUMENTED),
    "text as Statsig's metadata": (event(statsigMetadata="s1"), DOCUMENTED),
    "a number as the SDK": (event(statsigMetadata={"sdkType": 7}), DOCUMENTED),
    "text as the user": (event(user="u1"), DOCUMENTED),
    "an array of custom IDs": (event(user={"customIDs": ["a"]}), DOCUMENTED),
    "text as the metadata": (event(metadata="a"), DOCUMENTED),
    "65 levels": (event(metadata=nested(65)), DOCUMENTED),
    "a key that is a number": (event(metadata={7: "a"}), DOCUMENTED),
    "a tuple": (event(metadata={"a": (1, 2)}), DOCUMENTED),
    "a number as the stable ID": (event(statsigMetadata={"stableID": 7}), DOCUMENTED),
    "a number as the user's stable ID": (event(user={"customIDs": {"stableID": 7}}), DOCUMENTED),
    "an empty stable ID of the user": (event(user={"customIDs": {"stableID": ""}}), DOCUMENTED),
    "a number in the user's object": (without("userID", user={"userID": 7}), DOCUMENTED),
    "a number as the anonymous ID": (event(user={"customIDs": {"companyID": 7}}), COMPANY),
    "an empty anonymous ID": (event(user={"customIDs": {"companyID": ""}}), COMPANY),
    "nobody, to be delivered": (event(userID=None), DELIVERABLE),
    "a number as the group": (event(user={"customIDs": {"companyID": 7}}), SEVERAL),
    "a message ID to be made": (event(), CONTENT),
    "a field of a dotted name": (event(**{"user.userAgent": "x"}), BOTS),
    "an event of Segment's where rows drop": (event(eventName="segment::Paid"), BOTS),
    "an event to skip, a user ID of too many digits": (event(eventName="noise", userID=10**4300), FILTERED),
    "another, in the user's object": (
        without("userID", eventName="segment::Paid", user={"userID": 10**4300}),
        DOCUMENTED,
    ),
    "another, as a custom ID": (event(value=7, user={"customIDs": {"companyID": 10**4300}}), BOTS),
    "another, as the stable ID": (event(eventName="noise", statsigMetadata={"stableID": 10**4300}), FILTERED),
    "an event to skip, with text as the user": (event(eventName="noise", user="u1"), FILTERED),
    "an event to skip, with an array of custom IDs": (event(eventName="noise", user={"customIDs": ["a"]}), FILTERED),
    "a placeholder as the user ID": (event(userID="undefined"), DOCUMENTED),
    "a placeholder in the user's object": (without("userID", user={"userID": "null"}), DOCUMENTED),
    "a placeholder as the stable ID": (event(statsigMetadata={"stableID": "0000"}), DOCUMENTED),
    "a placeholder as a custom ID": (event(user={"customIDs": {"companyID": "undefined"}}), DOCUMENTED),
    "zero as a custom ID": (event(user={"customIDs": {"companyID": 0}}), DOCUMENTED),
    "a number as the email": (event(user={"email": 7}), DELIVERABLE),
}


@pytest.mark.parametrize("case", TAKEN)
class TestWhatTheLaneTakes:
    def test_it_becomes_the_track_call_of_the_reference(self, case: str) -> None:
        payload, config = TAKEN[case]

        track: Any = outbound_track(payload, outbound_plan(config))

        reference: Any = reference_outcome(payload, config, 0)
        assert (track, list(track)) == (reference, list(reference))
        assert list(track["context"]) == list(reference["context"])

    def test_it_stays_as_it_was_when_the_track_call_is_changed(self, case: str) -> None:
        payload, config = TAKEN[case]
        before = copy.deepcopy(payload)

        track: Any = outbound_track(payload, outbound_plan(config))
        for part in (track["context"].get("user"), track["context"].get("metadata"), track["properties"]):
            (part or {}).clear()

        assert payload == before


@pytest.mark.parametrize("case", SKIPPED)
def test_an_event_that_is_not_sent_gives_the_reason_of_the_reference(case: str) -> None:
    payload, config, reason = SKIPPED[case]

    skipped = reference_outcome(payload, config, 0)

    assert isinstance(skipped, Skipped)
    assert outbound_track(payload, outbound_plan(config)) == skipped.reason == reason


@pytest.mark.parametrize("case", LEFT)
def test_whatever_is_odd_is_left_to_the_reference(case: str) -> None:
    payload, config = LEFT[case]

    assert outbound_track(payload, outbound_plan(config)) is None


@pytest.mark.parametrize("config", CONFIGS)
def test_the_lane_gives_what_the_reference_gives_under_each_configuration(config: OutboundConfig) -> None:
    for case, (payload, *_) in {**TAKEN, **SKIPPED, **LEFT}.items():
        answer, reference = outbound_track(payload, outbound_plan(config)), reference_outcome(payload, config, 0)

        expected = reference.reason if isinstance(reference, Skipped) else reference
        assert answer is None or (answer == expected and not isinstance(expected, Rejected)), case


def test_a_configuration_that_is_about_to_be_refused_has_no_plan() -> None:
    filters: Any = None

    with pytest.raises(ConfigError) as refused:
        OutboundConfig(filters=filters)

    assert refused.value.path == "filters"


def test_without_a_plan_the_lane_steps_aside() -> None:
    assert outbound_track(event(), None) is None
