"""Whether Statsig does with your calls what this library does, and which configuration would: `compare`.

The modules below it do the work, each alone: `sides` reads, `pairing` finds what belongs together, `aspects` says what
differs, `learners` (with `templates`, `choice` and `arrivals`) finds the configuration that agrees, `tables` writes it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.filters import apply_filters
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig
from statsig_segment.configuration.tables import config_table
from statsig_segment.inbound.translate import check_iterable
from statsig_segment.insight.comparison.aspects import AGREES, ASPECTS, compared
from statsig_segment.insight.comparison.learners import is_sent, learn, learn_naming
from statsig_segment.insight.comparison.pairing import Pairing, pair
from statsig_segment.insight.comparison.sides import Call, CallSide, ExportedSide, read_calls, read_exported

__all__ = ["Comparison", "Example", "Finding", "compare", "config_table"]

_DEFAULT: Final = IntegrationConfig()
_MAX_EXAMPLES: Final = 5
_MAX_ROUNDS: Final = 3
_FILTERED: Final = "filtered"


@attrs.frozen(kw_only=True, slots=False)
class Example:
    """A place where the two sides differ: positions and a path, never a value."""

    call: int
    """Position among the calls, from 0."""
    exported: int | None
    """Position among the exported events, from 0; `None` where the call has none."""
    path: str
    """The wire path in the Statsig event, such as `$.user.customIDs.companyID`."""


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


@attrs.frozen(kw_only=True, slots=False)
class Comparison:
    """What two sides have in common, where they differ, and a configuration under which they would not (CM-1 to CM-4).

    The counts add up: `calls` is `paired + ambiguous + only_called + unreadable_calls`, and `exported` is
    `paired + ambiguous_exported + only_exported + unreadable_exported`.
    """

    calls: int
    """Calls given."""
    exported: int
    """Exported events given."""
    paired: int
    ambiguous: int
    """Calls to which several events might belong; they are compared with nothing."""
    ambiguous_exported: int
    """Events to which several calls might belong."""
    only_called: int
    """Calls without an event: identify calls, filtered and lost ones, and those without an ID."""
    only_exported: int
    """Events without a call, such as those that an SDK logged."""
    unreadable_calls: int
    unreadable_exported: int
    findings: tuple[Finding, ...]
    """One for each aspect that any pair shows, under the configuration given."""
    proposal: Mapping[str, Any]
    """The configuration that agrees with the most pairs, as the table that `load_config` reads."""
    undecided: tuple[str, ...]
    """Keys of the configuration between whose settings the pairs cannot decide; they stay as they are."""
    problems: tuple[str, ...] = ()
    """What prevents a comparison, in plain sentences; empty as a rule."""

    @property
    def agrees(self) -> bool:
        """Say whether anything was compared, and nothing differs."""
        return self.paired > 0 and not any(finding.differ for finding in self.findings)


def compare(
    calls: Iterable[Any],
    exported: Iterable[Any],
    config: IntegrationConfig = _DEFAULT,
    *,
    tolerance_ms: int = 0,
) -> Comparison:
    """Compare what Segment calls become here with what Statsig holds of them.

    Shape: Segment calls as `translate_many` takes them, and events as `parse_statsig_event` takes them (the export
    webhook's, or rows of the warehouse export), in; a `Comparison` out. A call and an event belong together when their
    times agree and the call holds an ID of the event. Both sides are held in memory; time grows with their size.
    Units: `tolerance_ms` is how far the times of a pair may lie apart, for an export that cuts them to seconds.
    Errors: `TypeError` where a side is a single call or event; what cannot be read is counted.
    Rules: CM-1 to CM-4. Source: our policy; nothing public says how Statsig's backend translates.

    >>> from statsig_segment.insight.comparison import compare
    >>> times = range(1793692800000, 1793692800003)
    >>> calls = [{"type": "page", "name": f"Page {at}", "userId": "u1", "timestamp": at} for at in times]
    >>> calls += [{"type": "track", "event": "Paid", "userId": "u2", "timestamp": at} for at in times]
    >>> exported = [{"eventName": f"web/Saw Page {at}", "userID": "u1", "timestamp": at} for at in times]
    >>> exported += [{"eventName": "web/Paid", "userID": "u2", "timestamp": at} for at in times]
    >>> found = compare(calls, exported)
    >>> found.paired, found.proposal
    (6, {'inbound': {'naming': {'prefix': 'web/', 'page': 'Saw {name}'}}})
    """
    check_iterable(calls, "compare")
    check_iterable(exported, "compare")
    there = read_exported(exported)
    here = read_calls(calls, config.inbound, frozenset(unit for event in there.events for unit in event.ids.values()))
    return _comparison(here, there, _paired(here, there, config.inbound, tolerance_ms), config)


def _comparison(here: CallSide, there: ExportedSide, pairing: Pairing, config: IntegrationConfig) -> Comparison:
    """Compare the pairs, and learn from them."""
    proposed, undecided = learn(pairing, config.inbound)
    return Comparison(
        calls=here.read,
        exported=there.read,
        paired=len(pairing.pairs),
        ambiguous=len(pairing.ambiguous_calls),
        ambiguous_exported=pairing.ambiguous_exported,
        only_called=len(pairing.only_called) + here.identifies,
        only_exported=pairing.only_exported + there.config_changes,
        unreadable_calls=here.unreadable,
        unreadable_exported=there.unreadable,
        findings=tuple(_findings(pairing, config.inbound, proposed)),
        proposal=config_table(attrs.evolve(config, inbound=proposed)),
        undecided=undecided,
        problems=tuple(_problems(here, there, pairing)),
    )


def _paired(here: CallSide, there: ExportedSide, config: InboundConfig, tolerance_ms: int) -> Pairing:
    """Pair both sides; what is ambiguous is tried again by the names that the pairs so far teach."""
    naming = config.naming
    found = _paired_by(naming, here, there, tolerance_ms)
    for _ in range(_MAX_ROUNDS):
        if not found.ambiguous_calls:
            break
        learned: EventNaming = learn_naming(found, config).changes["naming"]
        if learned == naming:
            break
        naming = learned
        found = _paired_by(naming, here, there, tolerance_ms)
    return found


def _paired_by(naming: EventNaming, here: CallSide, there: ExportedSide, tolerance_ms: int) -> Pairing:
    return pair(here.calls, there.events, tolerance_ms, lambda call: naming.full_name(call.event))


def _findings(pairing: Pairing, config: InboundConfig, proposed: InboundConfig) -> Iterator[Finding]:
    agree = dict.fromkeys((aspect.name for aspect in ASPECTS), 0)
    differ: dict[str, list[Example]] = {aspect.name: [] for aspect in ASPECTS}
    for each in pairing.pairs:
        for name, path in compared(each, config).items():
            if path == AGREES:
                agree[name] += 1
            else:
                differ[name].append(_example(each.call, each.exported.position, path))
    for aspect in ASPECTS:
        if agree[aspect.name] or differ[aspect.name]:
            yield _finding(aspect.name, aspect.rule, agree[aspect.name], differ[aspect.name])
    if pairing.pairs:
        yield _filtered(pairing, config, proposed)


def _filtered(pairing: Pairing, config: InboundConfig, proposed: InboundConfig) -> Finding:
    """Compare what is filtered: calls that arrived and would not be sent, and the other way round."""
    differ = [
        _example(each.call, each.exported.position, "$")
        for each in pairing.pairs
        if apply_filters(each.call.event, config.filters, naming=config.naming) is None
    ]
    agree = len(pairing.pairs) - len(differ)
    silent = [call for call in pairing.only_called if is_sent(call, config) and not is_sent(call, proposed)]
    return _finding(_FILTERED, "FL-1", agree, differ + [_example(call, None, "$") for call in silent])


def _example(call: Call, exported: int | None, path: str) -> Example:
    return Example(call=call.position, exported=exported, path=path)


def _finding(aspect: str, rule: str, agree: int, differ: list[Example]) -> Finding:
    return Finding(aspect=aspect, rule=rule, agree=agree, differ=len(differ), examples=tuple(differ[:_MAX_EXAMPLES]))


def _problems(here: CallSide, there: ExportedSide, pairing: Pairing) -> Iterator[str]:
    """Say what prevents a comparison."""
    if here.swapped and not here.calls and there.swapped and not there.events:
        yield "The two sides are swapped: the calls are Statsig events, and the exported events are Segment calls."
    elif not here.calls:
        yield "None of the calls can be read as a track, page, screen or group call."
    elif not there.events:
        yield "None of the exported events can be read as a Statsig event."
    elif not pairing.pairs and all(event.time_ms is None for event in there.events):
        yield "None of the exported events has a time that can be read, so none of them finds its call."
    elif not pairing.pairs and not pairing.ambiguous_calls:
        yield "No exported event has the time and an ID of one of the calls. Do both sides cover the same time?"
