"""Hypothesis profiles, the switch that turns the fast lanes off, and a saving of time."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

# By default each run draws a few new examples; on CI more, and the same ones each time, so that a red run stays red
# until it is mended.
settings.register_profile("default", max_examples=25, deadline=None)
settings.register_profile(
    "ci", settings.get_profile("default"), max_examples=100, derandomize=True, database=None, print_blob=True
)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=10_000)
# Where the suite runs once more, on another Python or for each mutant of the code (tests/mutation/code.py), few
# examples will do, and the first failure is enough.
settings.register_profile(
    "quick",
    settings.get_profile("ci"),
    max_examples=10,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))

FAST_LANES = ("statsig_segment.inbound.fast_lane.log_event", "statsig_segment.outbound.fast_lane.outbound_track")


def step_aside(_payload: object, _plan: object) -> None:
    """Leave a call to the reference."""


def pytest_collection_finish() -> None:
    """Keep the garbage collector from going through all that was imported and collected, again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def fast_lanes() -> Iterator[None]:
    """Send every call to the reference where FAST_LANES=off, but not in processes that a test starts."""
    with pytest.MonkeyPatch.context() as patch:
        if os.environ.get("FAST_LANES") == "off":
            for name in FAST_LANES:
                patch.setattr(name, step_aside)
        yield
