"""Properties of configuration (section 11): one class for each part of it, the text quoted."""

from __future__ import annotations

import json
from collections import UserDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import hostile_values
from tests.support.values import JsonObject, empty, is_array, is_object

from statsig_segment import (
    ConfigError,
    EventNaming,
    FieldFilter,
    IdMapping,
    InboundConfig,
    InboundFilter,
    IntegrationConfig,
    OutboundConfig,
    OutboundFilter,
    load_config,
)
from statsig_segment.testing import integration_tables, json_values

Keys = tuple[str, ...]


def toml_value(value: Any) -> str:
    """Write a value as TOML has it: JSON's strings are TOML's, but for DEL and the escapes of surrogate pairs."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if is_object(value):
        return "{" + ", ".join(f"{toml_value(key)} = {toml_value(item)}" for key, item in value.items()) + "}"
    if is_array(value):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return str(value)


def toml(table: JsonObject) -> str:
    return "".join(f"{toml_value(key)} = {toml_value(value)}\n" for key, value in table.items())


def with_rows(filters: JsonObject) -> JsonObject:
    rows = {"drop_where": [FieldFilter(**row) for row in filters["drop_where"]]} if "drop_where" in filters else {}
    return {**filters, **rows}


def built(table: JsonObject) -> IntegrationConfig:
    """The oracle: the models that a table stands for."""
    inbound, outbound = dict(table.get("inbound", {})), dict(table.get("outbound", {}))
    if "filters" in inbound:
        inbound["filters"] = InboundFilter(**with_rows(inbound["filters"]))
    if "id_mappings" in inbound:
        inbound["id_mappings"] = [IdMapping(**row) for row in inbound["id_mappings"]]
    if inbound.get("naming") == "segment_2021":
        inbound["naming"] = EventNaming.segment_2021()
    elif "naming" in inbound:
        inbound["naming"] = EventNaming(**inbound["naming"])
    if "filters" in outbound:
        outbound["filters"] = OutboundFilter(**with_rows(outbound["filters"]))
    return IntegrationConfig(inbound=InboundConfig(**inbound), outbound=OutboundConfig(**outbound))


def refusal(source: Any) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_config(source)
    return caught.value


class TestCF1OneStructure:
    """
    `load_config(mapping_or_text)` reads the same structure from a dict, TOML or JSON with cattrs.

    Pinned: a mapping, or text: JSON where its first character is `{`, else TOML; empty text is the default.
    `value_property`: a string, a list of strings, or for none `null` in JSON and `false` in TOML. `naming =
    "segment_2021"` in a configuration file names the preset.
    """

    @given(integration_tables())
    def test_a_table_gives_the_models_it_stands_for(self, table: JsonObject) -> None:
        assert load_config(table) == built(table)

    @given(integration_tables(), st.booleans())
    def test_mapping_json_and_toml_agree(self, table: JsonObject, indent: bool) -> None:
        expected = load_config(table)

        assert load_config(json.dumps(table, indent=2 if indent else None)) == expected
        assert load_config(toml(table)) == expected
        assert load_config(MappingProxyType(table)) == load_config(UserDict(table)) == expected

    @pytest.mark.parametrize("source", ["", "\n# nothing\n", "{}", {}, "[inbound]", '{"inbound": {}, "outbound": {}}'])
    def test_nothing_said_is_the_default(self, source: str | JsonObject) -> None:
        assert load_config(source) == IntegrationConfig()

    def test_none_is_spelled_as_each_format_can(self) -> None:
        expected = IntegrationConfig(inbound=InboundConfig(value_property=None))

        assert load_config('{"inbound": {"value_property": null}}') == expected
        assert load_config("[inbound]\nvalue_property = false") == expected
        assert load_config({"inbound": {"value_property": False}}) == expected

    @given(integration_tables())
    def test_the_table_is_left_alone_and_not_kept(self, table: JsonObject) -> None:
        before = json.dumps(table)
        config = load_config(table)
        text = repr(config)

        assert json.dumps(table) == before
        empty(table)
        assert repr(config) == text

    @given(integration_tables())
    def test_the_models_take_lists_as_the_file_has_them(self, table: JsonObject) -> None:
        assert hash(built(table).inbound.filters) == hash(load_config(table).inbound.filters)


# Where tables may stand, and a value of a wrong type for each key that may stand in them.
TABLES: Mapping[Keys, JsonObject] = {
    (): {"inbound": [], "outbound": "documented"},
    ("inbound",): {
        "default_environment": 7,
        "id_types": "companyID",
        "id_mappings": {"anonymousId": "segmentAnonymousId"},
        "filters": ["Signed Up"],
        "naming": ["segment_2021"],
        "user_fields": ["context.ip"],
        "value_property": 1,
        "honor_integrations": "false",
        "allow_statsig_origin": 1,
        "drop_placeholder_ids": "true",
        "custom_fields": ["context.traits.plan"],
        "metadata_fields": "context.page.path",
        "nested": True,
    },
    ("inbound", "filters"): {"include": "Signed Up", "exclude": 0, "types": {"track": True}},
    ("inbound", "naming"): {
        "prefix": 1,
        "track": True,
        "page": [],
        "page_unnamed": {},
        "screen": 1.5,
        "screen_unnamed": False,
        "group": 0,
        "from_properties": "yes",
    },
    ("inbound", "user_fields"): {"ip": 1, "email": ["traits.email"], "country": {}},
    ("inbound", "custom_fields"): {"plan": 7, "seats": ["traits.seats"]},
    ("inbound", "metadata_fields"): {"path": None, "source": {}},
    ("outbound",): {
        "profile": 7,
        "anonymous_id": False,
        "filters": "exposures",
        "allow_segment_origin": 0,
        "config_change_user_id": 7,
    },
    ("outbound", "filters"): {
        "exposures": "true",
        "config_changes": 0,
        "include_new_events": 1,
        "events": ["checkout"],
    },
    ("outbound", "filters", "events"): {"checkout": "yes", "Signed Up": 1},
}


FREE = (("events",), ("user_fields",), ("custom_fields",), ("metadata_fields",))
"""Tables whose keys are the user's own, or have a test of their own."""


def put_entries(whole: JsonObject, rows: list[tuple[Keys, str, Any]]) -> list[Keys]:
    """Put entries into a configuration where there is room for them, and give their places."""
    places: list[Keys] = []
    for above, key, value in rows:
        inner: Any = whole
        for name in above:
            inner = inner.setdefault(name, {}) if is_object(inner) else None
        if is_object(inner) and key not in inner:
            inner[key] = value
            places.append((*above, key))
    return places


PLACES = st.sampled_from([(above, key, value) for above, row in TABLES.items() for key, value in row.items()])


def named_by(places: list[Keys], error: ConfigError) -> None:
    """Each place is named by one issue, and nothing else is."""
    paths = [issue.path for issue in error.issues]
    assert len(paths) == len(places)
    for place in places:
        assert sum(all(key in path for key in place) and path.rstrip('"]').endswith(place[-1]) for path in paths) >= 1


class TestCF2EveryProblemAtOnce:
    """
    Unknown keys, wrong types and contradictions are a `ConfigError` that lists every problem with its path in the file,
    not only the first. No silent coercion (`"false"` is no boolean).

    Pinned: `ConfigError.issues` lists every problem.
    """

    @given(st.lists(PLACES, min_size=1, max_size=6))
    @example([(("inbound",), "honor_integrations", "false")])
    @example([(("inbound", "filters"), "include", "Signed Up"), (("outbound",), "profile", 7)])
    def test_every_wrong_type_is_listed(self, rows: list[tuple[Keys, str, Any]]) -> None:
        table: JsonObject = {}
        places = put_entries(table, rows)

        error = refusal(table)

        named_by(places, error)
        assert refusal(json.dumps(table)).issues == error.issues

    @given(
        integration_tables(),
        st.lists(
            st.tuples(
                st.sampled_from([above for above in TABLES if above[-1:] not in FREE]),
                st.sampled_from(("colour", "Include", "idTypes", "custom_ids")),
                json_values(max_leaves=2),
            ),
            min_size=1,
            max_size=4,
        ),
    )
    def test_every_unknown_key_is_listed(self, table: JsonObject, rows: list[tuple[Keys, str, Any]]) -> None:
        places = put_entries(table, rows)
        if not places:
            return

        error = refusal(table)

        named_by(places, error)
        assert refusal(toml({"outbound": {"colour": 1}})).issues == refusal({"outbound": {"colour": 1}}).issues

    @given(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))
    def test_problems_in_rows_are_listed_by_their_number(self, good: int, unknown: int, incomplete: int) -> None:
        rows: list[JsonObject] = [{"field": "userId", "id_type": f"t{at}"} for at in range(good)]
        rows += [{"field": "userId", "id_type": f"u{at}", "extra": 1} for at in range(unknown)]
        rows += [{"field": "userId"}] * incomplete
        table = {"inbound": {"id_mappings": rows}}
        if not unknown and not incomplete:
            assert len(load_config(table).inbound.id_mappings) == good
            return

        error = refusal(table)

        paths = [issue.path for issue in error.issues]
        assert len(paths) == unknown + incomplete
        for at in range(good, good + unknown + incomplete):
            assert any(f"[{at}]" in path for path in paths)

    @given(
        st.sampled_from(("honor_integrations", "allow_statsig_origin", "drop_placeholder_ids")),
        st.sampled_from(("true", "false", 0, 1, 1.0, None, [], {}, "yes")),
    )
    def test_only_booleans_are_booleans(self, key: str, value: Any) -> None:
        refusal({"inbound": {key: value}})

    @given(st.sampled_from(("profile", "anonymous_id")), st.sampled_from((1, True, None, [], {}, 1.5)))
    def test_only_strings_are_strings(self, key: str, value: Any) -> None:
        refusal({"outbound": {key: value}})

    @given(st.lists(st.sampled_from((1, True, None, ["a"], {})), min_size=1, max_size=2))
    def test_only_lists_of_strings_are_lists_of_strings(self, items: list[Any]) -> None:
        for key in ("include", "exclude", "types"):
            refusal({"inbound": {"filters": {key: items}}})
        refusal({"inbound": {"id_types": items}})

    @given(st.text(max_size=9).filter(lambda name: name not in ("documented", "deliverable")))
    def test_there_are_two_profiles(self, profile: str) -> None:
        refusal({"outbound": {"profile": profile}})

    @given(st.text(max_size=9).filter(lambda name: name not in ("track", "page", "screen", "group", "identify")))
    @example("Track")
    def test_there_are_five_types_of_call(self, kind: str) -> None:
        refusal({"inbound": {"filters": {"types": ["track", kind]}}})

    @given(
        st.one_of(
            json_values().filter(lambda value: not isinstance(value, dict | str)),
            hostile_values().filter(lambda value: not isinstance(value, Mapping | str)),
            st.sampled_from(("{", "[inbound", "inbound = ", '{"a": 1, }', "[1]", "x", "a = 1\na = 2")),
        )
    )
    def test_what_is_no_configuration_is_refused(self, source: Any) -> None:
        refusal(source)

    @given(st.text(max_size=30) | json_values().map(json.dumps) | hostile_values() | json_values())
    def test_anything_gives_a_configuration_or_a_config_error(self, source: Any) -> None:
        try:
            outcome: Any = load_config(source)
        except ConfigError as error:
            outcome = error

        assert isinstance(outcome, IntegrationConfig) or outcome.code == outcome.issues[0].code
