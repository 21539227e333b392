"""The report on a run: verdicts counted by rule, as a table for people and as JSON for machines."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from statsig_segment.conformance.program import Run
from statsig_segment.conformance.verdicts import FAILED, PASSED, UNSUPPORTED, Verdict
from statsig_segment.rulebook import RULES

Report: TypeAlias = Mapping[str, Any]

_NO_RULE: Final = "none"  # a case about the form of the configuration file


def report(verdicts: Sequence[Verdict], run: Run) -> Report:
    """Count verdicts by rule, and say what failed: the report that `--json` writes."""
    rules: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for rule in verdict.case["rules"] or [_NO_RULE]:
            rules.setdefault(rule, Counter())[verdict.outcome] += 1
    return {
        "cases": _counts(Counter(verdict.outcome for verdict in verdicts)),
        "rules": {rule: _counts(rules[rule]) for rule in sorted(rules, key=[*RULES, *rules].index)},
        "failed": {verdict.case["id"]: verdict.reason for verdict in verdicts if verdict.outcome == FAILED},
        "problem": run.problem,
        "error_output": run.error_output,
    }


def _counts(counted: Mapping[str, int]) -> dict[str, int]:
    return {outcome: counted.get(outcome, 0) for outcome in (PASSED, FAILED, UNSUPPORTED)}


def report_lines(verdicts: Sequence[Verdict], summary: Report, max_failures: int) -> Iterator[str]:
    """Write a report for people: failed cases, the table of rules, what went wrong, and the sum."""
    yield from _failures([verdict for verdict in verdicts if verdict.outcome == FAILED], max_failures)
    yield from _table(summary["rules"])
    if summary["error_output"]:
        yield f"\nStandard error of the program, its end:\n{summary['error_output'].strip()}"
    if summary["problem"]:
        yield f"\n{summary['problem']}"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in summary["cases"].items())
    yield f"\n{len(verdicts)} cases: {counts}"


def _failures(failed: Sequence[Verdict], max_failures: int) -> Iterator[str]:
    for verdict in failed[:max_failures]:
        case = verdict.case
        yield f"{case['id']}: {case['description']} ({', '.join(case['rules'])}; {case['source']})\n{verdict.reason}\n"
    if len(failed) > max_failures:
        yield f"... and {len(failed) - max_failures} more failures\n"


def _table(rules: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    width = max(map(len, rules), default=0)
    yield f"{'rule':{width}}  {PASSED:>7}  {FAILED:>7}  {UNSUPPORTED}"
    for rule, counts in rules.items():
        yield f"{rule:{width}}  {counts[PASSED]:7}  {counts[FAILED]:7}  {counts[UNSUPPORTED]:13}"
