"""How far calls under one configuration agree with what Statsig holds: counts, paths, examples; learns nothing (CM-2).

One pass over the archive, with a translation for each call. It also notes what may hold a call back (its name, and what
it says of integrations and consent), as only calls that did and did not arrive together show what is filtered.
"""

from array import array
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import JsonValue
from statsig_segment.configuration.filters import InboundFilter
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.skips import STATSIG_LIBRARY
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison.archive import Held, Json, object_of
from statsig_segment.insight.comparison.likeness import may_be_lost, same_to_statsig
from statsig_segment.insight.comparison.pairing import Archive, Matching
from statsig_segment.insight.comparison.templates import written
from statsig_segment.insight.comparison.translation import Question, ids_of, sent

_MAX_EXAMPLES: Final = 5
_MAX_PATHS: Final = 1_000
"""The most paths of one aspect that are counted separately: senders choose the metadata keys, and may choose any
number."""
_MAX_GATES: Final = 500
"""The most kinds of calls by integrations and consent that are told apart. Real archives have a handful."""
_PLAIN_GATE: Final = -1
"""The kind of calls that say nothing about integrations or consent."""

MISSED, ARRIVED, UNKNOWN, UNSENT = range(4)
"""What became of a call: it has no event, it has one, it may have one, or it cannot be sent at all."""


@attrs.frozen(kw_only=True, slots=False)
class Example:
    """A place where the two sides differ: positions and a path, never a value."""

    call: int
    """Position among the calls, from 0."""
    exported: int | None
    """Position among the exported events, from 0; `None` if the call has none."""
    path: str
    """The wire path in the Statsig event, such as `$.user.customIDs.companyID`."""


@attrs.frozen(kw_only=True, slots=False)
class PathCount:
    """How many pairs differ at one path."""

    path: str
    """The wire path in the Statsig event; `$` for the whole event."""
    kind: str
    """`missing` at Statsig, `extra` at Statsig, or `different`."""
    count: int


@attrs.frozen(kw_only=True, slots=False)
class Finding:
    """How far the two sides agree in one aspect (CM-2)."""

    aspect: str
    rule: str
    """The rule behind it."""
    agree: int
    """Pairs that agree; a pair that says nothing about the aspect counts on neither side."""
    differ: int
    examples: tuple[Example, ...] = ()
    """Up to five of those that differ."""
    paths: tuple[PathCount, ...] = ()
    """What differs, the commonest first; one pair may differ at several paths."""


class Tally:
    """What the pairs say about one aspect."""

    def __init__(self) -> None:
        """Start empty."""
        self.agree = self.differ = 0
        self.paths: Counter[tuple[str, str]] = Counter()
        self.examples: list[Example] = []

    @property
    def is_shown(self) -> bool:
        """Whether any pair says something."""
        return bool(self.agree or self.differ)

    def finding(self, aspect: str) -> Finding:
        """Return it as a finding."""
        paths = [PathCount(path=path, kind=kind, count=count) for (path, kind), count in self.paths.most_common()]
        return Finding(
            aspect=aspect,
            rule=aspects.RULE_OF[aspect],
            agree=self.agree,
            differ=self.differ,
            examples=tuple(self.examples),
            paths=tuple(paths),
        )


class Seen(NamedTuple):
    """One pair, as an observer receives it."""

    call: Json
    here: Json
    """The log event of the call under this configuration, whether or not it would be sent."""
    held: Held


Observer: TypeAlias = Callable[[Seen], None]


class Evaluation:
    """A configuration held against the archive."""

    def __init__(self, config: InboundConfig) -> None:
        """Start empty."""
        self.config = config
        self.sendable = bytearray()
        """Whether each call would be sent."""
        self.fates = bytearray()
        """What became of each call."""
        self.names = array("i")
        """The name of each call as filters see it, by index in `name_list`."""
        self.gates = array("i")
        """What each call says of integrations and consent, by index in `gate_calls`."""
        self.name_list: list[str] = []
        self.arrived_types: set[str] = set()
        self.gate_calls: list[Json] = []
        self._name_index: dict[str, int] = {}
        self._gate_index: dict[str, int] = {}
        self.tallies: defaultdict[str, Tally] = defaultdict(Tally)
        self._open = Question(config)
        self._filters = config.filters != InboundFilter()
        self._prefix = written(config.naming.prefix)

    # -- Reading -------------------------------------------------------------------------------------------------------

    def read(self, archive: Archive, observe: Observer | None = None) -> None:
        """Read the whole archive; every pair is shown to an observer."""
        calls, exported, matching = archive
        for at, call in enumerate(calls):
            event, gate = matching.partner[at], self._gate(call)
            here = self._open.answer(call)
            has_ids = here is not None and bool(ids_of(here))
            is_sent = has_ids and (not self._may_hold_back(call, gate) or sent(call, self.config) is not None)
            self.sendable.append(is_sent)
            if event >= 0:
                self.arrived_types.add(call[segment.TYPE])
                example = Example(call=calls.positions[at], exported=exported.positions[event], path="$")
                held = exported[event]
                self._compare(call, here, held, example, is_sent=is_sent)
                if here is not None and observe is not None:
                    observe(Seen(call, here, held))
            self.gates.append(gate)
            self._note(here, _fate(matching, at, is_paired=event >= 0, has_ids=has_ids))

    def _may_hold_back(self, call: Json, gate: int) -> bool:
        """Return whether anything in a call or the configuration may keep a call with an ID from being sent."""
        library = object_of(object_of(call.get(segment.CONTEXT)).get(segment.LIBRARY))
        return gate != _PLAIN_GATE or self._filters or library.get(segment.NAME) == STATSIG_LIBRARY

    def _compare(self, call: Json, here: Json | None, held: Held, example: Example, *, is_sent: bool) -> None:
        """Count how a call differs from its event; that both are there is an aspect, too."""
        found = [aspects.Difference(aspects.SENT, *(("", aspects.SAME) if is_sent else ("$", aspects.EXTRA)))]
        if here is not None:  # else it cannot be an event under any configuration, and nothing else can be compared
            kind = call[segment.TYPE]
            found += aspects.differences(here, held.log_event, kind, same_to_statsig, may_be_lost)
        before = None
        for aspect, path, kind in found:
            tally = self.tallies[aspect]
            if kind == aspects.SAME:
                tally.agree += 1
                continue
            tally.differ += aspect != before
            before = aspect
            if (path, kind) in tally.paths or len(tally.paths) < _MAX_PATHS:
                tally.paths[path, kind] += 1
            if len(tally.examples) < min(tally.differ, _MAX_EXAMPLES):
                tally.examples.append(attrs.evolve(example, path=path))

    def _note(self, here: Json | None, fate: int) -> None:
        self.fates.append(fate)
        name = "" if here is None else here[statsig.EVENT_NAME].removeprefix(self._prefix)
        if name not in self._name_index:
            self._name_index[name] = len(self.name_list)
            self.name_list.append(name)
        self.names.append(self._name_index[name])

    def _gate(self, call: Json) -> int:
        consent: JsonValue = object_of(call.get(segment.CONTEXT)).get(segment.CONSENT)
        preferences = consent.get(segment.CATEGORY_PREFERENCES) if type(consent) is dict else consent
        said = _switches(call.get(segment.INTEGRATIONS)), _switches(preferences)
        if said == ((), ()):
            return _PLAIN_GATE
        key = repr(said)
        if key not in self._gate_index and len(self.gate_calls) < _MAX_GATES:
            self._gate_index[key] = len(self.gate_calls)
            self.gate_calls.append(call)
        return self._gate_index.get(key, _PLAIN_GATE)

    # -- Results ------------------------------------------------------------------------------------------------------

    def add_unsent(self, position: int) -> None:
        """Count a call that Statsig never sends, and that would be sent here."""
        tally = self.tallies[aspects.SENT]
        tally.differ += 1
        tally.paths["$", aspects.MISSING] += 1
        if len(tally.examples) < _MAX_EXAMPLES:
            tally.examples.append(Example(call=position, exported=None, path="$"))

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each aspect that any pair shows."""
        shown = (name for name in aspects.RULE_OF if name in self.tallies and self.tallies[name].is_shown)
        return (self.tallies[name].finding(name) for name in shown)

    def differs_in(self, *names: str) -> bool:
        """Return whether any pair differs in one of these aspects."""
        return any(name in self.tallies and self.tallies[name].differ for name in names)

    def worse_than(self, other: "Evaluation") -> list[str]:
        """Return the aspects in which fewer pairs agree, or more differ, than under another configuration."""
        mine, others = self.tallies, other.tallies
        both = [name for name in aspects.RULE_OF if name in mine or name in others]
        empty = Tally()
        return [
            name
            for name in both
            if mine.get(name, empty).agree < others.get(name, empty).agree
            or mine.get(name, empty).differ > others.get(name, empty).differ
        ]


def _switches(entries: JsonValue) -> tuple[Any, ...]:
    """Return what entries are switched to; settings that hold more than a switch (session IDs) count as one kind."""
    if type(entries) is not dict:
        return (True,) if entries else ()
    return tuple((name, value if type(value) is bool else value is None) for name, value in entries.items())


def _fate(matching: Matching, at: int, *, is_paired: bool, has_ids: bool) -> int:
    if is_paired:
        return ARRIVED
    if matching.is_ambiguous(at):
        return UNKNOWN
    return MISSED if has_ids and not matching.is_repeated(at) else UNSENT
