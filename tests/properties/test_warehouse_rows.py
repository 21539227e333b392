"""Properties of rows of Statsig's warehouse export (OU-9): a row is read as the event it stands for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.values import JsonObject, canonical, is_object

from statsig_segment import (
    ConfigChange,
    IntegrationConfig,
    OutboundConfig,
    Rejected,
    Skipped,
    StatsigEventError,
    apply_filters,
    export_many,
    parse_statsig_event,
    split_statsig_export,
)
from statsig_segment.testing import json_values, statsig_events, warehouse_rows

OBJECT_COLUMNS = ("custom_ids", "user_object", "statsig_metadata", "company_metadata")


def object_of(value: Any) -> JsonObject | None:
    """The oracle of a column that holds an object, as it is or as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if is_object(value) else None


def event_of(row: JsonObject) -> JsonObject:
    """The oracle of OU-9: the event that a row stands for."""
    custom_ids, user, metadata = (
        object_of(row.get(name)) for name in ("custom_ids", "user_object", "statsig_metadata")
    )
    if custom_ids is not None:
        user = {**(user or {}), "customIDs": custom_ids}
    if row.get("stable_id") is not None:
        metadata = {**(metadata or {}), "stableID": row["stable_id"]}
    event = {
        "eventName": row["event_name"],
        "userID": row.get("user_id"),
        "user": user,
        "timestamp": row.get("timestamp"),
        "value": row.get("event_value"),
        "metadata": object_of(row.get("company_metadata")),
        "statsigMetadata": metadata,
    }
    return {key: value for key, value in event.items() if value is not None}


def outcomes(payload: JsonObject) -> list[str]:
    """What comes of a payload in both profiles, as text."""
    told: list[str] = []
    for profile in ("documented", "deliverable"):
        (outcome,) = export_many([payload], IntegrationConfig(outbound=OutboundConfig(profile=profile)))
        match outcome:
            case Skipped():
                told.append(outcome.reason)
            case Rejected():
                told.append(outcome.error.code)
            case _:
                told.append(canonical(outcome))
    return told


class TestOU9Rows:
    """
    A row of Statsig's warehouse export is read as well: an object with `event_name` and without `eventName`, of the
    columns `user_id`, `stable_id`, `custom_ids`, `timestamp`, `event_name`, `event_value`, `user_object`,
    `statsig_metadata`, `company_metadata` [doc]. The objects may stand as JSON text, as Snowflake has them. It is read
    as if it were `{eventName, userID, user: {…user_object, customIDs}, timestamp, value, metadata: company_metadata,
    statsigMetadata: {…, stableID}}`; a column that is null or absent has no key.

    Corners: JSON text that is unreadable or holds no object counts as null. `custom_ids` beats
    `user_object.customIDs`, `stable_id` beats `statsig_metadata.stableID`. With neither `user_object` nor `custom_ids`
    there is no user. Other columns do not leave.
    """

    @given(warehouse_rows())
    @example({"event_name": "a", "user_object": None, "custom_ids": None, "stable_id": None})
    @example({"event_name": "a", "user_id": "u1", "user_object": "{", "custom_ids": "[]", "company_metadata": "7"})
    @example({"event_name": "a", "user_object": {"customIDs": {"a": "b"}}, "custom_ids": {"c": "d"}})
    @example({"event_name": "a", "statsig_metadata": '{"stableID":"s1"}', "stable_id": "s2"})
    @example({"event_name": "a", "user_id": "u1", "timestamp": "2026-04-01 00:00:00.000 UTC"})
    def test_a_row_is_exported_as_the_event_it_stands_for(self, row: JsonObject) -> None:
        assert outcomes(row) == outcomes(event_of(row))

    @given(warehouse_rows(), st.sampled_from(OBJECT_COLUMNS), json_values(max_leaves=3) | st.text(max_size=5))
    def test_any_value_in_an_object_column_is_one_or_null(self, row: JsonObject, column: str, value: Any) -> None:
        row = {**row, column: value}

        assert outcomes(row) == outcomes(event_of(row))

    @given(warehouse_rows())
    def test_objects_and_their_text_are_read_alike(self, row: JsonObject) -> None:
        as_text = {key: json.dumps(value) if is_object(value) else value for key, value in row.items()}
        as_objects = {key: object_of(row[key]) if key in OBJECT_COLUMNS else row[key] for key in row}

        assert outcomes(as_text) == outcomes(as_objects) == outcomes(row)
        assert outcomes(row) == outcomes(json.loads(json.dumps(row)))

    @given(warehouse_rows(malformed=True))
    def test_the_model_is_that_of_the_event(self, row: JsonObject) -> None:
        if not isinstance(row.get("event_name"), str) or not row["event_name"]:
            with pytest.raises(StatsigEventError) as caught:
                parse_statsig_event(row)
            assert caught.value.code == "missing_event"
            return
        event, twin = parse_statsig_event(row), parse_statsig_event(event_of(row))

        assert type(event) is type(twin)
        assert event.event_name == twin.event_name
        if not isinstance(event, ConfigChange) and not isinstance(twin, ConfigChange):
            assert (event.time_ms, repr(event.value)) == (twin.time_ms, repr(twin.value))
            assert repr(event.metadata) == repr(twin.metadata)
            assert event.user == twin.user
        assert (apply_filters(event, OutboundConfig().filters) is None) == (
            apply_filters(twin, OutboundConfig().filters) is None
        )

    @given(
        warehouse_rows(),
        st.dictionaries(st.sampled_from(("ds", "company_id", "timeUUID", "userID", "value")), json_values()),
    )
    def test_other_columns_do_not_leave(self, row: JsonObject, more: JsonObject) -> None:
        assert outcomes({**more, **row}) == outcomes(row)

    @given(statsig_events(changes=False), warehouse_rows())
    def test_an_object_with_an_event_name_of_its_own_is_not_a_row(self, event: JsonObject, row: JsonObject) -> None:
        columns = {key: value for key, value in row.items() if key != "timestamp"}  # which events have as well

        assert outcomes({**columns, **event}) == outcomes(event)

    @given(st.lists(warehouse_rows(), max_size=3))
    def test_rows_come_in_every_body_that_events_come_in(self, rows: list[JsonObject]) -> None:
        for body in (rows, {"data": rows}, {"events": rows}, json.dumps(rows)):
            assert list(split_statsig_export(body)) == rows
        for row in rows:
            assert list(split_statsig_export(row)) == [row]

    @pytest.mark.parametrize(
        ("text", "time_ms"),
        [
            ("2026-04-01 00:00:00.000 UTC", 1_775_001_600_000),
            ("2026-04-01 00:00:00.1239 UTC", 1_775_001_600_123),
            ("2026-04-01T00:00 UTC", 1_775_001_600_000),
            ("2026-04-01 00:00:00", 1_775_001_600_000),
            ("2026-04-01 02:00:00+02:00", 1_775_001_600_000),
            ("2026-04-01 00:00:00 utc", None),
            ("2026-04-01 00:00:00  UTC", None),
            ("2026-04-01 00:00:00UTC", 1_775_001_600_000),
            ("2026-04-01 00:00:00.000 +0000", 1_775_001_600_000),
            ("2026-04-01 00:00:00Z UTC", None),
            ("2026-04-01 00:00:00+00:00 UTC", None),
            ("2026-04-01 00:00:00 UTC ", None),
            ("2026-04-01 00:00:00 GMT", None),
            (" UTC", None),
        ],
    )
    def test_times_of_the_warehouse(self, text: str, time_ms: int | None) -> None:
        event = parse_statsig_event({"event_name": "a", "timestamp": text})

        assert not isinstance(event, ConfigChange)
        assert event.time_ms == time_ms
        assert [(issue.code, issue.path) for issue in event.issues] == (
            [("time_unreadable", "$.timestamp")] if time_ms is None else []
        )
