"""Classify the calls and events without a partner, and explain what keeps the two sides apart (CM-6)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Final, NamedTuple

from statsig_segment import statsig
from statsig_segment.insight.comparison.archive import NO_TIME, ids_of
from statsig_segment.insight.comparison.evaluation import Evaluation
from statsig_segment.insight.comparison.pairing import LONE, UNDUE, Archive
from statsig_segment.insight.comparison.places import ids_in
from statsig_segment.insight.comparison.sending import Sending

_CLASSES: Final = ("identify_as_event", "without_id", "outside_export", "silent_name", "not_from_segment")
"""The classes of CM-6."""
_IDENTIFY_AS_EVENT, _WITHOUT_ID, _OUTSIDE_EXPORT, _SILENT_NAME, _NOT_FROM_SEGMENT = _CLASSES
_UNEXPLAINED: Final = ""
_FEW: Final = 0.05
"""CM-6: the share of either side that may stay without a partner and without a reason where both sides agree."""


class Unpaired(NamedTuple):
    """What has no partner."""

    classes: dict[str, int]
    calls: int
    """Calls that would be sent, and that no class explains; ambiguous ones among them."""
    exported: int
    """Exported events that seem to come from Segment, and that no class explains."""
    is_few: bool
    """Whether so few are unexplained that both sides may agree."""


def classify(archive: Archive, found: Evaluation, sending: Sending, prefix: str) -> Unpaired:
    """Classify what has no partner.

    Args:
        archive: Both sides, paired.
        found: What would be sent.
        sending: What was learned about calls that are held back.
        prefix: What the names of events from Segment begin with.

    """
    calls = Counter(_classes_of_calls(archive, found, sending))
    events = Counter(_classes_of_events(archive, prefix))
    changes = archive.exported.changes
    classes = calls + events + Counter({_NOT_FROM_SEGMENT: changes})
    from_segment = len(archive.exported) - events[_NOT_FROM_SEGMENT]
    return Unpaired(
        classes={name: classes[name] for name in _CLASSES if name in classes},
        calls=calls[_UNEXPLAINED],
        exported=events[_UNEXPLAINED],
        is_few=calls[_UNEXPLAINED] <= _FEW * sum(found.sendable) and events[_UNEXPLAINED] <= _FEW * from_segment,
    )


def _classes_of_calls(archive: Archive, found: Evaluation, sending: Sending) -> Iterator[str]:
    """Yield the class of each call that would be sent and has no event; a second delivery of another is in none."""
    span, held_back = archive.exported.span(), set(sending.silent)
    for at, time_ms in enumerate(archive.calls.times):
        if not found.sendable[at] or archive.partner[at] != LONE:
            continue
        is_outside = time_ms != NO_TIME and span is not None and not span[0] <= time_ms <= span[1]
        if at in sending.quiet and (at in held_back or not is_outside):
            yield _SILENT_NAME
        elif is_outside:
            yield _OUTSIDE_EXPORT
        elif archive.fate(at) != UNDUE:
            yield _UNEXPLAINED


def _classes_of_events(archive: Archive, prefix: str) -> Iterator[str]:
    """Yield the class of each exported event that has no call."""
    identifies: set[int] = set()
    for events in archive.identified:
        identifies.update([at for at in events if archive.caller[at] == LONE and at not in identifies][:1])
    for at, caller in enumerate(archive.caller):
        if caller != LONE:
            continue
        event = archive.exported[at]
        name: str = event[statsig.EVENT_NAME]
        is_ours = name.startswith(statsig.SEGMENT_PREFIX) or (prefix != "" and name.startswith(prefix))
        if not is_ours and (archive.exported.foreign[at] or prefix):
            yield _NOT_FROM_SEGMENT
        elif at in identifies:
            yield _IDENTIFY_AS_EVENT
        else:
            yield _UNEXPLAINED if ids_of(event) else _WITHOUT_ID


# -- What keeps the sides apart ----------------------------------------------------------------------------------------

_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS
_SECOND_MS: Final = 1_000
_MAX_MEETINGS: Final = 20
"""The most times of one ID that are compared with those of its events; all with all is the square of their number, and
a constant shift shows in a few."""
_MAX_LONE: Final = 20_000
"""The most events without a call that are examined; a shift that moves all of them shows in any part."""
_MOST: Final = 0.5
"""The share of events that must lack a partner before a reason is searched for, and the share of these that it must
explain. A reason for a minority is likely a coincidence."""
_CASE: Final = "IDs at Statsig differ from those in the calls in letter case, so events do not match their calls."
_SECONDS: Final = (
    "Times at Statsig are those of the calls cut to whole seconds, so events do not match their calls; "
    "allow a tolerance of 999 milliseconds."
)


def reason_apart(archive: Archive) -> str | None:
    """Return a sentence that explains why few events find their call, if times or letter case explain most of it."""
    calls, exported = archive.calls, archive.exported
    ours = [at for at, time_ms in enumerate(exported.times) if not exported.foreign[at] and time_ms != NO_TIME]
    ambiguous = archive.ambiguous_events()
    lone = [at for at in ours if archive.caller[at] == LONE and at not in ambiguous]
    if len(lone) <= _MOST * len(ours):
        return None
    units = {at: set(ids_of(exported[at]).values()) for at in lone[:_MAX_LONE]}
    known = {unit.casefold() for each in units.values() for unit in each}
    times: defaultdict[str, list[int]] = defaultdict(list)
    spellings: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for at, call in enumerate(calls):
        if calls.times[at] != NO_TIME and archive.partner[at] == LONE:
            for unit in {unit for unit in ids_in(call, free=False) if unit.casefold() in known}:
                spellings[calls.times[at], unit.casefold()].add(unit)
                if len(times[unit]) < _MAX_MEETINGS:
                    times[unit].append(calls.times[at])
    # A call and an event of one person meet at many distances by chance; only the true shift is common to most events.
    reasons: Counter[str] = Counter()
    for at, own in units.items():
        there = exported.times[at]
        found = {_shift(there, here) for unit in own for here in times.get(unit, ())} - {""}
        same_time = ((unit, spellings.get((there, unit.casefold()), {unit})) for unit in own)
        reasons.update(found.union(_CASE for unit, spelled in same_time if unit not in spelled))
    reason, explained = max(reasons.items(), key=lambda item: (item[1], item[0]), default=("", 0))
    return reason if explained > _MOST * len(units) else None


def _shift(there: int, here: int) -> str:
    """Return a sentence on how far an event is from a call, if by whole minutes up to a day, or cut to the second."""
    if there != here and there in {here // _SECOND_MS, here // _SECOND_MS * _SECOND_MS, here * _SECOND_MS}:
        return _SECONDS
    # A wrong time zone or daylight saving shifts by whole minutes, and no zone is a day away.
    shift_ms = there - here
    if shift_ms == 0 or shift_ms % _MINUTE_MS or abs(shift_ms) > _DAY_MS:
        return ""
    hours, minutes = divmod(abs(shift_ms) // _MINUTE_MS, 60)
    shift = " and ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min")) if count)
    return f"Times at Statsig are {shift} {'later' if shift_ms > 0 else 'earlier'} than those of the calls."
