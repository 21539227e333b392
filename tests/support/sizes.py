"""Two sizes of one test: a small one for every run, and a large one for `-m slow`."""

from __future__ import annotations

from typing import Any

import pytest


def small_and_large(small: Any, large: Any) -> list[Any]:
    """Give the values of a parameter; the large one has the marker `slow`."""
    return [small, pytest.param(large, marks=pytest.mark.slow)]
