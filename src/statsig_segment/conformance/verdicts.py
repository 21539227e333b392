"""Judges what the program wrote: one verdict for each case. What the README of the vectors leaves open is ignored."""

import difflib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias, cast

from statsig_segment.conformance.cases import Case

Answer: TypeAlias = dict[str, Any]

PASSED: Final = "passed"
FAILED: Final = "failed"
UNSUPPORTED: Final = "not supported"

_ANY_ANSWER: Final[Answer] = {"survives": True}
_MAX_LINES: Final = 200
_MAX_COLUMNS: Final = 500


class Verdict(NamedTuple):
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
        name = reply.get("id")
        if isinstance(name, str) and name in asked:
            case = asked[name]
            is_first = name not in verdicts
            verdicts[name] = _verdict(case, reply) if is_first else Verdict(case, FAILED, "answered more than once")
    for name, case in asked.items():
        yield verdicts.get(name) or Verdict(case, FAILED, "no answer")


def _reply(line: str) -> Answer:
    """Return the object that a line holds; empty for any other line."""
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("Answer", reply) if isinstance(reply, dict) else {}


def _verdict(case: Case, reply: Answer) -> Verdict:
    if reply.get("unsupported") is True:
        return Verdict(case, UNSUPPORTED)
    reason, answer = "the answer is not an object", reply.get("answer")
    if isinstance(answer, dict):
        try:
            reason = difference(case["expected"], cast("Answer", answer))
        except (AttributeError, KeyError, RecursionError, TypeError):
            reason = "the answer does not have the shape that the README of the vectors describes"
    return Verdict(case, FAILED if reason else PASSED, reason)


def difference(expected: Answer, answer: Answer) -> str:
    """Return how an answer differs from the expected one, as a diff, cut short if it is long; empty if it does not.

    >>> difference({"skipped": "filtered"}, {"skipped": "filtered"})
    ''
    """
    if expected == _ANY_ANSWER:
        return ""
    wanted, found = _pretty(_normalized(expected, expected)), _pretty(_normalized(expected, answer))
    return "\n".join(_shortened(difflib.unified_diff(wanted, found, "expected", "answer", lineterm="", n=100)))


def _normalized(expected: Answer, answer: Answer) -> Answer:
    """Drop what the expected answer leaves open, and sort what may come in any order."""
    found = dict(answer)
    if not found.get("issues", True):
        del found["issues"]
    if "issues" in found:
        found["issues"] = sorted(found["issues"], key=_canonical)
    if "rows" in found:  # as far as the expected ones say
        wanted = {row["target"]: row for row in expected.get("rows", [])}
        rows = [{key: row[key] for key in wanted.get(row["target"], row) if key in row} for row in found["rows"]]
        found["rows"] = sorted(rows, key=_canonical)
    if "patches" in found:
        found["patches"] = sorted(found["patches"], key=lambda patch: patch["idList"])  # stable: parts of a list stay
    if "batches" in expected and "bodies" in found:
        found["batches"] = [len(body["batch"]) for body in found.pop("bodies")]
    outcomes = expected.get("outcomes", [])
    if "outcomes" in found and len(found["outcomes"]) == len(outcomes):
        found["outcomes"] = list(map(_normalized, outcomes, found["outcomes"]))
    if "error" in found and "error" in expected:
        found["error"] = _normalized_error(expected["error"], found["error"])
    return found


def _normalized_error(expected: Answer, answer: Answer) -> Answer:
    error = {key: value for key, value in answer.items() if key in expected}
    if "paths" in expected:
        paths = [str(path).removeprefix("$.") for path in answer.get("paths", [])]
        met = [path for path in expected["paths"] if any(_is_at_or_below(path, found) for found in paths)]
        error["paths"] = met if len(met) == len(expected["paths"]) else sorted({*met, *paths})
    return error


def _is_at_or_below(path: str, found: str) -> bool:
    return found == path or found.startswith((f"{path}.", f"{path}["))


def _canonical(value: Any) -> str:
    """Return one text for all JSON values that are equal; `1` equals `1.0`, but not `true`."""
    return json.dumps(_with_integers(value), sort_keys=True)


def _pretty(value: Any) -> list[str]:
    return json.dumps(_with_integers(value), sort_keys=True, indent=2).splitlines()  # in ASCII, for any terminal


def _with_integers(value: Any) -> Any:
    """Write integral floats as integers, at any depth."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _with_integers(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_with_integers(item) for item in cast("list[Any]", value)]
    return value


def _shortened(lines: Iterable[str]) -> Iterator[str]:
    rest = iter(lines)
    for line in islice(rest, _MAX_LINES):
        yield line if len(line) <= _MAX_COLUMNS else f"{line[:_MAX_COLUMNS]}..."
    if any(True for _ in rest):
        yield "..."
