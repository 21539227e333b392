"""Statsig's own SDKs log an event, and we translate the equivalent Segment call: what is sent agrees, field by field.

What differs is listed with its reason. A difference that is not listed fails, and so does a listed one that is gone.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest

from statsig_segment import (
    InboundConfig,
    IntegrationConfig,
    StatsigEvent,
    to_log_event,
    to_log_event_request,
    translate,
)

if TYPE_CHECKING:
    from tests.integration import loopback
else:
    import integration_loopback as loopback  # conftest.py imports it by its path

pytestmark = pytest.mark.integration

TIME = "2026-11-03T08:00:00.123Z"
TIME_MS = 1793692800123
CONFIG = IntegrationConfig(
    inbound=InboundConfig(
        user_fields={
            "ip": "context.ip",
            "userAgent": "context.userAgent",
            "locale": "context.locale",
            "email": "context.traits.email",
            "country": "context.location.country",
            "appVersion": "context.app.version",
        }
    )
)

# The same event twice: the arguments of an SDK's log_event, and the Segment call.
EVENTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "everything": (
        {
            "user": {
                "user_id": "u1",
                "email": "ann@walk.example",
                "ip": "192.0.2.7",
                "user_agent": "Walker/1",
                "country": "CH",
                "locale": "de-CH",
                "app_version": "5.3.0",
                "custom": {"plan": "team", "seats": 3, "ratio": 0.5, "trial": True, "regions": ["north", "west"]},
                "custom_ids": {"companyID": "c-9", "teamID": "3"},
            },
            "environment": {"tier": "staging"},
            "value": 4.5,
            "metadata": {"value": "4.5", "word": "Übermorgen 🚶", "deep": '{"a":[1,null]}'},
        },
        {
            "userId": "u1",
            "context": {
                "ip": "192.0.2.7",
                "userAgent": "Walker/1",
                "locale": "de-CH",
                "traits": {"email": "ann@walk.example"},
                "location": {"country": "CH"},
                "app": {"version": "5.3.0"},
            },
            "properties": {
                "value": 4.5,
                "word": "Übermorgen 🚶",
                "deep": {"a": [1, None]},
                "statsigCustom": [
                    *("plan", "team", "seats", 3, "ratio", 0.5, "trial", True),
                    *("regions", ["north", "west"]),
                ],
                "statsigCustomIDs": ["companyID", "c-9", "teamID", 3],
                "statsigEnvironment": {"tier": "staging"},
            },
        },
    ),
    "a text value": (
        {"user": {"user_id": "u1"}, "environment": None, "value": "12.50", "metadata": {"value": "12.50"}},
        {"userId": "u1", "properties": {"value": "12.50"}},
    ),
    "a whole number": (
        {"user": {"user_id": "u1"}, "environment": None, "value": 5, "metadata": {"value": "5"}},
        {"userId": "u1", "properties": {"value": 5}},
    ),
    "nobody but a company": (
        {
            "user": {"custom_ids": {"companyID": "c-9"}},
            "environment": None,
            "value": None,
            "metadata": {"plan": "team"},
        },
        {"properties": {"plan": "team", "statsigCustomIDs": ["companyID", "c-9"]}},
    ),
    "no metadata": (
        {"user": {"user_id": "u1"}, "environment": None, "value": None, "metadata": None},
        {"userId": "u1"},
    ),
}


@attrs.frozen(kw_only=True)
class Difference:
    """What an SDK sends in another way than we do."""

    path: str
    theirs: Callable[[Any], bool]
    """What it sends there; `ABSENT` where there is no key."""
    why: str
    """Why that is the SDK's own affair, and no fault of the translation."""


ABSENT: Any = object()
OF_EXPOSURES = "only exposures carry it; the core writes absent things as null, and WI-1 writes no key"
DIFFERENCES: dict[str, list[Difference]] = {
    "statsig_server.py": [
        Difference(
            path="metadata",
            theirs=lambda value: value is ABSENT,
            why="the SDK leaves absent metadata out; WI-1 always writes the object, as HTTP callers are told to",
        ),
    ],
    "statsig_core.py": [
        Difference(
            path="time",
            theirs=lambda value: type(value) is int and value > TIME_MS,
            why="the core takes the time from its own clock and lets nobody set it",
        ),
        Difference(
            path="metadata",
            theirs=lambda value: value is None,
            why="the core writes absent things as null; WI-1 always writes the object",
        ),
        Difference(
            path="value",
            theirs=lambda value: value is None,
            why="the core writes absent things as null; WI-1 writes no key",
        ),
        Difference(
            path="value",
            theirs=lambda value: type(value) is float and value == 5,
            why="the core keeps numbers as floats and prints 5 as 5.0: the same number in JSON",
        ),
        Difference(
            path="user.userID",
            theirs=lambda value: value == "",
            why="the core writes an empty userID for a user of custom IDs alone; WI-1 writes no key",
        ),
        Difference(path="statsigMetadata", theirs=lambda value: value is None, why=OF_EXPOSURES),
        Difference(path="secondaryExposures", theirs=lambda value: value is None, why=OF_EXPOSURES),
    ],
}
# What an SDK says about itself beside sdkType and sdkVersion, in the request.
OF_THEIR_OWN: dict[str, set[str]] = {
    "statsig_server.py": {"languageVersion", "sessionID"},
    "statsig_core.py": {
        *("arch", "batchSize", "flushType", "flushingIntervalMs"),
        *("languageVersion", "maxPendingBatches", "os", "sessionID"),
    },
}
SDKS = tuple(DIFFERENCES)


def collector(request: loopback.Received) -> loopback.Answer:
    """Serve a project without gates; take events."""
    if "config_specs" in request.path:
        return 200, {"has_updates": False}, {}
    return 200 if "id_lists" in request.path else 202, {} if "id_lists" in request.path else {"success": True}, {}


@pytest.fixture(params=SDKS)
def sdk(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def logged(sdk: str, receive: Callable[..., loopback.Receiver], trap: loopback.Trap) -> loopback.Receiver:
    """Let an SDK log the events."""
    receiver = receive(collector)
    events = [{"name": f"segment::{name}", "time": TIME_MS, **arguments} for name, (arguments, _) in EVENTS.items()]
    loopback.drive(sdk, {"host": receiver.url, "key": "secret-key", "events": events}, trap.environment())
    return receiver


def ours(name: str) -> StatsigEvent:
    call = {"type": "track", "event": name, "timestamp": TIME, **EVENTS[name][1]}
    event = translate(call, CONFIG)
    assert isinstance(event, StatsigEvent)
    assert event.issues == ()
    return event


def theirs(receiver: loopback.Receiver) -> dict[str, dict[str, Any]]:
    """Give the events that an SDK sent, less its diagnostics, by name."""
    events = [event for request in receiver.at("/v1/log_event") for event in request.json["events"]]
    return {
        event["eventName"].removeprefix("segment::"): event
        for event in events
        if not event["eventName"].startswith("statsig::")
    }


def different(one: Any, other: Any, path: str = "") -> dict[str, Any]:
    """Give the paths where two trees differ, each with what the other has. 5 and 5.0 differ too."""
    if isinstance(one, dict) and isinstance(other, dict):
        ours, theirs = cast("dict[str, Any]", one), cast("dict[str, Any]", other)
        return {
            where: value
            for key in sorted({*ours, *theirs})
            for where, value in different(
                ours.get(key, ABSENT), theirs.get(key, ABSENT), f"{path}.{key}".lstrip(".")
            ).items()
        }
    return {} if type(one) is type(other) and one == other else {path: other}


def test_each_event_arrives_once(sdk: str, logged: loopback.Receiver) -> None:
    assert sorted(theirs(logged)) == sorted(EVENTS), sdk


def test_the_events_agree_but_for_what_is_listed(sdk: str, logged: loopback.Receiver) -> None:
    used: set[int] = set()
    for name, event in theirs(logged).items():
        for path, value in different(to_log_event(ours(name)), event).items():
            rows = [at for at, row in enumerate(DIFFERENCES[sdk]) if row.path == path and row.theirs(value)]
            assert rows, f"{name}: {path} is {value!r}"
            used.update(rows)

    assert used == set(range(len(DIFFERENCES[sdk]))), "a listed difference is gone"


def test_a_full_event_agrees_but_for_the_clock_and_nulls(sdk: str, logged: loopback.Receiver) -> None:
    found = different(to_log_event(ours("everything")), theirs(logged)["everything"])

    assert set(found) == ({"time", "statsigMetadata", "secondaryExposures"} if sdk == "statsig_core.py" else set())


def test_the_requests_agree_but_for_what_an_sdk_says_about_itself(sdk: str, logged: loopback.Receiver) -> None:
    own = to_log_event_request([ours("everything")])

    for request in logged.at("/v1/log_event"):
        assert set(request.json) == set(own)
        assert set(request.json["statsigMetadata"]) - set(own["statsigMetadata"]) == OF_THEIR_OWN[sdk]
        assert set(own["statsigMetadata"]) <= set(request.json["statsigMetadata"])


def test_the_headers_are_those_that_our_documentation_names(logged: loopback.Receiver) -> None:
    for request in logged.at("/v1/log_event"):
        assert request.headers["statsig-api-key"] == "secret-key"
        assert request.headers["statsig-client-time"].isdecimal()
        assert request.headers["content-type"] == "application/json"
