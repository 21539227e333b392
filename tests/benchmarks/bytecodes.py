"""Bytecodes and calls of Python functions per event: the same count on every run and every machine."""

from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson
from tests.benchmarks import hand_baseline
from tests.benchmarks.corpus import sound_calls, statsig_exports
from tests.benchmarks.figures import Figure, single
from tests.benchmarks.inbound import translate_all, write_all
from tests.benchmarks.outbound import DOCUMENTED, export_all
from tests.benchmarks.settings import CONFIG
from tests.benchmarks.steps import by_reference
from tests.benchmarks.timing import each
from tests.support.counting import Count, count, count_exports, count_steps

SECONDS: Final = 6.0
_EVENTS: Final = 400
_MOST: Final = {"steps": 5_000, "steps_calls": 150, "export_reference": 2_050, "export_reference_calls": 65}


def _count(work: Callable[[Sequence[Any]], object], payloads: Sequence[Any]) -> Count:
    """Count what some work costs for one payload."""
    found = count(lambda: work(payloads))
    return Count(found.bytecodes / len(payloads), found.calls / len(payloads))


def measure(_seconds: float) -> list[Figure]:
    """Count; the time that it takes is always the same."""
    calls = [orjson.loads(line) for line in sound_calls(_EVENTS)]
    exports = [orjson.loads(line) for line in statsig_exports(_EVENTS)]
    steps = count_steps(calls, CONFIG.inbound)
    together = Count(sum(step.bytecodes for step in steps.values()), sum(step.calls for step in steps.values()))
    counts = {
        "log_events": ("`log_events`", _count(write_all, calls)),
        "translate": ("`translate` + `to_log_event`", _count(translate_all, calls)),
        "reference": ("the reference alone", _count(by_reference, calls)),
        **{f"step_{name}": (f"the public step {name}", step) for name, step in steps.items()},
        "steps": ("the public steps together", together),
        "hand": ("the same by hand, unchecked", _count(lambda items: each(hand_baseline.translate, items), calls)),
        "export_many": ("`export_many`, documented", _count(lambda items: export_all(items, DOCUMENTED), exports)),
        "export_reference": ("its reference alone", count_exports(exports)),
    }
    return [
        figure
        for key, (label, found) in counts.items()
        for figure in (
            single(key, f"{label}, one event", found.bytecodes, unit="bytecodes", at_most=_MOST.get(key)),
            single(f"{key}_calls", "the same", found.calls, unit="calls", at_most=_MOST.get(f"{key}_calls")),
        )
    ]
