"""Which calls never arrive: filtered there, or only lost on the way (FL-1).

A name is taken for filtered where none of its calls arrived while their neighbors in time did, and where that is not
what the loss of single calls would explain: with one call in ten lost, two missing ones of a name say little.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Final

import attrs

from statsig_segment.insight.comparison.sides import Call

_MAX_NAMES: Final = 1000  # that are proposed
_CHANCE: Final = 0.01
"""How unlikely it must be that all calls of a name were lost one by one."""


@attrs.frozen(kw_only=True)
class Arrivals:
    """The calls that would be sent, by what became of them; each with its name as filters see it."""

    arrived: Sequence[tuple[Call, str]]
    missing: Sequence[tuple[Call, str]]
    unknown: frozenset[str]
    """Names of calls that may have arrived."""


def unmistakable(arrivals: Arrivals) -> frozenset[str]:
    """Give the names that seem to be filtered."""
    seen = {name for _, name in arrivals.arrived} | arrivals.unknown
    neighbors = _Neighbors(arrivals, seen)
    silent = Counter(name for call, name in arrivals.missing if name not in seen and neighbors.arrived(call))
    needed = _needed(len(arrivals.arrived), sum(neighbors.arrived(call) for call in neighbors.lost))
    return frozenset(name for name, calls in silent.most_common(_MAX_NAMES) if calls >= needed)


def _needed(arrived: int, lost: int) -> float:
    """Say how many calls of a name must be missing: one where none is lost, more the more are."""
    return log(_CHANCE) / log(lost / (lost + arrived)) if lost else 1


class _Neighbors:
    """The calls in order of time, of those names alone that do arrive."""

    def __init__(self, arrivals: Arrivals, seen: set[str]) -> None:
        there = {(call.time_ms, name) for call, name in arrivals.arrived}  # a call delivered twice may arrive once
        self.lost = [call for call, name in arrivals.missing if name in seen and (call.time_ms, name) not in there]
        rows = [(_moment(call), True) for call, _ in arrivals.arrived] + [(_moment(call), False) for call in self.lost]
        rows.sort()
        self.moments = [moment for moment, _ in rows]
        self.is_there = [is_there for _, is_there in rows]

    def arrived(self, call: Call) -> bool:
        """Say whether the nearest calls before and after a call arrived."""
        moment = _moment(call)
        after = before = bisect_left(self.moments, moment)
        if after < len(self.moments) and self.moments[after] == moment:
            after += 1  # the call itself, where it is one of them
        return all(self.is_there[at] for at in (before - 1, after) if 0 <= at < len(self.moments))


def _moment(call: Call) -> tuple[int, int]:
    return (-1 if call.time_ms is None else call.time_ms, call.position)
