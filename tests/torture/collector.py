"""A collector on the loopback that can be told to lie, hang, refuse, and answer garbage; it remembers what it took."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import closing
from typing import Any, Final, TypeAlias

SUCCESS: Final = b'{"success":true}'
RETRY_AFTER: Final = (b"1", b"-1", b"99999999999", b"garbage", b"Wed, 21 Oct 2015 07:28:00 GMT", b"\xff")

Numbered: TypeAlias = Callable[[dict[str, Any]], list[tuple[str, str]]]
"""The JSON of a request -> the number of each message in it, and the key it came under."""
Mode: TypeAlias = Callable[[asyncio.StreamWriter, bytes], Awaitable[None]]


class Collector:
    """One vendor's API."""

    def __init__(self, numbered: Numbered) -> None:
        self._numbered = numbered
        self._server: asyncio.Server | None = None
        self._held: set[asyncio.StreamWriter] = set()
        self._port = 0
        self.mode: Mode = self.take
        self.keys: defaultdict[str, Counter[str]] = defaultdict(Counter)
        """Of what it took: the number of a message -> how often it came under which key."""
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def open(self) -> None:
        """Listen, at the second time on the same port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=1 << 23)
        self._port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Refuse connections, and cut those that are open."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._held):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._held.add(writer)
        try:
            with closing(writer):
                while True:
                    body = await read_request(reader)
                    self.requests += 1
                    await self.mode(writer, body)
                    await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, OSError):
            return
        finally:
            self._held.discard(writer)

    def _note(self, body: bytes) -> None:
        for number, key in self._numbered(json.loads(body)):
            self.keys[number][key] += 1

    # -- Modes: what is done with a request ----------------------------------------------------------------------------

    async def take(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        self._note(body)
        answer(writer, b"200 OK", SUCCESS)

    async def take_and_deny(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        self._note(body)
        answer(writer, b"500 Oops", b"{}")

    async def take_and_cut(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        self._note(body)
        writer.transport.abort()

    async def blame_the_message(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        answer(writer, b"400 Bad Request", b"{}")

    async def blame_some_messages(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        await (self.take if random.random() < 0.5 else self.blame_the_message)(writer, body)

    async def claim_success(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        answer(writer, b"200 OK", random.choice([b'{"success":false}', b"<html>Sign in to the network</html>"]))

    async def be_busy(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        answer(writer, b"503 Busy", b"", b"Retry-After: " + random.choice(RETRY_AFTER) + b"\r\n")

    async def redirect(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        answer(writer, b"302 Found", b"", b"Location: http://127.0.0.1:9/\r\n")

    async def hang(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n" if random.random() < 0.5 else b"")
        await asyncio.sleep(30)

    async def trickle(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _second in range(300):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.1)

    async def answer_garbage(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        writer.write(
            random.choice([b"\0\xff" * 500, b"HTTP/9.9 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\n"])
        )
        writer.close()

    async def answer_without_end(self, writer: asyncio.StreamWriter, _: bytes) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        for _megabyte in range(500):
            writer.write(b"x" * 1_000_000)
            await writer.drain()

    def modes(self) -> list[Mode]:
        """Give the modes that are faults."""
        return [
            self.take_and_deny, self.take_and_cut, self.blame_the_message, self.blame_some_messages, self.claim_success,
            self.be_busy, self.redirect, self.hang, self.trickle, self.answer_garbage, self.answer_without_end,
        ]  # fmt: skip


async def read_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return await reader.readexactly(int(length.split(b":")[1]))


def answer(writer: asyncio.StreamWriter, status: bytes, body: bytes, headers: bytes = b"") -> None:
    length = str(len(body)).encode()
    writer.write(b"HTTP/1.1 " + status + b"\r\n" + headers + b"Content-Length: " + length + b"\r\n\r\n" + body)
