"""The two ways through the service: messages -> what to send where, and what not to send; sends nothing itself."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    export_many,
    log_events,
    to_log_event_request,
    to_segment_batches,
)

from .settings import Settings
from .store import Message, Settled, State

Item: TypeAlias = tuple[int, bytes]
"""The id of a message, and the JSON that is sent of it."""

KEY: Final = "statsigSegmentKey"
"""The metadata of each event for Statsig has the key of its message under this name, whatever its properties say."""

_encoded = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


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
    body: Callable[[Sequence[Item]], bytes]
    """Items -> the body of one request. Any part of a batch is a batch."""


def statsig_lane(settings: Settings) -> Lane:
    """Make the lane from Segment's calls to Statsig's `log_event`."""
    around = to_log_event_request(())
    end = b'],"statsigMetadata":' + _json(around["statsigMetadata"]) + b"}"
    return Lane(
        name="statsig",
        url=f"{settings.statsig_api}/log_event",
        headers={"statsig-api-key": settings.statsig_server_key},
        plan=lambda messages: _plan(plan_for_statsig, messages, settings.integration),
        body=lambda items: b'{"events":[' + b",".join(event for _, event in items) + end,
    )


def segment_lane(settings: Settings) -> Lane:
    """Make the lane from Statsig's exports to Segment's `batch`."""
    basic = b64encode(f"{settings.segment_write_key}:".encode()).decode()
    return Lane(
        name="segment",
        url=f"{settings.segment_api}/batch",
        headers={"authorization": f"Basic {basic}"},
        plan=lambda messages: _plan(plan_for_segment, messages, settings.integration),
        body=lambda items: b'{"batch":[' + b",".join(call for _, call in items) + b"]}",
    )


_Planner: TypeAlias = Callable[[Sequence[Message], IntegrationConfig], Plan]


def _plan(planner: _Planner, messages: Sequence[Message], config: IntegrationConfig) -> Plan:
    """Plan, and find the message for which that fails, should one ever: it is given up, and no other with it."""
    try:
        return planner(messages, config)
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 - or this message would stop its lane for good
        if len(messages) == 1:
            return Plan(batches=[], settled=[Settled(id=messages[0].id, state=State.DEAD, code=type(error).__name__)])
    middle = len(messages) // 2
    first, second = (_plan(planner, part, config) for part in (messages[:middle], messages[middle:]))
    return Plan(batches=first.batches + second.batches, settled=first.settled + second.settled)


def plan_for_statsig(messages: Sequence[Message], config: IntegrationConfig) -> Plan:
    """Translate Segment calls.

    Statsig does not count custom events once by itself, and a request that was cut off is sent again. So each event
    says in its metadata which message it was, and whoever reads the events can count each once.
    """
    items: list[Item] = []
    settled: list[Settled] = []
    outcomes = log_events(map(_payload, messages), config)
    for message, outcome in zip(messages, outcomes, strict=True):
        match outcome:
            case Skipped() | Rejected():
                settled.append(_left_out(message, outcome))
            case AudienceUpdate():
                settled.append(Settled(id=message.id, state=State.AUDIENCE))
            case event:
                event["metadata"][KEY] = message.key
                items.append((message.id, _json(event)))
    return Plan(batches=[items] if items else [], settled=settled)


def plan_for_segment(messages: Sequence[Message], config: IntegrationConfig) -> Plan:
    """Translate Statsig events, and pack them under Segment's limits. Segment counts each `messageId` once."""
    items: list[tuple[Message, Any]] = []
    settled: list[Settled] = []
    outcomes = export_many(map(_payload, messages), config)
    for message, outcome in zip(messages, outcomes, strict=True):
        if isinstance(outcome, Skipped | Rejected):
            settled.append(_left_out(message, outcome))
        else:
            items.append((message, {**outcome, "messageId": message.key}))
    packed = list(to_segment_batches(call for _, call in items))
    too_large = {outcome.position: outcome for outcome in packed if isinstance(outcome, Rejected)}
    settled += [_left_out(items[at][0], outcome) for at, outcome in too_large.items() if at is not None]
    fitting = (message.id for at, (message, _) in enumerate(items) if at not in too_large)
    bodies = (body["batch"] for body in packed if not isinstance(body, Rejected))
    return Plan(batches=[_numbered(fitting, calls) for calls in bodies], settled=settled)


def _payload(message: Message) -> Any:
    """Decode a message: the library is ten times as fast on objects. Text that cannot be read is left to it."""
    try:
        return json.loads(message.payload)
    except (ValueError, RecursionError):
        return message.payload


def _numbered(ids: Iterable[int], calls: Sequence[Any]) -> list[Item]:
    return [(number, _json(call)) for number, call in zip(islice(ids, len(calls)), calls, strict=True)]


def _left_out(message: Message, outcome: Skipped | Rejected) -> Settled:
    if isinstance(outcome, Skipped):
        return Settled(id=message.id, state=State.SKIPPED, code=outcome.reason)
    path = outcome.error.path or ""
    storable = path.encode(errors="backslashreplace").decode()  # a key in it may hold a lone surrogate
    return Settled(id=message.id, state=State.DEAD, code=outcome.error.code, path=storable or None)


def _json(value: Mapping[str, Any]) -> bytes:
    """Encode compactly, as the library counts bytes. A lone surrogate stays an escape; NaN raises `ValueError`."""
    return _encoded(value).encode(errors="backslashreplace")
