"""Properties of why an ID is there or missing (EX-1 to EX-4): one class for each rule, the rule quoted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject

from statsig_segment import (
    AudienceUpdate,
    Explanation,
    FieldFilter,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    Skipped,
    StatsigEvent,
    explain,
    translate_many,
)
from statsig_segment.insight.identifiers import Tried
from statsig_segment.testing import integration_configs, segment_calls

OUTCOMES = ("used", "absent", "invalid", "placeholder", "shadowed")
VALUES = st.sampled_from(("a-1", "b-2", 7, "", None, True, "undefined", {"id": "x"}))
FIELDS = ("anonymousId", "groupId", "context.groupId", "anonymousID", "context.externalIds[type=phone].id")
ID_TYPES = ("companyID", "segmentAnonymousId", "userID", "phone")
ROWS = st.lists(st.builds(IdMapping, field=st.sampled_from(FIELDS), id_type=st.sampled_from(ID_TYPES)), max_size=3)


@st.composite
def calls(draw: st.DrawFn) -> JsonObject:
    """Draw a call with identifiers, usable or not, in the places that the rows read."""
    top = draw(st.dictionaries(st.sampled_from(("userId", "anonymousId", "groupId", "user_id")), VALUES))
    context: JsonObject = draw(st.dictionaries(st.sampled_from(("groupId", "companyId")), VALUES))
    context["externalIds"] = draw(st.lists(st.fixed_dictionaries({"type": st.just("phone"), "id": VALUES}), max_size=1))
    array = draw(st.lists(st.sampled_from(ID_TYPES) | VALUES, max_size=5))
    kind = draw(st.sampled_from(("track", "page", "group", "identify")))
    return top | {"type": kind, "event": "e", "context": context, "properties": {"statsigCustomIDs": array}}


def configured(rows: list[IdMapping], declared: list[str] | None, drops: bool) -> IntegrationConfig:
    """Make a configuration of what decides about IDs."""
    return IntegrationConfig(
        inbound=InboundConfig(id_mappings=rows, id_types=declared, drop_placeholder_ids=drops, honor_integrations=False)
    )


CONFIGS = st.builds(configured, ROWS, st.none() | st.just(["teamID", "companyID"]), st.booleans())


class TestEX1WhatSkippedACall:
    """
    `explain(payload, config)`: rows as above. A skipped call says by what: the setting (`include`, `exclude`, `types`,
    `drop_where` with its row, `integration_names`, a consent category) and not only the reason.

    Corner: `Explanation.rule` is the rule that skipped or rejected the call (IN-2 for an alias), else `None`; `setting`
    of `integration_disabled` is `inbound.integration_names`.
    """

    @pytest.mark.parametrize(
        ("change", "config", "rule", "setting"),
        [
            ({"type": "alias"}, {}, "IN-2", None),
            ({"context": {"library": {"name": "statsig"}}}, {}, "FL-5", "inbound.allow_statsig_origin"),
            (
                {"context": {"consent": {"categoryPreferences": {}}}},
                {"consent_categories": ["Ads"]},
                "FL-8",
                "inbound.consent_categories",
            ),
            ({"integrations": {"All": False}}, {}, "FL-4", "inbound.integration_names"),
            ({}, {"filters": InboundFilter(types=["page"])}, "FL-1", "inbound.filters.types"),
            ({}, {"filters": InboundFilter(include=["f"])}, "FL-1", "inbound.filters.include"),
            ({}, {"filters": InboundFilter(exclude=["e"])}, "FL-1", "inbound.filters.exclude"),
            (
                {},
                {
                    "filters": InboundFilter(
                        drop_where=[FieldFilter(field=f, matches=["u*"]) for f in ("event", "userId")]
                    )
                },
                "FL-1",
                "inbound.filters.drop_where[1]",
            ),
            ({"type": "identify"}, {}, "AU-1", None),
            ({"event": None}, {}, "IN-3", None),
            ({"userId": None}, {}, "ID-6", None),
            ({}, {}, None, None),
        ],
    )
    def test_the_rule_and_the_setting_are_told(
        self, change: JsonObject, config: dict[str, Any], rule: str | None, setting: str | None
    ) -> None:
        call = {"type": "track", "event": "e", "userId": "u-1", **change}

        told = explain(call, IntegrationConfig(inbound=InboundConfig(**config)))

        assert (told.rule, told.setting) == (rule, setting)

    @given(segment_calls(malformed=True), integration_configs())
    def test_they_are_told_where_there_is_no_result_and_nowhere_else(
        self, call: JsonObject, config: IntegrationConfig
    ) -> None:
        told = explain(call, config)

        has_result = isinstance(told.result, StatsigEvent | AudienceUpdate)
        assert (told.rule is None) == has_result
        assert told.setting is None or isinstance(told.result, Skipped)


class TestEX2PlacesTried:
    """
    `Explanation.identifiers`: one entry for `userID` and each ID type that the call names, the configuration maps to,
    or declares: its value or none, and `tried`: each place where it was looked for, in order, with what was there:
    `used`, `absent`, `invalid`, `placeholder` (dropped), or `shadowed` (an earlier place had it).

    Corners: the order of entries is `userID`, then the pairs of the call, then the mappings in order, then `id_types`.
    A skipped or rejected call has them as well, as far as it could be read; a payload that is no call has none. `tried`
    begins with the array of pairs where the call has one; a place behind the used one is `shadowed`, whatever is
    there; a declared type that nothing maps has an empty `tried`.
    """

    @given(calls(), CONFIGS)
    @example(
        {"type": "track", "event": "e", "userId": "null", "properties": {"statsigCustomIDs": ["userid", "a-1"]}},
        IntegrationConfig(),
    )
    def test_the_values_are_those_of_the_result(self, call: JsonObject, config: IntegrationConfig) -> None:
        told = explain(call, config)

        values = {each.id_type: each.value for each in told.identifiers if each.value is not None}
        if isinstance(told.result, StatsigEvent):
            user = told.result.user
            assert values == dict(user.custom_ids) | ({} if user.user_id is None else {"userID": user.user_id})
        else:
            assert isinstance(told.result, Skipped) or not values

    @given(segment_calls(malformed=True), integration_configs())
    def test_so_they_are_for_any_call(self, call: JsonObject, config: IntegrationConfig) -> None:
        told = explain(call, config)

        values = {each.id_type: each.value for each in told.identifiers if each.value is not None}
        if isinstance(told.result, StatsigEvent | AudienceUpdate):
            owner = told.result.user if isinstance(told.result, StatsigEvent) else told.result
            assert values == dict(owner.custom_ids) | ({} if owner.user_id is None else {"userID": owner.user_id})

    @given(calls(), CONFIGS)
    def test_one_place_is_used_and_those_behind_it_are_shadowed(
        self, call: JsonObject, config: IntegrationConfig
    ) -> None:
        for each in explain(call, config).identifiers:
            outcomes = [place.outcome for place in each.tried]
            before, used, behind = partition(outcomes)
            assert set(before) <= {"absent", "invalid", "placeholder"}
            assert set(behind) <= {"shadowed"}
            assert used == (each.value is not None)

    @given(calls(), CONFIGS)
    def test_the_entries_have_their_order(self, call: JsonObject, config: IntegrationConfig) -> None:
        inbound = config.inbound
        told = [each.id_type for each in explain(call, config).identifiers]

        assert told[0] == "userID"
        assert len(told) == len(set(told))
        mapped = [id_type for id_type in told if id_type in {row.id_type for row in inbound.id_mappings}]
        declared = [each for each in explain(call, config).identifiers if each.id_type == "teamID"]
        assert set(mapped) >= {row.id_type for row in inbound.id_mappings}
        assert [each.tried == () for each in declared if not has_array(call)] in ([], [True])

    def test_the_places_of_one_id_type(self) -> None:
        rows = [IdMapping(field=field, id_type="companyID") for field in ("a", "b.c", "d", "e")]
        array: list[Any] = ["companyID", {}, "teamID", "t-1"]
        call = {
            "type": "track", "event": "x", "a": True, "d": "d-1", "e": "e-1", "properties": {"statsigCustomIDs": array}
        }  # fmt: skip

        told = {each.id_type: each for each in explain(call, configured(rows, None, False)).identifiers}

        assert told["companyID"].tried == (
            Tried(path="$.properties.statsigCustomIDs[1]", outcome="invalid"),
            Tried(path="$.a", outcome="invalid"),
            Tried(path="$.b.c", outcome="absent"),
            Tried(path="$.d", outcome="used"),
            Tried(path="$.e", outcome="shadowed"),
        )
        assert list(told) == ["userID", "companyID", "teamID"]

    def test_a_placeholder_is_told_where_it_is_dropped(self) -> None:
        call = {"type": "track", "event": "x", "userId": "undefined", "groupId": "null"}
        rows = [IdMapping(field="groupId", id_type="companyID")]

        dropped, kept = (explain(call, configured(rows, None, drops)).identifiers for drops in (True, False))

        assert [place.outcome for each in dropped for place in each.tried] == ["placeholder", "placeholder"]
        assert [place.outcome for each in kept for place in each.tried] == ["used", "used"]

    @given(hostile_values() | st.sampled_from(({"type": "alias", "userId": "u"}, "{", 7, {"userId": "u"})))
    def test_what_is_no_call_has_none(self, payload: Any) -> None:
        told = explain(payload)

        assert (told.identifiers, told.unused) == ((), ())

    @given(calls(), CONFIGS)
    def test_an_explanation_stands_for_what_translate_gives(self, call: JsonObject, config: IntegrationConfig) -> None:
        (outcome,) = translate_many([call], config)

        assert type(explain(call, config).result) is type(outcome)


def partition(outcomes: list[str]) -> tuple[list[str], bool, list[str]]:
    """Cut outcomes in those before the used one and those behind it."""
    if "used" not in outcomes:
        return outcomes, False, []
    at = outcomes.index("used")
    return outcomes[:at], True, outcomes[at + 1 :]


def has_array(call: JsonObject) -> bool:
    """Say whether the call has an array of pairs, which is a place to look for any ID type."""
    return isinstance(call["properties"].get("statsigCustomIDs"), list)


class TestEX3NearMisses:
    """
    A `tried` place that is absent names the place that was probably meant (`near`): a field of the same object whose
    name differs only in letter case or separators (`anonymousID` for `anonymousId`, `companyId` for `companyID`).
    """

    @pytest.mark.parametrize(
        ("field", "fields", "near"),
        [
            ("anonymousID", {"anonymousId": "a-1"}, "$.anonymousId"),
            ("context.group_id", {"context": {"groupId": "g-1"}}, "$.context.groupId"),
            ("Context.groupId", {"context": {"groupId": "g-1"}}, "$.context.groupId"),
            ("context.app.id", {"context": {"device": {"id": "d-1"}}}, None),
            ("groupId", {"groupId": "g-1"}, None),
            ("shop", {"anonymousId": "a-1"}, None),
        ],
    )
    def test_a_field_of_the_same_object_is_named(self, field: str, fields: JsonObject, near: str | None) -> None:
        config = configured([IdMapping(field=field, id_type="x")], None, False)

        told = explain({"type": "track", "event": "e", "userId": "u-1", **fields}, config)

        assert [place.near for each in told.identifiers if each.id_type == "x" for place in each.tried] == [near]

    def test_a_name_in_the_array_is_near_as_well(self) -> None:
        call = {"type": "track", "event": "e", "properties": {"statsigCustomIDs": ["teamID", "t", "companyId", "c"]}}

        told = explain(call, configured([IdMapping(field="groupId", id_type="companyID")], None, False))

        assert [each.tried[0].near for each in told.identifiers if each.id_type == "companyID"] == [
            "$.properties.statsigCustomIDs[2]"
        ]

    @given(calls(), CONFIGS)
    def test_only_an_absent_place_has_one(self, call: JsonObject, config: IntegrationConfig) -> None:
        for each in explain(call, config).identifiers:
            assert all(place.near is None or place.outcome == "absent" for place in each.tried)


class TestEX4UnusedIdentifiers:
    """
    `Explanation.unused`: identifiers that the call holds and nothing reads: the fields of CO-3's table, each item of
    `context.externalIds`, and any key of the top level, `context`, `properties`, `traits` or `context.traits` that is a
    declared or mapped ID type but for case and separators; each with its path and the mapping row that would use it.

    Corner: a field that a mapping reads is not unused, whether it won or not.
    """

    @pytest.mark.parametrize(
        ("fields", "declared", "unused"),
        [
            ({"anonymousId": "a-1"}, None, [("$.anonymousId", "anonymousId", "segmentAnonymousId")]),
            ({"context": {"groupId": "g-1"}}, None, [("$.context.groupId", "context.groupId", "companyID")]),
            (
                {"context": {"externalIds": [{"type": "phone", "id": "p-1"}]}},
                None,
                [("$.context.externalIds[0].id", "context.externalIds[type=phone].id", "phone")],
            ),
            ({"properties": {"team_id": 7}}, ["teamID"], [("$.properties.team_id", "properties.team_id", "teamID")]),
            ({"teamId": "t-1"}, ["teamID"], [("$.teamId", "teamId", "teamID")]),
            (
                {"context": {"traits": {"TeamID": "t"}}},
                ["teamID"],
                [("$.context.traits.TeamID", "context.traits.TeamID", "teamID")],
            ),
            ({"userId": None, "user_id": "u-2"}, None, [("$.user_id", "user_id", "userID")]),
            ({"anonymousId": "undefined"}, None, []),
            ({"anonymousId": True}, None, []),
            ({"properties": {"team_id": "t-1"}}, None, []),
            ({"properties": {"team[id]": "t-1"}}, ["teamID"], []),
        ],
    )
    def test_each_has_its_path_and_the_row_that_would_use_it(
        self, fields: JsonObject, declared: list[str] | None, unused: list[tuple[str, str, str]]
    ) -> None:
        call = {"type": "track", "event": "e", "userId": "u-1", **fields}

        told = explain(call, configured([], declared, False)).unused

        assert [(each.path, each.mapping.field, each.mapping.id_type) for each in told] == unused

    @given(calls(), CONFIGS)
    def test_the_row_would_use_it(self, call: JsonObject, config: IntegrationConfig) -> None:
        inbound = config.inbound
        for each in explain(call, config).unused:
            rows = [*inbound.id_mappings, each.mapping]
            more = explain(call, configured(rows, None, inbound.drop_placeholder_ids))
            assert any(place.path == each.path for found in more.identifiers for place in found.tried)
            assert each.path not in {unused.path for unused in more.unused}

    def test_a_field_that_a_mapping_reads_is_not_unused(self) -> None:
        rows = [IdMapping(field=field, id_type="companyID") for field in ("groupId", "context.groupId")]
        call = {"type": "track", "event": "e", "groupId": "g-1", "context": {"groupId": "g-2"}}

        assert explain(call, configured(rows, None, False)).unused == ()

    @given(st.dictionaries(st.text(max_size=4), st.text(min_size=1, max_size=3), max_size=3), st.text(min_size=1))
    def test_keys_of_any_kind_are_looked_at(self, properties: dict[str, str], declared: str) -> None:
        call = {"type": "track", "event": "e", "properties": properties, "context": {"externalIds": [properties]}}

        told = explain(call, configured([], [declared], False))

        assert isinstance(told, Explanation)
