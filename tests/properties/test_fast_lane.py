"""The law of the fast lanes, and that most calls stay in them; tests/support/lanes.py says what the law asks."""

from __future__ import annotations

import itertools
import json
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.benchmarks import corpus
from tests.support.calls import iso, track, user_track
from tests.support.edits import CHANGES, Plan, edited, nested, places, put
from tests.support.lanes import INBOUND, LANES, OUTBOUND, Lane, hold_to_the_law, made_anew, shape
from tests.support.lookalikes import Integer, Lookup, Text
from tests.support.sizes import small_and_large
from tests.support.sound import CALLS, CONFIGS, EVENTS, MAPPINGS, OUTBOUND_CONFIGS
from tests.support.strategies import DEEP_VALUES, PLACEHOLDER_VALUES, hostile_values
from tests.support.values import JsonObject, is_array, is_object
from tests.vectors import adapter

from statsig_segment import (
    EventNaming,
    FieldFilter,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    Rejected,
    translate_many,
)
from statsig_segment._json.javascript import json_text, sorted_text
from statsig_segment.conformance.cases import VECTORS, read_cases
from statsig_segment.inbound.translate import reference_outcome
from statsig_segment.segment.placeholders import PLACEHOLDER_IDS
from statsig_segment.testing import json_values, python_values, timestamps

DEFAULT: Final = CONFIGS["the default"]
ANYTHING: Final = hostile_values() | json_values() | python_values() | DEEP_VALUES
TOO_LONG: Final = 10**5_000
"""A number that Python does not print."""
ODD_IDS: Final[tuple[Any, ...]] = (
    *(TOO_LONG, Integer(TOO_LONG), {"a": TOO_LONG}, Decimal(TOO_LONG)),
    *(5, 5.0, OrderedDict[str, str](a="b"), b"", None, "u1"),
)
ODD: Final = hostile_values() | PLACEHOLDER_VALUES | timestamps()


# -- The law ----------------------------------------------------------------------------------------------------------


@pytest.mark.differential
@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.name)
class TestTheLaw:
    """
    For every payload and every configuration, a lane returns exactly what the reference returns, or it steps aside.
    """

    @given(st.data())
    def test_it_holds_for_payloads_sound_and_malformed(self, lane: Lane, data: st.DataObject) -> None:
        hold_to_the_law(lane, data.draw(lane.payloads), data.draw(lane.configurations))

    @given(st.data())
    def test_it_holds_for_any_value(self, lane: Lane, data: st.DataObject) -> None:
        hold_to_the_law(lane, data.draw(ANYTHING), data.draw(lane.configurations))

    @given(st.data())
    def test_it_holds_for_a_payload_with_changes(self, lane: Lane, data: st.DataObject) -> None:
        call = data.draw(lane.payloads.filter(can_be_changed))
        for _ in range(data.draw(st.integers(1, 2))):
            text = json.dumps(call)
            place = data.draw(st.sampled_from(list(places(call))))
            call = edited(text, place, CHANGES[data.draw(st.sampled_from(sorted(CHANGES)))])
            if not can_be_changed(call):
                break

        hold_to_the_law(lane, call, data.draw(lane.configurations))

    @given(st.data())
    def test_it_holds_with_a_hostile_value_anywhere(self, lane: Lane, data: st.DataObject) -> None:
        call = data.draw(lane.payloads.filter(can_be_changed))
        place = data.draw(st.sampled_from(list(places(call))))
        hold_to_the_law(lane, edited(json.dumps(call), place, put(data.draw(ODD))), data.draw(lane.configurations))

    @pytest.mark.parametrize("one_in", small_and_large(13, 1))
    def test_it_holds_for_each_change_at_each_place(self, lane: Lane, one_in: int) -> None:
        for first, sound in enumerate(lane.sound.values()):
            text = json.dumps(sound)
            changed = itertools.islice(itertools.product(places(sound), CHANGES.values()), first % one_in, None, one_in)
            configs = itertools.cycle(map(made_anew, lane.configs.values()))
            for (place, change), config in zip(changed, configs, strict=False):
                hold_to_the_law(lane, edited(text, place, change), config)

    def test_it_holds_for_a_library_that_is_the_call_or_its_context(self, lane: Lane) -> None:
        for of_context in (False, True):
            context: JsonObject = {"name": "statsig"}
            call: JsonObject = {"type": "page", "name": "statsig", "userId": "u1", "id": "d1", "context": context}
            context["library"] = context if of_context else call

            hold_to_the_law(lane, call, DEFAULT)

    @pytest.mark.parametrize("of_context", [False, True])
    def test_it_holds_for_a_device_that_is_the_call_or_its_context(self, lane: Lane, *, of_context: bool) -> None:
        context: JsonObject = {"id": "d1"}
        call: JsonObject = user_track(id="d2", context=context)
        context["device"] = context if of_context else call

        hold_to_the_law(lane, call, CONFIGS["mappings"])

    def test_it_holds_for_an_event_that_is_its_own_metadata(self, lane: Lane) -> None:
        for name in ("metadata", "statsigMetadata", "user"):
            event: JsonObject = {"eventName": "checkout", "userID": "u1", "stableID": "s1", "sdkType": "segment"}
            event[name] = event

            hold_to_the_law(lane, event, DEFAULT)

    @pytest.mark.parametrize(
        "preferences",
        [
            *(None, {}, [], b"", {"Analytics": True}, {"Analytics": b""}, {"Analytics": True, "Ads": object()}),
            *(Lookup({"Analytics": True}), {b"": True}),
        ],
        ids=itertools.count(),
    )
    def test_it_holds_for_consent_beside_entries_that_cannot_be_read(self, lane: Lane, preferences: Any) -> None:
        config = IntegrationConfig(inbound=InboundConfig(consent_categories=["Analytics"]))
        held: JsonObject = {"categoryPreferences": preferences}
        for consent in (preferences, held, Lookup(held)):
            call = user_track(context={"consent": consent})
            hold_to_the_law(lane, call, config)
            for entry in (b"", True, {"a": 1}, None):
                hold_to_the_law(lane, call | {"integrations": {"Mixpanel": entry}}, config)

    @pytest.mark.parametrize("odd", ODD_IDS, ids=[*map(str, range(len(ODD_IDS)))])
    @pytest.mark.parametrize("name", ["segment::Paid", "statsig::gate_exposure", "checkout"])
    def test_it_holds_for_ids_that_parsing_prints_before_anything_is_skipped(
        self, lane: Lane, name: str, odd: Any
    ) -> None:
        sound = {"eventName": name, "userID": "u1", "user": {"userID": "u2", "customIDs": {"companyID": "c1"}}}
        row = FieldFilter(field="eventName", matches=["check*"])
        filters = OutboundFilter(exposures=False, drop_where=[row])
        for config in (DEFAULT, IntegrationConfig(outbound=OutboundConfig(filters=filters))):
            for change in (
                {"userID": odd},
                {"user": odd},
                {"user": {"userID": odd}, "userID": None},
                {"user": {"customIDs": odd}},
                {"user": {"customIDs": {"companyID": odd}}},
                {"statsigMetadata": {"stableID": odd}},
            ):
                hold_to_the_law(lane, sound | change, config)

    @pytest.mark.parametrize("one_in", small_and_large(5, 1))
    def test_it_holds_for_a_payload_inside_itself(self, lane: Lane, one_in: int) -> None:
        pairs = itertools.product(lane.sound.values(), map(made_anew, lane.configs.values()))
        for first, (sound, config) in enumerate(pairs):
            for place in itertools.islice(places(sound), first % one_in, None, one_in):
                for change in ("the whole call", "what holds it"):
                    hold_to_the_law(lane, edited(json.dumps(sound), place, CHANGES[change]), config)


def hold_to_the_model(payload: Any, config: IntegrationConfig) -> None:
    """Compare what `translate_many` yields with the reference; a model down to its exact types."""
    (outcome,) = translate_many([payload], config)
    reference = reference_outcome(payload, config.inbound, 0, None)
    assert type(outcome) is type(reference)
    if isinstance(outcome, Rejected):
        assert outcome == reference
    else:
        assert shape(outcome) == shape(reference)


class TestModels:
    """What `translate_many` makes of the lane's answer is the model of the reference."""

    @given(INBOUND.payloads, INBOUND.configurations)
    def test_any_payload_has_the_outcome_of_the_reference(self, payload: Any, config: IntegrationConfig) -> None:
        hold_to_the_model(payload, config)

    @pytest.mark.parametrize("config", CONFIGS)
    def test_a_sound_call_has_the_outcome_of_the_reference(self, config: str) -> None:
        for call in CALLS.values():
            hold_to_the_model(call, CONFIGS[config])


def can_be_changed(call: Any) -> bool:
    """Say whether something in a call can be changed, which goes by way of its text."""
    try:
        return bool(call) and shape(json.loads(json.dumps(call))) == shape(call)
    except (TypeError, ValueError, RecursionError):
        return False


TIMES: Final = (
    *("2024-03-01T12:34:56.789Z", "2024-03-01T12:34:56.788Z", "2024-02-29T00:00:00.000Z", "2023-02-29T00:00:00.000Z"),
    *("2024-03-01T24:00:00.000Z", "2024-03-01T23:59:60.000Z", "2024-13-01T00:00:00.000Z", "0000-03-01T12:34:56.789Z"),
    *("1970-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00.000Z"),
    *("2024-03-01t12:34:56.789Z", "2024-03-01 12:34:56.789Z", "2024-03-01T12:34:56.789z", "2024-03-01T12:34:56,789Z"),
    *("2024-03-01T12:34:56.78Z", "2024-03-01T12:34:56.7890Z", "2024-03-01T12:34:56.789", "2024-03-01T12:34:56.789+0"),
    *("2024-03-01T12:34:56.789 ", "2024-03-01T12:34:5+.789Z", "2024-03-01T12:34:56.+01Z", "2024-03-01T12:34:56.Z89Z"),
    *("2024-03-01T12:34:56.7-9Z", "2024-03-01T12:34:56.   Z", "٢٠٢٤-03-01T12:34:56.789Z", "2024-03-01T12:34:56.٧٨٩Z"),
    *("2024-W09-5T12:34:56.789Z", "2024-03-01T12-34-56.789Z", "2024.03.01T12:34:56.789Z", "2024-03-01T1\ud800:3:5.7Z"),
    *("2024-03-02T12:34:56.789Z", "2024-03-02T12:34:56.790Z", "2024-02-29T12:34:56.788Z", "2024-02-29T12:34:56.789Z"),
    *("2024-12-10T12:34:56.789Z", "2024-3-2T12:34:56.789Z", "2024-12-3T12:34:56Z", "2024-12-03 12:34:56.789Z"),
    *("2024-03-01", "2024-3-1", "2024-03-01T12:34", "2024-03-01T13:34:56.789+01:00", "2024-03-01T12:34:56.789123Z"),
    *("2024-03-01T15:34:56.789+05:00", "2024-03-01T11:34:56.789-05:00"),
    *("1709296496", "1709296496789", "01709296496.5", "9" * 400, "yesterday", "", " "),
    *(1709296496, 1709296496789, 1709296496.789, 31_557_599_999, 31_557_600_000, 0, -1, True, float("nan"), 1e-7),
    *(253_402_300_799_999, 253_402_300_800_000, 10**4300),
)  # fmt: skip
"""Times and what is none: in the form of Segment's clients, nearly in it, and in all others."""


class TestTimes:
    """IN-5 and IN-6, as the lane reads them: the form of Segment's clients at C speed, all others by the reference."""

    @pytest.mark.parametrize("field", ["timestamp", "originalTimestamp", "receivedAt", "sentAt"])
    def test_the_law_holds_for_any_time_in_any_field(self, field: str) -> None:
        for time in TIMES:
            hold_to_the_law(INBOUND, user_track(**{field: time}), DEFAULT)

    def test_the_law_holds_for_any_time_beside_any_time_of_receipt(self) -> None:
        for time, received in itertools.product(TIMES, TIMES):
            hold_to_the_law(INBOUND, user_track(timestamp=time, receivedAt=received), DEFAULT)
            hold_to_the_law(INBOUND, user_track(originalTimestamp=time, receivedAt=received), DEFAULT)

    @pytest.mark.parametrize(
        "time", ["1970-01-01T00:00:00.000Z", "2024-03-01T12:00:00.000Z", "9999-12-31T23:59:59.999Z"]
    )
    def test_a_time_in_the_form_of_clients_stays_in_the_lane(self, time: str) -> None:
        assert hold_to_the_law(INBOUND, user_track(timestamp=time), DEFAULT) is not None

    @example(1709296496789, 0, 3_600_000)
    @example(1709296496789, 1, 3_600_000)
    @given(st.integers(2, 10**14), st.integers(-2, 2), st.sampled_from((0, 1000, 3_600_000)))
    def test_the_law_holds_around_each_bound_of_the_time_of_receipt(self, ms: int, more: int, later: int) -> None:
        call = user_track(timestamp=iso(ms + later + more), receivedAt=iso(ms))

        assert (hold_to_the_law(INBOUND, call, DEFAULT) is None) == (later + more > 3_600_000)

    def test_the_law_holds_for_each_other_character_in_a_time(self) -> None:
        common = TIMES[0]
        for index, character in itertools.product(range(len(common)), "019-:.,+TZ \ud800٣"):
            hold_to_the_law(INBOUND, user_track(timestamp=f"{common[:index]}{character}{common[index + 1 :]}"), DEFAULT)

    @given(timestamps(), timestamps())
    def test_the_law_holds_for_two_drawn_times(self, time: Any, received: Any) -> None:
        hold_to_the_law(INBOUND, user_track(timestamp=time, receivedAt=received), DEFAULT)


class TestNumbers:
    """ID-8: an ID may be a number, and the lane prints it."""

    @pytest.mark.parametrize("name", ["userId", "anonymousId", "groupId"])
    def test_a_call_with_a_number_as_an_id_stays_in_the_lane(self, name: str) -> None:
        for config in (DEFAULT, CONFIGS["mappings"]):
            assert hold_to_the_law(INBOUND, user_track(**{name: 42}), config) is not None


def with_user_id(text: str) -> JsonObject:
    return track(userId=text)


def with_anonymous_id(text: str) -> JsonObject:
    return track(anonymousId=text)


def with_user_and_custom_id(text: str) -> JsonObject:
    return user_track(properties={"statsigCustomIDs": ["companyID", text]})


def with_custom_id(text: str) -> JsonObject:
    return track(properties={"statsigCustomIDs": ["companyID", text]})


def with_value(text: str) -> JsonObject:
    return user_track(properties={"value": text})


def with_name(text: str) -> JsonObject:
    return user_track(event=text[: -len("segment::")])


class TestSizes:
    """US-9: the lane knows no issue, so it has to step aside exactly where Statsig would drop or trim."""

    @pytest.mark.parametrize("character", ["x", "é", "🙂", '"', "\\", "\n", "\x01", "\x7f", "\ud800"])
    @pytest.mark.parametrize("entries", [1, 2, 7])
    def test_the_law_holds_around_the_bound_of_metadata(self, character: str, entries: int) -> None:
        def call(length: int) -> JsonObject:
            rest = {f"k{index}{character}": index for index in range(1, entries)}
            return user_track(properties={f"k{character}": "x" * (length % 7) + character * (length // 7)} | rest)

        def written(length: int) -> int:
            return len(json.dumps(call(length)["properties"], ensure_ascii=False))

        about = next(length for length in itertools.count(0, 25) if written(length) > 4000 or length > 7 * 4000)
        stays = [
            hold_to_the_law(INBOUND, call(length), DEFAULT) is not None for length in range(about, about + 1200, 7)
        ]
        assert character == "\ud800" or len(set(stays)) == 2

    def test_the_lane_writes_metadata_of_4096_characters_and_no_more(self) -> None:
        stays = [
            hold_to_the_law(INBOUND, user_track(properties={"k": "x" * length}), DEFAULT) is not None
            for length in range(4080, 4100)
        ]

        assert stays.index(False) == 4096 - len('{"k":""}') + 1 - 4080

    @pytest.mark.parametrize("entries", [1, 3, 12])
    def test_the_law_holds_where_each_character_of_metadata_becomes_six(self, entries: int) -> None:
        keys = ["\x01" * (index + 1) for index in range(entries)]
        for length in range(500, 700):
            hold_to_the_law(
                INBOUND, user_track(properties=dict.fromkeys(keys, "") | {keys[0]: "\x01" * length}), DEFAULT
            )

    @pytest.mark.parametrize("length", [127, 128, 129])
    @pytest.mark.parametrize(
        "call",
        [
            with_user_id,
            with_anonymous_id,
            with_user_and_custom_id,
            with_custom_id,
            with_value,
            with_name,
        ],
    )
    def test_the_lane_takes_128_characters_and_no_more(self, call: Callable[[str], JsonObject], length: int) -> None:
        answer = hold_to_the_law(INBOUND, call("x" * length), CONFIGS["mappings"])

        assert (answer is not None) == (length <= 128)


def group(properties: JsonObject, traits: JsonObject) -> JsonObject:
    return {"type": "group", "groupId": "g1", "userId": "u1", "properties": properties, "traits": traits}


class TestFoundViolations:
    """Payloads and configurations for which the lane once differed from the reference."""

    @pytest.mark.parametrize(
        ("call", "config"),
        [
            # An identify is mapped before it is passed over, and no text can be made of such a number.
            ({"type": "identify", "userId": "u1", "shopId": 10**4300}, CONFIGS["mappings"]),
            # Metadata holds the traits, so what is lost in a control key there counts, even where none is read there.
            (
                group({"statsigCustom": ["a", 1]}, {"statsigCustom": [object()]}),
                DEFAULT,
            ),
            (group({"statsigCustomIDs": ["companyID", "c"]}, {"statsigCustomIDs": nested(101, "[")}), DEFAULT),
            (
                group({"statsigEnvironment": {"tier": "qa"}}, {"statsigEnvironment": float("nan")}),
                CONFIGS["control keys as values"],
            ),
            (
                group({"statsigEnvironment": {"tier": "qa"}}, {"statsigEnvironment": 10**4300}),
                CONFIGS["control keys as values"],
            ),
            # Nobody reads what stands beside the tier, but it is noted where it cannot be read.
            (user_track(properties={"statsigEnvironment": {"tier": "qa", "x": object()}}), DEFAULT),
            (user_track(properties={"statsigEnvironment": {"tier": "qa", "x": nested(101, "{")}}), DEFAULT),
            # A path that ends in an array, and what is lost in there.
            (user_track(context={"device": [object()]}), CONFIGS["mappings"]),
            (user_track(context={"device": nested(101, "[")}), CONFIGS["mappings"]),
            (user_track(context={"externalIds": [{"id": object()}]}), CONFIGS["paths through arrays"]),
            (user_track(context={"externalIds": [{"type": "x", "id": object()}]}), CONFIGS["mappings"]),
            (user_track(context={"externalIds": [[object()]]}), CONFIGS["mappings"]),
            # Paths into what is too deep to be read.
            (user_track(context={"device": nested(60, "{")}), CONFIGS["long paths"]),
            (user_track(context=nested(99, "{")), CONFIGS["long paths"]),
            # Deep objects under `flatten`, from anywhere but the properties.
            (user_track(context={"device": nested(66, "{")}), CONFIGS["flattened objects"]),
            (user_track(context={"device": nested(99, "{")}), CONFIGS["flattened objects"]),
            # An ID that nothing maps is printed all the same.
            (user_track(anonymousId=TOO_LONG), DEFAULT),
            (user_track(groupId=Integer(TOO_LONG)), DEFAULT),
            # A field that the call holds as text: the reference reads it from there.
            (track(userId=42, anonymousId=43, groupId=44), CONFIGS["fields"]),
            ({"type": "page", "name": 404, "category": 7, "userId": "u1"}, CONFIGS["fields"]),
            # A key that prints as something else than it is.
            (user_track(properties={Plan.PLAN: {"b": 1}}), CONFIGS["flattened fields"]),
        ],
    )
    def test_the_law_holds(self, call: JsonObject, config: IntegrationConfig) -> None:
        hold_to_the_law(INBOUND, call, made_anew(config))


class TestShortcuts:
    """Where a first or last character, or the kind of a path, decides what the lane does next."""

    @pytest.mark.parametrize("padding", ["{}", " {}", "{}'", "'{}'"])
    @pytest.mark.parametrize("call", [with_user_id, with_anonymous_id, with_user_and_custom_id, with_custom_id])
    def test_the_law_holds_for_each_placeholder(self, call: Callable[[str], JsonObject], padding: str) -> None:
        for text in PLACEHOLDER_IDS:
            for spelled in (text, text.upper(), text.title()):
                hold_to_the_law(INBOUND, call(padding.format(spelled)), CONFIGS["mappings"])

    @pytest.mark.parametrize("padding", ["{}", " {}", "{}'", "'{}'"])
    def test_the_law_holds_for_each_placeholder_on_the_way_back(self, padding: str) -> None:
        for text in PLACEHOLDER_IDS:
            for spelled in map(padding.format, (text, text.upper(), text.title())):
                for ids in (
                    {"userID": spelled},
                    {"user": {"customIDs": {"companyID": spelled}}},
                    {"statsigMetadata": {"stableID": spelled}},
                ):
                    event = {"eventName": "checkout", "userID": "u1", **ids}
                    hold_to_the_law(OUTBOUND, event, OUTBOUND_CONFIGS["all let through"])

    @pytest.mark.parametrize(
        "field", ["ids[type=x]", "ids[type=x].id", "ids.id", "ids", "context.ids[type=x]", "context[a=b].name[c=d]"]
    )
    def test_the_law_holds_for_a_path_of_each_kind(self, field: str) -> None:
        ids = [{"type": "w", "id": "i1"}, {"type": "x", "id": "i2"}]
        uses: list[JsonObject] = [
            {"metadata_fields": {"found": field}},
            {"custom_fields": {"found": field}},
            {"user_fields": {"email": field}},
            {"id_mappings": [IdMapping(field=field, id_type="found")]},
        ]
        for use in uses:
            config = IntegrationConfig(inbound=InboundConfig(**use))

            hold_to_the_law(INBOUND, user_track(ids=ids, context={"ids": ids, "name": "n"}), config)

    @pytest.mark.parametrize("template", ["100% {name}", "%s {name}", "%(name)s {name}", "{name} %%"])
    def test_the_law_holds_for_a_template_that_looks_like_a_format_of_python(self, template: str) -> None:
        filters = InboundFilter(include=[template.replace("{name}", "Home")])
        inbound = InboundConfig(naming=EventNaming(page=template), filters=filters)

        hold_to_the_law(INBOUND, {"type": "page", "name": "Home", "userId": "u1"}, IntegrationConfig(inbound=inbound))

    @pytest.mark.parametrize("steps", [17, 18, 19, 30, 36])
    @pytest.mark.parametrize("step", ["a[id=i]", "a"])
    def test_the_law_holds_for_what_is_deep_at_the_end_of_a_long_path(self, step: str, steps: int) -> None:
        value: Any = {"deep": nested(60, "[")}
        for _ in range(steps):
            value = {"a": [{"id": "i"} | value]} if step != "a" else {"a": value}
        config = InboundConfig(metadata_fields={"deep": ".".join(["context", *[step] * steps])})

        hold_to_the_law(INBOUND, user_track(context=value), IntegrationConfig(inbound=config))


class TestValuesThatOnlyPythonReads:
    """IN-10, TR-5: the reference reads these first, and the lane looks at them as they came."""

    @pytest.mark.parametrize("library", [MappingProxyType, Lookup, OrderedDict, dict])
    def test_the_law_holds_for_a_library_that_is_an_object_of_python(self, library: Callable[[Any], Any]) -> None:
        hold_to_the_law(INBOUND, user_track(context={"library": library({"name": "statsig"})}), DEFAULT)

    @pytest.mark.parametrize("first", [{"type": Text("phone")}, MappingProxyType({"type": "phone"}), "phone", None])
    def test_the_law_holds_for_an_item_before_the_one_that_is_selected(self, first: Any) -> None:
        call = user_track(context={"externalIds": [first, {"type": "phone", "id": "second"}]})

        hold_to_the_law(INBOUND, call, made_anew(CONFIGS["mappings"]))

    @pytest.mark.parametrize("length", [100, 101])
    def test_the_law_holds_around_the_longest_array_that_is_searched(self, length: int) -> None:
        items = [{"type": f"t{at}", "id": f"i{at}"} for at in range(length - 1)]
        call = user_track(context={"externalIds": [*items, {"type": "phone", "id": "last"}]})

        hold_to_the_law(INBOUND, call, made_anew(CONFIGS["mappings"]))

    @pytest.mark.parametrize("length", [255, 256, 257])
    def test_the_law_holds_around_the_longest_name_that_is_flattened(self, length: int) -> None:
        hold_to_the_law(INBOUND, user_track(properties={"k" * length: {"a": 1}}), CONFIGS["flattened objects"])

    @pytest.mark.parametrize("levels", [31, 35, 36, 37, 38, 39, 40, 61])
    def test_the_law_holds_for_arrays_inside_of_objects_that_are_flattened(self, levels: int) -> None:
        call = user_track(properties=nested(levels, "{", nested(60, "[")))

        hold_to_the_law(INBOUND, call, CONFIGS["flattened objects"])

    @pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.name)
    def test_the_law_holds_for_a_dict_that_answers_with_something_else(self, lane: Lane) -> None:
        class Answering(dict[str, Any]):
            def get(self, key: str, default: Any = None) -> Any:
                return "answered" if super().get(key) == "u1" else super().get(key, default)

        for sound in lane.sound.values():
            hold_to_the_law(lane, Answering({**sound, "userId": "u1", "userID": "u1"}), DEFAULT)


class Hostile(str):
    """A key that is found in the place of `field`, and then does something else than to compare itself."""

    __slots__ = ("field", "respond")
    field: str
    respond: Callable[[], bool]

    def __new__(cls, field: str, respond: Callable[[], bool]) -> Self:
        key = super().__new__(cls, "another key")
        key.field, key.respond = field, respond
        return key

    def __eq__(self, other: object) -> bool:
        return self.respond()

    def __hash__(self) -> int:
        return hash(self.field)


USER_IDS: Final = {"inbound": "userId", "outbound": "userID"}
"""Lane -> a field that it looks for."""


@pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.name)
class TestWhatACompilerChanges:
    """
    For every payload and every configuration, a lane returns exactly what the reference returns, or it steps aside.

    A compiled lane has no limit of recursion, keeps small integers in another form than large ones, and walks through a
    dict by other means than the interpreter.
    """

    @pytest.mark.parametrize("kinds", ["[", "{", "[{"])
    def test_a_payload_of_100_000_levels_breaks_no_stack(self, lane: Lane, kinds: str) -> None:
        deep = nested(100_000, kinds)
        values = (deep, {"statsigCustomIDs": deep, "customIDs": deep, "library": deep, "p": deep})
        configs = itertools.cycle(lane.configs.values())
        for sound in lane.sound.values():
            for name, value in itertools.product(sound, values):
                payload, config = sound | {name: value}, next(configs)
                answer = lane.answer(payload, config)

                assert answer is None or answer == lane.reference(payload, config)

    @pytest.mark.parametrize("interrupt", [KeyboardInterrupt, SystemExit])
    def test_an_interrupt_goes_through(self, lane: Lane, interrupt: type[BaseException]) -> None:
        def respond() -> bool:
            raise interrupt

        for sound in lane.sound.values():
            absent = {name: value for name, value in sound.items() if name != USER_IDS[lane.name]}
            with pytest.raises(interrupt):
                lane.answer(absent | {Hostile(USER_IDS[lane.name], respond): "u1"}, DEFAULT)

    @pytest.mark.parametrize("error", [ValueError, MemoryError, RecursionError, OverflowError])
    def test_a_key_that_cannot_be_compared_is_the_references(self, lane: Lane, error: type[Exception]) -> None:
        def respond() -> bool:
            raise error

        for sound in lane.sound.values():
            absent = {name: value for name, value in sound.items() if name != USER_IDS[lane.name]}

            assert lane.answer(absent | {Hostile(USER_IDS[lane.name], respond): "u1"}, DEFAULT) is None

    def test_a_payload_that_empties_itself_while_it_is_read_breaks_nothing(self, lane: Lane) -> None:
        for sound in lane.sound.values():
            payload = {name: value for name, value in sound.items() if name != USER_IDS[lane.name]}

            def respond(of: JsonObject = payload) -> bool:
                of.clear()
                return False

            payload[Hostile(USER_IDS[lane.name], respond)] = "u1"
            lane.answer(payload, DEFAULT)  # without a crash; what is left of it is not a payload any more

            assert not payload

    def test_threads_do_not_disturb_each_other(self, lane: Lane) -> None:
        def answered(payload: JsonObject) -> list[Any]:
            return shape(lane.answer(payload, DEFAULT))

        payloads = [*lane.sound.values()] * 20
        alone = [answered(payload) for payload in payloads]
        with ThreadPoolExecutor(4) as pool:
            answers = pool.map(answered, payloads * 4)

            assert list(answers) == alone * 4


class TestTreesOfAnyDepth:
    """TR-5: no depth breaks the interpreter, in the few functions that follow a tree to its end, neither."""

    @pytest.mark.parametrize("kinds", ["[", "{", "[{"])
    @pytest.mark.parametrize("write", [json_text, sorted_text])
    def test_a_tree_that_nobody_has_read_first_is_refused(self, write: Callable[[Any], object], kinds: str) -> None:
        with pytest.raises(RecursionError):
            write(nested(100_000, kinds))


# -- What is at hand: the test vectors, and the corpus of the benchmark ------------------------------------------------

CASES: Final = [case for case in read_cases(VECTORS) if case["operation"] != "load_config"]


def inputs(case: Mapping[str, Any]) -> Iterator[Any]:
    """Give the input of a case and, where it holds several payloads, each of them, as JSON values."""
    given = adapter.source(case)
    if isinstance(given, str | bytes):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return
    yield given
    batch = given.get("batch") if is_object(given) else given
    if is_array(batch):
        yield from batch


class TestWhatIsAtHand:
    """The law for calls that were written by hand, and for those that the benchmark takes."""

    @pytest.mark.parametrize("operation", sorted({case["operation"] for case in CASES}))
    def test_the_law_holds_for_each_vector(self, operation: str) -> None:
        for case in CASES:
            if case["operation"] == operation:
                config = adapter.configuration(case)
                for lane, payload in itertools.product(LANES, inputs(case)):
                    hold_to_the_law(lane, payload, config)

    @pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
    @pytest.mark.parametrize("count", small_and_large(40, 200))
    def test_the_law_holds_for_the_corpus_of_the_benchmark(self, count: int, config: IntegrationConfig) -> None:
        anew = made_anew(config)
        for line in corpus.segment_calls(count):
            hold_to_the_law(INBOUND, json.loads(line), anew)


# -- The lane is used --------------------------------------------------------------------------------------------------

ALL_RULES: Final = IntegrationConfig(
    inbound=InboundConfig(
        default_environment="production",
        id_types=["companyID", "stableID", "workspaceID", "deviceID", "segmentAnonymousId"],
        id_mappings=MAPPINGS[:3],
        filters=InboundFilter(exclude=["Heartbeat"]),
    )
)
LEFT: Final[set[tuple[str, str]]] = {
    ("track with one external ID", "paths through arrays"),
    ("track", "paths through arrays"),  # whether all of an array could be read is the reference's to say
    *((name, "long paths") for name in CALLS),  # such a configuration has no plan
    *((name, "a field that only the reference looks at") for name in EVENTS),  # nor has this one
    *((name, "message IDs of the content") for name in EVENTS if name not in {"event", "bare event"}),
    ("bare event", "fields to drop by"),  # it came from Segment, and a row may drop it before that counts
}
"""Calls and configurations that the lane leaves to the reference, though they have no issue."""


def share(lines: list[bytes]) -> float:
    """Give the part of the calls that stay in the lane."""
    return sum(INBOUND.answer(json.loads(line), ALL_RULES) is not None for line in lines) / len(lines)


class TestTheLaneIsUsed:
    """What is common in the field stays in the lane: one that steps aside keeps the law, and is worth nothing."""

    def test_at_least_95_of_100_sound_calls_stay(self) -> None:
        assert share(corpus.sound_calls(3000)) >= 0.95

    def test_at_least_90_of_100_calls_stay_where_one_in_a_hundred_is_broken(self) -> None:
        assert share(corpus.segment_calls(3000)) >= 0.9

    @pytest.mark.parametrize("lane", LANES, ids=lambda lane: lane.name)
    def test_calls_without_an_issue_stay(self, lane: Lane) -> None:
        answers = {
            (name, config): hold_to_the_law(lane, lane.sound[name], made_anew(lane.configs[config]))
            for name, config in itertools.product(lane.sound, lane.configs)
            if lane.reference(lane.sound[name], lane.configs[config]) is not None
        }

        assert {pair for pair, answer in answers.items() if answer is None} == LEFT & answers.keys()
