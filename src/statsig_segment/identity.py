"""ID mappings: copying fields of a call to custom IDs, after what the call itself says; converts nothing else."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

import attrs

from statsig_segment.checks import FILLED_TEXT
from statsig_segment.errors import Issue, child
from statsig_segment.json_text import EMPTY, FrozenDict, plain
from statsig_segment.models import changed
from statsig_segment.pairs import id_text
from statsig_segment.segment import SegmentEvent

_Call = TypeVar("_Call", bound=SegmentEvent)
_ABSENT: Final = (None, "")


@attrs.frozen(kw_only=True, slots=False)
class IdMapping:
    """One row of the console's "Map Identifier": copy `field` of a call to the custom ID `id_type` (ID-4).

    Shape: `field` is a top-level field (`anonymousId`), or a dotted path into objects (`context.device.id`), which only
    counts where no top-level field has that exact name. Both are case-sensitive.
    Errors: `ConfigError` with code `wrong_type` or `wrong_value`.
    """

    field: str = attrs.field(validator=FILLED_TEXT)
    id_type: str = attrs.field(validator=FILLED_TEXT)


def apply_id_mappings(event: _Call, mappings: Iterable[IdMapping]) -> _Call:
    """Copy fields of a call to custom IDs.

    Shape: a call and rows in; the call with more `custom_ids` out, or the call itself where nothing changes. Rows apply
    in order; an ID type that has a value, from `statsigCustomIDs` or an earlier row, keeps it. Applying the same
    mappings again changes nothing.
    Errors: none; a value that is no ID gives an issue `id_invalid` at its path.
    Rules: ID-4, ID-5. Source: Statsig's page on Segment, "Mapping anonymous users"; dotted paths are our policy.

    >>> from statsig_segment import IdMapping, Track, apply_id_mappings
    >>> call = Track(event="Signed Up", anonymous_id="a1")
    >>> apply_id_mappings(call, [IdMapping(field="anonymousId", id_type="segmentAnonymousId")]).custom_ids
    {'segmentAnonymousId': 'a1'}
    """
    ids = event.custom_ids
    mapped: dict[str, str] = {}
    sources: dict[str, str] = {}
    issues: list[Issue] = []
    for row in mappings:
        if row.id_type in ids or row.id_type in mapped:
            continue
        value, path = look_up(event, row.field)
        if value is None:
            continue
        text = value if value.__class__ is str and value else id_text(value)
        if text is not None:
            mapped[row.id_type] = text
            sources[row.id_type] = path
        elif plain(value) is not None:
            issues.append(Issue(code="id_invalid", path=path))
    known = set(event.issues) if issues else ()
    fresh = tuple(issue for issue in dict.fromkeys(issues) if issue not in known)
    if not mapped and not fresh:
        return event
    return changed(
        event,
        custom_ids=FrozenDict({**ids, **mapped}),
        id_sources=FrozenDict({**event.id_sources, **sources}),
        issues=event.issues + fresh,
    )


def look_up(event: SegmentEvent, field: str) -> tuple[Any, str]:
    """Give the value of a top-level field or dotted path, `None` where there is none, and its wire path (ID-4)."""
    held = event.held
    attribute = held.get(field)
    if attribute is not None:
        value = getattr(event, attribute)
        return None if value is EMPTY else value, f"$.{field}"
    if field in event.other:
        return event.other[field], child("$", field)
    first, *rest = field.split(".")
    if not rest:
        return _ABSENT
    value = getattr(event, held[first]) if first in held else event.other.get(first)
    path = child("$", first)
    for key in rest:
        if value.__class__ is not dict and not isinstance(value, Mapping):
            return _ABSENT
        value = value.get(key)
        path = child(path, key)
    return value, path
