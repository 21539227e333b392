"""One Segment call -> one Statsig event: user, environment, name, metadata, value; filters and maps nothing."""

# Testing JSON for its exact type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Mapping
from typing import Any, Final

from statsig_segment._javascript import atom_text, integer_text, json_text
from statsig_segment._values import ATOMS, FlatDict, FrozenDict, is_object, plain
from statsig_segment.audiences import no_identifier
from statsig_segment.config import InboundConfig
from statsig_segment.errors import Issue, TranslationError, child, note
from statsig_segment.even_odd import CUSTOM_CODES, custom_value, id_text, note_problems, read_pairs
from statsig_segment.identity import id_paths
from statsig_segment.limits import is_bad_name, is_long_id, is_long_value, is_odd_metadata, note_metadata, note_name
from statsig_segment.models import make
from statsig_segment.segment import (
    CATEGORY,
    CONTROL_KEYS,
    CUSTOM,
    CUSTOM_IDS,
    ENVIRONMENT,
    GROUP_ID,
    NAME,
    PROPERTIES,
    TRAITS,
    USER_ID,
    Identify,
    SegmentEvent,
    control,
    control_path,
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

    Shape: a `Track`, `Page`, `Screen` or `Group` in; a `StatsigEvent` out, every metadata value a string, with the
    issues of the call and those found here.
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
    if event.user_id is None and not event.custom_ids:
        raise no_identifier(event)
    issues: list[Issue] = []
    name = config.naming.full_name(event)
    if is_bad_name(name):
        note_name(name, config.naming.source(event) or "$", issues)
    metadata = _metadata(event, issues)
    value = None if config.value_property is None else _value(event, config.value_property)
    if type(value) is str and is_long_value(value):
        note(issues, "value_too_long", child(metadata_path(event), str(config.value_property)))
    _check_ids(event, config, issues)
    fields: dict[str, Any] = {
        "event_name": name,
        "user": _user(event, config, issues),
        "time_ms": event.time_ms,
        "value": value,
        "metadata": metadata,
    }
    if issues or event.issues:
        fields["issues"] = tuple(dict.fromkeys((*event.issues, *issues)))
    return make(StatsigEvent, fields)


def metadata_path(event: SegmentEvent) -> str:
    """Give the wire path of the object that becomes metadata (US-7)."""
    return f"$.{METADATA_SOURCES[event.type][0]}"


def _metadata(event: SegmentEvent, issues: list[Issue]) -> FlatDict:
    """Make every value a string; null and the control keys are left out (US-7)."""
    holder_name, added = METADATA_SOURCES[event.type]
    holder: Mapping[str, Any] = getattr(event, holder_name)
    out: dict[Any, str] = {}  # a Python object may have keys of any type
    length = 0
    for key, value in holder.items():
        kind: type = type(value)
        # The commonest kinds are written here, at the price of no call each.
        if kind is str:
            text = value
        elif kind is int:
            text = integer_text(value)
        elif kind is bool:
            text = "true" if value else "false"
        elif value is None or key in CONTROL_KEYS:
            continue
        else:
            text = _text(value, holder_name, key, issues)
            if text is None:
                continue
        out[key] = text
        length += len(text)
    if CUSTOM_IDS in out or CUSTOM in out or ENVIRONMENT in out:
        out = {key: text for key, text in out.items() if key not in CONTROL_KEYS}
    for name in added:
        value = getattr(event, event.held[name])
        if value and name not in holder:
            out[name] = value
            length += len(value)
    try:
        keys = "".join(out)
    except TypeError:  # a key that is no string, as only a Python object has
        out = {key: text for key, text in out.items() if isinstance(key, str)}
        keys = "".join(out)
    if is_odd_metadata(keys, length, out):
        note_metadata(keys, out, metadata_path(event), issues)
    return FlatDict(out)


def _text(value: Any, holder_name: str, key: str, issues: list[Issue]) -> str | None:
    """Make the text of a metadata value that is no string; `None` leaves it out."""
    value = plain(value)
    if value is None:
        return None
    text, finite = (atom_text(value), True) if type(value) in ATOMS else json_text(value)
    if text is None or not finite:
        note(issues, "non_finite_number", child(f"$.{holder_name}", str(key)))
    return text


def _value(event: SegmentEvent, name: str) -> str | float | None:
    """Give the property that is the event's value, if it is a string or a finite number (US-8)."""
    value = getattr(event, METADATA_SOURCES[event.type][0]).get(name)
    if value is None or type(value) is str:
        return value
    value = plain(value)
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return None if atom_text(value) is None else value


def _user(event: SegmentEvent, config: InboundConfig, issues: list[Issue]) -> StatsigUser:
    custom_ids = event.custom_ids
    fields: dict[str, Any] = {
        "user_id": event.user_id,
        "custom_ids": FlatDict(custom_ids) if type(custom_ids) is dict else custom_ids,
    }
    context, other = event.context, event.other
    for attribute, key, source in config.user_sources:
        # A path into the context is by far the commonest, so its walk is spelled out.
        value = source.value(event) if key is None or source.field in other else context.get(key)
        if value is None:
            continue
        if type(value) is str and value:
            fields[attribute] = value
            continue
        text = fields[attribute] = id_text(value)
        if text is None and plain(value) is not None:
            note(issues, "user_field_invalid", source.wire_path(event))
    custom = control(event, CUSTOM)
    if custom is not None:
        values, _, problems = read_pairs(custom, CUSTOM_CODES, custom_value)
        fields["custom"] = FrozenDict(values)
        note_problems(problems, control_path(event, CUSTOM), issues)
    fields["environment"] = config.default_environment
    environment = control(event, ENVIRONMENT)
    if environment is not None:
        tier, problem, _ = read_tier(environment)
        if tier is not None:
            fields["environment"] = tier
        if problem is not None:
            note(issues, problem, control_path(event, ENVIRONMENT))
    return make(StatsigUser, fields)


def read_tier(value: Any) -> tuple[str | None, str | None, str]:
    """Give the tier that an environment names, the code of what is wrong with it, and the tier's path inside (US-3)."""
    if value is None:
        return None, None, ""
    if type(value) is str and value:
        return value, "environment_string", ""
    tier = plain(value.get(TIER)) if is_object(value) else None
    if type(tier) is str and tier:
        return tier, None, f".{TIER}"
    return None, "environment_invalid", ""


def _check_ids(event: SegmentEvent, config: InboundConfig, issues: list[Issue]) -> None:
    """Note IDs that are too long, and ID types that the project does not declare (US-9, ID-7)."""
    if event.user_id is not None and is_long_id(event.user_id):
        note(issues, "id_too_long", f"$.{USER_ID}")
    ids, declared = event.custom_ids, config.id_types
    for id_type, value in ids.items():
        if is_long_id(value) or (declared is not None and id_type not in declared):
            _note_ids(event, declared, issues)
            break


def _note_ids(event: SegmentEvent, declared: frozenset[str] | None, issues: list[Issue]) -> None:
    paths = id_paths(event)
    for id_type, value in event.custom_ids.items():
        value_path, name_path = paths.get(id_type, ("$", "$"))
        if is_long_id(value):
            note(issues, "id_too_long", value_path)
        if declared is not None and id_type not in declared:
            note(issues, "unknown_id_type", name_path, _declared_spelling(id_type, declared))


def _declared_spelling(id_type: str, declared: frozenset[str]) -> str | None:
    """Say which declared ID type was meant, where only case or separators differ; the message holds that one alone."""
    meant = next((name for name in sorted(declared) if _letters(name) == _letters(id_type)), None)
    return None if meant is None else f"the ID type is not among the declared ones; {meant} is"


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()
