"""Find the exported event that a call became, by time and IDs, then by name; compares nothing else (CM-1).

Exported events are indexed by time, so the work grows with the number of events and not with its square. Each call has
the events that it may belong to. Nearly always that is one event, which no other call claims: a pair. The rest is
contested, and settled step by step: a pair is made where a call and an event have only each other left, first among
those of equal names, then among all, over and over until nothing changes. Repeated deliveries of one call are alike, so
they are interchangeable. What stays open is tried again under the names that the pairs so far teach.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment import segment, statsig
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.insight.comparison.archive import (
    NO_TIME,
    Calls,
    Exported,
    Json,
    exact_call,
    ids_of,
    is_readable,
)
from statsig_segment.insight.comparison.places import ids_in
from statsig_segment.insight.comparison.templates import Samples, learn_naming
from statsig_segment.insight.comparison.translation import Question
from statsig_segment.segment.calls import parse_segment_event
from statsig_segment.statsig.exports import parse_statsig_event

_CROWD: Final = 100
"""The most events of one ID at one time that are told apart. Comparing each with each costs the square of their number,
and no person does a hundred things in one millisecond; a shared ID such as `anonymous` does, and stays ambiguous."""
_MAX_ROUNDS: Final = 3
"""The most times that ambiguous calls are tried again with learned names. One or two settle nearly all; the limit ends
the rare case in which two namings alternate."""
LONE: Final = -1
"""Stands for the partner of what has none."""

Events: TypeAlias = tuple[int, ...]
"""Indexes of exported events, in order."""


ARRIVED, UNKNOWN, MISSED, UNDUE = range(4)
"""What became of a call: it has an event, it may have one, it has none, or none is due: its event has its first
delivery, or it cannot be sent at all."""


class Index:
    """Exported events by time, and where several share a time by ID and name as well."""

    def __init__(self, exported: Exported, tolerance_ms: int) -> None:
        """Index all events; the times of a pair may be `tolerance_ms` apart."""
        self._exported, self._reach = exported, max(0, tolerance_ms)
        self._slots: defaultdict[int, list[int]] = defaultdict(list)
        self._held: dict[int, dict[Any, list[int]]] = {}
        self.crowded: set[int] = set()
        """The events that share their time and an ID with too many others."""
        for at, time_ms in enumerate(exported.times):
            self._slots[time_ms // (self._reach + 1)].append(at)

    def find(self, time_ms: int, ids: Iterable[str], name: str | None = None) -> tuple[Events, bool]:
        """Return the events near a time that have one of some IDs, and whether one ID has too many of them.

        Of too many events those count that have the name as well.
        """
        slot = time_ms // (self._reach + 1)
        near = [each for each in ((slot - 1, slot, slot + 1) if self._reach else (slot,)) if each in self._slots]
        units = list(ids) if near else []  # to list the IDs of a call takes long
        found: set[int] = set()
        is_crowd = False
        for held in map(self._by_id, near):
            for unit in units:
                events: Sequence[int] = held.get(unit, ())
                if len(events) > _CROWD:
                    is_crowd, events = True, held.get((unit, name), ())
                found.update(events if len(events) <= _CROWD else ())
        return tuple(sorted(at for at in found if abs(time_ms - self._exported.times[at]) <= self._reach)), is_crowd

    def _by_id(self, slot: int) -> Mapping[Any, list[int]]:
        """Return the events of a slot by ID, and by ID and name."""
        if slot in self._held:
            return self._held[slot]
        held: defaultdict[str | tuple[str, str], list[int]] = defaultdict(list)
        for at in self._slots[slot]:
            event = self._exported[at]
            for unit in set(ids_of(event).values()):
                held[unit].append(at)
                held[unit, event[statsig.EVENT_NAME]].append(at)
        if len(self._slots[slot]) > 1:  # one event is quickly read again, and an index of it is large
            self._held[slot] = dict(held)
            self.crowded.update(*(events for events in held.values() if len(events) > _CROWD))
        return held


class Archive:
    """Both sides, and which call belongs to which exported event; both go by their index."""

    def __init__(self, exported: Exported, tolerance_ms: int) -> None:
        """Start without calls."""
        self.calls, self.exported = Calls(), exported
        self.partner = array("q")
        """The event of each call, or `LONE`."""
        self.caller = array("q", [LONE]) * len(exported)
        """The call of each event, or `LONE`."""
        self.identified: list[Events] = []
        """For each identify call that may have arrived as an event, the events that fit it."""
        self._index = Index(exported, tolerance_ms)
        self._events: list[Events] = []
        self._far: dict[int, Events] = {}
        self._crowded: set[int] = set()

    def add(self, payload: Any, position: int, question: Question) -> None:
        """Read the next call, and find the events that it may belong to."""
        call = exact_call(payload)
        facts = None if call is None else _facts(call, question)
        if call is None or facts is None:
            self.calls.unreadable += 1
            self.calls.swapped += is_readable(parse_statsig_event, payload)
            return
        time_ms, own, name = facts
        if call[segment.TYPE] == "identify":
            self.calls.identifies += 1
            events, _ = self._index.find(time_ms, chain(own, ids_in(call, free=False)))
            if events:
                self.identified.append(events)
            return
        at = len(self.calls)
        self.calls.add(call, position, time_ms)
        events = ()
        for ids in (own, ids_in(call, free=False)):
            events, is_crowd = self._index.find(time_ms, ids, name)
            if is_crowd:
                self._crowded.add(at)
            if events:
                break
        else:
            # IDs deep in a call may be another person's, so they count only if the others find nothing.
            further, _ = self._index.find(time_ms, ids_in(call, free=True))
            if further:
                self._far[at] = further
        self._events.append(events)

    def contested(self) -> set[int]:
        """Return the calls that share an event with other calls, or have several events."""
        callers: dict[int, int] = {}
        contested = set(self._crowded)
        for call, events in enumerate(self._events):
            for at in events:
                other = callers.setdefault(at, call)
                if other != call:
                    contested |= {other, call}
            if len(events) > 1:
                contested.add(call)
        return contested

    def settle(self, contested: set[int], names: Mapping[int, str]) -> None:
        """Pair the calls and events that have only each other left, until nothing changes.

        The names are those that contested calls would have. Pairs that were made before are forgotten: one made by a
        wrong name may have taken the event of another call.
        """
        self.partner = array("q", [LONE]) * len(self._events)
        self.caller = array("q", [LONE]) * len(self.exported)
        for call, events in enumerate(self._events):
            if events and call not in contested:
                self._pair(call, events[0])
        any_name = {call: self._events[call] for call in sorted(contested)}
        named = {
            # In a crowd, a call has no events of other names.
            call: tuple(
                at for at in events if call in self._crowded or self.exported[at][statsig.EVENT_NAME] == names.get(call)
            )
            for call, events in any_name.items()
        }
        self._settle_all(named, any_name)
        # IDs deep in a call count last, and only for events that no call claims by an ID of its own.
        claimed = {at for events in self._events for at in events}
        self._settle_all({call: tuple(at for at in events if at not in claimed) for call, events in self._far.items()})

    def _pair(self, call: int, event: int) -> None:
        self.partner[call], self.caller[event] = event, call

    def _settle_all(self, *kinds: Mapping[int, Events]) -> None:
        is_changed = True
        while is_changed:
            is_changed = sum(map(self._settle, kinds)) > 0

    def _settle(self, edges: Mapping[int, Events]) -> bool:
        """Make all pairs that one kind of edges decides, and return whether there was any.

        A new pair may leave its neighbors with one choice, so only they are tried again; this keeps the work linear.
        """
        callers: defaultdict[int, list[int]] = defaultdict(list)
        waiting = [call for call, events in edges.items() if events and self.partner[call] == LONE]
        for call in waiting:
            for event in edges[call]:
                callers[event].append(call)
        is_changed = False
        while waiting:
            call = waiting.pop()
            choice = self._choice(call, edges[call], callers) if self.partner[call] == LONE else None
            if choice is not None:
                self._pair(call, choice)
                is_changed = True
                waiting += [each for at in edges[call] for each in callers[at] if self.partner[each] == LONE]
        return is_changed

    def _choice(self, call: int, events: Events, callers: Mapping[int, list[int]]) -> int | None:
        """Return the event that a call must belong to; `None` as long as several that differ are possible."""
        free = [at for at in events if self.caller[at] == LONE]
        if not free or len(callers[free[0]]) > _CROWD:
            return None
        # Deliveries of one call are interchangeable, and so are equal events: any choice among them compares the same.
        digests = self.calls.digests
        rivals = (other for other in callers[free[0]] if self.partner[other] == LONE)
        if any(digests[other] != digests[call] for other in rivals):
            return None
        first = self.exported[free[0]]
        return free[0] if all(self.exported[at] == first for at in free[1:]) else None

    # -- What is left --------------------------------------------------------------------------------------------------

    def is_ambiguous(self, call: int) -> bool:
        """Return whether a call without a partner may still have one."""
        return call in self._crowded or any(self.caller[at] == LONE for at in self._choices(call))

    def fate(self, call: int) -> int:
        """Return what became of a call."""
        if self.partner[call] != LONE:
            return ARRIVED
        if self.is_ambiguous(call):
            return UNKNOWN
        digests = self.calls.digests
        return UNDUE if any(digests[self.caller[at]] == digests[call] for at in self._choices(call)) else MISSED

    def _choices(self, call: int) -> Events:
        return self._events[call] or self._far.get(call, ())

    def ambiguous_events(self) -> set[int]:
        """Return the events without a call that may still have one."""
        found = {at for call, event in enumerate(self.partner) if event == LONE for at in self._choices(call)}
        found.update(self._index.crowded if self._crowded else ())
        return {at for at in found if self.caller[at] == LONE}


# -- Reading both sides ------------------------------------------------------------------------------------------------


def pair(calls: Iterable[Any], exported: Exported, config: InboundConfig, tolerance_ms: int) -> Archive:
    """Read the calls, and find their events; what is ambiguous is tried again by the names that the pairs teach."""
    archive, question = Archive(exported, tolerance_ms), Question(config)
    for position, payload in enumerate(calls):
        archive.add(payload, position, question)
    contested = archive.contested()
    rounds = 0
    while True:
        archive.settle(contested, _names(archive, question, contested))
        if rounds == _MAX_ROUNDS or not any(map(archive.is_ambiguous, contested)):
            return archive
        naming = learn_naming(_samples(archive, question), config.naming).naming
        if naming == config.naming:
            return archive
        config = attrs.evolve(config, naming=naming)
        question = Question(config)
        rounds += 1


def _facts(call: Json, question: Question) -> tuple[int, list[str], str] | None:
    """Return the time, the IDs and the name of a call; `None` if it is none."""
    # A group call has the same IDs and time as an identify call, and becomes an event.
    is_identify = call.get(segment.TYPE) == "identify"
    event = question.answer(call | {segment.TYPE: "group"} if is_identify else call)
    if event is not None:
        return event.get(statsig.TIME, NO_TIME), list(ids_of(event).values()), event[statsig.EVENT_NAME]
    try:
        parsed = parse_segment_event(call)
    except StatsigSegmentError:
        return None
    own = [] if parsed.user_id is None else [parsed.user_id]
    return NO_TIME if parsed.time_ms is None else parsed.time_ms, own, ""


def _names(archive: Archive, question: Question, contested: set[int]) -> dict[int, str]:
    """Return the names that contested calls would have."""
    few = ((at, question.answer(call)) for at, call in enumerate(archive.calls if contested else ()) if at in contested)
    return {at: event[statsig.EVENT_NAME] for at, event in few if event is not None}


def _samples(archive: Archive, question: Question) -> Samples:
    samples = Samples()
    for call, event in zip(archive.calls, archive.partner, strict=True):
        here = question.answer(call) if event != LONE else None
        if here is not None:
            samples.add(call, here, archive.exported[event])
    return samples
