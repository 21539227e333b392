"""The configuration models; `configuration.file` reads them from a file."""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment._json.paths import NOWHERE, FieldPath
from statsig_segment._json.values import EMPTY, FrozenDict, type_name
from statsig_segment.configuration import CONTENT, DOCUMENTED, FLATTEN, JSON, PROFILES, TIME_UUID
from statsig_segment.configuration.event_names import EventNaming
from statsig_segment.configuration.filters import InboundFilter, OutboundFilter
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.plans import OutboundPlan, Plan, cut_outbound_plan, cut_plan
from statsig_segment.configuration.validators import (
    FILLED_NAMES,
    FILLED_TEXT,
    PATHS,
    by_type,
    checked,
    derived,
    expect,
    name_set,
    one_of,
    rows,
    table,
)
from statsig_segment.statsig.events import PLAIN_FIELDS

DEFAULT_USER_FIELDS: Final = FrozenDict(
    {"ip": "context.ip", "userAgent": "context.userAgent", "locale": "context.locale"}
)

_USER_FIELDS: Final = expect(
    f"a table of paths under {', '.join(PLAIN_FIELDS)}", lambda paths: paths.keys() <= set(PLAIN_FIELDS)
)
_INTEGRATION_NAMES: Final = expect(
    "one or more names, All not among them", lambda names: names and "all" not in map(str.lower, names)
)
_ANONYMOUS_ID: Final = expect("a non-empty string or a list of one or more", lambda names: names and all(names))
_VALUE_PROPERTY: Final = expect("a non-empty string or a list of them", lambda names: names != "" and all(names or ()))


def normalized(id_type: str) -> str:
    """Return an ID type without letter case and separators, which is what people get wrong."""
    return "".join(filter(str.isalnum, id_type)).casefold()


class Derived(NamedTuple):
    """What translation needs from an `InboundConfig`, computed once when the configuration is made."""

    user_paths: Mapping[str, FieldPath]
    """Field of the Statsig user, by its wire name -> where it is in a call (US-2)."""
    custom_paths: Mapping[str, FieldPath]
    """Custom attribute -> where it is in a call (US-10)."""
    metadata_paths: Mapping[str, FieldPath]
    """Metadata key -> where it is in a call (US-11)."""
    value_properties: tuple[str, ...]
    """The properties that may become the value, in order (US-8)."""
    declared_spellings: Mapping[str, str]
    """Declared ID type without letter case and separators -> its spelling (ID-7)."""
    plan: Plan | None
    """What the fast lane needs; `None` if it must leave all calls to the reference."""


def _derive(config: Any) -> Derived:
    names = config.value_property
    user, custom, metadata = (
        FrozenDict({name: FieldPath.read(path) or NOWHERE for name, path in paths.items()})
        for paths in (config.user_fields, config.custom_fields, config.metadata_fields)
    )
    value_properties = (names,) if isinstance(names, str) else names or ()
    spellings = FrozenDict({normalized(name): name for name in sorted(config.id_types or (), reverse=True)})
    plan = cut_plan(config, user, custom, metadata, value_properties)
    return Derived(user, custom, metadata, value_properties, spellings, plan)


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class InboundConfig:
    """How Segment calls become Statsig events; the default is what Statsig documents.

    Raises:
        ConfigError: Code `wrong_type` or `wrong_value`; its path is the name of the attribute.

    """

    default_environment: str | None = attrs.field(default=None, validator=FILLED_TEXT)
    """The tier of calls that name none (US-4)."""
    id_types: frozenset[str] | None = attrs.field(default=None, converter=name_set)
    """The ID types that the Statsig project declares; others give an issue (ID-7)."""
    id_mappings: tuple[IdMapping, ...] = attrs.field(default=(), converter=rows)
    """Fields to copy to custom IDs, in order (ID-4)."""
    drop_placeholder_ids: bool = False
    """Count IDs such as `undefined` as absent (ID-8)."""
    filters: InboundFilter = attrs.field(factory=InboundFilter)
    """Which calls pass (FL-1)."""
    naming: EventNaming = attrs.field(factory=EventNaming)
    """How calls become event names (US-5, US-6)."""
    user_fields: Mapping[str, str] = attrs.field(
        default=DEFAULT_USER_FIELDS, converter=table, validator=[PATHS, _USER_FIELDS]
    )
    """Field of the Statsig user, by its wire name -> top-level field or path (US-2)."""
    custom_fields: Mapping[str, str] = attrs.field(default=EMPTY, converter=table, validator=PATHS)
    """Custom attribute of the Statsig user -> top-level field or path (US-10)."""
    metadata_fields: Mapping[str, str] = attrs.field(default=EMPTY, converter=table, validator=PATHS)
    """Metadata key -> top-level field or path (US-11)."""
    nested: str = attrs.field(default=JSON, validator=one_of(JSON, FLATTEN))
    """How a property that is an object is written: as JSON text, or as one metadata entry for each leaf (US-7)."""
    value_property: str | tuple[str, ...] | None = attrs.field(
        default="value", converter=rows, validator=_VALUE_PROPERTY
    )
    """The property that becomes the event's value; of several, the first usable one; or `None` for none (US-8)."""
    honor_integrations: bool = True
    """Skip what the `integrations` object disables (FL-4)."""
    integration_names: frozenset[str] = attrs.field(
        default=frozenset({"Statsig"}),
        converter=name_set,
        validator=[FILLED_NAMES, _INTEGRATION_NAMES],
    )
    """The names under which this destination may appear in `integrations`, case-sensitive (FL-4)."""
    consent_categories: frozenset[str] = attrs.field(
        default=frozenset[str](), converter=name_set, validator=FILLED_NAMES
    )
    """The consent categories that this destination is mapped to in Segment; a call needs each of them (FL-8)."""
    allow_statsig_origin: bool = False
    """Whether calls pass that Statsig's own export made (FL-5)."""
    _checked: None = checked()
    _derived: Derived = derived(_derive)


derived_of: Final[Callable[[InboundConfig], Derived]] = attrgetter("_derived")
"""Returns what was derived from a configuration when it was made."""


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class OutboundConfig:
    """How Statsig events become Segment calls.

    Raises:
        ConfigError: Code `wrong_type` or `wrong_value`; its path is the name of the attribute.

    """

    profile: str = attrs.field(default=DOCUMENTED, validator=one_of(*PROFILES))
    """`documented` (Statsig's published schema, OU-3) or `deliverable` (what Segment's API accepts, OU-4)."""
    anonymous_id: str | tuple[str, ...] = attrs.field(default="stableID", converter=rows, validator=_ANONYMOUS_ID)
    """The ID type that becomes `anonymousId` in the deliverable profile; of several, the first with an ID (OU-4)."""
    group_id: str | None = attrs.field(default=None, validator=FILLED_TEXT)
    """The ID type that becomes `context.groupId` in the deliverable profile (OU-4)."""
    message_id: str = attrs.field(default=TIME_UUID, validator=one_of(TIME_UUID, CONTENT))
    """What becomes `messageId` in the deliverable profile: `time_uuid`, or, where an event has none, its `content`, so
    that a second run over a table is counted once (OU-4)."""
    drop_placeholder_ids: bool = False
    """Leave IDs such as `undefined` out of the deliverable profile (OU-4, ID-8)."""
    allow_segment_origin: bool = False
    """Whether events that came from Segment are exported (FL-7)."""
    config_change_user_id: str | None = attrs.field(default=None, validator=FILLED_TEXT)
    """The user ID, in the deliverable profile, of a config change with neither a user ID nor an email (OU-6)."""
    filters: OutboundFilter = attrs.field(factory=OutboundFilter)
    """Which events are exported (FL-2)."""
    _checked: None = checked()
    _plan: OutboundPlan | None = derived(cut_outbound_plan)


outbound_plan: Final[Callable[[OutboundConfig], OutboundPlan | None]] = attrgetter("_plan")
"""Returns what the outbound fast lane needs from a configuration; `None` if the reference has to do it all."""


@attrs.frozen(kw_only=True, slots=False, field_transformer=by_type)
class IntegrationConfig:
    """Both directions; `IntegrationConfig()` equals an empty file."""

    inbound: InboundConfig = attrs.field(factory=InboundConfig)
    """How Segment calls become Statsig events."""
    outbound: OutboundConfig = attrs.field(factory=OutboundConfig)
    """How Statsig events become Segment calls."""


def require_config(config: object, function: str) -> None:
    """Raise `TypeError` for anything but an `IntegrationConfig`, such as its table or one of its two directions."""
    if not issubclass(type(config), IntegrationConfig):
        raise TypeError(
            f"{function} takes an IntegrationConfig, not {type_name(config)}; load_config makes one from a table or "
            "from text, and IntegrationConfig(inbound=..., outbound=...) from its two directions"
        )
