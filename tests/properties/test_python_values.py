"""Properties of Python values that JSON does not have (IN-10)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from numbers import Integral, Real
from typing import Any, TypeGuard
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import found
from tests.support.calls import user_track as track
from tests.support.values import JsonObject, is_object

from statsig_segment import (
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    StatsigSegmentError,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    translate,
)
from statsig_segment.testing import integration_configs, python_values, segment_calls


def is_array(value: Any) -> TypeGuard[list[Any] | tuple[Any, ...]]:
    return isinstance(value, list | tuple)


class Plan(Enum):
    GOLD = "gold"
    SEATS = 7
    SINCE = date(2026, 11, 3)


class Kind(Enum):
    PAGE = "page"


class Opaque:
    """A value that no rule reads."""


OPAQUE = st.sampled_from((b"bytes", bytearray(b"bytes"), Opaque(), Opaque, 1j, range(3), len, ...))


def as_json(value: Any) -> Any:
    """The oracle of IN-10: the JSON value that a Python value is read as."""
    if is_object(value):
        return {key: as_json(item) for key, item in value.items() if isinstance(key, str)}
    if is_array(value):
        return [as_json(item) for item in value]
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return of_python(value)


def in_order(items: set[Any] | frozenset[Any]) -> list[Any]:
    """The items of a set, by their compact JSON text."""
    texts = sorted(json.dumps(as_json(item), ensure_ascii=False, separators=(",", ":")) for item in items)
    return [json.loads(text) for text in texts]


def number_of(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


# The first row that fits decides.
READERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: as_json(value.value)),
    (date, lambda value: value.isoformat()),
    (UUID, str),
    (set, in_order),
    (frozenset, in_order),
    (Decimal, number_of),
    (Integral, int),
    (Real, float),
)


def of_python(value: Any) -> Any:
    return next(read(value) for kind, read in READERS if isinstance(value, kind))


def wire_of(call: JsonObject, config: IntegrationConfig | None = None) -> Any:
    event = translate(call, config or IntegrationConfig())
    assert isinstance(event, StatsigEvent)
    return to_log_event(event)


class TestIN10ReadAsSegmentsClientWritesThem:
    """
    Python values that JSON does not have are read much as Segment's own Python client writes them [seen; `UUID` and
    sets are policy]: `datetime` and `date` as their ISO text (as a time field: the instant, naive = UTC, a date = its
    midnight), `Decimal` as a number (as an ID: its digits if integral), `UUID` as its text, an `Enum` as its value, a
    `set` or `frozenset` as an array ordered by the JSON text of its items, any other `numbers.Integral` or
    `numbers.Real` (numpy's) as `int` or `float`. Keys that are not strings are left out.

    Corner: a set is ordered by the compact JSON text of its items, by code points.
    """

    @given(python_values())
    @example({10, 9, "a", "é"})
    @example(frozenset({True, None, 1.5, ("a", 2)}))
    @example([Plan.SINCE, Plan.SEATS, Decimal("12.50"), Decimal("-0.00"), Fraction(7, 2), Fraction(4)])
    @example({"nested": {UUID(int=7): 1, 8: 2, "kept": UUID(int=8)}})
    def test_a_property_is_sent_as_its_json_is(self, value: Any) -> None:
        assert wire_of(track(properties={"x": value})) == wire_of(track(properties={"x": as_json(value)}))
        assert wire_of(track(properties={"x": {"y": [value]}})) == wire_of(
            track(properties={"x": {"y": [as_json(value)]}})
        )

    @given(segment_calls(python_values=True), integration_configs())
    def test_a_call_is_translated_as_its_json_is(self, call: JsonObject, config: IntegrationConfig) -> None:
        def outcome(payload: Any) -> Any:
            try:
                result = translate(payload, config)
            except StatsigSegmentError as error:
                return error
            if isinstance(result, StatsigEvent):
                return to_log_event(result), found(result)
            return result.reason if isinstance(result, Skipped) else result

        assert outcome(call) == outcome(as_json(call)) == outcome(json.dumps(as_json(call)))

    @given(
        st.datetimes(datetime(1970, 1, 3), datetime(9998, 1, 1)),
        st.none() | st.integers(-1439, 1439),
        st.sampled_from(("timestamp", "originalTimestamp", "receivedAt", "sentAt")),
    )
    @example(datetime(2026, 11, 3, 9, 10, 11, 120_999), None, "timestamp")
    def test_a_datetime_is_its_instant(self, local: datetime, minutes: int | None, field: str) -> None:
        zone = UTC if minutes is None else timezone(timedelta(minutes=minutes))
        value = local if minutes is None else local.replace(tzinfo=zone)
        since = local.replace(tzinfo=zone) - datetime(1970, 1, 1, tzinfo=UTC)

        event = parse_segment_event(track(**{field: value}))

        assert event.time_ms == since // timedelta(milliseconds=1)
        assert event.issues == ()

    @given(st.dates(date(1970, 1, 1)))
    def test_a_date_is_its_midnight(self, day: date) -> None:
        event = parse_segment_event(track(timestamp=day))

        assert event.time_ms == (day - date(1970, 1, 1)) // timedelta(milliseconds=1)

    @given(st.datetimes(max_value=datetime(1969, 12, 30)) | st.dates(max_value=date(1969, 12, 31)))
    def test_a_time_before_1970_is_unreadable(self, value: Any) -> None:
        assert found(parse_segment_event(track(timestamp=value))) == {("time_unreadable", "$.timestamp")}

    @given(st.integers(1) | st.integers(max_value=-2), st.integers(0, 3))
    def test_an_integral_decimal_is_an_id_of_all_its_digits(self, number: int, places: int) -> None:
        value = Decimal(f"{number}.{'0' * places}") if places else Decimal(number)

        assert parse_segment_event(track(userId=value)).user_id == str(number)

    @given(st.sampled_from((Decimal("1.5"), Decimal("NaN"), Decimal("Infinity"), Fraction(1, 2), set[Any](), {"a"})))
    def test_what_is_no_id_as_json_is_none(self, value: Any) -> None:
        event = parse_segment_event(track(userId=value))

        assert event.user_id is None
        assert found(event) == {("id_invalid", "$.userId")}

    @given(st.uuids() | st.sampled_from((Plan.GOLD, Plan.SEATS, Fraction(4), Decimal(12))))
    def test_ids_of_every_kind_are_read_everywhere(self, value: Any) -> None:
        text = str(as_json(value)) if not isinstance(value, Fraction) else "4"
        call = track(userId=value, shopId=value, properties={"statsigCustomIDs": ["companyID", value]})

        event = apply_id_mappings(parse_segment_event(call), [IdMapping(field="shopId", id_type="shopID")])

        assert (event.user_id, event.custom_ids) == (text, {"companyID": text, "shopID": text})
        assert event.issues == ()

    @given(st.sampled_from((Decimal("39.95"), Fraction(1, 2), Decimal(7), Plan.GOLD, UUID(int=7), date(2026, 11, 3))))
    def test_the_value_of_an_event_is_json(self, value: Any) -> None:
        sent = wire_of(track(properties={"value": value, "statsigCustom": ["plan", value]}))

        assert json.loads(json.dumps(sent)) == sent
        assert sent["value"] == sent["user"]["custom"]["plan"] == as_json(value)

    def test_names_and_message_ids_are_read_alike(self) -> None:
        page = parse_segment_event({"type": Kind.PAGE, "name": Decimal(404), "messageId": UUID(int=7)})

        assert page.message_id == str(UUID(int=7))
        assert (
            wire_of({"type": "page", "userId": "u1", "name": Decimal(404)})["eventName"] == "segment::Viewed 404 Page"
        )
        assert wire_of(track(event=Plan.GOLD))["eventName"] == "segment::gold"

    def test_a_decimal_that_is_not_finite_is_a_number_that_is_not_finite(self) -> None:
        event = translate(track(properties={"x": Decimal("NaN"), "y": Decimal("-Infinity")}))

        assert isinstance(event, StatsigEvent)
        assert event.metadata == {}
        assert found(event) == {("non_finite_number", "$.properties.x"), ("non_finite_number", "$.properties.y")}

    @given(st.dictionaries(st.integers() | st.none() | st.binary(max_size=2), st.integers(), max_size=3))
    def test_keys_that_are_not_strings_are_left_out(self, odd: dict[Any, Any]) -> None:
        event = translate(track(properties={**odd, "x": {**odd, "y": 1}}))

        assert isinstance(event, StatsigEvent)
        assert event.metadata == {"x": '{"y":1}'}


class TestIN10NothingElseIsRead:
    """
    Anything else (bytes, an object) counts as absent, and where it would have been sent or mapped there is an issue
    `not_json` at its path (the top-level property's, for what is nested).

    Corners: `not_json` stands in place of `id_invalid`, `time_unreadable`, `object_expected`, `name_invalid`,
    `user_field_invalid`. In an object the key is left out, in an array the element is null; in a pair array there is
    both the pair's own issue and `not_json` at the array. A `type` that is not a JSON value is `missing_type`.
    """

    @given(OPAQUE)
    def test_a_property_is_left_out_with_an_issue(self, value: Any) -> None:
        event = translate(track(properties={"x": value, "y": 1}))

        assert isinstance(event, StatsigEvent)
        assert event.metadata == {"y": "1"}
        assert found(event) == {("not_json", "$.properties.x")}

    @given(OPAQUE)
    def test_nested_it_is_left_out_of_objects_and_null_in_arrays(self, value: Any) -> None:
        event = translate(track(properties={"x": {"a": value, "b": [1, value, {"c": value}]}, "y": {"z": value}}))

        assert isinstance(event, StatsigEvent)
        assert event.metadata == {"x": '{"b":[1,null,{}]}', "y": "{}"}
        assert found(event) == {("not_json", "$.properties.x"), ("not_json", "$.properties.y")}

    @pytest.mark.parametrize(
        ("field", "path"),
        [
            ("userId", "$.userId"),
            ("anonymousId", "$.anonymousId"),
            ("groupId", "$.groupId"),
            ("timestamp", "$.timestamp"),
            ("properties", "$.properties"),
            ("context", "$.context"),
            ("integrations", "$.integrations"),
        ],
    )
    @given(OPAQUE)
    def test_a_field_counts_as_absent_with_this_issue_in_place_of_its_own(
        self, field: str, path: str, value: Any
    ) -> None:
        event = parse_segment_event({"type": "track", "event": "Signed Up", field: value})

        bare = parse_segment_event({"type": "track", "event": "Signed Up"})
        assert found(event) == {("not_json", path)}
        for name in ("user_id", "anonymous_id", "group_id", "time_ms", "properties", "context", "integrations"):
            assert getattr(event, name) == getattr(bare, name)

    @given(OPAQUE)
    def test_so_does_the_name_of_a_page(self, value: Any) -> None:
        event = translate({"type": "page", "userId": "u1", "name": value, "category": "Docs"})

        assert isinstance(event, StatsigEvent)
        assert event.event_name == "segment::Viewed Docs Page"
        assert found(event) == {("not_json", "$.name")}

    @given(OPAQUE)
    def test_so_does_a_field_of_the_user(self, value: Any) -> None:
        event = translate(track(context={"ip": value, "locale": "en-GB"}))

        assert isinstance(event, StatsigEvent)
        assert wire_of(track(context={"ip": value, "locale": "en-GB"}))["user"] == {"userID": "u1", "locale": "en-GB"}
        assert found(event) == {("not_json", "$.context.ip")}

    @given(OPAQUE)
    def test_a_mapped_field_has_the_issue_and_an_unmapped_one_has_none(self, value: Any) -> None:
        event = parse_segment_event(track(shopId=value, context={"device": {"id": value}}))

        mapped = apply_id_mappings(event, [IdMapping(field="context.device.id", id_type="deviceID")])

        assert event.issues == ()
        assert mapped.custom_ids == {}
        assert found(mapped) == {("not_json", "$.context.device.id")}

    @given(OPAQUE)
    def test_a_configured_field_has_the_issue(self, value: Any) -> None:
        config = IntegrationConfig(
            inbound=InboundConfig(custom_fields={"plan": "context.plan"}, metadata_fields={"path": "context.path"})
        )

        event = translate(track(context={"plan": value, "path": value}), config)

        assert isinstance(event, StatsigEvent)
        assert (event.user.custom, event.metadata) == ({}, {})
        assert found(event) == {("not_json", "$.context.plan"), ("not_json", "$.context.path")}

    @given(OPAQUE)
    def test_in_a_pair_array_the_pair_has_its_own_issue_beside_it(self, value: Any) -> None:
        properties = {"statsigCustomIDs": ["companyID", value], "statsigCustom": [value, "gold", "plan", value]}

        event = translate(track(properties=properties))

        assert isinstance(event, StatsigEvent)
        assert (event.user.custom_ids, event.user.custom) == ({}, {})
        assert found(event) == {
            ("custom_id_value", "$.properties.statsigCustomIDs[1]"),
            ("not_json", "$.properties.statsigCustomIDs"),
            ("custom_name", "$.properties.statsigCustom[0]"),
            ("custom_value", "$.properties.statsigCustom[3]"),
            ("not_json", "$.properties.statsigCustom"),
        }

    @given(OPAQUE)
    def test_a_type_that_is_not_json_is_missing(self, value: Any) -> None:
        with pytest.raises(SegmentEventError) as caught:
            parse_segment_event({"type": value, "event": "a"})

        assert caught.value.code == "missing_type"

    @given(OPAQUE)
    def test_a_name_that_is_not_json_is_missing(self, value: Any) -> None:
        with pytest.raises(SegmentEventError) as caught:
            parse_segment_event({"type": "track", "event": value})

        assert caught.value.code == "missing_event"

    @given(OPAQUE)
    def test_what_is_not_sent_has_no_issue(self, value: Any) -> None:
        event = translate(track(extra=value, context={"page": {"path": value}}, messageId=value))

        assert isinstance(event, StatsigEvent)
        assert event.issues == ()
