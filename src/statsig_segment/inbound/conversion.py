"""Convert one Segment call to one Statsig event: user, environment, name, metadata and value. No filters or maps."""

from collections.abc import Mapping
from math import isfinite
from typing import Any, Final, NamedTuple

from statsig_segment import segment, statsig
from statsig_segment._json.javascript import property_texts
from statsig_segment._json.models import made
from statsig_segment._json.paths import Arrays, FieldPath
from statsig_segment._json.values import FrozenDict, Lost, codes_of, is_object
from statsig_segment.configuration import FLATTEN
from statsig_segment.configuration.models import Derived, InboundConfig, derived_of, normalized
from statsig_segment.errors import Issue, TranslationError, add_issue, join_path
from statsig_segment.inbound.identity import id_path, id_type_path, no_identifier
from statsig_segment.segment.arrays import CUSTOM_CODES, Pairs, coerce_id, custom_value, read_pairs
from statsig_segment.segment.calls import (
    Group,
    Identify,
    Page,
    Screen,
    SegmentEvent,
    Track,
    controls,
    find_all,
    losses_of,
    lost_at,
    name_part,
)
from statsig_segment.segment.placeholders import PLAIN_ENDS, match_placeholder
from statsig_segment.statsig import limits
from statsig_segment.statsig.events import UNKNOWN, USER_ATTRIBUTES, StatsigEvent, StatsigUser


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
    tier, custom = controls(call, segment.ENVIRONMENT, segment.CUSTOM)
    name = config.naming.full_name(call)
    _note_name(call, name, config, issues)
    user = UNKNOWN | _plain_fields(call, derived, arrays, issues)
    user["user_id"], user["custom_ids"] = call.user_id, call.custom_ids
    user["custom"] = FrozenDict(_custom(call, custom, derived, arrays, issues))
    user["environment"] = read_tier(tier, issues)[0] or config.default_environment
    holder: Mapping[str, Any] = getattr(call, METADATA_SOURCES[call.type].holder)
    value_name = value_property(holder, derived)
    value = None if value_name is None else holder[value_name]
    if isinstance(value, str) and len(value) > limits.MOST_VALUE:
        add_issue(issues, "value_too_long", join_path(f"$.{METADATA_SOURCES[call.type].holder}", value_name or ""))
    metadata = metadata_of(call, config, arrays, issues)
    _note_size(metadata, f"$.{METADATA_SOURCES[call.type].holder}", issues)
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


def _note_name(call: Track | Page | Screen | Group, name: str, config: InboundConfig, issues: list[Issue]) -> None:
    """Note a name that Statsig would drop, and a page or screen whose name is only in its properties (US-6, US-9)."""
    if len(name) > limits.MOST_NAME:
        add_issue(issues, "name_too_long", config.naming.source(call))
    if limits.find_forbidden(name) is not None:
        add_issue(issues, "name_forbidden_character", config.naming.source(call))
    is_unnamed = isinstance(call, Page | Screen) and call.name is None and not config.naming.from_properties
    if is_unnamed and segment.NAME in call.properties and name_part(call.properties[segment.NAME]) is not None:
        add_issue(issues, "name_in_properties", f"$.{segment.PROPERTIES}.{segment.NAME}")


def _note_ids(call: SegmentEvent, config: InboundConfig, issues: list[Issue]) -> None:
    """Note IDs that are too long, placeholders, and ID types that are not declared (US-9, ID-7, ID-8)."""
    declared = config.id_types
    for id_type, text in (*((segment.USER_ID_TYPE, call.user_id),), *call.custom_ids.items()):
        if text is None:
            continue
        if text[-1:] not in PLAIN_ENDS and match_placeholder(text):  # few IDs need the look
            add_issue(issues, "id_placeholder", id_path(call, id_type))
        if len(text) > limits.MOST_ID:
            add_issue(issues, "id_too_long", id_path(call, id_type))
        if declared is not None and id_type not in declared and id_type != segment.USER_ID_TYPE:
            # Only a name from the configuration is shown: the one in the call is a value of the payload (TR-3).
            spellings = derived_of(config).declared_spellings
            meant = spellings.get(normalized(id_type)) if len(id_type) <= _LONGEST_GUESS else None
            message = f"the ID type is not one of the declared ones; did you mean {meant}?" if meant else None
            add_issue(issues, "unknown_id_type", id_type_path(call, id_type), message)


# -- User --------------------------------------------------------------------------------------------------------------


def _plain_fields(call: SegmentEvent, derived: Derived, arrays: Arrays, issues: list[Issue]) -> dict[str, str]:
    """Return the plain fields of the user by attribute; by default, three fields of the context (US-2)."""
    fields: dict[str, str] = {}
    for name, (value, path) in find_all(call, derived.user_paths, arrays).items():
        if value is None:
            _note_lost(call, derived.user_paths[name], arrays, issues)
            continue
        text = value if type(value) is str and value else coerce_id(value)
        if text is None:
            add_issue(issues, "user_field_invalid", path)
        else:
            fields[USER_ATTRIBUTES[name]] = text
    return fields


def _note_lost(call: SegmentEvent, field: FieldPath, arrays: Arrays, issues: list[Issue]) -> None:
    """Note what could not be read of a configured field (IN-10, TR-5)."""
    if losses_of(call):
        lost, path = lost_at(call, field, arrays)
        for code in codes_of(lost):
            add_issue(issues, code, path)


def custom_pairs(control: tuple[Any, str], issues: list[Issue]) -> Pairs:
    """Read the custom attributes of `statsigCustom` (US-1)."""
    array, path = control
    return {} if array is None else read_pairs(array, path, CUSTOM_CODES, custom_value, issues)


def _custom(
    call: SegmentEvent, control: tuple[Any, str], derived: Derived, arrays: Arrays, issues: list[Issue]
) -> dict[str, Any]:
    """Return the custom attributes of the call and those that the configuration adds (US-1, US-10)."""
    custom = {name: value for name, (value, _) in custom_pairs(control, issues).items()}
    for name, (value, path) in find_all(call, derived.custom_paths, arrays).items() if derived.custom_paths else ():
        if name in custom:
            continue
        _note_lost(call, derived.custom_paths[name], arrays, issues)
        kept, wrong = (None, ()) if value is None else custom_value(value)
        for code in wrong:
            add_issue(issues, code, path)
        if kept is not None:
            custom[name] = kept
    return custom


def read_tier(control: tuple[Any, str], issues: list[Issue]) -> tuple[str | None, str]:
    """Return the tier that a call names, or `None`, and its wire path (US-3)."""
    value, path = control
    if value is None:
        return None, path
    tier: Any = value.get(statsig.TIER) if type(value) is FrozenDict else value
    if type(tier) is not str or not tier:
        add_issue(issues, "environment_invalid", path)
        return None, path
    if tier is not value:
        return tier, f"{path}.{statsig.TIER}"
    add_issue(issues, "environment_string", path)
    return tier, path


# -- Value and metadata ------------------------------------------------------------------------------------------------


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
        self.paths: dict[str, str] = {}
        """Key -> wire path, for entries that are not a property of the same name."""
        self._holder = f"$.{holder}"
        self._issues = issues
        self._flattens = flattens

    def path_of(self, key: str) -> str:
        """Return the wire path of an entry."""
        return self.paths.get(key) or join_path(self._holder, key)

    def add(self, values: Mapping[str, Any], path: str | None = None) -> None:
        """Add values as text; with `flatten`, add an object as one entry for each of its leaves (US-7).

        A path is that of a single value, which is not a property of its name.
        """
        if self._flattens and FrozenDict in map(type, values.values()):
            for key, value in values.items():
                self._flatten(key, value, path)
        else:
            self._write(values, path)

    def _flatten(self, key: str, value: Any, path: str | None) -> None:
        if type(value) is not FrozenDict or len(key) > limits.LONGEST_JOINED_NAME:
            self._write({key: value}, path)
            return
        path = path or join_path(self._holder, key)
        for name, item in value.items():
            self._flatten(f"{key}_{name}", item, join_path(path, name))

    def _write(self, values: Mapping[str, Any], path: str | None) -> None:
        texts, odd = property_texts(values)
        for key in odd:
            add_issue(self._issues, "non_finite_number", path or join_path(self._holder, key))
        for key in self.entries.keys() & texts.keys():  # at most one: only the first values are many
            add_issue(self._issues, "metadata_key_taken", path or join_path(self._holder, key))
            del texts[key]
        self.entries.update(texts)
        if path is not None:
            self.paths.update(dict.fromkeys(texts, path))


def metadata_of(call: SegmentEvent, config: InboundConfig, arrays: Arrays, issues: list[Issue]) -> Metadata:
    """Return the metadata of a call: its properties as text, and what the configuration adds (US-7, US-11)."""
    source = METADATA_SOURCES[call.type]
    holder: Mapping[str, Any] = getattr(call, source.holder)
    metadata = Metadata(source.holder, issues, flattens=config.nested == FLATTEN)
    own = dict(holder)
    for key in segment.CONTROL_KEYS & holder.keys():
        del own[key]
    for name in source.added:
        if name not in holder:
            own[name], metadata.paths[name] = getattr(call, call.attribute_of[name]), f"$.{name}"
    metadata.add(own)
    metadata.own_count = len(metadata.entries)
    rows = derived_of(config).metadata_paths
    for key, (value, path) in find_all(call, rows, arrays).items() if rows else ():
        if key not in metadata.entries:
            metadata.add({key: value}, path)
            _note_lost(call, rows[key], arrays, issues)
    return metadata


def _note_size(metadata: Metadata, holder: str, issues: list[Issue]) -> None:
    """Note metadata that Statsig would drop, and each key that it would read as a path (US-9)."""
    entries = metadata.entries
    keys = "".join(entries)
    for key in entries if "." in keys else ():
        if "." in key:
            add_issue(issues, "metadata_key_dot", metadata.path_of(key))
    # Most metadata is far from too large, and is not written out to see that.
    most = limits.MOST_ESCAPED * (len(keys) + sum(map(len, entries.values()))) + limits.MARKS * len(entries)
    if most >= limits.MOST_METADATA and limits.is_too_large(entries):
        add_issue(issues, "metadata_too_large", holder)


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
