"""Where a value stands in a call, and ID mappings: copying fields to custom IDs, after what the call itself says."""

# Testing JSON for its exact type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Iterable, Mapping
from typing import Any, Self, TypeVar

import attrs

from statsig_segment._validators import FILLED_TEXT
from statsig_segment._values import EMPTY, FlatDict, is_object, plain
from statsig_segment.errors import Issue, child
from statsig_segment.even_odd import ID_CODES, id_text, id_value, read_pairs
from statsig_segment.models import changed
from statsig_segment.segment import CUSTOM_IDS, HELD_BY_ANY, SegmentEvent, control, control_path

_Call = TypeVar("_Call", bound=SegmentEvent)


@attrs.frozen(kw_only=True, slots=False)
class FieldPath:
    """A top-level field, or a dotted path into objects, cut once and read often (ID-4)."""

    field: str
    head: str
    rest: tuple[str, ...]
    path: str
    """The wire path of the walk."""
    attribute: str | None
    """The attribute that holds the head, in the calls that hold it."""

    @classmethod
    def of(cls, field: str) -> Self:
        """Cut a field as the configuration names it."""
        head, *rest = field.split(".")
        path = child("$", head)
        for key in rest:
            path = child(path, key)
        return cls(field=field, head=head, rest=tuple(rest), path=path, attribute=HELD_BY_ANY.get(head))

    def value(self, event: SegmentEvent) -> Any:
        """Give the value in a call, `None` where there is none.

        A top-level field of exactly that name stops the walk; the walk enters objects only.
        """
        rest, attribute, other = self.rest, self.attribute, event.other
        if rest and self.field in other:
            return other[self.field]
        value = None if attribute is None else getattr(event, attribute, None)
        if value is None or value is EMPTY:  # not held, or not usable as what the model holds
            value = other.get(self.head)
        for key in rest:
            if type(value) is not dict and not is_object(value):
                return None
            value = value.get(key)
        return value

    def wire_path(self, event: SegmentEvent) -> str:
        """Give the wire path of the value in a call."""
        return child("$", self.field) if self.rest and self.field in event.other else self.path


def _cut(mapping: Any) -> FieldPath:
    return FieldPath.of(str(mapping.field))  # what is no string the validator refuses next


@attrs.frozen(kw_only=True, slots=False)
class IdMapping:
    """One row of the console's "Map Identifier": copy `field` of a call to the custom ID `id_type` (ID-4).

    Shape: `field` is a top-level field (`anonymousId`), or a dotted path into objects (`context.device.id`), which only
    counts where no top-level field has that exact name. Both are case-sensitive.
    Errors: `ConfigError` with code `wrong_type` or `wrong_value`.
    """

    field: str = attrs.field(validator=FILLED_TEXT)
    id_type: str = attrs.field(validator=FILLED_TEXT)
    source: FieldPath = attrs.field(init=False, default=attrs.Factory(_cut, takes_self=True), eq=False, repr=False)


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
    fields = mapped_fields(event, mappings)
    if "custom_ids" in fields:
        fields |= {"custom_ids": FlatDict(fields["custom_ids"]), "id_sources": FlatDict(fields["id_sources"])}
    return changed(event, **fields) if fields else event


def mapped_fields(event: SegmentEvent, mappings: Iterable[IdMapping]) -> dict[str, Any]:
    """Give the fields that mappings change, not yet frozen: IDs, their sources, issues; or none."""
    ids: Mapping[str, str] = event.custom_ids
    own: dict[str, str] = {}
    paths: dict[str, str] = {}
    issues: list[Issue] = []
    for row in mappings:
        id_type, source = row.id_type, row.source
        if id_type in ids:
            continue
        value = source.value(event)
        if value is None:
            continue
        text = value if type(value) is str and value else id_text(value)
        if text is not None:
            if not own:
                ids = own = dict(ids)
            own[id_type] = text
            paths[id_type] = source.wire_path(event)
        elif plain(value) is not None:
            issues.append(Issue(code="id_invalid", path=source.wire_path(event)))
    fields: dict[str, Any] = {}
    if paths:
        fields["custom_ids"] = ids
        fields["id_sources"] = {**event.id_sources, **paths} if event.id_sources else paths
    if issues:
        merged = tuple(dict.fromkeys((*event.issues, *issues)))
        if len(merged) > len(event.issues):
            fields["issues"] = merged
    return fields


def id_paths(event: SegmentEvent) -> dict[str, tuple[str, str]]:
    """Give for each custom ID the wire paths of its value and of its ID type; both are one where a mapping read it."""
    _, indexes, _ = read_pairs(control(event, CUSTOM_IDS) or (), ID_CODES, id_value)
    array = control_path(event, CUSTOM_IDS)
    paths = {id_type: (f"{array}[{at}]", f"{array}[{at - 1}]") for id_type, at in indexes.items()}
    return paths | {id_type: (path, path) for id_type, path in event.id_sources.items()}
