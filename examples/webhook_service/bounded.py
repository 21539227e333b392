"""uvicorn's protocol with bounds that uvicorn lacks: on a request head, on the pieces of a body, and on connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

_MOST_HEAD_BYTES: Final = 64_000
_MOST_HEAD_LINES: Final = 200
_MOST_PIECES: Final = 4_000  # of a body: 2 MB come in about 1,500 packets


class _BoundedConnection(h11.Connection):
    """Refuses what is small on the way and costs much to parse: 20,000 empty headers, and chunks of one byte."""

    _pieces = 0

    def next_event(self) -> Any:
        """Give the next part of a request."""
        if self.their_state is h11.IDLE:
            self._pieces = 0
            head, _, _ = self.trailing_data[0].partition(b"\r\n\r\n")
            if head.count(b"\n") > _MOST_HEAD_LINES:
                raise h11.RemoteProtocolError("too many headers")
        event = super().next_event()
        self._pieces += isinstance(event, h11.Data)
        if self._pieces > _MOST_PIECES:
            raise h11.RemoteProtocolError("too many pieces")
        return event


class BoundedProtocol(H11Protocol):
    """Closes what sends no request head within `timeout_keep_alive`, and connections beyond `limit_concurrency`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Begin to watch a connection, or drop it."""
        super().connection_made(transport)
        self.conn = _BoundedConnection(h11.SERVER, _MOST_HEAD_BYTES)
        if self.limit_concurrency is not None and len(self.connections) > self.limit_concurrency:
            transport.abort()
        else:
            self._watch()

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
