"""The two processes of the example service: what one has acknowledged the other delivers, whichever of them ends."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from tests.support.processes import is_running

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration import loopback

    Receive = Callable[..., loopback.Receiver]
else:
    import integration_loopback as loopback  # conftest.py imports it by its path

pytestmark = pytest.mark.integration

KEYED = {"authorization": "Basic c291cmNlIGtleTo="}
EARLIER_SCHEMA = """
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    lane TEXT NOT NULL,
    key TEXT NOT NULL,
    payload TEXT,
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,
    code TEXT,
    path TEXT,
    accepted_ms INTEGER NOT NULL,
    UNIQUE (lane, key)
) STRICT;
CREATE INDEX message_waiting ON message (lane, attempts, id) WHERE state = 'waiting';
CREATE INDEX message_dead ON message (id) WHERE state = 'dead';
CREATE TABLE counter (lane TEXT, state TEXT, messages INTEGER NOT NULL, PRIMARY KEY (lane, state)) STRICT;
CREATE TABLE signed (
    id INTEGER PRIMARY KEY,
    signature BLOB NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    accepted_ms INTEGER NOT NULL
) STRICT;
"""


def keys_sent(collector: loopback.Receiver) -> Counter[str]:
    events = (event for request in collector.at("/log_event") for event in request.json["events"])
    return Counter(event["metadata"]["statsigSegmentKey"] for event in events)


def batch(service: loopback.Service, calls: list[dict[str, Any]]) -> int:
    return loopback.post(service, "/v1/batch", json.dumps({"batch": calls}).encode(), KEYED)


def says(service: loopback.Service, place: str, why: str | None) -> bool:
    status, unwell = service.health()
    return place in unwell and unwell[place] == why and status == (503 if why else 200)


class TestBetweenTheAnswerAndTheSplit:
    def test_what_is_not_yet_split_is_neither_lost_nor_doubled(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        os.kill(service.delivering(), signal.SIGSTOP)

        for body in range(20):
            assert batch(service, [loopback.track(10 * body + at) for at in range(10)]) == 200
        assert service.states("statsig") == {"bodies": 20}
        assert service.counters("statsig") == {"bodies": 20}
        service.end(signal.SIGKILL)

        assert service.states("statsig") == {"bodies": 20}
        service.start()
        assert service.settled("statsig") == {"sent": 200}
        assert service.counters("statsig") == {"sent": 200}
        assert keys_sent(collector) == {f"m-{number}": 1 for number in range(200)}

    def test_killed_in_the_middle_of_a_body_it_begins_again(self, service: loopback.Service, receive: Receive) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        sent: list[str] = []
        for attempt in range(20):
            calls = [{**loopback.track(at), "messageId": f"m-{attempt}-{at}"} for at in range(4_900)]
            sent += [call["messageId"] for call in calls]
            pattern = f"m-{attempt}-%"
            assert batch(service, calls) == 200
            loopback.until(
                partial(service.rows, "SELECT 1 FROM message WHERE key LIKE ?", pattern), "it is being split"
            )
            service.end(signal.SIGKILL)
            split = len(service.rows("SELECT 1 FROM message WHERE key LIKE ?", pattern))
            is_cut = 0 < split < len(calls)
            assert len(service.rows("SELECT id FROM body")) == is_cut
            service.start()
            if is_cut:
                break
        else:
            pytest.fail("it was always too late")

        assert service.settled("statsig") == {"sent": len(sent)}
        assert set(keys_sent(collector)) == set(sent)
        assert service.counters("statsig") == {"sent": len(sent)}

    def test_a_body_that_cannot_be_split_after_all_is_a_dead_letter_and_stops_no_other(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        assert batch(service, [loopback.track(1)]) == 200
        assert service.settled("statsig") == {"sent": 1}

        with closing(sqlite3.connect(service.database, isolation_level=None)) as other:
            for lane, content in (("statsig", b"{\xff"), ("segment", b"7"), ("no such lane", b"{}")):
                other.execute("INSERT INTO body (lane, content, accepted_ms) VALUES (?, ?, 0)", (lane, content))
        assert batch(service, [loopback.track(2)]) == 200

        assert service.settled("statsig") == {"sent": 2, "dead": 1}
        dead = service.rows("SELECT lane, payload, code FROM message WHERE state = 'dead' ORDER BY lane")
        assert dead == [
            ("no such lane", "{}", "KeyError"),
            ("segment", "7", "not_an_object"),
            ("statsig", "{\\xff", "invalid_json"),
        ]
        assert service.health()[0] == 200

    def test_what_could_be_read_when_it_was_accepted_can_be_split(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        """How deep a body may be depends on how deep the program itself is when it reads it."""
        service.set(STATSIG_API=receive().url)
        service.start()
        answers: Counter[int] = Counter()
        for size in (0, 3_000, 70_000):  # they are read in different places
            for depth in range(900, 1_000):
                body = b'[{"type":"track","event":"e","userId":"u","properties":{"s":"%s","d":' % (b"x" * size)
                body += b"[" * depth + b"]" * depth + b"}}]"
                answers[loopback.post(service, "/v1/batch", body, KEYED)] += 1

        assert answers.keys() == {200, 400}
        service.settled("statsig")
        assert service.rows("SELECT key FROM message WHERE key LIKE 'body-%'") == []

    def test_a_repeated_signature_costs_no_other_body_of_its_commit_anything(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive()
        service.set(STATSIG_API=collector.url)
        service.start()
        answers: list[int] = []
        numbers = [0 if at % 2 else at for at in range(40)]
        senders = [
            threading.Thread(
                target=lambda number=number: answers.append(loopback.from_segment(service, [loopback.track(number)]))
            )
            for number in numbers
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join(loopback.DEADLINE_S)

        assert answers == [200] * 40
        service.settled("statsig")
        assert keys_sent(collector) == {f"m-{number}": 1 for number in set(numbers)}


class TestOneOfTheTwoEnds:
    def test_the_process_that_delivers_is_started_again_and_nothing_is_lost(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        def slow(_: loopback.Received) -> loopback.Answer:
            time.sleep(0.02)
            return loopback.OK

        collector = receive(slow)
        service.set(STATSIG_API=collector.url, BATCH_EVENTS="50")
        service.start()
        assert service.process is not None
        for kill in range(3):
            for body in range(20):
                first = 1_000 * kill + 50 * body
                assert batch(service, [loopback.track(first + at) for at in range(50)]) == 200
            loopback.until(lambda: len(keys_sent(collector)) > 1_000 * kill, "it delivers")  # noqa: B023 - at once
            killed = service.delivering()
            os.kill(killed, signal.SIGKILL)
            loopback.until(lambda: says(service, "delivery", "ended with -9"), "the service has noticed")
            assert batch(service, [loopback.track(100_000 + kill)]) == 200
            assert service.delivering() != killed
        loopback.until(lambda: says(service, "delivery", None), "the service is well again")

        assert service.process.poll() is None
        assert service.settled("statsig") == {"sent": 3_003}
        assert set(keys_sent(collector)) == {f"m-{number}" for number in (*range(3_000), *range(100_000, 100_003))}

    def test_the_process_that_delivers_ends_with_its_parent_however_that_ends(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        collector = receive(lambda _: (503, {}, {}))
        service.set(STATSIG_API=collector.url, MAX_BACKOFF_S="60", FIRST_BACKOFF_S="60")
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            service.start()
            delivering = service.delivering()
            assert batch(service, [loopback.track(how)]) == 200
            loopback.until(lambda: collector.requests, "it has something to do")

            assert service.process is not None
            service.process.send_signal(how)
            service.process.wait(loopback.DEADLINE_S)

            loopback.until(lambda: not is_running(delivering), "it has ended", 10)  # noqa: B023 - at once

    def test_signals_to_all_processes_at_once_end_them_in_order(
        self, service: loopback.Service, receive: Receive
    ) -> None:
        """As a terminal sends SIGINT, and systemd SIGTERM."""
        release = threading.Event()
        collector = receive(lambda _: loopback.OK if release.wait(60) else (500, {}, {}))
        service.set(STATSIG_API=collector.url, REQUEST_TIMEOUT_S="60")
        for number, how in enumerate((signal.SIGINT, signal.SIGTERM)):
            release.clear()
            service.start()
            assert batch(service, [loopback.track(number)]) == 200
            loopback.until(lambda: len(collector.requests) > number, "a request is under way")  # noqa: B023 - at once
            for pid in service.pids():
                os.kill(pid, how)
            loopback.until(lambda: "stopping" in service.log(), "it has heard the signal")
            release.set()
            assert service.process is not None
            assert service.process.wait(loopback.DEADLINE_S) == 0
            assert service.states("statsig") == {"sent": number + 1}
        assert keys_sent(collector) == {"m-0": 1, "m-1": 1}

    def test_a_process_that_delivers_and_gives_no_sign_of_life_is_noticed(self, service: loopback.Service) -> None:
        service.start()
        delivering = service.delivering()
        loopback.until(lambda: says(service, "statsig", None), "it has said how it is")

        os.kill(delivering, signal.SIGSTOP)
        loopback.until(lambda: says(service, "delivery", "silent"), "the service has noticed")
        assert batch(service, [loopback.track(1)]) == 200
        os.kill(delivering, signal.SIGCONT)

        loopback.until(lambda: service.health()[1]["delivery"] is None, "the service has heard of it again")
        loopback.until(lambda: service.states("statsig") == {"waiting": 1}, "it goes on")


def test_a_database_of_the_version_before_is_used_as_it_is(service: loopback.Service, receive: Receive) -> None:
    collector = receive()
    service.set(STATSIG_API=collector.url)
    now_ms = time.time_ns() // 1_000_000
    rows = [
        (1, "m-1", None, "sent", now_ms),
        (2, "m-2", json.dumps(loopback.track(2)), "waiting", now_ms),
        (3, "m-3", json.dumps(loopback.track(3)), "dead", now_ms),
    ]
    with closing(sqlite3.connect(service.database)) as earlier, earlier:
        earlier.executescript(f"PRAGMA journal_mode = WAL; {EARLIER_SCHEMA}")
        earlier.executemany(
            "INSERT INTO message (id, lane, key, payload, state, accepted_ms) VALUES (?, 'statsig', ?, ?, ?, ?)", rows
        )
        earlier.execute("INSERT INTO counter SELECT lane, state, count(*) FROM message GROUP BY lane, state")
    service.start()

    assert batch(service, [loopback.track(number) for number in range(1, 5)]) == 200

    assert service.settled("statsig") == {"sent": 3, "dead": 1}
    assert keys_sent(collector) == {"m-2": 1, "m-4": 1}
    assert service.counters("statsig") == {"sent": 3, "dead": 1}
