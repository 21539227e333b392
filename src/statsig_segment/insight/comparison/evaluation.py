"""How far calls under one configuration agree with what Statsig holds: counts, paths, examples; learns nothing (CM-2).

One pass over the archive, with a translation for each call. It also notes what may hold a call back (its name, and what
it says of integrations and consent), as only calls that did and did not arrive together show what is filtered.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import JsonValue
from statsig_segment.configuration.filters import InboundFilter
from statsig_segment.configuration.models import InboundConfig
from statsig_segment.inbound.skips import STATSIG_LIBRARY
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison.archive import Json, ids_of, object_of
from statsig_segment.insight.comparison.likeness import may_be_lost, same_to_statsig
from statsig_segment.insight.comparison.pairing import LONE, MISSED, UNDUE, Archive
from statsig_segment.insight.comparison.translation import Question, sent

_MAX_EXAMPLES: Final = 5
_MAX_PATHS: Final = 1_000
"""The most paths of one aspect that are counted separately: senders choose the metadata keys, and may choose any
number."""
_MAX_GATES: Final = 500
"""The most kinds of calls by integrations and consent that are told apart. Real archives have a handful."""
_PLAIN_GATE: Final = ""
"""The kind of calls that say nothing about integrations or consent."""


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
        self._paths: Counter[tuple[str, str]] = Counter()
        self._examples: list[Example] = []

    def add(self, path: str, kind: str, example: Example, *, is_first: bool) -> None:
        """Count a difference; only the first of a pair makes it one more that differs."""
        self.differ += is_first
        if (path, kind) in self._paths or len(self._paths) < _MAX_PATHS:
            self._paths[path, kind] += 1
        if len(self._examples) < min(self.differ, _MAX_EXAMPLES):
            self._examples.append(attrs.evolve(example, path=path))

    def merge(self, finding: Finding, calls: int) -> None:
        """Add a finding about what follows so many calls."""
        self.agree += finding.agree
        self.differ += finding.differ
        self._paths.update({(each.path, each.kind): each.count for each in finding.paths})
        examples = (attrs.evolve(each, call=calls + each.call) for each in finding.examples)
        self._examples = [*self._examples, *examples][:_MAX_EXAMPLES]

    def finding(self, aspect: str) -> Finding:
        """Return it as a finding."""
        return Finding(
            aspect=aspect,
            rule=aspects.RULE_OF[aspect],
            agree=self.agree,
            differ=self.differ,
            examples=tuple(self._examples),
            paths=tuple(PathCount(path=path, kind=kind, count=n) for (path, kind), n in self._paths.most_common()),
        )


Observer: TypeAlias = Callable[[Json, Json, Json], None]
"""Takes a pair: the call, its log event under the configuration, sent or not, and the event that Statsig holds."""


class Evaluation:
    """A configuration held against the archive."""

    def __init__(self, config: InboundConfig, archive: Archive, observe: Observer | None = None) -> None:
        """Read the whole archive; every pair is shown to an observer."""
        self.config = config
        self.sendable = bytearray()
        """Whether each call would be sent."""
        self.fates = bytearray()
        """What became of each call."""
        self.names: list[str] = []
        """The name of each call as filters see it."""
        self.gates: list[str] = []
        """What each call says of integrations and consent, by its key in `gate_calls`."""
        self.gate_calls: dict[str, Json] = {}
        self.arrived_types: set[str] = set()
        self.tallies = {aspect: Tally() for aspect in aspects.RULE_OF}
        question, prefix = Question(config), config.naming.prefix.format()
        has_filters = config.filters != InboundFilter()
        known: dict[str, str] = {}  # one text in place of thousands that are equal
        for at, call in enumerate(archive.calls):
            event, gate, here = archive.partner[at], self._gate(call), question.answer(call)
            has_ids = here is not None and bool(ids_of(here))
            library = object_of(object_of(call.get(segment.CONTEXT)).get(segment.LIBRARY)).get(segment.NAME)
            may_be_stopped = has_filters or gate != _PLAIN_GATE or library == STATSIG_LIBRARY
            is_sent = has_ids and not (may_be_stopped and sent(call, config) is None)
            if event != LONE:
                self.arrived_types.add(call[segment.TYPE])
                held, position = archive.exported[event], archive.exported.positions[event]
                example = Example(call=archive.calls.positions[at], exported=position, path="$")
                self._compare(call, here, held, example, is_sent=is_sent)
                if here is not None and observe is not None:
                    observe(call, here, held)
            name = "" if here is None else here[statsig.EVENT_NAME].removeprefix(prefix)
            self.sendable.append(is_sent)
            fate = archive.fate(at)
            self.fates.append(UNDUE if fate == MISSED and not has_ids else fate)
            self.names.append(known.setdefault(name, name))
            self.gates.append(known.setdefault(gate, gate))

    def _compare(self, call: Json, here: Json | None, held: Json, example: Example, *, is_sent: bool) -> None:
        """Count how a call differs from its event; that both are there is an aspect, too."""
        found = [aspects.Difference(aspects.SENT, *(("", aspects.SAME) if is_sent else ("$", aspects.EXTRA)))]
        if here is not None:  # else it cannot be an event under any configuration, and nothing else can be compared
            found += aspects.differences(here, held, call[segment.TYPE], same_to_statsig, may_be_lost)
        before = None
        for aspect, path, kind in found:
            if kind == aspects.SAME:
                self.tallies[aspect].agree += 1
            else:
                self.tallies[aspect].add(path, kind, example, is_first=aspect != before)
                before = aspect

    def _gate(self, call: Json) -> str:
        consent: JsonValue = object_of(call.get(segment.CONTEXT)).get(segment.CONSENT)
        preferences = consent.get(segment.CATEGORY_PREFERENCES) if type(consent) is dict else consent
        said = _switches(call.get(segment.INTEGRATIONS)), _switches(preferences)
        if said == ((), ()):
            return _PLAIN_GATE
        key = repr(said)
        if key not in self.gate_calls and len(self.gate_calls) == _MAX_GATES:
            return _PLAIN_GATE
        self.gate_calls.setdefault(key, call)
        return key

    # -- Results ------------------------------------------------------------------------------------------------------

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each aspect that any pair shows."""
        return (tally.finding(aspect) for aspect, tally in self.tallies.items() if tally.agree or tally.differ)

    def differs_in(self, *names: str) -> bool:
        """Return whether any pair differs in one of these aspects."""
        return any(self.tallies[name].differ for name in names)

    def worse_than(self, other: "Evaluation") -> list[str]:
        """Return the aspects in which fewer pairs agree, or more differ, than under another configuration."""
        both = ((name, mine, other.tallies[name]) for name, mine in self.tallies.items())
        return [name for name, mine, others in both if mine.agree < others.agree or mine.differ > others.differ]


def _switches(entries: JsonValue) -> tuple[Any, ...]:
    """Return what entries are switched to; settings that hold more than a switch (session IDs) count as one kind."""
    if type(entries) is not dict:
        return (True,) if entries else ()
    return tuple((name, value if type(value) is bool else value is None) for name, value in entries.items())
