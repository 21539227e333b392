"""Run the service: `python -m webhook_service` in the folder of the examples."""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from .app import create_app
from .settings import SettingsError, settings_from


def main() -> None:
    """Read the settings and serve until a signal says to stop."""
    try:
        settings = settings_from(os.environ)
    except SettingsError as error:
        sys.exit(f"webhook_service: {error}")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        timeout_graceful_shutdown=int(settings.request_timeout_s) + 1,
    )


if __name__ == "__main__":
    main()
