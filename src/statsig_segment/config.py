"""The configuration models; reading them from a file is the job of `config_file`."""

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import attrs
from attrs import validators

from statsig_segment._validators import A_BOOL, FILLED_TEXT, FILLED_TEXT_OR_NONE, NAMES_OR_NONE, expect, name_set, table
from statsig_segment._values import FrozenDict, is_array, is_object
from statsig_segment.event_names import EventNaming
from statsig_segment.filters import InboundFilter, OutboundFilter
from statsig_segment.identity import FieldPath, IdMapping
from statsig_segment.segment import CONTEXT
from statsig_segment.statsig import PLAIN_FIELDS, STABLE_ID, USER_FIELDS

DEFAULT_USER_FIELDS: Final = FrozenDict(
    {"ip": "context.ip", "userAgent": "context.userAgent", "locale": "context.locale"}
)
PROFILES: Final = ("documented", "deliverable")

_FIELD: Final[Any] = validators.and_(validators.instance_of(str), validators.in_(PLAIN_FIELDS))
_PATH: Final[Any] = validators.and_(validators.instance_of(str), validators.min_len(1))
_USER_FIELDS: Final = expect(
    f"a table of paths under {', '.join(PLAIN_FIELDS)}",
    validators.deep_mapping(_FIELD, _PATH, validators.instance_of(dict)),
)
_PROFILE: Final = expect(" or ".join(PROFILES), validators.instance_of(str), validators.in_(PROFILES))
_MAPPINGS: Final = expect(
    "a list of mappings", validators.deep_iterable(validators.instance_of(IdMapping), validators.instance_of(tuple))
)


def _instance(model: type) -> Any:
    return expect(f"an {model.__name__}", validators.instance_of(model))


UserSource: TypeAlias = tuple[str, str | None, FieldPath]


def _context_key(source: FieldPath) -> str | None:
    return source.rest[0] if source.head == CONTEXT and len(source.rest) == 1 else None


def _cut(config: Any) -> tuple[UserSource, ...]:
    fields: Any = config.user_fields
    paths: dict[str, Any] = dict(fields) if is_object(fields) else {}
    sources = {name: FieldPath.of(path) for name, path in paths.items() if isinstance(path, str)}
    return tuple((USER_FIELDS.get(name, ""), _context_key(source), source) for name, source in sources.items())


def _rows(value: Any) -> Any:
    return tuple(value) if is_array(value) else value


@attrs.frozen(kw_only=True, slots=False)
class InboundConfig:
    """How Segment calls become Statsig events; the default is what Statsig documents.

    Errors: `ConfigError` with code `wrong_type` or `wrong_value`; its path is the name of the attribute.
    """

    default_environment: str | None = attrs.field(default=None, validator=FILLED_TEXT_OR_NONE)
    """The tier of calls that name none (US-4)."""
    id_types: frozenset[str] | None = attrs.field(default=None, converter=name_set, validator=NAMES_OR_NONE)
    """The ID types that the Statsig project declares; others give an issue (ID-7)."""
    id_mappings: tuple[IdMapping, ...] = attrs.field(default=(), converter=_rows, validator=_MAPPINGS)
    """Fields to copy to custom IDs, in order (ID-4)."""
    filters: InboundFilter = attrs.field(factory=InboundFilter, validator=_instance(InboundFilter))
    naming: EventNaming = attrs.field(factory=EventNaming, validator=_instance(EventNaming))
    user_fields: Mapping[str, str] = attrs.field(default=DEFAULT_USER_FIELDS, converter=table, validator=_USER_FIELDS)
    """Field of the Statsig user, by its wire name -> top-level field or dotted path (US-2)."""
    value_property: str | None = attrs.field(default="value", validator=FILLED_TEXT_OR_NONE)
    """The property that becomes the event's value, or `None` for none (US-8)."""
    user_sources: tuple[UserSource, ...] = attrs.field(
        init=False, default=attrs.Factory(_cut, takes_self=True), eq=False, repr=False
    )
    """`user_fields`, cut once: attribute of the Statsig user, key where it stands in the context, whole path."""

    honor_integrations: bool = attrs.field(default=True, validator=A_BOOL)
    """Skip what the `integrations` object disables (FL-4)."""
    allow_statsig_origin: bool = attrs.field(default=False, validator=A_BOOL)
    """Let calls pass that Statsig's own export made (FL-5)."""


@attrs.frozen(kw_only=True, slots=False)
class OutboundConfig:
    """How Statsig events become Segment calls.

    Errors: `ConfigError` with code `wrong_type` or `wrong_value`; its path is the name of the attribute.
    """

    profile: str = attrs.field(default="documented", validator=_PROFILE)
    """`documented` (Statsig's published schema, OU-3) or `deliverable` (what Segment's API accepts, OU-4)."""
    anonymous_id: str = attrs.field(default=STABLE_ID, validator=FILLED_TEXT)
    """The ID type that becomes `anonymousId` in the deliverable profile (OU-4)."""
    filters: OutboundFilter = attrs.field(factory=OutboundFilter, validator=_instance(OutboundFilter))


@attrs.frozen(kw_only=True, slots=False)
class IntegrationConfig:
    """Both directions; `IntegrationConfig()` is what an empty file says."""

    inbound: InboundConfig = attrs.field(factory=InboundConfig, validator=_instance(InboundConfig))
    outbound: OutboundConfig = attrs.field(factory=OutboundConfig, validator=_instance(OutboundConfig))
