"""Models: equality, hash, repr, pickle, copy, evolve; and the frozen trees that they hold."""

import copy
import pickle
from typing import Any, cast

import attrs
import pytest

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    ExportedEvent,
    Group,
    Identify,
    Issue,
    Page,
    Screen,
    StatsigEvent,
    StatsigUser,
    Track,
    config_change_event,
    parse_segment_event,
    parse_statsig_event,
    to_outbound_track,
    translate,
)
from statsig_segment._json.values import EMPTY, FrozenDict, freeze

ISSUE = Issue(code="id_invalid", path="$.userId")
ORDINARY: list[Any] = [
    Track(event="Signed Up", user_id="u1", properties={"plan": {"name": "trial", "seats": [1, 2]}}, issues=[ISSUE]),
    Page(name="Home", anonymous_id="a1", time_ms=5),
    Screen(category="Start", context={"ip": "192.0.2.1"}),
    Group(group_id="g1", traits={"size": 3}, custom_ids={"companyID": "c1"}),
    Identify(user_id="u2", traits={"vip": True}, other={"version": 1}),
    StatsigUser(user_id="u3", custom={"plan": "pro"}, environment="staging"),
    StatsigEvent(event_name="checkout", user=StatsigUser(user_id="u4"), value=4.5, metadata={"sku": "x"}),
    ConfigChange(timestamp=5, author="Ann", metadata={"tags": ["a"]}),
    AudienceUpdate(id_list="vip", member=True, user_id="u5"),
]


@pytest.mark.parametrize("model", ORDINARY, ids=[type(model).__name__ for model in ORDINARY])
class TestModels:
    def test_they_can_be_pickled_and_copied(self, model: Any) -> None:
        assert pickle.loads(pickle.dumps(model)) == model  # noqa: S301 - our own
        assert copy.copy(model) == copy.deepcopy(model) == model
        assert hash(copy.deepcopy(model)) == hash(model)

    def test_they_can_be_evolved(self, model: Any) -> None:
        assert attrs.evolve(model) == model
        assert repr(attrs.evolve(model)) == repr(model)

    def test_they_are_frozen(self, model: Any) -> None:
        kind = cast("Any", type(model))
        name = attrs.fields(kind)[0].name

        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(model, name, None)


class TestEvolving:
    def test_an_evolved_event_of_an_export_is_sent_as_it_was_evolved(self) -> None:
        event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 1})
        assert isinstance(event, ExportedEvent)

        evolved = attrs.evolve(event, fields={**event.fields, "value": 2})

        assert (evolved.value, evolved.user) == (2, event.user)
        assert to_outbound_track(evolved).get("properties") == {"value": 2}

    def test_an_evolved_config_change_is_sent_as_it_was_evolved(self) -> None:
        change = parse_statsig_event({"eventName": "statsig::config_change", "metadata": {"name": "a_gate"}})
        assert isinstance(change, ConfigChange)

        assert config_change_event(attrs.evolve(change, author="Ann")).get("properties", {})["author"] == "Ann"

    def test_an_evolved_call_keeps_its_other_fields(self) -> None:
        call = parse_segment_event({"type": "track", "event": "a", "version": 3})

        assert attrs.evolve(call, user_id="u1").other == {"version": 3}


class TestFrozenDicts:
    frozen: Any = freeze({"a": [1, {"b": None}], "c": "d"})

    @pytest.mark.parametrize(
        ("method", "arguments"),
        [
            ("update", ({"a": 1},)),
            ("pop", ("a",)),
            ("popitem", ()),
            ("clear", ()),
            ("setdefault", ("z", 1)),
            ("__setitem__", ("a", 1)),
            ("__delitem__", ("a",)),
            ("__ior__", ({"a": 1},)),
        ],
    )
    def test_they_refuse_every_change(self, method: str, arguments: tuple[object, ...]) -> None:
        with pytest.raises(TypeError, match="immutable"):
            getattr(self.frozen, method)(*arguments)

    def test_they_are_frozen_all_the_way_down(self) -> None:
        assert self.frozen == {"a": (1, {"b": None}), "c": "d"}
        with pytest.raises(TypeError, match="immutable"):
            self.frozen["a"][1]["b"] = 2

    def test_they_can_be_hashed_copied_and_pickled(self) -> None:
        assert hash(self.frozen) == hash(freeze({"c": "d", "a": [1, {"b": None}]}))
        assert copy.copy(self.frozen) is copy.deepcopy(self.frozen) is self.frozen
        again: Any = pickle.loads(pickle.dumps(self.frozen))  # noqa: S301 - our own
        assert (again, again.__class__) == (self.frozen, FrozenDict)

    def test_freezing_again_costs_nothing(self) -> None:
        assert freeze(self.frozen) is self.frozen
        assert freeze(EMPTY) is EMPTY


class TestWhatATranslationKeeps:
    def test_a_result_holds_nothing_of_the_payload_that_can_change(self) -> None:
        payload: dict[str, Any] = {
            "type": "track",
            "event": "a",
            "userId": "u1",
            "properties": {"statsigCustom": ["tags", ["x"]], "statsigCustomIDs": ["companyID", "c1"], "n": {"m": [1]}},
        }

        event = translate(payload)
        before = repr(event)
        payload["properties"]["statsigCustom"][1].append("y")
        payload["properties"]["n"]["m"].append(2)
        payload["properties"]["statsigCustomIDs"][1] = "c2"

        assert repr(event) == before
