"""The example service between real neighbours: what it acknowledges it delivers, whatever happens to it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

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

OK = loopback.OK
MAX_CALL_BYTES, MAX_BATCH_BYTES = 32_768, 500_000


def sent_to_statsig(collector: loopback.Receiver) -> list[dict[str, Any]]:
    return [event for request in collector.at("/log_event") for event in request.json["events"]]


class SegmentsApi:
    """Answers as Segment's `POST /v1/batch`: its limits, its key, its rule that a call belongs to somebody."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []

    def __call__(self, received: loopback.Received) -> loopback.Answer:
        calls = received.json["batch"]
        problems = [
            received.path != "/batch",
            received.headers.get("authorization") != "Basic d3JpdGUga2V5Og==",
            len(received.body) > MAX_BATCH_BYTES,
            any(len(json.dumps(call, separators=(",", ":")).encode()) > MAX_CALL_BYTES for call in calls),
            any(call.get("type") != "track" for call in calls),
            any(not (call.get("userId") or call.get("anonymousId")) for call in calls),
            any(not call.get("messageId") for call in calls),
        ]
        if any(problems):
            return 400, {"success": False}, {}
        self.taken += calls
        return OK


class TestSegmentToStatsig:
    def test_events_arrive_and_the_rest_is_kept_with_its_reason(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        lines = (loopback.EXAMPLES / "segment_calls.ndjson").read_text(encoding="utf-8").splitlines()

        assert loopback.from_segment(service, [json.loads(line) for line in lines]) == 200

        states = service.settled("statsig")
        assert states == {"sent": 46, "audience": 7, "skipped": 6, "dead": 6}  # one line of the sample is a repetition
        assert len(sent_to_statsig(collector)) == 46
        dead = service.rows("SELECT code FROM message WHERE state = 'dead' ORDER BY code")
        assert [code for (code,) in dead] == [
            "audience_membership",
            "missing_event",
            "missing_type",
            "no_identifier",
            "unsupported_type",
            "unsupported_type",
        ]
        assert {request.headers["statsig-api-key"] for request in collector.requests} == {"server key"}

    def test_a_message_that_comes_twice_is_sent_once(self, service: loopback.Service, receive: Receive) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()

        for _ in range(3):
            assert loopback.from_segment(service, [loopback.track(1), loopback.track(2)]) == 200

        assert service.settled("statsig") == {"sent": 2}
        assert [event["user"]["userID"] for event in sent_to_statsig(collector)] == ["user-1", "user-2"]

    def test_a_poison_message_becomes_a_dead_letter_and_harms_no_other(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        def answer(received: loopback.Received) -> loopback.Answer:
            poisoned = any(event["user"]["userID"] == "user-7" for event in received.json["events"])
            return (400, {}, {}) if poisoned else OK

        collector = receive(answer)
        service.set(STATSIG_API=collector.url)
        service.start()

        assert loopback.from_segment(service, [loopback.track(number) for number in range(30)]) == 200

        assert service.settled("statsig") == {"sent": 29, "dead": 1}
        assert service.rows("SELECT key, code FROM message WHERE state = 'dead'") == [("m-7", "http_400")]

    def test_a_collector_that_fails_for_a_while_gets_everything_in_the_end(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        failures = iter([500, 503, 429, 500])
        collector = receive(lambda _: (next(failures, 200), {}, {}))
        service.set(STATSIG_API=collector.url)
        service.start()

        assert loopback.from_segment(service, [loopback.track(number) for number in range(50)]) == 200

        assert service.settled("statsig") == {"sent": 50}
        assert len(collector.requests) == 5


class TestStatsigToSegment:
    def test_what_arrives_keeps_segments_limits_and_the_rest_is_kept(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        api = SegmentsApi()
        service.set(SEGMENT_API=receive(api).url)
        service.start()
        large = loopback.exported(900, metadata={"text": "x" * 40_000})
        nobody = {"eventName": "walk_saved", "timeUUID": "t-nobody"}
        internal = loopback.exported(901, eventName="statsig::diagnostics")
        wide = [loopback.exported(number, metadata={"text": "y" * 10_000}) for number in range(100)]

        assert loopback.from_statsig(service, [*wide, large, nobody, internal]) == 200

        assert service.settled("segment") == {"sent": 100, "dead": 2, "skipped": 1}
        assert sorted(call["messageId"] for call in api.taken) == sorted(f"t-{number}" for number in range(100))
        dead = service.rows("SELECT key, code FROM message WHERE state = 'dead' ORDER BY key")
        assert dead == [("t-900", "event_too_large"), ("t-nobody", "no_identifier")]

    @pytest.mark.parametrize("code", ["code-1", "\ud800"])
    def test_the_handshake_is_answered_before_there_is_a_secret(self, service: loopback.Service, code: str) -> None:
        service.start()
        body = json.dumps({"data": {"event": "url_verification", "verification_code": code}}).encode()

        answered = httpx.post(f"{service.url}/statsig", content=body, trust_env=False, timeout=loopback.DEADLINE_S)

        assert (answered.status_code, answered.json()) == (200, {"verification_code": code})


class TestWhoMaySend:
    def test_a_wrong_signature_is_refused_and_nothing_is_kept(self, service: loopback.Service) -> None:
        service.start()

        assert loopback.from_segment(service, [loopback.track(1)], secret="another") == 401
        assert loopback.from_statsig(service, [loopback.exported(1)], secret="another") == 401
        assert loopback.from_statsig(service, [loopback.exported(1)], age_ms=3_600_000) == 401
        assert loopback.post(service, "/v1/batch", b"{}", {"authorization": "Basic bm86"}) == 401
        assert service.kept() == set()

    def test_a_body_that_cannot_be_read_is_refused(self, service: loopback.Service) -> None:
        service.start()
        signature = hmac.new(b"segment secret", b"{", hashlib.sha1).hexdigest()

        assert loopback.post(service, "/segment", b"{", {"x-signature": signature}) == 400


class Sender(threading.Thread):
    """Sends bodies one after another, each until it is acknowledged: what was not is sent again."""

    def __init__(self, service: loopback.Service, bodies: list[list[dict[str, Any]]]) -> None:
        super().__init__(daemon=True)
        self._service = service
        self._bodies = bodies
        self.acknowledged: list[str] = []
        self.again = 0

    def has(self, acknowledged: int) -> bool:
        return len(self.acknowledged) > acknowledged

    def run(self) -> None:
        for body in self._bodies:
            while not self._is_acknowledged(body):
                self.again += 1
                time.sleep(0.01)
            self.acknowledged += [call["messageId"] for call in body]

    def _is_acknowledged(self, body: list[dict[str, Any]]) -> bool:
        try:
            return loopback.from_segment(self._service, body) == 200
        except httpx.TransportError:
            return False


class TestKilled:
    def test_what_was_acknowledged_is_never_lost_and_each_counts_once(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        """Killed six times with SIGKILL at moments drawn by seed, between acceptance and delivery of 4,000 messages."""

        def slow(_: loopback.Received) -> loopback.Answer:
            time.sleep(0.01)
            return OK

        collector = receive(slow)
        service.set(STATSIG_API=collector.url, BATCH_EVENTS="100")
        service.start()
        bodies = [[loopback.track(20 * body + at) for at in range(20)] for body in range(200)]
        sender = Sender(service, bodies)
        draw = random.Random(20261123)

        sender.start()
        for kill in range(1, 7):
            loopback.until(partial(sender.has, 500 * kill), "messages are acknowledged")
            time.sleep(draw.uniform(0, 0.1))
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
            assert set(sender.acknowledged) <= service.kept()
            service.start()
        sender.join(loopback.DEADLINE_S)

        assert not sender.is_alive()
        assert service.settled("statsig") == {"sent": 4_000}
        counted = Counter(event["metadata"]["statsigSegmentKey"] for event in sent_to_statsig(collector))
        assert set(counted) == {f"m-{number}" for number in range(4_000)}
        assert sender.again > 0

    def test_a_graceful_end_loses_nothing_and_leaves_the_rest_for_the_next_start(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        open_again = threading.Event()
        collector = receive(lambda _: OK if open_again.is_set() else (503, {}, {}))
        service.set(STATSIG_API=collector.url)
        service.start()
        assert loopback.from_segment(service, [loopback.track(number) for number in range(200)]) == 200

        service.split()

        assert service.end(signal.SIGTERM) == 0

        assert service.states("statsig") == {"waiting": 200}
        open_again.set()
        service.start()
        assert service.settled("statsig") == {"sent": 200}
        assert len({event["metadata"]["statsigSegmentKey"] for event in sent_to_statsig(collector)}) == 200
