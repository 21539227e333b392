"""Classify the calls and events without a partner, and explain what keeps the two sides apart (CM-6)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from statsig_segment import statsig
from statsig_segment.insight.comparison.evaluation import Evaluation
from statsig_segment.insight.comparison.pairing import Archive
from statsig_segment.insight.comparison.places import near_ids
from statsig_segment.insight.comparison.sending import Sending

IDENTIFY_AS_EVENT: Final = "identify_as_event"
WITHOUT_ID: Final = "without_id"
OUTSIDE_EXPORT: Final = "outside_export"
SILENT_NAME: Final = "silent_name"
NOT_FROM_SEGMENT: Final = "not_from_segment"
CLASSES: Final = (IDENTIFY_AS_EVENT, WITHOUT_ID, OUTSIDE_EXPORT, SILENT_NAME, NOT_FROM_SEGMENT)
"""The classes of CM-6."""


class Unpaired(NamedTuple):
    """What has no partner."""

    classes: dict[str, int]
    calls: int
    """Calls that would be sent, and that no class explains; ambiguous ones among them."""
    exported: int
    """Exported events that seem to come from Segment, and that no class explains."""
    sent: int
    """Calls that would be sent."""
    from_segment: int
    """Exported events that seem to come from Segment."""


def classify(
    archive: Archive,
    found: Evaluation,
    sending: Sending,
    identified: Sequence[tuple[int, ...]],
    prefix: str,
) -> Unpaired:
    """Classify what has no partner.

    Args:
        archive: Both sides, paired.
        found: What would be sent.
        sending: What was learned about calls that are held back.
        identified: For each identify call, the events that have its time and an ID of it.
        prefix: What the names of events from Segment begin with.

    """
    calls, exported, matching = archive
    classes: Counter[str] = Counter()
    left = _classify_events(archive, identified, prefix, classes)
    span = exported.times.span()
    held_back = set(sending.silent)
    open_calls = 0
    for at, is_sent in enumerate(found.sendable):
        if not is_sent or matching.partner[at] >= 0:
            continue
        time_ms = calls.times[at]
        is_outside = time_ms is not None and span is not None and not span[0] <= time_ms <= span[1]
        if at in sending.quiet and (at in held_back or not is_outside):
            classes[SILENT_NAME] += 1
        elif is_outside:
            classes[OUTSIDE_EXPORT] += 1
        elif not matching.is_repeated(at):
            open_calls += 1
    from_segment = len(exported) + exported.changes - classes[NOT_FROM_SEGMENT]
    counts = {name: classes[name] for name in CLASSES if classes[name]}
    return Unpaired(counts, open_calls, left, sum(found.sendable), from_segment)


def _classify_events(
    archive: Archive, identified: Sequence[tuple[int, ...]], prefix: str, classes: Counter[str]
) -> int:
    """Classify exported events, and return how many are left."""
    _, exported, matching = archive
    identifies: set[int] = set()
    for events in identified:
        identifies.update([at for at in events if not matching.taken[at] and at not in identifies][:1])
    classes[NOT_FROM_SEGMENT] += exported.changes
    left = 0
    for at, is_taken in enumerate(matching.taken):
        if is_taken:
            continue
        event = exported[at]
        is_ours = event.name.startswith(statsig.SEGMENT_PREFIX) or (prefix != "" and event.name.startswith(prefix))
        if not is_ours and (exported.foreign[at] or prefix):
            classes[NOT_FROM_SEGMENT] += 1
        elif at in identifies:
            classes[IDENTIFY_AS_EVENT] += 1
        elif not event.ids:
            classes[WITHOUT_ID] += 1
        else:
            left += 1
    return left


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


def apart(archive: Archive) -> Iterator[str]:
    """Yield a sentence that explains why few events find their call, if times or letter case explain most of it."""
    calls, exported, matching = archive
    events = [at for at in range(len(exported)) if not exported.foreign[at] and exported.times[at] is not None]
    ambiguous = matching.ambiguous_events()
    lone = [at for at in events if not matching.taken[at] and at not in ambiguous]
    if len(lone) <= _MOST * len(events):
        return
    lone = lone[:_MAX_LONE]
    known = {unit.casefold() for at in lone for unit in exported[at].ids.values()}
    times: defaultdict[str, list[int]] = defaultdict(list)
    spelled: set[tuple[int, str]] = set()
    folded: set[tuple[int, str]] = set()
    for at, call in enumerate(calls):
        time_ms = calls.times[at]
        if time_ms is not None and matching.partner[at] < 0:
            for unit in {unit for unit in near_ids(call) if unit.casefold() in known}:
                spelled.add((time_ms, unit))
                folded.add((time_ms, unit.casefold()))
                if len(times[unit]) < _MAX_MEETINGS:
                    times[unit].append(time_ms)
    # A call and an event of one person meet at many distances by chance; only the true shift is common to most events.
    shifts: Counter[int | str] = Counter()
    for at in lone:
        time_ms = exported.times[at] or 0
        units = set(exported[at].ids.values())
        found: set[int | str] = {_shift(time_ms, there) for unit in units for there in times.get(unit, ())} - {0}
        if any((time_ms, unit.casefold()) in folded and (time_ms, unit) not in spelled for unit in units):
            found.add(_CASE)
        shifts.update(found)
    reason, events_moved = max(shifts.items(), key=lambda item: (item[1], str(item[0])), default=(0, 0))
    if events_moved > _MOST * len(lone):
        yield _CASE if reason == _CASE else _SECONDS if reason == _SECONDS else _shifted(int(reason))


_CASE: Final = "IDs at Statsig differ from those in the calls in letter case, so events do not match their calls."
_SECONDS: Final = (
    "Times at Statsig are those of the calls cut to whole seconds, so events do not match their calls; "
    "allow a tolerance of 999 milliseconds."
)


def _shift(there: int, here: int) -> int | str:
    """Return how far an event is from a call, in whole minutes up to a day, or the same second; 0 for neither."""
    if there != here and there in {here // _SECOND_MS, here // _SECOND_MS * _SECOND_MS, here * _SECOND_MS}:
        return _SECONDS
    # A wrong time zone or daylight saving shifts by whole minutes, and no zone is a day away.
    shift = there - here
    return shift if shift % _MINUTE_MS == 0 and abs(shift) <= _DAY_MS else 0


def _shifted(shift_ms: int) -> str:
    hours, minutes = divmod(abs(shift_ms) // _MINUTE_MS, 60)
    shift = " and ".join(f"{count} {unit}" for count, unit in ((hours, "h"), (minutes, "min")) if count)
    return f"Times at Statsig are {shift} {'later' if shift_ms > 0 else 'earlier'} than those of the calls."
