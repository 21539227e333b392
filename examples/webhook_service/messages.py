"""The way of a message, as pure functions: a body is split into messages, and each is translated into what to send.

Nothing here knows the database or the network. A consumer of a real queue can import `split` and `translate`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    LogOutcome,
    Rejected,
    Skipped,
    export_many,
    log_events,
    split_segment_batch,
    split_statsig_export,
    to_segment_batches,
)

Json: TypeAlias = "dict[str, Any] | list[Any] | str | float | None"
KEY_PROPERTY: Final = "statsigSegmentKey"  # where the metadata of each event for Statsig holds its key
_MAX_KEY_LENGTH: Final = 256
_PER_DELIVERY: Final = frozenset({"sentAt", "receivedAt"})  # they differ when the same message is sent again
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class State(StrEnum):
    """What became of a message."""

    WAITING = "waiting"  # it is translated, and is to be delivered
    SENT = "sent"
    SKIPPED = "skipped"  # it was left out on purpose; the code is the reason
    AUDIENCE = "audience"  # it changes an ID list, and is kept for you to pass on to Statsig's Console API
    DEAD = "dead"  # it cannot be translated, or was refused; the code and the path say why


@attrs.frozen(kw_only=True)
class Outcome:
    """What came of a message. The payload is what to send if it waits, and what came if it does not."""

    key: str
    state: State
    payload: bytes | None = None
    code: str | None = None
    path: str | None = None


def split(lane: str, body: bytes) -> Iterator[tuple[str, Any]]:
    """Yield each message of a body with its key; raise `StatsigSegmentError` if the body cannot be read.

    Lane "statsig" takes what Segment posts, and lane "segment" what Statsig posts. The key is the sender's ID or, where
    there is no usable one, a digest of the content: two messages with the same content are one that was sent twice.
    """
    id_field = "messageId" if lane == "statsig" else "timeUUID"
    for payload in split_segment_batch(body) if lane == "statsig" else split_statsig_export(body):
        yield _key(payload, id_field), payload


def translate(lane: str, key: str, payload: Any, config: IntegrationConfig) -> Outcome:
    """Return what to send for one message, or why nothing is sent."""
    outcome = _to_statsig(key, payload, config) if lane == "statsig" else _to_segment(key, payload, config)
    match outcome:
        case Skipped():
            return Outcome(key=key, state=State.SKIPPED, code=outcome.reason)
        case Rejected(error=error):
            path = (error.path or "").encode(errors="backslashreplace").decode()  # SQLite takes no lone surrogate
            return Outcome(key=key, state=State.DEAD, payload=_json(payload), code=error.code, path=path or None)
        case AudienceUpdate():
            return Outcome(key=key, state=State.AUDIENCE, payload=_json(payload))
        case _:
            return Outcome(key=key, state=State.WAITING, payload=_json(outcome))


def _to_statsig(key: str, payload: Any, config: IntegrationConfig) -> LogOutcome:
    """Translate a call. Statsig does not deduplicate events, but their readers can, by the key in the metadata."""
    (outcome,) = log_events([payload], config)
    if not isinstance(outcome, AudienceUpdate | Skipped | Rejected):
        outcome["metadata"][KEY_PROPERTY] = key
    return outcome


def _to_segment(key: str, payload: Any, config: IntegrationConfig) -> dict[str, Any] | Skipped | Rejected:
    """Translate a Statsig event. Segment deduplicates by `messageId`."""
    (outcome,) = export_many([payload], config)
    if isinstance(outcome, Skipped | Rejected):
        return outcome
    (packed,) = to_segment_batches([{**outcome, "messageId": key}])
    return packed if isinstance(packed, Rejected) else packed["batch"][0]


def _key(payload: Json, id_field: str) -> str:
    if isinstance(payload, dict):
        own = payload.get(id_field)
        if isinstance(own, str) and len(own) <= _MAX_KEY_LENGTH and own.encode(errors="ignore").decode() == own:
            return own
        payload = {name: value for name, value in payload.items() if name not in _PER_DELIVERY}
    return hashlib.sha256(_json(payload)).hexdigest()


def _json(value: Any) -> bytes:
    """Encode as compact JSON, as Segment counts bytes; a lone surrogate becomes an escape."""
    return _encode(value).encode(errors="backslashreplace")
