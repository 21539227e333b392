"""Counting what work costs: bytecodes and calls of Python functions, the same on every run; and memory."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, NamedTuple

from statsig_segment import (
    Identify,
    InboundConfig,
    OutboundConfig,
    apply_filters,
    apply_id_mappings,
    parse_segment_event,
    to_log_event,
    to_statsig_event,
)
from statsig_segment.outbound.export import reference_outcome


class Count(NamedTuple):
    """What some work cost."""

    bytecodes: float
    calls: float


def count(work: Callable[[], object]) -> Count:
    """Count the bytecodes and calls of Python functions that some work makes."""
    bytecodes = calls = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        nonlocal bytecodes, calls
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            calls += 1
        elif event == "opcode":
            bytecodes += 1
        return trace

    before = sys.gettrace()  # that of a measurement of coverage
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return Count(bytecodes, calls)


def stays(work: Callable[[], object]) -> list[str]:
    """Return the modules of ours that some work stays in, one after the other, as control goes into and out of them."""
    found: list[str] = []

    def profile(frame: FrameType | None, event: str, _: object) -> None:
        inside = frame.f_back if frame is not None and event == "return" else frame
        module = str(inside.f_globals.get("__name__")) if inside is not None else ""
        if event in {"call", "return"} and module.startswith("statsig_segment") and found[-1:] != [module]:
            found.append(module)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before)
    return found


def peak_memory(work: Callable[[], object]) -> int:
    """Return the most bytes that some work holds at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def count_steps(payloads: Sequence[Any], config: InboundConfig) -> dict[str, Count]:
    """Count what each public step costs, one after the other, for one payload."""
    calls = [parse_segment_event(payload) for payload in payloads]
    kept = [call for call in calls if apply_filters(call, config.filters, naming=config.naming) is not None]
    mapped = [apply_id_mappings(call, config.id_mappings) for call in kept]
    named = [call for call in mapped if not isinstance(call, Identify)]
    events = [to_statsig_event(call, config) for call in named]
    steps: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
        "parse": (parse_segment_event, payloads),
        "filters": (lambda call: apply_filters(call, config.filters, naming=config.naming), calls),
        "map": (lambda call: apply_id_mappings(call, config.id_mappings), kept),
        "convert": (lambda call: to_statsig_event(call, config), named),
        "wire": (to_log_event, events),
    }
    return {name: _each(step, items, len(payloads)) for name, (step, items) in steps.items()}


def count_exports(payloads: Sequence[Any]) -> Count:
    """Count what the reference costs from Statsig to Segment, for one payload."""
    config = OutboundConfig()
    return _each(lambda payload: reference_outcome(payload, config, 0), payloads, len(payloads))


def _each(step: Callable[[Any], object], items: Sequence[Any], events: int) -> Count:
    def work() -> None:
        for item in items:
            step(item)

    found = count(work)
    return Count(found.bytecodes / events, found.calls / events)
