"""Convert one Segment call to one Statsig event: user, environment, name, metadata and value. No filters or maps."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from statsig_segment import segment, statsig
from statsig_segment._json.javascript import property_text
from statsig_segment._json.models import made
from statsig_segment._json.paths import Arrays, FieldPath
from statsig_segment._json.values import FrozenDict, Lost, codes_of, is_object
from statsig_segment.configuration import FLATTEN
from statsig_segment.configuration.models import Derived, InboundConfig, derived_of, normalized
from statsig_segment.errors import Issue, TranslationError, add_issue, join_path
from statsig_segment.inbound.identity import id_path, id_type_path, ids_of, no_identifier
from statsig_segment.segment.arrays import CUSTOM_CODES, Pairs, coerce_id, custom_value, read_pairs
from statsig_segment.segment.calls import (
    Identify,
    Page,
    Screen,
    SegmentEvent,
    control,
    find,
    losses_of,
    lost_at,
    name_part,
)
from statsig_segment.segment.placeholders import is_placeholder
from statsig_segment.statsig.events import UNKNOWN, USER_ATTRIBUTES, StatsigEvent, StatsigUser
from statsig_segment.statsig.limits import LONGEST_JOINED_NAME, MOST_ID, MOST_VALUE, note_metadata, note_name


class MetadataSource(NamedTuple):
    """What becomes metadata: an object of the call, plus the top-level fields that are added if it lacks them."""

    holder: str
    added: tuple[str, ...]


METADATA_SOURCES: Final[Mapping[str, MetadataSource]] = FrozenDict(
    {
        "track": MetadataSource(segment.PROPERTIES, ()),
        "page": MetadataSource(segment.PROPERTIES, (segment.NAME, segment.CATEGORY)),
        "screen": MetadataSource(segment.PROPERTIES, (segment.NAME, segment.CATEGORY)),
        "group": MetadataSource(segment.TRAITS, (segment.GROUP_ID,)),
    }
)
"""Type of call -> what becomes its metadata (US-7)."""

_DEFAULT: Final = InboundConfig()
_LONGEST_GUESS: Final = 1_000
"""The longest ID type that is compared with the declared ones; longer names are not typing errors."""


def to_statsig_event(event: SegmentEvent, config: InboundConfig = _DEFAULT) -> StatsigEvent:
    """Convert one call to a Statsig event, without filters and ID mappings.

    Args:
        event: A `Track`, `Page`, `Screen` or `Group`.
        config: The inbound configuration.

    Returns:
        The event, with its time in epoch milliseconds, every metadata value a string, and the issues of the call and
        of the conversion.

    Raises:
        TranslationError: With code `no_identifier`, `identify_without_event` for an identify, or `number_too_long`.

    Rules: US-1 to US-11, ID-1, ID-6, ID-7, ID-8.
    Source: Statsig's page on Segment.

    >>> from statsig_segment import Track, to_statsig_event
    >>> event = to_statsig_event(Track(event="Order Completed", user_id="u1", properties={"value": 9.5, "paid": True}))
    >>> event.event_name, event.user.user_id, event.value, event.metadata
    ('segment::Order Completed', 'u1', 9.5, {'value': '9.5', 'paid': 'true'})

    """
    call = event
    if isinstance(call, Identify):
        raise TranslationError("identify_without_event", "$")
    if call.user_id is None and not call.custom_ids:
        raise no_identifier(call)
    issues = list(call.issues)
    arrays: Arrays = {}
    derived = derived_of(config)
    name = config.naming.full_name(call)
    note_name(name, lambda: config.naming.source(call), issues)
    if isinstance(call, Page | Screen) and call.name is None and not config.naming.from_properties:
        _note_name_in_properties(call, issues)
    user = UNKNOWN | _plain_fields(call, derived, arrays, issues)
    user["user_id"], user["custom_ids"] = call.user_id, call.custom_ids
    user["custom"] = FrozenDict(_custom(call, derived, arrays, issues))
    tier, _ = own_tier(call, issues)
    user["environment"] = config.default_environment if tier is None else tier
    holder = metadata_holder(call)
    value_name = value_property(holder, derived)
    value = None if value_name is None else holder[value_name]
    if isinstance(value, str) and len(value) > MOST_VALUE:
        add_issue(issues, "value_too_long", join_path(f"$.{METADATA_SOURCES[call.type].holder}", value_name or ""))
    metadata = metadata_of(call, config, arrays, issues)
    _note_losses(call, issues)
    _note_ids(call, config, issues)
    return made(
        StatsigEvent,
        {
            "event_name": name,
            "user": made(StatsigUser, user),
            "time_ms": call.time_ms,
            "value": value,
            "metadata": FrozenDict(metadata.entries),
            "message_id": call.message_id,
            "issues": tuple(dict.fromkeys(issues)) if issues else (),
        },
    )


# -- Name and IDs ------------------------------------------------------------------------------------------------------


def _note_name_in_properties(call: Page | Screen, issues: list[Issue]) -> None:
    """Note a page or screen whose name is only in its properties (US-6)."""
    if name_part(call.properties.get(segment.NAME)) is not None:
        add_issue(issues, "name_in_properties", f"$.{segment.PROPERTIES}.{segment.NAME}")


def _note_ids(call: SegmentEvent, config: InboundConfig, issues: list[Issue]) -> None:
    """Note IDs that are too long, placeholders, and ID types that are not declared (US-9, ID-7, ID-8)."""
    declared = config.id_types
    for id_type, text in ids_of(call).items():
        if is_placeholder(text):
            add_issue(issues, "id_placeholder", id_path(call, id_type))
        if len(text) > MOST_ID:
            add_issue(issues, "id_too_long", id_path(call, id_type))
        if declared is not None and id_type not in declared and id_type != segment.USER_ID_TYPE:
            message = _meant_message(id_type, derived_of(config).declared_spellings)
            add_issue(issues, "unknown_id_type", id_type_path(call, id_type), message)


def _meant_message(id_type: str, spellings: Mapping[str, str]) -> str | None:
    """Return a message that suggests the declared ID type, if only letter case or separators differ."""
    # Only a name from the configuration is shown: the one in the call is a value of the payload (TR-3).
    meant = spellings.get(normalized(id_type)) if len(id_type) <= _LONGEST_GUESS else None
    return None if meant is None else f"the ID type is not one of the declared ones; did you mean {meant}?"


# -- User --------------------------------------------------------------------------------------------------------------


def _plain_fields(call: SegmentEvent, derived: Derived, arrays: Arrays, issues: list[Issue]) -> dict[str, str]:
    """Return the plain fields of the user by attribute; by default, three fields of the context (US-2)."""
    fields: dict[str, str] = {}
    losses = losses_of(call)
    for name, field in derived.user_paths.items():
        value, path = find(call, field, arrays)
        if value is None:
            if losses:
                _note_lost(call, field, arrays, issues)
            continue
        text = value if type(value) is str and value else coerce_id(value)
        if text is None:
            add_issue(issues, "user_field_invalid", path)
        else:
            fields[USER_ATTRIBUTES[name]] = text
    return fields


def _note_lost(call: SegmentEvent, field: FieldPath, arrays: Arrays, issues: list[Issue]) -> None:
    """Note what could not be read of a configured field (IN-10, TR-5)."""
    lost, path = lost_at(call, field, arrays) if losses_of(call) else (None, "$")
    for code in codes_of(lost):
        add_issue(issues, code, path)


def custom_pairs(call: SegmentEvent, issues: list[Issue]) -> Pairs:
    """Read the custom attributes of `statsigCustom` (US-1)."""
    array, path = control(call, segment.CUSTOM)
    return {} if array is None else read_pairs(array, path, CUSTOM_CODES, custom_value, issues)


def _custom(call: SegmentEvent, derived: Derived, arrays: Arrays, issues: list[Issue]) -> dict[str, Any]:
    """Return the custom attributes of the call and those that the configuration adds (US-1, US-10)."""
    custom = {name: value for name, (value, _) in custom_pairs(call, issues).items()}
    for name, field in derived.custom_paths.items():
        if name in custom:
            continue
        value, path = find(call, field, arrays)
        _note_lost(call, field, arrays, issues)
        kept, wrong = (None, ()) if value is None else custom_value(value)
        for code in wrong:
            add_issue(issues, code, path)
        if kept is not None:
            custom[name] = kept
    return custom


def own_tier(call: SegmentEvent, issues: list[Issue]) -> tuple[str | None, str]:
    """Return the tier that a call names, or `None`, and its wire path (US-3)."""
    value, path = control(call, segment.ENVIRONMENT)
    if type(value) is str and value:
        add_issue(issues, "environment_string", path)
        return value, path
    tier = value.get(statsig.TIER) if is_object(value) else None
    if type(tier) is str and tier:
        return tier, f"{path}.{statsig.TIER}"
    if value is not None:
        add_issue(issues, "environment_invalid", path)
    return None, path


# -- Value and metadata ------------------------------------------------------------------------------------------------


def metadata_holder(call: SegmentEvent) -> Mapping[str, Any]:
    """Return the object that becomes metadata (US-7)."""
    holder: Mapping[str, Any] = getattr(call, METADATA_SOURCES[call.type].holder)
    return holder


def value_property(holder: Mapping[str, Any], derived: Derived) -> str | None:
    """Return the first of the configured properties that is a string or a finite number (US-8)."""
    for name in derived.value_properties:
        value = holder.get(name)
        if type(value) in {str, int} or (type(value) is float and isfinite(value)):
            return name
    return None


class Metadata:
    """Collects the metadata of one event, and where its entries came from."""

    def __init__(self, holder: str, issues: list[Issue], *, flattens: bool) -> None:
        """Begin with no entries, for the properties of `holder`."""
        self.entries: dict[str, str] = {}
        self.own_count = 0
        """The number of entries by US-7, which come first; the configuration adds the others (US-11)."""
        self._paths: dict[str, str] = {}
        self._holder = f"$.{holder}"
        self._issues = issues
        self._flattens = flattens

    def path_of(self, key: str) -> str:
        """Return the wire path of an entry: that of the property of the same name, unless it came from elsewhere."""
        return self._paths.get(key) or join_path(self._holder, key)

    def add(self, key: str, value: Any, path: str | None = None) -> None:
        """Add a value as text; with `flatten`, add an object as one entry for each of its leaves (US-7)."""
        if type(value) is FrozenDict and self._flattens and len(key) <= LONGEST_JOINED_NAME:
            path = path or join_path(self._holder, key)
            for name, item in value.items():
                self.add(f"{key}_{name}", item, join_path(path, name))
            return
        text, is_finite = (None, True) if value is None else property_text(value)
        if not is_finite:
            add_issue(self._issues, "non_finite_number", path or join_path(self._holder, key))
        if text is None:
            return
        if key in self.entries:
            add_issue(self._issues, "metadata_key_taken", path or join_path(self._holder, key))
            return
        self.entries[key] = text
        if path is not None:
            self._paths[key] = path


def metadata_of(call: SegmentEvent, config: InboundConfig, arrays: Arrays, issues: list[Issue]) -> Metadata:
    """Return the metadata of a call: its properties as text, and what the configuration adds (US-7, US-11)."""
    source = METADATA_SOURCES[call.type]
    holder: Mapping[str, Any] = getattr(call, source.holder)
    metadata = Metadata(source.holder, issues, flattens=config.nested == FLATTEN)
    entries = metadata.entries
    for key, value in holder.items():
        if type(value) is str and key not in entries and key not in segment.CONTROL_KEYS:
            entries[key] = value
        elif value is not None and key not in segment.CONTROL_KEYS:
            metadata.add(key, value)
    for name in source.added:
        if name not in holder:
            metadata.add(name, getattr(call, call.attribute_of[name]), f"$.{name}")
    metadata.own_count = len(entries)
    for key, field in derived_of(config).metadata_paths.items():
        if key not in entries:
            value, path = find(call, field, arrays)
            metadata.add(key, value, path)
            _note_lost(call, field, arrays, issues)
    note_metadata(entries, f"$.{source.holder}", metadata.path_of, issues)
    return metadata


def _note_losses(call: SegmentEvent, issues: list[Issue]) -> None:
    """Note each property that holds something unreadable (IN-10, TR-5)."""
    sent = METADATA_SOURCES[call.type].holder
    for holder, lost in losses_of(call).items():
        keys: Mapping[Any, Lost] = lost if is_object(lost) else {}
        for key, inside in keys.items():
            # Control keys count in the properties even if the traits become metadata: they are read from both.
            is_sent = holder == sent or (holder == segment.PROPERTIES and key in segment.CONTROL_KEYS)
            if is_sent and isinstance(key, str):  # losses in an array that takes the place of an object have indexes
                for code in codes_of(inside):
                    add_issue(issues, code, join_path(f"$.{holder}", key))
