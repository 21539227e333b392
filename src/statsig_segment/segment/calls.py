"""Segment calls: the five models, and reading them from JSON or objects; no Statsig, no configuration."""

from collections.abc import Callable, Mapping
from itertools import filterfalse
from operator import attrgetter
from typing import Any, ClassVar, Final, Literal, NamedTuple, TypeAlias, cast

import attrs

from statsig_segment import segment
from statsig_segment._json.javascript import scalar_text
from statsig_segment._json.models import checks, frozen, issue_tuple, made
from statsig_segment._json.paths import Arrays, FieldPath, select
from statsig_segment._json.times import epoch_ms
from statsig_segment._json.values import FrozenDict, Lost, codes_of, filled_text, is_object, read_payload
from statsig_segment.errors import Issue, SegmentEventError, add_issue, join_path
from statsig_segment.segment.arrays import ID_CODES, Kept, coerce_id, read_pairs
from statsig_segment.segment.placeholders import is_placeholder

IdSource: TypeAlias = int | str
"""Where an ID came from: the index of its value in `statsigCustomIDs`, or the wire path of the field mapped to it."""

_CHECKED: Final = checks(SegmentEventError)


def spelled_id_type(id_type: str) -> str:
    """Return the spelling of an ID type: its own, or `userID` for that name in any letter case (ID-9)."""
    return segment.USER_ID_TYPE if id_type.lower() == segment.USER_ID_TYPE.lower() else id_type


class _Field(NamedTuple):
    """How one top-level field is read: unchanged if it has the expected type and is not empty, else by `read`."""

    name: str
    attribute: str
    expected: type | None
    """The exact type; `None` if `read` has to look at every value."""
    read: Callable[[Any], Any]
    """Reads any other value: returns `None` for an unusable one, and something empty for one that counts as absent."""
    code: str | None
    """The issue code of an unusable value; `None` if it has no issue."""


def _object(value: Any) -> FrozenDict | None:
    """Read an empty object, which PHP writes as an empty array (IN-7)."""
    return FrozenDict() if value == () or is_object(value) else None


def _name(value: Any) -> str | None:
    """Read a name or category; one that is blank is absent, without an issue (US-6)."""
    return "" if type(value) is str and not value.strip() else name_part(value)


def name_part(value: Any) -> str | None:
    """Return a name or category if it counts: text that is not blank, or a number as JavaScript prints it (US-6)."""
    if type(value) is str:
        return value if value.strip() else None
    return scalar_text(value) if type(value) in {int, float} else None


_COMMON: Final = (
    _Field(segment.USER_ID, "user_id", str, coerce_id, "id_invalid"),
    _Field(segment.ANONYMOUS_ID, "anonymous_id", str, coerce_id, "id_invalid"),
    _Field(segment.GROUP_ID, "group_id", str, coerce_id, "id_invalid"),
    _Field(segment.MESSAGE_ID, "message_id", str, coerce_id, None),
    _Field(segment.CONTEXT, "context", FrozenDict, _object, "object_expected"),
    _Field(segment.INTEGRATIONS, "integrations", FrozenDict, _object, "object_expected"),
    _Field(segment.PROPERTIES, "properties", FrozenDict, _object, "object_expected"),
)
_NAMES: Final = (
    _Field(segment.NAME, "name", None, _name, "name_invalid"),
    _Field(segment.CATEGORY, "category", None, _name, "name_invalid"),
)
_TRAITS: Final = (_Field(segment.TRAITS, "traits", FrozenDict, _object, "object_expected"),)
_OF_ALL: Final = FrozenDict({field.name: field.attribute for field in _COMMON} | {segment.TYPE: "type"})


@attrs.frozen(kw_only=True, slots=False, init=False, eq=False, repr=False, field_transformer=_CHECKED)  # a base
class _Call:
    """What every call holds. IDs are text as IN-4 reads them; absent is `None`, an absent object is empty."""

    attribute_of: ClassVar[Mapping[str, str]]
    """Top-level wire name -> attribute, for the fields that the model holds."""

    user_id: str | None = None
    """The user ID: `userId`, or what a pair or mapping named `userID` gives (ID-9)."""
    anonymous_id: str | None = None
    """`anonymousId`, which Segment's clients generate for visitors who have not logged in."""
    group_id: str | None = None
    """`groupId`, the account or company of the user."""
    message_id: str | None = None
    """`messageId`, the same for each delivery of one call; it is never sent (IN-9)."""
    time_ms: int | None = None
    """The time in epoch milliseconds: the first of `timestamp`, `originalTimestamp`, `receivedAt`, `sentAt` that reads
    as one (IN-5)."""
    context: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """`context`: what the client knows of device, page and library."""
    integrations: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """`integrations`: the destinations that the sender switched on and off (FL-4)."""
    properties: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """`properties`: what the sender says about the event."""
    custom_ids: Mapping[str, str] = attrs.field(factory=FrozenDict)
    """ID type -> ID: those of `statsigCustomIDs` (ID-2) and, once mapped, those of the mappings (ID-4)."""
    other: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """The top-level fields that no other attribute holds as they were sent. Mappings can read them (ID-4, IN-7)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=issue_tuple)
    """What the sender should know about the call."""
    _id_sources: Mapping[str, IdSource] = attrs.field(
        factory=FrozenDict, converter=frozen, repr=False, alias="_id_sources"
    )
    """ID type -> where the ID came from, for all but a `userId` of the call itself; `userID` is among them (ID-9)."""
    _losses: Mapping[str, Lost] = attrs.field(factory=FrozenDict, converter=frozen, repr=False, alias="_losses")
    """What could not be read, by top-level field: an issue where it would have been sent (IN-10, TR-5)."""


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class Track(_Call):
    """A track call: something that a user did, by the name `event`."""

    type: ClassVar[Literal["track"]] = "track"
    attribute_of = FrozenDict(_OF_ALL | {segment.EVENT: "event"})

    event: str
    """The name of the event."""


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class _View(_Call):
    """What page and screen calls share: their constructor, comparison and `repr`, made once for both."""

    attribute_of = FrozenDict(_OF_ALL | {field.name: field.attribute for field in _NAMES})

    name: str | None = None
    """`name`, if it is not blank; a number as its digits (US-6)."""
    category: str | None = None
    """`category`, read like the name."""


class Page(_View):
    """A page call: a user saw a page of a web site."""

    type: ClassVar[Literal["page"]] = "page"


class Screen(_View):
    """A screen call: a user saw a screen of an app."""

    type: ClassVar[Literal["screen"]] = "screen"


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class _WithTraits(_Call):
    """What group and identify calls share, likewise."""

    attribute_of = FrozenDict(_OF_ALL | {segment.TRAITS: "traits"})

    traits: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """`traits`: what the sender says about the user or group."""


class Group(_WithTraits):
    """A group call: a user belongs to a group, whose traits these are."""

    type: ClassVar[Literal["group"]] = "group"


class Identify(_WithTraits):
    """An identify call: who a user is. It makes no event; audiences arrive as identify calls (AU-1)."""

    type: ClassVar[Literal["identify"]] = "identify"


SegmentEvent: TypeAlias = Track | Page | Screen | Group | Identify

_MODELS: Final[Mapping[str, type[SegmentEvent]]] = FrozenDict(
    {model.type: model for model in (Track, Page, Screen, Group, Identify)}
)
_FIELDS: Final[Mapping[str, tuple[_Field, ...]]] = FrozenDict(
    {Track.type: _COMMON}
    | dict.fromkeys((Page.type, Screen.type), _COMMON + _NAMES)
    | dict.fromkeys((Group.type, Identify.type), _COMMON + _TRAITS)
)
CALL_TYPES: Final = tuple(_MODELS)
"""The five types of call, as on the wire."""


# -- Parsing ----------------------------------------------------------------------------------------------------------


def parse_segment_event(payload: Mapping[str, Any] | str | bytes) -> SegmentEvent:
    """Parse one Segment call.

    Args:
        payload: A mapping, or JSON text as `str` or UTF-8 `bytes`.

    Returns:
        The call, immutable all the way down, with the issues found on the way. Its time is in epoch milliseconds.
        Top-level fields that Segment does not know are kept in `other`.

    Raises:
        SegmentEventError: With code `invalid_json`, `not_an_object`, `missing_type`, `unsupported_type` or
            `missing_event`.
        TranslationError: With code `number_too_long`, for a number of more than 4,300 digits.

    Rules: IN-1 to IN-7, IN-9, IN-10, ID-2, ID-3, ID-8, ID-9, TR-5.
    Source: Segment's spec of the calls, Statsig's page on Segment.

    >>> call = parse_segment_event('{"type": "track", "event": "Signed Up", "userId": 42, "timestamp": "2024-03-01"}')
    >>> assert isinstance(call, Track)
    >>> call.event, call.user_id, call.time_ms
    ('Signed Up', '42', 1709251200000)

    """
    fields, losses = read_payload(payload, SegmentEventError)
    model = _model_of(fields)
    issues: list[Issue] = []
    other = {name: fields[name] for name in filterfalse(model.attribute_of.__contains__, fields)}
    held: dict[str, Any] = {}
    for name, attribute, expected, read, code in _FIELDS[model.type]:
        value = fields.get(name)
        if type(value) is expected and value:
            held[attribute] = value
            continue
        found = None if value is None else read(value)
        held[attribute] = found or (FrozenDict() if expected is FrozenDict else None)
        if value is not None and value is not held[attribute]:
            other[name] = value
        if found is None and code is not None and (value is not None or losses):
            _note_unusable(code, name, value, losses, issues)
    held["time_ms"], _ = read_time(fields, losses, issues)
    if model is Track:  # IN-3
        held["event"] = fields.get(segment.EVENT)
        if filled_text(held["event"]) is None:
            raise SegmentEventError("missing_event", f"$.{segment.EVENT}")
    held["other"] = FrozenDict(other)
    _read_ids(held, losses, issues)
    held["_losses"] = losses
    held["issues"] = tuple(dict.fromkeys(issues)) if issues else ()
    return made(model, held)


def _model_of(fields: FrozenDict) -> type[SegmentEvent]:
    """Select the model by the type of the call, matched exactly (IN-2)."""
    kind = fields.get(segment.TYPE)
    if kind is None:
        is_event_bridge = is_object(fields.get(segment.DETAIL)) and type(fields.get(segment.DETAIL_TYPE)) is str
        is_envelope = segment.BATCH in fields or is_event_bridge  # IN-8
        message = "the call has no type; split_segment_batch takes an envelope apart" if is_envelope else None
        raise SegmentEventError("missing_type", f"$.{segment.TYPE}", message)
    if type(kind) is not str or kind not in _MODELS:
        raise SegmentEventError("unsupported_type", f"$.{segment.TYPE}")
    return _MODELS[kind]


def _note_unusable(code: str, name: str, value: Any, losses: Mapping[str, Lost], issues: list[Issue]) -> None:
    """Note a top-level field that could not be read, or whose value is not null and unusable."""
    lost = losses.get(name)
    if isinstance(lost, str):
        add_issue(issues, lost, f"$.{name}")
    elif value is not None:
        add_issue(issues, code, f"$.{name}")


def read_time(
    fields: Mapping[str, Any], losses: Mapping[str, Lost], issues: list[Issue]
) -> tuple[int | None, str | None]:
    """Read the time of a call in epoch milliseconds, and return with it the first field that reads as one (IN-5)."""
    for name in segment.TIME_FIELDS:
        value = fields.get(name)
        if value is None and not losses:
            continue
        time_ms = epoch_ms(value)
        if time_ms is not None:
            received_ms = epoch_ms(fields.get(segment.RECEIVED_AT))
            if received_ms is not None and time_ms > received_ms + PLAUSIBLE_MS:
                add_issue(issues, "time_implausible", f"$.{name}")
            return time_ms, name
        _note_unusable("time_unreadable", name, value, losses, issues)
    return None, None


PLAUSIBLE_MS: Final = 3_600_000
"""The most by which a call's time may be later than its arrival. A wrong clock is off by seconds or minutes; a local
time sent as UTC is off by an hour or more."""


def _read_ids(held: dict[str, Any], losses: Mapping[str, Lost], issues: list[Issue]) -> None:
    """Read `statsigCustomIDs`, and see to the user ID, which a pair may fill (ID-2, ID-8, ID-9)."""
    user_id = held["user_id"]
    is_nobody = user_id is None or is_placeholder(user_id)
    if is_nobody and user_id is not None:
        add_issue(issues, "id_placeholder", f"$.{segment.USER_ID}")
    is_in_traits = segment.TRAITS in held and held[segment.PROPERTIES].get(segment.CUSTOM_IDS) is None
    holder = segment.TRAITS if is_in_traits else segment.PROPERTIES
    array, path = held[holder].get(segment.CUSTOM_IDS), f"$.{holder}.{segment.CUSTOM_IDS}"
    lost = losses.get(holder)
    if is_object(lost):
        for code in codes_of(lost.get(segment.CUSTOM_IDS)):
            add_issue(issues, code, path)
    ids: dict[str, str] = {}
    sources: dict[str, int] = {}
    pairs = {} if array is None else read_pairs(array, path, ID_CODES, read_id, issues, spelled_id_type)
    for id_type, (text, index) in pairs.items():
        if id_type != segment.USER_ID_TYPE:
            ids[id_type], sources[id_type] = text, index
        elif is_nobody:
            held["user_id"], sources[id_type] = text, index
            if user_id is not None:  # mapping rows still find the placeholder that was sent
                held["other"] = FrozenDict({segment.USER_ID: user_id, **held["other"]})
        elif text != user_id:
            add_issue(issues, "custom_id_is_user_id", f"{path}[{index - 1}]")
    held["custom_ids"], held["_id_sources"] = FrozenDict(ids), FrozenDict(sources)


def read_id(value: Any) -> Kept:
    """Read the value of a pair of `statsigCustomIDs` (ID-2, ID-8)."""
    text = coerce_id(value)
    if text is None:
        return None, ("custom_id_value",)
    return text, ("id_placeholder",) if is_placeholder(text) else ()


# -- Looking things up in a call --------------------------------------------------------------------------------------

id_sources: Final[Callable[[SegmentEvent], Mapping[str, IdSource]]] = attrgetter("_id_sources")
"""Returns where the IDs of a call came from, by ID type."""
losses_of: Final[Callable[[SegmentEvent], Mapping[str, Lost]]] = attrgetter("_losses")
"""Returns what could not be read in a call, by top-level field."""


def controls(call: SegmentEvent, *keys: str) -> list[tuple[Any, str]]:
    """Return the values of control keys, each of which may be `None`, and their wire paths (ID-3).

    A key is read from the properties if they have it, else from the traits.
    """
    found: list[tuple[Any, str]] = []
    for key in keys:
        value, holder = call.properties.get(key), segment.PROPERTIES
        if value is None and isinstance(call, _WithTraits):
            value, holder = call.traits.get(key), segment.TRAITS
        found.append((value, f"$.{holder}.{key}"))
    return found


def find(call: SegmentEvent, field: FieldPath, arrays: Arrays) -> tuple[Any, str]:
    """Return a field of a call as it was sent, or `None`, and its wire path (ID-4).

    A top-level field of exactly that name stops the walk. Pass the same `arrays` to look up many fields of one call.
    """
    if field.field in call.other:
        return call.other[field.field], field.top_path
    return walk(_top_level(call, field.name), field, arrays)


def _top_level(call: SegmentEvent, name: str) -> Any:
    attribute = call.attribute_of.get(name)
    if attribute is None or name in call.other:
        return call.other.get(name)
    if attribute == "user_id" and segment.USER_ID_TYPE in id_sources(call):  # it came from elsewhere
        return None
    return getattr(call, attribute) or None


def walk(value: Any, field: FieldPath, arrays: Arrays) -> tuple[Any, str]:
    """Return the value that the further steps of a path lead to from a top-level one, or `None`, and its wire path."""
    indexes: tuple[int, ...] = ()
    for move in field.moves:
        if value is None:
            return None, field.path
        if isinstance(move, str):
            value = value.get(move) if type(value) is FrozenDict else None
        else:
            index, value = select(value, move, arrays)
            indexes = (*indexes, index)
    return value, field.path % indexes if indexes and value is not None else field.path


def find_all(call: SegmentEvent, table: Mapping[str, FieldPath], arrays: Arrays) -> dict[str, tuple[Any, str]]:
    """Return what `find` returns for each path of a table of the configuration."""
    return {name: find(call, field, arrays) for name, field in table.items()}


def lost_at(call: SegmentEvent, field: FieldPath, arrays: Arrays) -> tuple[Lost, str]:
    """Return what could not be read of the value that a path leads to or through, and its wire path (IN-10, TR-5)."""
    losses = losses_of(call)
    if field.field in losses:
        return losses[field.field], field.top_path
    value, lost, path = _top_level(call, field.name), losses.get(field.name), join_path("$", field.name)
    for move in field.moves:
        if not is_object(lost):
            break
        if isinstance(move, str):
            value = value.get(move) if is_object(value) else None
            lost, path = lost.get(move), join_path(path, move)
        else:
            index, value = select(value, move, arrays)
            items = cast("Mapping[Any, Any]", lost)
            if value is None:  # the object that the selector looks for may be one that could not be read
                index = next((at for at, code in items.items() if isinstance(at, int) and isinstance(code, str)), -1)
            lost, path = items.get(index), f"{path}[{index}]"
    return lost, path
