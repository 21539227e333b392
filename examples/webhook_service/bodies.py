"""Bodies of requests, within bounds: bytes under way, bytes after decompression, time, and values to decode."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from io import BytesIO
from typing import TYPE_CHECKING

from .answers import DisconnectedError, RefusalError

if TYPE_CHECKING:
    from .answers import Request
    from .settings import Settings


class Budget:
    """The bytes that all requests under way may hold together."""

    def __init__(self, most: int) -> None:
        """Take the limit."""
        self.left = most


class Share:
    """What one request holds of the budget."""

    def __init__(self, budget: Budget) -> None:
        """Hold nothing yet."""
        self._budget = budget
        self.held = 0

    def take(self, size: int) -> None:
        """Hold more bytes; 503 where too many are held."""
        if size > self._budget.left:
            raise RefusalError(503, "too_busy", (b"retry-after", b"1"))
        self._budget.left -= size
        self.held += size

    def close(self) -> None:
        """Give back what it holds."""
        self._budget.left += self.held
        self.held = 0


async def read_body(request: Request, share: Share, settings: Settings) -> bytes:
    """Read the body as it was sent: 413 where it is too large, 408 where it comes too slowly."""
    try:
        async with asyncio.timeout(settings.body_timeout_s):
            return await _whole_body(request, share, settings.max_body_bytes)
    except TimeoutError:
        raise RefusalError(408, "body_too_slow", (b"connection", b"close")) from None


async def _whole_body(request: Request, share: Share, most_bytes: int) -> bytes:
    pieces: list[bytes] = []
    has_more = True
    while has_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        share.take(len(message["body"]))
        if share.held > most_bytes:
            raise RefusalError(413, "body_too_large")
        pieces.append(message["body"])
        has_more = message["more_body"]
    return b"".join(pieces)


def decompressed(body: bytes, encoding: str, most_bytes: int) -> bytes:
    """Decompress all members of a gzip body, and no more of it than allowed."""
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise RefusalError(415, "unknown_encoding")
    try:
        with gzip.open(BytesIO(body)) as reader:
            text = reader.read(most_bytes + 1)
    except (OSError, EOFError, zlib.error):
        raise RefusalError(400, "gzip_unreadable") from None
    if len(text) > most_bytes:
        raise RefusalError(413, "body_too_large")
    return text


def check_values(body: bytes, most: int) -> None:
    """Refuse a body of so many values that decoding it would hold up all others: 413.

    Python decodes JSON in one step, in which no other thread runs, and an empty array in it takes 3 bytes on the way
    and 64 in memory. What is counted also stands inside of strings: this is a bound, not the number.
    """
    if 3 * most >= 2 * len(body):  # of the 3 bytes of an empty array, 2 are counted; of anything else, fewer
        return
    if body.count(b",") + body.count(b"[") + body.count(b"{") > most:
        raise RefusalError(413, "too_many_values")
