"""Properties of rows of Statsig's exposures table (OU-10), and of what rows of both tables have in common (OU-9)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import read_id
from tests.support.values import JsonObject, canonical, is_object

from statsig_segment import (
    ConfigChange,
    ExportedEvent,
    OutboundConfig,
    OutboundFilter,
    TranslationError,
    apply_filters,
    parse_statsig_event,
    to_outbound_track,
)
from statsig_segment.testing import identifiers, json_values, statsig_events, timestamps, warehouse_rows

METADATA = ("name", "rule", "rule_name", "experiment_group", "group_id")
TYPES = st.sampled_from(("gate", "GATE_EXPOSURE", "experiment", "dynamic_config", "layer", "holdout", "Layer gate", ""))
UNIT_TYPES = st.sampled_from(
    ("user_id", "userID", "USERID", "stable_id", "Stable_ID", "companyID", "stableID", "", None, 7)
)
ROWS: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {"exposure_type": TYPES | st.none(), "unit_id": identifiers() | st.sampled_from((None, "", True))},
    optional={
        "unit_type": UNIT_TYPES,
        "first_exposure_utc": timestamps() | st.none(),
        "company_id": st.just("statsig"),
        "percent": st.just(50.0),
        **dict.fromkeys(METADATA, json_values(max_leaves=2)),
    },
)


def exported(payload: Any) -> ExportedEvent:
    event = parse_statsig_event(payload)
    assert isinstance(event, ExportedEvent)
    return event


def event_of(row: JsonObject) -> JsonObject:
    """The oracle of OU-10: the event that a row is about."""
    kind = str(row["exposure_type"] or "").lower()
    word = next((word for word in ("gate", "layer", "holdout", "config") if word in kind), "experiment")
    event: JsonObject = {"eventName": f"statsig::{word}_exposure"}
    unit_type, unit_id = row.get("unit_type"), read_id(row["unit_id"])
    if unit_id is not None:
        if not isinstance(unit_type, str) or unit_type.lower() in ("", "user_id", "userid"):
            event["userID"] = unit_id
        else:
            id_type = "stableID" if unit_type.lower() == "stable_id" else unit_type
            event["user"] = {"customIDs": {id_type: unit_id}}
    if row.get("first_exposure_utc") is not None:
        event["timestamp"] = row["first_exposure_utc"]
    event["metadata"] = {name: row[name] for name in METADATA if row.get(name) is not None}
    return event


class TestOU10Exposures:
    """
    A row of Statsig's exposures table is read as well: an object with `exposure_type` and `unit_id` (any letter case)
    and with neither `eventName` nor `event_name` [doc for the columns]. It is as if it were an event with `eventName`
    `statsig::gate_exposure`, `statsig::config_exposure`, `statsig::layer_exposure`, `statsig::holdout_exposure` or else
    `statsig::experiment_exposure`, by the word that `exposure_type` holds in any letter case; `unit_id` under the ID
    type `unit_type` (`user_id`, `userid` in any case: the user ID; `stable_id`: `stableID`; any other as spelled);
    `timestamp` of `first_exposure_utc`; and `metadata` of `name`, `rule`, `rule_name`, `experiment_group`, `group_id`,
    those that are not null, under these names. Other columns do not leave. [policy]

    Corners: words are looked for in this order: `gate`, `layer`, `holdout`, `config`; `unit_id` per IN-4, else there is
    none; `unit_type` null or no filled string: the user ID. A row is subject to FL-2 (`exposures`) as any exposure. The
    user ID stands at the top, without a `user`; any other ID, `stableID` too, in `user.customIDs`; `metadata` is always
    there, keys in the order of the rule, values as they are.
    """

    @given(ROWS)
    @example({"exposure_type": "experiment", "unit_id": "user-71", "unit_type": "user_id", "name": "new_pricing"})
    @example({"exposure_type": None, "unit_id": 7, "unit_type": "companyID"})
    def test_a_row_is_read_as_the_event_that_it_is_about(self, row: JsonObject) -> None:
        event, twin = exported(row), exported(event_of(row))

        assert canonical(dict(event.fields)) == canonical(dict(twin.fields))
        assert list(event.metadata) == [name for name in METADATA if row.get(name) is not None]
        assert {issue.code for issue in event.issues} == {issue.code for issue in twin.issues}
        assert canonical(to_outbound_track(event)) == canonical(to_outbound_track(twin))

    @given(ROWS, st.data())
    def test_columns_may_be_in_any_letter_case(self, row: JsonObject, data: st.DataObject) -> None:
        spelled = {data.draw(st.sampled_from((key, key.upper(), key.title()))): row[key] for key in row}

        assert canonical(dict(exported(spelled).fields)) == canonical(dict(exported(row).fields))

    @given(ROWS, statsig_events(changes=False))
    def test_an_object_with_a_name_is_not_such_a_row(self, row: JsonObject, event: JsonObject) -> None:
        assert exported({**row, **event}).event_name == event["eventName"]
        assert exported({**row, "EVENT_NAME": "checkout"}).event_name == "checkout"

    @given(ROWS)
    def test_exposures_can_be_switched_off(self, row: JsonObject) -> None:
        assert apply_filters(exported(row), OutboundFilter(exposures=False)) is None

    def test_issues_name_the_columns_as_they_are_spelled(self) -> None:
        row = {"EXPOSURE_TYPE": "gate", "UNIT_ID": "undefined", "First_Exposure_UTC": "soon", "Rule": b"x", "ds": b"x"}

        assert {(issue.code, issue.path) for issue in exported(row).issues} == {
            ("id_placeholder", "$.UNIT_ID"),
            ("time_unreadable", "$.First_Exposure_UTC"),
            ("not_json", "$.Rule"),
        }
        company = {"exposure_type": "gate", "unit_id": "null", "unit_type": "companyID"}
        assert [issue.path for issue in exported(company).issues] == ["$.unit_id"]

    def test_a_value_that_is_too_deep_names_its_column(self) -> None:
        deep = json.loads("[" * 100 + "]" * 100)

        event = exported({"exposure_type": "gate", "unit_id": "u1", "rule": deep, "name": "a"})

        assert [(issue.code, issue.path) for issue in event.issues] == [("too_deep", "$.rule")]


OBJECT_COLUMNS = ("custom_ids", "user_object", "statsig_metadata", "company_metadata")


class TestOU9LetterCaseAndBrokenColumns:
    """
    Column names are read in any letter case (Snowflake prints them in upper case). JSON text that cannot be read
    (Redshift cuts it at 256 characters [doc]) or holds no object counts as null, with an issue `json_unreadable` at its
    column (`$.user_object`); empty text is null. Where such a column is why a row belongs to nobody, the message of
    `no_identifier` says so.

    Corners: of two columns that differ in case only, the first counts. A column that holds an object (not text) is
    taken as it is; an array, a number or a boolean is `json_unreadable`. Paths of issues are the columns as the row
    spells them. The JSON text `null` is null, without an issue.
    """

    @given(warehouse_rows(malformed=True), st.data())
    def test_columns_may_be_in_any_letter_case(self, row: JsonObject, data: st.DataObject) -> None:
        if not isinstance(row.get("event_name"), str) or not row["event_name"]:
            return
        spelled = {data.draw(st.sampled_from((key, key.upper(), key.title()))): row[key] for key in row}

        event, twin = parse_statsig_event(spelled), parse_statsig_event(row)

        if isinstance(event, ExportedEvent) and isinstance(twin, ExportedEvent):
            assert canonical(dict(event.fields)) == canonical(dict(twin.fields))
        assert sorted((issue.code, issue.path.lower()) for issue in event.issues) == sorted(
            (issue.code, issue.path.lower()) for issue in twin.issues
        )
        assert {issue.path for issue in event.issues} <= {f"$.{name}" for name in spelled}

    @pytest.mark.parametrize("column", OBJECT_COLUMNS)
    @pytest.mark.parametrize(
        ("value", "unreadable"),
        [
            *(('{"companyID":"comp', True), ("[]", True), ("7", True), ('"text"', True), (" ", True), ("{}{}", True)),
            *(([], True), (7, True), (True, True), ("9" * 5_000, True)),
            *(("", False), ("null", False), (" null ", False), (None, False), ("{}", False), ({}, False)),
        ],
    )
    def test_what_is_not_an_object_is_an_issue(self, column: str, value: Any, *, unreadable: bool) -> None:
        spelled = column.upper()
        event = exported({"EVENT_NAME": "a", spelled: value})

        expected = [("json_unreadable", f"$.{spelled}")] if unreadable else []
        assert [(issue.code, issue.path) for issue in event.issues] == expected

    def test_of_two_spellings_the_first_counts(self) -> None:
        event = exported({"event_name": "a", "USER_ID": None, "user_id": "u1", "Timestamp": 5, "timestamp": 6})

        assert dict(event.fields) == {"eventName": "a", "timestamp": 5_000}

    @pytest.mark.parametrize("column", ["user_object", "Custom_IDs", "STATSIG_METADATA"])
    def test_a_row_of_nobody_says_which_column_cannot_be_read(self, column: str) -> None:
        event = exported({"event_name": "a", column: '{"a":"b', "company_metadata": "{"})

        with pytest.raises(TranslationError, match=column) as caught:
            to_outbound_track(event, OutboundConfig(profile="deliverable"))

        assert caught.value.code == "no_identifier"
        assert "company_metadata" not in str(caught.value)

    def test_a_row_of_nobody_that_could_be_read_says_nothing_of_the_kind(self) -> None:
        with pytest.raises(TranslationError) as caught:
            to_outbound_track(exported({"event_name": "a"}), OutboundConfig(profile="deliverable"))
        assert "JSON" not in str(caught.value)

    def test_places_are_those_of_the_columns_that_were_read(self) -> None:
        row = {
            "event_name": "a",
            "user_object": '{"userID": "undefined", "customIDs": {"companyID": "null"}}',
            "custom_ids": "",
            "statsig_metadata": {"stableID": "0"},
        }

        paths = [issue.path for issue in exported(row).issues]

        assert sorted(paths) == ["$.statsig_metadata", "$.user_object"]
        paths = [
            issue.path for issue in exported({**row, "custom_ids": {"companyID": "null"}, "stable_id": "0"}).issues
        ]
        assert sorted(paths) == ["$.custom_ids", "$.stable_id", "$.user_object"]

    def test_a_row_may_be_a_config_change(self) -> None:
        change = parse_statsig_event({"EVENT_NAME": "statsig::config_change", "USER_ID": "u1", "USER_OBJECT": "{"})

        assert isinstance(change, ConfigChange)
        assert change.user_id == "u1"
        assert [issue.path for issue in change.issues] == ["$.USER_OBJECT"]

    def test_private_attributes_of_a_column_stay_behind(self) -> None:
        deep = json.loads("[" * 101 + "]" * 101)
        for user in (
            {"privateAttributes": {"a": deep}, "email": "a@x.io"},
            '{"privateAttributes": {"a": 1}, "email": "a@x.io"}',
        ):
            event = exported({"event_name": "a", "user_object": user})
            assert is_object(event.fields["user"])
            assert event.fields["user"] == {"email": "a@x.io"}
            assert event.issues == ()
