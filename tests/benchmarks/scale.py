"""Cost per event of one long stream, against fresh short runs that take turns with it."""

from collections.abc import Iterable, Iterator
from itertools import cycle, islice
from typing import Any, Final

import orjson
from tests.benchmarks.corpus import segment_calls
from tests.benchmarks.figures import Figure, spread
from tests.benchmarks.settings import CONFIG
from tests.benchmarks.timing import frozen_heap, take_turns

from statsig_segment import log_events

SECONDS: Final = 30.0
SHORT: Final = 1000
LONG: Final = 1_000_000


def take(outcomes: Iterator[Any], count: int) -> None:
    """Take so many outcomes from a stream."""
    for _ in islice(outcomes, count):
        pass


def _stream(payloads: Iterable[Any]) -> Iterator[Any]:
    return log_events(payloads, CONFIG)


def _ratios(total: int) -> list[float]:
    """Let a long stream and short ones take turns over the same payloads; give the ratio of their times, in order."""
    payloads = [orjson.loads(line) for line in segment_calls(SHORT)]
    long = _stream(cycle(payloads))
    found: list[float] = []
    with frozen_heap():
        take(_stream(payloads), SHORT)
        for turn in range(total // SHORT):
            times = take_turns(
                {"long": lambda: take(long, SHORT), "short": lambda: take(_stream(payloads), SHORT)}, turn
            )
            found.append(times["long"] / times["short"])
    return found


def measure(seconds: float) -> list[Figure]:
    """Measure the section: a million events, or as many as the shorter time allows."""
    total = LONG if seconds >= SECONDS else LONG // 20
    found = _ratios(total)
    late = found[-max(1, len(found) // 10) :]
    return [spread("late", f"event number {total:,} of a stream / number {SHORT:,}", late, at_most=1.05)]
