"""Measuring in alternating slices; knows nothing of what is measured.

Times on a shared machine drift by far more than the differences sought, so no time is compared with one taken at
another moment. The contestants take turns over one small slice of the corpus, in an order that rotates, and only their
ratio within that slice counts; a figure is the median of such ratios with its quartiles. The clock is the processor
time of the thread, so that what other programs take does not count; what they do to the caches still does.

The garbage collector stays on, as in real life. What the corpus and the imports hold is frozen out of its sight, and
every slice begins after a collection of the young, so no contestant pays for the litter of another.
"""

import gc
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from itertools import cycle
from statistics import median
from time import perf_counter, thread_time_ns
from typing import Any, Final, TypeVar

SLICE: Final = 50
"""Lines in a slice: a few milliseconds of work, and what they hold stays in the processor's cache."""

Task = Callable[[], object]
Slice = Mapping[str, Task]
Times = dict[str, list[float]]
_Item = TypeVar("_Item")


@contextmanager
def frozen_heap() -> Generator[None]:
    """Take what lives now out of the collector's sight."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def race(chunks: Sequence[_Item], prepare: Callable[[_Item], Slice], seconds: float) -> Times:
    """Let the contestants take turns, chunk after chunk, until time is up; give nanoseconds by name, slice by slice."""
    times: Times = {}
    end = perf_counter() + seconds
    with frozen_heap():
        take_turns(prepare(chunks[0]), 0)  # a warm-up, not counted
        for turn, chunk in enumerate(cycle(chunks)):
            contestants = prepare(chunk)
            for name, nanoseconds in take_turns(contestants, turn).items():
                times.setdefault(name, []).append(nanoseconds)
            if perf_counter() > end and turn >= len(contestants):
                break
    return times


def take_turns(contestants: Slice, turn: int) -> dict[str, int]:
    """Time each contestant once, beginning with another one each turn."""
    names = list(contestants)
    at = turn % len(names)
    return {name: cpu_ns(contestants[name]) for name in names[at:] + names[:at]}


def cpu_ns(task: Task) -> int:
    """Time a task in nanoseconds of processor time."""
    gc.collect(1)
    start = thread_time_ns()
    task()
    return thread_time_ns() - start


def each(function: Callable[..., object], items: Iterable[Any], *arguments: object) -> None:
    """Call a function for every item and drop what it gives, as a stream does."""
    for item in items:
        function(item, *arguments)


def ratios(times: Times, name: str, other: str) -> list[float]:
    """Divide the times of one contestant by those of another, slice by slice."""
    return [own / rival for own, rival in zip(times[name], times[other], strict=True)]


def per_event(times: Times, name: str, events: int = SLICE) -> float:
    """Give the median microseconds per event: for orientation, since times drift and ratios do not."""
    return median(times[name]) / events / 1000


def chunked(items: Sequence[_Item], size: int = SLICE) -> list[Sequence[_Item]]:
    """Cut a corpus into slices, all of one size."""
    return [items[at : at + size] for at in range(0, len(items) - size + 1, size)]
