"""From Statsig to Segment, end to end: write track calls and config changes in both profiles."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias, TypedDict

from statsig_segment import segment, statsig
from statsig_segment._json.javascript import sorted_text
from statsig_segment._json.times import iso_text
from statsig_segment._json.values import freeze, thaw, type_name
from statsig_segment.configuration import CONTENT, DELIVERABLE
from statsig_segment.configuration.filters import apply_filters
from statsig_segment.configuration.models import IntegrationConfig, OutboundConfig, outbound_plan, require_config
from statsig_segment.errors import Issue, StatsigSegmentError, TranslationError
from statsig_segment.outbound import fast_lane
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.arrays import coerce_id
from statsig_segment.segment.placeholders import is_placeholder
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
"""The fields that go to both the context and the properties (OU-3)."""
_ID_COLUMNS: Final = frozenset({"$.user_object", "$.custom_ids", "$.statsig_metadata"})
"""The paths, in lower case, of the JSON columns that may hold the only ID of a row (OU-9)."""
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

    Args:
        event: A `StatsigEvent`, or an `ExportedEvent` as `parse_statsig_event` returns it.
        config: How. The profile `documented` is Statsig's published schema: `timestamp` in epoch milliseconds, absent
            keys left out, explicit nulls kept. The profile `deliverable` is what Segment's API accepts: ISO time with
            three fraction digits, `anonymousId`, `messageId`, `context.traits.email`, `context.groupId`.

    Returns:
        A fresh dict.

    Raises:
        TranslationError: Code `no_identifier`, only in the deliverable profile.
        TypeError: For anything other than an event, such as a `ConfigChange`.

    Rules: OU-3, OU-4, OU-5.
    Source: Statsig's page on Segment, "Outbound event schema"; Segment's Statsig source.

    >>> from statsig_segment import ExportedEvent, parse_statsig_event, to_outbound_track
    >>> event = parse_statsig_event({"eventName": "checkout", "userID": "u1", "value": 5})
    >>> assert isinstance(event, ExportedEvent)  # not a ConfigChange
    >>> track = to_outbound_track(event)
    >>> track["event"], track["userId"], track["properties"]
    ('checkout', 'u1', {'value': 5})

    """
    fields = _fields(event)
    is_deliverable = config.profile == DELIVERABLE
    drop = is_deliverable and config.drop_placeholder_ids
    track: OutboundTrack = {"type": "track"}
    user_id, stable_id = user_id_of(fields, drop=drop), stable_id_of(fields)
    if user_id is not ABSENT and (user_id or not is_deliverable):
        track["userId"] = user_id
    if statsig.TIMESTAMP in fields:
        track["timestamp"] = fields[statsig.TIMESTAMP]
    track["event"] = fields.get(statsig.EVENT_NAME, "")
    context: dict[str, Any] = {name: thaw(fields[name]) for name in (statsig.USER, *_TWICE) if name in fields}
    context["library"] = {"name": "statsig", "version": "1.0"}
    if stable_id is not ABSENT:
        context[statsig.STABLE_ID] = stable_id
    track["context"] = context
    track["properties"] = {name: thaw(fields[name]) for name in _TWICE if name in fields}
    if is_deliverable:
        custom_ids = object_in(object_in(fields, statsig.USER), statsig.CUSTOM_IDS)
        stable_id = stable_id_of(fields, drop=drop)
        _deliver(track, config, custom_ids, stable_id, fields.get(statsig.TIME_UUID), email_of(fields))
        _check_identified(track, event.issues)
    return track


def _fields(event: object) -> Mapping[str, Any]:
    """Return an event as an export would hold it."""
    if isinstance(event, ExportedEvent):
        return event.fields
    if not isinstance(event, StatsigEvent):
        raise TypeError(f"to_outbound_track takes a StatsigEvent or ExportedEvent, not {type_name(event)}")
    known = {
        statsig.EVENT_NAME: event.event_name,
        statsig.USER: user_wire(event.user),
        statsig.TIMESTAMP: event.time_ms,
        statsig.VALUE: event.value,
        statsig.METADATA: event.metadata,
    }
    fields: Mapping[str, Any] = freeze({name: value for name, value in known.items() if value is not None})
    return fields


def _deliver(
    track: OutboundTrack, config: OutboundConfig, ids: Mapping[str, Any], stable_id: Any, message_id: Any, email: Any
) -> None:
    """Change a track, which is not yet the caller's, into what Segment's API accepts (OU-4)."""

    def kept(value: Any) -> str | None:
        text = coerce_id(value)
        return None if text is None or (config.drop_placeholder_ids and is_placeholder(text)) else text

    context = track.setdefault("context", {})
    if statsig.TIMESTAMP in track:
        track["timestamp"] = iso_text(int(track["timestamp"]))
    id_types = (config.anonymous_id,) if isinstance(config.anonymous_id, str) else config.anonymous_id
    for id_type in id_types:
        anonymous_id = kept(stable_id if id_type == statsig.STABLE_ID else ids.get(id_type))
        if anonymous_id is not None:
            track.setdefault("anonymousId", anonymous_id)
    if email is not None:
        context[segment.TRAITS] = {statsig.EMAIL: email}
    group_id = kept(ids.get(config.group_id)) if config.group_id else None
    if group_id is not None:
        context[segment.GROUP_ID] = group_id
    if type(message_id) is str and message_id:
        track["messageId"] = message_id
    elif config.message_id == CONTENT:
        content = sorted_text(track).encode(errors="surrogatepass")
        track["messageId"] = f"statsig-{hashlib.sha256(content).hexdigest()[:32]}"


def _check_identified(track: OutboundTrack, issues: Iterable[Issue]) -> None:
    """Refuse a call without an ID, and name the unreadable columns that may have held one (OU-4, OU-9)."""
    if "userId" not in track and "anonymousId" not in track:
        paths = [each.path for each in issues if each.code == "json_unreadable" and each.path.lower() in _ID_COLUMNS]
        message = f"neither a user ID nor an anonymous ID; the JSON text in {', '.join(paths)} cannot be read"
        raise TranslationError("no_identifier", f"$.{statsig.USER_ID}", message if paths else None)


def config_change_event(change: ConfigChange, config: OutboundConfig = _DEFAULT) -> OutboundTrack:
    """Write a config change as a Segment call.

    Args:
        change: A `ConfigChange`.
        config: How. The profile `documented` is Statsig's published schema, which has no `type`. The profile
            `deliverable` adds `type`, ISO time, and keeps `configType`, `action`, `tags` and the rest in the
            properties.

    Returns:
        A fresh dict.

    Raises:
        TranslationError: Code `no_identifier`, only in the deliverable profile.

    Rules: OU-4 to OU-7.
    Source: Statsig's page on Segment, "Outbound event schema".

    >>> from statsig_segment import ConfigChange, config_change_event
    >>> config_change_event(ConfigChange(user_id="u1", timestamp=5, author="Ann", config_name="new_nav"))["properties"]
    {'author': 'Ann', 'configName': 'new_nav'}

    """
    exported = change.fields
    is_deliverable = config.profile == DELIVERABLE
    drop = is_deliverable and config.drop_placeholder_ids
    track: OutboundTrack = {"type": "track"} if is_deliverable else {}
    user_id: Any = change.user_id
    if drop and user_id and is_placeholder(user_id):
        user_id = user_id_of(exported, drop=True)
    if is_deliverable:
        user_id = (user_id is not ABSENT and user_id) or change.email or config.config_change_user_id
    if user_id or (not is_deliverable and (user_id is not None or user_id_of(exported) is None)):
        track["userId"] = user_id
    if change.timestamp is not None:
        track["timestamp"] = change.timestamp
    track["event"] = change.event_name
    track["context"] = {"library": {"name": "statsig", "version": "1.0"}}
    track["properties"] = _change_properties(change)
    if is_deliverable:
        track["properties"] = thaw(change.metadata) | track["properties"]
        stable_id = change.custom_ids.get(statsig.STABLE_ID)
        if drop and stable_id and is_placeholder(stable_id):
            stable_id = stable_id_of(exported, drop=True)
        _deliver(track, config, change.custom_ids, stable_id, change.message_id, change.email)
        _check_identified(track, change.issues)
    return track


def _change_properties(change: ConfigChange) -> dict[str, Any]:
    """Return the properties: the documented ones first, then all others (OU-6)."""
    properties: dict[str, Any] = thaw(change.properties)
    for name, attribute in CHANGE_FIELDS.items():
        if getattr(change, attribute) is not None:
            properties[name] = getattr(change, attribute)
    return {name: properties[name] for name in dict.fromkeys((*CHANGE_FIELDS, *properties)) if name in properties}


def export(
    payload: Mapping[str, Any] | str | bytes, config: IntegrationConfig = _DEFAULT_INTEGRATION
) -> OutboundTrack | Skipped:
    """Translate one event of a Statsig export into a Segment call: parse, filter and write it.

    Args:
        payload: A mapping, or JSON text as `str` or UTF-8 `bytes`.
        config: The whole configuration, of which `outbound` matters.

    Returns:
        A track call, or `Skipped` with reason `filtered` or `segment_origin`.

    Raises:
        StatsigEventError: Where it is not a Statsig event.
        TranslationError: Code `no_identifier`.
        TypeError: `config` is not an `IntegrationConfig`.

    Rules: OU-1 to OU-7, OU-9, OU-10, FL-2, FL-7.
    Source: Statsig's page on Segment.

    >>> from statsig_segment import export
    >>> export({"eventName": "statsig::diagnostics"})
    Skipped(reason='filtered', position=None)

    """
    if type(config) is not IntegrationConfig:
        require_config(config, "export")
    given: Any = payload
    written: Any = fast_lane.outbound_track(given, outbound_plan(config.outbound))
    if written is None:
        return _written(parse_statsig_event(payload), payload, config.outbound, None)
    if type(written) is str:
        return Skipped(reason=written, position=None, payload=payload)
    track: OutboundTrack = written
    return track


def export_many(payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT_INTEGRATION) -> Iterator[ExportOutcome]:
    """Translate any number of events of a Statsig export, lazily. A bad payload raises nothing.

    Args:
        payloads: Mappings, or JSON text as `str` or UTF-8 `bytes`.
        config: The whole configuration, of which `outbound` matters.

    Yields:
        Exactly one outcome for each payload, in order: what `export` returns, or `Rejected` with the error. `Skipped`
        and `Rejected` carry the position, from 0, and the payload itself.

    Raises:
        TypeError: `config` is not an `IntegrationConfig`.

    Rules: OU-1 to OU-7, OU-9, OU-10, FL-2, FL-6, FL-7.
    Source: Statsig's page on Segment.

    >>> from statsig_segment import Rejected, export_many
    >>> [outcome.error.code for outcome in export_many(["oops"]) if isinstance(outcome, Rejected)]
    ['invalid_json']

    """
    require_config(config, "export_many")
    outbound_track, plan = fast_lane.outbound_track, outbound_plan(config.outbound)
    for position, payload in enumerate(payloads):
        written: Any = outbound_track(payload, plan)
        if written is None:
            yield reference_outcome(payload, config.outbound, position)
        elif type(written) is str:
            yield Skipped(reason=written, position=position, payload=payload)
        else:
            yield written


def reference_outcome(payload: Any, config: OutboundConfig, position: int | None) -> ExportOutcome:
    """Translate one of many events by the reference."""
    return outcome_and_issues(payload, config, position)[0]


def outcome_and_issues(
    payload: Any, config: OutboundConfig, position: int | None
) -> tuple[ExportOutcome, tuple[Issue, ...]]:
    """Translate one of many events by the reference, and return the outcome and the issues of the event."""
    issues: tuple[Issue, ...] = ()
    try:
        event = parse_statsig_event(payload)
        issues = event.issues
        return _written(event, payload, config, position), issues
    except StatsigSegmentError as error:
        return Rejected(error=error.with_traceback(None), position=position, payload=payload), issues


def _written(
    event: ExportedEvent | ConfigChange, payload: Any, config: OutboundConfig, position: int | None
) -> OutboundTrack | Skipped:
    if apply_filters(event, config.filters) is None:
        return Skipped(reason="filtered", position=position, payload=payload)
    if not config.allow_segment_origin:  # an event from Segment would be counted and billed twice (FL-7)
        sdk_type = object_in(event.fields, statsig.STATSIG_METADATA).get(statsig.SDK_TYPE)
        if sdk_type == statsig.SEGMENT_SDK or event.event_name.startswith(statsig.SEGMENT_PREFIX):
            return Skipped(reason="segment_origin", position=position, payload=payload)
    return config_change_event(event, config) if isinstance(event, ConfigChange) else to_outbound_track(event, config)
