"""Segment's own clients on one side of the example service and collectors on the other, while it is killed."""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import signal
import threading
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration import loopback

    Receive = Callable[..., loopback.Receiver]
else:
    import integration_loopback as loopback  # conftest.py imports it by its path

pytestmark = pytest.mark.integration

CALLS, EXPORTS, EXPORTS_A_REQUEST, KILLS, SEED = 1_500, 1_000, 20, 3, 1
OK: tuple[int, dict[str, Any], dict[str, str]] = (200, {"success": True}, {})
MAX_CALL_BYTES, MAX_BATCH_BYTES = 32_768, 500_000


def slow(_: loopback.Received) -> loopback.Answer:
    """Take a moment, so that a kill may fall between what a collector took and what the service wrote down."""
    time.sleep(0.02)
    return OK


def as_segment(received: loopback.Received) -> loopback.Answer:
    """Answer as Segment's `POST /v1/batch`: 400 to what breaks its limits, or belongs to nobody."""
    calls = received.json["batch"]
    is_fine = (
        received.headers["authorization"] == "Basic d3JpdGUga2V5Og=="
        and len(received.body) <= MAX_BATCH_BYTES
        and all(len(json.dumps(call, separators=(",", ":")).encode()) <= MAX_CALL_BYTES for call in calls)
        and all(call.get("userId") or call.get("anonymousId") for call in calls)
    )
    return slow(received) if is_fine else (400, {"success": False}, {})


def statsig_ids(collector: loopback.Receiver) -> Counter[str]:
    return Counter(
        event["metadata"]["statsigSegmentKey"] for one in collector.at("/log_event") for event in one.json["events"]
    )


def segment_ids(collector: loopback.Receiver) -> Counter[str]:
    return Counter(call["messageId"] for one in collector.at("/batch") for call in one.json["batch"])


class PythonClient(threading.Thread):
    """Segment's client for Python in a process of its own, with its own retries."""

    def __init__(self, service: loopback.Service, trap: loopback.Trap) -> None:
        super().__init__(daemon=True)
        self._environment = trap.environment()
        self._job = {
            "host": service.url,
            "write_key": "source key",
            "gzip": True,
            "upload_size": 30,
            "calls": [
                {"method": "track", "fields": {"user_id": f"u{at}", "event": "Walked", "message_id": f"m-{at}"}}
                for at in range(CALLS)
            ],
        }
        self.said: dict[str, Any] = {}

    def run(self) -> None:
        self.said = json.loads(loopback.drive("segment_client.py", self._job, self._environment))


class StatsigExport(threading.Thread):
    """Sends signed exports one after another with a pause, each until it is acknowledged."""

    def __init__(self, service: loopback.Service) -> None:
        super().__init__(daemon=True)
        self._service = service
        self.acknowledged: list[str] = []
        self.again = 0

    def run(self) -> None:
        for first in range(0, EXPORTS, EXPORTS_A_REQUEST):
            ids = [f"t-{at}" for at in range(first, first + EXPORTS_A_REQUEST)]
            while not self._is_acknowledged(ids):
                self.again += 1
                time.sleep(0.01)
            self.acknowledged += ids
            time.sleep(0.02)  # or all would be acknowledged before the first kill

    def _is_acknowledged(self, ids: list[str]) -> bool:
        events = [{"eventName": "walked", "userID": "u1", "timestamp": 1793692800123, "timeUUID": at} for at in ids]
        body = json.dumps(events).encode()
        timestamp = str(time.time_ns() // 1_000_000)
        digest = hmac.new(b"statsig secret", b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        headers = {"x-statsig-request-timestamp": timestamp, "x-statsig-signature": f"v0={digest}"}
        try:
            return loopback.post(self._service, "/statsig", body, headers) == 200
        except httpx.TransportError:
            return False


def test_killed_at_random_moments_both_ways_lose_nothing_and_count_once(
    service: loopback.Service, receive: Receive, trap: loopback.Trap
) -> None:
    """Neither sender stops for a kill: what was not acknowledged, they send again, and the collectors see keys."""
    statsig, segment = receive(slow), receive(as_segment)
    service.set(STATSIG_API=statsig.url, SEGMENT_API=segment.url, BATCH_EVENTS="100")
    service.start()
    client, export = PythonClient(service, trap), StatsigExport(service)
    drawn = random.Random(SEED)

    def has_come(mark: int) -> bool:
        return len(statsig_ids(statsig)) + len(segment_ids(segment)) >= mark

    marks = sorted(drawn.sample(range(50, int(0.8 * (CALLS + EXPORTS))), KILLS))

    client.start()
    export.start()
    for mark in marks:
        loopback.until(partial(has_come, mark), f"{mark} messages have come", 4 * loopback.DEADLINE_S)
        assert client.is_alive() or export.is_alive()
        time.sleep(drawn.uniform(0, 0.05))
        acknowledged = set(export.acknowledged)
        assert service.end(signal.SIGKILL) == -signal.SIGKILL
        assert acknowledged | set(statsig_ids(statsig)) | set(segment_ids(segment)) <= service.kept()
        assert service.rows("PRAGMA integrity_check") == [("ok",)]
        service.start()
    client.join(4 * loopback.DEADLINE_S)
    export.join(4 * loopback.DEADLINE_S)

    assert client.said == {"failed": [], "version": "2.4.0"}
    assert service.settled("statsig") == {"sent": CALLS}
    assert service.settled("segment") == {"sent": EXPORTS}
    assert set(statsig_ids(statsig)) == {f"m-{at}" for at in range(CALLS)}
    assert set(segment_ids(segment)) == {f"t-{at}" for at in range(EXPORTS)}
    twice = [sum(ids.values()) - len(ids) for ids in (statsig_ids(statsig), segment_ids(segment))]
    print(f"{KILLS} kills, {export.again} exports sent again, came twice: {twice}")


def test_the_client_for_node_through_the_service(
    node_client: Path, service: loopback.Service, receive: Receive, trap: loopback.Trap
) -> None:
    collector = receive()
    service.set(STATSIG_API=collector.url)
    service.start()
    calls = [
        {"method": "track", "fields": {"userId": "u1", "event": "Walked", "messageId": f"m-{at}"}} for at in range(200)
    ]
    job = {"host": service.url, "write_key": "source key", "upload_size": 20, "calls": calls}

    loopback.send_from_node(node_client, job, trap)

    assert service.settled("statsig") == {"sent": 200}
    assert statsig_ids(collector) == {f"m-{at}": 1 for at in range(200)}
    assert {event["eventName"] for one in collector.requests for event in one.json["events"]} == {"segment::Walked"}
