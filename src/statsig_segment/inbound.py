"""Segment -> Statsig, the whole way: parse, skip, filter, map, convert; each step is a function of another module."""

# Testing JSON for its exact type makes dict[Unknown, Unknown] of Any:
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Protocol

from statsig_segment._values import is_object, plain, read_object
from statsig_segment.audiences import AudienceUpdate, audience_update
from statsig_segment.config import InboundConfig, IntegrationConfig
from statsig_segment.conversion import to_statsig_event
from statsig_segment.errors import SegmentEventError, StatsigSegmentError
from statsig_segment.identity import mapped_fields
from statsig_segment.models import amend
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment import Identify, SegmentEvent, read_call
from statsig_segment.statsig import StatsigEvent

_DEFAULT: Final = IntegrationConfig()
_STATSIG: Final = "Statsig"
_ALL: Final = "All"
_STATSIG_LIBRARY: Final = "statsig"


class Seen(Protocol):
    """What remembers message IDs: a `set`, or a cache of the caller's."""

    def __contains__(self, message_id: object, /) -> bool:
        """Tell whether a message ID was added before."""
        ...

    def add(self, message_id: str, /) -> object:
        """Remember a message ID."""
        ...


def translate(
    payload: Mapping[str, Any] | str | bytes, config: IntegrationConfig = _DEFAULT
) -> StatsigEvent | AudienceUpdate | Skipped:
    """Translate one Segment call, the whole way up to the model.

    Shape: a mapping, or JSON text as `str` or UTF-8 `bytes`, in; a `StatsigEvent` for a track, page, screen or group,
    an `AudienceUpdate` for an identify that is an audience membership, or `Skipped` with the reason, out.
    Units: `time_ms` is in epoch milliseconds.
    Errors: `SegmentEventError` where it is no Segment call; `TranslationError` with code `no_identifier` or
    `audience_membership`.
    Rules: IN-1 to AU-6. Source: Statsig's page on Segment.

    >>> from statsig_segment import to_log_event, translate
    >>> to_log_event(translate('{"type": "track", "event": "Signed Up", "userId": "u1"}'))
    {'eventName': 'segment::Signed Up', 'user': {'userID': 'u1'}, 'metadata': {}}
    """
    call = read_call(payload if type(payload) is dict else read_object(payload, SegmentEventError))
    return _outcome(call, payload, config.inbound, None)


def translate_many(
    payloads: Iterable[Any], config: IntegrationConfig = _DEFAULT, *, seen: Seen | None = None
) -> Iterator[StatsigEvent | AudienceUpdate | Skipped | Rejected]:
    """Translate any number of Segment calls, lazily; it never raises for a bad payload.

    Shape: payloads in; exactly one outcome for each out, in order: what `translate` gives, or `Rejected` with the
    error. `Skipped` and `Rejected` carry the position, from 0, and the payload itself. With `seen`, any object with
    `in` and `add`, a repeated `messageId` is skipped as `duplicate_message`; without it nothing is remembered.
    Errors: none.
    Rules: IN-9, FL-6. Source: Segment delivers at least once.

    >>> from statsig_segment import translate_many
    >>> [type(outcome).__name__ for outcome in translate_many(['{"type": "alias"}', {"type": "identify"}])]
    ['Rejected', 'Skipped']
    """
    inbound = config.inbound
    for position, payload in enumerate(payloads):
        try:
            call = read_call(read_object(payload, SegmentEventError))
            if seen is not None and call.message_id is not None:
                if call.message_id in seen:
                    yield Skipped(reason="duplicate_message", position=position, payload=payload)
                    continue
                seen.add(call.message_id)
            outcome: StatsigEvent | AudienceUpdate | Skipped | Rejected = _outcome(call, payload, inbound, position)
        except StatsigSegmentError as error:
            outcome = Rejected(error=error.with_traceback(None), position=position, payload=payload)
        yield outcome


def _outcome(
    call: SegmentEvent, payload: Any, config: InboundConfig, position: int | None
) -> StatsigEvent | AudienceUpdate | Skipped:
    reason = skip_reason(call, config)
    if reason is not None:
        return Skipped(reason=reason, position=position, payload=payload)
    if config.id_mappings:  # as apply_id_mappings does, but on a call of our own
        amend(call, mapped_fields(call, config.id_mappings))
    if not isinstance(call, Identify):
        return to_statsig_event(call, config)
    update = audience_update(call)
    if update is None:
        return Skipped(reason="identify_without_audience", position=position, payload=payload)
    return update


def skip_reason(call: SegmentEvent, config: InboundConfig) -> str | None:
    """Give the reason to pass over a call before it is mapped, `None` where it goes on (FL-1, FL-4, FL-5)."""
    if not config.allow_statsig_origin and _is_from_statsig(call):
        return "statsig_origin"
    if call.integrations and config.honor_integrations and _is_disabled(call.integrations):
        return "integration_disabled"
    return None if config.filters.passes(call, config.naming) else "filtered"


def _is_from_statsig(call: SegmentEvent) -> bool:
    library = call.context.get("library")
    return is_object(library) and library.get("name") == _STATSIG_LIBRARY


def _is_disabled(integrations: Mapping[str, Any]) -> bool:
    own = plain(integrations.get(_STATSIG))
    return own is False or (own is None and plain(integrations.get(_ALL)) is False)
