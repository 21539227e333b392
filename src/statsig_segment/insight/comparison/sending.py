"""Learn what Statsig never sends: names that are filtered, and calls that their integrations or consent hold back.

A call without an event may have been lost, so silence has to be longer than losses explain. How many are lost is
measured on the names that do arrive. Where a run of calls is missing, there was an outage, and silence in it says
nothing. With the share that is lost elsewhere, the chance that all calls of a name were lost one by one is a power of
it; below one in a million, it does not count as chance.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby, islice
from math import inf, log
from operator import itemgetter
from typing import Final, NamedTuple

import attrs

from statsig_segment import segment
from statsig_segment._json.values import is_object
from statsig_segment.configuration.filters import InboundFilter
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.skips import ALL, find_skip
from statsig_segment.insight.comparison.archive import Calls
from statsig_segment.insight.comparison.evaluation import Evaluation
from statsig_segment.insight.comparison.pairing import ARRIVED, MISSED, UNKNOWN
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

    config: InboundConfig
    """The configuration with what was learned."""
    undecided: tuple[str, ...]
    silent: tuple[int, ...]
    """Calls without an event that were not lost: Statsig does not send them, and the given configuration does."""
    quiet: frozenset[int]
    """Calls with names of which none arrived, whether or not by chance."""


def learn_sending(calls: Calls, found: Evaluation) -> Sending:
    """Learn filters and gates from what became of each call."""
    history = _History(calls, found)
    gates = _Gates(history)
    config, undecided = gates.learn()
    blocked = gates.blocked(config)
    silent, filtered = history.silence(
        found.names, lambda at: bool(found.sendable[at]) and found.gates[at] not in blocked
    )
    arrived, filters = history.of(found.names, ARRIVED), config.filters
    learned = attrs.evolve(
        filters,
        exclude=(filters.exclude - arrived) | frozenset(sorted(filtered)[:_MAX_NAMES]),
        include=None if filters.include is None else filters.include | arrived,
        types=None if filters.types is None else filters.types | found.arrived_types,
    )
    new = learned.exclude - filters.exclude
    missed = [at for at, fate in enumerate(found.fates) if fate == MISSED]
    if not history.base or not silent <= learned.exclude:
        undecided = ("filters", *undecided)
    return Sending(
        config=attrs.evolve(config, filters=learned),
        undecided=undecided,
        silent=tuple(at for at in missed if found.gates[at] in blocked or found.names[at] in new),
        quiet=frozenset(at for at in missed if found.names[at] in silent),
    )


class _History:
    """The fates of the calls in order of time, and how likely a call at each time was to be lost."""

    def __init__(self, calls: Calls, found: Evaluation) -> None:
        self._times, self.found = calls.times, found
        heard, heard_gates = self.of(found.names, ARRIVED, UNKNOWN), self.of(found.gates, ARRIVED)
        due = sorted(
            (self._moment(at), fate == MISSED)
            for at, fate in enumerate(found.fates)
            if fate in {ARRIVED, MISSED} and found.names[at] in heard and found.gates[at] in heard_gates
        )
        arrived = [at for at, (_, is_lost) in enumerate(due) if not is_lost]
        self.base = due[arrived[0] : arrived[-1] + 1] if arrived else []
        """The calls that should have arrived while the export lasts, in order of time, and whether each is missing."""
        # The export begins late or ends early only where calls that should have arrived are missing there.
        self._begin = (-inf, 0) if self.base[:1] == due[:1] else self.base[0][0]
        self._end = (inf, 0) if self.base[-1:] == due[-1:] else self.base[-1][0]
        # Outages are found first and then left out, so that one bad hour does not make losses look common all year.
        lost = [is_lost for _, is_lost in self.base]
        self._outage = _outages(lost)
        outside = [is_lost for is_lost, is_out in zip(lost, self._outage, strict=True) if not is_out]
        share = sum(outside) / len(outside) if outside else 1.0
        self._log_share = log(share) if share else -inf

    def of(self, kinds: Sequence[str], *fates: int) -> frozenset[str]:
        """Return the kinds of all calls with one of some fates."""
        return frozenset(kind for kind, fate in zip(kinds, self.found.fates, strict=True) if fate in fates)

    def _moment(self, at: int) -> tuple[int, int]:
        return self._times[at], at

    def is_within(self, at: int) -> bool:
        """Return whether a call was made while the export lasts."""
        return bool(self.base) and self._begin <= self._moment(at) <= self._end

    def _log_chance(self, at: int) -> float:
        """Return the logarithm of the chance that a call was lost."""
        place = bisect_left(self.base, (self._moment(at), False))
        return 0.0 if any(self._outage[max(0, place - 1) : place + 1]) else self._log_share

    def silence(self, kinds: Sequence[str], counts: Callable[[int], bool]) -> tuple[frozenset[str], frozenset[str]]:
        """Return the kinds of calls of which none arrived, and those among them that are silent beyond chance.

        Args:
            kinds: The kind of each call.
            counts: Whether a call without an event counts.

        """
        heard, fates = self.of(kinds, ARRIVED, UNKNOWN), self.found.fates
        quiet = [at for at, fate in enumerate(fates) if fate == MISSED and kinds[at] not in heard and counts(at)]
        chances: defaultdict[str, float] = defaultdict(float)
        for at in filter(self.is_within, quiet):
            chances[kinds[at]] += self._log_chance(at)
        beyond = frozenset(kind for kind, chance in chances.items() if chance < _CHANCE)
        return frozenset(kinds[at] for at in quiet), beyond


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
        self._config = found.config
        self._calls = {gate: parse_segment_event(call) for gate, call in found.gate_calls.items()}
        within = [(found.gates[at], fate) for at, fate in enumerate(found.fates) if history.is_within(at)]
        self._arrived = Counter(gate for gate, fate in within if fate == ARRIVED)
        self._missed = Counter(gate for gate, fate in within if fate == MISSED)
        heard = history.of(found.names, ARRIVED, UNKNOWN)
        self._silent = history.silence(found.gates, lambda at: found.names[at] in heard)[1]

    def blocked(self, config: InboundConfig) -> frozenset[str]:
        """Return the kinds of calls that a configuration does not send."""
        unfiltered = attrs.evolve(config, filters=InboundFilter())
        return frozenset(gate for gate, call in self._calls.items() if find_skip(call, unfiltered) is not None)

    def _against(self, config: InboundConfig) -> int:
        """Return how many calls contradict a configuration: held back but arrived, or sent but silent beyond chance."""
        blocked = self.blocked(config)
        return sum(self._arrived[gate] for gate in blocked) + sum(self._missed[gate] for gate in self._silent - blocked)

    def learn(self) -> tuple[InboundConfig, tuple[str, ...]]:
        """Return the configuration with the fewest contradictions, and the settings that the calls cannot decide."""
        learned, least = self._config, self._against(self._config)
        while True:  # ends, because each round leaves fewer contradictions
            others = [(self._against(other), key, other) for key, other in self._others(learned)]
            score, _, best = min(others, key=itemgetter(0))
            if score >= least:
                break
            learned, least = best, score
        decided = {key for _, key, _ in others} - {key for score, key, _ in others if score == least}
        same = (key for key in _GATED if getattr(learned, key) == getattr(self._config, key))
        return learned, tuple(key for key in same if key not in decided)

    def _others(self, config: InboundConfig) -> Iterator[tuple[str, InboundConfig]]:
        """Yield the configuration with another value of one of the settings, and the key of that setting."""
        yield "honor_integrations", attrs.evolve(config, honor_integrations=not config.honor_integrations)
        calls, names = self._calls.values(), config.integration_names
        entries = dict.fromkeys(name for call in calls for name in call.integrations if name.lower() != ALL.lower())
        for name in islice(entries, _MAX_ENTRIES):
            if name not in names:
                yield "integration_names", attrs.evolve(config, integration_names=names | {name})
        consents = [call.context.get(segment.CONSENT) for call in calls]
        preferences = [each.get(segment.CATEGORY_PREFERENCES) for each in consents if is_object(each)]
        categories = dict.fromkeys(name for each in preferences if is_object(each) for name in each if name)
        few = list(islice(categories, _MAX_ENTRIES))
        for each in dict.fromkeys(map(frozenset, ((), *((name,) for name in few), few)) if few else ()):
            if each != config.consent_categories:
                yield "consent_categories", attrs.evolve(config, consent_categories=each)
