"""One block of input -> the bytes that it becomes, and what they count; any process can do any block, without I/O."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment._values import FrozenDict
from statsig_segment.audiences import AudienceUpdate
from statsig_segment.batches import split_segment_batch
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.records import Placed, Split, line_payloads
from statsig_segment.config import IntegrationConfig
from statsig_segment.errors import SegmentEventError, StatsigEventError, StatsigSegmentError
from statsig_segment.inbound import Seen, translate_many
from statsig_segment.outbound import export_many
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment import CALL_TYPES, TYPE
from statsig_segment.statsig import CUSTOM_IDS, EVENT_NAME, USER_ID, StatsigEvent, split_statsig_export
from statsig_segment.wire import to_event_webhook, to_log_event

Block: TypeAlias = bytes | list[Placed]
"""Whole lines, or payloads that are decoded already, `Rejected` among them for what could not be."""

FORMS: Final[Mapping[str, Callable[[StatsigEvent], Any]]] = FrozenDict(
    {"log-event": to_log_event, "webhook": to_event_webhook, "request": to_log_event}
)
"""Format of the output -> what is written of each event; a request packs many."""

_ENVELOPES: Final = frozenset({"batch", "detail-type"})
"""Keys of an object that may hold calls, and not be one (IN-8)."""
_EXPORTS: Final = frozenset({"data", "events"})
"""Keys of an object that may hold events, and not be one (OU-2)."""
_SMALL: Final = 1e-3
"""From here up, every codec prints numbers alike."""


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
    """By code; they ride on what is translated, and are not part of the sum."""

    def add(self, other: "Tally") -> None:
        """Count what another tally has counted."""
        for name in attrs.fields_dict(Tally):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@attrs.define(kw_only=True)
class BlockResult:
    """What a block became."""

    events: bytes
    """One JSON text a line."""
    updates: bytes
    """Changes of ID lists, one JSON text a line."""
    rejects: list[tuple[int, bytes]]
    """Position in the block, and the record of it that lacks only the position."""
    tally: Tally
    misdirected: int = 0
    """So many rejects look like input of the other direction."""


class RecentIds:
    """The message IDs that came last: enough to know a repeated delivery, in memory that does not grow forever."""

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


# -- Records -> payloads -----------------------------------------------------------------------------------------------


def split_calls(value: Any) -> Iterable[Any]:
    """Give the payloads of a record of Segment calls, decoded and ours: a call, an array or an envelope (IN-8)."""
    if value.__class__ is dict:
        return (value,) if _ENVELOPES.isdisjoint(value) else split_segment_batch(value)
    if value.__class__ is list:
        return value
    raise SegmentEventError("not_an_object")


def split_events(value: Any) -> Iterable[Any]:
    """Give the payloads of a record of a Statsig export, decoded and ours (OU-2)."""
    if value.__class__ is dict:
        return (value,) if EVENT_NAME in value or _EXPORTS.isdisjoint(value) else split_statsig_export(value)
    if value.__class__ is list:
        return value
    raise StatsigEventError("not_an_object")


def block_payloads(block: Block, split: Split, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the payloads of a block, and `Rejected` for what could not be decoded."""
    if isinstance(block, list):
        for _, payload in block:
            yield payload
        return
    decode = FAST.quick_decoder(block)
    for line in block.split(b"\n"):
        try:
            value = decode(line)
        except ValueError:
            if line and not line.isspace():
                yield from _odd_line(line, split, error)
            continue
        try:
            yield from split(value)
        except StatsigSegmentError as refused:
            yield Rejected(error=refused.with_traceback(None), payload=line)


def _odd_line(line: bytes, split: Split, error: type[StatsigSegmentError]) -> Iterable[Any]:
    """Give the payloads of a line that the quick decoder does not read: it may be odd, many values, or broken."""
    try:
        value = FAST.decode(line, error)
    except StatsigSegmentError as refused:
        if any(mark in line for mark in (b"{", b"[", b"\x1e")):
            return line_payloads(line, split, error)
        return (Rejected(error=refused.with_traceback(None), payload=line),)
    try:
        return split(value)
    except StatsigSegmentError as refused:
        return (Rejected(error=refused.with_traceback(None), payload=line),)


def placed_payloads(line: int, block: Block, split: Split, error: type[StatsigSegmentError]) -> Iterator[Placed]:
    """Give the payloads of a block that begins at this line, each with the line where it begins."""
    if isinstance(block, list):
        yield from block
        return
    for number, text in enumerate(block.split(b"\n"), start=line):
        for payload in block_payloads(text, split, error):
            yield number, payload


# -- Payloads -> outcomes ----------------------------------------------------------------------------------------------


def outcomes_of_block(payloads: list[Any], config: IntegrationConfig, *, seen: Seen | None = None) -> Iterable[Any]:
    """Translate the payloads of a block: the one place that decides how.

    Gives one outcome for each payload, in order: a `StatsigEvent` or, written already, a log event as a `dict`;
    `AudienceUpdate`, `Skipped` or `Rejected`, which a payload that could not be decoded is already.
    """
    outcomes = translate_many(payloads, config, seen=seen)
    if any(payload.__class__ is Rejected for payload in payloads):
        return map(_unread_or, payloads, outcomes)
    return outcomes


def _unread_or(payload: Any, outcome: Any) -> Any:
    return payload if payload.__class__ is Rejected else outcome


def translate_block(config: IntegrationConfig, form: str, block: Block, *, seen: Seen | None = None) -> BlockResult:
    """Translate a block of Segment calls, and write what comes of it."""
    write, tally = FORMS[form], Tally()
    payloads = list(block_payloads(block, split_calls, SegmentEventError))
    events: list[Any] = []
    updates: list[AudienceUpdate] = []
    rejects: list[tuple[int, Rejected]] = []
    for position, outcome in enumerate(outcomes_of_block(payloads, config, seen=seen)):
        kind = outcome.__class__
        if kind is dict:
            events.append(outcome)
        elif kind is StatsigEvent:
            events.append(write(outcome))
            if outcome.issues:
                tally.issues.update(issue.code for issue in outcome.issues)
        elif kind is Rejected:
            rejects.append((position, outcome))
            tally.rejected[outcome.error.code] += 1
        elif kind is Skipped:
            tally.skipped[outcome.reason] += 1
        else:
            updates.append(outcome)
            tally.issues.update(issue.code for issue in outcome.issues)
    tally.read, tally.translated, tally.audiences = len(payloads), len(events), len(updates)
    return BlockResult(
        events=_event_lines(events),
        updates=update_lines(updates),
        rejects=[(position, reject_record(rejected)) for position, rejected in rejects],
        tally=tally,
        misdirected=sum(is_statsig(rejected.payload) for _, rejected in rejects),
    )


def export_payload(payload: Any, config: IntegrationConfig) -> Any:
    """Translate one payload of a Statsig export: a track call, `Skipped` or `Rejected`."""
    return payload if payload.__class__ is Rejected else next(export_many((payload,), config))


def translate_payload(payload: Any, config: IntegrationConfig, *, seen: Seen | None = None) -> Any:
    """Translate one Segment call: a `StatsigEvent`, `AudienceUpdate`, `Skipped` or `Rejected`."""
    return payload if payload.__class__ is Rejected else next(translate_many((payload,), config, seen=seen))


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
        tally.issues.update(issue.code for issue in outcome.issues)


def is_statsig(payload: Any) -> bool:
    """Tell whether a payload is not a call but an event in one of the forms that Statsig knows, or a body of them."""
    if payload.__class__ is not dict or TYPE in payload:
        return False
    return any(
        payload.keys() >= keys
        for keys in ({EVENT_NAME}, {"event_name"}, {"events", "statsigMetadata"}, {"user", "event", "metadata"})
    )


def is_segment(payload: Any) -> bool:
    """Tell whether a payload is not an event of Statsig's but a Segment call, or a batch of them."""
    return payload.__class__ is dict and (payload.get(TYPE) in CALL_TYPES or isinstance(payload.get("batch"), list))


# -- Outcomes -> bytes -------------------------------------------------------------------------------------------------


def _event_lines(events: list[Any]) -> bytes:
    quick, encode = FAST.quick_encode, FAST.encode
    try:
        texts = [encode(event) if _may_be_odd(event) else quick(event) for event in events]
    except TypeError:  # a lone surrogate, or an integer beyond 64 bits
        texts = list(map(encode, events))
    return _lines(texts)


def _may_be_odd(event: dict[str, Any]) -> bool:
    """Tell whether a number that codecs print differently may stand in an event; its metadata holds only text."""
    value = event.get("value")
    return (value.__class__ is float and -_SMALL < value < _SMALL) or "custom" in event["user"]


def update_lines(updates: Iterable[AudienceUpdate]) -> bytes:
    """Write changes of ID lists; what is absent has no key."""
    return _lines([FAST.encode(_update_wire(update)) for update in updates])


def _lines(texts: list[bytes]) -> bytes:
    return b"\n".join(texts) + b"\n" if texts else b""


def _update_wire(update: AudienceUpdate) -> dict[str, Any]:
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
