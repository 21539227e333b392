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
    at_most: float | None = None
    at_least: float | None = None
    """The goal of the median."""

    @property
    def goal(self) -> str:
        """Give the goal as text, empty where there is none."""
        if self.at_least is not None:
            return f"at least {self.at_least:g}"
        return "" if self.at_most is None else f"at most {self.at_most:g}"

    @property
    def met(self) -> bool:
        """Say whether the median meets the goal, if there is one."""
        is_low_enough = self.at_most is None or self.median <= self.at_most
        return is_low_enough and (self.at_least is None or self.median >= self.at_least)

    def as_json(self) -> dict[str, Any]:
        return attrs.asdict(self, filter=lambda _, value: value is not None)


def spread(
    key: str,
    label: str,
    values: Sequence[float],
    *,
    unit: str = "x",
    at_most: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """Make a figure of many values: the median and the quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    return Figure(
        key=key,
        label=label,
        unit=unit,
        median=rounded(median(values)),
        low=rounded(low),
        high=rounded(high),
        at_most=at_most,
        at_least=at_least,
    )


def single(
    key: str,
    label: str,
    value: float,
    *,
    unit: str,
    at_most: float | None = None,
    at_least: float | None = None,
) -> Figure:
    """Make a figure of one value."""
    return Figure(key=key, label=label, unit=unit, median=rounded(value), at_most=at_most, at_least=at_least)


def rounded(value: float) -> float:
    """Round to three significant digits: the rest is noise."""
    return float(f"{value:.3g}")
