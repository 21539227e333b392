"""What the example service promises, one promise at a time, between collectors on the loopback."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import random
import resource
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections import Counter
from contextlib import closing, suppress
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

OK = loopback.OK
KEYED = {"authorization": "Basic c291cmNlIGtleTo="}
MAX_CALL_BYTES, MAX_BATCH_BYTES = 32_768, 500_000


def keys_sent(collector: loopback.Receiver) -> Counter[str]:
    events = (event for request in collector.at("/log_event") for event in request.json["events"])
    return Counter(event["metadata"]["statsigSegmentKey"] for event in events)


def batch(service: loopback.Service, calls: list[dict[str, Any]], **envelope: Any) -> int:
    return loopback.post(service, "/v1/batch", json.dumps({"batch": calls, **envelope}).encode(), KEYED)


def is_unwell(service: loopback.Service, part: str, why: str) -> bool:
    status, unwell = service.health()
    return status == 503 and unwell.get(part) == why


def is_well(service: loopback.Service) -> bool:
    return service.health()[0] == 200


def dead_letters(service: loopback.Service) -> dict[str | None, str]:
    """Give the keys of the dead letters, and their codes."""
    return dict(service.rows("SELECT key, code FROM dead_letter"))


class Changing:
    """Answers as it is told last."""

    def __init__(self, *answer: Any) -> None:
        self.answer = answer

    def __call__(self, _: loopback.Received) -> Any:
        return self.answer


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


class TestBothWays:
    def test_calls_arrive_at_statsig_and_the_rest_is_kept_with_its_reason(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        lines = (loopback.EXAMPLES / "segment_calls.ndjson").read_text(encoding="utf-8").splitlines()

        assert loopback.from_segment(service, [json.loads(line) for line in lines]) == 200

        states = service.settled("statsig")
        assert states == {"sent": 46, "audience": 7, "skipped": 8, "dead": 4}  # one line of the sample is a repetition
        assert sum(keys_sent(collector).values()) == 46
        assert Counter(dead_letters(service).values()) == {
            "audience_membership": 1, "missing_event": 1, "missing_type": 1, "no_identifier": 1
        }  # fmt: skip
        assert {request.headers["statsig-api-key"] for request in collector.requests} == {"server key"}

    def test_events_arrive_at_segment_within_its_limits_and_the_rest_is_kept(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        api = SegmentsApi()
        service.set(SEGMENT_API=receive(api).url)
        service.start()
        large = loopback.exported(900, metadata={"text": "x" * 40_000})
        nobody = {"eventName": "walk_saved", "timeUUID": "t-nobody"}
        internal = loopback.exported(901, eventName="statsig::diagnostics")
        wide = [loopback.exported(number, metadata={"text": "y" * 9_000}) for number in range(100)]

        assert loopback.from_statsig(service, [*wide, large, nobody, internal]) == 200

        assert service.settled("segment") == {"sent": 100, "dead": 2, "skipped": 1}
        assert sorted(call["messageId"] for call in api.taken) == sorted(f"t-{number}" for number in range(100))
        assert dead_letters(service) == {"t-900": "event_too_large", "t-nobody": "no_identifier"}


class TestOneMessageOneKey:
    def test_a_message_counts_once_however_often_it_comes(self, service: loopback.Service, receive: Receive) -> None:
        """By its ID or, where there is no usable one, by its content; the times of the request do not matter."""
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        nameless = {name: value for name, value in loopback.track(1).items() if name != "messageId"}
        unusable = [loopback.track(2, messageId=own) for own in ("\ud800", "a\udfffb", "x" * 100_000)]
        calls = [nameless, *unusable, loopback.track(3), loopback.track(4)]

        assert batch(service, calls, sentAt="2026-11-03T08:00:00Z") == 200
        assert batch(service, calls, sentAt="2026-11-03T08:00:09Z") == 200
        assert loopback.from_segment(service, calls[-2:]) == 200

        assert service.settled("statsig") == {"sent": 6}
        assert sorted(keys_sent(collector).values()) == [1] * 6
        assert {"m-3", "m-4"} < keys_sent(collector).keys()

    def test_no_property_takes_the_name_of_the_key(self, service: loopback.Service, receive: Receive) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()

        assert batch(service, [loopback.track(1, properties={"statsigSegmentKey": "theirs"})]) == 200

        assert service.settled("statsig") == {"sent": 1}
        assert keys_sent(collector) == {"m-1": 1}


class TestTheDoor:
    def test_who_may_send_and_what_is_refused(self, service: loopback.Service) -> None:
        service.start()
        unreadable = hmac.new(b"segment secret", b"{", hashlib.sha1).hexdigest()

        assert loopback.from_segment(service, [loopback.track(1)], secret="another") == 401
        assert loopback.from_statsig(service, [loopback.exported(1)], secret="another") == 401
        assert loopback.from_statsig(service, [loopback.exported(1)], age_ms=3_600_000) == 401
        assert loopback.post(service, "/v1/batch", b"{}", {"authorization": "Basic bm86"}) == 401
        assert loopback.post(service, "/segment", b"{}", {}) == 401
        assert loopback.post(service, "/segment", b"{", {"x-signature": unreadable}) == 400
        assert loopback.post(service, "/v1/batch", b"{", KEYED) == 400
        assert loopback.post(service, "/v1/batch", b"x", {**KEYED, "content-encoding": "gzip"}) == 400
        assert loopback.post(service, "/other", b"{}", KEYED) == 404
        assert service.kept() == set()

    def test_the_handshake_is_answered_before_there_is_a_secret(self, service: loopback.Service) -> None:
        service.start()
        for code in ("code-1", "\ud800"):
            body = json.dumps({"data": {"event": "url_verification", "verification_code": code}}).encode()
            answered = httpx.post(f"{service.url}/statsig", content=body, trust_env=False, timeout=loopback.DEADLINE_S)
            assert (answered.status_code, answered.json()) == (200, {"verification_code": code})

    def test_every_member_of_a_gzip_body_is_read(self, service: loopback.Service) -> None:
        service.start()
        text = json.dumps([loopback.track(1), loopback.track(2)]).encode()
        body = gzip.compress(text[:40]) + gzip.compress(text[40:])

        assert loopback.post(service, "/v1/batch", body, {**KEYED, "content-encoding": "gzip"}) == 200

        assert service.kept() == {"m-1", "m-2"}

    def test_a_request_whose_length_is_unclear_is_refused_and_trailers_are_no_headers(
        self, service: loopback.Service
    ) -> None:
        service.start()
        body = b"{}"
        signature = b"X-Signature: " + hmac.new(b"segment secret", body, hashlib.sha1).hexdigest().encode()
        chunked = b"Transfer-Encoding: chunked\r\n"
        chunks = b"\r\n2\r\n{}\r\n0\r\n"
        answers = {
            b"HTTP/1.1\r\n\r\n": 400,  # no Host
            b"HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n": 400,
            b"HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n" + chunks + b"\r\n": 400,
            b"HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}": 400,
            b"HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n" + chunked + chunks + b"\r\n": 400,
            b"HTTP/1.0\r\nHost: a\r\n" + chunked + chunks + b"\r\n": 400,
            b"HTTP/1.1\r\nHost: a\r\n" + chunked + chunks + signature + b"\r\n\r\n": 401,
            b"HTTP/1.1\r\nHost: a\r\n" + signature + b"\r\n" + chunked + chunks + b"\r\n": 200,
        }

        for request, status in answers.items():
            assert (request, exchanged(service, b"POST /segment " + request)[9:12]) == (request, b"%d" % status)


class TestAcknowledgedIsDelivered:
    def test_killed_at_any_moment_nothing_is_lost_and_each_message_has_one_key(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        """Killed four times at moments drawn by seed, between acceptance and delivery of 2,000 messages."""

        def slow(_: loopback.Received) -> loopback.Answer:
            time.sleep(0.01)
            return OK

        collector = receive(slow)
        service.set(STATSIG_API=collector.url, BATCH_EVENTS="100")
        service.start()
        sender = Sender(service, [[loopback.track(20 * body + at) for at in range(20)] for body in range(100)])
        draw = random.Random(20261123)

        sender.start()
        for kill in range(1, 5):
            loopback.until(partial(sender.has, 400 * kill), "messages are acknowledged")
            time.sleep(draw.uniform(0, 0.1))
            acknowledged = set(sender.acknowledged)
            assert service.end(signal.SIGKILL) == -signal.SIGKILL
            assert acknowledged <= service.kept()
            service.start()
        sender.join(loopback.DEADLINE_S)

        assert service.settled("statsig") == {"sent": 2_000}
        assert set(keys_sent(collector)) == {f"m-{number}" for number in range(2_000)}
        assert sender.again > 0

    def test_killed_in_the_middle_of_a_body_it_begins_again(self, service: loopback.Service, receive: Receive) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        assert batch(service, [loopback.track(number) for number in range(4_900)]) == 200
        loopback.until(lambda: service.rows("SELECT 1 FROM body WHERE starts = 1"), "it is being split")
        service.end(signal.SIGKILL)
        assert service.states("statsig") == {"bodies": 1}

        service.start()

        assert service.settled("statsig") == {"sent": 4_900}
        assert keys_sent(collector) == {f"m-{number}": 1 for number in range(4_900)}

    def test_sigterm_ends_it_and_the_rest_waits_for_the_next_start(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        release = threading.Event()
        collector = receive(lambda _: OK if release.wait(60) else (500, {}, {}))
        service.set(STATSIG_API=collector.url, BATCH_EVENTS="50", REQUEST_TIMEOUT_S="60")
        service.start()
        assert batch(service, [loopback.track(number) for number in range(200)]) == 200
        loopback.until(lambda: collector.requests, "a request is under way")

        assert service.process is not None
        service.process.send_signal(signal.SIGTERM)
        loopback.until(lambda: "stopping" in service.log(), "it has heard the signal")
        release.set()

        assert service.process.wait(loopback.DEADLINE_S) == 0
        assert service.states("statsig") == {"sent": 50, "waiting": 150}
        service.start()
        assert service.settled("statsig") == {"sent": 200}
        assert keys_sent(collector) == {f"m-{number}": 1 for number in range(200)}

    def test_two_instances_on_one_database_send_each_message_once(
        self, service: loopback.Service, receive: Receive, trap: loopback.Trap, tmp_path: Path
    ) -> None:
        def slow(_: loopback.Received) -> loopback.Answer:
            time.sleep(0.02)
            return OK

        collector = receive(slow)
        (tmp_path / "second").mkdir()
        with closing(loopback.Service(tmp_path / "second", trap.environment())) as second:
            for instance in (service, second):
                instance.set(STATSIG_API=collector.url, DATABASE=str(service.database), BATCH_EVENTS="10")
                instance.start()
            for number in range(0, 400, 20):
                instance = (service, second)[number // 20 % 2]
                assert batch(instance, [loopback.track(number + at) for at in range(20)]) == 200
            loopback.until(lambda: service.states("statsig").get("sent", 0) > 100, "some are sent")
            service.end(signal.SIGKILL)

            assert service.settled("statsig") == {"sent": 400}
        sent = keys_sent(collector)
        assert len(sent) == 400
        assert sum(sent.values()) <= 410  # one request may have been cut off by the kill


class TestALaneNeverDies:
    def test_it_says_why_it_is_unwell_and_gets_well_again(self, service: loopback.Service, receive: Receive) -> None:
        answers = {
            "http_500": (500, {}, {}),
            "http_302": (302, {}, {"location": "http://127.0.0.1:1/"}),
            "http_401": (401, {}, {}),
            "http_503": (503, {}, {"retry-after": "garbage"}),
            "answer_not_success": (200, {"success": False}, {}),
            "answer_without_end": (200, {"filler": "x" * 100_000}, {}),
            "http_400": (400, {}, {}),
        }
        collector = receive(Changing(*OK))
        service.set(STATSIG_API=collector.url)
        service.start()
        for number, (why, answer) in enumerate(answers.items(), 1):
            collector.answer = Changing(*answer)
            assert batch(service, [loopback.track(number)]) == 200
            loopback.until(lambda: is_unwell(service, "statsig", why), f"the service says {why}")  # noqa: B023 - at once
            assert why in service.log()
            collector.answer = Changing(*OK)
            assert service.settled("statsig") == {"sent": number}
            loopback.until(lambda: is_well(service), "the service is well again")

    def test_garbage_from_a_collector_is_waited_out(self, service: loopback.Service) -> None:
        answers = {
            b"garbage\r\n\r\n": "RemoteProtocolError",
            b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>": "answer_not_json",
            b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}": "RemoteProtocolError",
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\0\0\0\0": "answer_not_json",
            b"": "RemoteProtocolError",
        }
        with closing(Garbage()) as collector:
            service.set(STATSIG_API=collector.url, REQUEST_TIMEOUT_S="0.5")
            service.start()
            assert batch(service, [loopback.track(1)]) == 200
            for collector.raw, why in answers.items():
                loopback.until(lambda: is_unwell(service, "statsig", why), f"the service says {why}")  # noqa: B023
            collector.hangs = True
            loopback.until(lambda: is_unwell(service, "statsig", "ReadTimeout"), "the service says that it hangs")
            assert service.states("statsig") == {"waiting": 1}

    def test_it_waits_as_long_as_the_collector_wishes(self, service: loopback.Service, receive: Receive) -> None:
        times: list[float] = []

        def answer(_: loopback.Received) -> loopback.Answer:
            times.append(time.monotonic())
            return (503, {}, {"retry-after": "1"}) if len(times) == 1 else OK

        service.set(STATSIG_API=receive(answer).url, MAX_BACKOFF_S="5")
        service.start()
        assert batch(service, [loopback.track(1)]) == 200

        assert service.settled("statsig") == {"sent": 1}
        assert times[1] - times[0] >= 1

    def test_a_locked_database_is_waited_out_and_nothing_is_acknowledged_meanwhile(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert batch(service, [loopback.track(1)]) == 503
            loopback.until(lambda: is_unwell(service, "database", "database is locked"), "the service says why")
            other.execute("ROLLBACK")

        loopback.until(lambda: is_well(service), "the service is well again")
        assert batch(service, [loopback.track(1)]) == 200
        assert service.settled("statsig") == {"sent": 1}

    def test_a_full_disk_is_waited_out_and_what_was_sent_is_not_sent_again_and_again(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        release = threading.Event()
        collector = receive(lambda _: OK if release.wait(loopback.DEADLINE_S) else (500, {}, {}))
        service.set(STATSIG_API=collector.url, REQUEST_TIMEOUT_S=str(2 * loopback.DEADLINE_S))
        service.start()
        assert batch(service, [loopback.track(1)]) == 200
        loopback.until(lambda: collector.requests, "the message is on its way")

        limit_files(service, 1)
        assert batch(service, [loopback.track(2)]) == 503
        release.set()
        loopback.until(lambda: service.health()[1].get("statsig"), "the lane says that something is wrong")
        time.sleep(0.5)
        assert len(collector.requests) == 1
        assert service.health()[1]["database"]

        limit_files(service, resource.RLIM_INFINITY)
        assert service.settled("statsig") == {"sent": 1}
        assert keys_sent(collector) == {"m-1": 1}
        loopback.until(lambda: is_well(service), "the service is well again")

    def test_a_database_that_was_moved_away_is_noticed(self, service: loopback.Service, receive: Receive) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        assert batch(service, [loopback.track(1)]) == 200
        assert service.settled("statsig") == {"sent": 1}
        away = service.database.with_name("away")

        service.database.rename(away)
        assert batch(service, [loopback.track(2)]) == 503
        loopback.until(lambda: is_unwell(service, "database", "the database was moved away"), "the service says why")
        assert not service.database.exists()
        away.rename(service.database)

        loopback.until(lambda: is_well(service), "the service is well again")
        assert batch(service, [loopback.track(3)]) == 200
        assert service.settled("statsig") == {"sent": 2}


class TestOnlyRefusalsMakeDeadLetters:
    def test_an_outage_makes_none(self, service: loopback.Service, receive: Receive) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url, FIRST_BACKOFF_S="0.001", MAX_BACKOFF_S="0.001")
        service.start()
        for number, status in enumerate((400, 403, 500), 1):
            collector.answer, before = Changing(status, {}, {}), len(collector.requests)
            assert batch(service, [loopback.track(20 * number + at) for at in range(20)]) == 200
            loopback.until(lambda: len(collector.requests) > before + 100, "many requests have failed")  # noqa: B023
            assert service.states("statsig").get("waiting") == 20

            collector.answer = Changing(*OK)

            assert service.settled("statsig") == {"sent": 20 * number}

    def test_a_message_that_is_refused_alone_is_one_once_another_is_taken(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda received: (400, {}, {}) if b'"m-7"' in received.body else OK)
        service.set(STATSIG_API=collector.url)
        service.start()
        assert batch(service, [loopback.track(7)]) == 200
        loopback.until(lambda: is_unwell(service, "statsig", "http_400"), "the lane says why")
        assert service.states("statsig") == {"waiting": 1}

        assert batch(service, [loopback.track(number) for number in range(8, 38)]) == 200

        assert service.settled("statsig") == {"sent": 30, "dead": 1}
        loopback.until(lambda: is_well(service), "the service is well again")

    def test_many_refused_messages_do_not_stop_those_behind_them(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda received: (400, {}, {}) if b"poison" in received.body else OK)
        service.set(STATSIG_API=collector.url, BATCH_EVENTS="20")
        service.start()
        poisoned = [loopback.track(number, event="poison") for number in range(50)]
        assert batch(service, [*poisoned, *(loopback.track(number) for number in range(90, 100))]) == 200

        loopback.until(lambda: service.states("statsig").get("sent") == 10, "they are taken")

    def test_they_are_listed_and_tried_again_with_one_statement(
        self, service: loopback.Service, receive: Receive, tmp_path: Path
    ) -> None:
        """What was refused is sent again; what could not be translated is translated again, by the new settings."""
        collector = receive(lambda received: (400, {}, {}) if b'"m-7"' in received.body else OK)
        service.set(STATSIG_API=collector.url)
        service.start()
        odd = loopback.track(9, userId=None, properties={"member": "u9"})
        assert batch(service, [loopback.track(7), loopback.track(8), odd]) == 200
        assert batch(service, [loopback.track(10)]) == 200
        assert service.settled("statsig") == {"sent": 2, "dead": 2}
        assert dead_letters(service) == {"m-7": "http_400", "m-9": "no_identifier"}
        ((payload,),) = service.rows("SELECT payload FROM dead_letter WHERE key = 'm-9'")
        assert json.loads(payload) == odd

        service.end(signal.SIGTERM)
        mapped = tmp_path / "integration.toml"
        mapped.write_text('[[inbound.id_mappings]]\nfield = "properties.member"\nid_type = "memberID"\n', "utf-8")
        service.set(INTEGRATION=str(mapped))
        service.start()
        collector.answer = Changing(*OK)
        try_dead_letters_again(service)

        assert service.settled("statsig") == {"sent": 4}
        assert set(keys_sent(collector)) == {f"m-{number}" for number in range(7, 11)}
        assert dead_letters(service) == {}


class TestBounds:
    def test_a_body_beyond_a_bound_is_refused(self, service: loopback.Service) -> None:
        service.start()
        bodies = {
            "values": (b"[" * 400_000, "identity"),
            "bytes": (b'{"a":"' + b"x" * 5_000_000 + b'"}', "identity"),
            "bomb": (gzip.compress(bytes(50_000_000)), "gzip"),
            "values in little": (gzip.compress(b"[" * 400_000), "gzip"),
        }
        for name, (body, encoding) in bodies.items():
            headers = {**KEYED, "content-encoding": encoding}
            assert (name, loopback.post(service, "/v1/batch", body, headers)) == (name, 413)

        assert service.rows("SELECT count(*) FROM body") == [(0,)]

    def test_a_body_that_comes_too_slowly_is_refused(self, service: loopback.Service) -> None:
        service.set(REQUEST_TIMEOUT_S="0.5")
        service.start()
        head = b"POST /segment HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        assert exchanged(service, head).startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize(
        ("bounds", "starts", "code"),
        [
            ({"WORK_TIMEOUT_S": "0.01"}, 0, "too_slow"),
            ({"WORK_MEMORY_BYTES": "1"}, 0, "too_much_memory"),
            ({}, 3, "never_finished"),
            ({}, 0, "too_many_messages"),
        ],
    )
    def test_a_body_beyond_its_bound_of_work_is_a_dead_letter_and_the_next_one_goes_on(
        self, service: loopback.Service, receive: Receive, bounds: dict[str, str], starts: int, code: str
    ) -> None:
        """One has ended the process three times, as the kernel does where there is no memory left."""
        service.set(STATSIG_API=receive().url, **bounds)
        service.start()
        service.end(signal.SIGTERM)
        call = {"type": "track", "event": "e", "userId": "u", "properties": dict.fromkeys("abcdef", "x" * 3_000)}
        calls = {"too_slow": [call] * 400, "too_much_memory": [call] * 3_000, "too_many_messages": [[]] * 5_001}
        body = json.dumps(calls.get(code, [call])).encode()
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            other.execute(
                "INSERT INTO body (lane, content, accepted_ms, starts) VALUES ('statsig', ?, 0, ?)", (body, starts)
            )
        service.start()

        assert batch(service, [loopback.track(1)]) == 200

        assert service.settled("statsig") == {"sent": 1, "dead bodies": 1}
        assert dead_letters(service) == {None: code}
        assert is_well(service)

    def test_what_cannot_be_split_after_all_stops_no_other(self, service: loopback.Service, receive: Receive) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            for lane, content in (("statsig", b"{\xff"), ("segment", b"7")):
                other.execute("INSERT INTO body (lane, content, accepted_ms) VALUES (?, ?, 0)", (lane, content))

        assert batch(service, [loopback.track(1)]) == 200

        assert service.settled("statsig") == {"sent": 1, "dead bodies": 1}
        codes = service.rows("SELECT code FROM dead_letter ORDER BY code")
        assert codes == [("invalid_json",), ("not_an_object",)]


class TestHostileBodies:
    """Bodies that just keep within the bounds of the door, and cost as much as they can."""

    MOST_BYTES, MOST_VALUES, MOST_EVENTS = 1_000_000, 50_000, 5_000
    MOST_MS, MOST_KB = 250, 400_000

    @staticmethod
    def call(properties: bytes) -> bytes:
        return b'{"type":"track","event":"e","userId":"u","properties":{' + properties + b"}}"

    @staticmethod
    def listed(item: bytes, times: int) -> bytes:
        return b'"a":[' + b",".join([item] * times) + b"]"

    @classmethod
    def envelope(cls, items: int, shared: bytes, times: int) -> bytes:
        return b'{"batch":[' + b",".join([b"{}"] * items) + b'],"context":{' + cls.listed(shared, times) + b"}}"

    @classmethod
    def bodies(cls) -> dict[str, bytes]:
        values = cls.MOST_VALUES - 20
        deep = b"[" * 98 + b",".join([b"[]"] * 4_000) + b"]" * 98
        return {
            "calls that are none": b"[" + b",".join([b"[]"] * (cls.MOST_EVENTS - 1)) + b"]",
            "empty arrays": cls.call(cls.listed(b"[]", values // 2)),
            "empty objects": cls.call(cls.listed(b"{}", values // 2)),
            "nested arrays": cls.call(cls.listed(b"[[[[[[[[]]]]]]]]", values // 9)),
            "short keys": cls.call(b",".join(b'"%x":1' % at for at in range(values))),
            "many strings": cls.call(b",".join(b'"%x":"%x"' % (at, at) for at in range(values))),
            "long integers": cls.call(cls.listed(b"9" * 4_300, cls.MOST_BYTES // 4_320)),
            "floats": cls.call(cls.listed(b"1.2345678901234567e-300", cls.MOST_BYTES // 25)),
            "lone surrogates": cls.call(b'"a":"' + b"\\ud800" * (cls.MOST_BYTES // 7) + b'"'),
            "a deep value": cls.call(b'"a":' + b"[" * 900 + b"]" * 900),
            "too deep to read": b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
            "a long name": b'{"type":"track","event":"' + b"x" * (cls.MOST_BYTES - 100) + b'","userId":"u"}',
            "an envelope that multiplies arrays": cls.envelope(4_900, b"[]", 8_000),
            "an envelope that multiplies": cls.envelope(300, b"1", 6_000),
            "a small envelope that multiplies": cls.envelope(300, b"1", 450),
            "a long name of unreadable values": cls.call(b'"' + b"K" * 200_000 + b'":' + deep),
            "a longer name of unreadable values": cls.call(b'"' + b"K" * 900_000 + b'":' + deep),
        }

    def test_none_holds_the_event_loop_takes_much_memory_or_stops_delivery(
        self, service: loopback.Service, receive: Receive, tmp_path: Path
    ) -> None:
        """Each is sent plain, compressed, and with a wrong signature."""
        service.command = [sys.executable, str(loopback.HERE / "drivers" / "metered_service.py")]
        service.set(STATSIG_API=receive().url, HOLD=str(tmp_path / "hold"))
        service.start()
        packed = {**KEYED, "content-encoding": "gzip"}
        holds_ms: dict[str, float] = {}
        for name, body in self.bodies().items():
            read_hold_ms(service, tmp_path / "hold")
            answers = [
                loopback.post(service, "/v1/batch", body, KEYED),
                loopback.post(service, "/v1/batch", gzip.compress(body), packed),
                loopback.post(service, "/segment", body, {"x-signature": "00"}),
            ]
            assert {*answers[:2]} <= {200, 400, 413}, (name, answers)
            assert answers[2] == 401, (name, answers)
            assert batch(service, [loopback.track(len(holds_ms))]) == 200
            service.settled("statsig")
            holds_ms[name] = read_hold_ms(service, tmp_path / "hold")

        print(holds_ms, service.memory_kb(), service.states("statsig"))
        assert max(holds_ms.values()) < self.MOST_MS, holds_ms
        assert service.memory_kb() < self.MOST_KB
        assert service.rows("SELECT count(*) FROM message WHERE key LIKE 'm-%' AND state = 'sent'") == [
            (len(holds_ms),)
        ]

    def test_many_at_once_stay_within_the_memory_and_are_taken_or_refused(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        answers: list[int] = []
        senders = [
            threading.Thread(target=lambda body=body: answers.append(loopback.post(service, "/v1/batch", body, KEYED)))
            for body in [*self.bodies().values()] * 2
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(loopback.DEADLINE_S)

        assert len(answers) == len(senders)
        assert set(answers) <= {200, 400, 408, 413, 503}
        assert batch(service, [loopback.track(1)]) == 200
        service.settled("statsig")
        assert service.memory_kb() < self.MOST_KB

    def test_a_request_of_many_small_parts_does_not_hold_the_event_loop(
        self, service: loopback.Service, tmp_path: Path
    ) -> None:
        service.command = [sys.executable, str(loopback.HERE / "drivers" / "metered_service.py")]
        service.set(HOLD=str(tmp_path / "hold"))
        service.start()
        head = b"POST /segment HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        for rest in (b"\r\n" + b"1\r\n \r\n" * 200_000 + b"0\r\n\r\n", b"a:\r\n" * 200_000 + b"\r\n0\r\n\r\n"):
            with suppress(OSError):
                exchanged(service, head + rest)
        assert read_hold_ms(service, tmp_path / "hold") < self.MOST_MS


class TestSettings:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("SEGMENT_WRITE_KEY", ""),
            ("BATCH_EVENTS", "secret"),
            ("PORT", "70000"),
            ("HOST", "no such host secret"),
            ("DATABASE", "/no/such/secret/folder/x.sqlite3"),
            ("INTEGRATION", "/no/such/secret"),
        ],
    )
    def test_what_cannot_work_is_refused_at_start(self, service: loopback.Service, name: str, value: str) -> None:
        service.set(**{name: value})

        said = service.refusal()

        assert name in said
        assert "secret" not in said
        assert "Traceback" not in said

    def test_a_database_that_is_not_one_is_refused_at_start(self, service: loopback.Service) -> None:
        service.database.write_bytes(b"not a database" * 1_000)

        assert "DATABASE" in service.refusal()


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


class Garbage:
    """Answers each connection with bytes, whatever it says."""

    def __init__(self) -> None:
        self.raw, self.hangs = b"", False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(loopback.DEADLINE_S)

    def _serve(self) -> None:
        with suppress(OSError):  # closed
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(1)
                with connection, suppress(OSError):
                    connection.recv(100_000)
                    connection.sendall(self.raw)
                    if self.hangs:
                        connection.recv(1)


def exchanged(service: loopback.Service, request: bytes) -> bytes:
    """Send bytes, and give the beginning of the answer."""
    with socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(request)
        return connection.recv(1_000)


def read_hold_ms(service: loopback.Service, path: Path) -> float:
    """Ask the metered service for how long its loop was held since the last time, at most."""
    path.write_bytes(b"")
    assert service.process is not None
    service.process.send_signal(signal.SIGUSR1)
    loopback.until(lambda: path.read_bytes().endswith(b"\n"), "the meter writes")
    return float(path.read_bytes())


def try_dead_letters_again(service: loopback.Service) -> None:
    with closing(sqlite3.connect(service.database, isolation_level=None)) as connection:
        connection.execute("UPDATE dead_letter SET code = NULL")


def limit_files(service: loopback.Service, size: int) -> None:
    """Let the service write beyond this size of no file, as on a full disk."""
    assert service.process is not None
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
