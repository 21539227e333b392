"""What people read in a preview, whatever it is drawn on: its order, its sentences and its JSON; draws nothing."""

from collections.abc import Mapping
from typing import Any, Final

import attrs

from statsig_segment import segment
from statsig_segment.cli.blocks import Tally
from statsig_segment.insight.preview import EventPreview, Gain, Preview

_NUMBERS: Final = ("read", "translated", "audiences", "user_ids", "other_ids")
_COUNTS: Final = ("skipped", "rejected", "issues", "id_types")


def tally_of(preview: Preview) -> Tally:
    """Give the counts of a preview as any other command counts."""
    tally = Tally(translated=preview.translated, audiences=preview.audiences)
    tally.skipped.update(preview.skipped)
    tally.rejected.update(preview.rejected)
    tally.issues.update(preview.issues)
    return tally


def ordered_events(preview: Preview) -> list[EventPreview]:
    """Give the events, the commonest first; the order depends on nothing but the counts and the names."""
    return sorted(preview.events, key=lambda event: (-event.read, event.name or "", event.type or ""))


def event_label(event: EventPreview) -> str:
    """Say what calls without a name are."""
    return f"{event.type} calls without a name" if event.type else "Not readable as a call"


def rest_label(preview: Preview) -> str:
    """Say what the group of all other names is."""
    return f"All names beyond the first {preview.max_names:,}, together"


def unsent(event: EventPreview) -> int:
    """Count the calls that were skipped or rejected."""
    return sum(event.skipped.values()) + sum(event.rejected.values())


def user_share(event: EventPreview) -> float | None:
    """Give the share of an event's translated calls with a user ID, `None` where nothing was translated."""
    return event.user_ids / event.translated if event.translated else None


def ordered_id_types(preview: Preview) -> list[str]:
    """Give the ID types, the commonest first."""
    return sorted(preview.id_types, key=lambda id_type: (-preview.id_types[id_type], id_type))


# -- Gains -------------------------------------------------------------------------------------------------------------


def useful_gains(preview: Preview) -> list[Gain]:
    """Give the mappings that would add anything, the most useful first."""
    gains = (gain for gain in preview.gains if gain.saved_calls or gain.enriched_events)
    return sorted(gains, key=lambda gain: (-gain.saved_calls, -gain.enriched_events))


def gain_effect(gain: Gain, rejected: int) -> str:
    """Say what a mapping would do, as the end of a sentence.

    >>> gain_effect(Gain(field="groupId", id_type="companyID", saved_calls=12_406, enriched_events=1), 31_020)
    'would save 12,406 of 31,020 rejected calls and would give one more ID to 1 event'
    """
    effects: list[str] = []
    if gain.saved_calls:
        effects.append(f"would save {gain.saved_calls:,} of {counted(rejected, 'rejected call')}")
    if gain.enriched_events:
        effects.append(f"would give one more ID to {counted(gain.enriched_events, 'event')}")
    return " and ".join(effects)


def gain_lines(gain: Gain) -> str:
    """Write the lines that add the mapping to a configuration in TOML; both names are of our own table."""
    return f'[[inbound.id_mappings]]\nfield = "{gain.field}"\nid_type = "{gain.id_type}"'


# -- Figures -----------------------------------------------------------------------------------------------------------


def counted(count: int, noun: str) -> str:
    """Write a count with its noun.

    >>> counted(1, "call"), counted(1200, "call")
    ('1 call', '1,200 calls')
    """
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"


def percent(share: float) -> str:
    """Write a share; only all is 100 %, and only nothing is 0 %.

    >>> [percent(share) for share in (0, 0.0004, 0.5, 0.9999, 1)]
    ['0 %', '<0.1 %', '50.0 %', '>99.9 %', '100 %']
    """
    if share in {0, 1}:
        return f"{share * 100:.0f} %"
    text = f"{share * 100:.1f} %"
    return {"0.0 %": "<0.1 %", "100.0 %": ">99.9 %"}.get(text, text)


# -- JSON --------------------------------------------------------------------------------------------------------------


def preview_record(preview: Preview) -> Mapping[str, Any]:
    """Give a preview as a value for JSON, whose order does not depend on that of the calls.

    >>> from statsig_segment.insight.preview import preview
    >>> record = preview_record(preview([{"type": "track", "event": "Paid", "userId": "u1"}]))
    >>> record["read"], record["shares"], [event["name"] for event in record["events"]]
    (1, {'userID': 1.0}, ['segment::Paid'])
    """
    return {
        **_count_record(preview.total),
        "shares": {unit: preview.share(unit) for unit in (segment.USER_ID_TYPE, *ordered_id_types(preview))},
        "gains": [attrs.asdict(gain) for gain in preview.gains],
        "events": [_event_record(event) for event in ordered_events(preview)],
        "rest": _count_record(preview.rest),
        "max_names": preview.max_names,
    }


def _event_record(event: EventPreview) -> Mapping[str, Any]:
    return {"type": event.type, "name": event.name, **_count_record(event)}


def _count_record(group: EventPreview) -> Mapping[str, Any]:
    numbers = {name: getattr(group, name) for name in _NUMBERS}
    return numbers | {name: dict(sorted(getattr(group, name).items())) for name in _COUNTS}
