"""Sizes for every run beside those for `-m slow` and for CI: small and large ones, one way and all, few examples."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import settings

TEN_BY_DEFAULT = settings(max_examples=10) if settings.get_current_profile_name() == "default" else settings()
"""For properties of whole archives, each of which takes as long as many calls; CI and the nightly run draw all."""


def slow(value: Any) -> Any:
    """Give the value of a parameter with the marker `slow`."""
    return pytest.param(value, marks=pytest.mark.slow)


def small_and_large(small: Any, large: Any) -> list[Any]:
    """Give the values of a parameter; the large one has the marker `slow`."""
    return [small, slow(large)]
