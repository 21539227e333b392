"""Constructors of models: what they refuse, and that no two models share what they hold."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, cast

import attrs
import pytest
from tests.support.calls import user_track

from statsig_segment import (
    AudienceUpdate,
    Group,
    Identify,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    Issue,
    Page,
    Screen,
    StatsigEvent,
    StatsigUser,
    Track,
    apply_id_mappings,
    parse_segment_event,
    to_statsig_event,
    translate,
)
from statsig_segment.errors import SegmentEventError, StatsigEventError
from statsig_segment.inbound.translate import reference_outcome


class Hostile:
    """An object that fails whatever it is asked."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


WRONG: list[tuple[type, type, dict[str, Any], str]] = [
    (Track, SegmentEventError, {"event": 5}, "event"),
    (Track, SegmentEventError, {"event": None}, "event"),
    (Track, SegmentEventError, {"event": "a", "user_id": 5}, "user_id"),
    (Track, SegmentEventError, {"event": "a", "anonymous_id": b"x"}, "anonymous_id"),
    (Track, SegmentEventError, {"event": "a", "group_id": True}, "group_id"),
    (Track, SegmentEventError, {"event": "a", "message_id": ["m"]}, "message_id"),
    (Track, SegmentEventError, {"event": "a", "time_ms": "2024-03-01"}, "time_ms"),
    (Track, SegmentEventError, {"event": "a", "time_ms": 5.5}, "time_ms"),
    (Track, SegmentEventError, {"event": "a", "time_ms": True}, "time_ms"),
    (Track, SegmentEventError, {"event": "a", "context": 5}, "context"),
    (Track, SegmentEventError, {"event": "a", "integrations": None}, "integrations"),
    (Track, SegmentEventError, {"event": "a", "properties": [1]}, "properties"),
    (Track, SegmentEventError, {"event": "a", "properties": Hostile()}, "properties"),
    (Track, SegmentEventError, {"event": "a", "custom_ids": {"companyID": 5}}, "custom_ids"),
    (Track, SegmentEventError, {"event": "a", "other": "x"}, "other"),
    (Track, SegmentEventError, {"event": "a", "issues": ["x"]}, "issues"),
    (Track, SegmentEventError, {"event": "a", "issues": 5}, "issues"),
    (Track, SegmentEventError, {"event": "a", "issues": Hostile()}, "issues"),
    (Page, SegmentEventError, {"name": 5}, "name"),
    (Screen, SegmentEventError, {"category": []}, "category"),
    (Group, SegmentEventError, {"traits": "x"}, "traits"),
    (Identify, SegmentEventError, {"traits": None}, "traits"),
    (StatsigUser, StatsigEventError, {"user_id": 5}, "user_id"),
    (StatsigUser, StatsigEventError, {"custom_ids": {"companyID": None}}, "custom_ids"),
    (StatsigUser, StatsigEventError, {"email": Hostile()}, "email"),
    (StatsigUser, StatsigEventError, {"custom": 5}, "custom"),
    (StatsigUser, StatsigEventError, {"environment": {"tier": "staging"}}, "environment"),
    (StatsigEvent, StatsigEventError, {"event_name": None}, "event_name"),
    (StatsigEvent, StatsigEventError, {"event_name": "a", "user": {"userID": "u1"}}, "user"),
    (StatsigEvent, StatsigEventError, {"event_name": "a", "value": [1]}, "value"),
    (StatsigEvent, StatsigEventError, {"event_name": "a", "value": True}, "value"),
    (StatsigEvent, StatsigEventError, {"event_name": "a", "time_ms": 5.0}, "time_ms"),
    (StatsigEvent, StatsigEventError, {"event_name": "a", "metadata": 5}, "metadata"),
    (AudienceUpdate, StatsigEventError, {"id_list": 5, "member": True}, "id_list"),
    (AudienceUpdate, StatsigEventError, {"id_list": "vip", "member": "true"}, "member"),
    (AudienceUpdate, StatsigEventError, {"id_list": "vip", "member": True, "user_id": 5}, "user_id"),
]


@pytest.mark.parametrize(("model", "error", "attributes", "name"), WRONG)
def test_a_constructor_refuses_wrong_types(
    model: Any, error: type[SegmentEventError], attributes: dict[str, Any], name: str
) -> None:
    with pytest.raises(error) as raised:
        model(**attributes)

    assert (raised.value.code, raised.value.path) == ("wrong_type", name)
    assert raised.value.__cause__ is raised.value.__context__ is None


def test_text_and_objects_of_types_of_their_own_become_exact() -> None:
    class Text(str):
        __slots__ = ()

    call = Track(event=Text("a"), user_id=Text("u1"), properties={Text("b"): Text("c")}, issues=iter([]))

    assert {type(call.event), type(call.user_id), *map(type, call.properties)} == {str}


def test_a_value_and_ids_of_types_of_their_own_become_exact_and_are_the_models_own() -> None:
    class Number(float):
        __slots__ = ()

    ids = OrderedDict[str, str](companyID="c1")
    event = StatsigEvent(event_name="a", value=Number(9.5), metadata=MappingProxyType({"plan": "pro"}))
    user = StatsigUser(custom_ids=ids)
    ids["companyID"] = "c2"

    assert (event.value, type(event.value), event.metadata) == (9.5, float, {"plan": "pro"})
    assert (user.custom_ids, type(user.custom_ids)) == ({"companyID": "c1"}, type(StatsigUser().custom_ids))


CONFIG = IntegrationConfig(inbound=InboundConfig(id_mappings=[IdMapping(field="anonymousId", id_type="own")]))
CALL = user_track(anonymousId="a1")
MADE: dict[str, Callable[[], Any]] = {
    **{
        kind: lambda kind=kind: parse_segment_event({"type": kind, "event": "a", "userId": "u1"})  # type: ignore[misc]
        for kind in ("track", "page", "screen", "group", "identify")
    },
    "mapped": lambda: apply_id_mappings(parse_segment_event(CALL), CONFIG.inbound.id_mappings),
    "converted": lambda: to_statsig_event(Track(event="a", user_id="u1")),
    "its user": lambda: to_statsig_event(Track(event="a", user_id="u1")).user,
    "translated": lambda: translate(user_track()),
    "translated user": lambda: getattr(translate(user_track()), "user", None),
    "by the reference": lambda: reference_outcome(user_track(), InboundConfig(), 0, None),
    "by hand": lambda: Track(event="a"),
    "event by hand": lambda: StatsigEvent(event_name="a"),
    "user by hand": StatsigUser,
    "update by hand": lambda: AudienceUpdate(id_list="vip", member=True),
}


def kinds(model: Any) -> dict[str, type]:
    """The attributes of a model, and the types of their values."""
    held = cast("dict[str, Any]", vars(model))
    return {name: type(value) for name, value in held.items()}


@pytest.mark.parametrize("name", MADE)
class TestOneTruthAModel:
    def test_a_model_made_without_its_constructor_is_the_one_that_it_makes(self, name: str) -> None:
        model = MADE[name]()
        again = attrs.evolve(model)

        assert again == model
        assert repr(again) == repr(model)
        assert kinds(again) == kinds(model)

    def test_no_two_models_share_what_they_hold(self, name: str) -> None:
        before, shown = MADE[name](), repr(MADE[name]())
        write: Callable[[Any, str, str], None] = cast("Any", dict).__setitem__
        for attribute, kind in kinds(before).items():
            if issubclass(kind, dict):
                write(getattr(before, attribute), "written", "by force")

        assert repr(MADE[name]()) == shown

    def test_what_only_the_library_needs_is_not_shown(self, name: str) -> None:
        model = MADE[name]()

        assert not any(f"{key}=" in repr(model) for key in kinds(model) if key.startswith("_"))


def test_issues_may_come_from_any_iterable() -> None:
    issue = Issue(code="id_invalid", path="$.userId")

    assert Track(event="a", issues=(one for one in [issue])).issues == (issue,)
