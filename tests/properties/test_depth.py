"""Properties of the bound of depth (TR-5): 100 levels pass, the rest reads as null, and no model breaks on depth."""

from __future__ import annotations

import contextlib
import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.support.calls import user_track as track
from tests.support.edits import nested
from tests.support.strategies import DEEP_VALUES
from tests.support.values import is_array, is_object

from statsig_segment import (
    ConfigChange,
    Group,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    OutboundConfig,
    StatsigEvent,
    StatsigSegmentError,
    StatsigUser,
    Track,
    apply_id_mappings,
    config_change_event,
    explain,
    export,
    export_many,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    split_statsig_export,
    to_log_event,
    to_outbound_track,
    to_statsig_event,
    translate,
    translate_many,
)


def cut(value: Any, around: int) -> Any:
    """The oracle of TR-5: what has more than 100 objects and arrays around it reads as null."""
    if around > 100:
        return None
    if is_object(value):
        return {key: cut(item, around + 1) for key, item in value.items()}
    if is_array(value):
        return [cut(item, around + 1) for item in value]
    return value


def same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def translated(call: Any, **inbound: Any) -> StatsigEvent:
    event = translate(call, IntegrationConfig(inbound=InboundConfig(**inbound)))
    assert isinstance(event, StatsigEvent)
    return event


def found(event: Any) -> set[tuple[str, str]]:
    return {(issue.code, issue.path) for issue in event.issues}


KINDS = st.sampled_from(("[", "{", "[{"))
DEEP = DEEP_VALUES.filter(lambda value: "null" not in json.dumps(value))


class TestTR5InboundDepth:
    """
    Depth is bounded: what lies more than 100 objects and arrays deep inside a payload reads as null (so does a
    container inside itself); where it would have been sent there is an issue `too_deep` at its path (the top-level
    property's). [policy]

    Corners: counted are the objects and arrays around a value, the payload's own among them: a value with more than 100
    around it reads as null. Inbound the issue stands at `$.properties.p`. Text is refused as `invalid_json` only where
    Python's reader cannot read it; splitting passes items unparsed.
    """

    @given(st.integers(90, 110), KINDS, st.sampled_from(("track", "page", "group")))
    @example(98, "[", "track")
    @example(99, "[", "track")
    @example(98, "{", "group")
    @example(99, "{", "group")
    def test_100_levels_pass_and_101_read_null(self, levels: int, kinds: str, kind: str) -> None:
        field = "traits" if kind == "group" else "properties"
        value = nested(levels, kinds)
        call = {"type": kind, "event": "a", "userId": "u1", field: {"p": value, "q": 8}}

        event = translated(call)

        assert json.loads(event.metadata["p"]) == cut(value, 2)
        assert event.metadata["q"] == "8"
        too_deep = levels + 2 > 100
        assert found(event) == ({("too_deep", f"$.{field}.p")} if too_deep else set())
        assert ("null" in event.metadata["p"]) == too_deep

    @given(DEEP, st.sampled_from(("json", "flatten")))
    def test_what_is_sent_is_what_the_cut_call_sends(self, value: Any, nested_as: str) -> None:
        event = translated(track(properties={"p": value}), nested=nested_as)

        twin = translated(track(properties={"p": cut(value, 2)}), nested=nested_as)

        assert to_log_event(event) == to_log_event(twin)
        assert found(event) - found(twin) == ({("too_deep", "$.properties.p")} if cut(value, 2) != value else set())

    @given(DEEP)
    def test_objects_text_and_bytes_are_cut_alike(self, value: Any) -> None:
        call = track(properties={"p": value})
        text = json.dumps(call)

        assert translated(call) == translated(text) == translated(text.encode())

    @given(DEEP)
    def test_a_pair_is_cut_and_named_by_its_array(self, value: Any) -> None:
        event = translated(track(properties={"statsigCustom": ["plan", value]}))

        twin = translated(track(properties={"statsigCustom": ["plan", cut(value, 3)]}))
        assert event.user.custom == twin.user.custom
        assert (("too_deep", "$.properties.statsigCustom") in found(event)) == (cut(value, 3) != value)

    @given(DEEP, st.sampled_from(("context", "integrations", "extra", "traits")))
    def test_what_is_not_sent_gives_no_issue(self, value: Any, field: str) -> None:
        assert translated(track(**{field: {"p": value}})).issues == ()

    @given(st.integers(1, 99), st.sampled_from(("id_mappings", "user_fields", "custom_fields", "metadata_fields")))
    @example(99, "id_mappings")
    def test_every_path_that_is_allowed_reaches_its_value(self, levels: int, key: str) -> None:
        """A path of 100 steps leads to a value with 100 around it."""
        call = track(**nested(levels, "{", {"a": "x"}))
        path = ".".join("a" * (levels + 1))
        table: Any = [IdMapping(field=path, id_type="own")] if key == "id_mappings" else {"email": path}

        sent: Any = to_log_event(translated(call, **{key: table}))

        places = {
            "id_mappings": sent["user"].get("customIDs"),
            "user_fields": {"own": sent["user"].get("email")},
            "custom_fields": {"own": sent["user"].get("custom", {}).get("email")},
            "metadata_fields": {"own": sent["metadata"].get("email")},
        }
        assert places[key] == {"own": "x"}

    @given(st.sampled_from((list, dict)), st.integers(0, 3))
    def test_a_container_inside_itself_reads_as_null(self, make: type[Any], levels: int) -> None:
        whole: Any = make()
        inner: Any = nested(levels, "[", whole)
        if is_object(whole):
            whole.update(a=inner, b=inner)
        else:
            whole += [inner, inner]
        again = nested(levels, "[", None)
        expected = {"a": again, "b": again} if make is dict else [again, again]

        event = translated(track(properties={"p": whole}))

        assert json.loads(event.metadata["p"]) == expected
        assert found(event) == {("too_deep", "$.properties.p")}

    @given(DEEP)
    def test_splitting_passes_items_as_they_are(self, value: Any) -> None:
        call = track(properties={"p": value})

        assert list(split_segment_batch({"batch": [call]})) == [call]
        assert list(split_statsig_export([{"eventName": "a", "metadata": value}])) == [
            {"eventName": "a", "metadata": value}
        ]


class TestTR5OutboundDepth:
    """
    In both directions: outbound the issue stands at the top-level key, such as `$.metadata`.
    """

    @given(DEEP, st.sampled_from(("user", "metadata")), st.sampled_from(("documented", "deliverable")))
    def test_what_is_exported_is_cut(self, value: Any, key: str, profile: str) -> None:
        payload = {"eventName": "a", "userID": "u1", key: {"p": value}}
        config = IntegrationConfig(outbound=OutboundConfig(profile=profile))

        sent: Any = export(payload, config)

        assert same(sent["context"][key], {"p": cut(value, 2)})
        event = parse_statsig_event(payload)
        assert found(event) == ({("too_deep", f"$.{key}")} if cut(value, 2) != value else set())

    @given(DEEP)
    def test_a_value_is_cut_as_well(self, value: Any) -> None:
        sent: Any = export({"eventName": "a", "userID": "u1", "value": value})

        assert same(sent["properties"]["value"], cut(value, 1))
        event = parse_statsig_event({"eventName": "a", "value": value})
        assert found(event) == ({("too_deep", "$.value")} if cut(value, 1) != value else set())

    @given(DEEP)
    def test_a_config_change_is_cut_as_well(self, value: Any) -> None:
        payload = {"eventName": "statsig::config_change", "userID": "u1", "metadata": {"tags": value}}
        config = IntegrationConfig(outbound=OutboundConfig(profile="deliverable"))

        sent: Any = export(payload, config)

        assert same(sent["properties"]["tags"], cut(value, 2))
        change = parse_statsig_event(payload)
        assert isinstance(change, ConfigChange)
        assert found(change) == ({("too_deep", "$.metadata")} if cut(value, 2) != value else set())

    @given(st.integers(99, 101), KINDS)
    def test_100_levels_pass_and_101_read_null(self, levels: int, kinds: str) -> None:
        sent: Any = export({"eventName": "a", "userID": "u1", "value": nested(levels, kinds)})

        assert ("null" in json.dumps(sent["properties"]["value"])) == (levels + 1 > 100)


LEVELS = 5_000  # far beyond what Python's own recursion withstands

KINDS_OF_MODEL: dict[str, Callable[[Any], Any]] = {
    "track": lambda deep: parse_segment_event(track(properties={"p": deep}, context={"p": deep}, extra=deep)),
    "group": lambda deep: parse_segment_event({"type": "group", "traits": {"p": deep}, "integrations": {"p": deep}}),
    "mapped": lambda deep: apply_id_mappings(
        parse_segment_event(track(extra={"p": deep})), [IdMapping(field="extra.p", id_type="own")]
    ),
    "event": lambda deep: translate(track(properties={"p": deep, "statsigCustom": ["plan", deep]})),
    "flattened": lambda deep: translate(
        track(properties={"p": deep}), IntegrationConfig(inbound=InboundConfig(nested="flatten"))
    ),
    "explanation": lambda deep: explain(track(properties={"p": deep})).rows,
    "exported": lambda deep: parse_statsig_event({"eventName": "a", "metadata": {"p": deep}, "value": deep}),
    "user": lambda deep: parse_statsig_event({"eventName": "a", "user": {"p": deep}, "statsigMetadata": {"p": deep}}),
    "change": lambda deep: parse_statsig_event({"eventName": "statsig::config_change", "metadata": {"tags": deep}}),
    "made track": lambda deep: Track(event="a", user_id="u1", properties={"p": deep}, context={"p": deep}),
    "made group": lambda deep: Group(user_id="u1", traits={"p": deep}),
    "made event": lambda deep: StatsigEvent(event_name="a", metadata={"p": deep}),
    "made user": lambda deep: StatsigUser(custom={"p": deep}),
    "made change": lambda deep: ConfigChange(metadata={"p": deep}),
    "evolved": lambda deep: attrs.evolve(Track(event="a", user_id="u1"), properties={"p": deep}),
}


def hashed(one: Any, _: Any) -> None:
    with contextlib.suppress(TypeError):  # what holds an unhashable value of the caller's has no hash
        hash(one)


USES: dict[str, Callable[[Any, Any], Any]] = {
    "compared": lambda one, other: one == other,
    "hashed": hashed,
    "shown": lambda one, _: repr(one),
    "pickled": lambda one, _: pickle.loads(pickle.dumps(one)) == one,  # noqa: S301 - our own
    "copied": lambda one, _: copy.deepcopy(one) == one,
}


class TestTR5ModelsOfDeepPayloads:
    """
    So every walk is a plain recursion, time is linear, and no model of ours can raise `RecursionError` when it is
    compared, hashed, shown or pickled.
    """

    @pytest.mark.parametrize("kind", KINDS_OF_MODEL)
    @pytest.mark.parametrize("kinds", ["[", "{"])
    def test_no_use_of_a_model_breaks(self, kind: str, kinds: str) -> None:
        make = KINDS_OF_MODEL[kind]
        try:
            one, other = make(nested(LEVELS, kinds)), make(nested(LEVELS, kinds))
        except StatsigSegmentError:
            return

        for use in USES.values():
            use(one, other)

    @pytest.mark.parametrize("many", [translate_many, export_many])
    def test_what_carries_a_payload_can_be_compared_and_shown(self, many: Callable[[Any], Any]) -> None:
        payload, twin = ({"type": "video", "p": nested(LEVELS)} for _ in range(2))
        (one,), (other,) = many([payload]), many([twin])

        assert isinstance(one == other, bool)
        assert "[" not in repr(one)

    @pytest.mark.parametrize("kind", ["made event", "exported"])
    def test_a_deep_model_can_be_sent(self, kind: str) -> None:
        json.dumps(to_outbound_track(KINDS_OF_MODEL[kind](nested(LEVELS))))

    def test_deep_steps_by_hand_work_too(self) -> None:
        event = to_statsig_event(KINDS_OF_MODEL["made track"](nested(LEVELS)))
        made: Any = KINDS_OF_MODEL["made event"](nested(LEVELS))
        change: Any = config_change_event(KINDS_OF_MODEL["made change"](nested(LEVELS)))

        json.dumps([to_log_event(event), to_log_event(made), change])
