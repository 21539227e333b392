"""Segment calls: the five models, and reading them from JSON or objects; no Statsig, no configuration."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias

import attrs

from statsig_segment._times import epoch_ms
from statsig_segment._values import EMPTY, FlatDict, FrozenDict, freeze, is_object, plain, read_object
from statsig_segment.errors import Issue, SegmentEventError, note
from statsig_segment.even_odd import ID_CODES, id_text, id_value, note_problems, read_pairs
from statsig_segment.models import changed, defaults_on_class, frozen_ids, frozen_issues, frozen_object, make

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
    id_sources: Mapping[str, str] = attrs.field(default=EMPTY, converter=frozen_ids, eq=False, repr=False)
    """ID type -> the wire path that a mapping read its value from; the others are from `statsigCustomIDs`."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=frozen_issues)


_HELD: Final = FrozenDict(
    {
        USER_ID: "user_id",
        ANONYMOUS_ID: "anonymous_id",
        GROUP_ID: "group_id",
        MESSAGE_ID: "message_id",
        CONTEXT: "context",
        INTEGRATIONS: "integrations",
        PROPERTIES: "properties",
        TYPE: "type",
    }
)


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class Track(_Call):
    """A track call: something that a user did, by the name `event`."""

    type: ClassVar[Literal["track"]] = "track"
    held = FrozenDict(_HELD | {EVENT: "event"})

    event: str


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class _View(_Call):
    """What page and screen calls share."""

    held = FrozenDict(_HELD | {NAME: "name", CATEGORY: "category"})

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

    held = FrozenDict(_HELD | {TRAITS: "traits"})

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

_CALLS: Final[Mapping[str, type[SegmentEvent]]] = FrozenDict(
    {call.type: call for call in (Track, Page, Screen, Group, Identify)}
)
HELD_BY_ANY: Final = FrozenDict({name: attribute for call in _CALLS.values() for name, attribute in call.held.items()})
"""Top-level wire name -> attribute, for the fields that any type of call holds."""
CALL_TYPES: Final = tuple(_CALLS)
"""The five types of call, as on the wire."""


def parse_segment_event(payload: Mapping[str, Any] | str | bytes) -> SegmentEvent:
    """Read one Segment call.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a `Track`, `Page`, `Screen`, `Group` or `Identify`
    out, immutable all the way down, with the issues found on the way. Unknown top-level fields are kept in `other`.
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
    other = FrozenDict({name: value for name, value in whole.items() if not _holds(call, name, value)})
    return changed(call, other=other, custom_ids=FlatDict(call.custom_ids))


def _holds(call: SegmentEvent, name: str, value: object) -> bool:
    """Tell whether the model says all that a top-level field says."""
    attribute = call.held.get(name)
    held = None if attribute is None else getattr(call, attribute)
    return attribute is not None and (value is None or (held is not None and held is not EMPTY))


def read_call(payload: Mapping[str, Any]) -> SegmentEvent:  # noqa: C901, PLR0912 - one pass, usual kinds inline
    """Read one call without copying or freezing: the model borrows from the payload, and must not leave the library."""
    get = payload.get
    kind = get(TYPE)
    model = (_CALLS.get(kind) if type(kind) is str else None) or _odd_type(kind)
    issues: list[Issue] = []
    # A value of the usual kind is taken as it is; the functions are for all others.
    user_id, anonymous_id, group_id = get(USER_ID), get(ANONYMOUS_ID), get(GROUP_ID)
    if user_id is not None and (type(user_id) is not str or not user_id):
        user_id = _odd_id(user_id, USER_ID, issues)
    if anonymous_id is not None and (type(anonymous_id) is not str or not anonymous_id):
        anonymous_id = _odd_id(anonymous_id, ANONYMOUS_ID, issues)
    if group_id is not None and (type(group_id) is not str or not group_id):
        group_id = _odd_id(group_id, GROUP_ID, issues)
    message_id = get(MESSAGE_ID)
    if message_id is not None and (type(message_id) is not str or not message_id):
        message_id = _text(message_id)
    context, integrations, properties = get(CONTEXT), get(INTEGRATIONS), get(PROPERTIES)
    if type(context) is not dict:
        context = _odd_object(context, CONTEXT, issues)
    if type(integrations) is not dict:
        integrations = _odd_object(integrations, INTEGRATIONS, issues)
    if type(properties) is not dict:
        properties = _odd_object(properties, PROPERTIES, issues)
    fields: dict[str, Any] = {
        "user_id": user_id,
        "anonymous_id": anonymous_id,
        "group_id": group_id,
        "message_id": message_id,
        "time_ms": read_time(payload, issues)[0],
        "context": context,
        "integrations": integrations,
        "properties": properties,
        "other": payload,
    }
    if model is Track:
        event = get(EVENT)
        fields["event"] = event if type(event) is str and event else _odd_event(event)
    elif model is Page or model is Screen:
        fields["name"] = _name(get(NAME), NAME, issues)
        fields["category"] = _name(get(CATEGORY), CATEGORY, issues)
    else:
        fields["traits"] = _odd_object(get(TRAITS), TRAITS, issues)
    call = make(model, fields)
    array = control(call, CUSTOM_IDS)
    if array is not None:
        values, _, problems = read_pairs(array, ID_CODES, id_value)
        fields["custom_ids"] = values
        if problems:
            note_problems(problems, control_path(call, CUSTOM_IDS), issues)
    if issues:
        fields["issues"] = tuple(issues)
    return call


def _odd_type(kind: object) -> type[SegmentEvent]:
    kind = plain(kind)
    model = _CALLS.get(kind) if isinstance(kind, str) else None
    if model is None:
        raise SegmentEventError("missing_type" if kind is None else "unsupported_type", f"$.{TYPE}")
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
    return value if value and isinstance(value, str) else None


def _odd_event(value: object) -> str:
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


def control(event: SegmentEvent, key: str) -> Any:
    """Give the value of a control key: from the properties if they have it, else from the traits (ID-3)."""
    value = event.properties.get(key)
    if value is None and isinstance(event, _Traits):
        value = event.traits.get(key)
    return value if value is None else plain(value)


def control_path(event: SegmentEvent, key: str) -> str:
    """Give the wire path of a control key."""
    in_traits = isinstance(event, _Traits) and plain(event.properties.get(key)) is None
    return f"$.{TRAITS if in_traits else PROPERTIES}.{key}"
