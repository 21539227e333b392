"""Find the exported event that a call became, by time and IDs, then by name; compares nothing else (CM-1).

Exported events are indexed by time, so the work grows with the number of events and not with its square. Each call has
the events that it may belong to. Nearly always that is one event, which no other call claims: a pair. The rest is
contested, and settled step by step: a pair is made where a call and an event have only each other left, first among
those of equal names, then among all, over and over until nothing changes. Repeated deliveries of one call are alike, so
they are interchangeable.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from statsig_segment.insight.comparison.archive import Calls, Exported, Held

_CROWD: Final = 100
"""The most events of one ID at one time that are told apart. Comparing each with each costs the square of their number,
and no person does a hundred things in one millisecond; a shared ID such as `anonymous` does, and stays ambiguous."""
_LONE: Final = -1

Events: TypeAlias = tuple[int, ...]
"""Indexes of exported events, in order."""


class Archive(NamedTuple):
    """Both sides, and what belongs together."""

    calls: Calls
    exported: Exported
    matching: "Matching"


class Index:
    """Exported events by time, and where several share a time by ID and name as well."""

    def __init__(self, exported: Exported, tolerance_ms: int) -> None:
        """Index all events; the times of a pair may be `tolerance_ms` apart."""
        self._exported, self._reach = exported, max(0, tolerance_ms)
        self._slots: defaultdict[int | None, list[int]] = defaultdict(list)
        self._held: dict[int | None, dict[str | tuple[str, str], list[int]]] = {}
        for at in range(len(exported)):
            self._slots[self._slot(exported.times[at])].append(at)

    def _slot(self, time_ms: int | None) -> int | None:
        return None if time_ms is None else time_ms // (self._reach + 1)

    def near(self, time_ms: int | None) -> list[int | None]:
        """List the slots that hold events near a time; two that have no time agree as well."""
        slot = self._slot(time_ms)
        slots = (slot,) if slot is None or not self._reach else (slot - 1, slot, slot + 1)
        return [each for each in slots if each in self._slots]

    def find(self, time_ms: int | None, ids: Iterable[str], name: str | None) -> Events | None:
        """Return the events near a time that have one of some IDs, and a name where one is asked for.

        `None` if one ID has too many of them.
        """
        found: set[int] = set()
        for slot in self.near(time_ms):
            held = self._held.get(slot)
            if held is None:
                held = self._by_id(self._slots[slot])
                if len(self._slots[slot]) > 1:  # one event is quickly read again, and an index of it is large
                    self._held[slot] = held
            for unit in ids:
                events = held.get(unit if name is None else (unit, name), ())
                if len(events) > _CROWD:
                    return None
                found.update(events)
        return tuple(sorted(at for at in found if self._fits(time_ms, at))) if found else ()

    def _by_id(self, events: Sequence[int]) -> dict[str | tuple[str, str], list[int]]:
        held: defaultdict[str | tuple[str, str], list[int]] = defaultdict(list)
        for at in events:
            event = self._exported[at]
            for unit in set(event.ids.values()):
                held[unit].append(at)
                held[unit, event.name].append(at)
        return dict(held)

    def _fits(self, time_ms: int | None, at: int) -> bool:
        there = self._exported.times[at]
        return time_ms is None or there is None or abs(time_ms - there) <= self._reach

    def crowded(self) -> Iterator[int]:
        """List the events of one time that share an ID with too many others."""
        for held in self._held.values():
            for events in held.values():
                if len(events) > _CROWD:
                    yield from events


class Matching:
    """Which call belongs to which exported event; both go by their index."""

    def __init__(self, calls: Calls, exported: Exported, index: Index) -> None:
        """Create a matching without calls."""
        self.partner = array("q")
        """The event of each call, `-1` where there is none."""
        self.taken = bytearray(len(exported))
        """Whether each event has its call."""
        self._callers = array("q", [_LONE]) * len(exported)
        self._calls, self._exported, self._index = calls, exported, index
        self._any_name: list[Events] = []
        self._named: dict[int, Events] = {}  # sparse, because nearly every call has one event, of its own name
        self._far: dict[int, Events] = {}
        self._crowded: set[int] = set()

    def add(self, time_ms: int | None, ids: Sequence[Iterable[str]], name: str) -> None:
        """Add the next call. Its IDs come in groups; the last group counts only if the others find nothing."""
        call = len(self.partner)
        self.partner.append(_LONE)
        if not self._index.near(time_ms):
            self._any_name.append(())
            return
        *near, far = ids
        events: Events = ()
        for group in near:
            events = self._find(call, time_ms, group, name)
            if events:
                break
        else:
            further = self._index.find(time_ms, far, None)
            if further:
                self._far[call] = further
        self._any_name.append(events)

    def _find(self, call: int, time_ms: int | None, ids: Iterable[str], name: str) -> Events:
        units = list(ids)
        events = self._index.find(time_ms, units, None)
        if events is None:
            self._crowded.add(call)
            self._named[call] = self._index.find(time_ms, units, name) or ()
            return self._named[call]
        named = tuple(at for at in events if self._exported[at].name == name)
        if named != events:
            self._named[call] = named
        return events

    def rename(self, names: Mapping[int, str]) -> None:
        """Replace the names of contested calls, and undo all pairs.

        A pair made by a wrong name may have taken the event of another call, so none of them is kept.
        """
        for call, name in names.items():
            if call not in self._crowded:
                self._named[call] = tuple(at for at in self._any_name[call] if self._exported[at].name == name)
        self.taken = bytearray(len(self._exported))
        self.partner = array("q", [_LONE]) * len(self._any_name)

    def contested(self) -> list[int]:
        """Return the calls that share an event with other calls, or have several events."""
        callers: dict[int, int] = {}
        contested: set[int] = set()
        for call, events in enumerate(self._any_name):
            for at in events:
                other = callers.setdefault(at, call)
                if other != call:
                    contested |= {other, call}
            if len(events) > 1 or call in self._crowded:
                contested.add(call)
        return sorted(contested)

    def run(self) -> None:
        """Pair the calls and events that have only each other left, until nothing changes."""
        contested = self.contested()
        known = set(contested)
        for call, events in enumerate(self._any_name):
            if events and call not in known:
                self._pair(call, events[0])
        any_name = {call: self._any_name[call] for call in contested}
        self._settle_all([{call: self._named.get(call, events) for call, events in any_name.items()}, any_name])
        # IDs deep in a call may be another person's, so they count last, and only for events that no call claims by an
        # ID of its own.
        claimed = {at for events in self._any_name for at in events}
        lone = [call for call in self._far if self.partner[call] == _LONE]
        self._settle_all([{call: tuple(at for at in self._far[call] if at not in claimed) for call in lone}])

    def _pair(self, call: int, event: int) -> None:
        self.partner[call], self._callers[event] = event, call
        self.taken[event] = True

    def _settle_all(self, kinds: Sequence[Mapping[int, Events]]) -> None:
        before, taken = -1, sum(self.taken)
        while before < taken:
            for edges in kinds:
                self._settle(edges)
            before, taken = taken, sum(self.taken)

    def _settle(self, edges: Mapping[int, Events]) -> None:
        """Make all pairs that one kind of edges decides.

        A new pair may leave its neighbors with one choice, so only they are tried again; this keeps the work linear.
        """
        callers: defaultdict[int, list[int]] = defaultdict(list)
        waiting = [call for call, events in edges.items() if events and self.partner[call] == _LONE]
        for call in waiting:
            for event in edges[call]:
                callers[event].append(call)
        while waiting:
            call = waiting.pop()
            choice = self._choice(call, edges[call], callers) if self.partner[call] == _LONE else None
            if choice is not None:
                self._pair(call, choice)
                waiting += [each for at in edges[call] for each in callers[at] if self.partner[each] == _LONE]

    def _choice(self, call: int, events: Events, callers: Mapping[int, list[int]]) -> int | None:
        """Return the event that a call must belong to; `None` as long as several that differ are possible."""
        free = [at for at in events if not self.taken[at]]
        if not free or len(callers[free[0]]) > _CROWD:
            return None
        # Deliveries of one call are interchangeable, and so are equal events: any choice among them compares the same.
        rivals = [other for other in callers[free[0]] if self.partner[other] == _LONE]
        digest = self._calls.digests[call]
        if any(self._calls.digests[other] != digest for other in rivals):
            return None
        first: Held = self._exported[free[0]]
        return free[0] if all(self._exported[at] == first for at in free[1:]) else None

    # -- What is left --------------------------------------------------------------------------------------------------

    def is_ambiguous(self, call: int) -> bool:
        """Return whether a call without a partner may still have one."""
        return call in self._crowded or any(not self.taken[at] for at in self._choices(call))

    def is_repeated(self, call: int) -> bool:
        """Return whether a call without a partner is a second delivery of a call that has its event."""
        digests = self._calls.digests
        callers = (self._callers[at] for at in self._choices(call) if self.taken[at])
        return any(digests[caller] == digests[call] for caller in callers)

    def _choices(self, call: int) -> Events:
        return self._any_name[call] or self._far.get(call, ())

    def ambiguous_events(self) -> set[int]:
        """Return the events without a call that may still have one."""
        lone = (call for call, event in enumerate(self.partner) if event == _LONE)
        found = {at for call in lone for at in self._choices(call)}
        found.update(self._index.crowded() if self._crowded else ())
        return {at for at in found if not self.taken[at]}
