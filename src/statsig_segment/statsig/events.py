"""Statsig's users and events, and their forms on Statsig's wire; no Segment, no configuration."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NotRequired, TypedDict

import attrs

from statsig_segment import statsig
from statsig_segment._json.values import EMPTY, FrozenDict, freeze, freeze_object, thaw, type_name
from statsig_segment._version import __version__
from statsig_segment.errors import Issue

USER_FIELDS: Final = FrozenDict(
    {
        statsig.USER_ID: "user_id",
        statsig.CUSTOM_IDS: "custom_ids",
        statsig.EMAIL: "email",
        "ip": "ip",
        "userAgent": "user_agent",
        "country": "country",
        "locale": "locale",
        "appVersion": "app_version",
        statsig.CUSTOM: "custom",
        statsig.ENVIRONMENT: "environment",
    }
)
"""Wire name -> attribute of `StatsigUser`, in the order of the wire (WI-1)."""

PLAIN_FIELDS: Final = (statsig.EMAIL, "ip", "userAgent", "country", "locale", "appVersion")
"""The fields that are plain text, and that `user_fields` may fill (US-2)."""

_SDK_TYPE: Final = "statsig-segment"


def _tuple_of_issues(issues: Iterable[Issue]) -> tuple[Issue, ...]:
    return tuple(issues)


@attrs.frozen(kw_only=True, slots=False)
class StatsigUser:
    """A Statsig user: the IDs that experiments go by, and what targeting may use. Absent is `None` or empty."""

    user_id: str | None = None
    custom_ids: Mapping[str, str] = attrs.field(default=EMPTY, converter=freeze_object)
    """ID type -> ID."""
    email: str | None = None
    ip: str | None = None
    user_agent: str | None = None
    country: str | None = None
    locale: str | None = None
    app_version: str | None = None
    custom: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)
    environment: str | None = None
    """The tier, such as `staging`; without one, Statsig takes the event for production (US-4)."""


@attrs.frozen(kw_only=True, slots=False)
class StatsigEvent:
    """A Statsig event, ready to be logged."""

    event_name: str
    user: StatsigUser = attrs.field(factory=StatsigUser)
    time_ms: int | None = None
    """Epoch milliseconds."""
    value: str | float | None = attrs.field(default=None, converter=freeze)
    metadata: Mapping[str, Any] = attrs.field(default=EMPTY, converter=freeze_object)
    message_id: str | None = None
    """The `messageId` of the call, to remember what was sent; it never reaches Statsig (IN-9)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=_tuple_of_issues)


class LogEventEnvironment(TypedDict):
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
    statsigEnvironment: LogEventEnvironment


class LogEvent(TypedDict):
    """One event of `POST /v1/log_event`; `time` is in epoch milliseconds."""

    eventName: str
    user: LogEventUser
    time: NotRequired[int]
    value: NotRequired[str | float]
    metadata: dict[str, Any]


class StatsigMetadata(TypedDict):
    """The sender: this library and its version."""

    sdkType: str
    sdkVersion: str


class LogEventRequest(TypedDict):
    """The body of `POST /v1/log_event`."""

    events: list[LogEvent]
    statsigMetadata: StatsigMetadata


class EventWebhook(TypedDict):
    """The body of `POST /v1/webhooks/event_webhook`; `timestamp` is in epoch milliseconds."""

    user: LogEventUser
    event: str
    value: NotRequired[str | float]
    metadata: dict[str, Any]
    timestamp: NotRequired[int]


def to_log_event(event: StatsigEvent) -> LogEvent:
    """Write an event as `POST /v1/log_event` takes it.

    Shape: a `StatsigEvent` in; a fresh dict out, with the keys `eventName`, `user`, `time` (epoch milliseconds),
    `value`, `metadata`, in this order; what is absent has no key, `user` holds only what is known, `metadata` is
    always there.
    Errors: `TypeError` for anything but a `StatsigEvent`, such as a `Skipped`.
    Rules: WI-1. Source: Statsig's HTTP API.

    >>> from statsig_segment import StatsigEvent, StatsigUser
    >>> to_log_event(StatsigEvent(event_name="segment::Signed Up", user=StatsigUser(user_id="u1")))
    {'eventName': 'segment::Signed Up', 'user': {'userID': 'u1'}, 'metadata': {}}
    """
    _check_event(event, "to_log_event")
    written: dict[str, Any] = {statsig.EVENT_NAME: event.event_name, statsig.USER: user_wire(event.user)}
    if event.time_ms is not None:
        written[statsig.TIME] = event.time_ms
    if event.value is not None:
        written[statsig.VALUE] = thaw(event.value)
    written[statsig.METADATA] = thaw(event.metadata)
    return written  # type: ignore[return-value]  # the names of the wire stand in one place, the constants above


def _check_event(event: object, function: str) -> None:
    """Refuse what is not an event: most often the `Skipped` of a translation."""
    if not issubclass(type(event), StatsigEvent):
        raise TypeError(
            f"{function} takes a StatsigEvent, not {type_name(event)}: look at the type of an outcome first"
        )


def user_wire(user: StatsigUser) -> LogEventUser:
    """Write a user with only what is known, in the order of the wire."""
    written: dict[str, Any] = {}
    for name, attribute in USER_FIELDS.items():
        value = getattr(user, attribute)
        if value:
            written[name] = value if type(value) is str else thaw(value)
    if user.environment:
        written[statsig.ENVIRONMENT] = {statsig.TIER: user.environment}
    return written  # type: ignore[return-value]  # likewise


def to_log_event_request(events: Iterable[StatsigEvent]) -> LogEventRequest:
    """Write the body of `POST /v1/log_event`.

    Shape: events in; `{"events": [...], "statsigMetadata": {...}}` out. The headers `statsig-api-key` and
    `STATSIG-CLIENT-TIME` are the caller's to set.
    Errors: `TypeError` where one of them is not a `StatsigEvent`.
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
    milliseconds), in this order; what is absent has no key.
    Errors: `TypeError` for anything but a `StatsigEvent`.
    Rules: WI-3. Source: Statsig's page on its generic webhook.

    >>> from statsig_segment import StatsigEvent, StatsigUser
    >>> to_event_webhook(StatsigEvent(event_name="Signed Up", user=StatsigUser(user_id="u1"), time_ms=5))
    {'user': {'userID': 'u1'}, 'event': 'Signed Up', 'metadata': {}, 'timestamp': 5}
    """
    _check_event(event, "to_event_webhook")
    written: dict[str, Any] = {statsig.USER: user_wire(event.user), "event": event.event_name}
    if event.value is not None:
        written[statsig.VALUE] = thaw(event.value)
    written[statsig.METADATA] = thaw(event.metadata)
    if event.time_ms is not None:
        written[statsig.TIMESTAMP] = event.time_ms
    return written  # type: ignore[return-value]  # likewise
