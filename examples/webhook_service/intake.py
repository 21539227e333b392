"""Bodies of requests: checked as a whole at the door, later split into messages with a key each; verifies nothing."""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from statsig_segment import split_segment_batch, split_statsig_export
from statsig_segment.rulebook.codes import CODES

from .answers import RefusalError
from .store import Arrived, State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from .settings import Settings
    from .store import Kept

Json: TypeAlias = "dict[str, Any] | list[Any] | str | float | None"

_encoded = json.JSONEncoder(separators=(",", ":")).encode
_LONGEST_KEY: Final = 256
_PER_DELIVERY: Final = frozenset({"sentAt", "receivedAt"})  # other ones when the same message comes again
_MOST_SHARED: Final = CODES["envelope_too_large"].limit or 0  # bytes that an envelope may have for each message


def check_segment(body: bytes, settings: Settings) -> Iterator[None]:
    """Refuse the body of a Segment request that is too large, or cannot be read as a whole (`SegmentEventError`)."""
    return _check(split_segment_batch(body), min(len(body), _MOST_SHARED), settings)


def check_statsig(body: bytes, settings: Settings) -> Iterator[None]:
    """Refuse the body of a Statsig export that is too large, or cannot be read as a whole (`StatsigEventError`)."""
    return _check(split_statsig_export(body), len(body), settings)


def _check(payloads: Iterable[Any], shared: int, settings: Settings) -> Iterator[None]:
    """Stop with 413 as soon as there are too many messages, or too much of them: an envelope's context multiplies.

    One step for each message. The first messages cannot be too much, whatever they share: to measure them would cost
    more than all the rest.
    """
    unmeasured = settings.max_messages_bytes // max(shared, 1)
    left = settings.max_messages_bytes
    for count, payload in enumerate(islice(payloads, settings.max_body_events + 1), 1):
        if count > unmeasured:
            left -= len(_text(payload))
        if left < 0:
            raise RefusalError(413, "messages_too_large")
        if count > settings.max_body_events:
            raise RefusalError(413, "too_many_events")
        yield


def split(body: Kept) -> Iterator[Arrived]:
    """Split a body into messages, one by one. Should that ever fail, the body becomes a dead letter as it stands."""
    try:
        splitter, id_field = _SPLITTERS[body.lane]
        for number, payload in enumerate(splitter(body.content)):
            message = _message(payload, id_field)
            yield message or Arrived(key=f"too-deep-{number}-{_sha256(body.content)}", payload="null")
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - or this body would stop all behind it for good
        key, text = f"body-{_sha256(body.content)}", body.content.decode(errors="backslashreplace")
        yield Arrived(key=key, payload=text, state=State.DEAD, code=getattr(error, "code", type(error).__name__))


_SPLITTERS: Final[Mapping[str, tuple[Callable[[bytes], Iterable[Any]], str]]] = {
    "statsig": (split_segment_batch, "messageId"),
    "segment": (split_statsig_export, "timeUUID"),
}


def _message(payload: Any, id_field: str) -> Arrived | None:
    """Make a message, or nothing where it could be read, just so, and cannot be written."""
    try:
        text = _encoded(payload)
        return Arrived(key=_own_key(payload, id_field) or _digest(payload, text), payload=text)
    except RecursionError:
        return None


def _text(payload: Any) -> str:
    try:
        return _encoded(payload)
    except RecursionError:
        return "null"


def _own_key(payload: Json, id_field: str) -> str | None:
    """Give what the sender calls the message, if that can be stored: text without lone surrogates, and not too long."""
    own = payload.get(id_field) if isinstance(payload, dict) else None
    if not isinstance(own, str) or len(own) > _LONGEST_KEY:
        return None
    return own if own.isascii() or own.encode(errors="ignore").decode() == own else None


def _digest(payload: Json, text: str) -> str:
    """Tell messages without an ID apart by their content: two that are the same to the letter are one sent twice."""
    if isinstance(payload, dict) and not _PER_DELIVERY.isdisjoint(payload):
        text = _encoded({name: value for name, value in payload.items() if name not in _PER_DELIVERY})
    return _sha256(text.encode())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
