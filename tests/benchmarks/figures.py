"""The figures that a benchmark gives: medians, their spread, and the goal that they are held against."""

from collections.abc import Sequence
from statistics import median, quantiles
from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Figure:
    """One line of the report."""

    key: str
    label: str
    median: float
    unit: str = "x"
    low: float | None = None
    high: float | None = None
    """The quartiles, where there were several values."""
    count: int | None = None
    goal: float | None = None
    """The most that the median may be."""
    points: tuple[tuple[float, float], ...] = ()
    """Cost against size, for the picture."""

    @property
    def met(self) -> bool | None:
        return None if self.goal is None else self.median <= self.goal

    def as_json(self) -> dict[str, Any]:
        return attrs.asdict(self, filter=lambda _, value: value is not None and value != ())

    @classmethod
    def from_json(cls, fields: dict[str, Any]) -> "Figure":
        points = tuple((size, cost) for size, cost in fields.pop("points", ()))
        return cls(**fields, points=points)


def spread(key: str, label: str, values: Sequence[float], *, unit: str = "x", goal: float | None = None) -> Figure:
    """Make a figure of many values: the median and the quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    middle = rounded(median(values))
    return Figure(
        key=key,
        label=label,
        unit=unit,
        median=middle,
        low=rounded(low),
        high=rounded(high),
        count=len(values),
        goal=goal,
    )


def single(key: str, label: str, value: float, *, unit: str, goal: float | None = None) -> Figure:
    """Make a figure of one value."""
    return Figure(key=key, label=label, unit=unit, median=rounded(value), goal=goal)


def rounded(value: float) -> float:
    """Round to three significant digits: the rest is noise."""
    return float(f"{value:.3g}")
