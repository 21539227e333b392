"""Judges what the program wrote: exactly one verdict for each case."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

import attrs

from statsig_segment.conformance.answers import Answer, difference
from statsig_segment.conformance.cases import Case

PASSED: Final = "passed"
FAILED: Final = "failed"
UNSUPPORTED: Final = "not supported"


@attrs.frozen(kw_only=True)
class Verdict:
    """The outcome of one case and, if it failed, the reason."""

    case: Case
    outcome: str
    reason: str = ""


def judge(cases: Iterable[Case], lines: Iterable[str]) -> Iterator[Verdict]:
    """Compare the lines that a program wrote with the cases; yield a verdict for each case, in their order.

    Each line is judged as it is read, so that only one answer at a time is in memory.
    """
    asked = {case["id"]: case for case in cases}
    verdicts: dict[str, Verdict] = {}
    for line in lines:
        reply = _reply(line)
        if reply is not None and reply["id"] in asked:
            name = reply["id"]
            verdicts[name] = _repeated(asked[name]) if name in verdicts else _verdict(asked[name], reply)
    for name, case in asked.items():
        yield verdicts.get(name) or Verdict(case=case, outcome=FAILED, reason="no answer")


def _reply(line: str) -> Answer | None:
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(reply, dict):
        return None
    found = cast("Answer", reply)
    return found if isinstance(found.get("id"), str) else None


def _repeated(case: Case) -> Verdict:
    return Verdict(case=case, outcome=FAILED, reason="answered more than once")


def _verdict(case: Case, reply: Answer) -> Verdict:
    if reply.get("unsupported") is True:
        return Verdict(case=case, outcome=UNSUPPORTED)
    reason = _departure(case["expected"], reply.get("answer"))
    return Verdict(case=case, outcome=FAILED if reason else PASSED, reason=reason)


def _departure(expected: Answer, answer: Any) -> str:
    if not isinstance(answer, dict):
        return "the answer is not an object"
    try:
        return difference(expected, cast("Answer", answer))
    except (AttributeError, KeyError, RecursionError, TypeError):
        return "the answer does not have the shape that the README of the vectors describes"
