"""What the tests in a browser share: what they need, and how long they wait for Python to start in a page."""

from __future__ import annotations

import importlib.util
import shutil
from typing import Final

import pytest

PATIENCE_MS: Final = 180_000
"""Long enough for a busy machine to start Python in the page."""
READY: Final = "#playground[data-ready=true]"
NEEDS_BROWSER: Final = [
    pytest.mark.browser,
    pytest.mark.skipif(shutil.which("chromium") is None, reason="there is no Chromium here"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="the playground is put together with npm"),
    pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="needs the group browser"),
]
