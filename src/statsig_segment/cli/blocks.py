"""One block of input -> the bytes that it becomes, and what they count; any process can do any block, and no I/O."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment._values import FrozenDict
from statsig_segment.audiences import AudienceUpdate
from statsig_segment.batches import split_segment_batch
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.records import Split, payloads_of
from statsig_segment.config import IntegrationConfig
from statsig_segment.errors import SegmentEventError, StatsigEventError, StatsigSegmentError
from statsig_segment.exports import DATA, split_statsig_export
from statsig_segment.inbound import Seen, translate_many
from statsig_segment.outbound import export_many
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment import BATCH
from statsig_segment.statsig import CUSTOM_IDS, EVENT_NAME, USER_ID, StatsigEvent, to_event_webhook, to_log_event

Block: TypeAlias = bytes | list[Any]
"""Whole lines, or payloads that are decoded already, `Rejected` among them for what could not be."""

FORMS: Final[Mapping[str, Callable[[StatsigEvent], Any]]] = FrozenDict(
    {"log-event": to_log_event, "webhook": to_event_webhook, "request": to_log_event}
)
"""Format of the output -> what is written of each event; a request packs many."""


@attrs.define(kw_only=True)
class Tally:
    """What became of the payloads read: each is counted once as read, and once as something else."""

    read: int = 0
    translated: int = 0
    audiences: int = 0
    skipped: Counter[str] = attrs.field(factory=Counter[str])
    """By reason."""
    rejected: Counter[str] = attrs.field(factory=Counter[str])
    """By code."""
    issues: Counter[str] = attrs.field(factory=Counter[str])
    """By code; they ride on what is translated, and are no part of the sum."""

    def add(self, other: "Tally") -> None:
        """Count what another tally has counted."""
        for name in attrs.fields_dict(Tally):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@attrs.define(kw_only=True)
class Done:
    """What a block became."""

    events: bytes
    """One JSON text a line."""
    updates: bytes
    """Changes of ID lists, one JSON text a line."""
    rejects: list[tuple[int, bytes]]
    """Position in the block, and the record of it that lacks only the position."""
    tally: Tally


class LastIds:
    """The message IDs that came last: enough to know a repeated delivery, in a memory that does not grow for ever."""

    def __init__(self, size: int) -> None:
        """Begin with none, and remember at most `size`."""
        self._size = size
        self._ids: OrderedDict[str, None] = OrderedDict()

    def __contains__(self, message_id: object) -> bool:
        return message_id in self._ids

    def add(self, message_id: str) -> None:
        """Remember an ID, and forget the oldest where there are too many."""
        self._ids[message_id] = None
        if len(self._ids) > self._size:
            self._ids.popitem(last=False)


def split_calls(value: Any) -> Iterable[Any]:
    """Give the payloads of a record of Segment calls, decoded and ours: a call, an array or an envelope (IN-8)."""
    if value.__class__ is dict:
        return split_segment_batch(value) if BATCH in value else (value,)
    if value.__class__ is list:
        return value
    raise SegmentEventError("not_an_object")


def split_events(value: Any) -> Iterable[Any]:
    """Give the payloads of a record of a Statsig export, decoded and ours (OU-2)."""
    if value.__class__ is dict:
        return split_statsig_export(value) if DATA in value and EVENT_NAME not in value else (value,)
    if value.__class__ is list:
        return value
    raise StatsigEventError("not_an_object")


def block_payloads(block: Block, split: Split, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the payloads of a block, and `Rejected` for what could not be decoded."""
    if isinstance(block, list):
        yield from block
        return

    def split_line(line: bytes) -> Iterable[Any]:
        return split(FAST.decode(line, error))

    for line in block.split(b"\n"):
        if line and not line.isspace():
            yield from payloads_of(line, split_line)


def translate_block(config: IntegrationConfig, form: str, block: Block, *, seen: Seen | None = None) -> Done:
    """Translate a block of Segment calls, and write what comes of it."""
    write, encode, tally = FORMS[form], FAST.encode, Tally()
    events: list[bytes] = []
    updates: list[bytes] = []
    rejects: list[tuple[int, bytes]] = []
    for position, payload in enumerate(block_payloads(block, split_calls, SegmentEventError)):
        outcome = payload if payload.__class__ is Rejected else next(translate_many((payload,), config, seen=seen))
        count(tally, outcome)
        if isinstance(outcome, StatsigEvent):
            events.append(encode(write(outcome)))
        elif isinstance(outcome, AudienceUpdate):
            updates.append(encode(_update_wire(outcome)))
        elif isinstance(outcome, Rejected):
            rejects.append((position, reject_record(outcome)))
    return Done(events=_lines(events), updates=_lines(updates), rejects=rejects, tally=tally)


def export_payload(payload: Any, config: IntegrationConfig) -> Any:
    """Translate one payload of a Statsig export: a track call, `Skipped` or `Rejected`."""
    return payload if payload.__class__ is Rejected else next(export_many((payload,), config))


def count(tally: Tally, outcome: Any) -> None:
    """Count an outcome, once as read and once as what it is; a track call is counted where it is written."""
    tally.read += 1
    if isinstance(outcome, Skipped):
        tally.skipped[outcome.reason] += 1
    elif isinstance(outcome, Rejected):
        tally.rejected[outcome.error.code] += 1
    elif isinstance(outcome, StatsigEvent | AudienceUpdate):
        tally.translated += isinstance(outcome, StatsigEvent)
        tally.audiences += isinstance(outcome, AudienceUpdate)
        if outcome.issues:
            tally.issues.update(issue.code for issue in outcome.issues)


def _lines(texts: list[bytes]) -> bytes:
    return b"\n".join(texts) + b"\n" if texts else b""


def _update_wire(update: AudienceUpdate) -> dict[str, Any]:
    """Write a change of an ID list; what is absent has no key."""
    wire = {
        "idList": update.id_list,
        "member": update.member,
        USER_ID: update.user_id,
        CUSTOM_IDS: update.custom_ids or None,
        "time": update.time_ms,
    }
    return {key: value for key, value in wire.items() if value is not None}


def reject_record(rejected: Rejected) -> bytes:
    """Write a rejected payload, and why, without its position; a line that could not be read stands there as text."""
    error, payload = rejected.error, rejected.payload
    if isinstance(payload, bytes):
        payload = payload.decode("utf-8", "backslashreplace").strip()
    return FAST.encode({"code": error.code, "path": error.path, "message": str(error), "payload": payload})


def placed(position: int, record: bytes) -> bytes:
    """Put the position into the record of a rejected payload."""
    return b'{"position":%d,%b' % (position, record[1:])
