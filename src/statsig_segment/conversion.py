"""One Segment call -> one Statsig event: user, environment, name, metadata, value; filters and maps nothing."""

from collections.abc import Mapping
from typing import Any, Final

from statsig_segment.audiences import require_identifier
from statsig_segment.config import InboundConfig
from statsig_segment.errors import Issue, TranslationError, child
from statsig_segment.identity import look_up
from statsig_segment.json_text import EMPTY, FrozenDict, atom_text, json_text, plain
from statsig_segment.limits import check_id, check_metadata, check_name, check_value
from statsig_segment.models import make
from statsig_segment.pairs import CUSTOM_CODES, Report, custom_value, id_text, name_path, read_pairs, reporter
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
    control,
)
from statsig_segment.statsig import TIER, USER_FIELDS, StatsigEvent, StatsigUser

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
    issues = list(event.issues)
    report = reporter(issues)
    holder, path = metadata_source(event)
    name = config.naming.full_name(event)
    metadata = _metadata(event, holder, path, report)
    value = _value(holder, config)
    user = _user(event, config, report)
    check_name(name, config.naming.source(event) or "$", report)
    check_metadata(metadata, path, report)
    if value is not None:
        check_value(value, child(path, str(config.value_property)), report)
    _check_ids(event, config, report)
    fields = {
        "event_name": name,
        "user": user,
        "time_ms": event.time_ms,
        "value": value,
        "metadata": metadata,
        "issues": tuple(dict.fromkeys(issues)) if issues else (),
        "export": None,
    }
    return make(StatsigEvent, fields)


def metadata_source(event: SegmentEvent) -> tuple[Mapping[str, Any], str]:
    """Give the object that becomes metadata, and its wire path (US-7)."""
    name, _ = METADATA_SOURCES[event.type]
    return getattr(event, event.held[name]), f"$.{name}"


def _metadata(event: SegmentEvent, holder: Mapping[str, Any], path: str, report: Report) -> Mapping[str, str]:
    out: dict[str, str] = {}
    for key, value in holder.items():
        if value is None or key in CONTROL_KEYS or not isinstance(key, str):
            continue
        if value.__class__ is str:
            out[key] = value
            continue
        text = _text(value, path, key, report)
        if text is not None:
            out[key] = text
    for name in METADATA_SOURCES[event.type][1]:
        value = getattr(event, event.held[name])
        if value is not None and name not in holder:
            out[name] = value
    return FrozenDict(out)


def _text(value: object, path: str, key: str, report: Report) -> str | None:
    """Make the text of a metadata value; `None` leaves it out."""
    value = plain(value)
    if value is None:
        return None
    text, finite = json_text(value) if isinstance(value, Mapping | list | tuple) else (atom_text(value), True)
    if text is None or not finite:
        report("non_finite_number", child(path, key))
    return text


def _value(holder: Mapping[str, Any], config: InboundConfig) -> str | float | None:
    """Give the property that is the event's value, if it is a string or a finite number (US-8)."""
    if config.value_property is None:
        return None
    value = plain(holder.get(config.value_property))
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return None if atom_text(value) is None else value


def _user(event: SegmentEvent, config: InboundConfig, report: Report) -> StatsigUser:
    fields: dict[str, Any] = dict.fromkeys(USER_FIELDS.values())
    fields["user_id"] = event.user_id
    fields["custom_ids"] = event.custom_ids
    for name, source in config.user_fields.items():
        value, path = look_up(event, source)
        if value is not None:
            text = fields[USER_FIELDS[name]] = id_text(value)
            if text is None and plain(value) is not None:
                report("user_field_invalid", path)
    fields["custom"] = FrozenDict(read_custom(event, report)[0])
    fields["environment"] = read_environment(event, config, report)[0]
    return make(StatsigUser, fields)


def read_control(event: SegmentEvent, key: str) -> tuple[Any, str]:
    """Give the value of a control key of a call, and its wire path (ID-3)."""
    return control(event.properties, getattr(event, "traits", EMPTY), key)


def read_custom(event: SegmentEvent, report: Report) -> tuple[Mapping[str, Any], Mapping[str, str]]:
    """Give the custom properties of a call by name, and the wire path of each (US-1)."""
    array, path = read_control(event, CUSTOM)
    if array is None:
        return EMPTY, EMPTY
    values, indexes = read_pairs(array, path, CUSTOM_CODES, custom_value, report)
    return values, {name: f"{path}[{at}]" for name, at in indexes.items()}


def read_environment(event: SegmentEvent, config: InboundConfig, report: Report) -> tuple[str | None, str | None]:
    """Give the tier of a call, and its wire path, `None` where the configuration put it (US-3, US-4)."""
    value, path = read_control(event, ENVIRONMENT)
    tier = plain(value.get(TIER)) if isinstance(value, Mapping) else value
    if isinstance(tier, str) and tier:
        if tier is value:
            report("environment_string", path)
            return tier, path
        return tier, f"{path}.{TIER}"
    if value is not None:
        report("environment_invalid", path)
    return config.default_environment, None


def _check_ids(event: SegmentEvent, config: InboundConfig, report: Report) -> None:
    """Report IDs that are too long, and ID types that the project does not declare (US-9, ID-7)."""
    if event.user_id is not None:
        check_id(event.user_id, f"$.{USER_ID}", report)
    for id_type, value in event.custom_ids.items():
        path = event.id_sources.get(id_type, "$")
        check_id(value, path, report)
        if config.id_types is not None and id_type not in config.id_types:
            report("unknown_id_type", name_path(path), _declared_spelling(id_type, config.id_types))


def _declared_spelling(id_type: str, declared: frozenset[str]) -> str | None:
    """Say which declared ID type was meant, where only case or separators differ; the message holds that one alone."""
    meant = next((name for name in sorted(declared) if _letters(name) == _letters(id_type)), None)
    return None if meant is None else f"the ID type is not among the declared ones; {meant} is"


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
