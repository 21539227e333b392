"""Bytecodes and calls of Python functions per event: the same count on every run and every machine."""

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, Final, NamedTuple

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks.corpus import sound_calls, statsig_exports
from tests.benchmarks.figures import Figure, single
from tests.benchmarks.inbound import translate_all, write_all
from tests.benchmarks.outbound import DOCUMENTED, export_all
from tests.benchmarks.steps import by_reference
from tests.benchmarks.timing import each

SECONDS: Final = 6.0
_EVENTS: Final = 400


class _Count(NamedTuple):
    bytecodes: float
    calls: float


def _count(work: Callable[[Sequence[Any]], object], payloads: Sequence[Any]) -> _Count:
    """Count the bytecodes and calls of Python functions that some work makes for one payload."""
    bytecodes = calls = 0

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        nonlocal bytecodes, calls
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            calls += 1
        elif event == "opcode":
            bytecodes += 1
        return trace

    sys.settrace(trace)
    try:
        work(payloads)
    finally:
        sys.settrace(None)
    return _Count(bytecodes / len(payloads), calls / len(payloads))


def measure(_seconds: float) -> list[Figure]:
    """Count; the time that it takes is always the same."""
    calls = [orjson.loads(line) for line in sound_calls(_EVENTS)]
    exports = [orjson.loads(line) for line in statsig_exports(_EVENTS)]
    counts = {
        "log_events": ("`log_events`", _count(write_all, calls)),
        "translate": ("`translate` + `to_log_event`", _count(translate_all, calls)),
        "reference": ("the reference alone", _count(by_reference, calls)),
        "hand": ("the same by hand, unchecked", _count(lambda items: each(hand_baseline.translate, items), calls)),
        "export_many": ("`export_many`, documented", _count(lambda items: export_all(items, DOCUMENTED), exports)),
    }
    return [
        figure
        for key, (label, count) in counts.items()
        for figure in (
            single(key, f"{label}, one event", count.bytecodes, unit="bytecodes"),
            single(f"{key}_calls", "the same", count.calls, unit="calls"),
        )
    ]
