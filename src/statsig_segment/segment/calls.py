"""Segment calls: the five models, and reading them from JSON or objects; no Statsig, no configuration."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Final, Literal, TypeAlias

import attrs

from statsig_segment import segment
from statsig_segment._json.javascript import scalar_text
from statsig_segment._json.paths import FieldPath, Found, select, walk
from statsig_segment._json.times import DAY_MS, epoch_ms
from statsig_segment._json.values import (
    EMPTY,
    FrozenDict,
    Loss,
    Steps,
    filled_text,
    freeze_object,
    is_object,
    read_payload,
)
from statsig_segment.errors import Issue, SegmentEventError, add_issue, join_path
from statsig_segment.segment.arrays import ID_CODES, Pair, coerce_id, read_pairs
from statsig_segment.segment.placeholders import is_placeholder

IdSource: TypeAlias = tuple[str, str]
"""The wire paths of an ID and of its ID type; both are the same where a mapping read it."""


def spelled_id_type(id_type: str) -> str:
    """Give the spelling under which an ID type is kept: its own, but for the user ID in any letter case (ID-9)."""
    return segment.USER_ID_TYPE if id_type.lower() == segment.USER_ID_TYPE.lower() else id_type


def _tuple_of_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(issues)


def _tuple_of_losses(losses: Iterable[Loss]) -> tuple[Loss, ...]:
    return tuple(losses)


@attrs.frozen(kw_only=True, slots=False, init=False, eq=False, repr=False)  # only its subclasses are made
class _Call:
    """What every call holds. IDs are text as IN-4 reads them; absent is `None`, an absent object is empty."""

    attribute_of: ClassVar[Mapping[str, str]]
    """Top-level wire name -> attribute, for the fields that the model holds."""

    user_id: str | None = None
    anonymous_id: str | None = None
    group_id: str | None = None
    message_id: str | None = None
    time_ms: int | None = None
    """Epoch milliseconds: the first of `TIME_FIELDS` that reads as a time (IN-5)."""
    context: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)
    integrations: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)
    properties: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)
    custom_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=freeze_object)
    """ID type -> ID: those of `statsigCustomIDs` (ID-2) and, once mapped, those of the mappings (ID-4)."""
    other: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)
    """The top-level fields that the attributes above do not hold as they came; they can be mapped (IN-7)."""
    time_source: str | None = None
    """The field of `TIME_FIELDS` that holds the time."""
    id_sources: Mapping[str, IdSource] = attrs.field(default=EMPTY, converter=freeze_object)
    """ID type -> where the ID came from, for all but a `userId` of the call itself; `userID` is among them (ID-9)."""
    losses: tuple[Loss, ...] = attrs.field(default=(), converter=_tuple_of_losses)
    """Values that JSON does not have, or that lay too deep: an issue where they would have been sent (IN-10, TR-5)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=_tuple_of_issues)


_HELD_BY_ALL: Final = FrozenDict(
    {
        segment.USER_ID: "user_id",
        segment.ANONYMOUS_ID: "anonymous_id",
        segment.GROUP_ID: "group_id",
        segment.MESSAGE_ID: "message_id",
        segment.CONTEXT: "context",
        segment.INTEGRATIONS: "integrations",
        segment.PROPERTIES: "properties",
        segment.TYPE: "type",
    }
)


@attrs.frozen(kw_only=True, slots=False)
class Track(_Call):
    """A track call: something that a user did, by the name `event`."""

    type: ClassVar[Literal["track"]] = "track"
    attribute_of = FrozenDict(_HELD_BY_ALL | {segment.EVENT: "event"})

    event: str


@attrs.frozen(kw_only=True, slots=False, init=False, eq=False, repr=False)  # only its subclasses are made
class _View(_Call):
    """What page and screen calls share."""

    attribute_of = FrozenDict(_HELD_BY_ALL | {segment.NAME: "name", segment.CATEGORY: "category"})

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


@attrs.frozen(kw_only=True, slots=False, init=False, eq=False, repr=False)  # only its subclasses are made
class _WithTraits(_Call):
    """What group and identify calls share."""

    attribute_of = FrozenDict(_HELD_BY_ALL | {segment.TRAITS: "traits"})

    traits: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)


@attrs.frozen(kw_only=True, slots=False)
class Group(_WithTraits):
    """A group call: a user belongs to a group, whose traits these are."""

    type: ClassVar[Literal["group"]] = "group"


@attrs.frozen(kw_only=True, slots=False)
class Identify(_WithTraits):
    """An identify call: who a user is. It makes no event; audiences arrive as identify calls (AU-1)."""

    type: ClassVar[Literal["identify"]] = "identify"


SegmentEvent: TypeAlias = Track | Page | Screen | Group | Identify

_MODELS: Final[Mapping[str, type[SegmentEvent]]] = FrozenDict(
    {model.type: model for model in (Track, Page, Screen, Group, Identify)}
)
CALL_TYPES: Final = tuple(_MODELS)
"""The five types of call, as on the wire."""


# -- Parsing ----------------------------------------------------------------------------------------------------------


def parse_segment_event(payload: Mapping[str, Any] | str | bytes) -> SegmentEvent:
    """Read one Segment call.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a `Track`, `Page`, `Screen`, `Group` or `Identify`
    out, immutable all the way down, with the issues found on the way. Unknown top-level fields are kept in `other`.
    Units: `time_ms` is in epoch milliseconds.
    Errors: `SegmentEventError` with code `invalid_json`, `not_an_object`, `missing_type`, `unsupported_type` or
    `missing_event`; `number_too_long` for a number of more than 4,300 digits.
    Rules: IN-1 to IN-7, IN-9, IN-10, ID-2, ID-3, ID-8, ID-9, TR-5. Source: Segment's spec of the calls, Statsig's page
    on Segment.

    >>> call = parse_segment_event('{"type": "track", "event": "Signed Up", "userId": 42, "timestamp": "2024-03-01"}')
    >>> assert isinstance(call, Track)
    >>> call.event, call.user_id, call.time_ms
    ('Signed Up', '42', 1709251200000)
    """
    losses: list[Loss] = []
    fields = read_payload(payload, SegmentEventError, losses)
    model = _read_type(fields)
    reading = _Reading(fields, losses)
    attributes = reading.common_attributes() | _OWN_ATTRIBUTES[model.type](reading)
    attributes |= reading.ids(attributes)
    held = model.attribute_of
    other = {
        name: value
        for name, value in fields.items()
        if name not in held or (name != segment.TYPE and not _holds(attributes[held[name]], value))
    }
    return model(**attributes, other=FrozenDict(other), losses=losses, issues=dict.fromkeys(reading.issues))


def _holds(held: Any, value: Any) -> bool:
    """Say whether what the model holds of a top-level field is the field as it came."""
    return value is None or (bool(held) and (held == value or held == coerce_id(value)))


def _read_type(fields: FrozenDict) -> type[SegmentEvent]:
    """Select the model by the type of the call, matched exactly (IN-2)."""
    kind = fields.get(segment.TYPE)
    if kind is None:
        raise SegmentEventError("missing_type", f"$.{segment.TYPE}", _missing_type_message(fields))
    if type(kind) is not str or kind not in _MODELS:
        raise SegmentEventError("unsupported_type", f"$.{segment.TYPE}")
    return _MODELS[kind]


def _missing_type_message(fields: FrozenDict) -> str | None:
    """Say what takes an envelope apart, where the payload is one (IN-8)."""
    is_envelope = segment.BATCH in fields or (
        is_object(fields.get(segment.DETAIL)) and type(fields.get(segment.DETAIL_TYPE)) is str
    )
    return "the call has no type; split_segment_batch takes an envelope apart" if is_envelope else None


class _Reading:
    """One call being read: its fields, and the issues found so far."""

    def __init__(self, fields: FrozenDict, losses: list[Loss]) -> None:
        self.fields = fields
        self.losses = losses
        self.issues: list[Issue] = []

    def common_attributes(self) -> dict[str, Any]:
        """Read what every type of call has."""
        return {
            "user_id": self.id(segment.USER_ID),
            "anonymous_id": self.id(segment.ANONYMOUS_ID),
            "group_id": self.id(segment.GROUP_ID),
            "message_id": filled_text(self.fields.get(segment.MESSAGE_ID)),
            "context": self.object(segment.CONTEXT),
            "integrations": self.object(segment.INTEGRATIONS),
            "properties": self.object(segment.PROPERTIES),
            **self.time(),
        }

    def _unusable(self, code: str, name: str) -> None:
        """Add the issue for a top-level field that is present, not null, and of no use."""
        loss = lost_at(self.losses, (name,))
        if loss is not None:
            add_issue(self.issues, loss.code, f"$.{name}")
        elif self.fields.get(name) is not None:
            add_issue(self.issues, code, f"$.{name}")

    def id(self, name: str) -> str | None:
        """Read a top-level ID (IN-4)."""
        text = coerce_id(self.fields.get(name))
        if text is None:
            self._unusable("id_invalid", name)
        return text

    def object(self, name: str) -> FrozenDict:
        """Read a top-level object; PHP writes an empty one as an empty array (IN-7)."""
        value = self.fields.get(name)
        if is_object(value):
            return value
        if value != ():
            self._unusable("object_expected", name)
        return EMPTY

    def time(self) -> dict[str, Any]:
        """Read the time: the first field that reads as one (IN-5)."""
        for name in segment.TIME_FIELDS:
            time_ms = epoch_ms(self.fields.get(name))
            if time_ms is not None:
                self._check_plausible(time_ms, name)
                return {"time_ms": time_ms, "time_source": name}
            self._unusable("time_unreadable", name)
        return {}

    def _check_plausible(self, time_ms: int, name: str) -> None:
        """Note a time more than 24 hours later than the call was received (IN-5)."""
        received_ms = epoch_ms(self.fields.get(segment.RECEIVED_AT))
        if received_ms is not None and time_ms > received_ms + DAY_MS:
            add_issue(self.issues, "time_implausible", f"$.{name}")

    def event(self) -> dict[str, Any]:
        """Read the name of a track call (IN-3)."""
        event = filled_text(self.fields.get(segment.EVENT))
        if event is None:
            raise SegmentEventError("missing_event", f"$.{segment.EVENT}")
        return {"event": event}

    def names(self) -> dict[str, Any]:
        """Read the name and category of a page or screen call (US-6)."""
        return {"name": self._name(segment.NAME), "category": self._name(segment.CATEGORY)}

    def _name(self, name: str) -> str | None:
        value = self.fields.get(name)
        if type(value) is not str and name_part(value) is None:
            self._unusable("name_invalid", name)
        return name_part(value)

    def traits(self) -> dict[str, Any]:
        """Read the traits of a group or identify call (IN-7)."""
        return {segment.TRAITS: self.object(segment.TRAITS)}

    def ids(self, attributes: Mapping[str, Any]) -> dict[str, Any]:
        """Read `statsigCustomIDs`, and see to the user ID, which a pair may fill (ID-2, ID-8, ID-9)."""
        user_id = attributes["user_id"]
        if user_id is not None and is_placeholder(user_id):
            add_issue(self.issues, "id_placeholder", f"$.{segment.USER_ID}")
        holder = control_holder(segment.CUSTOM_IDS, attributes[segment.PROPERTIES], attributes.get(segment.TRAITS))
        array = attributes[holder].get(segment.CUSTOM_IDS)
        loss = lost_at(self.losses, (holder, segment.CUSTOM_IDS))
        path = f"$.{holder}.{segment.CUSTOM_IDS}"
        if loss is not None:
            add_issue(self.issues, loss.code, path)
        if array is None:
            return {}
        pairs = read_pairs(array, path, ID_CODES, read_id, self.issues, spelled_id_type)
        return self._with_user_id(user_id, pairs)

    def _with_user_id(self, user_id: str | None, pairs: dict[str, Pair]) -> dict[str, Any]:
        """Let a pair named `userID` fill the user ID where there is none but a placeholder (ID-9)."""
        pair = pairs.pop(segment.USER_ID_TYPE, None)
        custom_ids = FrozenDict({id_type: found.value for id_type, found in pairs.items()})
        sources = {id_type: (found.path, found.name_path) for id_type, found in pairs.items()}
        if pair is not None and (user_id is None or is_placeholder(user_id)):
            user_id = pair.value
            sources[segment.USER_ID_TYPE] = (pair.path, pair.name_path)
        elif pair is not None and pair.value != user_id:
            add_issue(self.issues, "custom_id_is_user_id", pair.name_path)
        return {"user_id": user_id, "custom_ids": custom_ids, "id_sources": FrozenDict(sources)}


_OWN_ATTRIBUTES: Final[Mapping[str, Callable[[_Reading], dict[str, Any]]]] = FrozenDict(
    {
        Track.type: _Reading.event,
        Page.type: _Reading.names,
        Screen.type: _Reading.names,
        Group.type: _Reading.traits,
        Identify.type: _Reading.traits,
    }
)


def name_part(value: Any) -> str | None:
    """Give a name or category if it counts: text that is not blank, or a number as JavaScript prints it (US-6)."""
    if type(value) is str:
        return None if not value or value.isspace() else value
    return scalar_text(value) if type(value) in {int, float} else None


def read_id(value: Any, path: str, issues: list[Issue]) -> str | None:
    """Read the value of a pair of `statsigCustomIDs` (ID-2, ID-8)."""
    text = coerce_id(value)
    if text is None:
        add_issue(issues, "custom_id_value", path)
    elif is_placeholder(text):
        add_issue(issues, "id_placeholder", path)
    return text


# -- Looking things up in a call --------------------------------------------------------------------------------------


def lost_at(losses: Iterable[Loss], steps: Steps) -> Loss | None:
    """Give the first value that was lost at these steps or below them."""
    return next((loss for loss in losses if loss.steps[: len(steps)] == steps), None)


def control_holder(key: str, properties: Mapping[str, Any], traits: Mapping[str, Any] | None) -> str:
    """Name the object from which a control key is read: the properties if they have it, else the traits (ID-3)."""
    return segment.PROPERTIES if traits is None or properties.get(key) is not None else segment.TRAITS


def control(call: SegmentEvent, key: str) -> Found:
    """Give the value of a control key, `None` where it is absent, and its wire path (ID-3)."""
    holder = control_holder(key, call.properties, getattr(call, segment.TRAITS, None))
    return Found(getattr(call, holder).get(key), f"$.{holder}.{key}")


def _top_level(call: SegmentEvent, name: str) -> Any:
    """Give the value of a top-level field, `None` where it is absent."""
    if name in call.other:
        return call.other[name]
    attribute = call.attribute_of.get(name)
    is_filled_in = name == segment.USER_ID and segment.USER_ID_TYPE in call.id_sources
    return None if attribute is None or is_filled_in else getattr(call, attribute) or None


def find(call: SegmentEvent, field: FieldPath) -> Found | None:
    """Look a field up in a call; a top-level field of exactly that name stops the walk (ID-4)."""
    if field.is_top_level or field.field in call.other:
        return Found(_top_level(call, field.field), join_path("$", field.field))
    head, *inside = field.steps
    value, path = _top_level(call, head.name), join_path("$", head.name)
    found = Found(value, path) if head.selector is None else select(value, head.selector, path)
    return found and walk(found, inside)


def losses_by_way(call: SegmentEvent) -> Mapping[tuple[str, ...], Loss]:
    """Sort what was lost by the keys that lead to it, through arrays too; of one way, the first."""
    found: dict[tuple[str, ...], Loss] = {}
    for loss in call.losses:
        found.setdefault(tuple(step for step in loss.steps if type(step) is str), loss)
    return found


def lost_on_the_way(losses: Mapping[tuple[str, ...], Loss], field: FieldPath) -> Loss | None:
    """Give the value that a path leads to or through and that could not be read (IN-10, TR-5)."""
    if not losses:
        return None
    way = tuple(step.name for step in field.steps)
    through = (way[:length] for length in range(1, len(way) + 1))
    return next((losses[keys] for keys in ((field.field,), *through) if keys in losses), None)
