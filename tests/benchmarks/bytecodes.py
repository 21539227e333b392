"""Where the work is: bytecodes per event, function by function; the same count on every run and every machine."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks.corpus import sound_calls, statsig_exports
from tests.benchmarks.figures import Figure, single
from tests.benchmarks.inbound import CONFIG

from statsig_segment import StatsigEvent, parse_statsig_event, to_log_event, to_outbound_track, translate

SECONDS: Final = 6.0
_EVENTS: Final = 400
_SHOWN: Final = 0.02
"""A function with a smaller part of the work is not shown."""


def _count(work: Callable[[Any], object], payloads: Sequence[Any]) -> tuple[Counter[CodeType], Counter[CodeType]]:
    """Count the bytecodes and the calls of every Python function that some work makes."""
    bytecodes: Counter[CodeType] = Counter()
    calls: Counter[CodeType] = Counter()

    def trace(frame: FrameType, event: str, _: object) -> Callable[..., Any]:
        if event == "call":
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            calls[frame.f_code] += 1
        elif event == "opcode":
            bytecodes[frame.f_code] += 1
        return trace

    sys.settrace(trace)
    try:
        for payload in payloads:
            work(payload)
    finally:
        sys.settrace(None)
    return bytecodes, calls


def _translate(payload: Any) -> None:
    outcome = translate(payload, CONFIG)
    if isinstance(outcome, StatsigEvent):
        to_log_event(outcome)


def _export(payload: Any) -> None:
    event = parse_statsig_event(payload)
    if isinstance(event, StatsigEvent):
        to_outbound_track(event)


def measure(_seconds: float) -> list[Figure]:
    """Count; the time that it takes is always the same."""
    calls = [orjson.loads(line) for line in sound_calls(_EVENTS)]
    exports = [orjson.loads(line) for line in statsig_exports(_EVENTS)]
    inbound, frames = _count(_translate, calls)
    figures = [
        _per_event("inbound", "translate + to_log_event", inbound, len(calls)),
        _per_event("inbound_calls", "function calls of it", frames, len(calls), unit="calls"),
        _per_event("hand", "the same by hand, unchecked", _count(hand_baseline.translate, calls)[0], len(calls)),
        _per_event("outbound", "parse_statsig_event + to_outbound_track", _count(_export, exports)[0], len(exports)),
        _per_event(
            "outbound_hand", "the same by hand, unchecked", _count(hand_baseline.export, exports)[0], len(exports)
        ),
    ]
    return figures + _shares(inbound)


def _per_event(key: str, label: str, counted: Counter[CodeType], events: int, *, unit: str = "bytecodes") -> Figure:
    return single(key, f"{label}, one event", counted.total() / events, unit=unit)


def _shares(counted: Counter[CodeType]) -> list[Figure]:
    """Give the functions with the most work in translating, with their part of it."""
    whole = counted.total()
    return [
        single(f"share_{code.co_name}", f"`{_place(code)}`, part of translating", 100 * count / whole, unit="%")
        for code, count in counted.most_common()
        if count >= _SHOWN * whole
    ]


def _place(code: CodeType) -> str:
    module = code.co_filename.rpartition("/")[2].removesuffix(".py")
    return f"{module}.{code.co_qualname}"
