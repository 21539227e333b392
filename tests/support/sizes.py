"""Parameters for every run beside those for `-m slow`: small sizes and large ones, one way and all the others."""

from __future__ import annotations

from typing import Any

import pytest


def slow(value: Any) -> Any:
    """Give the value of a parameter with the marker `slow`."""
    return pytest.param(value, marks=pytest.mark.slow)


def small_and_large(small: Any, large: Any) -> list[Any]:
    """Give the values of a parameter; the large one has the marker `slow`."""
    return [small, slow(large)]
