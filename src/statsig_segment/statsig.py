"""Statsig's side: users, events and config changes, and reading them from an export; no Segment, no configuration."""

# The stubs of attrs know no type of what a converter or validator of Any takes:
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

import attrs

from statsig_segment._times import export_ms
from statsig_segment._values import EMPTY, FrozenDict, freeze, is_array, is_object, plain, read_object, read_text, thaw
from statsig_segment.errors import Issue, StatsigEventError
from statsig_segment.even_odd import id_text
from statsig_segment.models import (
    defaults_on_class,
    frozen_ids,
    frozen_issues,
    frozen_object,
    frozen_value,
    make,
    read_when_asked,
)

# Statsig's wire names, each here and nowhere else.
EVENT_NAME: Final = "eventName"
USER: Final = "user"
USER_ID: Final = "userID"
CUSTOM_IDS: Final = "customIDs"
CUSTOM: Final = "custom"
ENVIRONMENT: Final = "statsigEnvironment"
TIER: Final = "tier"
EMAIL: Final = "email"
TIMESTAMP: Final = "timestamp"
VALUE: Final = "value"
METADATA: Final = "metadata"
STATSIG_METADATA: Final = "statsigMetadata"
STABLE_ID: Final = "stableID"
TIME_UUID: Final = "timeUUID"
UNIT_ID: Final = "unitID"
DATA: Final = "data"
PRIVATE_ATTRIBUTES: Final = "privateAttributes"

USER_FIELDS: Final = FrozenDict(
    {
        USER_ID: "user_id",
        CUSTOM_IDS: "custom_ids",
        EMAIL: "email",
        "ip": "ip",
        "userAgent": "user_agent",
        "country": "country",
        "locale": "locale",
        "appVersion": "app_version",
        CUSTOM: "custom",
        ENVIRONMENT: "environment",
    }
)
"""Wire name -> attribute of `StatsigUser`, in the order of the wire (WI-1)."""

PLAIN_FIELDS: Final = (EMAIL, "ip", "userAgent", "country", "locale", "appVersion")
"""The fields that are plain text, and that `user_fields` may fill (US-2)."""

EXPOSURES: Final = frozenset(
    f"statsig::{kind}_exposure" for kind in ("gate", "config", "experiment", "layer", "holdout")
)
CONFIG_CHANGE: Final = "statsig::config_change"
INTERNAL_PREFIX: Final = "statsig::"


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class StatsigUser:
    """A Statsig user: the IDs that experiments go by, and what targeting may use. Absent is `None` or empty."""

    user_id: str | None = None
    custom_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=frozen_ids)
    """ID type -> ID."""
    email: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    country: str | None = None
    locale: str | None = None
    app_version: str | None = None
    custom: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    environment: str | None = None
    """The tier, such as `staging`; without one Statsig takes the event for production (US-4)."""


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class StatsigEvent:
    """A Statsig event: made from a Segment call, or read from an export."""

    event_name: str
    user: StatsigUser = attrs.field(factory=StatsigUser)
    time_ms: int | None = None
    """Epoch milliseconds."""
    value: Any = attrs.field(default=None, converter=frozen_value)
    """A string or number; an export may carry anything."""
    metadata: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=frozen_issues)
    export: Mapping[str, Any] | None = attrs.field(default=None, init=False, repr=False)
    """What the export said, where the event was read from one: `attrs.evolve` leaves it behind."""


@defaults_on_class
@attrs.frozen(kw_only=True, slots=False)
class ConfigChange:
    """A change of a gate, experiment or other configuration in Statsig's console (OU-6, OU-7)."""

    event_name: ClassVar[str] = CONFIG_CHANGE

    timestamp: int | None = None
    """Epoch milliseconds; the clock is the caller's."""
    user_id: str | None = None
    author: str | None = None
    config_name: str | None = None
    description: str | None = None
    environment: str | None = None
    metadata: Mapping[str, Any] = attrs.field(default=EMPTY, converter=frozen_object)
    """What else the source said of the change: `configType`, `action`, `tags` and the rest."""
    export: Mapping[str, Any] | None = attrs.field(default=None, init=False, repr=False)
    """What the export said, where the change was read from one: `attrs.evolve` leaves it behind."""


ABSENT: Final = object()
"""Stands for a key that is not there, where null means something else."""

_EXPORT_FIELDS: Final = (USER_ID, USER, TIMESTAMP, VALUE, METADATA, STATSIG_METADATA, TIME_UUID, UNIT_ID)
_EXPORT_OBJECTS: Final = (USER, METADATA, STATSIG_METADATA)
_SEGMENT_EVENT: Final = "event"  # in the form that Segment gets, a config change has Segment's names
_SEGMENT_USER_ID: Final = "userId"

PROPERTIES: Final = "properties"
REST: Final = "rest"
_NAMED: Final = FrozenDict({"name": "configName", "description": "description", "environment": "environment"})
"""Metadata of a config change -> the property of its Segment form (OU-6)."""
CHANGE_FIELDS: Final = FrozenDict(
    {
        "author": "author",
        "configName": "config_name",
        "description": "description",
        "environment": "environment",
    }
)
"""The documented properties of a config change -> attribute of `ConfigChange`."""


def parse_statsig_event(payload: Mapping[str, Any] | str | bytes) -> StatsigEvent | ConfigChange:
    """Read one event of a Statsig export.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a `ConfigChange` for `statsig::config_change`, in
    any of its five public shapes, and a `StatsigEvent` for everything else out. `user.privateAttributes` is left
    behind.
    Units: times are milliseconds, as numbers or digits.
    Errors: `StatsigEventError` with code `invalid_json`, `not_an_object` or `missing_event`.
    Rules: OU-1, OU-5, OU-7. Source: Statsig's pages on Segment and on webhooks.

    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "timestamp": "1709292896789", "value": 5})
    >>> event.event_name, event.user.user_id, event.time_ms, event.value
    ('checkout', 'u1', 1709292896789, 5)
    """
    return read_export(read_object(payload, StatsigEventError), freeze)


def read_export(
    payload: Mapping[str, Any], own: Callable[[dict[str, Any]], Mapping[str, Any]] = FrozenDict
) -> StatsigEvent | ConfigChange:
    """Read one event; `own` makes its objects ours. By default it borrows them, and must not leave the library."""
    name = plain(payload.get(EVENT_NAME))
    if name is None and payload.get(_SEGMENT_EVENT) == CONFIG_CHANGE:
        return _segment_change(own(dict(payload)))
    if type(name) is not str or not name:
        raise StatsigEventError("missing_event", f"$.{EVENT_NAME}")
    export = own(_export(payload))
    if name == CONFIG_CHANGE:
        return _change(export)
    return make(
        StatsigEvent,
        {
            "event_name": name,
            "time_ms": export.get(TIMESTAMP),
            "value": export.get(VALUE),
            "metadata": export.get(METADATA) or EMPTY,
            "export": export,
        },
    )


def _export(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what an export carries and what is of the right kind, null kept apart from absent."""
    export = {name: payload[name] for name in _EXPORT_FIELDS if name in payload}
    for name in _EXPORT_OBJECTS:
        value = export.get(name)
        if type(value) is not dict and value is not None and not is_object(value):
            if plain(value) is None:
                export[name] = None
            else:
                del export[name]
    if TIMESTAMP in export:
        time_ms = export[TIMESTAMP] = export_ms(export[TIMESTAMP])
        if time_ms is None:
            del export[TIMESTAMP]
    user = export.get(USER)
    if user and PRIVATE_ATTRIBUTES in user:
        export[USER] = {key: user[key] for key in user if key != PRIVATE_ATTRIBUTES}
    return export


def first_id(*candidates: object) -> Any:
    """Give the first candidate that is an ID, else the first explicit null or "" as it is, else `ABSENT` (OU-3)."""
    explicit: object = ABSENT
    for value in candidates:
        text = id_text(value)
        if text is not None:
            return text
        if explicit is ABSENT and (value is None or value == ""):
            explicit = value
    return explicit


def _user(event: StatsigEvent) -> StatsigUser:
    """Read the user of an export; what is no ID or of another kind counts as absent here, and stays in the export."""
    export = event.export or EMPTY
    user = export.get(USER) or EMPTY
    user_id = first_id(export.get(USER_ID, ABSENT), user.get(USER_ID, ABSENT))
    custom_ids, custom, environment = user.get(CUSTOM_IDS), user.get(CUSTOM), user.get(ENVIRONMENT)
    tier = environment.get(TIER) if is_object(environment) else None
    fields: dict[str, Any] = {USER_FIELDS[name]: id_text(user.get(name)) for name in PLAIN_FIELDS}
    fields["user_id"] = id_text(user_id)
    fields["custom_ids"] = _custom_ids(custom_ids) if is_object(custom_ids) else EMPTY
    fields["custom"] = custom if is_object(custom) else EMPTY
    fields["environment"] = tier if isinstance(tier, str) and tier else None
    return make(StatsigUser, fields)


read_when_asked(StatsigEvent, USER, _user)  # the way back to Segment has no need of it


def _custom_ids(custom_ids: Mapping[str, Any]) -> FrozenDict:
    texts = ((name, id_text(value)) for name, value in custom_ids.items())
    return FrozenDict({name: text for name, text in texts if text is not None})


def _segment_change(payload: Mapping[str, Any]) -> ConfigChange:
    """Read the form that Segment gets: its properties pass as they are (OU-7)."""
    properties = payload.get(PROPERTIES)
    export = _export(payload)
    if _SEGMENT_USER_ID in payload:
        export[USER_ID] = payload[_SEGMENT_USER_ID]
    return _made_change(export, dict(properties) if is_object(properties) else {}, {})


def _change(export: Mapping[str, Any]) -> ConfigChange:
    """Read the forms of Statsig's own webhooks: the change stands in the metadata, its author in the user (OU-7)."""
    metadata = export.get(METADATA) or EMPTY
    named: dict[str, Any] = {}
    author = _author(export)
    if author is not None:
        named["author"] = author
    for key, name in _NAMED.items():
        if key in metadata:
            named[name] = metadata[key]
    if named.get("environment") is None and "environments" in metadata:
        named["environment"] = metadata["environments"]
    rest = {key: metadata[key] for key in metadata if key not in _NAMED and key != "type"}
    if "type" in metadata:
        rest["configType"] = metadata["type"]
    return _made_change(dict(export), named, rest)


def _author(export: Mapping[str, Any]) -> str | None:
    user = export.get(USER) or EMPTY
    for value in (plain(user.get("name")), plain(user.get(EMAIL))):
        if isinstance(value, str) and value:
            return value
    return id_text(user.get(USER_ID)) or id_text(export.get(USER_ID))


def _made_change(export: dict[str, Any], named: dict[str, Any], rest: dict[str, Any]) -> ConfigChange:
    user_id = first_id(export.get(USER_ID, ABSENT), (export.get(USER) or EMPTY).get(USER_ID, ABSENT))
    texts = {attribute: named.get(name) for name, attribute in CHANGE_FIELDS.items()}
    export |= {PROPERTIES: FrozenDict(named), REST: FrozenDict(rest)}
    fields: dict[str, Any] = {name: value if isinstance(value, str) else None for name, value in texts.items()}
    fields |= {"timestamp": export.get(TIMESTAMP), "user_id": id_text(user_id), "metadata": export[REST]}
    return make(ConfigChange, fields | {"export": FrozenDict(export)})


def split_statsig_export(body: Mapping[str, Any] | list[Any] | tuple[Any, ...] | str | bytes) -> Iterator[Any]:
    """Split the body of a Statsig export into events, unparsed.

    Shape: a bare array, `{"data": [...]}`, or one event, as objects or JSON text, in; an iterator of payloads out. The
    handshake of registration yields nothing: `url_verification_code` answers it.
    Errors: `StatsigEventError` with code `invalid_json` or `not_an_object`, at the call.
    Rules: OU-2. Source: Statsig's page on webhooks.

    >>> list(split_statsig_export('{"data": [{"eventName": "a"}, {"eventName": "b"}]}'))
    [{'eventName': 'a'}, {'eventName': 'b'}]
    """
    value = read_text(body, StatsigEventError) if isinstance(body, (str, bytes)) else thaw(body)
    if is_object(value) and EVENT_NAME not in value and DATA in value:
        if _code(value) is not None:
            return iter(())
        value = value[DATA]
    if is_array(value):
        return iter(value)
    if is_object(value):
        return iter((value,))
    raise StatsigEventError("not_an_object")


def url_verification_code(body: object) -> str | None:
    """Give the code of Statsig's registration handshake, `None` for anything else, unreadable text included.

    Shape: `{"data": {"event": "url_verification", "verification_code": ...}}`, as an object or JSON text, in.
    Errors: none.
    Rules: OU-2. Source: Statsig's page on webhooks.

    >>> url_verification_code('{"data": {"event": "url_verification", "verification_code": "abc"}}')
    'abc'
    """
    try:
        return _code(read_object(body, StatsigEventError))
    except StatsigEventError:
        return None


def _code(body: Mapping[str, Any]) -> str | None:
    data = None if EVENT_NAME in body else body.get(DATA)  # what has a name is an event, whatever else it has
    if not is_object(data) or plain(data.get("event")) != "url_verification":
        return None
    code = plain(data.get("verification_code"))
    return code if isinstance(code, str) else None
