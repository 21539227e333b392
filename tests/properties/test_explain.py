"""Properties of issues and explanations (section 10): one class for each part of it, the text quoted."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, is_object, thawed

from statsig_segment import (
    AudienceUpdate,
    EventNaming,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    explain,
    parse_segment_event,
    to_log_event,
    translate,
    translate_many,
)
from statsig_segment.testing import integration_configs, json_values, segment_calls

Keys = tuple[str | int, ...]

_STEP = re.compile(r'\.(?P<name>[^.\[\]"\s]+)|\[(?P<index>[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')


def keys_of(path: str) -> Keys:
    """Read a path back into its keys; a path that is none fails."""
    assert path.startswith("$")
    keys: list[str | int] = []
    at = 1
    while at < len(path):
        step = _STEP.match(path, at)
        assert step is not None, path
        name, index, quoted = step["name"], step["index"], step["quoted"]
        if quoted is not None:
            keys.append(json.loads(quoted, strict=False))
            assert not re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", str(keys[-1]))
        else:
            keys.append(name if index is None else int(index))
        at = step.end()
    return tuple(keys)


def leaves(value: Any, above: Keys = ()) -> dict[Keys, Any]:
    """Every leaf of a log event; a list is one leaf."""
    if not is_object(value):
        return {above: value}
    return {path: leaf for key, item in value.items() for path, leaf in leaves(item, (*above, key)).items()}


def at_path(payload: Any, path: str) -> Any:
    for key in keys_of(path):
        payload = payload[key]
    return payload


# What is seldom skipped, and brings every field at times.
def permissive(config: IntegrationConfig, tier: str | None, mappings: list[IdMapping]) -> IntegrationConfig:
    return IntegrationConfig(
        inbound=InboundConfig(
            id_mappings=[*mappings, IdMapping(field="anonymousId", id_type="segmentAnonymousId")],
            naming=config.inbound.naming,
            user_fields=config.inbound.user_fields,
            value_property=config.inbound.value_property,
            custom_fields=config.inbound.custom_fields,
            metadata_fields=config.inbound.metadata_fields,
            nested=config.inbound.nested,
            drop_placeholder_ids=config.inbound.drop_placeholder_ids,
            default_environment=tier,
            honor_integrations=False,
            allow_statsig_origin=True,
        )
    )


CONFIGS = st.builds(
    permissive,
    integration_configs(),
    st.none() | st.just("staging"),
    st.lists(
        st.builds(
            IdMapping,
            field=st.sampled_from(("context.device.id", "shopId", "groupId", "properties.id")),
            id_type=st.sampled_from(("companyID", "deviceID", "shop id", "userID")),
        ),
        max_size=2,
    ),
)
EVENTS = segment_calls(types=("track", "page", "screen", "group"), malformed=True)


@pytest.mark.differential
class TestExplanationEqualsTheResult:
    """
    `explain(payload, config)` returns rows (target path, value, source path, rule id) for everything in the result,
    plus why it was skipped or rejected.

    Pinned: `Explanation`: `rows`, `result` (what `translate_many` yields, so a bad payload gives a `Rejected` and no
    exception). `Row`: `target`, `value`, `source`, `rule`. One row for every leaf of the log event (a list in
    `user.custom` is one leaf); no rows where there is no result. Key names that are no identifiers stand in the path in
    brackets as JSON strings.
    """

    @given(EVENTS, CONFIGS)
    @example(
        {
            "type": "track",
            "event": "a",
            "userId": "u",
            "properties": {"cart value": 1, "a.b": 2, '"': 3, "": 4, "é": 5},
        },
        IntegrationConfig(),
    )
    @example(
        {
            "type": "track",
            "event": "a",
            "properties": {"statsigCustomIDs": ["a b", 1], "statsigCustom": ["x y", ["z"]]},
        },
        IntegrationConfig(),
    )
    def test_each_leaf_has_exactly_one_row(self, call: JsonObject, config: IntegrationConfig) -> None:
        explanation = explain(call, config)

        targets = [keys_of(row.target) for row in explanation.rows]
        assert len(targets) == len(set(targets))
        if isinstance(explanation.result, StatsigEvent):
            told = {key: row.value for key, row in zip(targets, explanation.rows, strict=True)}
            sent = leaves(json.loads(json.dumps(to_log_event(explanation.result))))
            assert set(told) == set(sent)
            for key, value in told.items():
                assert repr(thawed(value)) == repr(sent[key])
        else:
            assert explanation.rows == ()

    @given(segment_calls(malformed=True) | json_values() | hostile_values(), integration_configs())
    def test_the_result_is_that_of_translate_many(self, payload: Any, config: IntegrationConfig) -> None:
        (outcome,) = translate_many([payload], config)

        explanation = explain(payload, config)

        result = explanation.result
        assert type(result) is type(outcome)
        if isinstance(outcome, Rejected) and isinstance(result, Rejected):
            assert result.error == outcome.error
            assert result.payload is payload
        elif isinstance(outcome, Skipped) and isinstance(result, Skipped):
            assert result.reason == outcome.reason
            assert result.payload is payload
        else:
            assert repr(result) == repr(outcome)
        if isinstance(outcome, Rejected | Skipped):
            assert explanation.rows == ()

    @given(segment_calls(), integration_configs())
    def test_text_and_bytes_are_explained_like_objects(self, call: JsonObject, config: IntegrationConfig) -> None:
        text = json.dumps(call)

        assert explain(call, config).rows == explain(text, config).rows == explain(text.encode(), config).rows


RULES = {
    "eventName": {"US-5"},
    "time": {"IN-5"},
    "value": {"US-8"},
    "metadata": {"US-7", "US-11"},
    "userID": {"ID-1", "ID-2", "ID-4"},
    "customIDs": {"ID-2", "ID-4"},
    "custom": {"US-1", "US-10"},
    "statsigEnvironment": {"US-3", "US-4"},
    "email": {"US-2"},
    "ip": {"US-2"},
    "userAgent": {"US-2"},
    "country": {"US-2"},
    "locale": {"US-2"},
    "appVersion": {"US-2"},
}


class TestExplanationNamesSourceAndRule:
    """
    The answer to "where did this ID come from, and why is that one missing?". `source`
    (`$.properties.statsigCustomIDs[1]`, `None` where the configuration or the library put it).

    `explain`'s rules: userID ID-1, pair ID-2, mapped ID-4, user fields US-2, custom US-1, the event's tier US-3, the
    default tier US-4, name US-5, metadata US-7, value US-8, time IN-5; US-10 and US-11 for the fields that the
    configuration adds, ID-4 for a user ID that a row filled (ID-9), ID-2 for one that a pair filled.
    """

    @given(EVENTS, CONFIGS)
    def test_each_row_names_its_rule(self, call: JsonObject, config: IntegrationConfig) -> None:
        for row in explain(call, config).rows:
            keys = keys_of(row.target)
            assert row.rule in RULES[str(keys[1] if keys[0] == "user" else keys[0])]
            if row.rule == "US-4":
                assert (row.value, row.source) == (config.inbound.default_environment, None)
            elif row.rule != "US-5":
                assert row.source is not None

    @given(EVENTS, CONFIGS)
    def test_the_value_stands_at_the_source(self, call: JsonObject, config: IntegrationConfig) -> None:
        for row in explain(call, config).rows:
            if row.source is None:
                continue
            found = at_path(call, row.source)
            if row.rule in {"ID-1", "ID-2", "ID-4", "US-2"}:
                same = found == row.value if isinstance(found, str) else Decimal(found) == Decimal(row.value)
                assert same
            elif row.rule == "US-3":
                assert row.value in (found, found.get("tier") if is_object(found) else None)
            elif row.rule == "US-8":
                assert repr(row.value) == repr(found)
            elif row.rule in {"US-7", "US-11"}:
                assert isinstance(row.value, str)
                assert found is not None
                assert not isinstance(found, str) or found == row.value
            elif row.rule == "US-5":
                assert (found if isinstance(found, str) else str(int(found))) in row.value
            elif row.rule == "IN-5":
                assert parse_segment_event({"type": "page", "timestamp": found}).time_ms == row.value

    @given(EVENTS, CONFIGS)
    def test_pairs_and_mappings_are_told_apart(self, call: JsonObject, config: IntegrationConfig) -> None:
        for row in explain(call, config).rows:
            own = parse_segment_event(call).custom_ids
            keys = keys_of(row.target)
            if keys[:2] == ("user", "customIDs") and not config.inbound.drop_placeholder_ids:
                assert (row.rule == "ID-2") == (keys[2] in own)
            if row.rule in {"ID-2", "ID-4"}:
                assert (row.rule == "ID-2") == ("statsigCustomIDs[" in str(row.source))

    def test_of_a_repeated_name_the_winner_is_told(self) -> None:
        array = ["companyID", "c1", "companyID", "c2", "companyID", ""]

        rows = explain({"type": "track", "event": "a", "properties": {"statsigCustomIDs": array}}).rows

        told = {row.target: (row.value, row.source) for row in rows}
        assert told["$.user.customIDs.companyID"] == ("c2", "$.properties.statsigCustomIDs[3]")


class TestIssuesRideOnTheResult:
    """
    `Issue(code, path, message)`: `path` is the wire path of the source (`$.properties.statsigCustomIDs[3]`). Issues
    ride on the result (`.issues`) and never change what is sent.

    Corner: one issue per (code, path).
    """

    @given(segment_calls(malformed=True), integration_configs())
    def test_each_is_told_once_and_points_into_the_call(self, call: JsonObject, config: IntegrationConfig) -> None:
        try:
            outcome = translate(call, config)
        except ValueError:
            return
        if not isinstance(outcome, StatsigEvent | AudienceUpdate):
            return

        pairs = [(issue.code, issue.path) for issue in outcome.issues]
        assert len(pairs) == len(set(pairs))
        for issue in outcome.issues:
            assert re.fullmatch("[a-z_]+", issue.code)
            assert issue.message
            assert keys_of(issue.path) is not None
        parsed = parse_segment_event(call)
        assert set(parsed.issues) <= set(outcome.issues)

    @given(EVENTS, CONFIGS, st.sampled_from((None, ["companyID"], [])))
    def test_what_only_gives_issues_changes_nothing(
        self, call: JsonObject, config: IntegrationConfig, declared: list[str] | None
    ) -> None:
        inbound = config.inbound
        with_types = IntegrationConfig(
            inbound=InboundConfig(
                id_types=declared,
                id_mappings=inbound.id_mappings,
                naming=inbound.naming,
                user_fields=inbound.user_fields,
                value_property=inbound.value_property,
                custom_fields=inbound.custom_fields,
                metadata_fields=inbound.metadata_fields,
                nested=inbound.nested,
                drop_placeholder_ids=inbound.drop_placeholder_ids,
                default_environment=inbound.default_environment,
                honor_integrations=False,
                allow_statsig_origin=True,
            )
        )
        first, second = translate_many([call], config), translate_many([call], with_types)
        for one, other in zip(first, second, strict=True):
            if isinstance(one, StatsigEvent) and isinstance(other, StatsigEvent):
                assert repr(to_log_event(one)) == repr(to_log_event(other))
            else:
                assert type(one) is type(other)

    def test_names_come_from_the_naming_of_the_configuration(self) -> None:
        config = IntegrationConfig(inbound=InboundConfig(naming=EventNaming.segment_2021()))

        rows = explain({"type": "page", "name": "Home", "userId": "u1"}, config).rows

        assert {(row.value, row.source) for row in rows if row.rule == "US-5"} == {("segment_page:Home", "$.name")}
