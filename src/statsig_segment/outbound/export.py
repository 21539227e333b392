"""Statsig -> Segment from end to end: track calls and config changes in both profiles."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypedDict

from statsig_segment import segment, statsig
from statsig_segment._json.times import iso_text
from statsig_segment._json.values import FrozenDict, freeze_object, thaw, type_name
from statsig_segment.configuration.choices import DELIVERABLE
from statsig_segment.configuration.filters import apply_filters
from statsig_segment.configuration.models import IntegrationConfig, OutboundConfig, outbound_plan
from statsig_segment.errors import StatsigSegmentError, TranslationError
from statsig_segment.outbound import fast_lane
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.statsig.events import StatsigEvent, user_wire
from statsig_segment.statsig.exports import (
    ABSENT,
    CHANGE_FIELDS,
    ConfigChange,
    ExportedEvent,
    email_of,
    object_in,
    parse_statsig_event,
    stable_id_of,
    user_id_of,
)

_TWICE: Final = (statsig.VALUE, statsig.METADATA)
"""What stands both in the context and in the properties (OU-3)."""
_LIBRARY: Final = "library"
_LIBRARY_IS: Final = FrozenDict({"name": "statsig", "version": "1.0"})
_DEFAULT: Final = OutboundConfig()
_DEFAULT_INTEGRATION: Final = IntegrationConfig()


class OutboundTrack(TypedDict, total=False):
    """A Segment track call made from a Statsig event or config change; absent keys are left out."""

    type: str
    messageId: str
    userId: str | None
    anonymousId: str
    timestamp: int | str
    event: str
    context: dict[str, Any]
    properties: dict[str, Any]


ExportOutcome: TypeAlias = OutboundTrack | Skipped | Rejected
"""What `export_many` yields for a payload."""


def to_outbound_track(event: StatsigEvent | ExportedEvent, config: OutboundConfig = _DEFAULT) -> OutboundTrack:
    """Write a Statsig event or exposure as a Segment track call.

    Shape: a `StatsigEvent`, or an `ExportedEvent` as `parse_statsig_event` gives it, in; a fresh dict out. Profile
    `documented` is Statsig's published schema: `timestamp` in epoch milliseconds, absent keys left out, explicit nulls
    kept. Profile `deliverable` is what Segment's API accepts: ISO time with three fraction digits, `anonymousId`,
    `messageId`, `context.traits.email`.
    Errors: `TranslationError` with code `no_identifier`, in the deliverable profile alone; `TypeError` for anything
    else than an event, such as a `ConfigChange`.
    Rules: OU-3, OU-4, OU-5. Source: Statsig's page on Segment, "Outbound event schema"; Segment's Statsig source.

    >>> from statsig_segment import ExportedEvent, parse_statsig_event, to_outbound_track
    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 5})
    >>> assert isinstance(event, ExportedEvent)  # not a ConfigChange
    >>> track = to_outbound_track(event)
    >>> track["event"], track["userId"], track["properties"]
    ('checkout', 'u1', {'value': 5})
    """
    fields = _fields(event)
    is_deliverable = config.profile == DELIVERABLE
    track: OutboundTrack = {"type": "track"}
    _add_user_id(track, user_id_of(fields), keep_null=not is_deliverable)
    if statsig.TIMESTAMP in fields:
        track["timestamp"] = fields[statsig.TIMESTAMP]
    track["event"] = event.event_name
    track["context"] = _context(fields)
    track["properties"] = {name: thaw(fields[name]) for name in _TWICE if name in fields}
    if is_deliverable:
        anonymous_id = _anonymous_id(fields, config.anonymous_id)
        _make_deliverable(track, anonymous_id, fields.get(statsig.TIME_UUID), email_of(fields))
    return track


def _fields(event: object) -> Mapping[str, Any]:
    """Give an event as an export would hold it."""
    if isinstance(event, ExportedEvent):
        return event.fields
    if not isinstance(event, StatsigEvent):
        raise TypeError(f"to_outbound_track takes a StatsigEvent or ExportedEvent, not {type_name(event)}")
    known = {
        statsig.USER: user_wire(event.user),
        statsig.TIMESTAMP: event.time_ms,
        statsig.VALUE: event.value,
        statsig.METADATA: event.metadata,
    }
    return freeze_object({name: value for name, value in known.items() if value is not None})


def _add_user_id(track: OutboundTrack, user_id: Any, *, keep_null: bool) -> None:
    """Add the user ID; null and the empty string only as the documented profile has them (OU-3, OU-4)."""
    if user_id is not ABSENT and (keep_null or user_id):
        track["userId"] = user_id


def _context(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Write the context of the published schema (OU-3)."""
    context = {name: thaw(fields[name]) for name in (statsig.USER, *_TWICE) if name in fields}
    context[_LIBRARY] = thaw(_LIBRARY_IS)
    stable_id = stable_id_of(fields)
    return context if stable_id is ABSENT else context | {statsig.STABLE_ID: stable_id}


def _anonymous_id(fields: Mapping[str, Any], id_type: str) -> str | None:
    """Give the ID of the type that the configuration names (OU-4)."""
    custom_ids = object_in(object_in(fields, statsig.USER), statsig.CUSTOM_IDS)
    return coerce_id(stable_id_of(fields) if id_type == statsig.STABLE_ID else custom_ids.get(id_type))


def _make_deliverable(track: OutboundTrack, anonymous_id: str | None, message_id: Any, email: str | None) -> None:
    """Make a track that is still ours what Segment's API accepts (OU-4)."""
    if anonymous_id is not None:
        track["anonymousId"] = anonymous_id
    elif "userId" not in track:
        raise TranslationError("no_identifier", f"$.{statsig.USER_ID}")
    if "timestamp" in track:
        track["timestamp"] = iso_text(int(track["timestamp"]))
    if type(message_id) is str and message_id:
        track["messageId"] = message_id
    if email is not None:
        track.setdefault("context", {})[segment.TRAITS] = {statsig.EMAIL: email}


def config_change_event(change: ConfigChange, config: OutboundConfig = _DEFAULT) -> OutboundTrack:
    """Write a config change as a Segment call.

    Shape: a `ConfigChange` in; a fresh dict out. Profile `documented` is Statsig's published schema, which has no
    `type`; `deliverable` adds `type`, ISO time, and keeps `configType`, `action`, `tags` and the rest in the
    properties.
    Units: `timestamp` is in epoch milliseconds, in the deliverable profile ISO text.
    Errors: `TranslationError` with code `no_identifier`, in the deliverable profile alone.
    Rules: OU-5, OU-6, OU-7. Source: Statsig's page on Segment, "Outbound event schema".

    >>> from statsig_segment import ConfigChange, config_change_event
    >>> config_change_event(ConfigChange(user_id="u1", timestamp=5, author="Ann", config_name="new_nav"))["properties"]
    {'author': 'Ann', 'configName': 'new_nav'}
    """
    is_deliverable = config.profile == DELIVERABLE
    track: OutboundTrack = {"type": "track"} if is_deliverable else {}
    user_id: Any = ABSENT if change.user_id is None and not change.user_id_is_null else change.user_id
    if is_deliverable:
        user_id = change.user_id or change.email or config.config_change_user_id or ABSENT
    _add_user_id(track, user_id, keep_null=not is_deliverable)
    if change.timestamp is not None:
        track["timestamp"] = change.timestamp
    track["event"] = change.event_name
    track["context"] = {_LIBRARY: thaw(_LIBRARY_IS)}
    track["properties"] = _change_properties(change)
    if is_deliverable:
        track["properties"] = thaw(freeze_object(change.metadata)) | track["properties"]
        _make_deliverable(track, change.custom_ids.get(config.anonymous_id), change.message_id, change.email)
    return track


def _change_properties(change: ConfigChange) -> dict[str, Any]:
    """Write the documented properties, then those that came besides them (OU-6)."""
    named = {name: getattr(change, attribute) for name, attribute in CHANGE_FIELDS.items()}
    texts = {name: text for name, text in named.items() if text is not None}
    others = thaw(freeze_object(change.properties))
    first = {name: texts.get(name, others.get(name)) for name in named if name in texts or name in others}
    return first | {name: value for name, value in others.items() if name not in first}


def export(
    payload: Mapping[str, Any] | str | bytes, config: IntegrationConfig = _DEFAULT_INTEGRATION
) -> OutboundTrack | Skipped:
    """Translate one event of a Statsig export into a Segment call: parse, filter and write it.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a track call, or `Skipped` with reason `filtered` or
    `segment_origin`, out.
    Errors: `StatsigEventError` where it is not a Statsig event; `TranslationError` with code `no_identifier`.
    Rules: OU-1 to OU-7, OU-9, FL-2, FL-7. Source: Statsig's page on Segment.

    >>> from statsig_segment import export
    >>> export({"eventName": "statsig::diagnostics"})
    Skipped(reason='filtered', position=None)
    """
    given: Any = payload
    written: Any = fast_lane.outbound_track(given, outbound_plan(config.outbound))
    if written is None:
        return _exported(payload, config.outbound, None)
    if type(written) is str:
        return Skipped(reason=written, position=None, payload=payload)
    track: OutboundTrack = written
    return track


def export_many(payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT_INTEGRATION) -> Iterator[ExportOutcome]:
    """Translate any number of events of a Statsig export, lazily; it never raises for a bad payload.

    Shape: payloads in; exactly one outcome for each out, in order: what `export` gives, or `Rejected` with the error.
    `Skipped` and `Rejected` carry the position, from 0, and the payload itself.
    Errors: none.
    Rules: OU-1 to OU-7, OU-9, FL-2, FL-6, FL-7. Source: Statsig's page on Segment.

    >>> from statsig_segment import Rejected, export_many
    >>> [outcome.error.code for outcome in export_many(["oops"]) if isinstance(outcome, Rejected)]
    ['invalid_json']
    """
    outbound_track, plan = fast_lane.outbound_track, outbound_plan(config.outbound)
    for position, payload in enumerate(payloads):
        written: Any = outbound_track(payload, plan)
        if written is None:
            yield reference_outcome(payload, config.outbound, position)
        elif type(written) is str:
            yield Skipped(reason=written, position=position, payload=payload)
        else:
            yield written


def reference_outcome(payload: Any, config: OutboundConfig, position: int) -> ExportOutcome:
    """Translate one of many events by the reference."""
    try:
        return _exported(payload, config, position)
    except StatsigSegmentError as error:
        return Rejected(error=error.with_traceback(None), position=position, payload=payload)


def _exported(payload: Any, config: OutboundConfig, position: int | None) -> OutboundTrack | Skipped:
    event = parse_statsig_event(payload)
    if apply_filters(event, config.filters) is None:
        return Skipped(reason="filtered", position=position, payload=payload)
    if is_from_segment(event) and not config.allow_segment_origin:
        return Skipped(reason="segment_origin", position=position, payload=payload)
    if isinstance(event, ConfigChange):
        return config_change_event(event, config)
    return to_outbound_track(event, config)


def is_from_segment(event: StatsigEvent | ExportedEvent | ConfigChange) -> bool:
    """Say whether an exported event came from Segment: sending it back would count and bill it twice (FL-7)."""
    return (
        event.event_name.startswith(statsig.SEGMENT_PREFIX) or getattr(event, "sdk_type", None) == statsig.SEGMENT_SDK
    )
