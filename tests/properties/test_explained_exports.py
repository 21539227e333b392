"""Properties of what `explain_export` says (EX-5), the rule quoted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from tests.properties.test_explain import keys_of
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_object

from statsig_segment import (
    FieldFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    Rejected,
    Skipped,
    explain_export,
    export_many,
    load_config,
    parse_statsig_event,
)
from statsig_segment.insight.identifiers import Tried
from statsig_segment.testing import integration_configs, statsig_events

Keys = tuple[str | int, ...]


def leaves(value: Any, above: Keys = ()) -> dict[Keys, Any]:
    """Every leaf of a track; a list is one leaf, and an empty object has none."""
    if not is_object(value):
        return {above: value}
    return {path: leaf for key, item in value.items() for path, leaf in leaves(item, (*above, key)).items()}


def thawed(value: Any) -> Any:
    """Give a frozen value as JSON has it."""
    items: Any = value
    if isinstance(value, tuple):
        return [thawed(item) for item in items]
    return {key: thawed(item) for key, item in value.items()} if is_object(value) else value


class TestEX5TheWayBack:
    """
    `explain_export(payload, config)` does for the way back what `explain` does: rows (target in the track, value,
    source in the export, rule), why nothing leaves, identifiers (`userId`, `anonymousId`, `groupId`), issues.
    """

    @given(statsig_events() | statsig_events(malformed=True), integration_configs())
    def test_the_rows_are_the_leaves_of_the_track(self, event: JsonObject, config: IntegrationConfig) -> None:
        told = explain_export(event, config)

        if isinstance(told.result, Skipped | Rejected):
            assert told.rows == ()
        else:
            assert {keys_of(row.target): thawed(row.value) for row in told.rows} == leaves(told.result)

    @given(statsig_events() | statsig_events(malformed=True), integration_configs())
    def test_the_result_is_that_of_export_many(self, event: JsonObject, config: IntegrationConfig) -> None:
        (outcome,) = export_many([event], config)

        told = explain_export(event, config)

        assert type(told.result) is type(outcome)
        assert isinstance(outcome, Skipped | Rejected) or told.result == outcome
        assert (told.rule is None) == (not isinstance(outcome, Skipped | Rejected))
        if not isinstance(told.result, Rejected):
            assert told.issues == parse_statsig_event(event).issues

    @given(statsig_events())
    def test_a_source_holds_what_the_track_has(self, event: JsonObject) -> None:
        for row in explain_export(event).rows:
            if row.source is not None and row.rule == "OU-3" and row.target != "$.userId":
                held: Any = event
                for key in keys_of(row.source):
                    held = held[key]
                assert thawed(row.value) == held or row.target.endswith("stableID")

    @given(statsig_events(malformed=True), integration_configs())
    def test_the_identifiers_are_those_of_the_track(self, event: JsonObject, config: IntegrationConfig) -> None:
        told = explain_export(event, config)

        if isinstance(told.result, Skipped | Rejected):
            return
        ids = {each.id_type: each.value for each in told.identifiers}
        assert list(ids) == ["userId", "anonymousId", "groupId"]
        assert (ids["userId"] or None) == (told.result.get("userId") or None)
        assert ids["anonymousId"] == told.result.get("anonymousId")
        assert ids["groupId"] == told.result.get("context", {}).get("groupId")

    @pytest.mark.parametrize(
        ("event", "filters", "rule", "setting"),
        [
            ({"eventName": "statsig::gate_exposure"}, {"exposures": False}, "FL-2", "outbound.filters.exposures"),
            (
                {"eventName": "statsig::config_change"},
                {"config_changes": False},
                "FL-2",
                "outbound.filters.config_changes",
            ),
            ({"eventName": "statsig::diagnostics"}, {}, "FL-2", None),
            ({"eventName": "e"}, {"events": {"e": False}}, "FL-2", "outbound.filters.events"),
            ({"eventName": "e"}, {"include_new_events": False}, "FL-2", "outbound.filters.include_new_events"),
            (
                {"eventName": "e", "metadata": {"type": "x"}},
                {"drop_where": [FieldFilter(field=field, matches=["x"]) for field in ("metadata.a", "metadata.type")]},
                "FL-2",
                "outbound.filters.drop_where[1]",
            ),
            ({"eventName": "segment::e"}, {}, "FL-7", "outbound.allow_segment_origin"),
            ({"eventName": ""}, {}, "OU-1", None),
            ({"eventName": "e"}, {}, None, None),
        ],
    )
    def test_why_nothing_leaves(
        self, event: JsonObject, filters: dict[str, Any], rule: str | None, setting: str | None
    ) -> None:
        told = explain_export(event, IntegrationConfig(outbound=OutboundConfig(filters=OutboundFilter(**filters))))

        assert (told.rule, told.setting) == (rule, setting)

    def test_every_place_of_an_identifier_is_told(self) -> None:
        event = {
            "eventName": "e",
            "userID": "undefined",
            "user": {"userID": "u-1", "customIDs": {"companyId": "c-1", "deviceID": "d-1"}},
        }
        config = load_config(
            """
            [outbound]
            profile = "deliverable"
            anonymous_id = ["stableID", "deviceID"]
            group_id = "companyID"
            drop_placeholder_ids = true
            """
        )

        told = {each.id_type: each for each in explain_export(event, config).identifiers}

        assert told["userId"].tried == (
            Tried(path="$.userID", outcome="placeholder"),
            Tried(path="$.user.userID", outcome="used"),
        )
        assert [(place.path, place.outcome) for place in told["anonymousId"].tried] == [
            ("$.statsigMetadata.stableID", "absent"),
            ("$.user.customIDs.stableID", "absent"),
            ("$.user.customIDs.deviceID", "used"),
        ]
        assert told["groupId"].tried == (
            Tried(path="$.user.customIDs.companyID", outcome="absent", near="$.user.customIDs.companyId"),
        )

    def test_what_the_deliverable_profile_adds_names_where_it_was(self) -> None:
        """OU-4"""
        event = {
            "eventName": "e",
            "user": {"userID": "u-1", "customIDs": {"companyID": "c-1", "stableID": "s-1"}},
            "timeUUID": "t-1",
        }
        config = IntegrationConfig(outbound=OutboundConfig(profile="deliverable", group_id="companyID"))

        told = {row.target: (row.source, row.rule) for row in explain_export(event, config).rows}

        assert told["$.messageId"] == ("$.timeUUID", "OU-4")
        assert told["$.anonymousId"] == ("$.user.customIDs.stableID", "OU-4")
        assert told["$.context.groupId"] == ("$.user.customIDs.companyID", "OU-4")
        assert told["$.context.stableID"] == ("$.user.customIDs.stableID", "OU-3")

    def test_a_row_of_a_table_names_its_columns(self) -> None:
        row = {"EVENT_NAME": "e", "USER_ID": "u-1", "COMPANY_METADATA": '{"plan":"pro"}', "TIMESTAMP": 1793862489010}

        told = {each.target: each.source for each in explain_export(row).rows}

        assert told["$.userId"] == "$.USER_ID"
        assert told["$.properties.metadata.plan"] == "$.COMPANY_METADATA"
        assert told["$.timestamp"] == "$.TIMESTAMP"

    def test_a_config_change_names_where_its_properties_come_from(self) -> None:
        change = {
            "eventName": "statsig::config_change",
            "user": {"email": "ann@example.com"},
            "metadata": {"name": "nav", "type": "Gate", "environments": "staging", "action": "updated"},
        }

        told = explain_export(change, IntegrationConfig(outbound=OutboundConfig(profile="deliverable")))

        assert {
            row.target: row.source for row in told.rows if "properties" in row.target or "userId" in row.target
        } == {
            "$.userId": "$.user.email",
            "$.properties.author": "$.user.email",
            "$.properties.configName": "$.metadata.name",
            "$.properties.environment": "$.metadata.environments",
            "$.properties.configType": "$.metadata.type",
            "$.properties.environments": "$.metadata.environments",
            "$.properties.action": "$.metadata.action",
        }

    @given(hostile_values())
    @example("{")
    @example(7)
    def test_what_is_no_event_is_rejected(self, payload: Any) -> None:
        told = explain_export(payload)

        assert isinstance(told.result, Rejected) or told.rows
