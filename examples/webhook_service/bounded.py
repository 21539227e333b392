"""uvicorn's protocol with bounds that uvicorn lacks: on a request head, on the pieces of a body, and on connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

_MOST_HEAD_BYTES: Final = 64_000
_MOST_HEADERS: Final = 200
_MOST_PIECES: Final = 4_000  # of a body: 2 MB come in about 1,500 packets
_MOST_AHEAD: Final = 16  # requests that were sent without waiting for an answer


class _BoundError(Exception):
    """Ends a connection; the parser turns it into an error of its own, which uvicorn answers with 400."""


class BoundedProtocol(HttpToolsProtocol):
    """Refuses what is small on the way and costs much to handle: 20,000 empty headers, and chunks of one byte.

    Closes what sends no request head within `timeout_keep_alive`, and connections beyond `limit_concurrency`.
    """

    _around = 0  # bytes of the request that are not its body
    _chunk = 0  # those of them that came last
    _pieces = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Begin to watch a connection, or drop it."""
        super().connection_made(transport)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        """Take what came; a head that is still too long then never had an end."""
        self._chunk = len(data)
        self._around += self._chunk
        super().data_received(data)
        if self._around > _MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response("Too much around the body.")

    def on_message_begin(self) -> None:
        """Begin to count."""
        if len(self.pipeline) >= _MOST_AHEAD:
            raise _BoundError
        self._around, self._pieces = self._chunk, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count the headers of a request, also those behind its body."""
        if len(self.headers) >= _MOST_HEADERS:
            raise _BoundError
        super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        """Count the pieces of a body."""
        self._around -= len(body)
        self._chunk -= len(body)
        self._pieces += 1
        if self._pieces > _MOST_PIECES:
            raise _BoundError
        super().on_body(body)

    def _watch(self) -> None:
        self.loop.call_later(self.timeout_keep_alive, self._check, self.cycle)

    def _check(self, cycle: Any) -> None:
        """Drop the connection if the request that was the last one then is so still, and is answered."""
        if self.transport.is_closing():
            return
        if cycle is self.cycle and getattr(cycle, "response_complete", True):  # uvicorn starts with None
            self.transport.abort()
        else:
            self._watch()
