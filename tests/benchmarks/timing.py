"""Measuring in alternating slices, and the figures that come of it; knows nothing of what is measured.

Times on a shared machine drift by far more than the differences sought, so no time is compared with one taken at another
moment. The contestants take turns over one small slice of the corpus, in an order that rotates, and only their ratio
within that slice counts; a figure is the median of such ratios with its quartiles.

The garbage collector stays on, as in real life. What the corpus and the imports hold is frozen out of its sight, and
every slice begins after a collection, so no contestant pays for the litter of another.
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from statistics import median, quantiles
from time import perf_counter, thread_time_ns
from typing import Any, Final, TypedDict

SLICE: Final = 50
"""Lines in a slice: about a millisecond of work, and small enough to stay in the processor's cache."""

Task = Callable[[], object]
Slice = Mapping[str, Task]
Times = dict[str, list[float]]


class Figure(TypedDict, total=False):
    """One line of the report; `goal` is the most that the median may be."""

    key: str
    label: str
    unit: str
    median: float
    low: float
    high: float
    slices: int
    goal: float
    points: list[list[float]]


@contextmanager
def frozen_heap() -> Iterator[None]:
    """Take what lives now out of the collector's sight."""
    gc.collect(1)
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def race(chunks: Sequence[Any], prepare: Callable[[Any], Slice], seconds: float) -> Times:
    """Let the contestants take turns, chunk after chunk, until the time is up; give nanoseconds by name, slice by slice."""
    times: Times = {}
    end = perf_counter() + seconds
    with frozen_heap():
        for turn, chunk in enumerate(cycle(chunks)):
            contestants = prepare(chunk)
            if not turn:  # a warm-up, not counted
                _take_turns(contestants, turn)
            for name, nanoseconds in _take_turns(contestants, turn).items():
                times.setdefault(name, []).append(nanoseconds)
            if perf_counter() > end and turn >= len(contestants):
                break
    return times


def _take_turns(contestants: Slice, turn: int) -> dict[str, int]:
    names = list(contestants)
    at = turn % len(names)
    return {name: _time(contestants[name]) for name in names[at:] + names[:at]}


def _time(task: Task) -> int:
    gc.collect(1)
    start = thread_time_ns()
    task()
    return thread_time_ns() - start


def spread(key: str, label: str, values: Sequence[float], *, unit: str = "x", goal: float | None = None) -> Figure:
    """Make a figure of many values: the median and the quartiles."""
    low, _, high = quantiles(values, n=4) if len(values) > 1 else (values[0],) * 3
    figure: Figure = {
        "key": key, "label": label, "unit": unit, "median": _round(median(values)), "low": _round(low), "high": _round(high),
        "slices": len(values),
    }
    if goal is not None:
        figure["goal"] = goal
    return figure


def single(key: str, label: str, value: float, *, unit: str, goal: float | None = None) -> Figure:
    """Make a figure of one value."""
    figure: Figure = {"key": key, "label": label, "unit": unit, "median": _round(value)}
    if goal is not None:
        figure["goal"] = goal
    return figure


def ratios(times: Times, name: str, *others: str) -> list[float]:
    """Divide the times of one contestant by those of another, or of several together, slice by slice."""
    return [own / sum(rest) for own, *rest in zip(times[name], *(times[other] for other in others), strict=True)]


def per_event(times: Times, name: str, events: int) -> float:
    """Give the median microseconds per event: for orientation, since times drift and ratios do not."""
    return median(times[name]) / events / 1000


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def chunked(items: Sequence[Any], size: int = SLICE) -> list[Sequence[Any]]:
    """Cut a corpus into slices, all of one size."""
    return [items[at : at + size] for at in range(0, len(items) - size + 1, size)]
