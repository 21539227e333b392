"""One block of input -> the bytes that it becomes, and what they count; any process can do any block, without I/O."""

from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import FrozenDict
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.records import Placed, Split, line_payloads
from statsig_segment.configuration.models import IntegrationConfig
from statsig_segment.errors import SegmentEventError, StatsigEventError, StatsigSegmentError
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import Seen, log_events_or_outcomes, translate_many
from statsig_segment.outbound.export import export_many
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.segment.batches import split_segment_batch
from statsig_segment.segment.calls import CALL_TYPES
from statsig_segment.statsig.events import StatsigEvent, to_event_webhook, to_log_event
from statsig_segment.statsig.exports import split_statsig_export

Block: TypeAlias = bytes | list[Placed]
"""Whole lines, or payloads that are decoded already, `Rejected` among them for what could not be."""

WEBHOOK: Final = "webhook"
FORMS: Final[Mapping[str, Callable[[StatsigEvent], Any]]] = FrozenDict(
    {"log-event": to_log_event, WEBHOOK: to_event_webhook, "request": to_log_event}
)
"""Format of the output -> what is written of each event; a request packs many."""

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
        return split_segment_batch(value)
    if value.__class__ is list:
        return value
    raise SegmentEventError("not_an_object")


def split_events(value: Any) -> Iterable[Any]:
    """Give the payloads of a record of a Statsig export, decoded and ours (OU-2)."""
    if value.__class__ is dict:
        return (value,) if statsig.EVENT_NAME in value else split_statsig_export(value)
    if value.__class__ is list:
        return value
    raise StatsigEventError("not_an_object")


_MANY: Final[Mapping[Split, tuple[str, str]]] = {
    split_calls: ("batch", "detail-type"),
    split_events: ("data", "events"),
}
"""The keys of objects that may hold many payloads (IN-8, OU-2); one that has neither is itself the only one."""


def block_payloads(block: Block, split: Split, error: type[StatsigSegmentError]) -> Iterator[Any]:
    """Give the payloads of a block, and `Rejected` for what could not be decoded."""
    if isinstance(block, list):
        for _, payload in block:
            yield payload
        return
    decode = FAST.quick_decoder(block)
    many, also_many = _MANY[split]
    for line in block.split(b"\n"):
        try:
            value = decode(line)
        except ValueError:
            if line and not line.isspace():
                yield from _odd_line(line, split, error)
        else:
            if value.__class__ is dict and many not in value and also_many not in value:
                yield value
            else:
                yield from _split(value, line, split)


def _odd_line(line: bytes, split: Split, error: type[StatsigSegmentError]) -> Iterable[Any]:
    """Give the payloads of a line that the quick decoder does not read: it may be odd, many values, or broken."""
    try:
        value = FAST.decode(line, error)
    except StatsigSegmentError as refused:
        if any(mark in line for mark in (b"{", b"[", b"\x1e")):
            return line_payloads(line, split, error)
        return (Rejected(error=refused.with_traceback(None), payload=line),)
    return _split(value, line, split)


def _split(value: Any, line: bytes, split: Split) -> Iterator[Any]:
    try:
        yield from split(value)
    except StatsigSegmentError as refused:
        yield Rejected(error=refused.with_traceback(None), payload=line)


def placed_payloads(line: int, block: Block, split: Split, error: type[StatsigSegmentError]) -> Iterator[Placed]:
    """Give the payloads of a block that begins at this line, each with the line where it begins."""
    if isinstance(block, list):
        yield from block
        return
    for number, text in enumerate(block.split(b"\n"), start=line):
        for payload in block_payloads(text, split, error):
            yield number, payload


# -- Payloads -> outcomes ----------------------------------------------------------------------------------------------


def outcomes_of_block(payloads: Iterable[Any], config: IntegrationConfig, *, seen: Seen | None = None) -> Iterator[Any]:
    """Translate the payloads of a block, lazily: the one place that decides how.

    Gives one outcome for each payload, in order: a `StatsigEvent` or, written already, a log event as a `dict`;
    `AudienceUpdate`, `Skipped` or `Rejected`. A payload that could not be decoded is `Rejected` already, and comes back
    as the payload of another.
    """
    return log_events_or_outcomes(payloads, config.inbound, seen)


def translate_block(config: IntegrationConfig, form: str, block: Block, *, seen: Seen | None = None) -> BlockResult:
    """Translate a block of Segment calls, and write what comes of it; no payload lives longer than its turn."""
    write, text_of = FORMS[form], _event_encoder()
    result = _Collected()
    append = result.events.append
    payloads = block_payloads(block, split_calls, SegmentEventError)
    translated = translate_many if form == WEBHOOK else outcomes_of_block
    outcome: Any
    for position, outcome in enumerate(translated(payloads, config, seen=seen)):
        if outcome.__class__ is dict:
            append(text_of(outcome))
        elif outcome.__class__ is StatsigEvent:
            append(text_of(write(outcome)))
            if outcome.issues:
                result.count_issues(outcome)
        else:
            result.add(position, outcome)
    return result.whole()


@attrs.define
class _Collected:
    """What comes of a block, as far as it has come."""

    events: list[bytes] = attrs.field(factory=list[bytes])
    updates: list[bytes] = attrs.field(factory=list[bytes])
    rejects: list[tuple[int, bytes]] = attrs.field(factory=list[tuple[int, bytes]])
    tally: Tally = attrs.field(factory=Tally)
    misdirected: int = 0

    def add(self, position: int, outcome: Any) -> None:
        """Take an outcome that is not an event."""
        if isinstance(outcome, Skipped):
            self.tally.skipped[outcome.reason] += 1
        elif isinstance(outcome, Rejected):
            rejected = outcome.payload if isinstance(outcome.payload, Rejected) else outcome
            self.tally.rejected[rejected.error.code] += 1
            self.rejects.append((position, reject_record(rejected)))
            self.misdirected += is_statsig(rejected.payload)
        else:
            self.updates.append(update_line(outcome))
            self.count_issues(outcome)

    def count_issues(self, outcome: StatsigEvent | AudienceUpdate) -> None:
        self.tally.issues.update(issue.code for issue in outcome.issues)

    def whole(self) -> BlockResult:
        """Give everything together."""
        tally = self.tally
        tally.translated, tally.audiences = len(self.events), len(self.updates)
        tally.read = tally.translated + tally.audiences + tally.skipped.total() + tally.rejected.total()
        return BlockResult(
            events=b"\n".join((*self.events, b"")),
            updates=b"".join(self.updates),
            rejects=self.rejects,
            tally=tally,
            misdirected=self.misdirected,
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
    if payload.__class__ is not dict or segment.TYPE in payload:
        return False
    return str(payload.get(segment.EVENT)).startswith(statsig.INTERNAL_PREFIX) or any(
        payload.keys() >= keys
        for keys in ({statsig.EVENT_NAME}, {"event_name"}, {"events", "statsigMetadata"}, {"user", "event", "metadata"})
    )


def is_segment(payload: Any) -> bool:
    """Tell whether a payload is not an event of Statsig's but a Segment call, or a batch of them."""
    return payload.__class__ is dict and (
        payload.get(segment.TYPE) in CALL_TYPES or isinstance(payload.get("batch"), list)
    )


# -- Outcomes -> bytes -------------------------------------------------------------------------------------------------


def _event_encoder() -> Callable[[dict[str, Any]], bytes]:
    """Give a function that writes an event, the fast way where a codec cannot print any number of it differently."""
    quick, encode = FAST.quick_encode, FAST.encode

    def text_of(event: dict[str, Any]) -> bytes:
        value: Any = event.get("value")  # the metadata holds only text
        if (value.__class__ is float and -_SMALL < value < _SMALL) or "custom" in event["user"]:
            return encode(event)
        try:
            return quick(event)
        except TypeError:  # a lone surrogate, or an integer beyond 64 bits
            return encode(event)

    return text_of


def update_line(update: AudienceUpdate) -> bytes:
    """Write a change of an ID list; what is absent has no key."""
    return FAST.encode(_update_wire(update)) + b"\n"


def _update_wire(update: AudienceUpdate) -> dict[str, Any]:
    wire = {
        "idList": update.id_list,
        "member": update.member,
        statsig.USER_ID: update.user_id,
        statsig.CUSTOM_IDS: update.custom_ids or None,
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
