"""What Statsig exports: events and config changes; reading them, and splitting bodies.

An export is read once into a frozen tree, and that tree is what the models hold. Only what cannot stay is replaced: a
time that is not whole milliseconds, private attributes, a value of the wrong kind. A row of a table is the job of
`rows`, and is read as the event that it is about from there on.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias, cast

import attrs

from statsig_segment import statsig
from statsig_segment._json.bodies import copies_of, read_body
from statsig_segment._json.models import checks, frozen, issue_tuple, made
from statsig_segment._json.times import epoch_ms
from statsig_segment._json.values import EMPTY, FrozenDict, JsonValue, filled_text, freeze, is_object, read_payload
from statsig_segment.errors import Issue, StatsigEventError, add_issue
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.statsig.events import PLAIN_FIELDS, USER_ATTRIBUTES, StatsigUser
from statsig_segment.statsig.rows import NO_PLACES, Places, event_of_row, note_lost, place_of

Json: TypeAlias = Any

ABSENT: Final = object()
"""Marks a missing key, where null means something else."""

_OBJECTS: Final = (statsig.USER, statsig.METADATA, statsig.STATSIG_METADATA)
_PROPERTIES: Final = "properties"
_SEGMENT_EVENT: Final = "event"  # in the form that Segment gets, a config change has Segment's names
_SEGMENT_USER_ID: Final = "userId"
_CHECKED: Final = checks(StatsigEventError)


def _public(user: Mapping[str, Any]) -> FrozenDict:
    """Return a user without the private attributes, which are never sent (OU-5)."""
    return FrozenDict({name: value for name, value in user.items() if name != statsig.PRIVATE_ATTRIBUTES})


def _frozen_export(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Freeze what a caller exported, without private attributes."""
    fields = frozen(fields)
    user = fields.get(statsig.USER) if is_object(fields) else None
    return FrozenDict({**fields, statsig.USER: _public(user)}) if is_object(user) else fields


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class ExportedEvent:
    """An event as Statsig exported it, which keeps absent and null apart.

    The attributes other than `fields` and `issues` read `fields`.

    >>> from statsig_segment import ExportedEvent, parse_statsig_event
    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 5})
    >>> assert isinstance(event, ExportedEvent)
    >>> event.fields
    {'eventName': 'checkout', 'userID': 'u1', 'value': 5}

    """

    fields: Mapping[str, Any] = attrs.field(converter=_frozen_export)
    """What the export says: an absent field has no key, null is `None`, `timestamp` is in epoch milliseconds. Private
    attributes are not in it, nor is a `user` or `metadata` of the wrong kind."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=issue_tuple)
    """What its sender should know, by place in the export."""

    @property
    def event_name(self) -> str:
        """The name of the event."""
        return str(self.fields.get(statsig.EVENT_NAME, ""))

    @property
    def user(self) -> StatsigUser:
        """The user; a field of the wrong kind counts as absent here, and stays in `fields`."""
        user = object_in(self.fields, statsig.USER)
        return StatsigUser(
            user_id=coerce_id(user_id_of(self.fields)),
            custom_ids=_ids_in(user),
            custom=object_in(user, statsig.CUSTOM),
            environment=filled_text(object_in(user, statsig.ENVIRONMENT).get(statsig.TIER)),
            **{USER_ATTRIBUTES[name]: coerce_id(user.get(name)) for name in PLAIN_FIELDS},
        )

    @property
    def time_ms(self) -> int | None:
        """Epoch milliseconds."""
        return self.fields.get(statsig.TIMESTAMP)

    @property
    def value(self) -> Json:
        """The value: a string or number, but an export may hold anything."""
        return self.fields.get(statsig.VALUE)

    @property
    def metadata(self) -> Mapping[str, Any]:
        """The metadata; absent and null are empty here."""
        return object_in(self.fields, statsig.METADATA) or FrozenDict()


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class ConfigChange:
    """A change of a gate, experiment or other configuration in Statsig's console (OU-6, OU-7)."""

    event_name: ClassVar[str] = statsig.CONFIG_CHANGE

    timestamp: int | None = None
    """Epoch milliseconds; the clock is the caller's."""
    user_id: str | None = None
    """The ID of the user who made the change."""
    author: str | None = None
    """That user's name, or else the email, or else the ID."""
    config_name: str | None = None
    """The name of the gate, experiment or other configuration."""
    description: str | None = None
    """What changed, in words."""
    environment: str | None = None
    """The environment, or several of them separated by commas."""
    properties: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """Further properties, in both profiles: values of the four above that are not text, and the rest of a change that
    came in Segment's own form."""
    metadata: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """What else the source says, for the deliverable profile: `configType`, `action`, `tags` and the rest."""
    email: str | None = None
    """The user's email."""
    custom_ids: Mapping[str, str] = attrs.field(factory=FrozenDict)
    """ID type -> ID, `stableID` among them (OU-4)."""
    message_id: str | None = None
    """The `timeUUID` of the export, so that a retried delivery is counted once (OU-4)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=issue_tuple)
    """What its sender should know, by place in the export."""
    fields: Mapping[str, Any] = attrs.field(factory=FrozenDict, converter=_frozen_export, repr=False)
    """What the export says, as in an `ExportedEvent`; empty for a change of the caller's own."""


AUTHOR: Final = "author"
CONFIG_NAME: Final = "configName"
CHANGE_FIELDS: Final = FrozenDict(
    {AUTHOR: "author", CONFIG_NAME: "config_name", "description": "description", "environment": "environment"}
)
"""The documented properties of a config change -> attribute of `ConfigChange`."""
_NAMED_METADATA: Final = FrozenDict({"name": CONFIG_NAME, "description": "description", "environment": "environment"})
"""Metadata of a config change -> the property that it becomes (OU-6)."""
_RENAMED_METADATA: Final = FrozenDict({"type": "configType"})


# -- What an export says ----------------------------------------------------------------------------------------------


def object_in(fields: Mapping[str, Any], name: str) -> FrozenDict:
    """Return the object in a field; an empty object if it holds anything else."""
    value = fields.get(name)
    return value if type(value) is FrozenDict else EMPTY


def first_id(candidates: Iterable[Any], *, drop: bool = False) -> Any:
    """Return the first candidate that is an ID, else the first null or empty string, else `ABSENT` (OU-3).

    With `drop`, a placeholder counts as absent (OU-4).
    """
    nothing = ABSENT
    for candidate in candidates:  # one by one, because a later number, which is not used, may be too long to print
        text = coerce_id(candidate)
        if text is None:
            if nothing is ABSENT and (candidate is None or candidate == ""):
                nothing = candidate
        elif not (drop and is_placeholder(text)):
            return text
    return nothing


def user_id_of(fields: Mapping[str, Any], *, drop: bool = False) -> Any:
    """Return the user ID of an export, null or `ABSENT` (OU-3)."""
    user = object_in(fields, statsig.USER)
    return first_id((fields.get(statsig.USER_ID, ABSENT), user.get(statsig.USER_ID, ABSENT)), drop=drop)


def stable_id_of(fields: Mapping[str, Any], *, drop: bool = False) -> Any:
    """Return the stable ID of an export, null or `ABSENT` (OU-3)."""
    own = object_in(fields, statsig.STATSIG_METADATA).get(statsig.STABLE_ID, ABSENT)
    custom_ids = object_in(object_in(fields, statsig.USER), statsig.CUSTOM_IDS)
    return first_id((own, custom_ids.get(statsig.STABLE_ID, ABSENT)), drop=drop)


def email_of(fields: Mapping[str, Any]) -> str | None:
    """Return the email of the user."""
    return filled_text(object_in(fields, statsig.USER).get(statsig.EMAIL))


def _ids_in(user: Mapping[str, Any]) -> dict[str, str]:
    ids = {id_type: coerce_id(value) for id_type, value in object_in(user, statsig.CUSTOM_IDS).items()}
    return {id_type: text for id_type, text in ids.items() if text is not None}


# -- Reading ----------------------------------------------------------------------------------------------------------

_SEGMENT_PLACES: Final[Places] = MappingProxyType({(statsig.USER_ID,): f"$.{_SEGMENT_USER_ID}"})

_SENT: Final = frozenset(
    {
        *(statsig.USER, statsig.USER_ID, statsig.VALUE, statsig.METADATA, statsig.TIMESTAMP),
        *(statsig.TIME_UUID, statsig.STATSIG_METADATA),
    }
)
"""The top-level keys from which something may be sent."""


def parse_statsig_event(payload: Mapping[str, Any] | str | bytes) -> ExportedEvent | ConfigChange:
    """Read one event of a Statsig export, or one row of its warehouse tables.

    Args:
        payload: A mapping, or JSON text as `str` or UTF-8 `bytes`.

    Returns:
        A `ConfigChange` for `statsig::config_change` in any of its five public forms, and an `ExportedEvent` for
        anything else. `user.privateAttributes` is left behind.

    Raises:
        StatsigEventError: Code `invalid_json`, `number_too_long`, `not_an_object` or `missing_event`.

    Rules: OU-1, OU-5, OU-7, OU-9, OU-10, ID-8.
    Source: Statsig's pages on Segment, on webhooks and on its warehouse exports.

    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "timestamp": "1709292896789", "value": 5})
    >>> assert isinstance(event, ExportedEvent)  # not a ConfigChange
    >>> event.event_name, event.user.user_id, event.time_ms, event.value
    ('checkout', 'u1', 1709292896789, 5)

    """
    issues: list[Issue] = []
    places = NO_PLACES
    fields, lost = read_payload(payload, StatsigEventError)
    row = None if statsig.EVENT_NAME in fields else event_of_row(fields, lost, issues)
    if row is not None:
        fields, places = row
    elif lost:
        sent = {*_SENT, statsig.TIME} if fields.get(statsig.TIMESTAMP) is None else {*_SENT}
        if statsig.EVENT_NAME not in fields:
            sent |= {_PROPERTIES, _SEGMENT_USER_ID}
        for field in sorted(sent & lost.keys()):
            note_lost(field, lost[field], f"$.{field}", issues)
    name = fields.get(statsig.EVENT_NAME)
    if name is None and fields.get(_SEGMENT_EVENT) == statsig.CONFIG_CHANGE:
        if _SEGMENT_USER_ID in fields:
            fields, places = FrozenDict(fields | {statsig.USER_ID: fields[_SEGMENT_USER_ID]}), _SEGMENT_PLACES
        settled = _settled(fields, places, issues)
        return _change(settled, object_in(settled, _PROPERTIES), {}, issues)
    if type(name) is not str or not name:
        raise StatsigEventError("missing_event", f"$.{statsig.EVENT_NAME}")
    settled = _settled(fields, places, issues)
    if name == statsig.CONFIG_CHANGE:
        metadata = object_in(settled, statsig.METADATA)
        rest = {key: metadata[key] for key in metadata if key not in {*_NAMED_METADATA, *_RENAMED_METADATA}}
        rest |= {name: metadata[key] for key, name in _RENAMED_METADATA.items() if key in metadata}
        return _change(settled, _change_properties(settled), rest, issues)
    return made(ExportedEvent, {"fields": settled, "issues": tuple(dict.fromkeys(issues))})


def _settled(fields: FrozenDict, places: Places, issues: list[Issue]) -> FrozenDict:
    """Replace what cannot stay as it was exported, and note what is wrong with its time and IDs (OU-1, ID-8)."""
    replaced: dict[str, Any] = {
        name: ABSENT for name in _OBJECTS if type(fields.get(name)) is not FrozenDict and fields.get(name) is not None
    }
    timestamp = fields.get(statsig.TIMESTAMP)
    name = statsig.TIME if timestamp is None else statsig.TIMESTAMP
    value = fields.get(name)
    time_ms = None if value is None else epoch_ms(value)
    if time_ms is None and value is not None:
        add_issue(issues, "time_unreadable", place_of(places, name))
    if time_ms is None and statsig.TIMESTAMP in fields:
        replaced[statsig.TIMESTAMP] = ABSENT
    elif time_ms is not timestamp:
        replaced[statsig.TIMESTAMP] = time_ms
    user = object_in(fields, statsig.USER)
    if statsig.PRIVATE_ATTRIBUTES in user:
        replaced[statsig.USER] = _public(user)
    _note_placeholders(fields, user, places, issues)
    if not replaced:
        return fields
    return FrozenDict({name: value for name, value in (fields | replaced).items() if value is not ABSENT})


def _note_placeholders(fields: FrozenDict, user: FrozenDict, places: Places, issues: list[Issue]) -> None:
    """Note each ID that is a placeholder: the user ID, the custom IDs and the stable ID (OU-4, ID-8)."""
    own = object_in(fields, statsig.STATSIG_METADATA)
    candidates: list[tuple[tuple[str, ...], Any]] = [
        ((statsig.USER_ID,), fields.get(statsig.USER_ID)),
        ((statsig.STATSIG_METADATA, statsig.STABLE_ID), own.get(statsig.STABLE_ID)),
    ]
    if coerce_id(fields.get(statsig.USER_ID)) is None:
        candidates[0] = ((statsig.USER, statsig.USER_ID), user.get(statsig.USER_ID))
    for id_type, value in object_in(user, statsig.CUSTOM_IDS).items():
        candidates.append(((statsig.USER, statsig.CUSTOM_IDS, id_type), value))
    for names, value in candidates:
        text = coerce_id(value)
        if text is not None and is_placeholder(text):
            add_issue(issues, "id_placeholder", place_of(places, *names))


# -- Config changes ---------------------------------------------------------------------------------------------------


def _change_properties(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Read the documented properties from the forms of Statsig's own webhooks (OU-6, OU-7)."""
    metadata, user = object_in(fields, statsig.METADATA), object_in(fields, statsig.USER)
    texts = (filled_text(user.get("name")), filled_text(user.get(statsig.EMAIL)))
    author = next(filter(None, texts), None) or coerce_id(user.get(statsig.USER_ID))
    author = author or coerce_id(fields.get(statsig.USER_ID))
    found = {} if author is None else {AUTHOR: author}
    found |= {name: metadata[key] for key, name in _NAMED_METADATA.items() if key in metadata}
    if found.get("environment") is None and "environments" in metadata:
        found["environment"] = metadata["environments"]
    return found


def _change(
    fields: Mapping[str, Any], properties: Mapping[str, Any], metadata: Mapping[str, Any], issues: list[Issue]
) -> ConfigChange:
    texts = {
        attribute: properties[name] for name, attribute in CHANGE_FIELDS.items() if type(properties.get(name)) is str
    }
    user_id, stable_id = user_id_of(fields), coerce_id(stable_id_of(fields))
    return ConfigChange(
        timestamp=fields.get(statsig.TIMESTAMP),
        user_id=None if user_id is ABSENT else user_id,
        properties={name: value for name, value in properties.items() if CHANGE_FIELDS.get(name) not in texts},
        metadata=metadata,
        email=email_of(fields),
        custom_ids=_ids_in(object_in(fields, statsig.USER))
        | ({} if stable_id is None else {statsig.STABLE_ID: stable_id}),
        message_id=filled_text(fields.get(statsig.TIME_UUID)),
        issues=dict.fromkeys(issues),
        fields=fields,
        **texts,
    )


# -- Bodies -----------------------------------------------------------------------------------------------------------


def split_statsig_export(body: Mapping[str, Any] | list[Any] | tuple[Any, ...] | str | bytes) -> Iterator[Any]:
    """Split the body of a Statsig export into events, unparsed.

    Args:
        body: A bare array, `{"data": [...]}`, one event, or the body of `log_event` (`{"events": [...], "user",
            "statsigMetadata"}`), whose user and metadata fill in where an event has none; as objects or as JSON text.

    Returns:
        An iterator over payloads. The handshake of registration yields none; `url_verification_code` answers it.

    Raises:
        StatsigEventError: Code `invalid_json`, `not_an_object` or `envelope_too_large`. The call itself raises it, not
            the iterator.

    Rules: OU-2.
    Source: Statsig's page on webhooks, and its HTTP API.

    >>> list(split_statsig_export('{"data": [{"eventName": "a"}, {"eventName": "b"}]}'))
    [{'eventName': 'a'}, {'eventName': 'b'}]

    """
    value, separate = read_body(body, StatsigEventError)
    if type(value) is dict and statsig.EVENT_NAME not in value:
        events: JsonValue = value.get(statsig.EVENTS)
        if type(events) is list:
            names = (statsig.USER, statsig.STATSIG_METADATA)
            shared = {name: value[name] for name in names if type(value.get(name)) is dict}
            copy = copies_of(shared, StatsigEventError) if shared else dict[str, Any]
            return (_filled(separate(event), copy()) for event in events)
        if statsig.DATA in value:
            value = cast("JsonValue", [] if _code(value) is not None else value[statsig.DATA])
    if type(value) is list:
        return map(separate, value)
    if type(value) is dict:
        return iter((value,))
    raise StatsigEventError("not_an_object")


def _filled(event: JsonValue, shared: dict[str, Any]) -> Any:
    """Fill in the user and the metadata of the body where an event has none (OU-2)."""
    if type(event) is not dict:
        return event
    return event | {name: value for name, value in shared.items() if event.get(name) is None}


def url_verification_code(body: object) -> str | None:
    """Return the code of Statsig's registration handshake.

    Args:
        body: `{"data": {"event": "url_verification", "verification_code": ...}}`, as an object or as JSON text.

    Returns:
        The code, or `None` for anything else, including text that cannot be read.

    Rules: OU-2.
    Source: Statsig's page on webhooks.

    >>> url_verification_code('{"data": {"event": "url_verification", "verification_code": "abc"}}')
    'abc'

    """
    try:
        return _code(read_body(body, StatsigEventError)[0])
    except StatsigEventError:
        return None


def _code(body: JsonValue) -> str | None:
    # A body with an event name is an event, whatever else it holds.
    data: JsonValue = body.get(statsig.DATA) if type(body) is dict and statsig.EVENT_NAME not in body else None
    if type(data) is not dict or freeze(data.get("event")) != "url_verification":
        return None
    code = freeze(data.get("verification_code"))
    return code if type(code) is str else None
