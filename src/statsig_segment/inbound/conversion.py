"""One Segment call -> one Statsig event: user, environment, name, metadata, value; filters and maps nothing."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.javascript import json_text, scalar_text
from statsig_segment._json.paths import FieldPath, Found
from statsig_segment._json.values import FrozenDict, is_object
from statsig_segment.configuration.choices import FLATTEN
from statsig_segment.configuration.models import InboundConfig, normalized
from statsig_segment.errors import Issue, TranslationError, add_issue, join_path
from statsig_segment.inbound.identity import id_path, id_type_path, ids_of, no_identifier, note_placeholders
from statsig_segment.segment.arrays import CUSTOM_CODES, coerce_id, custom_value, read_pairs
from statsig_segment.segment.calls import (
    Group,
    Identify,
    Page,
    Screen,
    SegmentEvent,
    Track,
    control,
    find,
    losses_by_way,
    lost_on_the_way,
    name_part,
)
from statsig_segment.statsig.events import USER_FIELDS, StatsigEvent, StatsigUser
from statsig_segment.statsig.limits import (
    LONGEST_JOINED_NAME,
    note_id,
    note_metadata,
    note_metadata_key,
    note_name,
    note_value,
)


class MetadataSource(NamedTuple):
    """What becomes metadata: an object of the call, and the top-level fields added where it lacks them."""

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
"""A longer ID type is not compared with the declared ones."""


class Leaf(NamedTuple):
    """One value of an event, the wire path that it came from, and the rule that put it there."""

    value: Any
    source: str | None
    """`None` where the configuration put it."""
    rule: str


@attrs.frozen(kw_only=True)
class Conversion:
    """An event, and where each of its parts came from; what is absent has no leaf."""

    event: StatsigEvent
    name: Leaf
    fields: Mapping[str, Leaf]
    """By attribute of `StatsigUser`."""
    custom: Mapping[str, Leaf]
    value: Leaf | None
    metadata: Mapping[str, Leaf]


def to_statsig_event(event: SegmentEvent, config: InboundConfig = _DEFAULT) -> StatsigEvent:
    """Convert one call; it is neither filtered nor mapped here.

    Shape: a `Track`, `Page`, `Screen` or `Group` in; a `StatsigEvent` out, every metadata value a string, with the
    issues of the call and those found here.
    Units: `time_ms` is in epoch milliseconds.
    Errors: `TranslationError` with code `no_identifier`, or `identify_without_event` for an identify.
    Rules: US-1 to US-11, ID-1, ID-6, ID-7. Source: Statsig's page on Segment.

    >>> from statsig_segment import Track, to_statsig_event
    >>> event = to_statsig_event(Track(event="Order Completed", user_id="u1", properties={"value": 9.5, "paid": True}))
    >>> event.event_name, event.user.user_id, event.value, event.metadata
    ('segment::Order Completed', 'u1', 9.5, {'value': '9.5', 'paid': 'true'})
    """
    return convert(event, config).event


def convert(call: SegmentEvent, config: InboundConfig) -> Conversion:
    """Convert one call, and keep where each part came from."""
    if isinstance(call, Identify):
        raise TranslationError("identify_without_event", "$")
    if call.user_id is None and not call.custom_ids:
        raise no_identifier(call)
    parts = _Parts(call, config)
    name = parts.name()
    fields = parts.user_fields() | parts.environment()
    custom = parts.custom()
    value = parts.value()
    metadata = parts.metadata()
    parts.note_ids()
    user = StatsigUser(
        user_id=call.user_id,
        custom_ids=call.custom_ids,
        custom=_values(custom),
        **{attribute: leaf.value for attribute, leaf in fields.items()},
    )
    event = StatsigEvent(
        event_name=name.value,
        user=user,
        time_ms=call.time_ms,
        value=None if value is None else value.value,
        metadata=_values(metadata),
        message_id=call.message_id,
        issues=dict.fromkeys(parts.issues),
    )
    return Conversion(event=event, name=name, fields=fields, custom=custom, value=value, metadata=metadata)


def _values(leaves: Mapping[str, Leaf]) -> FrozenDict:
    return FrozenDict({key: leaf.value for key, leaf in leaves.items()})


class _Parts:
    """The parts of the event that a call becomes, and the issues found on the way."""

    def __init__(self, call: Track | Page | Screen | Group, config: InboundConfig) -> None:
        self._call = call
        self._config = config
        self._losses = losses_by_way(call)
        self.issues: list[Issue] = list(call.issues)

    # -- Name and IDs -------------------------------------------------------------------------------------------------

    def name(self) -> Leaf:
        """Name the event (US-5, US-6)."""
        name, path = self._config.naming.named(self._call)
        note_name(name, path, self.issues)
        if isinstance(self._call, Page | Screen) and self._call.name is None:
            self._note_name_in_properties()
        return Leaf(name, None if path == "$" else path, "US-5")

    def _note_name_in_properties(self) -> None:
        """Note a page or screen whose name stands in its properties alone (US-6)."""
        from_properties = self._config.naming.from_properties
        if not from_properties and name_part(self._call.properties.get(segment.NAME)) is not None:
            add_issue(self.issues, "name_in_properties", f"$.{segment.PROPERTIES}.{segment.NAME}")

    def note_ids(self) -> None:
        """Note IDs that are too long or stand for nobody, and ID types that are not declared (US-9, ID-7)."""
        note_placeholders(self._call, self.issues)
        declared = self._config.id_types
        for id_type, text in ids_of(self._call).items():
            note_id(text, id_path(self._call, id_type), self.issues)
            if declared is not None and id_type not in declared and id_type != segment.USER_ID_TYPE:
                message = _meant_message(id_type, self._config.declared_spellings)
                add_issue(self.issues, "unknown_id_type", id_type_path(self._call, id_type), message)

    # -- User ---------------------------------------------------------------------------------------------------------

    def user_fields(self) -> dict[str, Leaf]:
        """Copy plain fields of the user, by default three of the context (US-2)."""
        leaves: dict[str, Leaf] = {}
        for name, field in self._config.user_paths.items():
            found = self._looked_up(field)
            text = None if found is None else coerce_id(found.value)
            if found is not None and text is not None:
                leaves[USER_FIELDS[name]] = Leaf(text, found.path, "US-2")
            elif found is not None:
                add_issue(self.issues, "user_field_invalid", found.path)
        return leaves

    def _looked_up(self, field: FieldPath) -> Found | None:
        """Look a field up, `None` where it is absent or null; note what could not be read (IN-10, TR-5)."""
        found = find(self._call, field)
        if found is not None and found.value is not None:
            return found
        loss = lost_on_the_way(self._losses, field)
        if loss is not None:
            add_issue(self.issues, loss.code, loss.path)
        return None

    def custom(self) -> dict[str, Leaf]:
        """Read the custom attributes of `statsigCustom`, then those that the configuration adds (US-1, US-10)."""
        array, path = control(self._call, segment.CUSTOM)
        pairs = {} if array is None else read_pairs(array, path, CUSTOM_CODES, custom_value, self.issues)
        leaves = {name: Leaf(pair.value, pair.path, "US-1") for name, pair in pairs.items()}
        for name, field in self._config.custom_paths.items():
            found = None if name in leaves else self._looked_up(field)
            value = None if found is None else custom_value(found.value, found.path, self.issues)
            if found is not None and value is not None:
                leaves[name] = Leaf(value, found.path, "US-10")
        return leaves

    def environment(self) -> dict[str, Leaf]:
        """Read the tier: the call's own, else the default (US-3, US-4)."""
        tier = self._own_tier()
        if tier is None and self._config.default_environment is not None:
            tier = Leaf(self._config.default_environment, None, "US-4")
        return {} if tier is None else {USER_FIELDS[segment.ENVIRONMENT]: tier}

    def _own_tier(self) -> Leaf | None:
        value, path = control(self._call, segment.ENVIRONMENT)
        if type(value) is str and value:
            add_issue(self.issues, "environment_string", path)
            return Leaf(value, path, "US-3")
        tier = value.get(statsig.TIER) if is_object(value) else None
        if type(tier) is str and tier:
            return Leaf(tier, f"{path}.{statsig.TIER}", "US-3")
        if value is not None:
            add_issue(self.issues, "environment_invalid", path)
        return None

    # -- Value and metadata -------------------------------------------------------------------------------------------

    def value(self) -> Leaf | None:
        """Give the first of the configured properties that is a string or a finite number (US-8)."""
        properties, path = metadata_holder(self._call)
        for name in self._config.value_properties:
            value = properties.get(name)
            is_usable = type(value) in {str, int, float} and scalar_text(value) is not None
            if is_usable:
                leaf = Leaf(value, join_path(path, name), "US-8")
                note_value(value, join_path(path, name), self.issues)
                return leaf
        return None

    def metadata(self) -> dict[str, Leaf]:
        """Write properties as text, and what the configuration adds to them (US-7, US-11)."""
        leaves: dict[str, Leaf] = {}
        self._add_properties(leaves)
        for key, field in self._config.metadata_paths.items():
            found = None if key in leaves else self._looked_up(field)
            if found is not None:
                self._add(leaves, key, found, "US-11")
        for key, leaf in leaves.items():
            note_metadata_key(key, leaf.source or "$", self.issues)
        note_metadata(_values(leaves), metadata_holder(self._call).path, self.issues)
        self._note_losses()
        return leaves

    def _add_properties(self, leaves: dict[str, Leaf]) -> None:
        """Add each property but the control keys, then the top-level fields that the object has no key for (US-7)."""
        holder, path = metadata_holder(self._call)
        for key, value in holder.items():
            if key not in segment.CONTROL_KEYS:
                self._add(leaves, key, Found(value, join_path(path, key)), "US-7")
        for name in METADATA_SOURCES[self._call.type].added:
            value = getattr(self._call, self._call.attribute_of[name])
            if value is not None and name not in holder:
                self._put(leaves, name, Leaf(value, f"$.{name}", "US-7"))

    def _add(self, leaves: dict[str, Leaf], key: str, found: Found, rule: str) -> None:
        """Add a value as text, or under `flatten` an object as one entry for each of its leaves (US-7)."""
        value, path = found
        if is_object(value) and self._config.nested == FLATTEN and len(key) <= LONGEST_JOINED_NAME:
            for name, item in value.items():
                self._add(leaves, f"{key}_{name}", Found(item, join_path(path, name)), rule)
        elif value is not None:
            text = self._text(value, path)
            if text is not None:
                self._put(leaves, key, Leaf(text, path, rule))

    def _put(self, leaves: dict[str, Leaf], key: str, leaf: Leaf) -> None:
        """Add an entry; one whose name is taken is left out (US-7)."""
        if key in leaves:
            add_issue(self.issues, "metadata_key_taken", leaf.source or "$")
        else:
            leaves[key] = leaf

    def _text(self, value: Any, path: str) -> str | None:
        """Write a value as JavaScript does; `None` for a number that is not finite (US-7)."""
        text, is_finite = json_text(value) if isinstance(value, dict | tuple) else (scalar_text(value), True)
        if text is None or not is_finite:
            add_issue(self.issues, "non_finite_number", path)
        return text

    def _note_losses(self) -> None:
        """Note each property that holds something unreadable; control keys come from two places (IN-10, TR-5)."""
        sent = METADATA_SOURCES[self._call.type].holder
        for loss in self._call.losses:
            holder, *inside = loss.steps
            if inside and (holder == sent or (holder == segment.PROPERTIES and inside[0] in segment.CONTROL_KEYS)):
                add_issue(self.issues, loss.code, join_path(f"$.{holder}", str(inside[0])))


def metadata_holder(call: SegmentEvent) -> Found:
    """Give the object that becomes metadata, and its wire path (US-7)."""
    holder = METADATA_SOURCES[call.type].holder
    return Found(getattr(call, holder), f"$.{holder}")


def _meant_message(id_type: str, spellings: Mapping[str, str]) -> str | None:
    """Name the declared ID type that was meant, where only case or separators differ; the message holds no other."""
    meant = spellings.get(normalized(id_type)) if len(id_type) <= _LONGEST_GUESS else None
    return None if meant is None else f"the ID type is not among the declared ones; {meant} is"
