"""The web application: who may send, what is answered, and when; it acknowledges only what is on the disk."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import sqlite3
from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, closing
from typing import Any, Final, TypeVar

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from statsig_segment import (
    SignatureError,
    StatsigSegmentError,
    url_verification_code,
    verify_segment_signature,
    verify_statsig_signature,
)

from .bodies import Budget, Share, check_values, decompressed, read_body
from .commits import Commits, now_ms
from .courier import Courier
from .intake import from_segment, from_statsig
from .lanes import segment_lane, statsig_lane
from .settings import Settings
from .store import Body, ReplayError, Signed, Store, StoreThread

T = TypeVar("T")

_SMALL: Final = 2_000  # bytes: a thread would cost more than the work on the body, even if an envelope multiplies it
_HANDSHAKE: Final = 4_000  # bytes: a larger body is not looked at without a signature


class Service:
    """The requests of one running service."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; the rest begins with `running`."""
        self._settings = settings
        self._thread = StoreThread()
        self._store = Store(settings.database)
        self._commits = Commits(self._store, self._thread, settings)
        self._budget = Budget(settings.max_held_bytes)
        self._one_large = asyncio.Semaphore(1)
        self._couriers: dict[str, Courier] = {}
        key = f"{settings.segment_source_write_key}:".encode()
        self._basic = b"Basic " + b64encode(key)

    @asynccontextmanager
    async def running(self, _: Starlette) -> AsyncGenerator[None]:
        """Start the couriers; at the end let each finish its request, and close."""
        settings = self._settings
        tidying = asyncio.create_task(self._commits.tidy())
        async with httpx.AsyncClient(timeout=settings.request_timeout_s) as client:
            for lane in (statsig_lane(settings), segment_lane(settings)):
                self._couriers[lane.name] = Courier(lane, settings, client, self._store, self._thread)
            tasks = [asyncio.create_task(courier.run()) for courier in self._couriers.values()]
            try:
                yield
            finally:
                tidying.cancel()
                for courier in self._couriers.values():
                    courier.stop()
                await asyncio.gather(tidying, *tasks, return_exceptions=True)
                await self._thread.call(self._store.close)
                self._thread.close()

    async def segment(self, request: Request) -> Response:
        """Take what Segment's webhook destination sends: `X-Signature` over the raw bytes."""
        signature = request.headers.get("x-signature", "")

        def read(body: bytes) -> Body:
            check_values(body, self._settings.max_body_values)
            verify_segment_signature(body, signature, self._settings.segment_webhook_secret)
            return Body(
                lane="statsig", messages=from_segment(body, self._settings), signed=self._signed(body, signature)
            )

        return await self._accept(request, read)

    async def batch(self, request: Request) -> Response:
        """Take what Segment's own libraries send: Basic authentication with the write key, perhaps gzip."""
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), self._basic):
            raise HTTPException(401, "wrong_write_key")
        encoding = request.headers.get("content-encoding", "").lower()

        def read(body: bytes) -> Body:
            text = decompressed(body, encoding, self._settings.max_body_bytes)
            check_values(text, self._settings.max_body_values)
            return Body(lane="statsig", messages=from_segment(text, self._settings))

        return await self._accept(request, read)

    async def statsig(self, request: Request) -> Response:
        """Take what Statsig's webhook sends. The handshake of registration comes before there is a secret to sign."""
        headers = request.headers
        timestamp = headers.get("x-statsig-request-timestamp", "")
        signature = headers.get("x-statsig-signature", "")

        def read(body: bytes) -> Body | str:
            code = url_verification_code(body) if len(body) <= _HANDSHAKE else None
            if code is not None:
                return code
            tolerance = self._settings.tolerance_ms
            secret = self._settings.statsig_webhook_secret
            verify_statsig_signature(body, timestamp, signature, secret, now_ms=now_ms(), tolerance_ms=tolerance)
            check_values(body, self._settings.max_body_values)
            return Body(
                lane="segment", messages=from_statsig(body, self._settings), signed=self._signed(body, signature)
            )

        return await self._accept(request, read)

    async def health(self, _: Request) -> JSONResponse:
        """Say whether it can store and send, and if not, why."""
        why = {name: courier.trouble for name, courier in self._couriers.items()} | {"intake": self._commits.trouble}
        return JSONResponse({"unwell": why}, status_code=503 if any(why.values()) else 200)

    async def counters(self, _: Request) -> JSONResponse:
        """Count the messages of each lane by state."""
        return JSONResponse(await self._thread.call(self._store.counts))

    def _signed(self, body: bytes, signature: str) -> Signed | None:
        if not self._settings.replay_hours:
            return None
        return Signed(signature=signature.encode(), digest=hashlib.sha256(body).digest()[:16])

    async def _accept(self, request: Request, read: Callable[[bytes], Body | str]) -> Response:
        """Read, commit, then answer: an answer is a promise."""
        with closing(Share(self._budget)) as share:
            raw = await read_body(request, share, self._settings)
            is_small = len(raw) <= _SMALL and "content-encoding" not in request.headers
            body = read(raw) if is_small else await self._work(read, raw)
            if isinstance(body, str):
                content = json.dumps({"verification_code": body})  # in ASCII: it may hold a lone surrogate
                return Response(content, media_type="application/json")
            share.take(sum(len(message.payload) for message in body.messages))
            accepted = await self._commits.accept(body)
        self._couriers[body.lane].wake()
        return JSONResponse({"success": True, "accepted": accepted, "repeated": len(body.messages) - accepted})

    async def _work(self, read: Callable[[bytes], T], body: bytes) -> T:
        """Keep the work on a body out of the event loop, and its objects out of memory but for one at a time."""
        async with self._one_large:
            return await asyncio.to_thread(read, body)


def create_app(service: Service) -> Starlette:
    """Make the application for those who send."""
    return Starlette(
        lifespan=service.running,
        routes=[
            Route("/segment", service.segment, methods=["POST"]),
            Route("/v1/batch", service.batch, methods=["POST"]),
            Route("/statsig", service.statsig, methods=["POST"]),
        ],
        exception_handlers=dict.fromkeys(_ANSWERS, _refuse),
    )


def create_status_app(service: Service) -> Starlette:
    """Make the application for those who operate it; it listens on a port of its own."""
    return Starlette(
        routes=[Route("/healthz", service.health), Route("/counters", service.counters)],
        exception_handlers={sqlite3.Error: _refuse},
    )


_ANSWERS: Final[Mapping[type[Exception], tuple[int, str]]] = {
    SignatureError: (401, ""),
    StatsigSegmentError: (400, ""),
    RecursionError: (400, "too_deep"),
    ClientDisconnect: (400, "disconnected"),
    ReplayError: (409, "signature_reused"),
    MemoryError: (503, "out_of_memory"),
    sqlite3.Error: (503, "not_stored"),
    HTTPException: (500, ""),
}


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Answer with a code; what may pass by itself also says when to come again."""
    status, code = next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
    if isinstance(error, HTTPException):
        return JSONResponse({"code": error.detail, "path": None}, error.status_code, error.headers)
    detail: dict[str, Any] = {"code": code or getattr(error, "code", ""), "path": getattr(error, "path", None)}
    return JSONResponse(detail, status, {"Retry-After": "1"} if status == 503 else None)  # noqa: PLR2004 - HTTP's own
