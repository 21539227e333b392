"""From Segment to Statsig, end to end: parse, skip, filter, map and convert, each step in a module of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, tee
from typing import Any, Final, Protocol, TypeAlias

from statsig_segment import segment
from statsig_segment._json.values import filled_text, kind_of, read_payload, read_text, type_name
from statsig_segment.configuration.models import InboundConfig, IntegrationConfig, derived_of, require_config
from statsig_segment.errors import SegmentEventError, StatsigSegmentError
from statsig_segment.inbound import fast_lane
from statsig_segment.inbound.audiences import AudienceUpdate, audience_update
from statsig_segment.inbound.conversion import to_statsig_event
from statsig_segment.inbound.identity import apply_id_mappings
from statsig_segment.inbound.skips import IDENTIFY_WITHOUT_AUDIENCE, UNSUPPORTED_TYPE, find_skip
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.calls import Identify, SegmentEvent, parse_segment_event
from statsig_segment.statsig.events import LogEvent, StatsigEvent, to_log_event

_DEFAULT: Final = IntegrationConfig()
_AHEAD: Final = 64
"""How many calls are translated ahead of what looks at them: enough to be faster, and few to hold in memory."""

Outcome: TypeAlias = StatsigEvent | AudienceUpdate | Skipped | Rejected
"""What `translate_many` yields for a payload."""
LogOutcome: TypeAlias = LogEvent | AudienceUpdate | Skipped | Rejected
"""What `log_events` yields for a payload."""


class Seen(Protocol):
    """Something that remembers message IDs: a `set`, or a cache of your own."""

    def __contains__(self, message_id: object, /) -> bool:
        """Return whether a message ID was added before."""
        ...

    def add(self, message_id: str, /) -> object:
        """Remember a message ID."""
        ...


def translate(
    payload: Mapping[str, Any] | str | bytes, config: IntegrationConfig = _DEFAULT
) -> StatsigEvent | AudienceUpdate | Skipped:
    """Translate one Segment call into its model: parse, skip, filter, map and convert it.

    Args:
        payload: The call: a mapping, or JSON text as `str` or UTF-8 `bytes`.
        config: Both directions; only `config.inbound` counts.

    Returns:
        A `StatsigEvent` for a track, page, screen or group call; an `AudienceUpdate` for an identify call that is an
        audience membership; or `Skipped` with the reason.

    Raises:
        SegmentEventError: The payload is not a Segment call.
        TranslationError: Code `no_identifier` or `audience_membership`.
        TypeError: `config` is not an `IntegrationConfig`.

    Rules: IN-1 to AU-6.
    Source: Statsig's page on Segment.

    >>> from statsig_segment import StatsigEvent, to_log_event, translate
    >>> event = translate('{"type": "track", "event": "Signed Up", "userId": "u1"}')
    >>> assert isinstance(event, StatsigEvent)
    >>> to_log_event(event)
    {'eventName': 'segment::Signed Up', 'user': {'userID': 'u1'}, 'metadata': {}}

    """
    if type(config) is not IntegrationConfig:
        require_config(config, "translate")
    call = _decoded(payload)
    written = fast_lane.log_event(call, derived_of(config.inbound).plan)
    if written is None:
        return _by_reference(payload, config.inbound, None, None)
    if isinstance(written, str):
        return Skipped(reason=written, position=None, payload=payload)
    return _model(written, call)


def _decoded(payload: Any) -> Any:
    """Return a payload with JSON text decoded; `None` for text that the reference must refuse."""
    if type(payload) is not str and type(payload) is not bytes:
        return payload
    try:
        return read_text(payload, SegmentEventError)
    except SegmentEventError:
        return None


def translate_many(
    payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT, *, seen: Seen | None = None
) -> Iterator[Outcome]:
    """Translate any number of Segment calls, lazily; a bad payload raises nothing.

    Args:
        payloads: Calls as `translate` takes them.
        config: Both directions; only `config.inbound` counts.
        seen: Remembers message IDs: a `set`, or any object with `in` and `add`. A repeated `messageId` is skipped as
            `duplicate_message`; without `seen` nothing is remembered. An ID is in `seen` before its event is sent, so
            use it for one pass over an archive, and not in a service.

    Returns:
        An iterator over exactly one outcome for each payload, in order. Each is what `translate` returns, or
        `Rejected` with the error. `Skipped` and `Rejected` carry the position, counted from 0, and the payload itself.

    Raises:
        TypeError: `payloads` is a single call, or `config` is not an `IntegrationConfig`.

    Rules: IN-9, FL-6.
    Source: Segment delivers at least once.

    >>> from statsig_segment import translate_many
    >>> [type(outcome).__name__ for outcome in translate_many(['{"type": "alias"}', {"type": "track"}])]
    ['Skipped', 'Rejected']

    """
    check_iterable(payloads, "translate_many")
    require_config(config, "translate_many")
    return log_events_or_outcomes(payloads, config.inbound, seen, write=_model)


def _model(written: dict[str, Any] | AudienceUpdate, call: Mapping[str, Any]) -> StatsigEvent | AudienceUpdate:
    """Return the model of what the fast lane wrote."""
    if isinstance(written, AudienceUpdate):
        return written
    return fast_lane.event_of(written, filled_text(call.get(segment.MESSAGE_ID)))


def log_events_or_outcomes(
    payloads: Iterable[Any],
    config: InboundConfig,
    seen: Seen | None,
    *,
    write: Callable[[Any, Any], Any] | None = None,
    finish: Callable[[Outcome], Any] | None = None,
) -> Iterator[Any]:
    """Yield what the fast lane writes, passed to `write`, and all other outcomes, passed to `finish`.

    Without the two these are log events, and for events from the reference `StatsigEvent`s with their issues.
    """
    log_event, plan = fast_lane.log_event, derived_of(config).plan
    outcome: Outcome
    for position, payload in enumerate(payloads):
        call: Any = payload if type(payload) is dict else _decoded(payload)  # pyright: ignore[reportUnknownVariableType]
        written: Any = log_event(call, plan)
        if written is None:
            outcome = reference_outcome(payload, config, position, seen)
        elif seen is not None and _is_repeated(call.get(segment.MESSAGE_ID), seen):
            outcome = Skipped(reason="duplicate_message", position=position, payload=payload)
        elif type(written) is str:
            outcome = Skipped(reason=written, position=position, payload=payload)
        else:
            yield written if write is None else write(written, call)
            continue
        yield outcome if finish is None else finish(outcome)


def log_events(
    payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT, *, seen: Seen | None = None
) -> Iterator[LogOutcome]:
    """Translate any number of Segment calls to Statsig's wire format, lazily: the fastest way, with the same outcome.

    Args:
        payloads: Calls as `translate` takes them.
        config: Both directions; only `config.inbound` counts.
        seen: Remembers message IDs, as for `translate_many`.

    Returns:
        An iterator like that of `translate_many`, with a log event instead of each `StatsigEvent`. Each is a fresh
        dict, as `to_log_event` writes it. A log event has no issues; `translate_many` and `explain` show them.

    Raises:
        TypeError: `payloads` is a single call, or `config` is not an `IntegrationConfig`.

    Rules: IN-9, FL-6, WI-1.
    Source: Statsig's HTTP API.

    >>> from statsig_segment import log_events
    >>> list(log_events([{"type": "track", "event": "Signed Up", "userId": "u1"}]))
    [{'eventName': 'segment::Signed Up', 'user': {'userID': 'u1'}, 'metadata': {}}]

    """
    check_iterable(payloads, "log_events")
    require_config(config, "log_events")
    return log_events_or_outcomes(payloads, config.inbound, seen, finish=_without_issues)


def _without_issues(outcome: Outcome) -> LogOutcome:
    return to_log_event(outcome) if isinstance(outcome, StatsigEvent) else outcome


def decoded_calls(payloads: Iterable[Any]) -> Iterator[Any]:
    """Yield each payload with readable JSON text decoded, so that several readers share one decoded call."""
    for payload in payloads:
        call = payload if type(payload) is dict else _decoded(payload)  # pyright: ignore[reportUnknownVariableType]
        yield payload if call is None else call


def translated_with_calls(
    payloads: Iterable[Any], config: InboundConfig, seen: Seen | None = None
) -> Iterator[tuple[Any, LogEvent | Outcome]]:
    """Yield each decoded call with its outcome from `log_events_or_outcomes`."""
    calls, same_calls = tee(decoded_calls(payloads))
    pairs = zip(calls, log_events_or_outcomes(same_calls, config, seen), strict=True)
    # To translate some calls and then to look at all of them is a sixth faster than to take turns, call by call: each
    # of the two loops stays in the processor's caches. The price: a call must not change once it has been yielded.
    while some := [*islice(pairs, _AHEAD)]:
        yield from some


def event_of_outcome(outcome: Any) -> LogEvent | None:
    """Return the log event of what `log_events_or_outcomes` yields; `None` where a call made no event."""
    if kind_of(outcome) is not dict:
        return to_log_event(outcome) if isinstance(outcome, StatsigEvent) else None
    event: LogEvent = outcome
    return event


def check_iterable(payloads: object, function: str) -> None:
    """Refuse a single call where many are expected; iterating over it would yield its keys or characters."""
    if issubclass(type(payloads), str | bytes | Mapping):
        raise TypeError(f"{function} takes an iterable of calls, not a single {type_name(payloads)}; put it in a list")


def reference_outcome(payload: Any, config: InboundConfig, position: int, seen: Seen | None) -> Outcome:
    """Translate one of many payloads by the reference."""
    try:
        return _by_reference(payload, config, position, seen)
    except StatsigSegmentError as error:
        return Rejected(error=error.with_traceback(None), position=position, payload=payload)


def _by_reference(
    payload: Any, config: InboundConfig, position: int | None, seen: Seen | None
) -> StatsigEvent | AudienceUpdate | Skipped:
    call = parse_supported(payload)
    if call is None:
        return Skipped(reason=UNSUPPORTED_TYPE.reason, position=position, payload=payload)
    if seen is not None and _is_repeated(call.message_id, seen):
        return Skipped(reason="duplicate_message", position=position, payload=payload)
    skip = find_skip(call, config)
    if skip is not None:
        return Skipped(reason=skip.reason, position=position, payload=payload)
    mapped = apply_id_mappings(call, config.id_mappings, drop_placeholders=config.drop_placeholder_ids)
    if not isinstance(mapped, Identify):
        return to_statsig_event(mapped, config)
    update = audience_update(mapped)
    if update is None:
        return Skipped(reason=IDENTIFY_WITHOUT_AUDIENCE.reason, position=position, payload=payload)
    return update


def parse_supported(payload: Any) -> SegmentEvent | None:
    """Parse a call; return `None` for a Segment call that can never make an event, such as an alias (IN-2)."""
    try:
        return parse_segment_event(payload)
    except SegmentEventError as error:
        if error.code != "unsupported_type":
            raise
        if read_payload(payload, SegmentEventError)[0][segment.TYPE] not in segment.NEVER_EVENTS:
            raise
        return None


def _is_repeated(message_id: object, seen: Seen) -> bool:
    """Return whether a message was seen before, and remember it (IN-9)."""
    text = filled_text(message_id)
    if text is None or text in seen:
        return text is not None
    seen.add(text)
    return False
