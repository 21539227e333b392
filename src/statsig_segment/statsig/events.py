"""Statsig's users and events, and their forms on Statsig's wire; no Segment, no configuration."""

from collections.abc import Iterable, Mapping
from typing import Any, Final, NotRequired, TypedDict, cast

import attrs

from statsig_segment import statsig
from statsig_segment._json.models import checks, issue_tuple
from statsig_segment._json.values import FrozenDict, thaw, type_name, unshare
from statsig_segment._version import __version__
from statsig_segment.errors import Issue, StatsigEventError

USER_ATTRIBUTES: Final = FrozenDict(
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

UNKNOWN: Final = FrozenDict(dict.fromkeys(USER_ATTRIBUTES.values()))
"""The attributes of an unknown user, except the objects, which no two users share."""

PLAIN_FIELDS: Final = (statsig.EMAIL, "ip", "userAgent", "country", "locale", "appVersion")
"""The fields that are plain text, and that `user_fields` may fill (US-2)."""

_SDK_TYPE: Final = "statsig-segment"
_CHECKED: Final = checks(StatsigEventError)


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class StatsigUser:
    """A Statsig user: the IDs that experiments use, and what targeting can use. Absent is `None` or empty.

    Raises:
        StatsigEventError: With code `wrong_type`; its path is the name of the attribute.

    """

    user_id: str | None = None
    """The user ID."""
    custom_ids: Mapping[str, str] = attrs.field(factory=FrozenDict)
    """ID type -> ID."""
    email: str | None = None
    """The email address; sent only where `user_fields` asks for it (US-2)."""
    ip: str | None = None
    """The IP address, from which Statsig reads the country."""
    user_agent: str | None = None
    """The user agent, from which Statsig reads browser and operating system."""
    country: str | None = None
    """The country code."""
    locale: str | None = None
    """The locale, such as `en-US`."""
    app_version: str | None = None
    """The version of the app."""
    custom: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """Custom attribute -> string, boolean, number or tuple of strings (US-1)."""
    environment: str | None = None
    """The tier, such as `staging`; without one, Statsig takes the event for production (US-4)."""


@attrs.frozen(kw_only=True, slots=False, field_transformer=_CHECKED)
class StatsigEvent:
    """A Statsig event, ready to be logged.

    Raises:
        StatsigEventError: With code `wrong_type`; its path is the name of the attribute.

    """

    event_name: str
    """The name, with its prefix."""
    user: StatsigUser = attrs.field(factory=StatsigUser)
    """Who did it."""
    time_ms: int | None = None
    """Epoch milliseconds."""
    value: str | float | None = None
    """The value, which metrics add up."""
    metadata: Mapping[str, Any] = attrs.field(factory=FrozenDict)
    """What else is known about the event."""
    message_id: str | None = None
    """The `messageId` of the call, to remember what was sent; it never reaches Statsig (IN-9)."""
    issues: tuple[Issue, ...] = attrs.field(default=(), converter=issue_tuple)
    """What the sender should know about the call."""


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

    Args:
        event: The event.

    Returns:
        A new dict with the keys `eventName`, `user`, `time` (epoch milliseconds), `value`, `metadata`, in this order.
        What is absent has no key, `user` holds only what is known, and `metadata` is always there.

    Raises:
        TypeError: For anything but a `StatsigEvent`, such as a `Skipped`.

    Rules: WI-1.
    Source: Statsig's HTTP API.

    >>> from statsig_segment import StatsigEvent, StatsigUser
    >>> to_log_event(StatsigEvent(event_name="segment::Signed Up", user=StatsigUser(user_id="u1")))
    {'eventName': 'segment::Signed Up', 'user': {'userID': 'u1'}, 'metadata': {}}

    """
    _check_event(event, "to_log_event")
    written: dict[str, Any] = {statsig.EVENT_NAME: event.event_name, statsig.USER: user_wire(event.user)}
    if event.time_ms is not None:
        written[statsig.TIME] = event.time_ms
    if event.value is not None:
        written[statsig.VALUE] = event.value
    written[statsig.METADATA] = thaw(event.metadata)
    return written  # type: ignore[return-value]  # the names of the wire are the constants above


def _check_event(event: object, function: str) -> None:
    """Raise `TypeError` for anything but an event, most often the `Skipped` of a translation."""
    if not issubclass(type(event), StatsigEvent):
        raise TypeError(
            f"{function} takes a StatsigEvent, not {type_name(event)}: look at the type of an outcome first"
        )


def user_wire(user: StatsigUser) -> LogEventUser:
    """Write a user with only what is known, in the order of the wire."""
    known = vars(user)
    written = {name: known[attribute] for name, attribute in USER_ATTRIBUTES.items() if known[attribute]}
    for name in (statsig.CUSTOM_IDS, statsig.CUSTOM):
        if name in written:
            written[name] = thaw(written[name])
    if user.environment:
        written[statsig.ENVIRONMENT] = {statsig.TIER: user.environment}
    return written  # type: ignore[return-value]  # likewise


def _as_log_event(event: Any, function: str) -> LogEvent:
    """Return the log event of an event, or a copy of one that was written before."""
    if type(cast("object", event)) is dict and statsig.EVENT_NAME in event:
        copied: LogEvent = unshare(event)
        return copied
    _check_event(event, function)
    return to_log_event(event)


def to_log_event_request(events: Iterable[StatsigEvent | LogEvent]) -> LogEventRequest:
    """Write the body of `POST /v1/log_event`; the headers `statsig-api-key` and `STATSIG-CLIENT-TIME` are yours to set.

    Args:
        events: The events, or log events as `log_events` yields them.

    Returns:
        The body, with the keys `events` and `statsigMetadata`.

    Raises:
        TypeError: Where one of them is neither a `StatsigEvent` nor a log event.

    Rules: WI-2.
    Source: Statsig's HTTP API.

    >>> sorted(to_log_event_request([]))
    ['events', 'statsigMetadata']

    """
    return {
        "events": [_as_log_event(event, "to_log_event_request") for event in events],
        "statsigMetadata": {"sdkType": _SDK_TYPE, "sdkVersion": __version__},
    }


def to_event_webhook(event: StatsigEvent | LogEvent) -> EventWebhook:
    """Write an event as `POST /v1/webhooks/event_webhook` takes it.

    Args:
        event: The event, or a log event as `log_events` yields it.

    Returns:
        A new dict with the keys `user`, `event`, `value`, `metadata`, `timestamp` (epoch milliseconds), in this order.
        What is absent has no key.

    Raises:
        TypeError: For anything but a `StatsigEvent` or a log event.

    Rules: WI-3.
    Source: Statsig's page on its generic webhook.

    >>> from statsig_segment import StatsigEvent, StatsigUser
    >>> to_event_webhook(StatsigEvent(event_name="Signed Up", user=StatsigUser(user_id="u1"), time_ms=5))
    {'user': {'userID': 'u1'}, 'event': 'Signed Up', 'metadata': {}, 'timestamp': 5}

    """
    logged = _as_log_event(event, "to_event_webhook")
    written: dict[str, Any] = {statsig.USER: logged["user"], "event": logged["eventName"]}
    if "value" in logged:
        written[statsig.VALUE] = logged["value"]
    written[statsig.METADATA] = logged["metadata"]
    if "time" in logged:
        written[statsig.TIMESTAMP] = logged["time"]
    return written  # type: ignore[return-value]  # likewise
