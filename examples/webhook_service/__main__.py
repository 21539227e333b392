"""Runs the service: `python -m webhook_service`, in the folder of the examples."""

from __future__ import annotations

import gc
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from typing import Final

import uvicorn

from .deliver import lanes
from .door import Door
from .settings import settings_from
from .store import Store
from .worker import Loop, Worker

_LOG = logging.getLogger("webhook_service")
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)
_SWITCH_S: Final = 0.0005  # how long the event loop waits for a busy thread; by default 5 ms, several times a request
_RECEIVE_BYTES: Final = 32_000  # at a time: h11 takes half a second for 256 KB in chunks of one byte


def main() -> None:
    """Run all threads: one for the door and one for each lane, beside this one, which works on the bodies."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    _LOG.setLevel(logging.INFO)
    settings = settings_from(os.environ)
    try:
        store = Store(settings.database)
        listener = socket.create_server((settings.host, settings.port))
    except (OSError, OverflowError, sqlite3.Error) as error:
        sys.exit(f"webhook_service: DATABASE, HOST or PORT cannot be used: {type(error).__name__}")
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # asyncio does it for its own sockets only
    _LOG.info("listening on port %d", listener.getsockname()[1])
    out = lanes(settings, store)
    worker = Worker("bodies", settings, store, out)
    loops: list[Loop] = [worker, *out]
    door = Door(settings, store, worker.wake, loops)
    config = uvicorn.Config(door.app(), loop="asyncio", http="h11", access_log=False, limit_concurrency=500)
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True
        for loop in loops:
            loop.stop()

    def heed_signals() -> None:
        signal.sigwait(_SIGNALS)
        _LOG.info("stopping after the requests that are under way")
        stop()

    def keep_door() -> None:
        try:
            server.run([listener])
        finally:
            stop()

    sys.setswitchinterval(_SWITCH_S)
    gc.freeze()  # the collector need not look at what stays until the end
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)  # in all threads but the one that waits for them
    threading.Thread(target=heed_signals, daemon=True).start()
    threads = [threading.Thread(target=run) for run in (keep_door, *(lane.run for lane in out))]
    for thread in threads:
        thread.start()
    worker.run()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
