"""Statsig's wire: the shapes that its HTTP API takes, and models -> those shapes, as plain fresh dicts."""

from collections.abc import Iterable
from typing import Any, Final, TypedDict

from statsig_segment._values import FrozenDict, thaw
from statsig_segment._version import __version__
from statsig_segment.statsig import ENVIRONMENT, TIER, USER_FIELDS, StatsigEvent, StatsigUser

_SDK_TYPE: Final = "statsig-segment"
_USER_NAMES: Final = FrozenDict({attribute: name for name, attribute in USER_FIELDS.items()})


class StatsigEnvironmentWire(TypedDict):
    """The environment of a user on the wire."""

    tier: str


class LogEventUser(TypedDict, total=False):
    """A user on the wire: only what is known."""

    userID: str
    customIDs: dict[str, str]
    email: str
    ip: str
    userAgent: str
    country: str
    locale: str
    appVersion: str
    custom: dict[str, Any]
    statsigEnvironment: StatsigEnvironmentWire


class _LogEventMust(TypedDict):
    eventName: str
    user: LogEventUser
    metadata: dict[str, Any]


class LogEvent(_LogEventMust, total=False):
    """One event of `POST /v1/log_event`; `time` is in epoch milliseconds."""

    time: int
    value: Any


class StatsigMetadata(TypedDict):
    """Who sends."""

    sdkType: str
    sdkVersion: str


class LogEventRequest(TypedDict):
    """The body of `POST /v1/log_event`."""

    events: list[LogEvent]
    statsigMetadata: StatsigMetadata


class _EventWebhookMust(TypedDict):
    user: LogEventUser
    event: str
    metadata: dict[str, Any]


class EventWebhook(_EventWebhookMust, total=False):
    """The body of `POST /v1/webhooks/event_webhook`; `timestamp` is in epoch milliseconds."""

    value: Any
    timestamp: int


def to_log_event(event: StatsigEvent) -> LogEvent:
    """Write an event as `POST /v1/log_event` takes it.

    Shape: a `StatsigEvent` in; a fresh dict out, with the keys `eventName`, `user`, `time` (epoch milliseconds),
    `value`, `metadata`; what is absent has no key, `user` holds only what is known, `metadata` is always there.
    Errors: none.
    Rules: WI-1. Source: Statsig's HTTP API.

    >>> from statsig_segment import StatsigEvent, StatsigUser
    >>> to_log_event(StatsigEvent(event_name="segment::Signed Up", user=StatsigUser(user_id="u1")))
    {'eventName': 'segment::Signed Up', 'user': {'userID': 'u1'}, 'metadata': {}}
    """
    out: LogEvent = {"eventName": event.event_name, "user": user_wire(event.user), "metadata": thaw(event.metadata)}
    if event.time_ms is not None:
        out["time"] = event.time_ms
    if event.value is not None:
        out["value"] = thaw(event.value)
    return out


def user_wire(user: StatsigUser) -> LogEventUser:
    """Write a user with only what is known."""
    out: dict[str, Any] = {}
    for attribute, value in user.__dict__.items():  # what is not there is not known
        if value:
            out[_USER_NAMES[attribute]] = value if type(value) is str else thaw(value)
    if user.environment:
        out[ENVIRONMENT] = {TIER: user.environment}
    return out  # type: ignore[return-value]


def to_log_event_request(events: Iterable[StatsigEvent]) -> LogEventRequest:
    """Write the body of `POST /v1/log_event`.

    Shape: events in; `{"events": [...], "statsigMetadata": {...}}` out. The headers `statsig-api-key` and
    `STATSIG-CLIENT-TIME` are the caller's to set.
    Errors: none.
    Rules: WI-2. Source: Statsig's HTTP API.

    >>> sorted(to_log_event_request([]))
    ['events', 'statsigMetadata']
    """
    return {
        "events": [to_log_event(event) for event in events],
        "statsigMetadata": {"sdkType": _SDK_TYPE, "sdkVersion": __version__},
    }


def to_event_webhook(event: StatsigEvent) -> EventWebhook:
    """Write an event as `POST /v1/webhooks/event_webhook` takes it.

    Shape: a `StatsigEvent` in; a fresh dict out, with the keys `user`, `event`, `value`, `metadata`, `timestamp` (epoch
    milliseconds); what is absent has no key.
    Errors: none.
    Rules: WI-3. Source: Statsig's page on its generic webhook.

    >>> from statsig_segment import StatsigEvent, StatsigUser
    >>> to_event_webhook(StatsigEvent(event_name="Signed Up", user=StatsigUser(user_id="u1"), time_ms=5))
    {'user': {'userID': 'u1'}, 'event': 'Signed Up', 'metadata': {}, 'timestamp': 5}
    """
    out: EventWebhook = {
        "user": user_wire(event.user),
        "event": event.event_name,
        "metadata": thaw(event.metadata),
    }
    if event.value is not None:
        out["value"] = thaw(event.value)
    if event.time_ms is not None:
        out["timestamp"] = event.time_ms
    return out
