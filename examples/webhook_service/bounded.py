"""uvicorn's protocol with two bounds that uvicorn lacks: on the time a request head takes, and on open connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio


class BoundedProtocol(H11Protocol):
    """Closes what sends no request head within `timeout_keep_alive`, and connections beyond `limit_concurrency`."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Begin to watch a connection, or drop it."""
        super().connection_made(transport)
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
