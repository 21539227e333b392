"""Finding the exported event that came of a call: by time and by IDs, then by name; compares nothing (CM-1).

Both sides are indexed by time and ID, so that the work grows with the number of events and not with its square. A pair
is made where a call and an event have only each other left: first among those of equal names, then among all, over and
over until nothing changes. Repeated deliveries of one call are alike, so any of them may stand for any other.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment.insight.comparison.sides import Call, Exported, Pair, fields_of

_CROWD: Final = 100
"""If one ID has more events than this at one time, they stay ambiguous: comparing each with each costs too much."""
_DELIVERY: Final = frozenset({"messageId", "sentAt", "receivedAt", "originalTimestamp", "timestamp", "_metadata"})
"""What may differ between two deliveries of one call."""

_Edges = dict[int, list[int]]


@attrs.frozen(kw_only=True)
class Pairing:
    """What belongs together, and what is left of each side."""

    pairs: tuple[Pair, ...]
    ambiguous_calls: tuple[Call, ...]
    only_called: tuple[Call, ...]
    ambiguous_exported: int
    only_exported: int


def pair(
    calls: Sequence[Call], exported: Sequence[Exported], tolerance_ms: int, name_of: Callable[[Call], str]
) -> Pairing:
    """Pair calls with exported events; IDs in properties and traits count only where no others help."""
    match = _Match(calls, exported)
    match.add_edges(tolerance_ms, name_of, lambda call: call.near_ids)
    match.run()
    match.add_edges(tolerance_ms, name_of, lambda call: call.far_ids)
    match.run()
    return match.result()


class _Match:
    """A matching while it grows; calls and events go by their index."""

    def __init__(self, calls: Sequence[Call], exported: Sequence[Exported]) -> None:
        self.calls, self.exported = calls, exported
        self.partner: dict[int, int] = {}
        self.taken: set[int] = set()
        self.named: _Edges = {}
        self.any_name: _Edges = {}
        self.crowded_calls: set[int] = set()
        self.crowded_exported: set[int] = set()

    def add_edges(
        self, tolerance_ms: int, name_of: Callable[[Call], str], ids_of: Callable[[Call], Iterable[str]]
    ) -> None:
        """Find the events that each lone call may belong to."""
        reach = max(0, tolerance_ms)
        known = self.taken | self.candidates()
        lone = [at for at in range(len(self.exported)) if at not in known]
        index = _Index(self.exported, lone, reach)
        for at, call in enumerate(self.calls):
            if at in self.partner or self.any_name.get(at) or at in self.crowded_calls:
                continue
            self.named[at] = index.find(call, ids_of(call), name_of(call)) or []
            found = index.find(call, ids_of(call))
            self.any_name[at] = found or []
            if found is None:
                self.crowded_calls.add(at)
        self.crowded_exported.update(index.crowded())

    def candidates(self) -> set[int]:
        """Give all events that some call may belong to."""
        return {event for events in self.any_name.values() for event in events} | self.crowded_exported

    def run(self) -> None:
        """Pair what has only each other left, until nothing changes."""
        before = -1
        while before < len(self.partner):
            before = len(self.partner)
            self.settle(self.named)
            self.settle(self.any_name)

    def settle(self, edges: _Edges) -> None:
        """Pair along one kind of edges; a pair may leave others with one choice, so those are looked at again."""
        callers: defaultdict[int, list[int]] = defaultdict(list)
        for call, events in edges.items():
            if call not in self.partner:
                for event in events:
                    callers[event].append(call)
        waiting = [call for call, events in edges.items() if events and call not in self.partner]
        while waiting:
            call = waiting.pop()
            choice = self.choice(call, edges, callers)
            if choice is not None:
                self.partner[call] = choice
                self.taken.add(choice)
                waiting += [other for event in edges[call] for other in callers[event] if other not in self.partner]

    def choice(self, call: int, edges: _Edges, callers: Mapping[int, list[int]]) -> int | None:
        """Give the event that a call must belong to, `None` while there are several that differ."""
        if call in self.partner:
            return None
        events = [event for event in edges[call] if event not in self.taken]
        if not events or len(callers[events[0]]) > _CROWD:
            return None
        rivals = [other for other in callers[events[0]] if other not in self.partner]
        if len(events) > 1 and not all(
            _is_twin_event(self.exported[events[0]], self.exported[at]) for at in events[1:]
        ):
            return None
        if len(rivals) > 1 and not all(_is_twin_call(self.calls[call], self.calls[at]) for at in rivals):
            return None
        return events[0]

    def result(self) -> Pairing:
        """Give the pairs in the order of the calls, and what is left."""
        open_events = {
            event
            for call, events in self.any_name.items()
            if call not in self.partner
            for event in events
            if event not in self.taken
        } | (self.crowded_exported - self.taken)
        pairs = [Pair(call=self.calls[at], exported=self.exported[self.partner[at]]) for at in sorted(self.partner)]
        lone = [at for at in range(len(self.calls)) if at not in self.partner]
        ambiguous = {at for at in lone if self.is_open(at)}
        return Pairing(
            pairs=tuple(pairs),
            ambiguous_calls=tuple(self.calls[at] for at in lone if at in ambiguous),
            only_called=tuple(self.calls[at] for at in lone if at not in ambiguous),
            ambiguous_exported=len(open_events),
            only_exported=len(self.exported) - len(self.taken) - len(open_events),
        )

    def is_open(self, call: int) -> bool:
        """Say whether a call without a partner might still have one."""
        return call in self.crowded_calls or any(event not in self.taken for event in self.any_name.get(call, ()))


class _Index:
    """Exported events by time and ID, and by name as well."""

    def __init__(self, exported: Sequence[Exported], positions: Iterable[int], reach: int) -> None:
        self.exported, self.reach, self.step = exported, reach, reach + 1
        self.held: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
        self.crowds: set[tuple[Any, ...]] = set()
        for at in positions:
            event = exported[at]
            slot = None if event.time_ms is None else event.time_ms // self.step
            for unit in set(event.ids.values()):
                self.held[slot, unit].append(at)
                self.held[slot, unit, event.event_name].append(at)

    def find(self, call: Call, ids: Iterable[str], *name: str) -> list[int] | None:
        """Give the events that fit a call in order, `None` where there are too many."""
        keys = [(slot, unit, *name) for slot in self.slots(call.time_ms) for unit in ids]
        crowds = [key for key in keys if len(self.held.get(key, ())) > _CROWD]
        if crowds:
            self.crowds.update(crowds)
            return None
        return sorted({at for key in keys for at in self.held.get(key, ()) if self.fits(call, at)})

    def crowded(self) -> Iterator[int]:
        """List the events of the crowds that were found so far."""
        return (at for key in self.crowds for at in self.held[key])

    def slots(self, time_ms: int | None) -> Iterator[int | None]:
        """List the slots that may hold events near a time; two that have no time agree as well."""
        if time_ms is None:
            yield None
            return
        slot = time_ms // self.step
        yield from (slot - 1, slot, slot + 1) if self.reach else (slot,)

    def fits(self, call: Call, at: int) -> bool:
        """Say whether the times agree."""
        there = self.exported[at].time_ms
        return call.time_ms is None or there is None or abs(call.time_ms - there) <= self.reach


def _is_twin_event(one: Exported, two: Exported) -> bool:
    return attrs.evolve(one, position=two.position, time_ms=two.time_ms) == two


def _is_twin_call(one: Call, two: Call) -> bool:
    return one is two or _content(one) == _content(two)


def _content(call: Call) -> dict[str, Any]:
    return {key: value for key, value in fields_of(call.event).items() if key not in _DELIVERY}
