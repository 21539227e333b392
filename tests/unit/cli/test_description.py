"""What the command line says of a configuration, word for word, and how it cuts what is long."""

import json
from typing import Any

import pytest

from statsig_segment import Issue, load_config
from statsig_segment.cli.description import config_text
from statsig_segment.cli.messages import payload_name, printable, problems_text, shown

ALL: dict[str, Any] = {
    "inbound": {
        "default_environment": "staging",
        "id_types": ["deviceID", "companyID"],
        "id_mappings": [
            {"field": "anonymousId", "id_type": "segmentAnonymousId"},
            {"field": "traits.team", "id_type": "teamID"},
        ],
        "filters": {
            "include": ["Signed Up", "Order Completed"],
            "exclude": ["Ping", "Page Left"],
            "types": ["track", "group"],
        },
        "naming": {
            "prefix": "p::",
            "track": "t {event}",
            "page": "page {name}",
            "page_unnamed": "page",
            "screen": "screen {category} {name}",
            "screen_unnamed": "screen",
            "group": "joined {groupId}",
        },
        "user_fields": {"email": "traits.email", "ip": "context.ip"},
        "value_property": "revenue",
        "honor_integrations": False,
        "allow_statsig_origin": True,
    },
    "outbound": {
        "profile": "deliverable",
        "anonymous_id": "deviceID",
        "filters": {
            "exposures": False,
            "config_changes": False,
            "include_new_events": False,
            "events": {"checkout": True, "a": True, "map panned": False},
        },
    },
}
NOTHING: dict[str, Any] = {
    "inbound": {
        "id_types": [],
        "filters": {"include": [], "types": []},
        "user_fields": {},
        "value_property": None,
    }
}
DEFAULT_TEXT = """\
Segment to Statsig
  Calls of every type pass.
  Events of every name pass.
  A track call "Signed Up" becomes "segment::Signed Up".
  A page call "Home" in "Docs" becomes "segment::Viewed Docs Home Page".
  A page call without a name becomes "segment::Loaded a Page".
  A screen call "Home" in "Docs" becomes "segment::Viewed Docs Home Screen".
  A screen call without a name becomes "segment::Loaded a Screen".
  A group call for "g1" becomes "segment::group".
  No field becomes a custom ID; a call needs a userId or custom IDs of its own.
  Calls without a tier are sent without one: Statsig counts them as production.
  The user gets ip from context.ip; userAgent from context.userAgent; locale from context.locale.
  The property "value" becomes the value.
  The integrations of a call may keep it from Statsig.
  Calls that Statsig itself exported are skipped.

Statsig to Segment
  Calls have the form that Statsig publishes.
  The ID type "stableID" would become anonymousId in the profile deliverable only.
  Exposures leave.
  Config changes leave.
  All events leave; Statsig's internal ones always stay."""
ALL_TEXT = """\
Segment to Statsig
  Only calls of these types pass: "group", "track".
  Only these events pass: "Order Completed", "Signed Up".
  These events never pass: "Page Left", "Ping".
  A track call "Signed Up" becomes "p::t Signed Up".
  A page call "Home" in "Docs" becomes "p::page Home".
  A page call without a name becomes "p::page".
  A screen call "Home" in "Docs" becomes "p::screen Docs Home".
  A screen call without a name becomes "p::screen".
  A group call for "g1" becomes "p::joined g1".
  anonymousId becomes the custom ID "segmentAnonymousId", unless the call or a row above brings one.
  traits.team becomes the custom ID "teamID", unless the call or a row above brings one.
  ID types other than these are reported, and sent: "companyID", "deviceID".
  Calls without a tier are sent as "staging".
  The user gets email from traits.email; ip from context.ip.
  The property "revenue" becomes the value.
  The integrations of a call cannot keep it from Statsig.
  Calls that Statsig itself exported go back to it.

Statsig to Segment
  Calls have the form that Segment's API accepts; events without an identifier are rejected.
  The ID type "deviceID" becomes anonymousId.
  Exposures stay.
  Config changes stay.
  These events leave: "a", "checkout".
  These events stay: "map panned".
  All other events stay; Statsig's internal ones always stay."""
NOTHING_LINES = [
    "  No call passes.",
    "  No event passes.",
    "  ID types other than these are reported, and sent: none.",
    "  The user gets nothing but IDs.",
    "  No property becomes the value.",
]


class TestAConfiguration:
    @pytest.mark.parametrize(("source", "text"), [({}, DEFAULT_TEXT), (ALL, ALL_TEXT)], ids=["default", "all"])
    def test_each_key_is_told_in_a_sentence(self, source: dict[str, Any], text: str) -> None:
        assert config_text(load_config(source)) == text

    def test_several_properties_for_the_value_are_told_in_their_order(self) -> None:
        lines = config_text(load_config({"inbound": {"value_property": ["total", "price"]}})).splitlines()

        sentence = 'The first usable one of these properties becomes the value: "total", "price".'
        assert f"  {sentence}" in lines

    def test_so_is_what_lets_nothing_through(self) -> None:
        told = config_text(load_config(NOTHING)).splitlines()

        assert [line for line in told if line not in DEFAULT_TEXT.splitlines()] == NOTHING_LINES


class TestWhatCannotBePrinted:
    @pytest.mark.parametrize(
        ("character", "escaped"),
        [
            ("\x1b", "\\u001b"),
            ("\x7f", "\\u007f"),
            ("\u202e", "\\u202e"),
            ("\ud800", "\\ud800"),
            ("\U000e0001", "\\udb40\\udc01"),
        ],
    )
    def test_it_is_escaped_as_json_escapes_it(self, character: str, escaped: str) -> None:
        assert printable(f"a{character}é") == f"a{escaped}é"
        assert json.loads(f'"{escaped}"') == character


class TestProblems:
    def test_each_stands_on_a_line_with_its_path_and_code(self) -> None:
        issues = [Issue(code="unknown_key", path="$.a"), Issue(code="wrong_type", path="$.b", message="odd\x1b")]

        assert problems_text(issues) == f"$.a: {issues[0].message} [unknown_key]\n$.b: odd\\u001b [wrong_type]"


class TestWhatIsLong:
    def test_it_is_cut_to_the_length_that_is_asked_for(self) -> None:
        assert shown("abcd", 6) == '"abcd"'
        assert shown("abcde", 6) == '"abcd…'
        assert shown("a" * 100) == f'"{"a" * 100}"'

    def test_the_name_of_a_call_is(self) -> None:
        assert payload_name({"type": "x" * 100, "event": "e"}) == (f"{'x' * 59}…", '"e"')
