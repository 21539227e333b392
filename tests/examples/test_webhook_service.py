"""The pure part of the example service: what a consumer of a real queue imports from it."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from statsig_segment import IntegrationConfig, StatsigSegmentError

if TYPE_CHECKING:
    from types import ModuleType

MESSAGES = Path(__file__).parents[2] / "examples" / "webhook_service" / "messages.py"
CONFIG = IntegrationConfig()


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_messages", MESSAGES)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def outcomes(messages: ModuleType, lane: str, body: Any) -> list[Any]:
    """Do what the consumer in the README does with each record."""
    content = json.dumps(body).encode()
    return [messages.translate(lane, key, payload, CONFIG) for key, payload in messages.split(lane, content)]


def test_a_call_becomes_an_event_that_holds_its_key(messages: ModuleType) -> None:
    (outcome,) = outcomes(messages, "statsig", {"type": "track", "event": "Walked", "userId": "u1", "messageId": "m-1"})

    event = json.loads(outcome.payload)
    assert (outcome.state, outcome.key) == ("waiting", "m-1")
    assert (event["eventName"], event["user"]) == ("segment::Walked", {"userID": "u1"})
    assert event["metadata"] == {"statsigSegmentKey": "m-1"}


def test_an_export_becomes_a_call_whose_id_is_its_key(messages: ModuleType) -> None:
    (outcome,) = outcomes(messages, "segment", [{"eventName": "walked", "userID": "u1", "timeUUID": "t-1"}])

    call = json.loads(outcome.payload)
    assert (outcome.state, outcome.key) == ("waiting", "t-1")
    assert (call["type"], call["userId"], call["messageId"]) == ("track", "u1", "t-1")


def test_what_is_not_sent_says_why_and_is_kept(messages: ModuleType) -> None:
    audience = {"personas": {"computation_class": "audience", "computation_key": "walkers"}}
    calls = [
        {"type": "track", "event": "Walked"},
        {"type": "identify", "userId": "u1", "traits": {"plan": "trial"}},
        {"type": "identify", "userId": "u1", "traits": {"walkers": True}, "context": audience},
    ]

    came_to = outcomes(messages, "statsig", {"batch": calls})

    assert [(outcome.state, outcome.code) for outcome in came_to] == [
        ("dead", "no_identifier"),
        ("skipped", "identify_without_audience"),
        ("audience", None),
    ]
    assert json.loads(came_to[0].payload) == calls[0]


@pytest.mark.parametrize("own", [None, 7, "\ud800", "x" * 300])
def test_without_a_usable_id_the_content_is_the_key(messages: ModuleType, own: Any) -> None:
    call = {"type": "track", "event": "Walked", "userId": "u1", "messageId": own}
    bodies = [{**call, "sentAt": "2026-11-03T08:00:00Z"}, {**call, "sentAt": "2026-11-04T08:00:00Z"}, {**call, "n": 1}]

    first, again, other = (next(messages.split("statsig", json.dumps(body).encode()))[0] for body in bodies)

    assert first == again
    assert first != other
    assert len(first) == 64


@pytest.mark.parametrize("lane", ["statsig", "segment"])
def test_a_body_that_cannot_be_read_is_an_error(messages: ModuleType, lane: str) -> None:
    with pytest.raises(StatsigSegmentError):
        next(messages.split(lane, b"{"))
