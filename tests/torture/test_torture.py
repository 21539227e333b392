"""A short torture run; `python -m tests.torture` runs it for longer, with other seeds."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(importlib.util.find_spec("uvicorn") is None, reason="the group `integration` is not installed"),
]


def test_half_a_minute_of_torture_breaks_no_promise() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.torture", "--seconds", "30", "--seed", "5"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
