"""Learn what Statsig never sends: names that are filtered, and calls that their integrations or consent hold back.

A call without an event may have been lost, so silence has to be longer than losses explain. How many are lost is
measured on the names that do arrive. Where a run of calls is missing, there was an outage, and silence in it says
nothing. With the share that is lost elsewhere, the chance that all calls of a name were lost one by one is a power of
it; below one in a million, it does not count as chance.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from itertools import groupby, islice
from math import inf, log
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment import segment
from statsig_segment._json.values import is_object
from statsig_segment.configuration.filters import InboundFilter
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.skips import ALL, find_skip
from statsig_segment.insight.comparison.archive import Calls
from statsig_segment.insight.comparison.evaluation import ARRIVED, MISSED, UNKNOWN, Evaluation
from statsig_segment.segment.calls import parse_segment_event

_CHANCE: Final = log(1e-6)
"""The logarithm of one in a million, the bound that CM-3 sets: silence less likely than that is not a series of losses.
Logarithms, because the product of thousands of chances would be 0.0 as a float."""
_RUN_CHANCE: Final = 1e-3
"""A run of lost calls is an outage if single losses would make one of that length less than once in a thousand calls.
The bound is lenient, because a false outage only makes silence prove less."""
_SHORTEST: Final = 3
"""The shortest outage. Where losses are rare, two in a row would pass the bound above, and yet happen by chance."""
_MAX_ENTRIES: Final = 5
"""The most names of integrations, and of consent categories, that are tried, in order of first appearance. Each costs a
pass over all kinds of calls in each round, and a destination has one or two names."""
_MAX_NAMES: Final = 1_000
"""The most names that are proposed as excluded; no one reads a longer list."""
_GATED: Final = ("honor_integrations", "integration_names", "consent_categories")
"""The settings that hold calls back by what they say of integrations and consent."""


class Sending(NamedTuple):
    """What was learned about calls that are held back."""

    changes: dict[str, Any]
    """Attributes of `InboundConfig` to change."""
    undecided: tuple[str, ...]
    silent: tuple[int, ...]
    """Calls without an event that were not lost: Statsig does not send them, and the given configuration does."""
    quiet: frozenset[int]
    """Calls with names of which none arrived, whether or not by chance."""


def learn_sending(calls: Calls, found: Evaluation) -> Sending:
    """Learn filters and gates from what became of each call."""
    history = _History(calls, found)
    gates = _Gates(history)
    changes, open_gates = gates.learn(found.config)
    blocked = gates.blocked(attrs.evolve(found.config, **changes))
    silent, filtered = history.silence(
        found.names, lambda at: bool(found.sendable[at]) and found.gates[at] not in blocked
    )
    arrived = {found.name_list[at] for at in history.names_of(ARRIVED)}
    filters = found.config.filters
    excluded = sorted(found.name_list[at] for at in filtered)[:_MAX_NAMES]
    learned = attrs.evolve(
        filters,
        exclude=(filters.exclude - arrived) | frozenset(excluded),
        include=None if filters.include is None else filters.include | arrived,
        types=None if filters.types is None else filters.types | found.arrived_types,
    )
    if learned != filters:
        changes["filters"] = learned
    new = learned.exclude - filters.exclude
    missed = [at for at, fate in enumerate(found.fates) if fate == MISSED]
    held_back = (at for at in missed if found.gates[at] in blocked or found.name_list[found.names[at]] in new)
    quiet = frozenset(at for at in missed if found.names[at] in silent)
    is_open = not history.within or any(found.name_list[at] not in learned.exclude for at in silent)
    return Sending(changes, (*(("filters",) if is_open else ()), *open_gates), tuple(held_back), quiet)


class _History:
    """The fates of the calls in order of time, and how likely a call at each time was to be lost."""

    def __init__(self, calls: Calls, found: Evaluation) -> None:
        self.calls, self.found = calls, found
        arrived = [at for at, fate in enumerate(found.fates) if fate == ARRIVED]
        heard = {*self.names_of(ARRIVED), *self.names_of(UNKNOWN)}
        heard_gates = {found.gates[at] for at in arrived}
        self._base = sorted(
            (self._moment(at), fate == MISSED)
            for at, fate in enumerate(found.fates)
            if fate in {ARRIVED, MISSED} and found.names[at] in heard and found.gates[at] in heard_gates
        )
        """The calls that should have arrived, in order of time, and whether each is missing."""
        first = next((at for at, (_, is_lost) in enumerate(self._base) if not is_lost), 0)
        last = next((at for at in range(len(self._base) - 1, -1, -1) if not self._base[at][1]), -1)
        begin = self._base[first][0] if first else (-1, -1)
        end = self._base[last][0] if last + 1 < len(self._base) else (inf, inf)
        self.within = [
            at
            for at, fate in enumerate(found.fates)
            if arrived and fate in {ARRIVED, MISSED} and begin <= self._moment(at) <= end
        ]
        """The calls that have an event or should have one, while the export lasts: it begins late or ends early where
        calls that should have arrived are missing there."""
        # Outages are found first and then left out, so that one bad hour does not make losses look common all year.
        self._base = self._base[first : last + 1]
        lost = [is_lost for _, is_lost in self._base]
        self._outage = _outages(lost)
        outside = [is_lost for is_lost, is_out in zip(lost, self._outage, strict=True) if not is_out]
        share = sum(outside) / len(outside) if outside else 1.0
        self._log_share = log(share) if share else -inf

    def names_of(self, fate: int) -> Iterator[int]:
        """Yield the names of all calls with one fate, by index."""
        return (self.found.names[at] for at, each in enumerate(self.found.fates) if each == fate)

    def _moment(self, at: int) -> tuple[int, int]:
        moment = self.calls.times[at]
        return (-1 if moment is None else moment, at)

    def log_chance(self, at: int) -> float:
        """Return the logarithm of the chance that a call was lost."""
        place = bisect_left(self._base, (self._moment(at), False))
        return 0.0 if any(self._outage[max(0, place - 1) : place + 1]) else self._log_share

    def silence(self, kinds: Any, counts: Callable[[int], bool]) -> tuple[set[int], set[int]]:
        """Return the kinds of calls of which none arrived, and those among them that are silent beyond chance.

        Args:
            kinds: The kind of each call.
            counts: Whether a call without an event counts.

        """
        found = self.found
        heard = {kinds[at] for at, fate in enumerate(found.fates) if fate in {ARRIVED, UNKNOWN}}
        silent = {
            kinds[at] for at, fate in enumerate(found.fates) if fate == MISSED and kinds[at] not in heard and counts(at)
        }
        chances: defaultdict[int, float] = defaultdict(float)
        for at in self.within:
            if kinds[at] in silent and counts(at):
                chances[kinds[at]] += self.log_chance(at)
        return silent, {kind for kind, chance in chances.items() if chance < _CHANCE}


def _outages(lost: list[bool]) -> bytearray:
    """Return a mark for each call, set in runs of lost calls that are too long for single losses."""
    share = sum(lost) / len(lost) if lost else 0
    # A run of n losses has the chance share ** n, so the bound is a length; the logarithm solves for n.
    least = max(_SHORTEST, log(_RUN_CHANCE) / log(share)) if 0 < share < 1 else 1
    marks = bytearray()
    for is_lost, run in groupby(lost):
        length = sum(1 for _ in run)
        marks += bytes([is_lost and length >= least]) * length
    return marks


# -- Integrations and consent -----------------------------------------------------------------------------------------


class _Gates:
    """The kinds of calls by their integrations and consent, and what became of each kind."""

    def __init__(self, history: _History) -> None:
        found = history.found
        self._calls = [parse_segment_event(call) for call in found.gate_calls]
        self._arrived: Counter[int] = Counter()
        self._missed: Counter[int] = Counter()
        for at in history.within:
            (self._arrived if found.fates[at] == ARRIVED else self._missed)[found.gates[at]] += 1
        heard = {*history.names_of(ARRIVED), *history.names_of(UNKNOWN)}
        self._silent = history.silence(found.gates, lambda at: found.names[at] in heard)[1]

    def blocked(self, config: InboundConfig) -> frozenset[int]:
        """Return the kinds of calls that a configuration does not send."""
        bare = attrs.evolve(config, filters=InboundFilter())
        return frozenset(at for at, call in enumerate(self._calls) if find_skip(call, bare) is not None)

    def _against(self, config: InboundConfig) -> int:
        """Return how many calls contradict a configuration: held back but arrived, or sent but silent beyond chance."""
        blocked = self.blocked(config)
        return sum(self._arrived[gate] for gate in blocked) + sum(self._missed[gate] for gate in self._silent - blocked)

    def learn(self, config: InboundConfig) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Return the changes that leave the fewest contradictions, and the settings that the calls cannot decide."""
        changes: dict[str, Any] = {}
        while True:  # ends, because each round leaves fewer contradictions
            least = self._against(attrs.evolve(config, **changes))
            others = [changes | other for other in self._others(attrs.evolve(config, **changes))]
            scores = [self._against(attrs.evolve(config, **other)) for other in others]
            if min(scores) >= least:
                break
            changes = others[scores.index(min(scores))]
        learned = attrs.evolve(config, **changes)
        least = self._against(learned)
        others = list(self._others(learned))
        decided = {key for key in _GATED if any(key in other for other in others)}
        tied = {key for other in others for key in other if self._against(attrs.evolve(learned, **other)) == least}
        return changes, tuple(key for key in _GATED if key not in changes and (key in tied or key not in decided))

    def _others(self, config: InboundConfig) -> Iterator[dict[str, Any]]:
        """List other values of each setting."""
        yield {"honor_integrations": not config.honor_integrations}
        names = config.integration_names
        entries = dict.fromkeys(
            name for call in self._calls for name in call.integrations if name.lower() != ALL.lower()
        )
        yield from (
            {"integration_names": names | {name}} for name in islice(entries, _MAX_ENTRIES) if name not in names
        )
        consents = [call.context.get(segment.CONSENT) for call in self._calls]
        preferences = [each.get(segment.CATEGORY_PREFERENCES) for each in consents if is_object(each)]
        categories = dict.fromkeys(name for each in preferences if is_object(each) for name in each if name)
        few = list(islice(categories, _MAX_ENTRIES))
        choices = dict.fromkeys(frozenset(each) for each in ((), *((name,) for name in few), few) if categories)
        yield from ({"consent_categories": each} for each in choices if each != config.consent_categories)
