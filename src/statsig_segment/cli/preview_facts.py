"""What people read in a preview, whatever it is drawn on: its order, its sentences and its JSON; draws nothing."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment import segment
from statsig_segment.cli.messages import summary_record
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.insight.preview import OTHERS, Counts, EventPreview, Gain, LibraryPreview, MappingUse, Preview

REPLAY_DAYS: Final = 7
"""How far back Segment's Replay to Statsig reaches, by Statsig's page on Segment."""


@attrs.frozen
class Shown:
    """A preview, and how it was made."""

    preview: Preview
    config: IntegrationConfig = attrs.field(factory=IntegrationConfig)
    tried: Sequence[IdMapping] = attrs.field(default=(), kw_only=True)
    """The mappings that were to be measured."""
    inputs: Sequence[str] = attrs.field(default=(), kw_only=True)
    """The names of the files that were read."""
    config_file: str | None = attrs.field(default=None, kw_only=True)


def ordered_events(preview: Preview) -> list[EventPreview]:
    """Return the events, the commonest first; the order depends on nothing but the counts and the names."""
    return sorted(preview.events, key=lambda event: (-event.read, event.name or "", event.type or ""))


def ordered_libraries(preview: Preview) -> list[LibraryPreview]:
    """Return the client libraries, the commonest first; nothing is to be seen where no call names one."""
    if all(library.name is None for library in preview.libraries):
        return []
    return sorted(
        preview.libraries, key=lambda library: (library.name == OTHERS, -library.translated, library.name or "")
    )


class GroupRow(NamedTuple):
    """A row of a table: an event or a client library, or all others together."""

    name: str | None
    label: str
    """What it is, where it has no name."""
    cells: Mapping[str, str]
    """Head of the column -> what the row has there."""
    group: EventPreview | LibraryPreview


def event_rows(preview: Preview, most: int | None = None) -> list[GroupRow]:
    """Return the rows of the commonest events, and last, that of all names for which there was no room."""
    rows = [
        _event_row(event, f"{event.type} calls without a name" if event.type else "Not readable as a call")
        for event in ordered_events(preview)[:most]
    ]
    rest = _event_row(preview.rest, f"All names beyond the first {preview.max_names:,}, together")
    return [*rows, rest] if preview.rest.read else rows


def _event_row(event: EventPreview, label: str) -> GroupRow:
    numbers = {"calls": event.read, "events": event.translated, "not sent": unsent(event)}
    cells = {"type": event.type or "", **{head: f"{number:,}" for head, number in numbers.items()}}
    return GroupRow(event.name, label, cells, event)


def library_rows(preview: Preview, most: int | None = None) -> list[GroupRow]:
    """Return the rows of the commonest client libraries."""
    return [
        GroupRow(
            library.name or None,
            "All other libraries, together" if library.name == OTHERS else "No library named",
            {"events": f"{library.translated:,}"},
            library,
        )
        for library in ordered_libraries(preview)[:most]
    ]


def unsent(event: Counts) -> int:
    """Count the calls that were skipped or rejected."""
    return sum(event.skipped.values()) + sum(event.rejected.values())


# -- Units -------------------------------------------------------------------------------------------------------------


def ordered_units(shown: Shown) -> list[str]:
    """Return `userID` and the ID types, the commonest first; declared ones that no event has come last (CO-8)."""
    counts = shown.preview.id_types
    missing = sorted((shown.config.inbound.id_types or frozenset()) - counts.keys() - {segment.USER_ID_TYPE})
    return [segment.USER_ID_TYPE, *sorted(counts, key=lambda id_type: (-counts[id_type], id_type)), *missing]


def unit_share(group: Counts | LibraryPreview, unit: str) -> float | None:
    """Return the share of the events of a group that have this unit, `None` if there are none."""
    count = group.user_ids if unit == segment.USER_ID_TYPE else group.id_types.get(unit, 0)
    return count / group.translated if group.translated else None


# -- What to know ------------------------------------------------------------------------------------------------------


def span(preview: Preview) -> str:
    """Return how many events Statsig would bill, and for which time (CO-6)."""
    events = f"Statsig would bill {counted(preview.translated, 'event')}"
    if preview.first_ms is None or preview.last_ms is None:
        return f"{events}."
    first, last = (datetime.fromtimestamp(ms / 1000, UTC).date() for ms in (preview.first_ms, preview.last_ms))
    return f"{events}, the oldest of {first}, the newest of {last} (UTC)."


REPLAY: Final = f"Segment's Replay sends Statsig events of up to {REPLAY_DAYS} days; older ones you send yourself."


def mapping_effect(use: MappingUse) -> str:
    """Return what a mapping did, or that it never found an ID and which field was probably meant (CO-8)."""
    if use.found:
        return f"found {use.found:,}, gave {counted(use.gave, 'ID')}"
    return f"never found an ID{f'; did you mean {use.near}?' if use.near else ''}"


def consent_note(shown: Shown) -> str | None:
    """Return a note that Segment would have withheld calls that this configuration lets pass (CO-9)."""
    refused = any(consent.refused for consent in shown.preview.consent.values())
    if not refused or shown.config.inbound.consent_categories:
        return None
    return (
        "Segment withholds calls that refuse a category to which it maps Statsig. Here none is configured, so all of "
        "them count; list the categories in inbound.consent_categories."
    )


# -- Gains -------------------------------------------------------------------------------------------------------------


def shown_gains(shown: Shown) -> Iterator[Gain]:
    """Yield the mappings that were tried, then the likely ones that would add anything, the most useful first."""
    gains = sorted(shown.preview.gains, key=lambda gain: (-gain.saved_calls, -gain.enriched_events))
    yield from (gain for gain in gains if gain.mapping in shown.tried)
    yield from (gain for gain in gains if gain.mapping not in shown.tried and is_useful(gain))


def is_useful(gain: Gain) -> bool:
    """Return whether a mapping would add anything."""
    return bool(gain.saved_calls or gain.enriched_events)


def gain_effect(gain: Gain, rejected: int) -> str:
    """Return what a mapping would do, as the end of a sentence.

    >>> gain_effect(Gain(field="groupId", id_type="companyID", saved_calls=12_406, enriched_events=1), 31_020)
    'would save 12,406 of 31,020 rejected calls and would give one more ID to 1 event'
    """
    effects: list[str] = []
    if gain.saved_calls:
        effects.append(f"would save {gain.saved_calls:,} of {counted(rejected, 'rejected call')}")
    if gain.enriched_events:
        effects.append(f"would give one more ID to {counted(gain.enriched_events, 'event')}")
    return " and ".join(effects) or "would add nothing"


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
    """Return a preview as a value for JSON, whose order does not depend on that of the calls.

    >>> from statsig_segment.insight.preview import preview
    >>> record = preview_record(preview([{"type": "track", "event": "Paid", "userId": "u1"}]))
    >>> record["read"], record["shares"], [event["name"] for event in record["events"]]
    (1, {'userID': 1.0}, ['segment::Paid'])
    """
    return {
        **_group_record(preview),
        "first_ms": preview.first_ms,
        "last_ms": preview.last_ms,
        "shares": {unit: preview.share(unit) for unit in ordered_units(Shown(preview))},
        "gains": [attrs.asdict(gain) for gain in preview.gains if is_useful(gain)],
        "mappings": [attrs.asdict(use) for use in preview.mappings],
        "consent": {name: attrs.asdict(consent) for name, consent in sorted(preview.consent.items())},
        "libraries": [{"name": library.name, **_units_record(library)} for library in ordered_libraries(preview)],
        "events": [
            {"type": event.type, "name": event.name, **_group_record(event)} for event in ordered_events(preview)
        ],
        "rest": _group_record(preview.rest),
        "max_names": preview.max_names,
    }


def _group_record(group: Counts) -> Mapping[str, Any]:
    return {**summary_record(group), **_units_record(group)}


def _units_record(group: Counts | LibraryPreview) -> Mapping[str, Any]:
    numbers = {name: getattr(group, name) for name in ("translated", "user_ids", "other_ids")}
    return numbers | {"id_types": dict(sorted(group.id_types.items()))}
