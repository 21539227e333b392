"""Bodies of requests -> messages with a key each; verifies nothing, translates nothing."""

from __future__ import annotations

import hashlib
import json
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import uuid4

from starlette.exceptions import HTTPException

from statsig_segment import split_segment_batch, split_statsig_export

from .store import Arrived

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .settings import Settings

Json: TypeAlias = "dict[str, Any] | list[Any] | str | float | None"

_encoded = json.JSONEncoder(separators=(",", ":")).encode
_LONGEST_KEY: Final = 256
_PER_DELIVERY: Final = frozenset({"sentAt", "receivedAt"})  # other ones when the same message comes again


def from_segment(body: bytes, settings: Settings) -> list[Arrived]:
    """Split the body of a Segment request; raises `SegmentEventError` where it cannot be read as a whole."""
    return _arrived(split_segment_batch(body), "messageId", settings)


def from_statsig(body: bytes, settings: Settings) -> list[Arrived]:
    """Split the body of a Statsig export; raises `StatsigEventError` where it cannot be read as a whole."""
    return _arrived(split_statsig_export(body), "timeUUID", settings)


def _arrived(payloads: Iterable[Any], id_field: str, settings: Settings) -> list[Arrived]:
    """Make messages, and stop with 413 as soon as there are too many, or too much: an envelope's context multiplies."""
    arrived: list[Arrived] = []
    left = settings.max_messages_bytes
    for payload in islice(payloads, settings.max_body_events + 1):
        arrived.append(_message(payload, id_field))
        left -= len(arrived[-1].payload)
        if left < 0:
            raise HTTPException(413, "messages_too_large")
    if len(arrived) > settings.max_body_events:
        raise HTTPException(413, "too_many_events")
    return arrived


def _message(payload: Any, id_field: str) -> Arrived:
    try:
        text = _encoded(payload)
        return Arrived(key=_own_key(payload, id_field) or _digest(payload, text), payload=text)
    except RecursionError:  # it could be read, just so, and cannot be written: it becomes a dead letter without content
        return Arrived(key=f"too-deep-{uuid4()}", payload="null")


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
    return hashlib.sha256(text.encode()).hexdigest()
