"""Turn a block of input into the bytes of its output and their counts, without I/O: any process can do any block."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import attrs

from statsig_segment import segment, statsig
from statsig_segment._json.values import FrozenDict
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.records import Direction, Placed, line_payloads
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.configuration.models import IntegrationConfig, outbound_plan
from statsig_segment.errors import Issue, SegmentEventError, StatsigEventError, StatsigSegmentError
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.inbound.translate import Seen, log_events_or_outcomes, translate_many
from statsig_segment.insight.preview import Counts, GrowingCounts, Preview, preview
from statsig_segment.outbound import fast_lane
from statsig_segment.outbound.export import outcome_and_issues
from statsig_segment.outcomes import Rejected, Skipped, settled
from statsig_segment.segment.batches import split_segment_batch
from statsig_segment.segment.calls import CALL_TYPES
from statsig_segment.statsig.events import StatsigEvent, to_event_webhook, to_log_event
from statsig_segment.statsig.exports import split_statsig_export

STANDARD_INPUT: Final = "-"
WEBHOOK: Final = "webhook"
FORMS: Final[Mapping[str, Callable[[StatsigEvent], Any]]] = FrozenDict(
    {"log-event": to_log_event, WEBHOOK: to_event_webhook, "request": to_log_event}
)
"""Format of the output -> what is written of each event; a request packs many."""

_SMALL: Final = 1e-3
"""The smallest number that all codecs print alike: orjson and Python choose an exponent at different sizes."""


@attrs.frozen
class Place:
    """Where a payload begins."""

    file: str
    line: int
    """Counted from 1."""

    def __str__(self) -> str:
        return f"{'standard input' if self.file == STANDARD_INPUT else self.file}:{self.line}"


@attrs.frozen(kw_only=True)
class Block:
    """A piece of an input."""

    data: bytes | list[Placed]
    """Whole lines, or payloads that are decoded already, `Rejected` among them for what could not be."""
    file: str = STANDARD_INPUT
    line: int = 1
    """Where it begins."""


@attrs.define
class BlockResult:
    """What a block became."""

    events: bytes = b""
    """One JSON text a line."""
    updates: bytes = b""
    """Changes of ID lists, one JSON text a line."""
    rejects: list[tuple[int, bytes]] = attrs.field(factory=list[tuple[int, bytes]])
    """The position of each reject in its block, and its record, which lacks only that position."""
    counts: Counts = attrs.field(factory=Counts)
    misdirected: int = 0
    """The number of rejects that belong to the other direction."""


class RecentIds(OrderedDict[str, None]):
    """The latest message IDs: enough to recognize a repeated delivery, in memory that does not grow without bounds."""

    def __init__(self, size: int) -> None:
        """Start empty, and remember at most `size` IDs."""
        super().__init__()
        self._size = size

    def add(self, message_id: str) -> None:
        """Remember an ID, and forget the oldest if there are too many."""
        self[message_id] = None
        if len(self) > self._size:
            self.popitem(last=False)


# -- Records -> payloads -----------------------------------------------------------------------------------------------


class Payloads:
    """The payloads of a block, each read when it is asked for; `Rejected` for lines that could not be decoded.

    `line` and `payload` belong to the latest payload. So the reader of the stream can look up where a payload came
    from, without a tuple around each of millions, of which few are looked up.
    """

    def __init__(self, block: Block, direction: Direction) -> None:
        """Start before the first payload."""
        self._block = block
        self._direction = direction
        self.line = block.line
        self.payload: Any = None

    def __iter__(self) -> Iterator[Any]:
        data = self._block.data
        if isinstance(data, list):
            for self.line, self.payload in data:
                yield self.payload
            return
        decode = FAST.quick_decoder(data)
        many, also_many = self._direction.many
        for line, text in enumerate(data.split(b"\n"), start=self._block.line):
            self.line = line
            try:
                self.payload = value = decode(text)
            except ValueError:  # a blank line, an unusual one, or a broken one
                payloads = self._odd(text) if text and not text.isspace() else iter(())
            else:
                if value.__class__ is dict and many not in value and also_many not in value:
                    yield value
                    continue
                payloads = self._direction.payloads(value, text.strip())
            for self.payload in payloads:
                yield self.payload

    def _odd(self, text: bytes) -> Iterator[Any]:
        """Return the payloads of a line that the quick decoder refuses: unusual, several values, or broken."""
        try:
            value = FAST.decode(text, self._direction.error)
        except StatsigSegmentError as refused:
            # Without an object, an array or a separator there is nothing to recover: the line is one reject.
            if any(mark in text for mark in (b"{", b"[", b"\x1e")):
                return line_payloads(text, self._direction)
            return iter((Rejected(error=refused.with_traceback(None), payload=text.strip()),))
        return self._direction.payloads(value, text.strip())


_STATSIG_KEYS: Final = (
    {statsig.EVENT_NAME},
    {"event_name"},  # in a row of the warehouse
    {statsig.EVENTS, statsig.STATSIG_METADATA},
    {statsig.USER, segment.EVENT, statsig.METADATA},
)
"""The keys of one form or another of a Statsig event, or of a body of these."""


def is_statsig(payload: Any) -> bool:
    """Return whether a payload is a Statsig event in any of its forms, or a body of these, rather than a call."""
    if payload.__class__ is not dict or segment.TYPE in payload:
        return False
    is_internal = str(payload.get(segment.EVENT)).startswith(statsig.INTERNAL_PREFIX)
    return is_internal or any(payload.keys() >= keys for keys in _STATSIG_KEYS)


def is_segment(payload: Any) -> bool:
    """Return whether a payload is a Segment call, or a batch of calls, rather than a Statsig event."""
    return payload.__class__ is dict and (
        payload.get(segment.TYPE) in CALL_TYPES or isinstance(payload.get(segment.BATCH), list)
    )


CALLS: Final = Direction(
    what="Segment calls",
    split=split_segment_batch,
    many=(segment.BATCH, segment.DETAIL_TYPE),
    error=SegmentEventError,
    is_other=is_statsig,
    other="a Statsig export: `statsig-segment outbound` reads those",
)
EVENTS: Final = Direction(
    what="what Statsig exported",
    split=split_statsig_export,
    many=(statsig.DATA, statsig.EVENTS),
    error=StatsigEventError,
    is_other=is_segment,
    other="Segment calls: `statsig-segment inbound` reads those",
    outbound=True,
)


# -- Payloads -> outcomes -> bytes -------------------------------------------------------------------------------------


def translate_block(config: IntegrationConfig, form: str, block: Block, *, seen: Seen | None = None) -> BlockResult:
    """Translate a block of Segment calls to bytes; no payload is kept longer than its turn."""
    write = FORMS[form]
    payloads = Payloads(block, CALLS)
    result, counts, events, updates = BlockResult(), GrowingCounts(), list[bytes](), list[bytes]()
    outcomes: Iterator[Any] = (
        translate_many(payloads, config, seen=seen)
        if form == WEBHOOK
        else log_events_or_outcomes(payloads, config.inbound, seen)
    )
    for position, found in enumerate(outcomes):
        if found.__class__ is dict:  # a log event from the fast lane
            events.append(_event_text(found))
            continue
        outcome = settled(found)
        if isinstance(outcome, StatsigEvent):
            events.append(_event_text(write(outcome)))
        elif isinstance(outcome, AudienceUpdate):
            updates.append(update_line(outcome))
        elif isinstance(outcome, Rejected):
            result.rejects.append((position, reject_record(outcome, Place(block.file, payloads.line))))
            result.misdirected += CALLS.is_other(outcome.payload)
        counts.add(outcome)
    counts.translated = len(events)  # including those from the fast lane, which were not counted above
    result.counts = counts.frozen(Counts)
    result.events, result.updates = b"\n".join((*events, b"")), b"".join(updates)
    return result


def preview_block(
    config: IntegrationConfig, candidates: Sequence[IdMapping], block: Block, *, seen: Seen | None = None
) -> tuple[Preview, int]:
    """Return the preview of a block of Segment calls, and the number of payloads that belong to the other direction."""
    misdirected = 0

    def watched() -> Iterator[Any]:
        nonlocal misdirected
        for payload in Payloads(block, CALLS):
            misdirected += CALLS.is_other(payload.payload if isinstance(payload, Rejected) else payload)
            yield payload

    return preview(watched(), config, candidates=candidates, seen=seen), misdirected


class TrackWithIssues(dict[str, Any]):
    """A track call with the issues of its event, which are shown and counted, but not sent (CL-8)."""

    issues: tuple[Issue, ...] = ()


def export_payloads(payloads: Iterable[Any], config: IntegrationConfig) -> Iterator[Any]:
    """Translate events of an export as `export_many` does, and keep their issues."""
    plan = outbound_plan(config.outbound)
    for position, payload in enumerate(payloads):
        outcome: Any = fast_lane.outbound_track(payload, plan)
        if outcome.__class__ is not dict:  # a track from the fast lane has no issues
            outcome, issues = outcome_and_issues(payload, config.outbound, position)
            if issues and not isinstance(outcome, Skipped | Rejected):
                outcome = TrackWithIssues(outcome)
                outcome.issues = issues
        yield outcome


def _event_text(event: dict[str, Any]) -> bytes:
    """Encode an event; only its value and what is custom may be numbers that codecs print in different ways."""
    value: Any = event.get(statsig.VALUE)
    if (value.__class__ is float and -_SMALL < value < _SMALL) or statsig.CUSTOM in event[statsig.USER]:
        return FAST.encode(event)
    try:
        return FAST.quick_encode(event)
    except TypeError:  # a lone surrogate, or an integer beyond 64 bits
        return FAST.encode(event)


def update_line(update: AudienceUpdate) -> bytes:
    """Encode a change of an ID list; absent fields have no key."""
    wire = {
        "idList": update.id_list,
        "member": update.member,
        statsig.USER_ID: update.user_id,
        statsig.CUSTOM_IDS: update.custom_ids or None,
        "time": update.time_ms,
    }
    return FAST.encode({key: value for key, value in wire.items() if value is not None}) + b"\n"


def reject_record(rejected: Rejected, place: Place) -> bytes:
    """Encode a rejected payload with its place and error, but without its position; an unreadable line is text."""
    error, payload = rejected.error, rejected.payload
    if isinstance(payload, bytes):
        payload = payload.decode("utf-8", "backslashreplace").strip()
    where = {"file": place.file, "line": place.line}
    return FAST.encode(where | {"code": error.code, "path": error.path, "message": str(error), "payload": payload})
