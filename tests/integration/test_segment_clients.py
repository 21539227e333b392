"""What Segment's own clients put on the wire is translated: every call type, batches, gzip, null ids and all."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pytest

from statsig_segment import (
    AudienceUpdate,
    IdMapping,
    InboundConfig,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    split_segment_batch,
    to_log_event,
    translate_many,
)

if TYPE_CHECKING:
    from tests.integration import loopback
else:
    import integration_loopback as loopback  # conftest.py imports it by its path

pytestmark = pytest.mark.integration

CONFIG = IntegrationConfig(inbound=InboundConfig(id_mappings=[IdMapping(field="anonymousId", id_type="anonymousID")]))
AUDIENCE = {"personas": {"computation_class": "audience", "computation_key": "walkers"}}
CONTEXT = {"ip": "192.0.2.7", "userAgent": "Walker/1", "locale": "de-CH"}
USER_FIELDS = {"ip": "192.0.2.7", "userAgent": "Walker/1", "locale": "de-CH"}
TIME = "2026-11-03T08:00:00.123+00:00"
TIME_MS = 1793692800123


def python(kind: str, text: str = "") -> dict[str, str]:
    """A value that JSON does not have, for the Python driver to make."""
    return {"python": kind, "text": text}


Row: TypeAlias = tuple[str, dict[str, Any], Any]

# Each row: the call as the application makes it, and the log event that is to come of it.
PYTHON_CALLS: list[Row] = [
    (
        "track",
        {
            "user_id": "u1",
            "event": "Signed Up",
            "timestamp": python("datetime", TIME),
            "context": dict(CONTEXT),
            "properties": {
                "plan": "trial",
                "seats": 3,
                "price": python("decimal", "4.5"),
                "since": python("date", "2026-11-01"),
                "at": python("datetime", "2026-11-03T09:00:00+01:00"),
                "none": None,
                "deep": {"a": [1, None, {"b": True}]},
                "word": "Übermorgen 🚶",
                "value": 4.5,
                "statsigCustomIDs": ["companyID", "c-9", "teamID", 3],
                "statsigCustom": ["isVIP", "true"],
                "statsigEnvironment": {"tier": "staging"},
            },
        },
        {
            "eventName": "segment::Signed Up",
            "user": {
                "userID": "u1",
                "customIDs": {"companyID": "c-9", "teamID": "3"},
                **USER_FIELDS,
                "custom": {"isVIP": "true"},
                "statsigEnvironment": {"tier": "staging"},
            },
            "time": TIME_MS,
            "value": 4.5,
            "metadata": {
                "plan": "trial",
                "seats": "3",
                "price": "4.5",
                "since": "2026-11-01",
                "at": "2026-11-03T09:00:00+01:00",
                "deep": '{"a":[1,null,{"b":true}]}',
                "word": "Übermorgen 🚶",
                "value": "4.5",
            },
        },
    ),
    (
        "track",
        {
            "anonymous_id": "anon-7",
            "event": "Looked",
            "timestamp": python("datetime", TIME),
            "properties": {"pace": python("nan"), "steps": 12},
        },
        {
            "eventName": "segment::Looked",
            "user": {"customIDs": {"anonymousID": "anon-7"}},
            "time": TIME_MS,
            "metadata": {"steps": "12"},
        },
    ),
    (
        "track",
        {"user_id": 9007199254740993, "event": "Numbered", "timestamp": python("datetime", TIME)},
        {
            "eventName": "segment::Numbered",
            "user": {"userID": "9007199254740993"},
            "time": TIME_MS,
            "metadata": {},
        },
    ),
    (
        "page",
        {
            "user_id": "u1",
            "anonymous_id": "anon-7",
            "category": "Docs",
            "name": "Home",
            "timestamp": python("datetime", TIME),
            "properties": {"url": "https://walk.example/"},
        },
        {
            "eventName": "segment::Viewed Docs Home Page",
            "user": {"userID": "u1", "customIDs": {"anonymousID": "anon-7"}},
            "time": TIME_MS,
            "metadata": {"url": "https://walk.example/", "name": "Home", "category": "Docs"},
        },
    ),
    (
        "page",
        {"user_id": "u1", "timestamp": python("datetime", TIME)},
        {"eventName": "segment::Loaded a Page", "user": {"userID": "u1"}, "time": TIME_MS, "metadata": {}},
    ),
    (
        "screen",
        {"user_id": "u1", "name": "Map", "timestamp": python("datetime", TIME)},
        {
            "eventName": "segment::Viewed Map Screen",
            "user": {"userID": "u1"},
            "time": TIME_MS,
            "metadata": {"name": "Map"},
        },
    ),
    (
        "group",
        {"user_id": "u1", "group_id": 42, "traits": {"plan": "team"}, "timestamp": python("datetime", TIME)},
        {
            "eventName": "segment::group",
            "user": {"userID": "u1"},
            "time": TIME_MS,
            "metadata": {"plan": "team", "groupId": "42"},
        },
    ),
    ("identify", {"user_id": "u1", "traits": {"email": "a@walk.example"}}, "identify_without_audience"),
    ("identify", {"user_id": "u1", "traits": {"walkers": True}, "context": dict(AUDIENCE)}, AudienceUpdate),
    ("alias", {"previous_id": "anon-7", "user_id": "u1"}, "unsupported_type"),
]


def node_call(row: Row) -> Row:
    """The same call as JavaScript spells it, with what JSON has; its numbers end before the big one."""
    method, fields, expected = row
    spelled = {"user_id": "userId", "anonymous_id": "anonymousId", "group_id": "groupId", "previous_id": "previousId"}
    plain = {spelled.get(name, name): json_value(value) for name, value in fields.items()}
    if isinstance(plain.get("userId"), int):
        plain["userId"] = str(plain["userId"])
    return method, plain, expected


def json_value(value: Any) -> Any:
    """Give the text of a value that JSON does not have; NaN becomes null, as in JavaScript's own JSON."""
    if not isinstance(value, dict):
        return value
    tree = cast("dict[str, Any]", value)
    if "python" in tree:
        return None if tree["python"] == "nan" else tree["text"]
    return {name: json_value(inner) for name, inner in tree.items()}


NODE_CALLS = [node_call(row) for row in PYTHON_CALLS]


def outcomes(receiver: loopback.Receiver) -> list[Any]:
    """Split and translate the bodies as they came."""
    payloads = [payload for request in receiver.at("/v1/batch") for payload in split_segment_batch(request.body)]
    return list(translate_many(payloads, CONFIG))


def check(found: list[Any], calls: list[Row]) -> None:
    """Hold each outcome against its row; there is no issue anywhere but for what no number is."""
    assert len(found) == len(calls)
    for outcome, (_, _, expected) in zip(found, calls, strict=True):
        if isinstance(expected, dict):
            assert isinstance(outcome, StatsigEvent)
            assert to_log_event(outcome) == expected
            assert {issue.code for issue in outcome.issues} <= {"non_finite_number"}
        elif isinstance(expected, type):
            assert isinstance(outcome, expected)
        elif isinstance(outcome, Skipped):
            assert outcome.reason == expected
        else:
            assert isinstance(outcome, Rejected)
            assert outcome.error.code == expected


def python_client(trap: loopback.Trap, host: str, calls: list[Row], **options: Any) -> dict[str, Any]:
    """Make calls with the client for Python; give what it says."""
    job = {
        "host": host,
        "write_key": "source key",
        "gzip": False,
        "upload_size": 100,
        "calls": [{"method": method, "fields": fields} for method, fields, _ in calls],
        **options,
    }
    said: dict[str, Any] = json.loads(loopback.drive("segment_client.py", job, trap.environment()))
    return said


class TestTheClientForPython:
    def test_every_call_type_comes_out_as_it_should(
        self, receive: Callable[..., loopback.Receiver], trap: loopback.Trap
    ) -> None:
        receiver = receive()

        said = python_client(trap, receiver.url, PYTHON_CALLS)

        assert said == {"failed": [], "version": "2.4.0"}
        check(outcomes(receiver), PYTHON_CALLS)

    def test_it_sends_nulls_for_what_it_does_not_know(
        self, receive: Callable[..., loopback.Receiver], trap: loopback.Trap
    ) -> None:
        receiver = receive()

        python_client(trap, receiver.url, PYTHON_CALLS)

        wire = [payload for request in receiver.requests for payload in request.json["batch"]]
        assert any(payload["userId"] is None for payload in wire)
        assert any(payload["anonymousId"] is None for payload in wire)
        assert {payload["context"]["library"]["name"] for payload in wire} == {"analytics-python"}

    def test_gzip_changes_nothing(self, receive: Callable[..., loopback.Receiver], trap: loopback.Trap) -> None:
        receiver = receive()

        python_client(trap, receiver.url, PYTHON_CALLS, gzip=True)

        assert {request.headers["content-encoding"] for request in receiver.requests} == {"gzip"}
        assert all(request.raw != request.body for request in receiver.requests)
        check(outcomes(receiver), PYTHON_CALLS)

    def test_many_batches_hold_each_call_once(
        self, receive: Callable[..., loopback.Receiver], trap: loopback.Trap
    ) -> None:
        receiver = receive()
        names = [f"Step {number}" for number in range(500)]
        calls: list[Row] = [("track", {"user_id": "u1", "event": name}, None) for name in names]

        python_client(trap, receiver.url, calls, upload_size=20)

        assert len(receiver.at("/v1/batch")) >= 25
        assert [outcome.event_name for outcome in outcomes(receiver)] == [f"segment::{name}" for name in names]
        assert all(outcome.issues == () and outcome.time_ms is not None for outcome in outcomes(receiver))


class TestTheClientForNode:
    @staticmethod
    def send(folder: Path, trap: loopback.Trap, host: str, calls: list[Row], upload_size: int) -> dict[str, Any]:
        job = {
            "host": host,
            "write_key": "source key",
            "upload_size": upload_size,
            "calls": [{"method": method, "fields": fields} for method, fields, _ in calls],
        }
        said: dict[str, Any] = json.loads(loopback.send_from_node(folder, job, trap))
        return said

    def test_every_call_type_comes_out_as_it_should(
        self, node_client: Path, receive: Callable[..., loopback.Receiver], trap: loopback.Trap
    ) -> None:
        receiver = receive()

        said = self.send(node_client, trap, receiver.url, NODE_CALLS, upload_size=100)

        assert said == {"failed": [], "version": "3.1.0"}
        check(outcomes(receiver), NODE_CALLS)

    def test_a_null_user_id_beside_an_anonymous_one_travels_as_null(
        self, node_client: Path, receive: Callable[..., loopback.Receiver], trap: loopback.Trap
    ) -> None:
        receiver = receive()
        calls: list[Row] = [("track", {"userId": None, "anonymousId": "anon-7", "event": "Looked"}, None)]

        self.send(node_client, trap, receiver.url, calls, upload_size=1)

        assert receiver.requests[0].json["batch"][0]["userId"] is None
        assert [to_log_event(outcome)["user"] for outcome in outcomes(receiver)] == [
            {"customIDs": {"anonymousID": "anon-7"}}
        ]

    def test_many_batches_hold_each_call_once(
        self, node_client: Path, receive: Callable[..., loopback.Receiver], trap: loopback.Trap
    ) -> None:
        receiver = receive()
        names = [f"Step {number}" for number in range(500)]
        calls: list[Row] = [("track", {"userId": "u1", "event": name}, None) for name in names]

        self.send(node_client, trap, receiver.url, calls, upload_size=20)

        assert len(receiver.at("/v1/batch")) == 25
        assert sorted(outcome.event_name for outcome in outcomes(receiver)) == sorted(f"segment::{n}" for n in names)
        assert all(outcome.issues == () and outcome.time_ms is not None for outcome in outcomes(receiver))


class TestTheGuards:
    """The tests above prove something only if a connection that leaves the loopback is really seen."""

    def test_the_python_guard_ends_the_process(self, tmp_path: Path, trap: loopback.Trap) -> None:
        script = tmp_path / "out.py"
        script.write_text("import socket\nsocket.create_connection(('192.0.2.1', 9), 1)\n", encoding="utf-8")

        with pytest.raises(AssertionError, match=r"a connection to 192\.0\.2\.1"):
            loopback.drive(str(script), {}, trap.environment())

    def test_the_node_guard_ends_the_process(self, node_client: Path, trap: loopback.Trap) -> None:
        with pytest.raises(AssertionError, match=r"a connection to 192\.0\.2\.1"):
            self.out(node_client, trap)

    @staticmethod
    def out(folder: Path, trap: loopback.Trap) -> None:
        calls: list[Row] = [("track", {"userId": "u1", "event": "Out"}, None)]
        TestTheClientForNode.send(folder, trap, "http://192.0.2.1:8080", calls, upload_size=1)
