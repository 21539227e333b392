"""Use inside a service: store what a webhook brings, answer, and translate only what is sent right away.

Two steps can fail apart from each other, and neither loses anything:

1. `receive` verifies a body, splits it, and stores each payload under its key. Only then do you answer 200.
2. `deliver` translates what is stored, sends it, and settles it after that. Where sending fails, nothing has changed:
   the same events go out the next time, under the same keys.

The HTTP server and client are left to you. Run it to see the sample batch go through, although Statsig cannot be
reached the first time:  python examples/embed_in_a_service.py
"""

from __future__ import annotations

import hashlib
import hmac
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    load_config,
    split_segment_batch,
    to_log_event,
    to_log_event_request,
    translate_many,
    verify_segment_signature,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from statsig_segment.statsig.events import LogEvent, LogEventRequest

EXAMPLES = Path(__file__).parent


class Inbox:
    """Payloads on the disk. One that came again is already there, whether it has been sent or not."""

    def __init__(self, database: str) -> None:
        """Open the database, and create it where there is none."""
        self._connection = sqlite3.connect(database)
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS inbox (key TEXT PRIMARY KEY, payload TEXT NOT NULL, outcome TEXT)"
        )

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def store(self, payloads: list[Any]) -> None:
        """Store payloads, all of them or none."""
        rows = [(key_of(payload), json.dumps(payload)) for payload in payloads]
        with self._connection:
            self._connection.executemany("INSERT OR IGNORE INTO inbox (key, payload) VALUES (?, ?)", rows)

    def waiting(self, limit: int = 500) -> list[tuple[str, str]]:
        """Return keys and payloads without an outcome."""
        return self._connection.execute(
            "SELECT key, payload FROM inbox WHERE outcome IS NULL ORDER BY rowid LIMIT ?", (limit,)
        ).fetchall()

    def settle(self, outcomes: dict[str, str]) -> None:
        """Write down what became of payloads. Those that were rejected stay, with the code, to be sent again."""
        with self._connection:
            self._connection.executemany(
                "UPDATE inbox SET outcome = ? WHERE key = ?", [(outcome, key) for key, outcome in outcomes.items()]
            )

    def outcomes(self) -> list[str | None]:
        """Return the outcomes so far, in the order in which the payloads came."""
        return [outcome for (outcome,) in self._connection.execute("SELECT outcome FROM inbox ORDER BY rowid")]


def key_of(payload: dict[str, Any] | list[Any] | str | float | None) -> str:
    """Return the same key for the same message: a digest of its `messageId`, or of its content where it has none."""
    identity = payload.get("messageId") if isinstance(payload, dict) else None
    return hashlib.sha256(json.dumps(identity or payload, sort_keys=True).encode()).hexdigest()


def receive(body: bytes, signature: str, *, secret: str, inbox: Inbox) -> None:
    """Store the body of one Segment webhook call; answer 200 when this returns.

    Raises `SignatureError` where the signature does not match (answer 401), and `SegmentEventError` where the body as
    a whole cannot be read (answer 400). After any other exception answer 503: Segment sends the body again.
    """
    verify_segment_signature(body, signature, secret)
    inbox.store(list(split_segment_batch(body)))


def deliver(inbox: Inbox, config: IntegrationConfig, send: Callable[[LogEventRequest], None]) -> None:
    """Send what waits. Whatever `send` raises comes through, and then everything still waits."""
    events: list[LogEvent] = []
    outcomes: dict[str, str] = {}
    waiting = inbox.waiting()
    for (key, _), outcome in zip(waiting, translate_many((payload for _, payload in waiting), config), strict=True):
        match outcome:
            case AudienceUpdate():
                outcomes[key] = f"audience {outcome.id_list}"  # for Statsig's Console API, which this leaves to you
            case Skipped():
                outcomes[key] = f"skipped {outcome.reason}"
            case Rejected():
                outcomes[key] = f"rejected {outcome.error.code}"
            case _:
                event = to_log_event(outcome)
                event["metadata"]["statsigSegmentKey"] = key  # tells events that arrived twice from two events
                events.append(event)
                outcomes[key] = "sent"
    if events:
        send({**to_log_event_request(()), "events": events})
    inbox.settle(outcomes)


def main() -> None:
    """Sign the sample batch as Segment would, receive it, and deliver it at the second attempt."""
    shared = "what you and Segment know"
    body = (EXAMPLES / "segment_batch.json").read_bytes()
    signature = hmac.new(shared.encode(), body, hashlib.sha1).hexdigest()
    config = load_config((EXAMPLES / "integration.toml").read_text(encoding="utf-8"))
    with closing(Inbox(":memory:")) as inbox:  # a file in your service
        receive(body, signature, secret=shared, inbox=inbox)
        try:
            deliver(inbox, config, fail)
        except ConnectionError:
            print(f"Statsig cannot be reached, {len(inbox.waiting())} payloads wait")
        deliver(inbox, config, lambda request: print(json.dumps(request, indent=2, ensure_ascii=False)))

        for outcome in inbox.outcomes():
            print(outcome)


def fail(_: LogEventRequest) -> None:
    """Stand in for a network that is down."""
    raise ConnectionError


if __name__ == "__main__":
    main()
