"""Properties of reading Segment calls (IN-1 to IN-9): one class for each rule, the rule quoted.

Some rules have more classes elsewhere: IN-5 in test_event_times.py, IN-8 in test_envelopes.py, IN-9 in
test_delivery.py; IN-10 is in test_python_values.py.
"""

from __future__ import annotations

import json
from collections import UserDict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import EPOCH, LAST_MS, SECONDS_BELOW, found, read_id, read_time, track
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_array, is_object

from statsig_segment import (
    Group,
    Identify,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    Page,
    Rejected,
    Screen,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    Track,
    apply_id_mappings,
    explain,
    log_events,
    parse_segment_event,
    split_segment_batch,
    translate,
    translate_many,
)
from statsig_segment.testing import CALL_TYPES, json_values, segment_batches, segment_calls, timestamps

MODELS = {"track": Track, "page": Page, "screen": Screen, "group": Group, "identify": Identify}
TIME_FIELDS: tuple[str, ...] = ("timestamp", "originalTimestamp", "receivedAt", "sentAt")


def refusal(payload: Any) -> SegmentEventError:
    with pytest.raises(SegmentEventError) as caught:
        parse_segment_event(payload)
    return caught.value


def view_of(raw: bytes) -> Any:
    return memoryview(raw)


def other_mappings(value: Any) -> Any:
    """The same tree out of mappings that are no dicts, and tuples."""
    if is_object(value):
        return UserDict[str, Any]({key: other_mappings(item) for key, item in value.items()})
    if is_array(value):
        return tuple(other_mappings(item) for item in value)
    return value


class TestIN1ReadsMappingsAndJsonText:
    """
    Input is a mapping, or JSON text as `str`/`bytes`. Anything else, invalid JSON, or JSON that is no object:
    `SegmentEventError`. [policy]

    Corners: the bare tokens NaN, Infinity and -Infinity are read (a real client sends them); of a repeated key the last
    wins; a number of more than 4,300 digits may be refused (`number_too_long`). `invalid_json`: unreadable or too deep
    text, bytes that are no UTF-8.
    """

    @given(segment_calls())
    def test_objects_text_and_bytes_are_read_alike(self, call: JsonObject) -> None:
        text = json.dumps(call)
        raw = json.dumps(call, ensure_ascii=False).encode()

        assert parse_segment_event(call) == parse_segment_event(text) == parse_segment_event(raw)

    @given(segment_calls())
    def test_any_mapping_and_tuples_are_read_like_dicts_and_lists(self, call: JsonObject) -> None:
        assert parse_segment_event(other_mappings(call)) == parse_segment_event(call)
        assert parse_segment_event(MappingProxyType(call)) == parse_segment_event(call)

    @given(
        st.one_of(
            hostile_values().filter(
                lambda value: not isinstance(value, dict | MappingProxyType | UserDict | str | bytes)
            ),
            st.binary().map(bytearray),
            st.binary().map(view_of),
        )
    )
    @example(None)
    @example([{"type": "track", "event": "a"}])
    @example(bytearray(b'{"type":"track","event":"a"}'))
    @example(Track(event="Signed Up"))
    def test_anything_that_is_no_mapping_and_no_text_is_refused(self, payload: Any) -> None:
        assert refusal(payload).code == "not_an_object"

    @given(json_values().filter(lambda value: not is_object(value)))
    def test_json_that_is_no_object_is_refused(self, value: Any) -> None:
        assert refusal(json.dumps(value)).code == "not_an_object"
        assert refusal(json.dumps(value).encode()).code == "not_an_object"

    @given(st.text(), st.integers(0, 40))
    @example("", 0)
    @example(" ", 0)
    @example("{'type': 'track'}", 3)
    def test_text_that_is_no_json_is_refused(self, text: str, cut: int) -> None:
        truncated = '{"type": "track", "event": "a", "x": [1]}'[:cut]

        assert refusal("]" + text).code == "invalid_json"
        assert refusal(truncated + "~").code == "invalid_json"

    @given(segment_calls(types=("track",)), st.sampled_from(("utf-16", "utf-32", "utf-16-le")))
    def test_bytes_in_another_encoding_than_utf_8_are_refused(self, call: JsonObject, encoding: str) -> None:
        assert refusal(json.dumps(call).encode(encoding)).code == "invalid_json"

    @given(st.binary(max_size=8))
    def test_bytes_that_are_no_utf_8_are_refused(self, rest: bytes) -> None:
        assert refusal(b'{"type": "track", "event": "\xff' + rest + b'"}').code == "invalid_json"

    @given(st.lists(st.sampled_from(CALL_TYPES), min_size=1, max_size=4))
    def test_of_a_repeated_key_the_last_wins(self, types: list[str]) -> None:
        members = ",".join(f'"type": "{kind}"' for kind in types)

        assert parse_segment_event(f'{{"event": "a", {members}}}').type == types[-1]

    @pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity"])
    def test_the_bare_tokens_of_a_real_client_are_read(self, token: str) -> None:
        event = parse_segment_event(f'{{"type": "track", "event": "a", "properties": {{"x": {token}}}}}')

        assert repr(event.properties["x"]) == repr(float(token))

    @given(st.integers(4301, 6000), st.sampled_from(("", "-")))
    def test_a_number_of_too_many_digits_is_read_or_refused_by_its_own_code(self, digits: int, sign: str) -> None:
        text = f'{{"type": "track", "event": "a", "x": {sign}{"7" * digits}}}'
        try:
            outcome: Any = parse_segment_event(text)
        except SegmentEventError as error:
            outcome = error

        assert isinstance(outcome, Track) or outcome.code == "number_too_long"


class TestIN2TypeSelectsTheModel:
    """
    `type` selects the model; `track`, `page`, `screen`, `group`, `identify` are supported [doc]. `alias`, `delete` and
    any other or missing type: `SegmentEventError`, code `unsupported_type` / `missing_type`. Type is matched exactly,
    lower case. `alias` and `delete` are calls of Segment's that can never make an event: `parse_segment_event` refuses
    them, but `translate`, `translate_many` and `log_events` skip them with reason `unsupported_type`, so that an
    archive that holds some can still come out without a reject. [policy]

    Corners: `missing_type` (absent or null). Nothing but the type is looked at; such a call is not remembered in
    `seen`. `explain` gives `Skipped`, with the rule IN-2.
    """

    @given(
        st.dictionaries(st.text(max_size=5), json_values(max_leaves=3), max_size=3),
        st.sampled_from(("alias", "delete")),
    )
    def test_a_call_that_never_makes_an_event_is_skipped(self, fields: JsonObject, kind: str) -> None:
        call = {**fields, "type": kind, "messageId": "m1"}
        seen = set[str]()

        outcomes = [
            *translate_many([call, json.dumps(call)], seen=seen),
            *log_events([call], seen=seen),
            translate(call),
        ]

        assert [getattr(outcome, "reason", None) for outcome in outcomes] == ["unsupported_type"] * 4
        assert refusal(call).code == "unsupported_type"
        assert (explain(call).result, explain(call).rule) == (Skipped(reason="unsupported_type", payload=call), "IN-2")
        assert not seen

    @given(segment_calls())
    def test_each_type_has_its_model(self, call: JsonObject) -> None:
        event = parse_segment_event(call)

        assert type(event) is MODELS[call["type"]]
        assert event.type == call["type"]

    @given(segment_calls(), st.booleans())
    def test_no_type_and_null_are_missing(self, call: JsonObject, null: bool) -> None:
        del call["type"]

        error = refusal({**call, "type": None} if null else call)

        assert (error.code, error.path) == ("missing_type", "$.type")

    @given(
        segment_calls(),
        st.one_of(
            json_values().filter(lambda value: value is not None and value not in CALL_TYPES),
            st.sampled_from(("alias", "delete", "Track", "PAGE", " track", "track\n", "", ["track"], {"track": 1})),
        ),
    )
    def test_any_other_type_is_unsupported(self, call: JsonObject, kind: Any) -> None:
        error = refusal({**call, "type": kind})

        assert (error.code, error.path) == ("unsupported_type", "$.type")


class TestIN3ATrackHasAName:
    """`track` needs a non-empty string `event`: else `missing_event`. [doc]"""

    @given(st.text(min_size=1))
    @example(" ")
    @example("\x00")
    def test_any_string_but_the_empty_one_is_a_name(self, name: str) -> None:
        event = parse_segment_event(track(event=name))

        assert isinstance(event, Track)
        assert event.event == name

    @given(json_values().filter(lambda value: not isinstance(value, str)) | st.just(""))
    def test_anything_else_is_none(self, name: Any) -> None:
        error = refusal(track(event=name))

        assert (error.code, error.path) == ("missing_event", "$.event")

    def test_absence_is_none(self) -> None:
        assert refusal({"type": "track", "userId": "u1"}).code == "missing_event"

    @given(segment_calls(types=("page", "screen", "group", "identify")), json_values())
    def test_other_types_need_none(self, call: JsonObject, name: Any) -> None:
        assert parse_segment_event({**call, "event": name}).type == call["type"]


class _Number(IntEnum):
    SEVEN = 7


class _Word(StrEnum):
    LEFT = "left"


class TestIN4ValuesOfIds:
    """
    `userId`, `anonymousId`, `groupId`, and every ID value anywhere: a non-empty string as it is; an integer, or a float
    with an integral value, as its decimal digits (never in exponent form, never losing digits); everything else (null,
    "", bool, object, non-integral or non-finite number) counts as absent, with an issue unless it is null or absent.
    [policy: Segment treats "" as missing; clients send null and numbers]

    Corners: top-level `userId`, `anonymousId`, `groupId` are read on every type; `""` gives an issue too; negative
    integers keep their sign, -0.0 is `0`.
    """

    FIELDS = st.sampled_from((("userId", "user_id"), ("anonymousId", "anonymous_id"), ("groupId", "group_id")))

    @given(
        st.sampled_from(CALL_TYPES),
        FIELDS,
        st.one_of(json_values(max_leaves=2), st.integers(), st.floats(), st.integers().map(float), st.text(max_size=3)),
    )
    @example("track", ("userId", "user_id"), "")
    @example("page", ("userId", "user_id"), -0.0)
    @example("screen", ("anonymousId", "anonymous_id"), 1e300)
    @example("group", ("groupId", "group_id"), 10**400)
    @example("identify", ("userId", "user_id"), True)
    @example("track", ("groupId", "group_id"), -7.0)
    def test_a_value_is_read_as_the_rule_says(self, kind: str, field: tuple[str, str], value: Any) -> None:
        name, attribute = field

        event = parse_segment_event({"type": kind, "event": "a", name: value})

        assert getattr(event, attribute) == read_id(value)
        expected = {("id_invalid", f"$.{name}")} if read_id(value) is None and value is not None else set[Any]()
        assert found(event) - {("id_placeholder", f"$.{name}")} == expected

    @given(st.sampled_from(CALL_TYPES))
    def test_absence_is_silent(self, kind: str) -> None:
        event = parse_segment_event({"type": kind, "event": "a"})

        assert (event.user_id, event.anonymous_id, event.group_id) == (None, None, None)
        assert event.issues == ()

    @given(st.integers(-(10**300), 10**300))
    def test_text_loses_no_digit_of_an_integer(self, number: int) -> None:
        assert parse_segment_event(f'{{"type": "page", "userId": {number}}}').user_id == format(Decimal(number), "f")

    @given(st.one_of(st.just(_Number.SEVEN), st.just(_Word.LEFT)))
    def test_subclasses_are_read_as_what_they_are(self, value: Any) -> None:
        text = parse_segment_event(track(userId=value)).user_id

        assert type(text) is str
        assert text == {_Number.SEVEN: "7", _Word.LEFT: "left"}[value]

    @given(st.sampled_from((b"u1", {"u1"}, 1j, object())))
    def test_what_json_does_not_have_is_no_id(self, value: Any) -> None:
        assert parse_segment_event(track(userId=value)).user_id is None


NO_TIMES: tuple[Any, ...] = (
    "",
    "yesterday",
    True,
    [],
    {},
    -1,
    float("nan"),
    float("inf"),
    "2024-13-01",
    1e300,
    "1e300",
    "1e",
)
UNREADABLE = st.sampled_from(NO_TIMES)


class TestIN5FirstReadableTime:
    """
    Time: first of `timestamp`, `originalTimestamp`, `receivedAt`, `sentAt` that reads as a time; a present but
    unreadable one gives an issue and never fails the event. [doc for `timestamp`, policy for the rest]

    Corner: a time field before the first readable one that is present, not null and unreadable: `time_unreadable` at
    its path; those after it are not looked at.
    """

    @given(
        st.lists(st.one_of(st.just(...), st.none(), UNREADABLE, st.integers(0, 10**9)), min_size=4, max_size=4),
        st.permutations(TIME_FIELDS),
    )
    def test_the_first_readable_field_tells_the_time(self, values: list[Any], order: list[str]) -> None:
        fields = dict(zip(TIME_FIELDS, values, strict=True))
        call = track(**{name: fields[name] for name in order if fields[name] is not ...})
        time_ms = None
        expected: set[tuple[str, str]] = set()
        for name in TIME_FIELDS:
            value = fields[name]
            if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
                time_ms = value * 1000
                break
            if value is not ... and value is not None:
                expected.add(("time_unreadable", f"$.{name}"))

        event = parse_segment_event(call)

        assert event.time_ms == time_ms
        assert {(code, path) for code, path in found(event) if code != "time_implausible"} == expected

    @given(segment_calls(), UNREADABLE)
    def test_an_unreadable_time_never_fails_the_event(self, call: JsonObject, value: Any) -> None:
        call = {**call, **dict.fromkeys(TIME_FIELDS, value)}

        assert parse_segment_event(call).time_ms is None


@st.composite
def iso_parts(draw: st.DrawFn) -> list[str]:
    """The pieces of a text that IN-6 may or may not read: most of them well-formed, some just beside it."""
    two_digits = st.integers(0, 61).map(lambda number: f"{number:02}")
    pieces = [
        draw(st.integers(1968, 2040).map(str) | st.sampled_from(("9999", "0001", "0000", "10000", "970", "１９７０"))),
        draw(st.sampled_from("---- /")),
        draw(st.integers(0, 13).map(str) | st.integers(1, 12).map(lambda number: f"{number:02}")),
        "-",
        draw(st.integers(0, 32).map(str) | st.integers(1, 28).map(lambda number: f"{number:02}")),
    ]
    if draw(st.integers(0, 9)):
        pieces += [draw(st.sampled_from("TTT   t_")), draw(two_digits | st.sampled_from(("24", "9", "23"))), ":"]
        pieces += [draw(two_digits)]
        if draw(st.booleans()):
            pieces += [":", draw(two_digits)]
            if draw(st.booleans()):
                pieces += [draw(st.sampled_from("....,:")), draw(st.text("0123456789", min_size=1, max_size=11))]
        pieces += [draw(st.sampled_from(("", "", "", " ", " ", "  ")))]
        pieces += [draw(st.sampled_from(("", "Z", "z", "UTC", "utc", "sign", "sign")))]
        if pieces[-1] == "sign":
            pieces[-1] = draw(st.sampled_from("++--−"))
            pieces += [draw(st.sampled_from(("00", "02", "14", "23", "24", "5")))]
            pieces += [draw(st.sampled_from(("", "30", ":30", ":00", "59", ":59", "60", ":60", ":5", "::00")))]
    return pieces


class TestIN6FormsOfTime:
    """
    Time formats, the same in both directions (OU-1, OU-9, OU-10). ISO 8601 with `T` or space, 0 to 9 fraction digits
    (cut to milliseconds, not rounded), `Z`, `±hh`, `±hhmm`, `±hh:mm`, or none (= UTC); one space may stand before the
    offset, and `UTC` may stand for `Z` (so BigQuery and Snowflake print); one-digit month and day. JSON numbers, and
    text of ASCII digits with an optional fraction and exponent: below 31,557,600,000 seconds, below 100,000,000,000,000
    milliseconds, below 100,000,000,000,000,000 microseconds, else nanoseconds; floored to the millisecond, by the
    shortest decimal form of a number. Years 1970 to 9999; outside: unreadable. Result: integer epoch milliseconds. No
    time at all: `None`, and `time` is left out on the wire. [policy, after Segment's own lenient parser]

    Corners: date alone is allowed, and takes no zone; hours and minutes are needed once there is a time, seconds are
    not; ASCII digits only, no other space, ten or more fraction digits are unreadable; 24:00, leap seconds and offsets
    beyond 23:59 are unreadable. Number text with a sign, a leading or trailing point, white space, or an exponent of
    more than three digits is unreadable; its exponent may have a sign. The limits choose by the number itself, before
    anything is cut. `UTC` in upper case only, after one space or none. The limits of years hold for the instant in UTC.
    """

    @staticmethod
    def read(value: Any) -> int | None:
        event = parse_segment_event(track(timestamp=value))
        assert bool(event.issues) == (event.time_ms is None)
        return event.time_ms

    @given(st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 28)), st.text("0123456789", max_size=9), st.data())
    def test_iso_text_agrees_with_datetime(self, local: datetime, fraction: str, data: st.DataObject) -> None:
        minutes = data.draw(st.integers(-23 * 60 - 59, 23 * 60 + 59))
        sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
        zones = {f"{sign}{hours:02}:{rest:02}": minutes, f"{sign}{hours:02}{rest:02}": minutes, "Z": 0, "": 0, "UTC": 0}
        if not rest:
            zones[f"{sign}{hours:02}"] = minutes
        zone = data.draw(st.sampled_from(sorted(zones)))
        space = data.draw(st.sampled_from((" ", ""))) if zone else ""
        day = data.draw(st.sampled_from((f"{local:%Y-%m-%d}", f"{local.year}-{local.month}-{local.day}")))
        clock = f"{local:%H:%M:%S}" + (f".{fraction}" if fraction else "")
        instant = local.replace(tzinfo=UTC, microsecond=0) - timedelta(minutes=zones[zone])
        expected = (instant - EPOCH) // timedelta(milliseconds=1) + int((fraction + "000")[:3])

        assert self.read(f"{day}{data.draw(st.sampled_from('T '))}{clock}{space}{zone}") == expected

    @given(iso_parts())
    @example(["1969-12-31T23:30:00-01:00"])
    @example(["1970-01-01T00:30:00+01:00"])
    @example(["9999-12-31T23:59:59.999999999Z"])
    @example(["9999-12-31T23:30:00-01:00"])
    @example(["2024-02-29"])
    @example(["2023-02-29"])
    @example(["2024-3-1 9:00"])
    @example(["2024-03-01T09"])
    @example(["2024-03-01T09:00:60Z"])
    @example(["2024-03-01T24:00:00Z"])
    @example(["2024-03-01T24:00:00.000Z"])
    @example(["2024-03-01T09:00:00.0000000000Z"])
    @example(["2024-03-01T09:00:00.123456789Z"])
    @example(["2024-03-01T09:00.5"])
    @example(["2024-03-01Z"])
    @example(["2024-03-01+02:00"])
    @example(["2024-03-01 UTC"])
    @example(["2024-03-01 00:00:00.000 +0000"])
    @example(["2024-03-01 00:00:00 UTC"])
    @example(["2024-03-01T00:00Z UTC"])
    @example(["2024-03-01T09:00:00.000z"])
    @example(["2024-03-01t09:00:00.000Z"])
    @example(["2024-W09-5T00:00:00.0000Z"])
    @example(["2024-03-01T09:00:00,000Z"])
    @example(["2024-03-01T0900:00.00000Z"])
    @example(["٢٠٢٤-03-01"])
    @example([" 2024-03-01"])
    @example(["2024-03-01\n"])
    @example(["2024-03-01T09:00:00.123Z\n"])
    @example(["-2024-03-01"])
    @example(["+002024-03-01T09:00:00Z"])
    def test_text_is_read_by_the_grammar_of_the_rule_and_by_no_other(self, pieces: list[str]) -> None:
        text = "".join(pieces)

        assert self.read(text) == read_time(text)

    @given(timestamps().filter(lambda value: isinstance(value, str)), st.data())
    def test_one_character_too_many_makes_another_time_or_none(self, text: str, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(text)))
        character = data.draw(st.sampled_from(" \tTZ+-:.,0é٣\x00\n"))
        changed = text[:at] + character + text[at:]

        assert self.read(changed) == read_time(changed)

    BOUNDS = (SECONDS_BELOW, 10**14, 10**17, LAST_MS * 10**6)
    NUMBERS = st.one_of(
        st.integers(-(10**6), 10**15),
        st.integers(0, 10**21),
        st.builds(int.__add__, st.sampled_from(BOUNDS), st.integers(-5, 5)),
    )

    @given(NUMBERS | st.integers())
    @example(SECONDS_BELOW - 1)
    @example(SECONDS_BELOW)
    @example(10**14 - 1)
    @example(10**14)
    @example(10**17 - 1)
    @example(10**17)
    @example(LAST_MS * 10**6 + 999_999)
    @example((LAST_MS + 1) * 10**6)
    @example(0)
    @example(-1)
    @example(10**5000)
    def test_the_size_of_an_integer_tells_its_unit(self, number: int) -> None:
        assert self.read(number) == read_time(number)

    @given(NUMBERS.filter(lambda number: number >= 0), st.integers(0, 20))
    def test_text_of_digits_is_read_as_the_number_it_spells(self, number: int, zeros: int) -> None:
        assert self.read("0" * zeros + str(number)) == read_time(number)

    @given(
        st.text("0123456789", min_size=1, max_size=24),
        st.text("0123456789", max_size=24).map(lambda digits: f".{digits}" if digits else ""),
        st.sampled_from(("", "e", "E", "e+", "E-")),
        st.integers(0, 40) | st.integers(0, 999),
    )
    @example("1", ".7750016", "E", 9)
    @example("1", ".793862489", "E", 9)
    @example("1793862489", ".01", "", 0)
    @example("99999999999999", ".9", "", 0)
    @example("31557599999", ".9999", "", 0)
    @example("0", ".0", "e", 999)
    @example("0", ".00000000000000000000179386248", "e", 30)
    @example("1", "", "E-", 999)
    @example("253402300799999999999", ".9", "", 0)
    @example("253402300800000000000", "", "", 0)
    def test_text_may_have_a_fraction_and_an_exponent(self, whole: str, fraction: str, e: str, exponent: int) -> None:
        text = f"{whole}{fraction}{e}{exponent if e else ''}"

        assert self.read(text) == read_time(text)

    @given(
        st.integers(0, 10**10),
        st.sampled_from(
            (
                *("-{}", "+{}", "{}.", ".{}", "{}.5.5", "{}e", "{}e1000", "{}e0001", "{}e1.5", "{}e--1", "{} e1"),
                *(" {}", "{} ", "{}_0", "0x{}", "{}n", "{},5", "{}\n", "{} UTC", "{}Z"),
            )
        ),
    )
    def test_text_that_is_not_quite_a_number_is_unreadable(self, number: int, form: str) -> None:
        assert self.read(form.format(number)) is None

    @given(
        st.one_of(
            st.floats(),
            st.floats(0, 1e11),
            st.floats(0, 1e21),
            st.integers(0, SECONDS_BELOW * 1000).map(lambda number: number / 1000),
            st.integers(SECONDS_BELOW, LAST_MS).map(lambda number: number + 0.5),
        )
    )
    @example(1709292896.789)
    @example(1.005)
    @example(-0.0)
    @example(-1e-9)
    @example(1e-5)
    @example(5e-324)
    @example(0.0009)
    @example(31557599999.999)
    @example(99999999999999.98)
    @example(1e17)
    @example(float(LAST_MS))
    @example(LAST_MS + 1.0)
    def test_a_fractional_number_is_floored_by_its_shortest_decimal_form(self, number: float) -> None:
        assert self.read(number) == read_time(number)

    @given(st.floats(0, 1e11) | st.integers(0, 10**14))
    def test_json_numbers_are_read_like_python_numbers(self, number: float) -> None:
        text = f'{{"type": "page", "timestamp": {number!r}}}'

        assert parse_segment_event(text).time_ms == self.read(number)


class TestIN7ObjectsAndUnknownFields:
    """
    `properties`, `traits`, `context`, `integrations`: absent or null = empty; any other non-object = empty, with an
    issue. An empty array counts as an empty object, without an issue: PHP writes it so [seen]. Unknown top-level fields
    are kept and can be mapped (ID-4).
    """

    @given(
        st.sampled_from(
            (
                *(("properties", "track"), ("properties", "group"), ("context", "page"), ("integrations", "screen")),
                *(("traits", "group"), ("traits", "identify")),
            )
        ),
        st.one_of(st.just(...), json_values(max_leaves=3)),
    )
    @example(("properties", "track"), [])
    @example(("context", "page"), [])
    @example(("integrations", "screen"), [[]])
    @example(("traits", "group"), [])
    def test_only_an_object_or_an_empty_array_is_one(self, place: tuple[str, str], value: Any) -> None:
        field, kind = place
        call: JsonObject = {"type": kind, "event": "a"}
        if value is not ...:
            call[field] = value

        event = parse_segment_event(call)

        held = getattr(event, field)
        if is_object(value):
            assert held == getattr(parse_segment_event(json.dumps(call)), field)
            assert list(held) == list(value.keys())
        else:
            assert held == {}
        wrong = value is not ... and value is not None and value != [] and not is_object(value)
        assert (("object_expected", f"$.{field}") in found(event)) == wrong

    @given(
        segment_calls(),
        st.text(st.characters(codec="utf-8", exclude_characters=".[]"), min_size=1, max_size=8),
        st.text(min_size=1, max_size=8),
    )
    def test_an_unknown_field_is_kept_and_can_be_mapped(self, call: JsonObject, name: str, value: str) -> None:
        field = f"x-{name}"

        event = apply_id_mappings(
            parse_segment_event({**call, field: value}), [IdMapping(field=field, id_type="ownIdType")]
        )

        assert event.custom_ids["ownIdType"] == value


def merged(below: Any, above: Any) -> Any:
    """The oracle of a deep merge: what is above wins, objects are merged, everything else is replaced."""
    if is_object(below) and is_object(above):
        return {
            key: merged(below[key], above[key]) if key in below and key in above else above.get(key, below.get(key))
            for key in {**below, **above}
        }
    return above


def without_nothing(item: JsonObject) -> JsonObject:
    """An item without the top-level keys that say nothing: null, and empty objects and arrays in place of none."""
    fields = ("context", "integrations", "sentAt", "receivedAt")
    return {key: value for key, value in item.items() if key not in fields or value not in (None, {}, [])}


CONTEXTS = st.one_of(
    st.dictionaries(
        st.sampled_from("abc"),
        st.recursive(
            st.none() | st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2),
            lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
            max_leaves=5,
        ),
        max_size=3,
    ),
    st.sampled_from((None, 1, "x", [])),
)
OPTIONAL: JsonObject = {
    "context": CONTEXTS,
    "integrations": CONTEXTS,
    "sentAt": st.sampled_from((None, "2024-03-01", 0, "")),
    "receivedAt": st.sampled_from((None, "2024-03-02", False)),
}
ITEMS = st.fixed_dictionaries({"type": st.just("track")}, optional={**OPTIONAL, "timestamp": st.just("x")})
ENVELOPES = st.fixed_dictionaries(
    {"batch": st.lists(ITEMS | st.sampled_from((None, 1, "x")), max_size=3)},
    optional={**OPTIONAL, "writeKey": st.just("k"), "timestamp": st.just("y"), "userId": st.just("u")},
)


class TestIN8Batches:
    """
    `split_segment_batch(body)`: one event, a JSON array, or the envelope `{"batch": […], "context", "integrations",
    "sentAt"}`. Envelope `context` is merged under each item's (item wins, deep), `integrations` likewise (shallow),
    `sentAt` and `receivedAt` fill in if the item has none. Items are passed on unparsed, so one bad item never harms
    its neighbours. [doc for the shape, policy for precedence]

    Corners: an object with `batch` **and** `type` is one event. Envelope `context`/`integrations` that are no objects
    are ignored; an item's own null `context`, `integrations`, `sentAt`, `receivedAt` count as absent, an item's own
    `context` or `integrations` of `[]` as `{}`; an item's own of another wrong kind stays for the parser. Inside
    `context` an item's null wins, arrays and scalars are replaced, not merged. Items share nothing with each other.
    Other envelope keys, such as `writeKey`, are not passed on.
    """

    @staticmethod
    def expected(envelope: JsonObject, item: Any) -> Any:
        if not is_object(item):
            return item
        whole = dict(item)
        for field in ("context", "integrations"):
            below, above = envelope.get(field), item.get(field)
            if not is_object(below):
                continue
            if above is None or above == []:
                whole[field] = below
            elif is_object(above):
                whole[field] = merged(below, above) if field == "context" else {**below, **above}
        for field in ("sentAt", "receivedAt"):
            if item.get(field) is None:
                whole[field] = envelope.get(field)
        return without_nothing(whole)

    @given(ENVELOPES)
    @example({"batch": [{"context": {"a": {"b": 1}}}, {}], "context": {"a": {"c": 2}, "b": 3}})
    @example({"batch": [{"context": {"a": None}}], "context": {"a": {"c": 2}}})
    @example({"batch": [{"integrations": {"a": {"b": 1}}}], "integrations": {"a": {"c": 2}}})
    @example({"batch": [{"context": [], "integrations": []}], "context": {"a": 1}, "integrations": {"b": 2}})
    def test_an_envelope_is_merged_under_its_items(self, envelope: JsonObject) -> None:
        items = list(split_segment_batch(envelope))

        assert len(items) == len(envelope["batch"])
        for item, own in zip(items, envelope["batch"], strict=True):
            if is_object(own):
                assert without_nothing(json.loads(json.dumps(item))) == self.expected(envelope, own)
            else:
                assert item == own

    @given(st.lists(json_values(max_leaves=4), max_size=4))
    def test_an_array_yields_its_items_as_they_are(self, items: list[Any]) -> None:
        assert list(split_segment_batch(items)) == items
        assert list(split_segment_batch(tuple(items))) == items

    @given(segment_calls(), json_values(), st.booleans())
    def test_an_object_with_a_type_is_one_event(self, call: JsonObject, batch: Any, both: bool) -> None:
        body = {**call, "batch": batch} if both else call

        assert list(split_segment_batch(body)) == [body]

    @given(segment_batches(malformed=True))
    def test_objects_text_and_bytes_are_split_alike(self, body: Any) -> None:
        def split(form: Any) -> Any:
            try:
                return [repr(json.loads(json.dumps(item))) for item in split_segment_batch(form)]
            except SegmentEventError as error:
                return error

        text = json.dumps(body)
        if isinstance(body, dict | list):
            assert split(body) == split(text)
        assert split(text) == split(text.encode())

    @given(json_values().filter(lambda value: value is not None and not is_array(value)))
    def test_a_batch_that_is_no_array_is_refused(self, batch: Any) -> None:
        with pytest.raises(SegmentEventError) as caught:
            list(split_segment_batch({"batch": batch}))

        assert caught.value.code == "batch_not_array"

    @given(
        st.lists(segment_calls(), max_size=3),
        json_values().filter(lambda value: not is_object(value)),
        st.data(),
    )
    def test_one_bad_item_never_harms_its_neighbours(
        self, calls: list[JsonObject], bad: Any, data: st.DataObject
    ) -> None:
        at = data.draw(st.integers(0, len(calls)))

        items = list(split_segment_batch({"batch": [*calls[:at], bad, *calls[at:]]}))

        assert items[at] == bad
        assert [parse_segment_event(item) for item in items[:at] + items[at + 1 :]] == [
            parse_segment_event(call) for call in calls
        ]

    @given(st.lists(ITEMS, min_size=2, max_size=3), st.dictionaries(st.sampled_from("ab"), st.just({"c": {"d": [1]}})))
    def test_items_share_nothing(self, items: list[JsonObject], shared: JsonObject) -> None:
        envelope = {"batch": items, "context": shared, "integrations": shared}
        first, *rest = split_segment_batch(envelope)
        before = json.dumps([rest, envelope])

        pending: list[Any] = [first]
        while pending:
            inner = pending.pop()
            if is_object(inner):
                pending += inner.values()
                inner.clear()
            elif is_array(inner):
                pending += inner
                inner.clear()

        assert json.dumps([rest, envelope]) == before


class _Cache:
    """The least that `seen` may be: `in` and `add`."""

    def __init__(self) -> None:
        self.held: list[str] = []

    def __contains__(self, item: object) -> bool:
        return item in self.held

    def add(self, item: str) -> None:
        self.held.append(item)


NO_IDS: tuple[Any, ...] = ("", None, 7, True, {})


class TestIN9Duplicates:
    """
    `messageId` is kept on the model as IN-4 reads it: a number counts as its digits. Statsig does not deduplicate
    custom events, so `translate_many(…, seen=…)` takes any object with `in` and `add` (a `set`, a cache of the
    caller's) and skips a repeated `messageId` with reason `duplicate_message`. Without `seen` nothing is remembered.
    [doc for at-least-once delivery]

    Corners: the id is remembered once the call has parsed, also where it is then skipped or rejected; an integral float
    counts too; a `messageId` that is no ID is none, and gives no issue.
    """

    CALLS = st.fixed_dictionaries(
        {"type": st.sampled_from(("track", "track", "identify", "alias")), "event": st.just("a")},
        optional={
            "messageId": st.sampled_from(("m1", "m2", "m3", "", None, 7, 7.0, "7", ["m1"])),
            "userId": st.just("u1"),
            "integrations": st.just({"Statsig": False}),
        },
    )

    @given(st.lists(CALLS, max_size=8), st.sets(st.sampled_from(("m1", "m2"))), st.booleans())
    def test_a_repeated_message_is_skipped_once_its_first_has_parsed(
        self, calls: list[JsonObject], before: set[str], own: bool
    ) -> None:
        remembered = set(before)
        expected: list[bool] = []
        for call in calls:
            message = call.get("messageId")
            if call["type"] == "alias" or not isinstance(message, str | int | float) or not message:
                expected.append(False)
            else:
                text = message if isinstance(message, str) else "7"
                expected.append(text in remembered)
                remembered.add(text)
        seen: Any = set(before)
        if own:
            seen = _Cache()
            seen.held += before

        outcomes = list(translate_many(calls, IntegrationConfig(), seen=seen))

        repeated = [isinstance(out, Skipped) and out.reason == "duplicate_message" for out in outcomes]
        assert repeated == expected
        assert set(seen.held if own else seen) == remembered

    @given(segment_calls(types=("track",)))
    def test_without_seen_nothing_is_remembered(self, call: JsonObject) -> None:
        twice = list(translate_many([call, call], IntegrationConfig(inbound=InboundConfig())))

        assert type(twice[0]) is type(twice[1])
        assert not any(isinstance(outcome, Skipped) and outcome.reason == "duplicate_message" for outcome in twice)

    @given(st.text(min_size=1) | st.integers() | st.sampled_from(NO_IDS))
    def test_it_is_read_as_any_id_is(self, message: Any) -> None:
        call = parse_segment_event(track(messageId=message))

        assert call.message_id == parse_segment_event(track(groupId=message)).group_id
        assert not call.issues

    def test_a_rejected_call_is_remembered_and_an_unreadable_one_is_not(self) -> None:
        nobody = track(messageId="m1")
        unreadable = {"type": "video", "messageId": "m2"}

        outcomes = list(
            translate_many([nobody, nobody, unreadable, track(messageId="m2", userId="u1")], seen=set[str]())
        )

        assert [type(outcome) for outcome in outcomes] == [Rejected, Skipped, Rejected, StatsigEvent]
