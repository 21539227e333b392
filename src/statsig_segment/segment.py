"""Segment calls: the five models, and reading them from JSON or objects; no Statsig, no configuration."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, TypeAlias

import attrs

from statsig_segment.errors import Issue, SegmentEventError, note
from statsig_segment.json_text import EMPTY, FlatDict, FrozenDict, freeze, is_object, plain, read_object
from statsig_segment.models import changed, defaults_on_class, frozen_ids, frozen_issues, frozen_object, make
from statsig_segment.pairs import ID_CODES, id_text, id_value, read_pairs
from statsig_segment.times import epoch_ms

# Segment's wire names, each here and nowhere else.
TYPE: Final = "type"
EVENT: Final = "event"
NAME: Final = "name"
CATEGORY: Final = "category"
USER_ID: Final = "userId"
ANONYMOUS_ID: Final = "anonymousId"
GROUP_ID: Final = "groupId"
MESSAGE_ID: Final = "messageId"
CONTEXT: Final = "context"
INTEGRATIONS: Final = "integrations"
PROPERTIES: Final = "properties"
TRAITS: Final = "traits"
TIMESTAMP: Final = "timestamp"
RECEIVED_AT: Final = "receivedAt"
SENT_AT: Final = "sentAt"
TIME_FIELDS: Final = (TIMESTAMP, "originalTimestamp", RECEIVED_AT, SENT_AT)
"""The fields that may tell the time, in order (IN-5)."""

# The control keys, by which an event speaks to Statsig.
CUSTOM_IDS: Final = "statsigCustomIDs"
CUSTOM: Final = "statsigCustom"
ENVIRONMENT: Final = "statsigEnvironment"
CONTROL_KEYS: Final = frozenset({CUSTOM_IDS, CUSTOM, ENVIRONMENT})


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class _Call:
    """What every call holds. IDs are text as IN-4 reads them; absent is `None`, an absent object is empty."""

    held: ClassVar[Mapping[str, str]]
    """Top-level wire name -> attribute, for the fields that the model holds."""

    user_id: str | None = None
    anonymous_id: str | None = None
    group_id: str | None = None
    message_id: str | None = None
    time_ms: int | None = None
    """Epoch milliseconds: the first of `TIME_FIELDS` that reads as a time (IN-5)."""
    context: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    integrations: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    properties: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    custom_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=frozen_ids)
    """ID type -> ID: those of `statsigCustomIDs` (ID-2) and, once mapped, those of the mappings (ID-4)."""
    other: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    """All other top-level fields as they came; they can be mapped (IN-7)."""
    id_sources: Mapping[str, int | str] = attrs.field(default=EMPTY, converter=frozen_object, eq=False, repr=False)
    """ID type -> where its value came from: the index in `statsigCustomIDs`, or the path that a mapping read."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=frozen_issues)


_HELD: Final = {
    USER_ID: "user_id",
    ANONYMOUS_ID: "anonymous_id",
    GROUP_ID: "group_id",
    MESSAGE_ID: "message_id",
    CONTEXT: "context",
    INTEGRATIONS: "integrations",
    PROPERTIES: "properties",
    TYPE: "type",
}


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class Track(_Call):
    """A track call: something that a user did, by the name `event`."""

    type: ClassVar[Literal["track"]] = "track"
    held = MappingProxyType(_HELD | {EVENT: "event"})

    event: str


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class _View(_Call):
    """What page and screen calls share."""

    held = MappingProxyType(_HELD | {NAME: "name", CATEGORY: "category"})

    name: str | None = None
    category: str | None = None


@attrs.frozen(kw_only=True, slots=False)
class Page(_View):
    """A page call: a user saw a page of a web site."""

    type: ClassVar[Literal["page"]] = "page"


@attrs.frozen(kw_only=True, slots=False)
class Screen(_View):
    """A screen call: a user saw a screen of an app."""

    type: ClassVar[Literal["screen"]] = "screen"


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class _Traits(_Call):
    """What group and identify calls share."""

    held = MappingProxyType(_HELD | {TRAITS: "traits"})

    traits: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)


@attrs.frozen(kw_only=True, slots=False)
class Group(_Traits):
    """A group call: a user belongs to a group, whose traits these are."""

    type: ClassVar[Literal["group"]] = "group"


@attrs.frozen(kw_only=True, slots=False)
class Identify(_Traits):
    """An identify call: who a user is. It makes no event; audiences arrive as such calls (AU-1)."""

    type: ClassVar[Literal["identify"]] = "identify"


SegmentEvent: TypeAlias = Track | Page | Screen | Group | Identify

_CALLS: Final[Mapping[str, type[SegmentEvent]]] = MappingProxyType(
    {call.type: call for call in (Track, Page, Screen, Group, Identify)}
)
CALL_TYPES: Final = tuple(_CALLS)
"""The five types of call, as on the wire."""

_IDS: Final = ((USER_ID, "user_id"), (ANONYMOUS_ID, "anonymous_id"), (GROUP_ID, "group_id"))
_OBJECTS: Final = ((CONTEXT, "context"), (INTEGRATIONS, "integrations"), (PROPERTIES, "properties"))
_OBJECTS_OF: Final[Mapping[type[SegmentEvent], tuple[tuple[str, str], ...]]] = MappingProxyType(
    {call: (*_OBJECTS, (TRAITS, "traits")) if issubclass(call, _Traits) else _OBJECTS for call in _CALLS.values()}
)
"""Model -> its free-form objects: wire name and attribute."""


def parse_segment_event(payload: Mapping[str, Any] | str | bytes) -> SegmentEvent:
    """Read one Segment call.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a `Track`, `Page`, `Screen`, `Group` or `Identify` out,
    immutable all the way down, with the issues found on the way. Unknown top-level fields are kept in `other`.
    Units: `time_ms` is in epoch milliseconds.
    Errors: `SegmentEventError` with code `invalid_json`, `not_an_object`, `missing_type`, `unsupported_type` or
    `missing_event`; `number_too_long` for a number of more than 4,300 digits.
    Rules: IN-1 to IN-7, IN-9, ID-2, ID-3. Source: Segment's spec of the calls, Statsig's page on Segment.

    >>> call = parse_segment_event('{"type": "track", "event": "Signed Up", "userId": 42, "timestamp": "2024-03-01"}')
    >>> call.event, call.user_id, call.time_ms
    ('Signed Up', '42', 1709251200000)
    """
    whole = freeze(read_object(payload, SegmentEventError))
    call = read_call(whole)
    return changed(call, other=FrozenDict({name: whole[name] for name in whole if name not in call.held}))


def read_call(payload: Mapping[str, Any]) -> SegmentEvent:
    """Read one call without copying: the model borrows from the payload, and must not leave the library."""
    get = payload.get
    model = _model(get(TYPE))
    issues: list[Issue] = []
    # What is of the usual kind is taken as it is; the functions are for what is not.
    fields: dict[str, Any] = {"other": payload, "time_ms": read_time(payload, issues)[0]}
    for name, attribute in _IDS:
        value = get(name)
        if value is not None:
            fields[attribute] = value if value.__class__ is str and value else _odd_id(value, name, issues)
    for name, attribute in _OBJECTS_OF[model]:
        value = get(name)
        if value is not None:
            fields[attribute] = value if value.__class__ is dict else _odd_object(value, name, issues)
    message_id = get(MESSAGE_ID)
    if message_id is not None:
        fields["message_id"] = _text(message_id)
    if model is Track:
        fields["event"] = _event(get(EVENT))
    elif model is Page or model is Screen:
        fields["name"] = _name(get(NAME), NAME, issues)
        fields["category"] = _name(get(CATEGORY), CATEGORY, issues)
    properties, traits = fields.get("properties", EMPTY), fields.get("traits", EMPTY)
    if CUSTOM_IDS in properties or CUSTOM_IDS in traits:
        fields |= _custom_ids(properties, traits, issues)
    if issues:
        fields["issues"] = tuple(issues)
    return make(model, fields)


def _model(kind: object) -> type[SegmentEvent]:
    kind = plain(kind)
    if kind is None:
        raise SegmentEventError("missing_type", f"$.{TYPE}")
    model = _CALLS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise SegmentEventError("unsupported_type", f"$.{TYPE}")
    return model


def _odd_id(value: object, name: str, issues: list[Issue]) -> str | None:
    text = id_text(value)
    if text is None and plain(value) is not None:
        note(issues, "id_invalid", f"$.{name}")
    return text


def _odd_object(value: object, name: str, issues: list[Issue]) -> Mapping[str, Any]:
    if is_object(value):
        return value
    if plain(value) is not None:
        note(issues, "object_expected", f"$.{name}")
    return EMPTY


def _text(value: object) -> str | None:
    value = plain(value)
    return value if isinstance(value, str) and value else None


def _event(value: object) -> str:
    event = _text(value)
    if event is None:
        raise SegmentEventError("missing_event", f"$.{EVENT}")
    return event


def _name(value: object, name: str, issues: list[Issue]) -> str | None:
    value = plain(value)
    if value is None or isinstance(value, str):
        return value
    note(issues, "name_invalid", f"$.{name}")
    return None


def read_time(payload: Mapping[str, Any], issues: list[Issue]) -> tuple[int | None, str | None]:
    """Give the time of a call in epoch milliseconds, and the field that told it (IN-5)."""
    for name in TIME_FIELDS:
        value = payload.get(name)
        if value is not None:
            time_ms = epoch_ms(value)
            if time_ms is not None:
                return time_ms, name
            if plain(value) is not None:
                note(issues, "time_unreadable", f"$.{name}")
    return None, None


def control(properties: Mapping[str, Any], traits: Mapping[str, Any], key: str) -> tuple[Any, str]:
    """Give the value of a control key and its path: from the properties if they have it, else from the traits (ID-3)."""
    value = plain(properties.get(key))
    if value is None and traits:
        return plain(traits.get(key)), f"$.{TRAITS}.{key}"
    return value, f"$.{PROPERTIES}.{key}"


def control_of(event: SegmentEvent, key: str) -> tuple[Any, str]:
    """Give the value of a control key of a call, and its path (ID-3)."""
    return control(event.properties, event.traits if isinstance(event, _Traits) else EMPTY, key)


def _custom_ids(properties: Mapping[str, Any], traits: Mapping[str, Any], issues: list[Issue]) -> dict[str, Any]:
    array, path = control(properties, traits, CUSTOM_IDS)
    if array is None:
        return {}
    values, indexes = read_pairs(array, path, ID_CODES, id_value, issues)
    return {"custom_ids": FlatDict(values), "id_sources": FlatDict(indexes)}
