"""Properties of nested properties, flattened on request (US-7)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.strategies import nested_objects
from tests.support.values import JsonObject, is_object

from statsig_segment import InboundConfig, IntegrationConfig, StatsigEvent, explain, to_log_event, translate
from statsig_segment.testing import json_values

Issues = set[tuple[str, str]]

FLATTEN = IntegrationConfig(inbound=InboundConfig(nested="flatten"))
JSON = IntegrationConfig(inbound=InboundConfig(nested="json"))
CONTROL_KEYS = ("statsigCustomIDs", "statsigCustom", "statsigEnvironment")
NAN = float("nan")


def call_of(kind: str, held: JsonObject) -> JsonObject:
    field = "traits" if kind == "group" else "properties"
    return {"type": kind, "event": "Signed Up", "userId": "u1", field: held}


def translated(call: JsonObject, config: IntegrationConfig) -> StatsigEvent:
    event = translate(call, config)
    assert isinstance(event, StatsigEvent)
    return event


def issues_of(event: StatsigEvent, *codes: str) -> Issues:
    return {(issue.code, issue.path) for issue in event.issues if issue.code in codes}


def step(path: str, key: str) -> str:
    """One more key of a path, as paths are written."""
    return f"{path}.{key}" if key.isidentifier() else f"{path}[{json.dumps(key, ensure_ascii=False)}]"


def leaves(source: JsonObject, path: str, names: tuple[str, ...] = ()) -> Iterator[tuple[str, str, Any]]:
    """The oracle of what flattening writes, in order: name, path in the source, value; null and `{}` write nothing."""
    for key, value in source.items():
        if not names and key in CONTROL_KEYS:
            continue
        if is_object(value):
            yield from leaves(value, step(path, key), (*names, key))
        elif value is not None:
            yield "_".join((*names, key)), step(path, key), value


def flattened(source: JsonObject, path: str) -> tuple[dict[str, Any], Issues]:
    """The oracle of US-7 under `flatten`: each entry with its value, and the issues."""
    entries: dict[str, Any] = {}
    issues: Issues = set()
    for name, where, value in leaves(source, path):
        if isinstance(value, float) and not math.isfinite(value):
            issues.add(("non_finite_number", where))
        elif name in entries:
            issues.add(("metadata_key_taken", where))
        else:
            entries[name] = value
    return entries, issues


def says(text: str, value: Any) -> bool:
    """Whether metadata text says a value: a number may be printed in more than one way."""
    if isinstance(value, str):
        return text == value
    if isinstance(value, bool):
        return text == ("true" if value else "false")
    if isinstance(value, int | float):
        return float(Decimal(text)) == float(value)
    return bool(json.loads(text, parse_int=float) == json.loads(json.dumps(value), parse_int=float))


OBJECTS = nested_objects() | nested_objects(("a", "b", "a_b", "b_a", "a b", "a.b", "statsigCustom"))


class TestUS7Flattened:
    """
    `InboundConfig.nested = "flatten"` (default `"json"`) writes an object as one entry for each of its leaves instead,
    names joined by `_` (Statsig would read a dot as a path), in place and depth first; arrays stay JSON text; an entry
    whose name is taken is left out with an issue `metadata_key_taken` at its path. [policy; the commonest public wish]

    Corners: under `flatten` the entry that comes first stays, be it nested or not; an empty object, null and non-finite
    numbers take no name; paths are those of the source (`$.properties.a.b`); control keys are left out at the top only.
    """

    @given(st.sampled_from(("track", "page", "screen", "group")), OBJECTS)
    @example("track", {"a": {"b": 1}, "a_b": 2})
    @example("track", {"a_b": 2, "a": {"b": 1}})
    @example("track", {"a": {"b": {}}, "a_b": 1})
    @example("track", {"a": {"b": None}, "a_b": 1})
    @example("track", {"a": {"b": NAN}, "a_b": 1})
    @example("group", {"a": {"b_c": 1, "b": {"c": 2}}, "a_b": {"c": 3}})
    @example("page", {"statsigCustom": {"a": 1}, "a": {"statsigCustom": {"b": 2}}})
    def test_it_writes_each_leaf_under_its_joined_name(self, kind: str, held: JsonObject) -> None:
        event = translated(call_of(kind, held), FLATTEN)

        entries, issues = flattened(held, "$.traits" if kind == "group" else "$.properties")
        assert list(event.metadata) == list(entries)
        assert all(says(event.metadata[name], value) for name, value in entries.items())
        assert issues_of(event, "metadata_key_taken") == {pair for pair in issues if pair[0] == "metadata_key_taken"}
        assert {pair for pair in issues if pair[0] == "non_finite_number"} <= issues_of(event, "non_finite_number")

    @given(OBJECTS)
    def test_it_loses_nothing(self, held: JsonObject) -> None:
        """Every leaf is an entry of its own, or is named by an issue."""
        event = translated(call_of("track", held), FLATTEN)
        named = {path for _, path in issues_of(event, "metadata_key_taken", "non_finite_number")}

        for name, path, value in leaves(held, "$.properties"):
            assert path in named or says(event.metadata[name], value)
        assert len(event.metadata) + len({path for _, path, _ in leaves(held, "$.properties")} & named) == len(
            list(leaves(held, "$.properties"))
        )

    @given(OBJECTS)
    def test_no_value_is_an_object_any_more(self, held: JsonObject) -> None:
        event = translated(call_of("track", held), FLATTEN)

        own = {value for _, _, value in leaves(held, "") if isinstance(value, str)}
        assert not [text for text in event.metadata.values() if text.startswith("{") and text not in own]

    @given(
        st.dictionaries(st.sampled_from("abc"), json_values(max_leaves=2).filter(lambda value: not is_object(value)))
    )
    def test_without_objects_it_changes_nothing(self, held: JsonObject) -> None:
        call = call_of("track", held)

        assert to_log_event(translated(call, FLATTEN)) == to_log_event(translated(call, JSON))

    @given(OBJECTS)
    def test_json_is_the_default(self, held: JsonObject) -> None:
        call = call_of("track", held)

        assert translated(call, IntegrationConfig()) == translated(call, JSON)
        for key, value in held.items():
            if is_object(value) and key not in CONTROL_KEYS:
                assert translated(call, JSON).metadata[key].startswith("{")

    @given(OBJECTS)
    def test_flattening_what_is_flat_changes_nothing(self, held: JsonObject) -> None:
        once = translated(call_of("track", held), FLATTEN).metadata
        again = translated(call_of("track", dict(once)), FLATTEN).metadata

        assert again == {name: text for name, text in once.items() if name not in CONTROL_KEYS}

    @given(OBJECTS)
    def test_each_entry_is_explained_by_its_leaf(self, held: JsonObject) -> None:
        rows = [row for row in explain(call_of("track", held), FLATTEN).rows if row.rule == "US-7"]

        sources: dict[str, str] = {}
        for name, path, value in leaves(held, "$.properties"):
            if not (isinstance(value, float) and not math.isfinite(value)):
                sources.setdefault(name, path)
        assert [row.source for row in rows] == list(sources.values())

    @given(OBJECTS, st.sampled_from(("name", "category", "groupId")))
    def test_what_a_call_adds_comes_last(self, held: JsonObject, field: str) -> None:
        kind = "group" if field == "groupId" else "page"
        call = {**call_of(kind, held), field: "added"}

        metadata = translated(call, FLATTEN).metadata

        assert list(metadata)[-1] == field
        assert metadata[field] == "added"
