"""Run the service: `python -m webhook_service` in the folder of the examples."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Final

import uvicorn
import uvloop

from .answers import Application
from .app import Service
from .bounded import BoundedProtocol
from .logs import set_up_logs
from .settings import Settings, SettingsError, settings_from
from .store import Store

_LOG = logging.getLogger("webhook_service")
_SWITCH_S: Final = 0.001
"""How long the event loop waits for a busy thread, several times a request; Python's default is 5 ms."""


class _Server(uvicorn.Server):
    """Leaves the signals to the loop, which ends more than one server."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def main() -> None:
    """Read the settings and serve until a signal says to stop."""
    set_up_logs()
    try:
        settings = settings_from(os.environ)
        _try_database(settings)
        listener = _listener("HOST and PORT", settings.host, settings.port)
        status = None
        if settings.status_port is not None:
            status = _listener("STATUS_HOST and STATUS_PORT", settings.status_host, settings.status_port)
    except SettingsError as error:
        sys.exit(f"webhook_service: {error}")
    sys.setswitchinterval(_SWITCH_S)
    gc.freeze()  # what lives until the end is not looked at again and again, which would take 30 ms each time
    uvloop.run(_serve(settings, listener, status))


async def _serve(settings: Settings, listener: socket.socket, status: socket.socket | None) -> None:
    service = Service(settings)
    server = _server(settings, service.requests)
    status_server = _server(settings, service.status)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    serving_status = asyncio.create_task(status_server.serve([status])) if status else None
    async with service.running():
        await server.serve([listener])
    if serving_status:
        status_server.should_exit = True
        await serving_status


def _server(settings: Settings, application: Application) -> uvicorn.Server:
    config = uvicorn.Config(
        application,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.head_timeout_s,
        timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
    )
    return _Server(config)


def _try_database(settings: Settings) -> None:
    store = Store(settings.database)
    with closing(store):
        try:
            store.counts()
        except sqlite3.Error as error:
            raise SettingsError(f"DATABASE cannot be opened: {type(error).__name__}") from None


def _listener(names: str, host: str, port: int) -> socket.socket:
    """Listen before anything starts: a bad address is found here, and its setting named."""
    try:
        listener = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except (OSError, UnicodeError) as error:
        raise SettingsError(f"{names} cannot be listened on: {type(error).__name__}") from None
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or half of each answer waits for 40 ms
    _LOG.info("%s: listening on port %d", names, listener.getsockname()[1])
    return listener


if __name__ == "__main__":
    main()
