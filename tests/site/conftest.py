"""The built site on a port of the loopback, and a browser to look at it: what the tests of the playground share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AXE = "axe-core@4.14.1"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the standard library
        """Say nothing."""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Serve the built site: the one that the environment names, else one that is built here."""
    built = os.environ.get("SITE")
    if built is None:
        built = str(tmp_path_factory.mktemp("site"))
        command = [sys.executable, "-m", "sphinx", "-n", "-W", "-q", str(ROOT / "docs"), built]
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own documentation
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=built))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start Debian's Chromium."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where it is installed

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fetch axe-core, which checks pages for what keeps people out."""
    folder = tmp_path_factory.mktemp("axe")
    command = [shutil.which("npm") or "npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", AXE]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)  # noqa: S603 - our own command line
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
