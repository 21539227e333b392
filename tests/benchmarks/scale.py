"""Cost per event of one long stream, against fresh short runs that take turns with it."""

from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from statistics import median
from typing import Any, Final

import attrs
import orjson
from tests.benchmarks.corpus import segment_calls
from tests.benchmarks.figures import Figure, rounded, spread
from tests.benchmarks.inbound import CONFIG
from tests.benchmarks.timing import frozen_heap, take_turns

from statsig_segment import StatsigEvent, to_log_event, translate_many

SHORT: Final = 1000
LONG: Final = 1_000_000


def stream(payloads: Iterable[Any]) -> Iterator[bool]:
    """Translate and write lazily; tell of each payload whether it made an event."""
    for outcome in translate_many(payloads, CONFIG):
        if isinstance(outcome, StatsigEvent):
            to_log_event(outcome)
        yield isinstance(outcome, StatsigEvent)


def take(events: Iterator[bool], count: int) -> None:
    """Take so many outcomes from a stream."""
    for _ in islice(events, count):
        pass


def _ratios(total: int) -> list[float]:
    """Let a long stream and short ones take turns over the same payloads; give the ratio of their times, in order."""
    payloads = [orjson.loads(line) for line in segment_calls(SHORT)]
    long = stream(cycle(payloads))
    found: list[float] = []
    with frozen_heap():
        take(stream(payloads), SHORT)
        for turn in range(total // SHORT):
            times = take_turns(
                {"long": lambda: take(long, SHORT), "short": lambda: take(stream(payloads), SHORT)}, turn
            )
            found.append(times["long"] / times["short"])
    return found


def measure(seconds: float) -> list[Figure]:
    """Measure the section: a million events, or as many as the shorter time allows."""
    total = LONG if seconds >= SECONDS else LONG // 20
    found = _ratios(total)
    late = found[-max(1, len(found) // 10) :]
    sizes = [size for size in (1, 10, 100, 1000) if size <= len(found)]
    points = tuple((float(size * SHORT), rounded(median(found[size // 2 : size]))) for size in sizes)
    figure = spread("late", f"event number {total:,} of a stream / number {SHORT:,}", late, goal=1.05)
    return [attrs.evolve(figure, points=points)]


SECONDS: Final = 60.0
