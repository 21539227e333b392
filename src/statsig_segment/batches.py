"""Batch envelopes of Segment's HTTP API -> single payloads, unparsed; reads no call."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, Final

from statsig_segment._values import is_array, is_object, is_own_object, read_text, thaw
from statsig_segment.errors import SegmentEventError
from statsig_segment.segment import CONTEXT, INTEGRATIONS, RECEIVED_AT, SENT_AT, TYPE

BATCH: Final = "batch"


def split_segment_batch(body: Mapping[str, Any] | list[Any] | tuple[Any, ...] | str | bytes) -> Iterator[Any]:
    """Split a body into payloads, unparsed, so that one bad item never harms its neighbours.

    Shape: one call, an array of calls, or the envelope `{"batch": [...], "context", "integrations", "sentAt"}`, as
    objects or JSON text, in; an iterator of payloads out, that share nothing. The envelope's `context` is merged under
    each item's (deep), its `integrations` likewise (shallow), `sentAt` and `receivedAt` fill in.
    Errors: `SegmentEventError` with code `invalid_json`, `not_an_object` or `batch_not_array`, at the call.
    Rules: IN-8. Source: Segment's HTTP API for the shape; which side wins is our policy.

    >>> list(split_segment_batch({"batch": [{"type": "track"}], "context": {"ip": "192.0.2.1"}}))
    [{'type': 'track', 'context': {'ip': '192.0.2.1'}}]
    """
    value = read_text(body, SegmentEventError) if isinstance(body, (str, bytes)) else thaw(body)
    if is_array(value):
        return iter(value)
    if not is_object(value):
        raise SegmentEventError("not_an_object")
    if BATCH not in value or TYPE in value:
        return iter((value,))
    batch = value[BATCH]
    if not is_array(batch):
        raise SegmentEventError("batch_not_array", f"$.{BATCH}")
    return map(partial(_fill_in, value), batch)


def _fill_in(envelope: Mapping[str, Any], item: Any) -> Any:
    """Fill an item, which is ours to change, from its envelope; an item that is no object stays for the parser."""
    if not is_own_object(item):
        return item
    for name, merge in ((CONTEXT, _merge_deep), (INTEGRATIONS, _merge_shallow)):
        under, over = envelope.get(name), item.get(name)
        if is_own_object(under):
            if over is None:
                item[name] = thaw(under)
            elif is_own_object(over):
                merge(under, over)
    for name in (SENT_AT, RECEIVED_AT):
        if item.get(name) is None and envelope.get(name) is not None:
            item[name] = thaw(envelope[name])
    return item


def _merge_shallow(under: dict[str, Any], over: dict[str, Any]) -> None:
    for key, value in under.items():
        if key not in over:
            over[key] = thaw(value)


def _merge_deep(under: dict[str, Any], over: dict[str, Any]) -> None:
    pairs = [(under, over)]
    for low, high in pairs:  # grows while it runs: the objects that both sides have
        _merge_shallow(low, high)
        pairs.extend((low[key], high[key]) for key in low if isinstance(low[key], dict) and isinstance(high[key], dict))
