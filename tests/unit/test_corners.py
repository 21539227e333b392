"""Corners that no property is aimed at: Python values that JSON lacks, misuse of configuration models, exact limits."""

from datetime import UTC, datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any

import pytest
from tests.support.calls import user_track as track
from tests.support.lookalikes import Lookup, Text

from statsig_segment import (
    ConfigError,
    EventNaming,
    IdListPatch,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Issue,
    OutboundConfig,
    OutboundFilter,
    Page,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    Track,
    TranslationError,
    apply_id_mappings,
    export,
    parse_segment_event,
    parse_statsig_event,
    split_statsig_export,
    to_statsig_event,
    translate,
    translate_many,
    url_verification_code,
)

ONE: Any = 1
"""A number where another type belongs."""


class Level(IntEnum):
    """An integer with a type of its own."""

    HIGH = 3


class TestValuesThatAreNearlyJson:
    def test_strings_of_a_type_of_their_own_are_read_as_strings(self) -> None:
        call = parse_segment_event(Lookup(track(type=Text("track"), event=Text("b"), userId=Text("u2"))))

        assert (call.type, call.user_id, type(call.user_id)) == ("track", "u2", str)
        assert translate(track(type=Text("track"), event=Text("b"), timestamp=Text("2024-03-01"))) == translate(
            track(event="b", timestamp="2024-03-01")
        )

    def test_integers_of_a_type_of_their_own_are_read_as_integers(self) -> None:
        assert translate(track(properties={"level": Level.HIGH})) == translate(track(properties={"level": 3}))

    def test_ids_that_json_lacks_count_as_absent(self) -> None:
        """IN-10"""
        call = parse_segment_event(track(timestamp=datetime(2024, 3, 1, tzinfo=UTC), anonymousId=b"a"))

        assert (call.time_ms, call.anonymous_id) == (1_709_251_200_000, None)
        assert call.issues == (Issue(code="not_json", path="$.anonymousId"),)

    def test_a_mapped_value_that_json_lacks_counts_as_absent(self) -> None:
        """IN-10"""
        rows = [IdMapping(field="device", id_type="deviceID")]

        mapped = apply_id_mappings(parse_segment_event(track(device=object())), rows)

        assert (mapped.custom_ids, mapped.issues) == ({}, (Issue(code="not_json", path="$.device"),))

    def test_control_keys_hold_them_too(self) -> None:
        """ID-2, US-3"""
        own = {"statsigEnvironment": Text("staging"), "statsigCustomIDs": [Text("companyID"), Text("c1")]}
        usual = {"statsigEnvironment": "staging", "statsigCustomIDs": ["companyID", "c1"]}

        assert translate(track(properties=own)) == translate(track(properties=usual))

    def test_a_message_id_of_a_type_of_its_own_is_a_string(self) -> None:
        """IN-9"""
        calls = [track(messageId=Text("m1")), track(messageId=5), track(messageId="m1")]

        assert [isinstance(outcome, Skipped) for outcome in translate_many(calls, seen={"m1"})] == [True, False, True]

    def test_a_key_that_is_no_string_is_no_property(self) -> None:
        """US-7, US-8, US-9"""
        properties: Any = {5: "x", None: 9.5, "plan": "pro"}
        event = translate(track(properties=properties), IntegrationConfig(inbound=InboundConfig(value_property=None)))
        full = "a" * (4_096 - len('{"b":"","c":""}'))

        assert event == translate(track(properties={"plan": "pro"}))
        for text in (full, f"{full}d"):
            event = translate(track(properties={5: "x", "b": text, "c": ""}))
            assert event == translate(track(properties={"b": text, "c": ""}))

    def test_an_id_of_a_type_of_its_own_is_sent_as_a_string(self) -> None:
        event = translate(track(userId=Text("u2")))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, type(event.user.user_id)) == ("u2", str)

    def test_a_property_that_json_lacks_is_left_out(self) -> None:
        """IN-10"""
        event = translate(track(properties={"when": object(), "a": "b"}))

        assert isinstance(event, StatsigEvent)
        assert (event.metadata, event.issues) == ({"a": "b"}, (Issue(code="not_json", path="$.properties.when"),))

    def test_metadata_of_an_export_that_json_lacks_counts_as_absent(self) -> None:
        """IN-10"""
        payload: Any = {"eventName": "a", "userID": "u1", "metadata": object()}

        event = parse_statsig_event(payload)

        assert (event.metadata, event.issues) == ({}, (Issue(code="not_json", path="$.metadata"),))
        assert export(payload) == export({"eventName": "a", "userID": "u1"})


class TestKindsAndNamesOfCalls:
    @pytest.mark.parametrize("kind", [5, ["track"], {"track": 1}, Text("Track")])
    def test_a_type_of_another_kind_is_unsupported(self, kind: Any) -> None:
        with pytest.raises(SegmentEventError) as caught:
            parse_segment_event(track(type=kind))

        assert caught.value.code == "unsupported_type"

    @pytest.mark.parametrize("event", [None, "", 5, ["a"], {1}])
    def test_a_name_of_another_kind_is_missing(self, event: Any) -> None:
        with pytest.raises(SegmentEventError) as caught:
            parse_segment_event(track(event=event))

        assert caught.value.code == "missing_event"


class TestNumbersTooLong:
    def test_they_are_refused_wherever_they_would_be_printed(self) -> None:
        number = 10**5000

        for payload in (track(userId=number), track(properties={"n": number}), track(properties={"n": [number]})):
            with pytest.raises(TranslationError) as caught:
                translate(payload)
            assert caught.value.code == "number_too_long"

    def test_as_text_they_are_refused_while_reading(self) -> None:
        with pytest.raises(SegmentEventError) as caught:
            translate(f'{{"n": {"1" * 5000}}}')

        assert caught.value.code == "number_too_long"


class TestConfigurationModelsMisused:
    @pytest.mark.parametrize(
        ("make", "code", "path"),
        [
            (lambda: InboundFilter(include="Signed Up"), "wrong_type", "include"),
            (lambda: InboundFilter(exclude=[[]]), "wrong_type", "exclude"),
            (lambda: InboundFilter(exclude=None), "wrong_type", "exclude"),
            (lambda: InboundFilter(types=["alias"]), "wrong_value", "types"),
            (lambda: OutboundFilter(exposures=ONE), "wrong_type", "exposures"),
            (lambda: OutboundFilter(events=["checkout"]), "wrong_type", "events"),
            (lambda: OutboundFilter(events={"checkout": 1}), "wrong_type", "events"),
            (lambda: IdMapping(field="", id_type="a"), "wrong_value", "field"),
            (lambda: IdMapping(field=ONE, id_type="a"), "wrong_type", "field"),
            (lambda: InboundConfig(id_mappings="a"), "wrong_type", "id_mappings"),
            (lambda: InboundConfig(id_mappings=ONE), "wrong_type", "id_mappings"),
            (lambda: InboundConfig(id_types={"a": 1}), "wrong_type", "id_types"),
            (lambda: InboundConfig(id_types=[[]]), "wrong_type", "id_types"),
            (lambda: InboundConfig(default_environment=""), "wrong_value", "default_environment"),
            (lambda: InboundConfig(user_fields={"name": "traits.name"}), "wrong_value", "user_fields"),
            (lambda: InboundConfig(user_fields={"email": 5}), "wrong_type", "user_fields"),
            (lambda: InboundConfig(user_fields=[]), "wrong_type", "user_fields"),
            (lambda: InboundConfig(user_fields=ONE), "wrong_type", "user_fields"),
            (lambda: InboundConfig(filters=ONE), "wrong_type", "filters"),
            (lambda: InboundConfig(naming=ONE), "wrong_type", "naming"),
            (lambda: OutboundConfig(filters=ONE), "wrong_type", "filters"),
            (lambda: IntegrationConfig(inbound=ONE), "wrong_type", "inbound"),
            (lambda: IntegrationConfig(outbound=ONE), "wrong_type", "outbound"),
            (lambda: OutboundConfig(profile="other"), "wrong_value", "profile"),
            (lambda: EventNaming(track="{name}"), "unknown_placeholder", "track"),
            (lambda: EventNaming(track="{event!r}"), "unknown_placeholder", "track"),
            (lambda: EventNaming(track="{event:>9}"), "unknown_placeholder", "track"),
            (lambda: EventNaming(prefix=ONE), "wrong_type", "prefix"),
            (lambda: EventNaming(page="{"), "wrong_value", "page"),
            (lambda: EventNaming(group=ONE), "wrong_type", "group"),
            (lambda: IdListPatch(id_list="vip", add=("a",)).split(0), "wrong_value", "max_ids"),
        ],
    )
    def test_they_raise_an_error_of_ours(self, make: Any, code: str, path: str) -> None:
        with pytest.raises(ConfigError) as caught:
            make()

        assert (caught.value.code, caught.value.path) == (code, path)

    def test_they_keep_nothing_of_the_callers(self) -> None:
        fields = {"email": "traits.email"}
        config = InboundConfig(user_fields=fields)
        fields["ip"] = "context.ip"

        assert config.user_fields == {"email": "traits.email"}
        assert hash(config) == hash(InboundConfig(user_fields={"email": "traits.email"}))

    def test_a_patch_for_no_ids_is_refused_in_words(self) -> None:
        with pytest.raises(ConfigError) as caught:
            IdListPatch(id_list="vip", add=("a",)).split(0)

        assert [type(issue.message) for issue in caught.value.issues] == [str]

    def test_their_errors_compare_by_value(self) -> None:
        issue = Issue(code="wrong_type", path="include", message="expected a list of strings")

        with pytest.raises(ConfigError) as caught:
            InboundFilter(include=5)

        assert caught.value == ConfigError([issue])
        assert hash(caught.value) == hash(ConfigError([issue]))


class TestNamesAtTheirLimit:
    """US-9"""

    @pytest.mark.parametrize(
        ("name", "codes"),
        [
            ("n" * 128, []),
            ("n" * 129, ["name_too_long"]),
            ("n" * 127 + "\n", ["name_forbidden_character"]),
            ("n" * 128 + "\n", ["name_too_long", "name_forbidden_character"]),
        ],
    )
    def test_each_thing_that_is_bad_about_one_is_told(self, name: str, codes: list[str]) -> None:
        event = to_statsig_event(Track(event=name, user_id="u"), InboundConfig(naming=EventNaming(prefix="")))

        assert [issue.code for issue in event.issues] == codes


class TestExports:
    def test_any_mapping_is_an_object(self) -> None:
        """OU-1"""
        user = {"userID": "u1", "custom": {"plan": "pro"}}

        assert parse_statsig_event({"eventName": "a", "user": MappingProxyType(user)}) == parse_statsig_event(
            {"eventName": "a", "user": user}
        )

    @pytest.mark.parametrize("code", [5, None, ["a"]])
    def test_a_code_of_another_kind_is_no_handshake(self, code: Any) -> None:
        """OU-2"""
        body = {"data": {"event": "url_verification", "verification_code": code}}

        assert url_verification_code(body) is None
        assert len(list(split_statsig_export(body))) == 1


class TestCalls:
    """IN-3, IN-6"""

    def test_what_the_model_does_not_say_is_kept_beside_it(self) -> None:
        call = parse_segment_event(
            '\ufeff{"type": "track", "event": "a", "userId": true, "anonymousId": null, "messageId": "m1",'
            ' "context": 5, "integrations": {}, "properties": {"statsigCustomIDs": ["companyID", "c1"]}, "extra": null}'
        )

        assert call.other == {"userId": True, "context": 5, "integrations": {}, "extra": None}

    def test_an_array_in_place_of_properties_may_hold_anything(self) -> None:
        """IN-7, IN-10"""
        event = translate(track(properties=[b"bytes"], context={"items": {"k": b"bytes"}}))

        assert isinstance(event, StatsigEvent)
        assert [(issue.code, issue.path) for issue in event.issues] == [("object_expected", "$.properties")]

    def test_an_object_that_holds_bytes_is_no_time_and_no_id(self) -> None:
        """IN-10"""
        call = parse_segment_event(track(userId={"id": b"x"}, timestamp={"at": b"x"}, groupId=b"x", sentAt=b"x"))

        assert [(issue.code, issue.path) for issue in call.issues] == [
            ("id_invalid", "$.userId"),
            ("not_json", "$.groupId"),
            ("time_unreadable", "$.timestamp"),
            ("not_json", "$.sentAt"),
        ]

    @pytest.mark.parametrize(
        ("items", "issues"),
        [
            ([{"type": "email"}, {"type": "phone", "id": b"x"}], [("not_json", "$.context.items[1].id")]),
            ([{"type": "email"}, b"x", b"x"], [("not_json", "$.context.items[1]")]),
            ([{"type": "email", "id": b"x"}], []),
            ([{"type": "phone", "id": {"a": b"x"}}], [("id_invalid", "$.context.items[0].id")]),
            (b"x", [("not_json", "$.context.items")]),
        ],
    )
    def test_what_a_selector_could_not_read_has_its_place(self, items: Any, issues: list[tuple[str, str]]) -> None:
        """ID-4, IN-10"""
        rows = [IdMapping(field="context.items[type=phone].id", id_type="phoneID")]
        call = parse_segment_event(track(context={"items": items, "other": b"x"}))

        assert [(issue.code, issue.path) for issue in apply_id_mappings(call, rows).issues] == issues

    def test_what_is_lost_elsewhere_is_no_matter_of_a_mapping(self) -> None:
        """ID-4, IN-10"""
        call = parse_segment_event(track(context={"other": b"x"}))

        assert apply_id_mappings(call, [IdMapping(field="context.id", id_type="own")]) is call

    def test_a_custom_attribute_of_the_call_wins(self) -> None:
        """US-10"""
        config = InboundConfig(custom_fields={"plan": "context.plan"})
        call = parse_segment_event(track(context={"plan": "context"}, properties={"statsigCustom": ["plan", "call"]}))

        assert to_statsig_event(call, config).user.custom == {"plan": "call"}

    def test_what_a_configured_field_lost_inside_is_told(self) -> None:
        """US-11, IN-10"""
        config = InboundConfig(metadata_fields={"device": "context.device"})
        event = to_statsig_event(parse_segment_event(track(context={"device": {"id": b"x", "name": "a"}})), config)

        assert event.metadata == {"device": '{"name":"a"}'}
        assert [(issue.code, issue.path) for issue in event.issues] == [("not_json", "$.context.device")]

    def test_paths_read_the_call_as_it_was_sent(self) -> None:
        """ID-4, US-10"""
        fields = {name: name for name in ("userId", "groupId", "messageId", "name")}
        config = IntegrationConfig(inbound=InboundConfig(custom_fields=fields))
        call = {"type": "page", "userId": 5, "groupId": 7.0, "messageId": 8, "name": 9}
        expected = {"userId": 5, "groupId": 7.0, "messageId": 8, "name": 9}

        event = translate(call, config)

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.message_id, event.user.custom) == ("5", "8", expected)
        assert {type(value) for value in event.user.custom.values()} == {int, float}

    def test_they_find_an_id_that_was_dropped(self) -> None:
        """ID-4, ID-8, US-10"""
        rows = [IdMapping(field="anonymousId", id_type="own"), IdMapping(field="userId", id_type="other")]
        config = InboundConfig(id_mappings=rows, drop_placeholder_ids=True, custom_fields={"n": "userId"})
        event = translate(track(userId="undefined", anonymousId="a1"), IntegrationConfig(inbound=config))

        assert isinstance(event, StatsigEvent)
        assert (event.user.user_id, event.user.custom_ids) == (None, {"own": "a1"})
        assert event.user.custom == {"n": "undefined"}

    def test_a_field_that_is_named_like_a_path_comes_first(self) -> None:
        """US-2, ID-4"""
        event = translate(
            {"type": "track", "event": "a", "userId": "u1", "context.ip": "192.0.2.1", "context": {"ip": "192.0.2.2"}}
        )

        assert isinstance(event, StatsigEvent)
        assert event.user.ip == "192.0.2.1"

    def test_models_of_calls_and_events_can_be_hashed(self) -> None:
        call = {"type": "track", "event": "a", "properties": {"statsigCustomIDs": ["companyID", "c1"]}}

        assert hash(parse_segment_event(call)) == hash(parse_segment_event(call))
        assert hash(translate(call)) == hash(translate(call))

    @pytest.mark.parametrize(("payload", "code"), [("oops", "invalid_json"), ("[]", "not_an_object")])
    def test_text_that_is_no_object_is_refused(self, payload: str, code: str) -> None:
        """IN-1"""
        for read in (parse_segment_event, parse_statsig_event):
            with pytest.raises(StatsigSegmentError) as caught:
                read(payload)

            assert caught.value.code == code

    def test_a_time_of_thousands_of_digits_is_none(self) -> None:
        """IN-5, OU-1"""
        call = parse_segment_event({"type": "track", "event": "a", "timestamp": "9" * 5_000})

        assert [(issue.code, issue.path) for issue in call.issues] == [("time_unreadable", "$.timestamp")]
        assert export({"eventName": "a", "timestamp": "9" * 5_000}) == export({"eventName": "a"})


class TestNames:
    """US-6"""

    @pytest.mark.parametrize(
        ("template", "name"), [("100% {event}", "100% a"), (" {event}", " a"), ("{{{event}}}", "{a}"), ("%s", "%s")]
    )
    def test_a_template_is_filled_and_nothing_else_of_it_is_changed(self, template: str, name: str) -> None:
        assert EventNaming(track=template).name(Track(event="a")) == name


class TestMetadataAtItsLimit:
    """US-9"""

    def test_each_entry_and_character_counts(self) -> None:
        marks = len('{"a0":"","a1":"","a2":"","a3":""}')
        texts = ["é" * 1_000, "b" * 1_000, '"' * 500, "d" * (1_096 - marks)]
        fits = {f"a{at}": text for at, text in enumerate(texts)}
        dotted: dict[str, Any] = dict(zip(("a.", ".1", ".2", ".3"), texts, strict=True))

        assert self.codes(fits) == []
        assert self.codes(fits | {"a0": "é" * 1_001}) == ["metadata_too_large"]
        assert self.codes(dotted) == ["metadata_key_dot"] * 4
        assert self.codes(dotted | {"a.": "é" * 1_001}) == ["metadata_key_dot"] * 4 + ["metadata_too_large"]

    @pytest.mark.parametrize(
        "properties",
        [
            {"a": "x" * 4_200, "b": "y"},
            {"b": "y", "a": "x" * 4_200},
            {f"{chr(14 + at // 18)}{chr(14 + at % 18)}": "" for at in range(228)},  # each character takes six in JSON
        ],
    )
    def test_metadata_over_it_are_told_wherever_they_are_long(self, properties: dict[str, Any]) -> None:
        assert self.codes(properties) == ["metadata_too_large"]

    @pytest.mark.parametrize(("name", "text"), [("n" * 4_200, "x"), ("n", "x" * 4_200)])
    def test_a_name_that_is_added_counts(self, name: str, text: str) -> None:
        """US-7"""
        event = to_statsig_event(Page(user_id="u1", name=name, properties={"a": text}))

        assert "metadata_too_large" in [issue.code for issue in event.issues]

    def codes(self, properties: dict[str, Any]) -> list[str]:
        event = to_statsig_event(Track(event="e", user_id="u1", properties=properties), InboundConfig())
        return [issue.code for issue in event.issues]
