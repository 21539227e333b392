"""Decide who a call belongs to: ID mappings, their precedence, and placeholders."""

from collections.abc import Iterable
from typing import Any, TypeVar

from statsig_segment import segment
from statsig_segment._json.models import made
from statsig_segment._json.paths import Arrays
from statsig_segment._json.values import FrozenDict, is_array
from statsig_segment.configuration.mappings import IdMapping, cut_row
from statsig_segment.errors import Issue, TranslationError, add_issue
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import (
    IdSource,
    SegmentEvent,
    controls,
    find,
    id_sources,
    losses_of,
    lost_at,
)
from statsig_segment.segment.placeholders import is_placeholder

_Call = TypeVar("_Call", bound=SegmentEvent)


def apply_id_mappings(event: _Call, mappings: Iterable[IdMapping], *, drop_placeholders: bool = False) -> _Call:
    """Return a call in which the fields that the rows name are copied to custom IDs.

    Rows apply in order. An ID type that has a value, from `statsigCustomIDs` or an earlier row, keeps it. Applying the
    same rows again changes nothing.

    Args:
        event: The call.
        mappings: The rows.
        drop_placeholders: Whether IDs such as `undefined` count as absent, so that a row may fill their place.

    Returns:
        The call with more `custom_ids`, or the same object if nothing changes. A value that is not an ID is left
        out, with an issue `id_invalid` at its path; a placeholder has an issue `id_placeholder`.

    Raises:
        TranslationError: With code `number_too_long`, for a number of more than 4,300 digits.

    Rules: ID-4, ID-5, ID-8, ID-9.
    Source: Statsig's page on Segment, "Mapping anonymous users"; dotted paths are our policy.

    >>> from statsig_segment import IdMapping, Track, apply_id_mappings
    >>> call = Track(event="Signed Up", anonymous_id="a1")
    >>> apply_id_mappings(call, [IdMapping(field="anonymousId", id_type="segmentAnonymousId")]).custom_ids
    {'segmentAnonymousId': 'a1'}

    """
    issues = _less_conflicts(event) if drop_placeholders else list(event.issues)
    ids, sources = ids_of(event), dict(id_sources(event))
    for id_type, text in list(ids.items()):
        if is_placeholder(text):
            add_issue(issues, "id_placeholder", id_path(event, id_type))
            if drop_placeholders:
                del ids[id_type]
                sources.pop(id_type, None)
    arrays: Arrays = {}
    losses = losses_of(event)
    for row in mappings:
        id_type, field = cut_row(row)
        if id_type in ids:
            continue
        value, path = find(event, field, arrays)
        if value is None and not losses:
            continue
        found = value if type(value) is str and value else coerce_id(value)
        if found is None:
            lost, lost_path = lost_at(event, field, arrays)
            if isinstance(lost, str):
                add_issue(issues, lost, lost_path)
            elif value is not None:  # absent and null are fine
                add_issue(issues, "id_invalid", path)
            continue
        if is_placeholder(found):
            add_issue(issues, "id_placeholder", path)
            if drop_placeholders:
                continue
        ids[id_type] = found
        sources[id_type] = path
    return _with_ids(event, ids, sources, issues)


def _with_ids(event: _Call, ids: dict[str, str], sources: dict[str, IdSource], issues: list[Issue]) -> _Call:
    """Return a call with these IDs, including the user ID; the call itself if nothing changed."""
    noted = event.issues if issues == list(event.issues) else tuple(dict.fromkeys(issues))
    if ids == ids_of(event) and noted == event.issues and sources == id_sources(event):
        return event
    changes: dict[str, Any] = {
        "user_id": ids.pop(segment.USER_ID_TYPE, None),
        "custom_ids": FrozenDict(ids),
        "_id_sources": FrozenDict(sources),
        "issues": noted,
    }
    is_dropped = event.user_id is not None and changes["user_id"] != event.user_id
    if is_dropped and segment.USER_ID_TYPE not in id_sources(event):
        # A path such as `userId` must find what was sent, also after the ID was dropped as a placeholder (ID-4).
        changes["other"] = FrozenDict({segment.USER_ID: event.user_id, **event.other})
    return made(type(event), vars(event) | changes)


def _less_conflicts(call: SegmentEvent) -> list[Issue]:
    """Return the issues of a call without conflicts between `userId` and a pair that holds a placeholder.

    A placeholder counts as absent, so it does not contradict the `userId`.
    """
    [(array, path)] = controls(call, segment.CUSTOM_IDS)
    pairs = zip(range(0, len(array), 2), array[1::2], strict=False) if is_array(array) else ()
    ids = ((index, coerce_id(value)) for index, value in pairs)
    absent = {f"{path}[{index}]" for index, text in ids if text is not None and is_placeholder(text)}
    return [issue for issue in call.issues if issue.code != "custom_id_is_user_id" or issue.path not in absent]


def ids_of(call: SegmentEvent) -> dict[str, str]:
    """Return all IDs of a call by ID type, the user ID first."""
    return {**call.custom_ids} if call.user_id is None else {segment.USER_ID_TYPE: call.user_id, **call.custom_ids}


def id_path(call: SegmentEvent, id_type: str) -> str:
    """Return the wire path of an ID; `$` for an ID that a caller put into the model."""
    source = id_sources(call).get(id_type)
    if source is None:
        return f"$.{segment.USER_ID}" if id_type == segment.USER_ID_TYPE else "$"
    return source if isinstance(source, str) else f"{controls(call, segment.CUSTOM_IDS)[0][1]}[{source}]"


def id_type_path(call: SegmentEvent, id_type: str) -> str:
    """Return the wire path of the name of an ID type if the call itself names it, else the path of the ID."""
    source = id_sources(call).get(id_type)
    if isinstance(source, int):
        return f"{controls(call, segment.CUSTOM_IDS)[0][1]}[{source - 1}]"
    return "$" if source is None else source


def note_placeholders(call: SegmentEvent, issues: list[Issue]) -> None:
    """Note each ID that is a placeholder (ID-8)."""
    for id_type, text in ids_of(call).items():
        if is_placeholder(text):
            add_issue(issues, "id_placeholder", id_path(call, id_type))


def no_identifier(call: SegmentEvent) -> TranslationError:
    """Return the error for a call without an ID; it names a mapping that would find one (ID-6)."""
    if call.anonymous_id is None:
        return TranslationError("no_identifier", "$")
    row = f"{segment.ANONYMOUS_ID} -> segmentAnonymousId"
    return TranslationError(
        "no_identifier", "$", f"neither a user ID nor a custom ID; an ID mapping {row} would give one"
    )
