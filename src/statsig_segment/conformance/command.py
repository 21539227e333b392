"""The command: `python -m statsig_segment.conformance --command "node translator.mjs"`.

It starts the program once and sends it each case as one line of JSON, without the expected answer. The program writes
one line for each, in any order: `{"id": ID, "answer": ANSWER}`, or `{"id": ID, "unsupported": true}`.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import TIMEOUT_MAX
from typing import Final

from statsig_segment.conformance.cases import SOURCES, VECTORS, Case, question, read_cases
from statsig_segment.conformance.program import MEGABYTE, run
from statsig_segment.conformance.report import report, report_lines
from statsig_segment.conformance.verdicts import FAILED, judge

_MAX_FAILURES: Final = 20
_SECONDS: Final = 300.0
_MEGABYTES: Final = 128.0
"""Four times what all answers together take today."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command, and return its exit status.

    >>> main(["--command", "no-such-program"])
    2
    """
    try:
        return _run(_parser().parse_args(argv))
    except SystemExit as exit_:  # argparse has printed what is wrong
        return int(exit_.code or 0)
    except (OSError, ValueError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2


def _run(arguments: argparse.Namespace) -> int:
    cases = [case for case in read_cases(arguments.vectors) if _is_wanted(case, arguments)]
    command = shlex.split(arguments.command)
    if not command:
        raise ValueError("--command is empty")
    if not cases:
        raise ValueError("no case matches --rule and --source")
    questions = "".join(f"{question(case)}\n" for case in cases)
    output_bytes = int(arguments.megabytes * MEGABYTE)
    ran = run(command, questions.encode(), seconds=arguments.seconds, output_bytes=output_bytes)
    verdicts = list(judge(cases, ran.lines()))
    summary = report(verdicts, ran)
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    print(*report_lines(verdicts, summary, arguments.show), sep="\n")
    return 1 if summary["cases"][FAILED] or ran.problem else 0


def _is_wanted(case: Case, arguments: argparse.Namespace) -> bool:
    rules, sources = arguments.rule, arguments.source
    return (not rules or not set(rules).isdisjoint(case["rules"])) and (not sources or case["source"] in sources)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m statsig_segment.conformance",
        description="Check a program in any language against the test vectors.",
        epilog="Exit status: 0 if all cases passed; 1 if a case failed or the program did not end well; "
        "2 for unusable arguments.",
    )
    add: Callable[..., object] = parser.add_argument
    add("--command", required=True, help='how to start the program, for example "node translator.mjs"')
    add("--rule", action="append", metavar="ID", help="only the cases of this rule; repeat it for more rules")
    add("--source", action="append", choices=SOURCES, help="only cases that are documented, observed, or our policy")
    add("--vectors", type=Path, default=VECTORS, metavar="DIR", help="a folder of vector files; default: our own")
    add("--json", type=Path, metavar="FILE", help="also write the report as JSON")
    add("--show", type=int, default=_MAX_FAILURES, metavar="N", help="failures to show (default: %(default)s)")
    add("--seconds", type=_limit, default=_SECONDS, help="time limit of the whole run (default: %(default)g)")
    add("--megabytes", type=_limit, default=_MEGABYTES, help="limit of the program's output (default: %(default)g)")
    return parser


def _limit(text: str) -> float:
    number = float(text)
    if not 0 < number <= TIMEOUT_MAX:
        raise argparse.ArgumentTypeError("a limit is a positive number")
    return number
