"""Properties of the paths of a configuration (ID-4): dotted steps, selectors, and the limit of 100 steps (TR-5)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import user_track as track
from tests.support.values import JsonObject, is_array, is_object

from statsig_segment import (
    ConfigError,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    apply_id_mappings,
    load_config,
    parse_segment_event,
    to_log_event,
    translate,
)
from statsig_segment.testing import identifiers, json_values

# A step is a name, or a name with a selector: a key and the text that stands under it.
Step = str | tuple[str, str, str]

PLAIN = st.text(st.characters(codec="utf-8", exclude_characters=".[]="), min_size=1, max_size=4)
WANTED = st.text(st.characters(codec="utf-8", exclude_characters="[]="), max_size=6) | st.sampled_from(
    ("phone", "ios.idfa", "7", "", " ")
)


def spelled(steps: list[Step]) -> str:
    """Write steps down as a configuration has them."""
    return ".".join(step if isinstance(step, str) else f"{step[0]}[{step[1]}={step[2]}]" for step in steps)


def walked(value: Any, steps: list[Step]) -> Any:
    """The oracle of ID-4: what stands at the end of a path, `...` for nothing."""
    for step in steps:
        name = step if isinstance(step, str) else step[0]
        if not is_object(value) or name not in value:
            return ...
        value = value[name]
        if not isinstance(step, str):
            _, key, wanted = step
            rows = value if is_array(value) else []
            value = next((row for row in rows if is_object(row) and is_text(row.get(key), wanted)), ...)
    return value


def is_text(value: Any, wanted: str) -> bool:
    return isinstance(value, str) and value == wanted


KINDS: st.SearchStrategy[Any] = st.sampled_from(("phone", "ios.idfa", "ga", "Phone", "", 7, None, True, ["phone"]))
ROWS: st.SearchStrategy[list[Any]] = st.lists(
    st.one_of(
        st.fixed_dictionaries({}, optional={"type": KINDS, "kind": KINDS, "id": identifiers(), "ids": st.none()}),
        json_values(max_leaves=2),
    ),
    max_size=4,
)
TREES: st.SearchStrategy[JsonObject] = st.fixed_dictionaries(
    {},
    optional={
        "externalIds": ROWS | json_values(max_leaves=2),
        "device": st.fixed_dictionaries({"ids": ROWS}),
        "groups": st.lists(st.fixed_dictionaries({"type": KINDS, "ids": ROWS}), max_size=2),
    },
)
SELECTED: st.SearchStrategy[list[Step]] = st.sampled_from(
    (
        ["context", ("externalIds", "type", "phone"), "id"],
        ["context", ("externalIds", "type", "ios.idfa"), "id"],
        ["context", ("externalIds", "kind", ""), "id"],
        ["context", ("externalIds", "type", "phone")],
        ["context", "externalIds", "id"],
        ["context", "device", ("ids", "type", "7"), "id"],
        ["context", ("groups", "type", "ga"), ("ids", "kind", "phone"), "id"],
        [("externalIds", "type", "phone"), "id"],
    )
)

BROKEN = (
    "a[b]",
    "a[]",
    "a[=c]",
    "[b=c]",
    "x.[b=c]",
    "a[b=c",
    "ab=c]",
    "a[b=c][d=e]",
    "a[b=c]d",
    "a[b=c]d.e",
    "a]",
    "a[",
)


class TestID4Selectors:
    """
    Beyond the docs, a dotted `field` walks into objects when no top-level field has that exact name. A step
    `name[key=value]` enters the array `name` and takes its first object whose `key` is exactly that string:
    `context.externalIds[type=phone].id` [policy; Segment's spec of externalIds]. A path that cannot be read in this way
    is a `ConfigError`.

    Corners: brackets protect dots (`[type=ios.idfa]`); a step has one selector, key and name are not empty, and only a
    dot or the end follows `]`. The first object that fits ends the search. A path that ends in a selector gives the
    object. The same syntax holds for `user_fields`, `custom_fields` and `metadata_fields`.
    """

    @given(TREES, TREES, SELECTED)
    def test_a_path_finds_the_first_match(self, context: JsonObject, top: JsonObject, steps: list[Step]) -> None:
        call = track(**top, context=context)
        found = walked(call, steps)

        event = apply_id_mappings(parse_segment_event(call), [IdMapping(field=spelled(steps), id_type="own")])

        usable = isinstance(found, str | int | float) and not isinstance(found, bool) and found != ""
        if isinstance(found, float):
            usable = found.is_integer()
        assert ("own" in event.custom_ids) == usable
        if isinstance(found, str) and found:
            assert event.custom_ids["own"] == found
        invalid = [issue for issue in event.issues if issue.code == "id_invalid"]
        assert len(invalid) == (not usable and found is not ... and found is not None)

    @given(PLAIN, PLAIN, WANTED, identifiers(numbers=False), st.lists(json_values(max_leaves=2), max_size=2))
    @example("externalIds", "type", "ios.idfa", "x", [])
    @example("a", "b", "", "x", [{"b": "other"}])
    def test_any_name_key_and_text_can_be_written(
        self, name: str, key: str, wanted: str, value: str, before: list[Any]
    ) -> None:
        before = [row for row in before if not (is_object(row) and is_text(row.get(key), wanted))]
        row = {"held": value, key: wanted}
        call = track(context={"x": {name: [*before, row]}})
        last = "held" if key != "held" else key

        event = apply_id_mappings(
            parse_segment_event(call),
            [IdMapping(field=spelled(["context", "x", (name, key, wanted), last]), id_type="own")],
        )

        assert event.custom_ids.get("own") == (row[last] or None)

    @given(identifiers(numbers=False), identifiers(numbers=False))
    def test_a_top_level_field_of_exactly_that_name_comes_first(self, exact: str, inner: str) -> None:
        field = "ids[type=phone].id"
        call = track(**{field: exact, "ids": [{"type": "phone", "id": inner}]})

        event = apply_id_mappings(parse_segment_event(call), [IdMapping(field=field, id_type="own")])

        assert event.custom_ids["own"] == exact

    @given(TREES, SELECTED)
    def test_every_table_of_paths_walks_alike(self, context: JsonObject, steps: list[Step]) -> None:
        call = track(context=context)
        found = walked(call, steps)
        path = spelled(steps)
        config = IntegrationConfig(
            inbound=InboundConfig(
                user_fields={"email": path}, custom_fields={"own": path}, metadata_fields={"own": path}
            )
        )

        event = translate(call, config)

        assert isinstance(event, StatsigEvent)
        sent: Any = to_log_event(event)
        is_there = found is not ... and found is not None
        assert ("own" in sent["metadata"]) == ("own" in sent["user"].get("custom", {})) == is_there
        if isinstance(found, str) and found:
            assert sent["user"]["email"] == sent["user"]["custom"]["own"] == sent["metadata"]["own"] == found

    @pytest.mark.parametrize("path", BROKEN)
    def test_a_path_that_cannot_be_read_is_a_config_error(self, path: str) -> None:
        for make in (
            lambda: IdMapping(field=path, id_type="own"),
            lambda: InboundConfig(user_fields={"email": path}),
            lambda: InboundConfig(custom_fields={"own": path}),
            lambda: InboundConfig(metadata_fields={"own": path}),
            lambda: load_config({"inbound": {"id_mappings": [{"field": path, "id_type": "own"}]}}),
            lambda: load_config({"inbound": {"custom_fields": {"own": path}}}),
        ):
            with pytest.raises(ConfigError):
                make()

    @given(st.lists(PLAIN | st.tuples(PLAIN, PLAIN, WANTED), min_size=1, max_size=5))
    def test_every_path_that_keeps_the_syntax_can_be_read(self, steps: list[Step]) -> None:
        assert IdMapping(field=spelled(steps), id_type="own").field == spelled(steps)


class TestTR5StepsOfAPath:
    """A path of ID-4 with more than 100 steps is a `ConfigError` (TR-5)."""

    @given(st.integers(1, 130), st.booleans())
    @example(100, False)
    @example(101, False)
    @example(100, True)
    @example(101, True)
    def test_a_path_has_at_most_100_steps(self, count: int, selected: bool) -> None:
        last: Step = ("a", "b", "c.d") if selected else "a"
        steps: list[Step] = [*(["a"] * (count - 1)), last]
        path = spelled(steps)

        for make in (
            lambda: IdMapping(field=path, id_type="own"),
            lambda: InboundConfig(user_fields={"email": path}),
            lambda: InboundConfig(custom_fields={"own": path}),
            lambda: InboundConfig(metadata_fields={"own": path}),
        ):
            if count <= 100:
                make()
            else:
                with pytest.raises(ConfigError):
                    make()
