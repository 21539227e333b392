"""Use inside a service: one function from a webhook's body and signature to what Statsig's log_event takes.

The function opens no connection, reads no clock and keeps nothing: receiving the request and sending the result on
are the business of the service around it, and of whatever web framework it is written with.

Run it to see the sample batch go through:  python examples/embed_in_a_service.py
"""

from __future__ import annotations

import hashlib
import hmac
import json
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    load_config,
    split_segment_batch,
    to_log_event_request,
    translate_many,
    verify_segment_signature,
)

if TYPE_CHECKING:
    from collections.abc import MutableSet

    from statsig_segment.wire import LogEventRequest

EXAMPLES = Path(__file__).parent


@attrs.frozen(kw_only=True)
class Received:
    """What one webhook call came to. Every payload of the body is counted in exactly one of the four."""

    request: LogEventRequest
    """The body for Statsig's `log_event`."""
    audiences: tuple[AudienceUpdate, ...]
    """Changes of ID lists, to be folded and sent to the Console API."""
    skipped: tuple[Skipped, ...]
    """What was left out on purpose, with the reason."""
    rejected: tuple[Rejected, ...]
    """What could not be translated: keep it, mend the cause, send it again."""


def receive(body: bytes, signature: str, *, secret: str, config: IntegrationConfig, seen: MutableSet[str]) -> Received:
    """Translate the body of one Segment webhook call.

    Raises `SignatureError` where the signature does not match (answer 401), and `SegmentEventError` where the body as
    a whole cannot be read (answer 400). A single bad call in a batch raises nothing: it comes back as `Rejected`.
    """
    verify_segment_signature(body, signature, secret)
    events: list[StatsigEvent] = []
    audiences: list[AudienceUpdate] = []
    skipped: list[Skipped] = []
    rejected: list[Rejected] = []
    for outcome in translate_many(split_segment_batch(body), config, seen=seen):
        match outcome:
            case StatsigEvent():
                events.append(outcome)
            case AudienceUpdate():
                audiences.append(outcome)
            case Skipped():
                skipped.append(outcome)
            case Rejected():
                rejected.append(outcome)
    return Received(
        request=to_log_event_request(events),
        audiences=tuple(audiences),
        skipped=tuple(skipped),
        rejected=tuple(rejected),
    )


def main() -> None:
    """Sign the sample batch as Segment would, receive it, and print what came of it."""
    shared = "what you and Segment know"
    body = (EXAMPLES / "segment_batch.json").read_bytes()
    signature = hmac.new(shared.encode(), body, hashlib.sha1).hexdigest()
    config = load_config((EXAMPLES / "integration.toml").read_text(encoding="utf-8"))

    received = receive(body, signature, secret=shared, config=config, seen=set())

    print(json.dumps(received.request, indent=2, ensure_ascii=False))
    for update in received.audiences:
        print(f"ID list {update.id_list}: {update.user_id} {'joins' if update.member else 'leaves'}")
    for left_out in received.skipped:
        print(f"skipped payload {left_out.position}: {left_out.reason}")
    for refused in received.rejected:
        print(f"rejected payload {refused.position}: {refused.error.code}")


if __name__ == "__main__":
    main()
