"""Requests and answers as ASGI has them: a path and a method to a function, and each error to a status with a code."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment import SignatureError, StatsigSegmentError

from .store import ReplayError

Message: TypeAlias = Any
"""One of ASGI's messages, a dict whose keys depend on its type."""


class RefusalError(Exception):
    """A request is answered with a status other than 200, and a code that says why."""

    def __init__(self, status: int, code: str, *headers: tuple[bytes, bytes]) -> None:
        """Take the status, the code, and headers."""
        super().__init__(code)
        self.status = status
        self.headers = headers


class DisconnectedError(Exception):
    """The sender is gone: nobody hears the answer."""


@attrs.frozen
class Answer:
    """What is sent back, always JSON."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


@attrs.define
class Request:
    """A request, whose body has not been read."""

    headers: Mapping[bytes, bytes]
    receive: Callable[[], Awaitable[Message]]

    def header(self, name: str) -> str:
        """Give the value of a header, empty where there is none; of several, the first."""
        return self.headers.get(name.encode(), b"").decode("latin-1")


Handler: TypeAlias = Callable[[Request], Awaitable[Answer]]


@attrs.frozen
class Application:
    """An ASGI application."""

    methods: tuple[str, ...]
    handlers: Mapping[str, Handler]

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer one request."""
        answer = await self._answer(scope, receive)
        length = str(len(answer.body)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length), *answer.headers]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, scope: Message, receive: Any) -> Answer:
        try:
            handler = self.handlers.get(scope["path"])
            if handler is None:
                raise RefusalError(404, "not_found")
            if scope["method"] not in self.methods:
                raise RefusalError(405, "method_not_allowed", (b"allow", ", ".join(self.methods).encode()))
            return await handler(Request(dict(reversed(scope["headers"])), receive))
        except tuple(_ANSWERS) as error:
            return _refused(error)


_ANSWERS: Final[Mapping[type[Exception], tuple[int, str]]] = {
    SignatureError: (401, ""),
    StatsigSegmentError: (400, ""),
    RecursionError: (400, "too_deep"),
    DisconnectedError: (400, "disconnected"),
    ReplayError: (409, "signature_reused"),
    MemoryError: (503, "out_of_memory"),
    sqlite3.Error: (503, "not_stored"),
    RefusalError: (0, ""),
}


def _refused(error: Exception) -> Answer:
    """Answer with a code; what may pass by itself also says when to come again."""
    status, code = next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
    if isinstance(error, RefusalError):
        return as_json({"code": str(error), "path": None}, error.status, *error.headers)
    detail = {"code": code or getattr(error, "code", ""), "path": getattr(error, "path", None)}
    return as_json(detail, status, *([(b"retry-after", b"1")] if status == 503 else []))  # noqa: PLR2004 - HTTP's own


def as_json(content: object, status: int = 200, *headers: tuple[bytes, bytes]) -> Answer:
    """Make an answer; in ASCII, for a text in it may hold a lone surrogate."""
    return Answer(status, json.dumps(content).encode(), headers)
