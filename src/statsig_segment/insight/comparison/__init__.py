"""Whether Statsig does with your calls what this library does, and which configuration would: `compare`.

The modules below it do the work, each alone: `archive` holds both sides, `pairing` finds what belongs together,
`evaluation` says what differs under a configuration, `learning` (with `evidence`, `templates`, `paths`, `choice` and
`sending`) finds the configuration that agrees, `unpaired` says what has no partner and why.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import FrozenDict
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig, require_config
from statsig_segment.configuration.tables import config_table
from statsig_segment.errors import StatsigSegmentError
from statsig_segment.inbound.translate import check_iterable
from statsig_segment.insight.comparison.archive import Calls, Exported, Json, exact_call, is_event, read_exported
from statsig_segment.insight.comparison.evaluation import Example, Finding, PathCount
from statsig_segment.insight.comparison.learning import Learner, learn_naming
from statsig_segment.insight.comparison.likeness import is_trimmed
from statsig_segment.insight.comparison.pairing import Archive, Index, Matching
from statsig_segment.insight.comparison.places import far_ids, near_ids
from statsig_segment.insight.comparison.templates import Samples
from statsig_segment.insight.comparison.translation import Question, ids_of
from statsig_segment.insight.comparison.unpaired import apart, classify
from statsig_segment.segment.calls import parse_segment_event

__all__ = ["Comparison", "Example", "Finding", "PathCount", "compare", "config_table"]

_DEFAULT: Final = IntegrationConfig()
_MAX_ROUNDS: Final = 3
"""The most times that ambiguous calls are tried again with learned names. One or two settle nearly all; the limit ends
the rare case in which two namings alternate."""
_FEW: Final = 0.05
"""CM-6: the share of either side that may stay without a partner and without a reason where both sides agree."""


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
    sides = _Sides(read_exported(exported), config.inbound, tolerance_ms)
    for position, payload in enumerate(calls):
        sides.add(payload, position)
    sides.pair()
    return _comparison(sides, config)


class _Sides:
    """Both sides while they are read and paired."""

    def __init__(self, there: Exported, config: InboundConfig, tolerance_ms: int) -> None:
        self.calls, self.there = Calls(), there
        self.identified: list[tuple[int, ...]] = []
        """For each identify call that may have arrived as an event, the events that fit it."""
        self._index = Index(there, tolerance_ms)
        self.matching = Matching(self.calls, there, self._index)
        self._config = config
        self._open = Question(config)

    def add(self, payload: Any, position: int) -> None:
        """Read the next call, and find the events that it may belong to."""
        call = exact_call(payload)
        is_identify = call is not None and call.get(segment.TYPE) == "identify"
        # A group call has the same IDs and time as an identify call, and becomes an event.
        as_event = call | {segment.TYPE: "group"} if call is not None and is_identify else call
        event = None if as_event is None else self._open.answer(as_event)
        time_ms, own = _read(call, event)
        if call is None or own is None:
            self.calls.unreadable += 1
            self.calls.swapped += is_event(payload)
            return
        if is_identify:
            self.calls.identifies += 1
            events = self._index.find(time_ms, [*own, *near_ids(call)], None) if self._index.near(time_ms) else ()
            if events:
                self.identified.append(events)
            return
        self.calls.add(call, position, time_ms)
        self.matching.add(
            time_ms, (own, near_ids(call), far_ids(call)), "" if event is None else event[statsig.EVENT_NAME]
        )

    def pair(self) -> None:
        """Pair both sides; what is ambiguous is tried again by the names that the pairs so far teach."""
        self.matching.run()
        config = self._config
        for _ in range(_MAX_ROUNDS):
            contested = set(self.matching.contested())
            if not any(map(self.matching.is_ambiguous, contested)):
                break
            naming = learn_naming(self._samples(config), config).naming
            if naming == config.naming:
                break
            config = attrs.evolve(config, naming=naming)
            question = Question(config)
            names = {at: question.answer(call) for at, call in enumerate(self.calls) if at in contested}
            self.matching.rename({at: event[statsig.EVENT_NAME] for at, event in names.items() if event is not None})
            self.matching.run()

    def _samples(self, config: InboundConfig) -> dict[bool, Samples]:
        samples = {way: Samples(from_properties=way) for way in (False, True)}
        question = Question(config)
        for call, event in zip(self.calls, self.matching.partner, strict=True):
            here = question.answer(call) if event >= 0 else None
            if here is not None and not is_trimmed(here[statsig.EVENT_NAME], self.there[event].name):
                for held in samples.values():
                    held.add(call, self.there[event].name)
        return samples


def _read(call: Json | None, event: Json | None) -> tuple[int | None, Collection[str] | None]:
    """Return the time and the IDs of a call, from its log event if there is one; no IDs if it is not a call."""
    if event is not None:
        return event.get(statsig.TIME), ids_of(event).values()
    try:
        parsed = parse_segment_event(call or {})
    except StatsigSegmentError:
        return None, None
    return parsed.time_ms, () if parsed.user_id is None else (parsed.user_id,)


def _comparison(sides: _Sides, config: IntegrationConfig) -> Comparison:
    """Compare the pairs, and learn from them."""
    archive = Archive(sides.calls, sides.there, sides.matching)
    calls, there, matching = archive
    learner = Learner(archive, config.inbound)
    learned, sending = learner.learn()
    given = learner.given
    for at in sending.silent:
        if given.sendable[at]:
            given.add_unsent(calls.positions[at])
    findings = tuple(given.findings())
    rest = classify(archive, given, sending, sides.identified, learned.naming.prefix)
    paired = sum(matching.taken)
    ambiguous = sum(matching.partner[at] < 0 and matching.is_ambiguous(at) for at in range(len(calls)))
    ambiguous_exported = len(matching.ambiguous_events())
    is_few = rest.calls <= _FEW * rest.sent and rest.exported <= _FEW * rest.from_segment
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
        agrees=paired > 0 and is_few and not any(finding.differ for finding in findings),
        findings=findings,
        proposal=config_table(attrs.evolve(config, inbound=learned)),
        undecided=tuple(f"inbound.{key}" for key in learner.undecided),
        problems=tuple(_problems(archive, learner.unfit)),
    )


def _problems(archive: Archive, unfit: Iterable[str]) -> Iterator[str]:
    """Yield what prevents a comparison, and which names no configuration produces."""
    calls, there, matching = archive
    if calls.swapped and not len(calls) and there.swapped and not len(there):
        yield "The two sides are swapped: the calls are Statsig events, and the exported events are Segment calls."
    elif not len(calls):
        yield "None of the calls can be read as a track, page, screen or group call."
    elif not len(there):
        yield "None of the exported events can be read as a Statsig event."
    elif there.times.span() is None and not any(matching.taken):
        yield "None of the exported events has a time that can be read, so none of them finds its call."
    else:
        reasons = list(apart(archive))
        yield from reasons
        if not reasons and not any(matching.taken) and not matching.ambiguous_events():
            yield "No exported event has the time and an ID of one of the calls. Do both sides cover the same time?"
    for kind in unfit:
        yield f"No template gives the names of {kind} calls at Statsig, so none is proposed for them."
