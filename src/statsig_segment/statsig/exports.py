"""What Statsig exports: events, config changes, rows of the warehouse; reading them, and splitting bodies."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar, Final, TypeAlias

import attrs

from statsig_segment import statsig
from statsig_segment._json.bodies import copies_of, read_body
from statsig_segment._json.times import epoch_ms
from statsig_segment._json.values import (
    EMPTY,
    FrozenDict,
    Lost,
    codes_of,
    filled_text,
    freeze,
    freeze_object,
    is_object,
    read_payload,
    read_text,
    read_tree,
)
from statsig_segment.errors import Issue, StatsigEventError, add_issue
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.statsig.events import PLAIN_FIELDS, USER_ATTRIBUTES, StatsigUser

_OBJECTS: Final = (statsig.USER, statsig.METADATA, statsig.STATSIG_METADATA)
_AS_THEY_ARE: Final = (statsig.USER_ID, statsig.VALUE, statsig.TIME_UUID, statsig.UNIT_ID)
_TIMES: Final = (statsig.TIMESTAMP, statsig.TIME)
"""The fields that may hold the time, in order: SDKs log `time` (OU-1)."""

Json: TypeAlias = Any


ABSENT: Final = object()
"""Stands for a key that is not there, where null means something else."""


def _tuple_of_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(issues)


@attrs.frozen(kw_only=True, slots=False)
class ExportedEvent:
    """An event as Statsig exported it; it knows what is absent from what is null, and passes on what it does not know.

    Shape: `fields` is what the export says under Statsig's own names: an absent field has no key, null is `None`, the
    time is an integer of epoch milliseconds. The other attributes read it.

    >>> from statsig_segment import ExportedEvent, parse_statsig_event
    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 5})
    >>> assert isinstance(event, ExportedEvent)
    >>> event.fields
    {'eventName': 'checkout', 'userID': 'u1', 'value': 5}
    """

    fields: Mapping[str, Any] = attrs.field(converter=freeze_object)
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=_tuple_of_issues)

    @property
    def event_name(self) -> str:
        """The name of the event."""
        return str(self.fields.get(statsig.EVENT_NAME, ""))

    @property
    def user(self) -> StatsigUser:
        """The user; a field of the wrong kind counts as absent here, and stays in `fields`."""
        return _user(self.fields)

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
        return self.fields.get(statsig.METADATA) or FrozenDict()

    @property
    def sdk_type(self) -> Json:
        """The SDK that logged the event (FL-7)."""
        return object_in(self.fields, statsig.STATSIG_METADATA).get(statsig.SDK_TYPE)


@attrs.frozen(kw_only=True, slots=False)
class ConfigChange:
    """A change of a gate, experiment or other configuration in Statsig's console (OU-6, OU-7)."""

    event_name: ClassVar[str] = statsig.CONFIG_CHANGE

    timestamp: int | None = None
    """Epoch milliseconds; the clock is the caller's."""
    user_id: str | None = None
    user_id_is_null: bool = False
    """The source says null where a user ID would stand; the documented profile passes that on (OU-3)."""
    author: str | None = None
    config_name: str | None = None
    description: str | None = None
    environment: str | None = None
    properties: Mapping[str, Any] = attrs.field(factory=FrozenDict, converter=freeze_object)
    """Further properties, in both profiles: values of the four above that are not text, and the rest of a change that
    came in Segment's own form."""
    metadata: Mapping[str, Any] = attrs.field(factory=FrozenDict, converter=freeze_object)
    """What else the source says, for the deliverable profile: `configType`, `action`, `tags` and the rest."""
    email: str | None = None
    custom_ids: Mapping[str, str] = attrs.field(factory=FrozenDict, converter=freeze_object)
    """ID type -> ID, `stableID` among them (OU-4)."""
    message_id: str | None = None
    """The `timeUUID` of the export, so that a retried delivery is counted once (OU-4)."""
    sdk_type: Json = None
    """The SDK that logged the change (FL-7)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=_tuple_of_issues)


AUTHOR: Final = "author"
CONFIG_NAME: Final = "configName"
CHANGE_FIELDS: Final = FrozenDict(
    {AUTHOR: "author", CONFIG_NAME: "config_name", "description": "description", "environment": "environment"}
)
"""The documented properties of a config change -> attribute of `ConfigChange`."""
_NAMED_METADATA: Final = FrozenDict({"name": CONFIG_NAME, "description": "description", "environment": "environment"})
"""Metadata of a config change -> the property that it becomes (OU-6)."""
_RENAMED_METADATA: Final = FrozenDict({"type": "configType"})
_PROPERTIES: Final = "properties"
_SEGMENT_EVENT: Final = "event"  # in the form that Segment gets, a config change has Segment's names
_SEGMENT_USER_ID: Final = "userId"


# -- Reading ----------------------------------------------------------------------------------------------------------


def parse_statsig_event(payload: Mapping[str, Any] | str | bytes) -> ExportedEvent | ConfigChange:
    """Read one event of a Statsig export.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a `ConfigChange` for `statsig::config_change`, in
    any of its five public shapes, and an `ExportedEvent` for everything else out. Rows of the warehouse export are
    read too. `user.privateAttributes` is left behind.
    Units: `time_ms` is in epoch milliseconds; IN-6 says which times are read.
    Errors: `StatsigEventError` with code `invalid_json`, `not_an_object` or `missing_event`.
    Rules: OU-1, OU-5, OU-7, OU-9. Source: Statsig's pages on Segment, on webhooks and on its warehouse export.

    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "timestamp": "1709292896789", "value": 5})
    >>> assert isinstance(event, ExportedEvent)  # not a ConfigChange
    >>> event.event_name, event.user.user_id, event.time_ms, event.value
    ('checkout', 'u1', 1709292896789, 5)
    """
    given, losses = read_payload(payload, StatsigEventError)
    fields = _without_private_attributes(given)
    if statsig.EVENT_NAME not in fields and _ROW_NAME in fields:
        fields, lost = read_tree(_event_of_row(fields))
        losses = FrozenDict(losses | lost) if is_object(lost) else losses
    issues: list[Issue] = []
    if fields.get(statsig.EVENT_NAME) is None and fields.get(_SEGMENT_EVENT) == statsig.CONFIG_CHANGE:
        known = _known_fields(fields, issues) | _segment_user_id(fields)
        _note_losses(losses, issues)
        return _change(known, object_in(fields, _PROPERTIES), FrozenDict(), issues)
    name = filled_text(fields.get(statsig.EVENT_NAME))
    if name is None:
        raise StatsigEventError("missing_event", f"$.{statsig.EVENT_NAME}")
    known = _known_fields(fields, issues)
    _note_losses(losses, issues)
    if name == statsig.CONFIG_CHANGE:
        return _change(known, _change_properties(known), _change_metadata(known), issues)
    return ExportedEvent(fields=FrozenDict({statsig.EVENT_NAME: name} | known), issues=dict.fromkeys(issues))


def _segment_user_id(fields: FrozenDict) -> dict[str, Any]:
    return {statsig.USER_ID: fields[_SEGMENT_USER_ID]} if _SEGMENT_USER_ID in fields else {}


def _without_private_attributes(fields: FrozenDict) -> FrozenDict:
    """Leave the private attributes of the user behind (OU-5)."""
    user = fields.get(statsig.USER)
    if not is_object(user) or statsig.PRIVATE_ATTRIBUTES not in user:
        return fields
    public = FrozenDict({key: value for key, value in user.items() if key != statsig.PRIVATE_ATTRIBUTES})
    return FrozenDict(fields | {statsig.USER: public})


def _known_fields(fields: FrozenDict, issues: list[Issue]) -> dict[str, Any]:
    """Keep what an export carries and what is of the right kind, with null kept apart from absent (OU-1)."""
    known = {name: fields[name] for name in _AS_THEY_ARE if name in fields}
    known |= {
        name: fields[name] for name in _OBJECTS if name in fields and (fields[name] is None or is_object(fields[name]))
    }
    time = _time(fields, issues)
    return known if time is None else known | {statsig.TIMESTAMP: time}


def _time(fields: FrozenDict, issues: list[Issue]) -> int | None:
    """Read the first time that is present and not null (OU-1)."""
    name = next((name for name in _TIMES if fields.get(name) is not None), None)
    if name is None:
        return None
    time_ms = epoch_ms(fields[name])
    if time_ms is None:
        add_issue(issues, "time_unreadable", f"$.{name}")
    return time_ms


def _note_losses(losses: Mapping[str, Lost], issues: list[Issue]) -> None:
    """Note values that would have been sent and could not be read, at their top-level key (IN-10, TR-5)."""
    sent = {name: lost for name, lost in losses.items() if name in _SENT}
    user, sender = sent.get(statsig.USER), sent.get(statsig.STATSIG_METADATA)
    if is_object(user):
        sent[statsig.USER] = FrozenDict({key: lost for key, lost in user.items() if key != statsig.PRIVATE_ATTRIBUTES})
    if is_object(sender):
        sent[statsig.STATSIG_METADATA] = sender.get(statsig.STABLE_ID)
    for name, lost in sent.items():
        for code in codes_of(lost):
            add_issue(issues, code, f"$.{name}")


def object_in(fields: Mapping[str, Any], name: str) -> FrozenDict:
    """Give an object that a field holds, an empty one where it holds none."""
    value = fields.get(name)
    return value if is_object(value) else FrozenDict()


def first_id(*candidates: Any) -> Any:
    """Give the first candidate that is an ID, else the first explicit null or "" as it is, else `ABSENT` (OU-3)."""
    for candidate in candidates:  # one after the other, for a later one may be too long to print
        text = coerce_id(candidate)
        if text is not None:
            return text
    return next((candidate for candidate in candidates if candidate is None or candidate == ""), ABSENT)


def user_id_of(fields: Mapping[str, Any]) -> Any:
    """Give the user ID of an export, null or `ABSENT` (OU-3)."""
    return first_id(fields.get(statsig.USER_ID, ABSENT), object_in(fields, statsig.USER).get(statsig.USER_ID, ABSENT))


def stable_id_of(fields: Mapping[str, Any]) -> Any:
    """Give the stable ID of an export, null or `ABSENT` (OU-3)."""
    own = object_in(fields, statsig.STATSIG_METADATA).get(statsig.STABLE_ID, ABSENT)
    return first_id(own, object_in(object_in(fields, statsig.USER), statsig.CUSTOM_IDS).get(statsig.STABLE_ID, ABSENT))


def email_of(fields: Mapping[str, Any]) -> str | None:
    """Give the email of the user."""
    return filled_text(object_in(fields, statsig.USER).get(statsig.EMAIL))


def _user(fields: Mapping[str, Any]) -> StatsigUser:
    user = object_in(fields, statsig.USER)
    plain = {USER_ATTRIBUTES[name]: coerce_id(user.get(name)) for name in PLAIN_FIELDS}
    return StatsigUser(
        user_id=coerce_id(user_id_of(fields)),
        custom_ids=_ids_in(object_in(user, statsig.CUSTOM_IDS)),
        custom=object_in(user, statsig.CUSTOM),
        environment=filled_text(object_in(user, statsig.ENVIRONMENT).get(statsig.TIER)),
        **plain,
    )


def _ids_in(texts: Mapping[str, Any]) -> dict[str, str]:
    ids = {id_type: coerce_id(value) for id_type, value in texts.items()}
    return {id_type: text for id_type, text in ids.items() if text is not None}


# -- Rows of the warehouse --------------------------------------------------------------------------------------------

_ROW_NAME: Final = "event_name"
_ROW_USER: Final = "user_object"
_ROW_CUSTOM_IDS: Final = "custom_ids"
_ROW_STATSIG_METADATA: Final = "statsig_metadata"
_ROW_STABLE_ID: Final = "stable_id"
_ROW_METADATA: Final = "company_metadata"
_ROW_FIELDS: Final = FrozenDict(
    {
        _ROW_NAME: statsig.EVENT_NAME,
        "user_id": statsig.USER_ID,
        "timestamp": statsig.TIMESTAMP,
        "event_value": statsig.VALUE,
    }
)
"""Column of the warehouse export -> field of an event that holds the same (OU-9)."""

_SENT: Final = frozenset(
    {
        statsig.USER,
        statsig.USER_ID,
        statsig.VALUE,
        statsig.METADATA,
        statsig.TIMESTAMP,
        statsig.TIME,
        statsig.TIME_UUID,
        statsig.STATSIG_METADATA,
        _PROPERTIES,
        _SEGMENT_USER_ID,
    }
    | {*_ROW_FIELDS, _ROW_USER, _ROW_CUSTOM_IDS, _ROW_STABLE_ID, _ROW_METADATA}
)
"""The top-level keys of which something may leave."""


def _event_of_row(row: FrozenDict) -> dict[str, Any]:
    """Write a row of the warehouse export as the event that it stands for; null columns have no key (OU-9)."""
    event: dict[str, Any] = {name: row[column] for column, name in _ROW_FIELDS.items() if row.get(column) is not None}
    user, custom_ids = _column(row, _ROW_USER), _column(row, _ROW_CUSTOM_IDS)
    if user is not None or custom_ids is not None:
        public = {key: value for key, value in (user or EMPTY).items() if key != statsig.PRIVATE_ATTRIBUTES}
        event[statsig.USER] = public | ({} if custom_ids is None else {statsig.CUSTOM_IDS: custom_ids})
    statsig_metadata, stable_id = _column(row, _ROW_STATSIG_METADATA), row.get(_ROW_STABLE_ID)
    if statsig_metadata is not None or stable_id is not None:
        event[statsig.STATSIG_METADATA] = (statsig_metadata or EMPTY) | (
            {} if stable_id is None else {statsig.STABLE_ID: stable_id}
        )
    metadata = _column(row, _ROW_METADATA)
    return event if metadata is None else event | {statsig.METADATA: metadata}


def _column(row: FrozenDict, name: str) -> FrozenDict | None:
    """Give the object of a column, which may stand as JSON text; anything else counts as null (OU-9)."""
    value = row.get(name)
    if type(value) is str:
        value = freeze(_parsed(value))
    return value if is_object(value) else None


def _parsed(text: str) -> Any:
    try:
        return read_text(text, StatsigEventError)
    except StatsigEventError:
        return None


# -- Config changes ---------------------------------------------------------------------------------------------------


def _change_properties(known: Mapping[str, Any]) -> dict[str, Any]:
    """Read the documented properties from the forms of Statsig's own webhooks (OU-6, OU-7)."""
    metadata = object_in(known, statsig.METADATA)
    author = _author(known)
    found = {} if author is None else {AUTHOR: author}
    found |= {name: metadata[key] for key, name in _NAMED_METADATA.items() if key in metadata}
    if found.get("environment") is None and "environments" in metadata:
        found["environment"] = metadata["environments"]
    return found


def _change_metadata(known: Mapping[str, Any]) -> dict[str, Any]:
    """Read what else such a form says: the rest of its metadata, each under its own name but the type."""
    metadata = object_in(known, statsig.METADATA)
    rest = {key: metadata[key] for key in metadata if key not in _NAMED_METADATA and key not in _RENAMED_METADATA}
    return rest | {name: metadata[key] for key, name in _RENAMED_METADATA.items() if key in metadata}


def _author(known: Mapping[str, Any]) -> str | None:
    """Give the user's name, else email, else user ID (OU-7)."""
    user = object_in(known, statsig.USER)
    names = (filled_text(user.get("name")), filled_text(user.get(statsig.EMAIL)))
    return (
        next(filter(None, names), None) or coerce_id(user.get(statsig.USER_ID)) or coerce_id(known.get(statsig.USER_ID))
    )


def _change(
    known: Mapping[str, Any], properties: Mapping[str, Any], metadata: Mapping[str, Any], issues: list[Issue]
) -> ConfigChange:
    texts = {
        attribute: properties[name] for name, attribute in CHANGE_FIELDS.items() if type(properties.get(name)) is str
    }
    others = {name: value for name, value in properties.items() if CHANGE_FIELDS.get(name) not in texts}
    user_id, stable_id = user_id_of(known), coerce_id(stable_id_of(known))
    custom_ids = _ids_in(object_in(object_in(known, statsig.USER), statsig.CUSTOM_IDS))
    return ConfigChange(
        timestamp=known.get(statsig.TIMESTAMP),
        user_id=None if user_id is ABSENT else user_id,
        user_id_is_null=user_id is None,
        properties=others,
        metadata=metadata,
        email=email_of(known),
        custom_ids=custom_ids if stable_id is None else custom_ids | {statsig.STABLE_ID: stable_id},
        message_id=filled_text(known.get(statsig.TIME_UUID)),
        sdk_type=object_in(known, statsig.STATSIG_METADATA).get(statsig.SDK_TYPE),
        issues=dict.fromkeys(issues),
        **texts,
    )


# -- Bodies -----------------------------------------------------------------------------------------------------------


def split_statsig_export(body: Mapping[str, Any] | list[Any] | tuple[Any, ...] | str | bytes) -> Iterator[Any]:
    """Split the body of a Statsig export into events, unparsed.

    Shape: a bare array, `{"data": [...]}`, the body of `log_event` (`{"events": [...], "user", "statsigMetadata"}`,
    whose user and metadata an event gets that has none), or one event, as objects or JSON text, in; an iterator of
    payloads out. The handshake of registration yields nothing: `url_verification_code` answers it.
    Errors: `StatsigEventError` with code `invalid_json`, `not_an_object` or `envelope_too_large`, at the call.
    Rules: OU-2. Source: Statsig's page on webhooks, and its HTTP API.

    >>> list(split_statsig_export('{"data": [{"eventName": "a"}, {"eventName": "b"}]}'))
    [{'eventName': 'a'}, {'eventName': 'b'}]
    """
    value, separate = read_body(body, StatsigEventError)
    if type(value) is dict and statsig.EVENT_NAME not in value:
        events = value.get(statsig.EVENTS)
        if type(events) is list:
            names = (statsig.USER, statsig.STATSIG_METADATA)
            shared = {name: value[name] for name in names if type(value.get(name)) is dict}
            copy = copies_of(shared, StatsigEventError) if shared else dict
            return (_filled(separate(event), copy()) for event in events)
        if statsig.DATA in value:
            value = [] if _code(value) is not None else value[statsig.DATA]
    if type(value) is list:
        return map(separate, value)
    if type(value) is dict:
        return iter((value,))
    raise StatsigEventError("not_an_object")


def _filled(event: Any, shared: dict[str, Any]) -> Any:
    """Fill in the user and the metadata of the body where an event has none (OU-2)."""
    if type(event) is not dict:
        return event
    return event | {name: value for name, value in shared.items() if event.get(name) is None}


def url_verification_code(body: object) -> str | None:
    """Give the code of Statsig's registration handshake, `None` for anything else, unreadable text included.

    Shape: `{"data": {"event": "url_verification", "verification_code": ...}}`, as an object or JSON text, in.
    Errors: none.
    Rules: OU-2. Source: Statsig's page on webhooks.

    >>> url_verification_code('{"data": {"event": "url_verification", "verification_code": "abc"}}')
    'abc'
    """
    try:
        return _code(read_body(body, StatsigEventError)[0])
    except StatsigEventError:
        return None


def _code(body: Any) -> str | None:
    # What has a name is an event, whatever else it has.
    data = body.get(statsig.DATA) if type(body) is dict and statsig.EVENT_NAME not in body else None
    if type(data) is not dict or freeze(data.get("event")) != "url_verification":
        return None
    code = freeze(data.get("verification_code"))
    return code if type(code) is str else None
