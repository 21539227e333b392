"""The web application: who may send, what is answered, and when; it acknowledges only what is on the disk."""

from __future__ import annotations

import asyncio
import hmac
import time
import zlib
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from statsig_segment import (
    SignatureError,
    StatsigSegmentError,
    url_verification_code,
    verify_segment_signature,
    verify_statsig_signature,
)

from .courier import Courier
from .intake import from_segment, from_statsig
from .lanes import segment_lane, statsig_lane
from .settings import Settings
from .store import Arrived, Store, StoreThread

_GZIP: Final = 16 + zlib.MAX_WBITS
_DAY_MS: Final = 86_400_000


def now_ms() -> int:
    """Read the clock."""
    return time.time_ns() // 1_000_000


class Service:
    """The requests of one running service."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; the rest begins with `running`."""
        self._settings = settings
        self._thread = StoreThread()
        self._couriers: dict[str, tuple[Courier, asyncio.Task[None]]] = {}
        self._store: Store

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncGenerator[None]:
        """Open the database and start the couriers; at the end let each finish its request, and close."""
        settings = self._settings
        self._store = await self._thread.call(Store, settings.database)
        await self._thread.call(self._store.forget, now_ms() - settings.keep_days * _DAY_MS)
        async with httpx.AsyncClient(timeout=settings.request_timeout_s) as client:
            for lane in (statsig_lane(settings), segment_lane(settings)):
                courier = Courier(lane, settings, client, self._store)
                self._couriers[lane.name] = courier, asyncio.create_task(courier.run(self._thread))
            try:
                yield
            finally:
                for courier, _task in self._couriers.values():
                    courier.stop()
                await asyncio.gather(*(task for _, task in self._couriers.values()))
                await self._thread.call(self._store.close)
                self._thread.close()

    async def segment(self, request: Request) -> JSONResponse:
        """Take what Segment's webhook destination sends: `X-Signature` over the raw bytes."""
        body = await self._body(request)
        signature = request.headers.get("x-signature", "")
        verify_segment_signature(body, signature, self._settings.segment_webhook_secret)
        return await self._accept("statsig", from_segment, body)

    async def batch(self, request: Request) -> JSONResponse:
        """Take what Segment's own libraries send: Basic authentication with the write key, perhaps gzip."""
        key = self._settings.segment_source_write_key
        expected = f"Basic {b64encode(f'{key}:'.encode()).decode()}"
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
            raise HTTPException(401)
        body = await self._body(request)
        if request.headers.get("content-encoding", "").lower() == "gzip":
            body = _gunzip(body, self._settings.max_body_bytes)
        return await self._accept("statsig", from_segment, body)

    async def statsig(self, request: Request) -> JSONResponse:
        """Take what Statsig's webhook sends. The handshake of registration comes before there is a secret to sign."""
        body = await self._body(request)
        code = url_verification_code(body)
        if code is not None:
            return JSONResponse({"verification_code": code})
        verify_statsig_signature(
            body,
            request.headers.get("x-statsig-request-timestamp", ""),
            request.headers.get("x-statsig-signature", ""),
            self._settings.statsig_webhook_secret,
            now_ms=now_ms(),
            tolerance_ms=self._settings.tolerance_ms,
        )
        return await self._accept("segment", from_statsig, body)

    async def health(self, _: Request) -> JSONResponse:
        """Say whether both lanes run."""
        lanes = {name: not task.done() for name, (_, task) in self._couriers.items()}
        return JSONResponse({"lanes": lanes}, status_code=200 if all(lanes.values()) else 503)

    async def counters(self, _: Request) -> JSONResponse:
        """Count the messages of each lane by state."""
        return JSONResponse(await self._thread.call(self._store.counts))

    async def _body(self, request: Request) -> bytes:
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > self._settings.max_body_bytes:
                raise HTTPException(413)
        return bytes(body)

    async def _accept(self, lane: str, split: Callable[[bytes], list[Arrived]], body: bytes) -> JSONResponse:
        """Commit, then answer: an answer is a promise."""
        arrived = split(body)
        accepted = await self._thread.call(self._store.accept, lane, arrived, now_ms())
        self._couriers[lane][0].wake()
        return JSONResponse({"success": True, "accepted": accepted, "repeated": len(arrived) - accepted})


def create_app(settings: Settings) -> Starlette:
    """Make the application."""
    service = Service(settings)
    return Starlette(
        lifespan=service.running,
        routes=[
            Route("/segment", service.segment, methods=["POST"]),
            Route("/v1/batch", service.batch, methods=["POST"]),
            Route("/statsig", service.statsig, methods=["POST"]),
            Route("/healthz", service.health),
            Route("/counters", service.counters),
        ],
        exception_handlers={SignatureError: _refuse, StatsigSegmentError: _refuse, RecursionError: _refuse},
    )


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Answer with the code: 401 where the signature is wrong, 400 where the body cannot be read."""
    status = 401 if isinstance(error, SignatureError) else 400
    detail: dict[str, Any] = {"code": getattr(error, "code", "too_deep"), "path": getattr(error, "path", None)}
    return JSONResponse(detail, status_code=status)


def _gunzip(body: bytes, most_bytes: int) -> bytes:
    """Decompress one gzip member, and no more of it than allowed."""
    reader = zlib.decompressobj(_GZIP)
    try:
        text = reader.decompress(body, most_bytes + 1)
    except zlib.error:
        raise HTTPException(400) from None
    if len(text) > most_bytes:
        raise HTTPException(413)
    if not reader.eof:
        raise HTTPException(400)
    return text
