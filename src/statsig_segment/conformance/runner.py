"""Hold any implementation against the test vectors: it reads one case a line, and writes one answer a line.

    python -m statsig_segment.conformance --command "node translator.mjs"

The program is started once. It is sent each case as one line of JSON, less what is expected of it, and gives one line
for each, in any order: `{"id": ID, "answer": ANSWER}`, or `{"id": ID, "unsupported": true}` for what it does not do.
Exit status: 0; 1 where a case failed; 2 for unusable arguments.
"""

import argparse
import difflib
import json
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import attrs

from statsig_segment.rules import RULES

Case: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = dict[str, Any]

_INSTALLED: Final = Path(__file__).parents[1] / "vectors"
_IN_A_CHECKOUT: Final = Path(__file__).parents[3] / "tests" / "vectors"
VECTORS: Final = _INSTALLED if _INSTALLED.is_dir() else _IN_A_CHECKOUT
"""The vectors come with the package; a checkout has them among its tests."""

SENT: Final = frozenset(
    {
        "id",
        "operation",
        "input",
        "input_text",
        "input_base64",
        "input_parts",
        "config",
        "seen",
        "id_type",
        "max_ids",
    }
)
"""What of a case the program gets to see."""
_NEEDED: Final = frozenset({"id", "rules", "source", "description", "operation", "expected"})
SOURCES: Final = ("doc", "seen", "policy")
PASSED: Final = "passed"
FAILED: Final = "failed"
UNSUPPORTED: Final = "not supported"
_NO_RULE: Final = "none"  # a case about the form of the configuration file
_SHOWN: Final = 20
_SECONDS: Final = 300.0


@attrs.frozen(kw_only=True)
class Verdict:
    """What became of one case: its outcome and, where it failed, why."""

    case: Case
    outcome: str
    reason: str = ""


# -- Comparison -------------------------------------------------------------------------------------------------------


def difference(expected: Answer, told: Answer) -> str:
    """Tell where an answer departs from what is expected, as a diff; an empty text where it does not.

    Shape: two answers as the README of the vectors describes them in; text out.
    Errors: none that an answer of that shape could cause.

    >>> difference({"skipped": "filtered"}, {"skipped": "filtered"})
    ''
    """
    if expected == {"survives": True}:  # any answer will do: that there is one is the point
        return ""
    pinned, found = _pretty(_settled(expected, expected)), _pretty(_settled(expected, told))
    lines = difflib.unified_diff(pinned, found, "expected", "answer", lineterm="", n=100)
    return "\n".join(lines)


def _settled(expected: Answer, told: Answer) -> Answer:
    """Give an answer less what the expected one leaves open, and in one order where the order is open."""
    found = dict(told)
    if not found.get("issues", True):
        del found["issues"]
    if "issues" in found:
        found["issues"] = sorted(found["issues"], key=_canonical)
    if "rows" in found:
        found["rows"] = _settled_rows(expected.get("rows", []), found["rows"])
    if "patches" in found:
        found["patches"] = sorted(found["patches"], key=lambda patch: patch["idList"])  # stable: parts of one list stay
    if "batches" in expected and "bodies" in found:
        found["batches"] = [len(body["batch"]) for body in found.pop("bodies")]
    if "outcomes" in found and len(found["outcomes"]) == len(expected.get("outcomes", [])):
        pairs = zip(expected["outcomes"], found["outcomes"], strict=True)
        found["outcomes"] = [_settled(pinned, outcome) for pinned, outcome in pairs]
    if "error" in found and "error" in expected:
        found["error"] = _settled_error(expected["error"], found["error"])
    return found


def _settled_rows(expected: list[Answer], told: list[Answer]) -> list[Answer]:
    pinned = {row["target"]: row for row in expected}
    rows = [{key: row[key] for key in pinned.get(row["target"], row) if key in row} for row in told]
    return sorted(rows, key=_canonical)


def _settled_error(expected: Answer, told: Answer) -> Answer:
    error = {key: value for key, value in told.items() if key in expected}
    if "paths" in expected:
        paths = [str(path).removeprefix("$.") for path in told.get("paths", [])]
        met = [path for path in expected["paths"] if any(_at_or_below(path, found) for found in paths)]
        error["paths"] = met if len(met) == len(expected["paths"]) else sorted({*met, *paths})
    return error


def _at_or_below(path: str, found: str) -> bool:
    return found == path or found.startswith((f"{path}.", f"{path}["))


def _canonical(value: Any) -> str:
    """Give one text for all JSON values that are equal, where `1` is `1.0` but not `true`."""
    return json.dumps(_numbers(value), sort_keys=True)


def _pretty(value: Any) -> list[str]:
    return json.dumps(_numbers(value), sort_keys=True, indent=2).splitlines()  # in ASCII, for any terminal


def _numbers(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in cast("dict[str, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in cast("list[Any]", value)]
    return value


# -- Cases, answers, verdicts -----------------------------------------------------------------------------------------


def read_cases(folder: Path) -> list[Case]:
    """Read all cases of a folder of vector files, in the order of the files' names; `ValueError` for other files."""
    paths = sorted(path for path in folder.glob("*.json") if path.name != "schema.json")
    return [case for path in paths for case in _cases(path)]


def _cases(path: Path) -> list[Case]:
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
        if all(case.keys() >= _NEEDED for case in cases):
            return list(cases)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass
    raise ValueError(f"{path} holds no test vectors")


def question(case: Case) -> str:
    """Write a case as the program gets it: one line, in ASCII, without what is expected."""
    return json.dumps({key: value for key, value in case.items() if key in SENT})


def judge(cases: Iterable[Case], lines: Iterable[str]) -> Iterator[Verdict]:
    """Hold the lines that a program wrote against the cases; exactly one verdict for each case, in their order."""
    told: dict[str, list[Answer]] = {}
    for line in lines:
        reply = _reply(line)
        if reply is not None:
            told.setdefault(reply["id"], []).append(reply)
    for case in cases:
        yield _verdict(case, told.get(case["id"], []))


def _reply(line: str) -> Answer | None:
    try:
        reply = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(reply, dict):
        return None
    found = cast("Answer", reply)
    return found if isinstance(found.get("id"), str) else None


def _verdict(case: Case, replies: list[Answer]) -> Verdict:
    if len(replies) != 1:
        return Verdict(case=case, outcome=FAILED, reason="answered more than once" if replies else "no answer")
    (reply,) = replies
    if reply.get("unsupported") is True:
        return Verdict(case=case, outcome=UNSUPPORTED)
    reason = _departure(case["expected"], reply.get("answer"))
    return Verdict(case=case, outcome=FAILED if reason else PASSED, reason=reason)


def _departure(expected: Answer, told: Any) -> str:
    if not isinstance(told, dict):
        return "an answer is an object"
    try:
        return difference(expected, cast("Answer", told))
    except (AttributeError, KeyError, RecursionError, TypeError):
        return "the answer has not the shape that the README of the vectors describes"


# -- The program ------------------------------------------------------------------------------------------------------


def ask(command: Sequence[str], cases: Iterable[Case], seconds: float) -> tuple[list[str], str]:
    """Run a program over the cases; give the lines that it wrote, and what was wrong with the run, if anything."""
    questions = "".join(f"{question(case)}\n" for case in cases)
    trouble = ""
    try:
        done = subprocess.run(  # noqa: S603 - to run the program that it is given is what this one is for
            command, input=questions.encode(), stdout=subprocess.PIPE, timeout=seconds, check=False
        )
        written = done.stdout
        if done.returncode:
            trouble = f"the program ended with exit status {done.returncode}"
    except subprocess.TimeoutExpired as late:
        written, trouble = late.output or b"", f"the program was ended after {seconds:g} seconds"
    return written.decode(errors="replace").split("\n"), trouble  # not splitlines: JSON may hold U+2028 as it is


# -- The command ------------------------------------------------------------------------------------------------------


def report(verdicts: Sequence[Verdict], trouble: str) -> dict[str, Any]:
    """Count verdicts by rule, and name what failed: the report that `--json` writes."""
    rules: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for rule in verdict.case["rules"] or [_NO_RULE]:
            rules.setdefault(rule, Counter())[verdict.outcome] += 1
    return {
        "cases": _counts(Counter(verdict.outcome for verdict in verdicts)),
        "rules": {rule: _counts(rules[rule]) for rule in sorted(rules, key=[*RULES, *rules].index)},
        "failed": {verdict.case["id"]: verdict.reason for verdict in verdicts if verdict.outcome == FAILED},
        "trouble": trouble,
    }


def _counts(counted: Mapping[str, int]) -> dict[str, int]:
    return {outcome: counted.get(outcome, 0) for outcome in (PASSED, FAILED, UNSUPPORTED)}


def _lines(verdicts: Sequence[Verdict], told: Mapping[str, Any], shown: int) -> Iterator[str]:
    failed = [verdict for verdict in verdicts if verdict.outcome == FAILED]
    for verdict in failed[:shown]:
        case = verdict.case
        yield f"{case['id']}: {case['description']} ({', '.join(case['rules'])}; {case['source']})\n{verdict.reason}\n"
    if len(failed) > shown:
        yield f"... and {len(failed) - shown} more that failed\n"
    wide = max(map(len, told["rules"]), default=0)
    yield f"{'rule':{wide}}  {PASSED:>7}  {FAILED:>7}  {UNSUPPORTED}"
    for rule, counts in told["rules"].items():
        yield f"{rule:{wide}}  {counts[PASSED]:7}  {counts[FAILED]:7}  {counts[UNSUPPORTED]:13}"
    if told["trouble"]:
        yield f"\n{told['trouble']}"
    yield f"\n{len(verdicts)} cases: {', '.join(f'{count} {outcome}' for outcome, count in told['cases'].items())}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and give its exit status.

    >>> main(["--command", "no-such-program"])
    2
    """
    try:
        return _run(_parser().parse_args(argv))
    except SystemExit as done:  # argparse has said all
        return int(done.code or 0)
    except (OSError, ValueError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    cases = [case for case in read_cases(arguments.vectors) if _is_wanted(case, arguments)]
    command = shlex.split(arguments.command)
    if not cases or not command:
        raise ValueError("no such cases" if command else "no command")
    lines, trouble = ask(command, cases, arguments.seconds)
    verdicts = list(judge(cases, lines))
    told = report(verdicts, trouble)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    print(*_lines(verdicts, told, arguments.show), sep="\n")
    return 1 if told["cases"][FAILED] else 0


def _is_wanted(case: Case, arguments: argparse.Namespace) -> bool:
    rules, sources = arguments.rule, arguments.source
    return (not rules or not set(rules).isdisjoint(case["rules"])) and (not sources or case["source"] in sources)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m statsig_segment.conformance",
        description="Hold a program in any language against the test vectors.",
        epilog="Exit status: 0; 1 where a case failed; 2 for unusable arguments.",
    )
    add: Callable[..., object] = parser.add_argument
    add("--command", required=True, help='the program with its arguments, as "node translator.mjs"')
    add("--rule", action="append", metavar="ID", help="only the cases of this rule; may be given more than once")
    add("--source", action="append", choices=SOURCES, help="only cases documented, observed, or of our policy")
    add("--vectors", type=Path, default=VECTORS, metavar="DIR", help="a folder of vector files; default: our own")
    add("--json", type=Path, metavar="FILE", help="write the report as JSON, too")
    add("--show", type=int, default=_SHOWN, metavar="N", help="show so many failed cases (default %(default)s)")
    add("--seconds", type=float, default=_SECONDS, help="the time that the program has (default %(default)g)")
    return parser
