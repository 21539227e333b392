"""The same inbound mapping, written as a good user of pydantic v2 would: the yardstick for what models cost.

Models for the five calls in a discriminated union, one `TypeAdapter` made once, only the fields that are read declared,
models for Statsig's side, `model_dump` to the wire, nested values written by `pydantic_core.to_json`. It gives the same
log events as this library for sound calls, which the benchmark checks before it times anything. It does less beyond
that: no issues, no limits, no control over odd shapes; a malformed call is a `ValidationError` as a whole.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, TypeAdapter
from pydantic_core import to_json

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
CONTROL_KEYS: Final = ("statsigCustomIDs", "statsigCustom", "statsigEnvironment")
AUDIENCE_CLASSES: Final = ("audience", "journey_step")
PREFIX: Final = "segment::"


# -- Segment's side -------------------------------------------------------------------------------------------------


class Wire(BaseModel):
    model_config = ConfigDict(coerce_numbers_to_str=True)


class Library(Wire):
    name: str | None = None


class Device(Wire):
    id: str | None = None


class Personas(Wire):
    computation_class: str | None = None
    computation_key: str | None = None


class Context(Wire):
    ip: str | None = None
    user_agent: str | None = Field(default=None, alias="userAgent")
    locale: str | None = None
    library: Library | None = None
    device: Device | None = None
    personas: Personas | None = None


class Call(Wire):
    user_id: str | None = Field(default=None, alias="userId")
    anonymous_id: str | None = Field(default=None, alias="anonymousId")
    group_id: str | None = Field(default=None, alias="groupId")
    message_id: str | None = Field(default=None, alias="messageId")
    timestamp: AwareDatetime | None = None
    context: Context = Context()
    integrations: dict[str, Any] = {}


class Track(Call):
    type: Literal["track"]
    event: Annotated[str, Field(min_length=1)]
    properties: dict[str, Any] = {}


class Page(Call):
    type: Literal["page"]
    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] = {}


class Screen(Call):
    type: Literal["screen"]
    name: str | None = None
    category: str | None = None
    properties: dict[str, Any] = {}


class Group(Call):
    type: Literal["group"]
    traits: dict[str, Any] = {}


class Identify(Call):
    type: Literal["identify"]
    traits: dict[str, Any] = {}


SegmentCall = Track | Page | Screen | Group | Identify
CALLS: Final[TypeAdapter[SegmentCall]] = TypeAdapter(Annotated[SegmentCall, Field(discriminator="type")])


# -- Statsig's side -------------------------------------------------------------------------------------------------


class Environment(Wire):
    tier: str


class User(Wire):
    user_id: str | None = Field(default=None, serialization_alias="userID")
    custom_ids: dict[str, str] | None = Field(default=None, serialization_alias="customIDs")
    ip: str | None = None
    user_agent: str | None = Field(default=None, serialization_alias="userAgent")
    locale: str | None = None
    custom: dict[str, str | bool | int | float | list[str]] | None = None
    environment: Environment | None = Field(default=None, serialization_alias="statsigEnvironment")


class LogEvent(Wire):
    event_name: str = Field(serialization_alias="eventName")
    user: User
    time: int | None = None
    value: str | int | float | None = None
    metadata: dict[str, str]


class AudienceUpdate(Wire):
    id_list: str
    member: bool
    user_id: str | None
    custom_ids: dict[str, str]
    time_ms: int | None


# -- The mapping ----------------------------------------------------------------------------------------------------


class Settings(BaseModel):
    """What `IntegrationConfig` says for the library."""

    mappings: list[tuple[str, str]]
    exclude: frozenset[str]
    default_environment: str


def translate_object(payload: dict[str, Any], settings: Settings) -> dict[str, Any] | AudienceUpdate | None:
    return translate(CALLS.validate_python(payload), settings)


def translate_line(line: bytes, settings: Settings) -> dict[str, Any] | AudienceUpdate | None:
    return translate(CALLS.validate_json(line), settings)


def translate(call: SegmentCall, settings: Settings) -> dict[str, Any] | AudienceUpdate | None:
    if is_skipped(call):
        return None
    if isinstance(call, Identify):
        return audience_update(call, settings)
    name = event_name(call)
    return None if name in settings.exclude else log_event(call, name, settings)


def is_skipped(call: SegmentCall) -> bool:
    library = call.context.library
    if library is not None and library.name == "statsig":
        return True
    return call.integrations.get("Statsig", call.integrations.get("All", True)) is False


def event_name(call: Track | Page | Screen | Group) -> str:
    if isinstance(call, Track):
        return call.event
    if isinstance(call, Group):
        return "group"
    noun = "Page" if isinstance(call, Page) else "Screen"
    parts = [part for part in (call.category, call.name) if part]
    return f"Viewed {' '.join(parts)} {noun}" if parts else f"Loaded a {noun}"


def holder(call: SegmentCall) -> dict[str, Any]:
    return call.traits if isinstance(call, Group | Identify) else call.properties


def log_event(call: Track | Page | Screen | Group, name: str, settings: Settings) -> dict[str, Any]:
    values = holder(call)
    event = LogEvent(
        event_name=PREFIX + name,
        user=user(call, values, settings),
        time=epoch_ms(call.timestamp),
        value=event_value(values.get("value")),
        metadata=metadata(call, values),
    )
    return event.model_dump(by_alias=True, exclude_none=True)


def user(call: SegmentCall, values: dict[str, Any], settings: Settings) -> User:
    custom = values.get("statsigCustom")
    environment = values.get("statsigEnvironment") or {"tier": settings.default_environment}
    return User(
        user_id=call.user_id or None,
        custom_ids=custom_ids(call, values, settings) or None,
        ip=call.context.ip,
        user_agent=call.context.user_agent,
        locale=call.context.locale,
        custom=dict(zip(custom[::2], custom[1::2], strict=True)) if custom else None,
        environment=Environment(tier=environment["tier"]),
    )


def custom_ids(call: SegmentCall, values: dict[str, Any], settings: Settings) -> dict[str, str]:
    own: list[str] = values.get("statsigCustomIDs") or []
    ids: dict[str, str] = dict(zip(own[::2], own[1::2], strict=True))
    for field, id_type in settings.mappings:
        if id_type not in ids and (value := mapped(call, field)):
            ids[id_type] = value
    return ids


def mapped(call: SegmentCall, field: str) -> str | None:
    value: Any = call
    for name in field.split("."):
        value = getattr(value, name, None)
    return value  # type: ignore[no-any-return]


def metadata(call: SegmentCall, values: dict[str, Any]) -> dict[str, str]:
    texts = {key: text(value) for key, value in values.items() if value is not None and key not in CONTROL_KEYS}
    added: dict[str, str | None] = {}
    if isinstance(call, Page | Screen):
        added = {"name": call.name, "category": call.category}
    elif isinstance(call, Group):
        added = {"groupId": call.group_id}
    return texts | {key: value for key, value in added.items() if value and key not in values}


def text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else to_json(value).decode()


def event_value(value: Any) -> str | int | float | None:
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def epoch_ms(time: datetime | None) -> int | None:
    return None if time is None else (time - EPOCH) // MILLISECOND


def audience_update(call: Identify, settings: Settings) -> AudienceUpdate | None:
    personas = call.context.personas
    if personas is None or personas.computation_class not in AUDIENCE_CLASSES or not personas.computation_key:
        return None
    return AudienceUpdate(
        id_list=personas.computation_key,
        member=call.traits[personas.computation_key],
        user_id=call.user_id,
        custom_ids=custom_ids(call, call.traits, settings),
        time_ms=epoch_ms(call.timestamp),
    )
