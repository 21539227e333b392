"""Segment calls: the five models, and reading them from JSON or objects; no Statsig, no configuration."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, Literal, TypeAlias

import attrs

from statsig_segment.errors import Issue, SegmentEventError
from statsig_segment.json_text import EMPTY, FrozenDict, freeze, plain, read_object
from statsig_segment.models import changed, frozen_ids, frozen_issues, frozen_object, make
from statsig_segment.pairs import ID_CODES, Report, id_text, id_value, read_pairs, reporter
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
    id_sources: Mapping[str, str] = attrs.field(default=EMPTY, converter=frozen_ids, eq=False, repr=False)
    """ID type -> the wire path that its value came from."""
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


@attrs.frozen(kw_only=True, slots=False)
class Track(_Call):
    """A track call: something that a user did, by the name `event`."""

    type: ClassVar[Literal["track"]] = "track"
    held = MappingProxyType(_HELD | {EVENT: "event"})

    event: str


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
    kind = plain(payload.get(TYPE))
    if kind is None:
        raise SegmentEventError("missing_type", f"$.{TYPE}")
    model = _CALLS.get(kind) if kind.__class__ is str else None
    if model is None:
        raise SegmentEventError("unsupported_type", f"$.{TYPE}")
    issues: list[Issue] = []
    report = reporter(issues)
    properties = _object(payload, PROPERTIES, report)
    fields: dict[str, Any] = {
        "user_id": _id(payload, USER_ID, report),
        "anonymous_id": _id(payload, ANONYMOUS_ID, report),
        "group_id": _id(payload, GROUP_ID, report),
        "message_id": _text(payload.get(MESSAGE_ID)),
        "time_ms": read_time(payload, report)[0],
        "context": _object(payload, CONTEXT, report),
        "integrations": _object(payload, INTEGRATIONS, report),
        "properties": properties,
        "other": payload,
    }
    traits: Mapping[str, Any] = EMPTY
    if model is Track:
        fields["event"] = _event(payload)
    elif model is Page or model is Screen:
        fields["name"] = _name(payload, NAME, report)
        fields["category"] = _name(payload, CATEGORY, report)
    else:
        traits = fields["traits"] = _object(payload, TRAITS, report)
    fields["custom_ids"], fields["id_sources"] = _custom_ids(properties, traits, report)
    fields["issues"] = tuple(issues)
    return make(model, fields)


def _id(payload: Mapping[str, Any], name: str, report: Report) -> str | None:
    value = payload.get(name)
    if value is None or (value.__class__ is str and value):
        return value
    text = id_text(value)
    if text is None and plain(value) is not None:
        report("id_invalid", f"$.{name}")
    return text


def _text(value: object) -> str | None:
    value = plain(value)
    return value if value.__class__ is str and value else None


def _event(payload: Mapping[str, Any]) -> str:
    event = _text(payload.get(EVENT))
    if event is None:
        raise SegmentEventError("missing_event", f"$.{EVENT}")
    return event


def _name(payload: Mapping[str, Any], name: str, report: Report) -> str | None:
    value = plain(payload.get(name))
    if value is None or value.__class__ is str:
        return value
    report("name_invalid", f"$.{name}")
    return None


def _object(payload: Mapping[str, Any], name: str, report: Report) -> Mapping[str, Any]:
    value = payload.get(name)
    if value.__class__ is dict or isinstance(value, Mapping):
        return value
    if plain(value) is not None:
        report("object_expected", f"$.{name}")
    return EMPTY


def read_time(payload: Mapping[str, Any], report: Report) -> tuple[int | None, str | None]:
    """Give the time of a call in epoch milliseconds, and the field that told it (IN-5)."""
    for name in TIME_FIELDS:
        value = payload.get(name)
        if value is not None:
            time_ms = epoch_ms(value)
            if time_ms is not None:
                return time_ms, name
            if plain(value) is not None:
                report("time_unreadable", f"$.{name}")
    return None, None


def control(properties: Mapping[str, Any], traits: Mapping[str, Any], key: str) -> tuple[Any, str]:
    """Give the value of a control key and its path: from the properties if they have it, else from the traits (ID-3)."""
    value = plain(properties.get(key))
    if value is None and traits:
        return plain(traits.get(key)), f"$.{TRAITS}.{key}"
    return value, f"$.{PROPERTIES}.{key}"


def _custom_ids(
    properties: Mapping[str, Any], traits: Mapping[str, Any], report: Report
) -> tuple[Mapping[str, str], Mapping[str, str]]:
    array, path = control(properties, traits, CUSTOM_IDS)
    if array is None:
        return EMPTY, EMPTY
    values, indexes = read_pairs(array, path, ID_CODES, id_value, report)
    return FrozenDict(values), FrozenDict({name: f"{path}[{at}]" for name, at in indexes.items()})
