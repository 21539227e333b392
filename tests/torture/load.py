"""Measure the service under a steady load: `python -m tests.torture.load`, in the folder of the repository.

Requests leave at fixed times, whether or not earlier ones were answered, and each latency counts from the time at
which its request was due: a service that stalls cannot hide behind a sender that waits for it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import os
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
from tests.integration.loopback import Service, Trap

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

CONNECTIONS: Final = 32
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
    return f"X-Signature: {hmac.new(b'segment secret', body, hashlib.sha1).hexdigest()}"


def keyed(_: bytes) -> str:
    """Give the write key as Segment's own libraries do."""
    return f"Authorization: Basic {b64encode(b'source key:').decode()}"


PHASES: Final = (
    Phase(name="one event a request, signed", path="/segment", events=1, rate=2_500, headers=signed),
    Phase(name="batches of 100 events", path="/v1/batch", events=100, rate=600, headers=keyed),
)


def template(phase: Phase) -> bytes:
    """Make the body of a phase, with a mark where each request puts its own number."""
    calls = [{**CALL, "messageId": f"{MARK.decode()}-{phase.events}-{at}"} for at in range(phase.events)]
    return json.dumps(calls[0] if phase.events == 1 else {"batch": calls}, separators=(",", ":")).encode()


async def run_phase(phase: Phase, url: str, seconds: float) -> Figures:
    """Send what is due, over as many connections as a few senders have."""
    figures, due = Figures(), iter(range(int(phase.rate * seconds)))
    began = time.perf_counter() + 0.1
    host, port = url.removeprefix("http://").split(":")
    body = template(phase)

    async def connection() -> None:
        reader, writer = await asyncio.open_connection(host, int(port))
        with closing(writer):
            for number in due:
                at = began + number / phase.rate
                await asyncio.sleep(max(0.0, at - time.perf_counter()))
                content = body.replace(MARK, b"%08d" % number)
                head = f"POST {phase.path} HTTP/1.1\r\nHost: {host}\r\n{phase.headers(content)}\r\n"
                writer.write(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content)
                figures.failed += await answer_status(reader) != 200
                figures.latencies_s.append(time.perf_counter() - at)

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    figures.took_s = time.perf_counter() - began
    return figures


async def answer_status(reader: asyncio.StreamReader) -> int:
    """Read one answer to its end, and give its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return int(head.split(b" ", 2)[1])


async def collect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of the service as Statsig would."""
    with closing(writer):
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.split(b":")[1]))
            writer.write(b'HTTP/1.1 202 Accepted\r\nContent-Length: 16\r\n\r\n{"success":true}')


async def answer_until_closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve a connection for as long as the service keeps it."""
    try:
        await collect(reader, writer)
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        return


async def measure(service: Service, phases: Sequence[Phase], seconds: float) -> bool:
    """Run all phases against one service, print what they came to, and say whether all was answered with 200."""
    collector = await asyncio.start_server(answer_until_closed, "127.0.0.1", 0, limit=1 << 22)
    async with collector:
        service.set(STATSIG_API=f"http://127.0.0.1:{collector.sockets[0].getsockname()[1]}")
        await asyncio.to_thread(service.start)
        is_fine = True
        for phase in phases:
            before = cpu_s(service)
            figures = await run_phase(phase, service.url, seconds)
            report(phase, figures)
            ended = time.perf_counter()
            await asyncio.to_thread(service.settled, "statsig", 600)
            spent_us = (cpu_s(service) - before) / len(figures.latencies_s) * 1e6
            later_s = time.perf_counter() - ended
            print(f"  all delivered {later_s:.1f} s later; {spent_us:,.0f} us of processor time a request")
            is_fine &= not figures.failed
        print(f"peak memory {peak_mb(service):.0f} MB")
    return is_fine


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
    fields = Path(f"/proc/{service.process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak_mb(service: Service) -> float:
    """Give the most memory that the service has had, as Linux counts it."""
    assert service.process is not None
    status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


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
