"""One Segment call -> one Statsig event: user, environment, name, metadata, value; filters and maps nothing."""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from statsig_segment.audiences import require_identifier
from statsig_segment.config import InboundConfig
from statsig_segment.errors import Issue, TranslationError, child, note
from statsig_segment.identity import id_source_path
from statsig_segment.json_text import ATOMS, EMPTY, FlatDict, FrozenDict, atom_text, is_object, json_text, plain
from statsig_segment.limits import check_metadata, check_name, check_value, is_long_id
from statsig_segment.models import make
from statsig_segment.pairs import CUSTOM_CODES, custom_value, id_text, read_pairs
from statsig_segment.segment import (
    CATEGORY,
    CONTROL_KEYS,
    CUSTOM,
    ENVIRONMENT,
    GROUP_ID,
    NAME,
    PROPERTIES,
    TRAITS,
    USER_ID,
    Identify,
    SegmentEvent,
    control_of,
)
from statsig_segment.statsig import TIER, StatsigEvent, StatsigUser

METADATA_SOURCES: Final = FrozenDict(
    {
        "track": (PROPERTIES, ()),
        "page": (PROPERTIES, (NAME, CATEGORY)),
        "screen": (PROPERTIES, (NAME, CATEGORY)),
        "group": (TRAITS, (GROUP_ID,)),
    }
)
"""Type of call -> the object that becomes metadata, and the top-level fields added where it has no such key (US-7)."""

_DEFAULT: Final = InboundConfig()


def to_statsig_event(event: SegmentEvent, config: InboundConfig = _DEFAULT) -> StatsigEvent:
    """Convert one call; it is neither filtered nor mapped here.

    Shape: a `Track`, `Page`, `Screen` or `Group` in; a `StatsigEvent` out, every metadata value a string, with the issues
    of the call and those found here.
    Units: `time_ms` is in epoch milliseconds.
    Errors: `TranslationError` with code `no_identifier`, or `identify_without_event` for an identify.
    Rules: US-1 to US-9, ID-1, ID-6, ID-7. Source: Statsig's page on Segment.

    >>> from statsig_segment import Track, to_statsig_event
    >>> event = to_statsig_event(Track(event="Order Completed", user_id="u1", properties={"value": 9.5, "paid": True}))
    >>> event.event_name, event.user.user_id, event.value, event.metadata
    ('segment::Order Completed', 'u1', 9.5, {'value': '9.5', 'paid': 'true'})
    """
    if isinstance(event, Identify):
        raise TranslationError("identify_without_event", "$")
    require_identifier(event)
    issues: list[Issue] = []
    holder, path = metadata_source(event)
    fields: dict[str, Any] = {"event_name": config.naming.full_name(event)}
    check_name(fields["event_name"], partial(config.naming.source, event), issues)
    fields["metadata"] = _metadata(event, holder, path, issues)
    check_metadata(fields["metadata"], path, issues)
    fields["user"] = _user(event, config, issues)
    _check_ids(event, config, issues)
    if event.time_ms is not None:
        fields["time_ms"] = event.time_ms
    value = _value(holder, config.value_property)
    if value is not None:
        fields["value"] = value
        check_value(value, child(path, str(config.value_property)), issues)
    if issues or event.issues:
        fields["issues"] = tuple(dict.fromkeys((*event.issues, *issues)))
    return make(StatsigEvent, fields)


def metadata_source(event: SegmentEvent) -> tuple[Mapping[str, Any], str]:
    """Give the object that becomes metadata, and its wire path (US-7)."""
    name = METADATA_SOURCES[event.type][0]
    return getattr(event, event.held[name]), f"$.{name}"


def _metadata(event: SegmentEvent, holder: Mapping[str, Any], path: str, issues: list[Issue]) -> FlatDict:
    """Make every value a string: most are, so copy them all and mend the rest (US-7)."""
    out: dict[str, str] = dict(holder)
    for key, value in holder.items():
        if value.__class__ is not str and key not in CONTROL_KEYS:
            text = _text(value, path, key, issues)
            if text is None:
                del out[key]
            else:
                out[key] = text
    for key in CONTROL_KEYS:
        if key in out:
            del out[key]
    for name in METADATA_SOURCES[event.type][1]:
        value = getattr(event, event.held[name])
        if value and name not in holder:
            out[name] = value
    return FlatDict(out)


def _text(value: object, path: str, key: object, issues: list[Issue]) -> str | None:
    """Make the text of a metadata value; `None` leaves it out."""
    value = plain(value)
    if value is None or not isinstance(key, str):
        return None
    text, finite = (atom_text(value), True) if value.__class__ in ATOMS else json_text(value)
    if text is None or not finite:
        note(issues, "non_finite_number", child(path, key))
    return text


def _value(holder: Mapping[str, Any], name: str | None) -> str | float | None:
    """Give the property that is the event's value, if it is a string or a finite number (US-8)."""
    value = None if name is None else plain(holder.get(name))
    if value is None or isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return None if atom_text(value) is None else value


def _user(event: SegmentEvent, config: InboundConfig, issues: list[Issue]) -> StatsigUser:
    fields: dict[str, Any] = {"custom_ids": event.custom_ids}
    if event.user_id is not None:
        fields["user_id"] = event.user_id
    for attribute, source in config.user_sources:
        value = source.value(event)
        if value is not None:
            text = value if value.__class__ is str and value else id_text(value)
            if text is not None:
                fields[attribute] = text
            elif plain(value) is not None:
                note(issues, "user_field_invalid", source.wire_path(event))
    custom = read_custom(event, issues)[0]
    if custom:
        fields["custom"] = FrozenDict(custom)
    tier = read_environment(event, config, issues)[0]
    if tier is not None:
        fields["environment"] = tier
    return make(StatsigUser, fields)


def read_custom(event: SegmentEvent, issues: list[Issue]) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Give the custom properties of a call by name, and the wire path of each (US-1)."""
    array, path = control_of(event, CUSTOM)
    if array is None:
        return EMPTY, EMPTY
    values, indexes = read_pairs(array, path, CUSTOM_CODES, custom_value, issues)
    return values, {name: f"{path}[{at}]" for name, at in indexes.items()}


def read_environment(
    event: SegmentEvent, config: InboundConfig, issues: list[Issue]
) -> tuple[str | None, str | None]:
    """Give the tier of a call, and its wire path, `None` where the configuration put it (US-3, US-4)."""
    value, path = control_of(event, ENVIRONMENT)
    if value is None:
        return config.default_environment, None
    tier = plain(value.get(TIER)) if is_object(value) else value
    if not isinstance(tier, str) or not tier:
        note(issues, "environment_invalid", path)
        return config.default_environment, None
    if tier is value:
        note(issues, "environment_string", path)
        return tier, path
    return tier, f"{path}.{TIER}"


def _check_ids(event: SegmentEvent, config: InboundConfig, issues: list[Issue]) -> None:
    """Note IDs that are too long, and ID types that the project does not declare (US-9, ID-7)."""
    if event.user_id is not None and is_long_id(event.user_id):
        note(issues, "id_too_long", f"$.{USER_ID}")
    for id_type, value in event.custom_ids.items():
        if is_long_id(value):
            note(issues, "id_too_long", id_source_path(event, id_type))
        if config.id_types is not None and id_type not in config.id_types:
            path = id_source_path(event, id_type, name=True)
            note(issues, "unknown_id_type", path, _declared_spelling(id_type, config.id_types))


def _declared_spelling(id_type: str, declared: frozenset[str]) -> str | None:
    """Say which declared ID type was meant, where only case or separators differ; the message holds that one alone."""
    meant = next((name for name in sorted(declared) if _letters(name) == _letters(id_type)), None)
    return None if meant is None else f"the ID type is not among the declared ones; {meant} is"


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
