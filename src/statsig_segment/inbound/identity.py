"""Who a call belongs to: ID mappings, their precedence, and placeholders."""

from collections.abc import Iterable
from typing import Any, Final, Generic, TypeVar

from statsig_segment import segment
from statsig_segment._json.paths import FieldPath, Found
from statsig_segment._json.values import FrozenDict, is_array
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.errors import Issue, TranslationError, add_issue
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.calls import (
    IdSource,
    SegmentEvent,
    control,
    find,
    losses_by_way,
    lost_on_the_way,
    spelled_id_type,
)
from statsig_segment.segment.placeholders import is_placeholder

_Call = TypeVar("_Call", bound=SegmentEvent)


def apply_id_mappings(event: _Call, mappings: Iterable[IdMapping], *, drop_placeholders: bool = False) -> _Call:
    """Copy fields of a call to custom IDs.

    Shape: a call and rows in; the call with more `custom_ids` out, or the call itself where nothing changes. Rows apply
    in order; an ID type that has a value, from `statsigCustomIDs` or an earlier row, keeps it. Applying the same
    mappings again changes nothing. With `drop_placeholders`, IDs such as `undefined` count as absent, so that a row may
    fill their place.
    Errors: none; a value that is not an ID gives an issue `id_invalid` at its path, a placeholder `id_placeholder`.
    Rules: ID-4, ID-5, ID-8, ID-9. Source: Statsig's page on Segment, "Mapping anonymous users"; dotted paths are our
    policy.

    >>> from statsig_segment import IdMapping, Track, apply_id_mappings
    >>> call = Track(event="Signed Up", anonymous_id="a1")
    >>> apply_id_mappings(call, [IdMapping(field="anonymousId", id_type="segmentAnonymousId")]).custom_ids
    {'segmentAnonymousId': 'a1'}
    """
    ids = _Ids(event, drop_placeholders=drop_placeholders)
    for row in mappings:
        ids.fill(spelled_id_type(row.id_type), row.path)
    return ids.applied()


class _Ids(Generic[_Call]):
    """The IDs of a call while they are mapped: ID type -> ID, with the user ID among them."""

    def __init__(self, call: _Call, *, drop_placeholders: bool) -> None:
        self._call = call
        self._drop_placeholders = drop_placeholders
        self._issues = _less_conflicts(call) if drop_placeholders else list(call.issues)
        self._losses = losses_by_way(call)
        self._sources: dict[str, IdSource] = dict(call.id_sources)
        self._ids: dict[str, str] = {}
        for id_type, text in ids_of(call).items():
            if self._keeps(text, id_path(call, id_type)):
                self._ids[id_type] = text
            else:
                self._sources.pop(id_type, None)

    def _keeps(self, text: str, path: str) -> bool:
        """Note a placeholder, and say whether an ID counts (ID-8)."""
        if not is_placeholder(text):
            return True
        add_issue(self._issues, "id_placeholder", path)
        return not self._drop_placeholders

    def fill(self, id_type: str, field: FieldPath) -> None:
        """Copy a field to an ID type that has no ID yet (ID-4, ID-5)."""
        if id_type in self._ids:
            return
        found = find(self._call, field) or Found(None, "$")
        text = coerce_id(found.value)
        if text is None:
            self._note_unusable(found, field)
        elif self._keeps(text, found.path):
            self._ids[id_type] = text
            self._sources[id_type] = (found.path, found.path)

    def _note_unusable(self, found: Found, field: FieldPath) -> None:
        """Note a value that is present, not null, and not an ID, or that could not be read at all."""
        loss = lost_on_the_way(self._losses, field)
        if loss is not None:
            add_issue(self._issues, loss.code, loss.path)
        elif found.value is not None:
            add_issue(self._issues, "id_invalid", found.path)

    def applied(self) -> _Call:
        """Give the call with these IDs, or the call itself where nothing changed."""
        user_id = self._ids.pop(segment.USER_ID_TYPE, None)
        changes: dict[str, Any] = {
            "user_id": user_id,
            "custom_ids": FrozenDict(self._ids),
            "id_sources": FrozenDict(self._sources),
            "issues": tuple(dict.fromkeys(self._issues)),
        }
        attributes: dict[str, Any] = vars(self._call)
        is_changed = any(attributes[name] != value for name, value in changes.items())
        return type(self._call)(**(attributes | changes)) if is_changed else self._call


_SOMEBODY: Final = "somebody"


def _less_conflicts(call: SegmentEvent) -> list[Issue]:
    """Give the issues of a call less those of pairs that name the user ID and, being placeholders, count as absent."""
    array, path = control(call, segment.CUSTOM_IDS)
    pairs = zip(range(0, len(array), 2), array[1::2], strict=False) if is_array(array) else ()
    absent = {f"{path}[{index}]" for index, value in pairs if is_placeholder(coerce_id(value) or _SOMEBODY)}
    return [issue for issue in call.issues if issue.code != "custom_id_is_user_id" or issue.path not in absent]


def ids_of(call: SegmentEvent) -> dict[str, str]:
    """Give all IDs of a call by ID type, the user ID first."""
    return ({} if call.user_id is None else {segment.USER_ID_TYPE: call.user_id}) | dict(call.custom_ids)


def id_path(call: SegmentEvent, id_type: str) -> str:
    """Give the wire path of an ID; `$` for one that a caller wrote into the model."""
    if id_type == segment.USER_ID_TYPE and id_type not in call.id_sources:
        return f"$.{segment.USER_ID}"
    return call.id_sources.get(id_type, ("$", "$"))[0]


def id_type_path(call: SegmentEvent, id_type: str) -> str:
    """Give the wire path of the name of an ID type, where the call itself names it; else that of the ID."""
    return call.id_sources.get(id_type, ("$", "$"))[1]


def note_placeholders(call: SegmentEvent, issues: list[Issue]) -> None:
    """Note each ID that stands for nobody (ID-8)."""
    for id_type, text in ids_of(call).items():
        if is_placeholder(text):
            add_issue(issues, "id_placeholder", id_path(call, id_type))


def no_identifier(call: SegmentEvent) -> TranslationError:
    """Make the error for a call that belongs to nobody; it names the mapping that would have saved it (ID-6)."""
    if call.anonymous_id is None:
        return TranslationError("no_identifier", "$")
    row = f"{segment.ANONYMOUS_ID} -> segmentAnonymousId"
    return TranslationError(
        "no_identifier", "$", f"neither a user ID nor a custom ID; an ID mapping {row} would give one"
    )
