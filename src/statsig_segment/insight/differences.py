"""What another configuration would change: each call, translated under both, and compared (DI-1, DI-2)."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import tee
from typing import Any, Final

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import as_object, freeze
from statsig_segment.configuration.models import IntegrationConfig, require_config
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import check_iterable, decoded_calls, event_of_outcome, translated_with_calls
from statsig_segment.insight import aspects
from statsig_segment.insight.comparison.evaluation import Example, Finding, Tally
from statsig_segment.segment.calls import CALL_TYPES
from statsig_segment.statsig.events import StatsigUser, user_wire

SAME: Final = "same"
CHANGED: Final = "changed"
STARTED: Final = "started"
STOPPED: Final = "stopped"
_FATES: Final = (SAME, CHANGED, STARTED, STOPPED)


@attrs.frozen(kw_only=True, slots=False)
class EventDifference:
    """What would change for one event."""

    type: str | None
    """The type of call; `None` if it is not one of the five."""
    name: str | None
    """The name that is sent before, or after if only sent then; `None` for memberships and calls that are not sent."""
    same: int = 0
    """Calls that become the same, or nothing, under both configurations."""
    changed: int = 0
    """Calls that are sent under both, but differently."""
    started: int = 0
    """Calls that are sent only after."""
    stopped: int = 0
    """Calls that are sent only before."""


@attrs.frozen(kw_only=True, slots=False)
class Differences:
    """What would change if one configuration took the place of another (DI-1). Issues and message IDs do not count."""

    same: int = 0
    """Calls that become the same, or nothing, under both configurations."""
    changed: int = 0
    """Calls that are sent under both, but differently."""
    started: int = 0
    """Calls that are sent only after."""
    stopped: int = 0
    """Calls that are sent only before."""
    events: tuple[EventDifference, ...] = ()
    """The same counts for each event, in order of first appearance."""
    findings: tuple[Finding, ...] = ()
    """What differs, by aspect and path: `missing` after, `extra` after, or `different`. Calls that are the same or
    changed agree in every aspect in which they do not differ. The examples are positions among the calls."""

    def merge(self, *others: "Differences") -> "Differences":
        r"""Return the differences of the calls of this and of others, as if they had been counted in one pass (DI-2).

        Args:
            others: Differences between the same two configurations, for the calls that follow.

        Returns:
            The sums. The positions of examples are those among all calls.

        >>> from statsig_segment import load_config
        >>> calls = [{"type": "track", "event": name, "userId": "u1"} for name in ("Signed Up", "Signed In")]
        >>> before, after = IntegrationConfig(), load_config('[inbound.filters]\nexclude = ["Signed In"]')
        >>> one, two = differences(calls[:1], before, after), differences(calls[1:], before, after)
        >>> one.merge(two) == differences(calls, before, after)
        True

        """
        growing = _Growing()
        for part in (self, *others):
            growing.merge(part)
        return growing.differences()


def differences(payloads: Iterable[Any], before: IntegrationConfig, after: IntegrationConfig) -> Differences:
    r"""Count what would change for Segment calls if one configuration took the place of another.

    Args:
        payloads: Calls, as `translate_many` takes them. Some are read ahead, so a generator has to yield a new object
            for each call.
        before: The configuration in use.
        after: The configuration that would take its place.

    Returns:
        The counts, in all, for each event, and for each aspect by path. It holds no values but event names.

    Raises:
        TypeError: The payloads are a single call, or one of the others is not an `IntegrationConfig`.

    Rules: DI-1, DI-2.
    Source: our policy.

    >>> from statsig_segment import IntegrationConfig, load_config
    >>> after = load_config('[inbound.filters]\nexclude = ["Heartbeat"]')
    >>> calls = [{"type": "track", "event": name, "userId": "u1"} for name in ("Signed Up", "Heartbeat")]
    >>> found = differences(calls, IntegrationConfig(), after)
    >>> found.same, found.changed, found.started, found.stopped
    (1, 0, 0, 1)

    """
    check_iterable(payloads, "differences")
    require_config(before, "differences")
    require_config(after, "differences")
    growing = _Growing()
    one, other = tee(decoded_calls(payloads))
    sides = translated_with_calls(one, before.inbound), translated_with_calls(other, after.inbound)
    for (call, here), (_, there) in zip(*sides, strict=True):
        growing.add(call, _wire(here), _wire(there))
    return growing.differences()


_Wire = Mapping[str, Any]


def _wire(outcome: Any) -> _Wire | None:
    """Return what an outcome sends: a log event, or a membership in the form of one; `None` if it sends nothing."""
    if isinstance(outcome, AudienceUpdate):
        user = user_wire(StatsigUser(user_id=outcome.user_id, custom_ids=outcome.custom_ids))
        return {statsig.EVENT_NAME: None, statsig.USER: user, statsig.METADATA: {}}
    return event_of_outcome(outcome)


class _Growing:
    """Collects differences."""

    def __init__(self) -> None:
        """Start empty."""
        self._events: defaultdict[tuple[str | None, str | None], Counter[str]] = defaultdict(Counter)
        self._read = 0
        self._tallies: defaultdict[str, Tally] = defaultdict(Tally)

    def add(self, call: Any, here: _Wire | None, there: _Wire | None) -> None:
        """Count one call by what it sends before and after."""
        call_type = _type_of(call)
        if here == there:
            fate = SAME
        else:
            fate = STARTED if here is None else STOPPED if there is None else CHANGED
            self._compare(here, there, call_type or "")
        sent = here or there
        self._events[call_type, None if sent is None else sent[statsig.EVENT_NAME]][fate] += 1
        self._read += 1

    def _compare(self, here: _Wire | None, there: _Wire | None, call_type: str) -> None:
        example = Example(call=self._read, exported=None, path="$")
        before = None
        for aspect, path, kind in aspects.differences(here, there, call_type):
            if kind != aspects.SAME:
                self._tallies[aspect].add(path, kind, example, is_first=aspect != before)
                before = aspect

    def merge(self, part: Differences) -> None:
        """Add differences that were counted before."""
        for event in part.events:
            counts = {fate: getattr(event, fate) for fate in _FATES}
            self._events[event.type, event.name].update(counts)
        for finding in part.findings:
            self._tallies[finding.aspect].merge(finding, self._read)
        self._read += sum(getattr(part, fate) for fate in _FATES)

    def differences(self) -> Differences:
        """Return all counts as a model."""
        total: Counter[str] = Counter()
        for counts in self._events.values():
            total.update(counts)
        steady = total[SAME] + total[CHANGED]
        return Differences(
            **total,
            events=tuple(
                EventDifference(type=kind, name=name, **counts) for (kind, name), counts in self._events.items()
            ),
            findings=tuple(self._finding(aspect, steady) for aspect in aspects.RULE_OF if aspect in self._tallies),
        )

    def _finding(self, aspect: str, steady: int) -> Finding:
        """Return what differs in an aspect; the calls that are sent before and after agree where they do not differ."""
        found = self._tallies[aspect].finding(aspect)
        return attrs.evolve(
            found,
            agree=steady - (aspect != aspects.SENT) * found.differ,
            # The order must not depend on that of the calls, so that parts merge to the whole.
            paths=tuple(sorted(found.paths, key=lambda each: (-each.count, each.path, each.kind))),
        )


def _type_of(call: Any) -> str | None:
    """Return the type of a call if it is one of the five."""
    fields = as_object(call)
    kind = None if fields is None else freeze(fields.get(segment.TYPE))
    return kind if kind in CALL_TYPES else None
