"""Fixtures of the integration tests; without the dependency group `integration` there are no such tests."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.integration import loopback

HERE = Path(__file__).parent
NEEDED = ("httpx", "segment", "starlette", "statsig", "statsig_python_core", "uvicorn")
MISSING = [name for name in NEEDED if importlib.util.find_spec(name) is None]

if MISSING:
    collect_ignore_glob = ["test_*.py"]
else:  # pytest imports each test file by its path, so that a neighbour is no module
    _spec = importlib.util.spec_from_file_location("integration_loopback", HERE / "loopback.py")
    assert _spec
    assert _spec.loader
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[_spec.name] = _module
    _spec.loader.exec_module(_module)
    if not TYPE_CHECKING:
        loopback = _module


def pytest_report_header() -> str | None:
    return f"integration tests: none, for want of {', '.join(MISSING)}" if MISSING else None


@pytest.fixture
def trap() -> Generator[loopback.Trap]:
    """Catch what would leave the loopback; a test that lets anything out fails."""
    with loopback.Trap().listening() as trap:
        yield trap
    assert trap.caught == []


@pytest.fixture
def receive() -> Generator[Callable[..., loopback.Receiver]]:
    """Start receivers, which end with the test."""
    with ExitStack() as stack:
        yield lambda answer=None: stack.enter_context(loopback.Receiver(answer).running())


@pytest.fixture
def service(tmp_path: Path, trap: loopback.Trap) -> Generator[loopback.Service]:
    """Prepare the example service; the test starts it."""
    service = loopback.Service(tmp_path, trap.environment())
    yield service
    service.close()


@pytest.fixture(scope="session")
def node_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install Segment's client for Node.js into a temporary folder."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("there is no Node.js here")
    folder = tmp_path_factory.mktemp("node")
    for source in (HERE / "node").iterdir():
        if source.is_file():
            shutil.copy(source, folder)
    command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603
    assert done.returncode == 0, done.stderr
    return folder
