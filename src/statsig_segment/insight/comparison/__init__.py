"""Whether Statsig does with your calls what this library does, and which configuration would: `compare`.

The modules below it do the work, each alone: `archive` holds both sides, `pairing` finds what belongs together,
`evaluation` says what differs under a configuration, `learning` (with `templates`, `paths`, `choice` and `sending`)
finds the configuration that agrees, `unpaired` says what has no partner and why.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment._json.values import FrozenDict
from statsig_segment.configuration.models import IntegrationConfig, require_config
from statsig_segment.configuration.tables import config_table
from statsig_segment.inbound.translate import check_iterable
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison.archive import Exported
from statsig_segment.insight.comparison.evaluation import Example, Finding, PathCount
from statsig_segment.insight.comparison.learning import Learner
from statsig_segment.insight.comparison.pairing import LONE, Archive, pair
from statsig_segment.insight.comparison.unpaired import classify, reason_apart

__all__ = ["Comparison", "Example", "Finding", "PathCount", "compare", "config_table"]

_DEFAULT: Final = IntegrationConfig()


@attrs.frozen(kw_only=True, slots=False)
class Comparison:
    """What two sides have in common, where they differ, and a configuration under which they would not (CM-1 to CM-6).

    The counts add up: `calls` is `paired + ambiguous + only_called + unreadable_calls`, and `exported` is
    `paired + ambiguous_exported + only_exported + unreadable_exported`.
    """

    calls: int
    """Calls given."""
    exported: int
    """Exported events given."""
    paired: int
    """Pairs of a call and its event; only these are compared."""
    ambiguous: int
    """Calls to which several events might belong; they are compared with nothing."""
    ambiguous_exported: int
    """Events to which several calls might belong."""
    only_called: int
    """Calls without an event: identify calls, filtered and lost ones, and those without an ID."""
    only_exported: int
    """Events without a call, such as those that an SDK logged."""
    unreadable_calls: int
    """Calls that cannot be read."""
    unreadable_exported: int
    """Exported events that cannot be read."""
    unpaired: Mapping[str, int]
    """What has no partner, by class (CM-6): `identify_as_event`, `without_id` and `not_from_segment` are exported
    events; `outside_export` and `silent_name` are calls that would be sent."""
    unexplained_calls: int
    """Calls that would be sent, have no event for sure, and are in no class."""
    unexplained_exported: int
    """Exported events that may have come from Segment, have no call for sure, and are in no class."""
    agrees: bool
    """Whether the pairs agree in every aspect, and at most 5 % of either side is unexplained (CM-6)."""
    findings: tuple[Finding, ...]
    """One for each aspect that any pair shows, under the configuration given."""
    proposal: Mapping[str, Any]
    """The configuration that agrees with the most pairs, as the table that `load_config` reads."""
    undecided: tuple[str, ...]
    """Keys of the configuration between whose settings the pairs cannot decide; they stay as they are."""
    problems: tuple[str, ...] = ()
    """What prevents a comparison or no configuration can express, in plain sentences; empty as a rule."""


def compare(
    calls: Iterable[Any],
    exported: Iterable[Any],
    config: IntegrationConfig = _DEFAULT,
    *,
    tolerance_ms: int = 0,
) -> Comparison:
    """Compare what Segment calls become here with what Statsig has for them.

    A call and an event belong together when their times agree and the call holds an ID of the event. Both sides are
    held in memory, about two kilobytes a call; time grows with their size.

    Args:
        calls: Segment calls, as `translate_many` takes them.
        exported: Events as `parse_statsig_event` takes them: the export webhook's, or rows of the warehouse export.
        config: The configuration under which to compare, and from which to learn.
        tolerance_ms: How many milliseconds the times of a pair may lie apart, for an export that cuts them to seconds.

    Returns:
        The comparison. What cannot be read on either side is counted in it.

    Raises:
        TypeError: One of the sides is a single call or event.

    Rules: CM-1 to CM-7.
    Source: our policy; nothing public says how Statsig's backend translates.

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
    require_config(config, "compare")
    archive = pair(calls, Exported(exported), config.inbound, tolerance_ms)
    return _comparison(archive, config)


def _comparison(archive: Archive, config: IntegrationConfig) -> Comparison:
    """Compare the pairs, and learn from them."""
    calls, there = archive.calls, archive.exported
    learner = Learner(archive, config.inbound)
    given, sending = learner.given, learner.sending
    for at in sending.silent:
        if given.sendable[at]:
            example = Example(call=calls.positions[at], exported=None, path="$")
            given.tallies[aspects.SENT].add("$", aspects.MISSING, example, is_first=True)
    findings = tuple(given.findings())
    rest = classify(archive, given, sending, learner.config.naming.prefix.format())
    lone = [at for at, event in enumerate(archive.partner) if event == LONE]
    paired, ambiguous = len(calls) - len(lone), sum(map(archive.is_ambiguous, lone))
    ambiguous_exported = len(archive.ambiguous_events())
    return Comparison(
        calls=len(calls) + calls.identifies + calls.unreadable,
        exported=len(there) + there.changes + there.unreadable,
        paired=paired,
        ambiguous=ambiguous,
        ambiguous_exported=ambiguous_exported,
        only_called=len(calls) - paired - ambiguous + calls.identifies,
        only_exported=len(there) - paired - ambiguous_exported + there.changes,
        unreadable_calls=calls.unreadable,
        unreadable_exported=there.unreadable,
        unpaired=FrozenDict(rest.classes),
        unexplained_calls=rest.calls,
        unexplained_exported=rest.exported,
        agrees=paired > 0 and rest.is_few and not any(finding.differ for finding in findings),
        findings=findings,
        proposal=config_table(attrs.evolve(config, inbound=learner.config)),
        undecided=tuple(f"inbound.{key}" for key in learner.undecided),
        problems=tuple(_problems(archive, learner.unfit)),
    )


def _problems(archive: Archive, unfit: Iterable[str]) -> Iterator[str]:
    """Yield what prevents a comparison, and which names no configuration produces."""
    calls, there = archive.calls, archive.exported
    is_any_paired = any(event != LONE for event in archive.partner)
    if calls.swapped and not len(calls) and there.swapped and not len(there):
        yield "The two sides are swapped: the calls are Statsig events, and the exported events are Segment calls."
    elif not len(calls):
        yield "None of the calls can be read as a track, page, screen or group call."
    elif not len(there):
        yield "None of the exported events can be read as a Statsig event."
    elif there.span() is None and not is_any_paired:
        yield "None of the exported events has a time that can be read, so none of them finds its call."
    elif reason := reason_apart(archive):
        yield reason
    elif not is_any_paired and not archive.ambiguous_events():
        yield "No exported event has the time and an ID of one of the calls. Do both sides cover the same time?"
    for kind in unfit:
        yield f"No template gives the names of {kind} calls at Statsig, so none is proposed for them."
