"""Statsig -> Segment, the whole way: track calls in both profiles, config changes, batches under Segment's limits."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypedDict

from statsig_segment import segment, statsig
from statsig_segment._javascript import json_text
from statsig_segment._times import iso_text
from statsig_segment._values import ATOMS, EMPTY, FlatDict, is_object, plain, read_object, thaw
from statsig_segment.batches import BATCH
from statsig_segment.config import IntegrationConfig, OutboundConfig
from statsig_segment.errors import SegmentEventError, StatsigEventError, StatsigSegmentError, TranslationError
from statsig_segment.even_odd import id_text
from statsig_segment.filters import apply_filters
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.statsig import ABSENT, ConfigChange, StatsigEvent, first_id, read_export
from statsig_segment.wire import user_wire

MAX_BATCH_EVENTS: Final = 2_500
MAX_BATCH_BYTES: Final = 500_000
MAX_EVENT_BYTES: Final = 32_768
"""Segment's limits on `POST /v1/batch`: "32KB per event", "500KB per request", 2,500 events (OU-8)."""

_ENVELOPE_BYTES: Final = len('{"batch":[]}')
_TWICE: Final = (statsig.VALUE, statsig.METADATA)
"""What stands both in the context and in the properties (OU-3)."""
_LIBRARY: Final = "library"
_LIBRARY_SAYS: Final = FlatDict({"name": "statsig", "version": "1.0"})
_DELIVERABLE: Final = "deliverable"
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


class SegmentBatch(TypedDict):
    """The body of Segment's `POST /v1/batch`."""

    batch: list[dict[str, Any]]


def to_outbound_track(event: StatsigEvent, config: OutboundConfig = _DEFAULT) -> OutboundTrack:
    """Write a Statsig event or exposure as a Segment track call.

    Shape: a `StatsigEvent` in; a fresh dict out. Profile `documented` is Statsig's published schema: `timestamp` in
    epoch milliseconds, absent keys left out, explicit nulls kept. Profile `deliverable` is what Segment's API
    accepts: ISO time with three fraction digits, `anonymousId`, `messageId`, `context.traits.email`.
    Errors: `TranslationError` with code `no_identifier`, in the deliverable profile alone.
    Rules: OU-3, OU-4, OU-5. Source: Statsig's page on Segment, "Outbound event schema"; Segment's Statsig source.

    >>> from statsig_segment import parse_statsig_event, to_outbound_track
    >>> track = to_outbound_track(parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 5}))
    >>> track["event"], track["userId"], track["properties"]
    ('checkout', 'u1', {'value': 5})
    """
    export = _event_form(event) if event.export is None else event.export
    context: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    if statsig.USER in export:
        context[statsig.USER] = thaw(export[statsig.USER])
    for name in _TWICE:
        if name in export:
            value = export[name]
            if type(value) in ATOMS:
                context[name] = properties[name] = value
            else:
                context[name], properties[name] = thaw(value), thaw(value)
    context[_LIBRARY] = _LIBRARY_SAYS.copy()
    stable_id = _stable_id(export)
    if stable_id is not ABSENT:
        context[statsig.STABLE_ID] = stable_id
    track = _addressed(export, event.event_name)
    track["context"], track["properties"] = context, properties
    return _deliverable(track, export, config) if config.profile == _DELIVERABLE else track


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
    export = _change_form(change) if change.export is None else change.export
    track = _addressed(export, change.event_name)
    del track["type"]
    track["context"] = {_LIBRARY: _LIBRARY_SAYS.copy()}
    track["properties"] = thaw(export[statsig.PROPERTIES])
    if config.profile != _DELIVERABLE:
        return track
    track["properties"] = thaw(export[statsig.REST]) | track["properties"]
    email = _email(export)
    if id_text(track.get(segment.USER_ID)) is None and email is not None:
        track["userId"] = email
    typed: OutboundTrack = {"type": "track", **track}
    return _deliverable(typed, export, config)


def _addressed(export: Mapping[str, Any], name: str) -> OutboundTrack:
    """Begin a track: type, user ID, time and name."""
    track: OutboundTrack = {"type": "track"}
    user_id = export.get(statsig.USER_ID, ABSENT)
    if type(user_id) is not str or not user_id:  # the usual case goes without a call
        user = export.get(statsig.USER) or EMPTY
        user_id = first_id(user_id, user.get(statsig.USER_ID, ABSENT))
    if user_id is not ABSENT:
        track["userId"] = user_id
    if statsig.TIMESTAMP in export:
        track["timestamp"] = export[statsig.TIMESTAMP]
    track["event"] = name
    return track


def _deliverable(track: OutboundTrack, export: Mapping[str, Any], config: OutboundConfig) -> OutboundTrack:
    """Make a documented track what Segment's API accepts (OU-4)."""
    anonymous_id = id_text(_anonymous_id(export, config.anonymous_id))
    if anonymous_id is not None:
        track["anonymousId"] = anonymous_id
    elif id_text(track.get(segment.USER_ID)) is None:
        raise TranslationError("no_identifier", f"$.{statsig.USER_ID}")
    if "timestamp" in track:
        track["timestamp"] = iso_text(export[statsig.TIMESTAMP])
    message_id = plain(export.get(statsig.TIME_UUID))
    if isinstance(message_id, str) and message_id:
        track["messageId"] = message_id
    email = _email(export)
    if email is not None:
        context = track.get("context", {})
        context[segment.TRAITS] = {statsig.EMAIL: email}
    return track


def _stable_id(export: Mapping[str, Any]) -> Any:
    stable_id = (export.get(statsig.STATSIG_METADATA) or EMPTY).get(statsig.STABLE_ID, ABSENT)
    if type(stable_id) is str and stable_id:
        return stable_id
    return first_id(stable_id, _custom_id(export, statsig.STABLE_ID))


def _anonymous_id(export: Mapping[str, Any], id_type: str) -> Any:
    return _stable_id(export) if id_type == statsig.STABLE_ID else _custom_id(export, id_type)


def _custom_id(export: Mapping[str, Any], id_type: str) -> Any:
    custom_ids = (export.get(statsig.USER) or EMPTY).get(statsig.CUSTOM_IDS)
    return custom_ids.get(id_type, ABSENT) if is_object(custom_ids) else ABSENT


def _email(export: Mapping[str, Any]) -> str | None:
    email = plain((export.get(statsig.USER) or EMPTY).get(statsig.EMAIL))
    return email if isinstance(email, str) and email else None


def _event_form(event: StatsigEvent) -> Mapping[str, Any]:
    """Write an event that came from no export in the form of one."""
    export: dict[str, Any] = {statsig.USER: user_wire(event.user), statsig.METADATA: event.metadata}
    if event.time_ms is not None:
        export[statsig.TIMESTAMP] = event.time_ms
    if event.value is not None:
        export[statsig.VALUE] = event.value
    return export


def _change_form(change: ConfigChange) -> Mapping[str, Any]:
    """Write a config change that came from no export in the form of one."""
    values = {name: getattr(change, attribute) for name, attribute in statsig.CHANGE_FIELDS.items()}
    export: dict[str, Any] = {
        statsig.PROPERTIES: {name: value for name, value in values.items() if value is not None},
        statsig.REST: change.metadata,
    }
    if change.user_id is not None:
        export[statsig.USER_ID] = change.user_id
    if change.timestamp is not None:
        export[statsig.TIMESTAMP] = change.timestamp
    return export


def export(
    payload: Mapping[str, Any] | str | bytes, config: IntegrationConfig = _DEFAULT_INTEGRATION
) -> OutboundTrack | Skipped:
    """Translate one event of a Statsig export, the whole way to a Segment call.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a track call, or `Skipped` with reason `filtered`,
    out.
    Errors: `StatsigEventError` where it is no Statsig event; `TranslationError` with code `no_identifier`.
    Rules: OU-1 to OU-7, FL-2. Source: Statsig's page on Segment.

    >>> from statsig_segment import export
    >>> export({"eventName": "statsig::diagnostics"}).reason
    'filtered'
    """
    return _exported(payload, config.outbound, None)


def export_many(
    payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT_INTEGRATION
) -> Iterator[OutboundTrack | Skipped | Rejected]:
    """Translate any number of events of a Statsig export, lazily; it never raises for a bad payload.

    Shape: payloads in; exactly one outcome for each out, in order: what `export` gives, or `Rejected` with the error.
    `Skipped` and `Rejected` carry the position, from 0, and the payload itself.
    Errors: none.
    Rules: OU-1 to OU-7, FL-2, FL-6. Source: Statsig's page on Segment.

    >>> from statsig_segment import export_many
    >>> [outcome.error.code for outcome in export_many(["oops"])]
    ['invalid_json']
    """
    for position, payload in enumerate(payloads):
        try:
            outcome: OutboundTrack | Skipped | Rejected = _exported(payload, config.outbound, position)
        except StatsigSegmentError as error:
            outcome = Rejected(error=error.with_traceback(None), position=position, payload=payload)
        yield outcome


def _exported(payload: Any, config: OutboundConfig, position: int | None) -> OutboundTrack | Skipped:
    event = read_export(read_object(payload, StatsigEventError))
    if apply_filters(event, config.filters) is None:
        return Skipped(reason="filtered", position=position, payload=payload)
    if isinstance(event, ConfigChange):
        return config_change_event(event, config)
    return to_outbound_track(event, config)


def to_segment_batches(tracks: Iterable[Mapping[str, Any]]) -> Iterator[SegmentBatch | Rejected]:
    """Pack calls into bodies for Segment's `POST /v1/batch`, lazily.

    Shape: track calls in; bodies `{"batch": [...]}` out, of at most 2,500 events and 500,000 bytes of compact JSON,
    each item with a `type`; a call over 32,768 bytes comes out as `Rejected` with code `event_too_large`, with its
    position and itself. There is no `sentAt`: it would shift historical times.
    Errors: none.
    Rules: OU-8. Source: Segment's HTTP API, "Batch".

    >>> from statsig_segment import to_segment_batches
    >>> list(to_segment_batches([{"event": "checkout", "userId": "u1"}]))
    [{'batch': [{'type': 'track', 'event': 'checkout', 'userId': 'u1'}]}]
    """
    batch: list[dict[str, Any]] = []
    size = _ENVELOPE_BYTES
    for position, track in enumerate(tracks):
        try:
            item, item_bytes = _batch_item(track)
        except StatsigSegmentError as error:
            yield Rejected(error=error.with_traceback(None), position=position, payload=track)
            continue
        if batch and (len(batch) == MAX_BATCH_EVENTS or size + len(",") + item_bytes > MAX_BATCH_BYTES):
            yield {BATCH: batch}
            batch, size = [], _ENVELOPE_BYTES
        size += item_bytes + (len(",") if batch else 0)
        batch.append(item)
    if batch:
        yield {BATCH: batch}


def _batch_item(track: Any) -> tuple[dict[str, Any], int]:
    if not is_object(track):
        raise SegmentEventError("not_an_object")
    item = thaw(track)
    if item.get(segment.TYPE) is None:
        item = {segment.TYPE: "track"} | {name: item[name] for name in item if name != segment.TYPE}
    size = len(json_text(item)[0].encode(errors="backslashreplace"))
    if size > MAX_EVENT_BYTES:
        raise TranslationError("event_too_large")
    return item, size
