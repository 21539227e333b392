"""The door: who may send, what is let in, and when it is acknowledged, which is once it is on the disk."""

from __future__ import annotations

import asyncio
import gzip
import hmac
import json
import sqlite3
import time
import zlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from typing import Final, TypeAlias

import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from statsig_segment import (
    SignatureError,
    StatsigSegmentError,
    url_verification_code,
    verify_segment_signature,
    verify_statsig_signature,
)

from .messages import split
from .settings import Settings
from .store import Body, Store
from .worker import Loop

Verify: TypeAlias = Callable[[bytes], str | None]  # raises `SignatureError`, or returns the code of a handshake
_MAX_BYTES: Final = 1_000_000  # after decompression; Segment's own limit is 500 KB
_MAX_VALUES: Final = 50_000  # nothing else runs while Python decodes them
_MAX_HELD_BYTES: Final = 32_000_000  # of all bodies that are being received and checked
_SMALL_BYTES, _FEW_VALUES = 16_000, 500  # what takes a millisecond to check; a thread would take longer
_HANDSHAKE_BYTES: Final = 4_000
_TOLERANCE_MS: Final = 300_000  # between the timestamp of a Statsig webhook and now


@attrs.define(eq=False)
class Door:
    """Takes requests, and stores their bodies."""

    settings: Settings
    store: Store
    wake: Callable[[], None]  # called when there are new bodies
    loops: Sequence[Loop]  # each of them tells what is wrong with it
    _held_bytes: int = attrs.field(default=0, init=False)
    _one_large: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    _one_transaction: asyncio.Lock = attrs.field(factory=asyncio.Lock, init=False)
    _arrived: list[Body] = attrs.field(factory=list[Body], init=False)
    _storing: asyncio.Task[None] | None = attrs.field(default=None, init=False)

    def app(self) -> Starlette:
        """Return the ASGI application."""
        routes = [
            Route("/segment", self.segment, methods=["POST"]),
            Route("/v1/batch", self.batch, methods=["POST"]),
            Route("/statsig", self.statsig, methods=["POST"]),
            Route("/healthz", self.health),
        ]
        kinds = StatsigSegmentError, RecursionError, ClientDisconnect, sqlite3.Error
        return Starlette(routes=routes, exception_handlers=dict.fromkeys(kinds, _refuse))

    async def segment(self, request: Request) -> Response:
        """Take what Segment's webhook destination sends, signed over the raw bytes."""
        signature, secret = request.headers.get("x-signature"), self.settings.segment_webhook_secret
        return await self._take(request, "statsig", lambda raw: verify_segment_signature(raw, signature, secret))

    async def batch(self, request: Request) -> Response:
        """Take what Segment's own libraries send, with the write key, plain or compressed."""
        basic = "Basic " + b64encode(f"{self.settings.segment_source_write_key}:".encode()).decode()
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), basic.encode()):
            raise HTTPException(401, "wrong_write_key")
        return await self._take(request, "statsig", lambda _: None)

    async def statsig(self, request: Request) -> Response:
        """Take what Statsig's webhook sends. Its handshake comes before there is a secret to sign with."""
        headers = request.headers.get("x-statsig-request-timestamp"), request.headers.get("x-statsig-signature")

        def verify(raw: bytes) -> str | None:
            if len(raw) <= _HANDSHAKE_BYTES and (code := url_verification_code(raw)) is not None:
                return code
            now_ms, secret = time.time_ns() // 1_000_000, self.settings.statsig_webhook_secret
            verify_statsig_signature(raw, *headers, secret, now_ms=now_ms, tolerance_ms=_TOLERANCE_MS)
            return None

        return await self._take(request, "segment", verify)

    async def health(self, _: Request) -> Response:
        """Say whether bodies can be stored and messages delivered, and if not, why."""
        troubles = {"database": self.store.trouble} | {loop.name: loop.trouble for loop in self.loops}
        return JSONResponse({"unwell": troubles}, 503 if any(troubles.values()) else 200)

    async def _take(self, request: Request, lane: str, verify: Verify) -> Response:
        """Receive a body, check it, store it, and only then acknowledge it."""
        is_chunked = "transfer-encoding" in request.headers
        if is_chunked and ("content-length" in request.headers or request.scope["http_version"] == "1.0"):
            raise HTTPException(400, "unclear_length", {"connection": "close"})  # RFC 9112, section 6
        raw = bytearray()
        try:
            async with asyncio.timeout(self.settings.request_timeout_s):
                async for piece in request.stream():
                    raw += piece
                    self._held_bytes += len(piece)
                    if len(raw) > _MAX_BYTES:
                        raise HTTPException(413, "body_too_large")
                    if self._held_bytes > _MAX_HELD_BYTES:
                        raise HTTPException(503, "too_busy", {"retry-after": "1"})
            is_packed = request.headers.get("content-encoding") == "gzip"
            check = partial(_checked, lane, bytes(raw), verify, is_packed=is_packed)
            if len(raw) <= _SMALL_BYTES and _count_values(raw) <= _FEW_VALUES and not is_packed:
                body = check()
            else:
                async with self._one_large:
                    body = await asyncio.to_thread(check)
            if isinstance(body, str):
                return Response(json.dumps({"verification_code": body}), media_type="application/json")
            await self._stored(body)
        except TimeoutError:
            raise HTTPException(408, "body_too_slow", {"connection": "close"}) from None
        finally:
            self._held_bytes -= len(raw)
        return JSONResponse({"success": True})

    async def _stored(self, body: Body) -> None:
        """Store a body, in one transaction with all those that arrive while an earlier one is under way."""
        self._arrived.append(body)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all())
        await asyncio.shield(self._storing)

    async def _store_all(self) -> None:
        async with self._one_transaction:
            bodies, self._arrived, self._storing = self._arrived, [], None
            await asyncio.to_thread(self.store.accept, bodies, time.time_ns() // 1_000_000)
        self.wake()


async def _refuse(_: Request, error: Exception) -> Response:
    """Answer with what is wrong, which never shows a value; what may pass by itself says when to come again."""
    text = str(error).encode(errors="backslashreplace")
    if isinstance(error, sqlite3.Error):
        return PlainTextResponse(text, 503, {"retry-after": "1"})
    return PlainTextResponse(text, 401 if isinstance(error, SignatureError) else 400)


def _checked(lane: str, raw: bytes, verify: Verify, *, is_packed: bool) -> Body | str:
    """Return a body to store, if it may be sent and can be read as a whole; or the code that answers a handshake."""
    _count_values(raw)
    code = verify(raw)
    if code is not None:
        return code
    content = _unpacked(raw) if is_packed else raw
    _count_values(content)
    next(split(lane, content), None)  # reads all of it
    return Body(lane, content)


def _count_values(body: bytes | bytearray) -> int:
    """Return the number of values in a JSON text, at most; refuse too many, because decoding them stops all else."""
    values = body.count(b",") + body.count(b"[") + body.count(b"{")
    if values > _MAX_VALUES:
        raise HTTPException(413, "too_many_values")
    return values


def _unpacked(body: bytes) -> bytes:
    """Decompress all members of a gzip body, and no more of it than is allowed."""
    try:
        with gzip.open(BytesIO(body)) as reader:
            text = reader.read(_MAX_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise HTTPException(400, "gzip_unreadable") from None
    if len(text) > _MAX_BYTES:
        raise HTTPException(413, "body_too_large")
    return text
