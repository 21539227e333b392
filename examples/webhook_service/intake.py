"""Bodies of requests -> messages with a key each; verifies nothing, translates nothing."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, cast

from statsig_segment import split_segment_batch, split_statsig_export

from .store import Arrived

if TYPE_CHECKING:
    from collections.abc import Mapping


def from_segment(body: bytes) -> list[Arrived]:
    """Split the body of a Segment request; raises `SegmentEventError` where it cannot be read as a whole."""
    return [_arrived(payload, "messageId") for payload in split_segment_batch(body)]


def from_statsig(body: bytes) -> list[Arrived]:
    """Split the body of a Statsig export; raises `StatsigEventError` where it cannot be read as a whole."""
    return [_arrived(payload, "timeUUID") for payload in split_statsig_export(body)]


def _arrived(payload: Any, id_field: str) -> Arrived:
    return Arrived(key=_key(payload, id_field), payload=json.dumps(payload, separators=(",", ":")))


def _key(payload: Any, id_field: str) -> str:
    """Give what the sender calls the message, or its digest: two of the same time to the letter are one sent twice."""
    own = cast("Mapping[str, Any]", payload).get(id_field) if isinstance(payload, dict) else None
    if isinstance(own, str) and own:
        return own
    return hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
