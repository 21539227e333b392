"""The example service under faults: of its settings, its database, its collectors, and of those who send to it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
import resource
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing, suppress
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

KEYED = {"authorization": "Basic c291cmNlIGtleTo="}


def keys_sent(collector: loopback.Receiver) -> Counter[str]:
    events = (event for request in collector.at("/log_event") for event in request.json["events"])
    return Counter(event["metadata"]["statsigSegmentKey"] for event in events)


def batch(service: loopback.Service, calls: list[dict[str, Any]], **envelope: Any) -> int:
    return loopback.post(service, "/v1/batch", json.dumps({"batch": calls, **envelope}).encode(), KEYED)


def is_unwell(service: loopback.Service, place: str, why: str) -> bool:
    status, unwell = service.health()
    return status == 503 and unwell.get(place) == why


def is_well(service: loopback.Service) -> bool:
    return service.health()[0] == 200


class Changing:
    """Answers as it is told last."""

    def __init__(self, *answer: Any) -> None:
        self.answer = answer

    def __call__(self, _: loopback.Received) -> Any:
        return self.answer


class TestSettings:
    """What it cannot start with it refuses at start, naming the setting and not its value."""

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("STATSIG_SERVER_KEY", "secret\nkey"),
            ("STATSIG_SERVER_KEY", "secret-é"),
            ("SEGMENT_WRITE_KEY", "secret:key"),
            ("STATSIG_API", "http://"),
            ("STATSIG_API", "ftp://secret/v1"),
            ("SEGMENT_API", "secret"),
            ("SEGMENT_API", "https://user:secret@host/v1"),
            ("BATCH_EVENTS", "0"),
            ("BATCH_BYTES", "-1"),
            ("MAX_BODY_BYTES", "secret"),
            ("FIRST_BACKOFF_S", "nan"),
            ("MAX_BACKOFF_S", "inf"),
            ("REQUEST_TIMEOUT_S", "0"),
            ("KEEP_DAYS", "-3"),
            ("PORT", "70000"),
            ("STATUS_PORT", "secret"),
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

        assert "DATABASE cannot be opened" in service.refusal()


class TestALaneNeverDies:
    @pytest.mark.parametrize(
        ("answer", "why"),
        [
            ((500, {}, {}), "http_500"),
            ((302, {}, {"location": "http://127.0.0.1:1/"}), "http_302"),
            ((401, {}, {}), "http_401"),
            ((503, {}, {"retry-after": "garbage"}), "http_503"),
            ((429, {}, {"retry-after": "-5"}), "http_429"),
            ((200, {"success": False}, {}), "answer_not_success"),
            ((200, {"filler": "x" * 100_000}, {}), "answer_too_large"),
            ((400, {}, {}), "http_400"),
        ],
    )
    def test_the_service_says_why_it_is_unwell_and_gets_well_again(
        self, service: loopback.Service, receive: Receive, answer: Any, why: str
    ) -> None:
        collector = receive(Changing(*answer))
        service.set(STATSIG_API=collector.url)
        service.start()
        assert loopback.from_segment(service, [loopback.track(1)]) == 200
        loopback.until(lambda: is_unwell(service, "statsig", why), f"the service says {why}")
        assert why in service.log()

        collector.answer = Changing(*loopback.OK)

        assert service.settled("statsig") == {"sent": 1}
        loopback.until(lambda: is_well(service), "the service is well again")

    @pytest.mark.parametrize(
        ("raw", "why"),
        [
            (b"garbage\r\n\r\n", "RemoteProtocolError"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}", "RemoteProtocolError"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", "answer_not_json"),
            (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\0\0\0\0", "answer_not_json"),
            (b"", "RemoteProtocolError"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "TimeoutError"),
        ],
    )
    def test_garbage_from_a_collector_is_waited_out(self, service: loopback.Service, raw: bytes, why: str) -> None:
        with answering(raw, hangs=why == "TimeoutError") as url:
            service.set(STATSIG_API=url, REQUEST_TIMEOUT_S="0.5")
            service.start()
            assert loopback.from_segment(service, [loopback.track(1)]) == 200
            loopback.until(lambda: is_unwell(service, "statsig", why), f"the service says {why}")
            assert service.states("statsig") == {"waiting": 1}

    def test_it_waits_as_long_as_the_collector_wishes(self, service: loopback.Service, receive: Receive) -> None:
        times: list[float] = []

        def answer(_: loopback.Received) -> loopback.Answer:
            times.append(time.monotonic())
            return (503, {}, {"retry-after": "1"}) if len(times) == 1 else loopback.OK

        service.set(STATSIG_API=receive(answer).url, MAX_BACKOFF_S="5")
        service.start()
        assert loopback.from_segment(service, [loopback.track(1)]) == 200

        assert service.settled("statsig") == {"sent": 1}
        assert times[1] - times[0] >= 1

    def test_a_locked_database_is_waited_out_and_nothing_is_acknowledged_meanwhile(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert loopback.from_segment(service, [loopback.track(1)]) == 503
            loopback.until(lambda: is_unwell(service, "intake", "OperationalError"), "the service says why")
            other.execute("ROLLBACK")

        loopback.until(lambda: is_well(service), "the service is well again")
        assert loopback.from_segment(service, [loopback.track(1)]) == 200
        assert service.settled("statsig") == {"sent": 1}

    def test_a_full_disk_is_waited_out_and_what_was_sent_is_not_sent_again_and_again(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        release = threading.Event()
        collector = receive(lambda _: loopback.OK if release.wait(loopback.DEADLINE_S) else (500, {}, {}))
        service.set(STATSIG_API=collector.url, REQUEST_TIMEOUT_S=str(2 * loopback.DEADLINE_S))
        service.start()
        assert loopback.from_segment(service, [loopback.track(1)]) == 200
        loopback.until(lambda: collector.requests, "the message is on its way")

        limit_files(service, 1)
        assert loopback.from_segment(service, [loopback.track(2)]) == 503
        release.set()
        loopback.until(lambda: is_unwell(service, "statsig", "OperationalError"), "the lane says why")
        time.sleep(1)
        assert len(collector.requests) == 1

        limit_files(service, resource.RLIM_INFINITY)
        assert service.settled("statsig") == {"sent": 1}
        assert keys_sent(collector) == {"m-1": 1}
        loopback.until(lambda: is_well(service), "the service is well again")


class TestAcknowledgedIsDelivered:
    @pytest.mark.parametrize("status", [400, 403, 500])
    def test_an_outage_makes_no_dead_letters(self, service: loopback.Service, receive: Receive, status: int) -> None:
        collector = receive(Changing(status, {}, {}))
        service.set(STATSIG_API=collector.url, FIRST_BACKOFF_S="0.001", MAX_BACKOFF_S="0.001")
        service.start()
        assert loopback.from_segment(service, [loopback.track(number) for number in range(20)]) == 200
        loopback.until(lambda: len(collector.requests) > 100, "many requests have failed")
        assert service.states("statsig") == {"waiting": 20}

        collector.answer = Changing(*loopback.OK)

        assert service.settled("statsig") == {"sent": 20}

    def test_a_message_that_alone_is_refused_is_a_dead_letter_once_another_is_taken(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda received: (400, {}, {}) if b"m-7" in received.body else loopback.OK)
        service.set(STATSIG_API=collector.url)
        service.start()
        assert loopback.from_segment(service, [loopback.track(7)]) == 200
        loopback.until(lambda: is_unwell(service, "statsig", "http_400"), "the lane says why")
        assert service.states("statsig") == {"waiting": 1}

        assert loopback.from_segment(service, [loopback.track(8)]) == 200

        assert service.settled("statsig") == {"sent": 1, "dead": 1}
        loopback.until(lambda: is_well(service), "the service is well again")

    def test_many_refused_messages_do_not_stop_those_behind_them(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda received: (400, {}, {}) if b"poison" in received.body else loopback.OK)
        service.set(STATSIG_API=collector.url, BATCH_EVENTS="20")
        service.start()
        poisoned = [loopback.track(number, event="poison") for number in range(50)]
        assert loopback.from_segment(service, [*poisoned, loopback.track(99)]) == 200

        loopback.until(lambda: keys_sent(collector)["m-99"] and service.states("statsig").get("sent"), "it is taken")

    def test_dead_letters_are_listed_and_sent_again_with_one_command(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda received: (400, {}, {}) if b'"m-7"' in received.body else loopback.OK)
        service.set(STATSIG_API=collector.url)
        service.start()
        assert loopback.from_segment(service, [loopback.track(7), loopback.track(8)]) == 200
        assert service.settled("statsig") == {"sent": 1, "dead": 1}
        assert dead_letters(service, "--code", "http_500") == []
        letters = dead_letters(service)
        assert [(letter["key"], letter["code"]) for letter in letters] == [("m-7", "http_400")]
        assert json.loads(letters[0]["payload"]) == loopback.track(7)

        collector.answer = Changing(*loopback.OK)
        assert dead_letters(service, "--resend") == letters

        loopback.until(lambda: service.states("statsig") == {"sent": 2}, "the dead letter is sent")
        assert dead_letters(service) == []

    def test_a_path_that_cannot_be_stored_stops_no_lane(self, service: loopback.Service, receive: Receive) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        audience = {"personas": {"computation_class": "audience", "computation_key": "\ud800"}}
        odd = {"type": "identify", "userId": "u", "context": audience, "traits": {"\ud800": "neither in nor out"}}

        assert batch(service, [odd, loopback.track(1)]) == 200

        assert service.settled("statsig") == {"sent": 1, "dead": 1}
        assert [letter["path"] for letter in dead_letters(service)] == ['$.traits["\\ud800"]']

    def test_every_member_of_a_gzip_body_is_read(self, service: loopback.Service) -> None:
        service.start()
        text = json.dumps([loopback.track(1), loopback.track(2)]).encode()
        body = gzip.compress(text[:40]) + gzip.compress(text[40:])

        assert loopback.post(service, "/v1/batch", body, {**KEYED, "content-encoding": "gzip"}) == 200

        service.split()
        assert service.rows("SELECT key FROM message ORDER BY id") == [("m-1",), ("m-2",)]

    @pytest.mark.parametrize("own", ["\ud800", "a\udfffb", "x" * 100_000])
    def test_an_id_that_cannot_be_stored_costs_no_other_message_anything(
        self, service: loopback.Service, receive: Receive, own: str
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        odd = loopback.track(2, messageId=own)

        assert batch(service, [loopback.track(1), odd, loopback.track(3)]) == 200
        assert batch(service, [odd]) == 200

        assert service.settled("statsig") == {"sent": 3}
        assert sum(keys_sent(collector).values()) == 3

    def test_a_message_without_an_id_counts_once_though_its_sender_stamps_each_try(
        self, service: loopback.Service
    ) -> None:
        service.start()
        call = {name: value for name, value in loopback.track(1).items() if name != "messageId"}

        assert batch(service, [call], sentAt="2026-11-03T08:00:00Z") == 200
        assert batch(service, [call], sentAt="2026-11-03T08:00:09Z") == 200

        service.split()
        assert service.rows("SELECT count(*) FROM message") == [(1,)]

    def test_no_property_takes_the_name_of_the_key(self, service: loopback.Service, receive: Receive) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        properties = {"messageId": "theirs", "statsigSegmentKey": "theirs too"}

        assert loopback.from_segment(service, [loopback.track(1, properties=properties)]) == 200

        assert service.settled("statsig") == {"sent": 1}
        (event,) = collector.requests[0].json["events"]
        assert event["metadata"] == {"messageId": "theirs", "statsigSegmentKey": "m-1"}

    def test_two_instances_on_one_database_send_each_message_once(
        self, service: loopback.Service, receive: Receive, trap: loopback.Trap, tmp_path: Path
    ) -> None:
        def slow(_: loopback.Received) -> loopback.Answer:
            time.sleep(0.02)
            return loopback.OK

        collector = receive(slow)
        (tmp_path / "second").mkdir()
        with closing(loopback.Service(tmp_path / "second", trap.environment())) as second:
            for instance in (service, second):
                instance.set(STATSIG_API=collector.url, DATABASE=str(service.database), BATCH_EVENTS="10")
                instance.start()
            for number in range(0, 400, 20):
                instance = (service, second)[number // 20 % 2]
                assert loopback.from_segment(instance, [loopback.track(number + at) for at in range(20)]) == 200
            loopback.until(lambda: service.states("statsig").get("sent", 0) > 100, "some are sent")
            service.end(signal.SIGKILL)

            assert service.settled("statsig") == {"sent": 400}
        sent = keys_sent(collector)
        assert len(sent) == 400
        assert sum(sent.values()) <= 410  # one request may have been cut off by the kill


class TestBounds:
    def test_a_connection_without_a_request_is_closed(self, service: loopback.Service) -> None:
        service.set(HEAD_TIMEOUT_S="1")
        service.start()
        with connected(service) as idle, connected(service) as trickling:
            trickling.sendall(b"POST /segment HTTP/1.1\r\n")
            for number in range(40):
                try:
                    trickling.sendall(b"X-%d: y\r\n" % number)
                except OSError:
                    break
                time.sleep(0.1)
            else:
                pytest.fail("a head may take forever")
            assert idle.recv(1) == b""

    def test_a_body_that_comes_too_slowly_is_refused(self, service: loopback.Service) -> None:
        service.set(BODY_TIMEOUT_S="0.5")
        service.start()
        with connected(service) as slow:
            slow.sendall(b"POST /segment HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            assert slow.recv(100).startswith(b"HTTP/1.1 408 ")

    @pytest.mark.parametrize(
        ("rest", "status"),
        [
            (b"a:\r\n" * 150 + b"\r\n0\r\n\r\n", 401),
            (b"a:\r\n" * 250 + b"\r\n0\r\n\r\n", 400),
            (b"\r\n" + b"1\r\n \r\n" * 2_000 + b"0\r\n\r\n", 401),
            (b"\r\n" + b"1\r\n \r\n" * 5_000 + b"0\r\n\r\n", 400),
        ],
        ids=["headers", "too many headers", "chunks", "too many chunks"],
    )
    def test_a_request_of_too_many_small_parts_is_refused(
        self, service: loopback.Service, rest: bytes, status: int
    ) -> None:
        """256 KB of them, which is what the service reads at a time, would hold the event loop for 200 ms."""
        service.start()
        with connected(service) as sender:
            sender.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n" + rest)
            assert sender.recv(100).startswith(b"HTTP/1.1 %d " % status)

    def test_a_head_without_an_end_is_refused(self, service: loopback.Service) -> None:
        service.start()
        with connected(service) as sender:
            sender.sendall(b"POST /v1/batch HTTP/1.1\r\nX: ")
            with suppress(OSError):
                for _ in range(100):
                    sender.sendall(b"x" * 10_000)
                    time.sleep(0.001)
            assert sender.recv(100).startswith(b"HTTP/1.1 400 ")

    @pytest.mark.parametrize(("requests", "fewest", "most"), [(10, 10, 10), (5_000, 0, 100)])
    def test_few_requests_may_be_sent_ahead_of_their_answers(
        self, service: loopback.Service, requests: int, fewest: int, most: int
    ) -> None:
        """5,000 of them, in 90 KB, would take memory and hold the event loop."""
        service.start()
        received = b""
        with connected(service) as sender, suppress(OSError):
            sender.sendall(b"GET / HTTP/1.1\r\n\r\n" * requests)
            while received.count(b"HTTP/1.1 404 ") < requests and (more := sender.recv(100_000)):
                received += more
        assert fewest <= received.count(b"HTTP/1.1 404 ") <= most
        assert loopback.from_segment(service, [loopback.track(1)]) == 200

    def test_answers_do_not_wait_for_the_sender_to_acknowledge_their_first_half(
        self, service: loopback.Service
    ) -> None:
        """On a connection that has been in use for a while, an operating system does that 40 ms late."""
        service.start()
        took_s: list[float] = []
        with httpx.Client(trust_env=False, timeout=loopback.DEADLINE_S) as client:
            for _ in range(60):
                began = time.perf_counter()
                client.get(f"{service.status_url}/healthz")
                took_s.append(time.perf_counter() - began)

        assert min(took_s[30:]) < 0.03

    def test_connections_are_bounded_and_those_within_the_bound_are_served(self, service: loopback.Service) -> None:
        service.set(MAX_CONNECTIONS="20", HEAD_TIMEOUT_S="2")
        service.start()
        assert service.process is not None
        with ExitStack() as stack:
            for _ in range(200):
                stack.enter_context(connected(service))
            time.sleep(0.5)
            open_files = len(list(Path(f"/proc/{service.process.pid}/fd").iterdir()))
        assert open_files < 60
        loopback.until(lambda: loopback.from_segment(service, [loopback.track(1)]) == 200, "it takes requests again")

    @pytest.mark.parametrize(
        ("body", "encoding"),
        [
            (b"[" + b",".join([b"{}"] * 10_001) + b"]", ""),
            (b"[" * 400_000, ""),
            (b'{"batch":[' + b",".join([b"{}"] * 5_000) + b'],"context":{"a":"' + b"x" * 20_000 + b'"}}', ""),
            (b'{"a":"' + b"x" * 5_000_000 + b'"}', ""),
            (gzip.compress(bytes(50_000_000)), "gzip"),
        ],
        ids=["events", "values", "amplified", "bytes", "bomb"],
    )
    def test_a_body_beyond_a_bound_is_refused(self, service: loopback.Service, body: bytes, encoding: str) -> None:
        service.start()

        assert loopback.post(service, "/v1/batch", body, {**KEYED, "content-encoding": encoding}) == 413
        service.split()
        assert service.rows("SELECT count(*) FROM message") == [(0,)]

    @pytest.mark.parametrize(("status_port", "status"), [("0", 200), ("off", 0)])
    def test_the_status_is_on_a_port_of_its_own_that_can_be_closed(
        self, service: loopback.Service, status_port: str, status: int
    ) -> None:
        service.set(STATUS_PORT=status_port)
        if status:
            service.start()
        else:
            service.launch()
            loopback.until(lambda: "listening on port" in service.log(), "it listens")
            time.sleep(0.5)
            service.url = f"http://127.0.0.1:{service.log().split('listening on port ')[1].split()[0]}"
        assert service.health()[0] == status
        for path in ("/healthz", "/counters"):
            assert httpx.get(f"{service.url}{path}", trust_env=False, timeout=loopback.DEADLINE_S).status_code == 404

    def test_the_counters_are_right_and_kept_without_the_table(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda received: (400, {}, {}) if b'"m-7"' in received.body else loopback.OK)
        service.set(STATSIG_API=collector.url)
        service.start()
        lines = (loopback.EXAMPLES / "segment_calls.ndjson").read_text(encoding="utf-8").splitlines()
        calls = [*(json.loads(line) for line in lines), *(loopback.track(number) for number in range(20))]
        assert loopback.from_segment(service, calls) == 200
        assert loopback.from_segment(service, calls[5:]) == 200
        expected = service.settled("statsig")
        assert set(expected) == {"sent", "dead", "skipped", "audience"}
        dead_letters(service, "--code", "http_400", "--resend")
        assert loopback.from_segment(service, [loopback.track(20)]) == 200
        expected = service.settled("statsig")

        assert service.counters("statsig") == expected
        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            other.execute("UPDATE counter SET messages = 7 WHERE state = 'sent'")
        assert service.counters("statsig") == expected | {
            "sent": 7
        }  # it reads what it has written down, and counts no rows


class TestHostileBodies:
    """Bodies that just keep within the bounds, and cost as much as they can."""

    MOST_BYTES, MOST_VALUES, MOST_EVENTS = 2_000_000, 50_000, 5_000  # the service's defaults
    MOST_MS = 250

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
    def bodies(cls) -> dict[str, tuple[bytes, int]]:
        """Give each body with the status of its answer; so none is refused early by chance, and tried for nothing."""
        values = cls.MOST_VALUES - 20
        return {
            "calls that are none": (b"[" + b",".join([b"[]"] * (cls.MOST_EVENTS - 1)) + b"]", 200),
            "empty arrays": (cls.call(cls.listed(b"[]", values // 2)), 200),
            "empty objects": (cls.call(cls.listed(b"{}", values // 2)), 200),
            "nested arrays": (cls.call(cls.listed(b"[[[[[[[[]]]]]]]]", values // 9)), 200),
            "short keys": (cls.call(b",".join(b'"%x":1' % at for at in range(values))), 200),
            "many strings": (cls.call(b",".join(b'"%x":"%x"' % (at, at) for at in range(values))), 200),
            "long integers": (cls.call(cls.listed(b"9" * 4_300, cls.MOST_BYTES // 4_320)), 200),
            "floats": (cls.call(cls.listed(b"1.2345678901234567e-300", values)), 200),
            "lone surrogates": (cls.call(b'"a":"' + b"\\ud800" * (cls.MOST_BYTES // 7) + b'"'), 200),
            "a deep value": (cls.call(b'"a":' + b"[" * 900 + b"]" * 900), 200),
            "too deep to read": (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 400),
            "a long name": (b'{"type":"track","event":"' + b"x" * (cls.MOST_BYTES - 100) + b'","userId":"u"}', 200),
            "an envelope that multiplies too much": (cls.envelope(4_900, b"[]", 8_000), 413),
            "an envelope that multiplies": (cls.envelope(300, b"1", 6_000), 200),
            "a small envelope that multiplies": (cls.envelope(300, b"1", 450), 200),
        }

    def test_none_holds_the_event_loop(self, receive: Receive, trap: loopback.Trap, tmp_path: Path) -> None:
        """What holds it does so each time; that other programs keep the loop from the processor does not recur."""
        collector = receive()
        suspects = self.bodies()
        for attempt in range(3):
            folder = tmp_path / f"{attempt}"
            folder.mkdir()
            with closing(loopback.Service(folder, trap.environment())) as service:
                service.command = [sys.executable, str(loopback.HERE / "drivers" / "metered_service.py")]
                service.set(STATSIG_API=collector.url, HOLD=str(folder / "hold"))
                service.start()
                holds_ms = {name: self.hold_ms(service, folder / "hold", name) for name in suspects}
            assert all(holds_ms.values())
            suspects = {name: suspects[name] for name, hold in holds_ms.items() if hold >= self.MOST_MS}
            if not suspects:
                break
        assert list(suspects) == []

    def hold_ms(self, service: loopback.Service, hold: Path, name: str) -> float:
        """Send a body, also compressed and without its signature; wait until it is delivered; give the longest hold."""
        body, status = self.bodies()[name]
        read_hold_ms(service, hold)
        assert (name, self.send(service, body)) == (name, status)
        packed = {**KEYED, "content-encoding": "gzip"}
        assert (name, loopback.post(service, "/v1/batch", gzip.compress(body), packed)) == (name, status)
        assert (name, loopback.post(service, "/segment", body, {"x-signature": "00"})) == (name, 401)
        service.settled("statsig")
        return read_hold_ms(service, hold)

    def test_many_at_once_stay_within_the_memory_and_are_taken_or_refused(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        service.set(STATSIG_API=receive().url)
        service.start()
        answers: list[int] = []
        bodies = [body for body, _ in self.bodies().values()] * 6
        senders = [
            threading.Thread(target=lambda body=body: answers.append(self.send(service, body))) for body in bodies
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(4 * loopback.DEADLINE_S)

        assert service.memory_kb() < 600_000
        assert len(answers) == len(bodies)
        assert set(answers) <= {200, 400, 413, 503}
        assert batch(service, [loopback.track(1)]) == 200

    @staticmethod
    def send(service: loopback.Service, body: bytes) -> int:
        url, deadline_s = f"{service.url}/v1/batch", 4 * loopback.DEADLINE_S
        return httpx.post(url, content=body, headers=KEYED, trust_env=False, timeout=deadline_s).status_code


class TestReplay:
    @staticmethod
    def post_signed(service: loopback.Service, first: bytes, rest: bytes = b"") -> int:
        signature = hmac.new(b"segment secret", first, hashlib.sha1).hexdigest()
        return loopback.post(service, "/segment", b"[" + first + rest + b"]", {"x-signature": signature})

    def test_a_signed_body_is_taken_once_even_when_its_messages_are_forgotten(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url, KEEP_DAYS="0.000001")
        service.start()
        assert self.post_signed(service, json.dumps(loopback.track(1)).encode()) == 200
        loopback.until(lambda: keys_sent(collector) and service.states("statsig") == {}, "the message is forgotten")

        assert self.post_signed(service, json.dumps(loopback.track(1)).encode()) == 200

        time.sleep(0.3)
        assert keys_sent(collector) == {"m-1": 1}

    def test_a_signature_lets_nothing_else_in(self, service: loopback.Service) -> None:
        """Segment signs the first element alone: whoever has one signed array could put anything behind it."""
        service.start()
        first = json.dumps(loopback.track(1)).encode()
        assert self.post_signed(service, first) == 200

        assert self.post_signed(service, first, b"," + json.dumps(loopback.track(2)).encode()) == 409

        service.split()
        assert service.rows("SELECT key FROM message") == [("m-1",)]

    def test_signatures_are_remembered_for_a_settable_time(self, service: loopback.Service) -> None:
        service.set(REPLAY_HOURS="0")
        service.start()
        first = json.dumps(loopback.track(1)).encode()

        assert self.post_signed(service, first) == 200
        assert self.post_signed(service, first, b"," + json.dumps(loopback.track(2)).encode()) == 200

        assert service.rows("SELECT count(*) FROM signed") == [(0,)]


def read_hold_ms(service: loopback.Service, path: Path) -> float:
    """Ask the metered service for how long its loop stood still since the last time, at most."""
    path.write_bytes(b"")
    assert service.process is not None
    service.process.send_signal(signal.SIGUSR1)
    loopback.until(lambda: path.read_bytes().endswith(b"\n"), "the meter writes")
    return float(path.read_bytes())


def limit_files(service: loopback.Service, size: int) -> None:
    """Let no process of the service write beyond this size of any file, as on a full disk."""
    for pid in service.pids():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def dead_letters(service: loopback.Service, *arguments: str) -> list[dict[str, Any]]:
    done = subprocess.run(  # noqa: S603 - a program of ours
        [sys.executable, "-m", "webhook_service.dead_letters", *arguments],
        cwd=loopback.EXAMPLES,
        env={"DATABASE": str(service.database)},
        capture_output=True,
        text=True,
        timeout=loopback.DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def connected(service: loopback.Service) -> socket.socket:
    """Connect, and wait for less time than the service does by default."""
    return socket.create_connection(("127.0.0.1", int(service.url.rpartition(":")[2])), timeout=9)


class answering:  # noqa: N801 - a context manager, used as a function
    """Answer each connection with bytes, whatever it says."""

    def __init__(self, raw: bytes, *, hangs: bool) -> None:
        self._raw = raw
        self._hangs = hangs
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._held: list[socket.socket] = []

    def __enter__(self) -> str:
        self._thread.start()
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(loopback.DEADLINE_S)
        for connection in self._held:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._held.append(connection)
            connection.settimeout(1)
            with suppress(OSError):
                connection.recv(100_000)
                connection.sendall(self._raw)
            if not self._hangs:
                connection.close()
