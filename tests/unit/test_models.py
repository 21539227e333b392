"""The fast constructor of models makes what the ordinary one makes: equality, hash, repr, pickle, copy, evolve."""

import copy
import pickle
from typing import Any, cast

import attrs
import pytest

from statsig_segment import (
    AudienceUpdate,
    ConfigChange,
    Group,
    Identify,
    Issue,
    Page,
    Screen,
    StatsigEvent,
    StatsigUser,
    Track,
    parse_segment_event,
    parse_statsig_event,
    translate,
)
from statsig_segment._values import EMPTY, FrozenDict, freeze
from statsig_segment.models import changed, make

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


def made(model: Any) -> Any:
    """Make the same model the fast way."""
    kind = cast("Any", type(model))
    return make(kind, dict(model.__dict__))


def sparse(model: Any) -> Any:
    """Make the same model the fast way, leaving out all fields that have their default."""
    kind = cast("Any", type(model))
    fields: list[attrs.Attribute[Any]] = list(attrs.fields(kind))
    values = {field.name: getattr(model, field.name) for field in fields}
    return make(kind, {field.name: values[field.name] for field in fields if values[field.name] != field.default})


@pytest.mark.parametrize("way", [made, sparse])
@pytest.mark.parametrize("model", ORDINARY, ids=[type(model).__name__ for model in ORDINARY])
class TestTheFastConstructor:
    def test_its_models_are_equal_and_hash_alike(self, model: Any, way: Any) -> None:
        assert way(model) == model
        assert hash(way(model)) == hash(model)

    def test_its_models_print_alike(self, model: Any, way: Any) -> None:
        assert repr(way(model)) == repr(model)

    def test_its_models_can_be_pickled_and_copied(self, model: Any, way: Any) -> None:
        assert pickle.loads(pickle.dumps(way(model))) == model  # noqa: S301 - our own
        assert copy.copy(way(model)) == copy.deepcopy(way(model)) == model

    def test_its_models_can_be_evolved(self, model: Any, way: Any) -> None:
        assert attrs.evolve(way(model)) == model
        assert changed(way(model)) == model

    def test_its_models_are_frozen(self, model: Any, way: Any) -> None:
        kind = cast("Any", type(model))
        name = attrs.fields(kind)[0].name

        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(way(model), name, None)


@pytest.mark.parametrize(
    ("model", "field"), [(StatsigEvent, "event_name"), (Track, "event"), (AudienceUpdate, "id_list")]
)
def test_a_field_that_must_be_given_has_no_value_on_its_class(model: type, field: str) -> None:
    assert not hasattr(model, field)


class TestEvolving:
    def test_an_evolved_event_of_an_export_says_what_it_was_told(self) -> None:
        event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 1})
        assert isinstance(event, StatsigEvent)

        evolved = attrs.evolve(event, value=2)

        assert (evolved.value, evolved.user, evolved.export) == (2, event.user, None)

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
