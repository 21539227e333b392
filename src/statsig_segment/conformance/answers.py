"""Compares an answer with the expected one; what the README of the vectors leaves open makes no difference."""

import difflib
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, Final, TypeAlias, cast

Answer: TypeAlias = dict[str, Any]

_ANY_ANSWER: Final[Answer] = {"survives": True}
_MAX_LINES: Final = 200
_MAX_COLUMNS: Final = 500


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
    if "rows" in found:
        found["rows"] = _normalized_rows(expected.get("rows", []), found["rows"])
    if "patches" in found:
        found["patches"] = sorted(found["patches"], key=lambda patch: patch["idList"])  # stable: parts of a list stay
    if "batches" in expected and "bodies" in found:
        found["batches"] = [len(body["batch"]) for body in found.pop("bodies")]
    if "outcomes" in found:
        found["outcomes"] = _normalized_outcomes(expected.get("outcomes", []), found["outcomes"])
    if "error" in found and "error" in expected:
        found["error"] = _normalized_error(expected["error"], found["error"])
    return found


def _normalized_rows(expected: list[Answer], answer: list[Answer]) -> list[Answer]:
    wanted = {row["target"]: row for row in expected}
    rows = [{key: row[key] for key in wanted.get(row["target"], row) if key in row} for row in answer]
    return sorted(rows, key=_canonical)


def _normalized_outcomes(expected: list[Answer], answer: list[Answer]) -> list[Answer]:
    if len(answer) != len(expected):
        return answer
    return [_normalized(wanted, outcome) for wanted, outcome in zip(expected, answer, strict=True)]


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
