"""Segment's batches in both directions: split envelopes into payloads, and pack calls within Segment's limits."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypedDict, TypeGuard, cast

from statsig_segment import segment
from statsig_segment._json.bodies import copies_of, read_body
from statsig_segment._json.javascript import json_text
from statsig_segment._json.values import DEPTH, FrozenDict, JsonValue, freeze, is_object, thaw, type_name
from statsig_segment.errors import SegmentEventError, StatsigSegmentError, TranslationError
from statsig_segment.outcomes import Rejected
from statsig_segment.rulebook import limit

MAX_BATCH_EVENTS: Final = 2_500
MAX_BATCH_BYTES: Final = 500_000
MAX_EVENT_BYTES: Final = limit("event_too_large")
"""Segment's limits on `POST /v1/batch`: "32KB per event", "500KB per request", 2,500 events (OU-8)."""

_MERGED: Final = FrozenDict({segment.CONTEXT: DEPTH, segment.INTEGRATIONS: 0})
"""Object that an item shares with its envelope -> how many levels below it are merged (IN-8)."""
_FILLED_IN: Final = (segment.SENT_AT, segment.RECEIVED_AT)
_ENVELOPE_BYTES: Final = len('{"batch":[]}')


class SegmentBatch(TypedDict):
    """The body of Segment's `POST /v1/batch`."""

    batch: list[dict[str, Any]]


# -- Splitting --------------------------------------------------------------------------------------------------------


def split_segment_batch(body: Mapping[str, Any] | list[Any] | tuple[Any, ...] | str | bytes) -> Iterator[Any]:
    """Split a body into payloads, unparsed, so that one bad item does not affect the others.

    The envelope's `context` is merged under each item's (deep), its `integrations` likewise (shallow), and `sentAt` and
    `receivedAt` fill in where an item has none.

    Args:
        body: One call, an array of calls, the envelope `{"batch": [...], "context", "integrations", "sentAt"}`, or an
            EventBridge event with one of these as its `detail`; as objects or as JSON text.

    Returns:
        An iterator over payloads that share nothing, each made when it is asked for.

    Raises:
        SegmentEventError: Code `invalid_json`, `not_an_object`, `batch_not_array` or `envelope_too_large`. It is raised
            by the call itself, not by the iterator.

    Rules: IN-8.
    Source: Segment's HTTP API and EventBridge destination for the shapes; which side wins is our policy.

    >>> list(split_segment_batch({"batch": [{"type": "track"}], "context": {"ip": "192.0.2.1"}}))
    [{'type': 'track', 'context': {'ip': '192.0.2.1'}}]

    """
    value, separate = read_body(body, SegmentEventError)
    if _is_event_bridge(value):
        value = cast("JsonValue", value[segment.DETAIL])
    if type(value) is list:
        return map(separate, value)
    if type(value) is not dict:
        raise SegmentEventError("not_an_object", message=f"expected a JSON object or array, not {type_name(value)}")
    if segment.BATCH not in value or segment.TYPE in value:
        return iter((value,))
    items: JsonValue = value[segment.BATCH]
    if type(items) is not list:
        raise SegmentEventError("batch_not_array", f"$.{segment.BATCH}")
    shared = {name: value[name] for name in (*_MERGED, *_FILLED_IN) if value.get(name) is not None}
    copy = copies_of(shared, SegmentEventError) if shared else dict[str, Any]
    return (_filled(separate(item), copy()) for item in items)


def _is_event_bridge(value: JsonValue) -> TypeGuard[dict[str, Any]]:
    """Return whether a body is an event of Amazon EventBridge (IN-8)."""
    if type(value) is not dict or segment.TYPE in value:
        return False
    return type(value.get(segment.DETAIL)) is dict and issubclass(type(value.get(segment.DETAIL_TYPE)), str)


def _filled(item: JsonValue, shared: dict[str, Any]) -> Any:
    """Return an item with what its envelope shares filled in; both are private copies, so this changes them.

    An item that is not an object stays the same, for the parser to refuse.
    """
    if type(item) is not dict:
        return item
    for name, levels in _MERGED.items():
        under: JsonValue = shared.get(name)
        over: JsonValue = item.get(name)
        # PHP writes an empty object as an empty array, so an empty array overrides nothing (IN-7).
        if type(under) is dict and (over is None or (type(over) is list and not over)):
            item[name] = under
        elif type(under) is dict and type(over) is dict:
            item[name] = _merged(under, over, levels)
    for name in _FILLED_IN:
        if name in shared and item.get(name) is None:
            item[name] = shared[name]
    return item


def _merged(under: dict[str, Any], over: dict[str, Any], levels: int) -> dict[str, Any]:
    """Return the envelope's object with the item's merged over it, at a cost that depends on the item alone (TR-4)."""
    merged = under | over  # a copy in C; walking the envelope's object for each item would be quadratic in Python
    high: JsonValue
    for key, high in over.items() if levels else ():
        low: JsonValue = under.get(key)
        if type(high) is dict and type(low) is dict:
            merged[key] = _merged(low, high, levels - 1)
    return merged


# -- Packing ----------------------------------------------------------------------------------------------------------


def to_segment_batches(tracks: Iterable[Mapping[str, Any]]) -> Iterator[SegmentBatch | Rejected]:
    """Pack calls into bodies for Segment's `POST /v1/batch`, lazily.

    A body has no `sentAt`: it would shift historical times.

    Args:
        tracks: Track calls, as `export` returns them.

    Yields:
        Bodies `{"batch": [...]}` of at most 2,500 events and 500,000 bytes of compact JSON, each item with a `type`. A
        call over 32,768 bytes comes out as `Rejected` with code `event_too_large`, its position and itself.

    Rules: OU-8.
    Source: Segment's HTTP API, "Batch".

    >>> from statsig_segment import to_segment_batches
    >>> list(to_segment_batches([{"event": "checkout", "userId": "u1"}]))
    [{'batch': [{'type': 'track', 'event': 'checkout', 'userId': 'u1'}]}]

    """
    batch: list[dict[str, Any]] = []
    size = _ENVELOPE_BYTES
    for position, track in enumerate(tracks):
        packed = _packed(track)
        if isinstance(packed, StatsigSegmentError):
            yield Rejected(error=packed, position=position, payload=track)
            continue
        item, item_bytes = packed
        if batch and (len(batch) == MAX_BATCH_EVENTS or size + len(",") + item_bytes > MAX_BATCH_BYTES):
            yield {"batch": batch}
            batch, size = [], _ENVELOPE_BYTES
        size += item_bytes + (len(",") if batch else 0)
        batch.append(item)
    if batch:
        yield {"batch": batch}


def _packed(track: Any) -> tuple[dict[str, Any], int] | StatsigSegmentError:
    """Return a call ready to be packed and its size in bytes, or the error that explains why it cannot be packed."""
    frozen = freeze(track)
    if not is_object(frozen):
        return SegmentEventError("not_an_object", message=f"expected a JSON object, not {type_name(track)}")
    item = thaw(frozen)
    if item.get(segment.TYPE) is None:
        item = {segment.TYPE: "track"} | {name: item[name] for name in item if name != segment.TYPE}
    try:
        size = len(json_text(item)[0].encode())
    except TranslationError as error:
        return error.with_traceback(None)
    return TranslationError("event_too_large") if size > MAX_EVENT_BYTES else (item, size)
