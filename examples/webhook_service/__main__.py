"""Run the service: `python -m webhook_service` in the folder of the examples."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sqlite3
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from typing import Final

import uvicorn
from starlette.applications import Starlette

from .app import Service, create_app, create_status_app
from .bounded import BoundedProtocol
from .settings import Settings, SettingsError, settings_from
from .store import Store

_LOG = logging.getLogger("webhook_service")
_SWITCH_S: Final = 0.001
"""How long the event loop waits for a busy thread, several times a request; Python's default is 5 ms."""


class _StatusServer(uvicorn.Server):
    """Leaves the signals to the main server, with which it ends."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def main() -> None:
    """Read the settings and serve until a signal says to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _LOG.setLevel(logging.INFO)
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
    asyncio.run(_serve(settings, listener, status))


async def _serve(settings: Settings, listener: socket.socket, status: socket.socket | None) -> None:
    service = Service(settings)
    status_server = _StatusServer(_config(create_status_app(service), settings))
    serving_status = asyncio.create_task(status_server.serve([status])) if status else None
    await uvicorn.Server(_config(create_app(service), settings)).serve([listener])
    if serving_status:
        status_server.should_exit = True
        await serving_status


def _config(app: Starlette, settings: Settings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        access_log=False,
        limit_concurrency=settings.max_connections,
        timeout_keep_alive=settings.head_timeout_s,
        timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
    )


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
