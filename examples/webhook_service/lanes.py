"""The two ways through the service: messages -> what to send where, and what not to send; sends nothing itself."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeAlias

import attrs

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    export_many,
    to_log_event,
    to_log_event_request,
    to_segment_batches,
    translate_many,
)

from .settings import Settings
from .store import Message, Settled, State

Item: TypeAlias = tuple[int, Mapping[str, Any]]
"""The id of a message, and what is sent of it."""


@attrs.frozen(kw_only=True)
class Plan:
    """What to do with messages: each of them is in exactly one of the two."""

    batches: list[list[Item]]
    settled: list[Settled]


@attrs.frozen(kw_only=True)
class Lane:
    """One way through the service."""

    name: str
    url: str
    headers: Mapping[str, str] = attrs.field(repr=False)
    plan: Callable[[Sequence[Message]], Plan]
    body: Callable[[Sequence[Item]], Mapping[str, Any]]
    """Items -> the body of one request. Any part of a batch is a batch."""


def statsig_lane(settings: Settings) -> Lane:
    """Make the lane from Segment's calls to Statsig's `log_event`."""
    return Lane(
        name="statsig",
        url=f"{settings.statsig_api}/log_event",
        headers={"statsig-api-key": settings.statsig_server_key},
        plan=lambda messages: plan_for_statsig(messages, settings.integration),
        body=lambda items: {**to_log_event_request(()), "events": [item for _, item in items]},
    )


def segment_lane(settings: Settings) -> Lane:
    """Make the lane from Statsig's exports to Segment's `batch`."""
    basic = b64encode(f"{settings.segment_write_key}:".encode()).decode()
    return Lane(
        name="segment",
        url=f"{settings.segment_api}/batch",
        headers={"authorization": f"Basic {basic}"},
        plan=lambda messages: plan_for_segment(messages, settings.integration),
        body=lambda items: {"batch": [item for _, item in items]},
    )


def plan_for_statsig(messages: Sequence[Message], config: IntegrationConfig) -> Plan:
    """Translate Segment calls.

    Statsig does not count custom events once by itself, and a request that was cut off is sent again. So each event
    says in its metadata which message it was, and whoever reads the events can count each once.
    """
    items: list[Item] = []
    settled: list[Settled] = []
    outcomes = translate_many((message.payload for message in messages), config)
    for message, outcome in zip(messages, outcomes, strict=True):
        match outcome:
            case Skipped() | Rejected():
                settled.append(_left_out(message, outcome))
            case AudienceUpdate():
                settled.append(Settled(id=message.id, state=State.AUDIENCE))
            case _:
                event = to_log_event(outcome)
                event["metadata"].setdefault("messageId", message.key)
                items.append((message.id, event))
    return Plan(batches=[items] if items else [], settled=settled)


def plan_for_segment(messages: Sequence[Message], config: IntegrationConfig) -> Plan:
    """Translate Statsig events, and pack them under Segment's limits. Segment counts each `messageId` once."""
    items: list[Item] = []
    settled: list[Settled] = []
    outcomes = export_many((message.payload for message in messages), config)
    for message, outcome in zip(messages, outcomes, strict=True):
        if isinstance(outcome, Skipped | Rejected):
            settled.append(_left_out(message, outcome))
        else:
            outcome.setdefault("messageId", message.key)
            items.append((message.id, outcome))
    by_id = {message.id: message for message in messages}
    packed = list(to_segment_batches(item for _, item in items))
    too_large = {outcome.position: outcome for outcome in packed if isinstance(outcome, Rejected)}
    settled += [_left_out(by_id[items[at][0]], outcome) for at, outcome in too_large.items() if at is not None]
    ids = (number for at, (number, _) in enumerate(items) if at not in too_large)
    batches: list[list[Item]] = [
        list(zip(islice(ids, len(body["batch"])), body["batch"], strict=True))
        for body in packed
        if not isinstance(body, Rejected)
    ]
    return Plan(batches=batches, settled=settled)


def _left_out(message: Message, outcome: Skipped | Rejected) -> Settled:
    if isinstance(outcome, Skipped):
        return Settled(id=message.id, state=State.SKIPPED, code=outcome.reason)
    return Settled(id=message.id, state=State.DEAD, code=outcome.error.code, path=outcome.error.path)
