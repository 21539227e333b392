"""Measure the service under a steady load: `python -m tests.torture.load`, in the folder of the repository.

Requests leave at fixed times, whether or not earlier ones were answered, and each latency counts from the time at
which its request was due: a service that stalls cannot hide behind a sender that waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import hmac
import json
import os
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import attrs
from tests.integration.loopback import Service, Trap
from typing_extensions import override

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONNECTIONS: Final = 64
TICK_S: Final = 0.001  # how often what is due is looked for
MARK: Final = b"@@@@@@@@"
CALL: Final = {
    "type": "track",
    "event": "Walk Saved",
    "userId": "user-31",
    "anonymousId": "b6a9f0c2-7d52-4a8b-9a43-0c1f6a1b5c11",
    "timestamp": "2026-11-03T08:00:00.000Z",
    "sentAt": "2026-11-03T08:00:01.000Z",
    "context": {
        "ip": "192.0.2.7",
        "locale": "en-US",
        "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
        "library": {"name": "analytics.js", "version": "2.11.1"},
        "page": {"path": "/walks", "title": "Walks", "url": "https://walks.example/walks"},
    },
    "properties": {"length_km": 12.5, "hut": "Upper Hut", "companions": 3, "dog": True},
}


@attrs.frozen(kw_only=True)
class Phase:
    """One kind of request at one rate."""

    name: str
    path: str
    events: int
    """In each request."""
    rate: float
    """Requests a second."""
    headers: Callable[[bytes], str]


@attrs.define(kw_only=True)
class Figures:
    """What one phase came to."""

    latencies_s: list[float] = attrs.Factory(list[float])
    failed: int = 0
    took_s: float = 0.0

    def at(self, share: float) -> float:
        """Give the latency in milliseconds that this share of requests kept within."""
        return sorted(self.latencies_s)[int(share * (len(self.latencies_s) - 1))] * 1000


def signed(body: bytes) -> str:
    """Sign a body as Segment's webhook destination does."""
    return f"X-Signature: {hmac.digest(b'segment secret', body, 'sha1').hex()}"


def keyed(_: bytes) -> str:
    """Give the write key as Segment's own libraries do."""
    return f"Authorization: Basic {b64encode(b'source key:').decode()}"


PHASES: Final = (
    Phase(name="one event a request, signed", path="/segment", events=1, rate=1_000, headers=signed),
    Phase(name="batches of 100 events", path="/v1/batch", events=100, rate=100, headers=keyed),
)


def template(phase: Phase) -> bytes:
    """Make the body of a phase, with a mark where each request puts its own number."""
    calls = [{**CALL, "messageId": f"{MARK.decode()}-{phase.events}-{at}"} for at in range(phase.events)]
    return json.dumps(calls[0] if phase.events == 1 else {"batch": calls}, separators=(",", ":")).encode()


class Connection(asyncio.Protocol):
    """One connection of the senders: a request at a time, then back among those that are free."""

    def __init__(self, free: list[Connection], figures: Figures) -> None:
        self._free = free
        self._figures = figures
        self._transport: asyncio.Transport | None = None
        self._due_s = 0.0
        self._answer = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._free.append(self)

    def send(self, request: bytes, due_s: float) -> None:
        assert self._transport is not None
        self._due_s = due_s
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if end and len(body) >= content_length(head):
            self._note(is_fine=head.startswith(b"HTTP/1.1 200 "))
            self._answer = b""
            self._free.append(self)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self not in self._free:
            self._note(is_fine=False)
        else:
            self._free.remove(self)

    def _note(self, *, is_fine: bool) -> None:
        self._figures.failed += not is_fine
        self._figures.latencies_s.append(time.perf_counter() - self._due_s)


class Collected(asyncio.Protocol):
    """Answers every request of the service as Statsig would, and looks at none."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._head = b""
        self._left = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    @override
    def data_received(self, data: bytes) -> None:
        if not self._left:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._head, self._left = b"", content_length(head)
        self._left -= len(data)
        if not self._left:
            assert self._transport is not None
            self._transport.write(b'HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{"success":true}')


def content_length(head: bytes) -> int:
    """Read how long a body is: its request or answer has one, for it is the service's or of httpx."""
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


def request(phase: Phase, body: bytes, number: int) -> bytes:
    """Make the request of this number."""
    content = body.replace(MARK, b"%08d" % number)
    head = (
        f"POST {phase.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{phase.headers(content)}\r\nContent-Length: {len(content)}"
    )
    return head.encode() + b"\r\n\r\n" + content


async def run_phase(phase: Phase, url: str, seconds: float) -> Figures:
    """Send each request when it is due or, if no connection is free then, as soon as there is one."""
    figures, free, total = Figures(), list[Connection](), int(phase.rate * seconds)
    host, port = url.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: Connection(free, figures), host, int(port)) for _ in range(CONNECTIONS)
    ]
    body, sent = template(phase), 0
    began = time.perf_counter()
    while len(figures.latencies_s) < total:
        due = min(total, int((time.perf_counter() - began) * phase.rate))
        while sent < due and free:
            free.pop(0).send(request(phase, body, sent), began + sent / phase.rate)
            sent += 1
        await asyncio.sleep(TICK_S)
    figures.took_s = time.perf_counter() - began
    for transport, _ in made:
        transport.close()
    return figures


async def answer_status(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end, and give its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(content_length(head))
    return int(head.split(b" ", 2)[1])


async def measure(service: Service, phases: Sequence[Phase], seconds: float) -> bool:
    """Run all phases against one service, print what they came to, and say whether all was answered with 200."""
    collector = await asyncio.get_running_loop().create_server(Collected, "127.0.0.1", 0)
    async with collector:
        service.set(STATSIG_API=f"http://127.0.0.1:{collector.sockets[0].getsockname()[1]}")
        await asyncio.to_thread(service.start)
        is_fine = True
        for phase in phases:
            before, own_before = cpu_s(service), time.process_time()
            figures = await run_phase(phase, service.url, seconds)
            report(phase, figures)
            own_us = (time.process_time() - own_before) / len(figures.latencies_s) * 1e6
            ended = time.perf_counter()
            await asyncio.to_thread(wait_for_delivery, service)
            spent_us = (cpu_s(service) - before) / len(figures.latencies_s) * 1e6
            later_s = time.perf_counter() - ended
            print(
                f"  all delivered {later_s:.1f} s later; processor time a request, until it is delivered:"
                f" {spent_us:,.0f} us, and {own_us:,.0f} us of the sender and the collector"
            )
            is_fine &= not figures.failed
        print(f"peak memory {service.memory_kb() / 1024:.0f} MB")
    return is_fine


def wait_for_delivery(service: Service) -> None:
    """Wait until nothing waits."""
    while service.rows("SELECT 1 FROM body UNION ALL SELECT 1 FROM message WHERE state = 'waiting' LIMIT 1"):
        time.sleep(0.1)


def report(phase: Phase, figures: Figures) -> None:
    """Print the figures of a phase."""
    rate = len(figures.latencies_s) / figures.took_s
    print(
        f"{phase.name}: {rate:,.0f} requests/s, {rate * phase.events:,.0f} events/s; p50 {figures.at(0.5):.1f} ms,"
        f" p99 {figures.at(0.99):.1f} ms, longest {figures.at(1):.0f} ms; {figures.failed} not answered with 200"
    )


def cpu_s(service: Service) -> float:
    """Give the processor time that the service has had so far."""
    assert service.process is not None
    stat = Path(f"/proc/{service.process.pid}/stat").read_text(encoding="ascii")
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Start a service and a collector, and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.torture.load", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="for each phase; default: %(default)s")
    parser.add_argument("--scale", type=float, default=1, help="of the rates; default: %(default)s")
    arguments = parser.parse_args()
    phases = [attrs.evolve(phase, rate=phase.rate * arguments.scale) for phase in PHASES]
    with (
        tempfile.TemporaryDirectory() as folder,
        Trap().listening() as trap,
        closing(Service(Path(folder), trap.environment())) as service,
    ):
        return 0 if asyncio.run(measure(service, phases, arguments.seconds)) else 1


if __name__ == "__main__":
    sys.exit(main())
