"""Hypothesis profiles: how many examples, and whether they are the same ones each time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# By default each run draws new examples; on CI the same ones each time, so that a red run stays red until it is mended.
settings.register_profile("default", max_examples=100, deadline=None)
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None, print_blob=True)
settings.register_profile("nightly", settings.get_profile("default"), max_examples=10_000)
# Each mutant of the code is tested in a fork, with few examples but in many tests: tests/mutation/code.py.
settings.register_profile(
    "mutation", settings.get_profile("ci"), max_examples=10, suppress_health_check=list(HealthCheck)
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "default"))
