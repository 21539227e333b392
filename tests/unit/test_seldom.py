"""What is seldom drawn: foreign objects in seldom places, and more of something than is remembered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from hypothesis import find

from statsig_segment import (
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    parse_segment_event,
    parse_statsig_event,
    split_segment_batch,
    translate,
)
from statsig_segment import testing as kit


class Kind(Enum):
    TRACK = "track"


class Failing(Mapping[str, Any]):
    """A mapping that fails when it is read."""

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError

    def __len__(self) -> int:
        return 1


class Text(str):
    """A string of a type of its own."""

    __slots__ = ()


class Items(list[Any]):
    """A list of a type of its own."""


def track(**fields: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Signed Up", "userId": "u1", **fields}


def test_a_list_of_a_type_of_its_own_is_an_array() -> None:
    call = parse_segment_event(track(properties={"tags": Items(["a"])}))

    assert call.properties == {"tags": ("a",)}


def test_an_item_that_fails_when_it_is_read_is_left_to_the_parser() -> None:
    failing: Any = Failing()

    assert list(split_segment_batch([failing, {"type": "track"}])) == [failing, {"type": "track"}]


def test_what_is_not_sent_of_an_export_gives_no_issue() -> None:
    payload: Any = {"eventName": "checkout", "userID": "u1", "note": object(), "value": object()}
    event = parse_statsig_event(payload)

    assert [issue.path for issue in event.issues] == ["$.value"]


def test_a_number_of_a_foreign_type_is_drawn_and_read() -> None:
    number = find(kit.python_values(max_leaves=1), lambda value: type(value).__name__ == "_Count")

    assert parse_segment_event(track(properties={"n": number})).properties == {"n": int(number)}
    assert repr(number) == f"_Count({int(number)})"


def test_a_nested_key_of_a_type_of_its_own_is_flattened_as_its_text() -> None:
    config = IntegrationConfig(inbound=InboundConfig(nested="flatten"))
    event = translate(track(properties={"cart": {Text("id"): "c1"}}), config)

    assert isinstance(event, StatsigEvent)
    assert [(key, type(key)) for key in event.metadata] == [("cart_id", str)]
