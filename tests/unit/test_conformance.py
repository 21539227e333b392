"""The conformance runner: what it sends, how it judges what comes back, what it reports, and what it bounds."""

from __future__ import annotations

import contextlib
import fcntl
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.support.sizes import small_and_large

from statsig_segment.conformance.cases import SENT, VECTORS, question, read_cases
from statsig_segment.conformance.command import main
from statsig_segment.conformance.program import MEGABYTE, Run, run
from statsig_segment.conformance.verdicts import difference, judge

ROOT = Path(__file__).parents[2]
CASES = read_cases(VECTORS)
ADAPTER = ROOT / "tests" / "vectors" / "adapter.py"
TRANSLATOR = ROOT / "examples" / "other_language" / "translator.mjs"


def case(name: str, expected: dict[str, Any], **changes: Any) -> dict[str, Any]:
    made = {"id": name, "rules": ["IN-1"], "source": "doc", "description": "A case.", "operation": "translate"}
    return made | {"input": {"secret-input": name}, "expected": expected} | changes


def reply(name: str, answer: Any) -> str:
    return json.dumps({"id": name, "answer": answer})


def outcomes(cases: list[dict[str, Any]], *lines: str) -> list[str]:
    return [verdict.outcome for verdict in judge(cases, lines)]


FILTERED = case("a", {"skipped": "filtered"})
RIGHT = reply("a", {"skipped": "filtered"})


ODD_ANSWERS: list[Any] = [
    None,
    7,
    [],
    {},
    {"issues": 7},
    {"issues": {"a": 1}},
    {"rows": [7], "outcomes": [7], "bodies": [7]},
    {"rows": [{}]},
    {"patches": [{}]},
    {"patches": 7},
    {"outcomes": 7},
    {"error": 7},
    {"error": {"paths": 7}},
]


class TestAQuestion:
    def test_it_leaves_out_the_expected_answer(self) -> None:
        for asked in CASES:
            sent: dict[str, Any] = json.loads(question(asked))

            assert sent == {key: value for key, value in asked.items() if key in sent}
            assert sent.keys() <= SENT
            assert {"id", "operation"} < sent.keys()

    def test_it_is_one_line_of_ascii(self) -> None:
        line = question(case("a", {}, input="a\nb\u2028é\ud800"))

        assert line.isascii()
        assert len(line.splitlines()) == 1

    def test_it_holds_everything_that_the_answer_depends_on(self) -> None:
        """Every key of a case is either sent or known to have no influence on the answer."""
        kept_back = {"rules", "source", "reference", "description", "expected", "repeats", "secrets"}

        assert {key for found in CASES for key in found} == SENT | kept_back


class TestAVerdict:
    def test_the_expected_answer_passes(self) -> None:
        assert outcomes([FILTERED], RIGHT) == ["passed"]

    def test_another_answer_fails_with_the_difference(self) -> None:
        (verdict,) = judge([FILTERED], [reply("a", {"skipped": "statsig_origin"})])

        assert verdict.outcome == "failed"
        assert '-  "skipped": "filtered"' in verdict.reason
        assert '+  "skipped": "statsig_origin"' in verdict.reason

    def test_an_unsupported_case_neither_passes_nor_fails(self) -> None:
        (verdict,) = judge([FILTERED], ['{"id": "a", "unsupported": true}'])

        assert (verdict.case, verdict.outcome) == (FILTERED, "not supported")

    def test_answers_may_come_in_any_order(self) -> None:
        other = case("b", {"valid": True})

        assert outcomes([FILTERED, other], reply("b", {"valid": True}), RIGHT) == ["passed", "passed"]

    def test_a_case_without_an_answer_fails(self) -> None:
        assert [verdict.reason for verdict in judge([FILTERED], [])] == ["no answer"]

    def test_a_case_with_two_answers_fails_even_if_both_are_right(self) -> None:
        assert [verdict.reason for verdict in judge([FILTERED], [RIGHT, RIGHT])] == ["answered more than once"]

    @pytest.mark.parametrize(
        "line", ["", "oops", "[]", "7", '{"answer": {}}', '{"id": 7}', "[" * 100_000, "9" * 5_000, '{"id": "other"}']
    )
    def test_lines_that_are_not_answers_are_ignored(self, line: str) -> None:
        assert outcomes([FILTERED], line, RIGHT) == ["passed"]

    @pytest.mark.parametrize("answer", ODD_ANSWERS)
    def test_an_answer_of_any_shape_is_judged(self, answer: Any) -> None:
        for expected in (found["expected"] for found in CASES[::50]):
            (verdict,) = judge([case("a", expected)], [reply("a", answer)])

            survived = expected == {"survives": True} and answer == {}
            assert verdict.outcome == ("passed" if survived else verdict.outcome)
            assert bool(verdict.reason) == (verdict.outcome == "failed")


ISSUE = {"code": "id_invalid", "path": "$.a"}
OTHER_ISSUE = {"code": "name_invalid", "path": "$.b"}
ROW = {"target": "$.a", "value": 1}
OTHER_ROW = {"target": "$.b", "value": 2, "rule": "US-1"}
PATCH = {"idList": "a", "add": ["u1"], "remove": []}
LATER_PATCH = {"idList": "a", "add": ["u2"], "remove": []}
OTHER_PATCH = {"idList": "b", "add": ["u3"], "remove": []}


def error(**facts: Any) -> dict[str, Any]:
    return {"error": facts}


class TestTheDifference:
    """What the README of the vectors leaves open makes no difference, and everything else does."""

    @pytest.mark.parametrize(
        ("expected", "answer"),
        [
            ({"value": 1}, {"value": 1.0}),
            ({"value": [{"a": -2.0}]}, {"value": [{"a": -2}]}),
            ({"survives": True}, {"error": {"code": "any"}}),
            ({"event": 1}, {"event": 1, "issues": []}),
            ({"event": 1, "issues": []}, {"event": 1}),
            ({"issues": [ISSUE, OTHER_ISSUE]}, {"issues": [OTHER_ISSUE, ISSUE]}),
            (
                {"issues": [{"code": "a", "path": "$.b"}, {"code": "b", "path": "$.a"}]},
                {"issues": [{"path": "$.a", "code": "b"}, {"path": "$.b", "code": "a"}]},
            ),
            ({"value": {"a": 1, "b": 2}}, {"value": {"b": 2, "a": 1}}),
            ({"rows": [ROW, OTHER_ROW]}, {"rows": [OTHER_ROW, ROW]}),
            ({"rows": [ROW]}, {"rows": [ROW | {"rule": "US-1", "source": "$.x"}]}),
            ({"patches": [PATCH, OTHER_PATCH, LATER_PATCH]}, {"patches": [OTHER_PATCH, PATCH, LATER_PATCH]}),
            ({"batches": [2, 1]}, {"bodies": [{"batch": [5, 6]}, {"batch": [7]}]}),
            (error(code="a"), error(code="a", path="$.x", paths=["$.y"])),
            (error(code="a", paths=["x"]), error(code="a", paths=["$.x"])),
            (error(code="a", paths=["x"]), error(code="a", paths=["$.x.y"])),
            (error(code="a", paths=["x"]), error(code="a", paths=["x[0]", "$.z"])),
            (error(code="a", paths=["x", "z"]), error(code="a", paths=["$.z", "$.x"])),
            ({"outcomes": [error(code="a"), {"event": 1}]}, {"outcomes": [error(code="a", path="$"), {"event": 1}]}),
        ],
    )
    def test_answers_that_agree_have_none(self, expected: dict[str, Any], answer: dict[str, Any]) -> None:
        assert difference(expected, answer) == ""

    @pytest.mark.parametrize(
        ("expected", "answer"),
        [
            ({"value": 1}, {"value": True}),
            ({"value": 1}, {"value": "1"}),
            ({"value": [1, 2]}, {"value": [2, 1]}),
            ({"value": None}, {}),
            ({"event": 1}, {"event": 1, "issues": [ISSUE]}),
            ({"event": 1, "issues": [ISSUE]}, {"event": 1}),
            ({"issues": [ISSUE]}, {"issues": [ISSUE | {"path": "$.b"}]}),
            ({"event": 1}, {"event": 1, "rows": [ROW]}),
            ({"rows": [ROW]}, {"rows": [ROW | {"value": 2}]}),
            ({"rows": [OTHER_ROW]}, {"rows": [{"target": "$.b", "value": 2}]}),
            ({"rows": [ROW]}, {"rows": [ROW, OTHER_ROW]}),
            ({"rows": [ROW, OTHER_ROW]}, {"rows": [ROW]}),
            ({"rows": [ROW]}, {"rows": [ROW, ROW]}),
            ({"patches": [PATCH, LATER_PATCH]}, {"patches": [LATER_PATCH, PATCH]}),
            ({"patches": [PATCH, OTHER_PATCH]}, {"patches": [PATCH]}),
            ({"batches": [2, 1]}, {"bodies": [{"batch": [5]}, {"batch": [6, 7]}]}),
            (error(code="a"), error(code="b")),
            (error(code="a", path="$.x"), error(code="a")),
            (error(code="a", path="$.x"), error(code="a", path="$.y")),
            (error(code="a", paths=["x"]), error(code="a")),
            (error(code="a", paths=["x"]), error(code="a", paths=["$.xy"])),
            (error(code="a", paths=["x.y"]), error(code="a", paths=["$.x"])),
            (error(code="a", paths=["x", "z"]), error(code="a", paths=["$.x"])),
            ({"outcomes": [error(code="a"), {"event": 1}]}, {"outcomes": [error(code="a")]}),
            ({"outcomes": [error(code="a"), {"event": 1}]}, {"outcomes": [{"event": 1}, error(code="a")]}),
        ],
    )
    def test_other_answers_have_one_and_it_is_shown(self, expected: dict[str, Any], answer: dict[str, Any]) -> None:
        lines = difference(expected, answer).splitlines()

        assert lines[:2] == ["--- expected", "+++ answer"]
        assert {line[0] for line in lines[2:]} & {"+", "-"}
        assert lines == difference(expected, dict(reversed(answer.items()))).splitlines()

    def test_it_shows_the_paths_that_were_met_and_those_that_were_not(self) -> None:
        shown = difference(error(paths=["x", "z"]), error(paths=["$.x.y", "$.q"]))

        changes = {(line[0], line[1:].strip(' ",')) for line in shown.splitlines()[2:] if line[0] in "+-"}
        assert changes == {("-", "z"), ("+", "q"), ("+", "x.y")}

    @pytest.mark.parametrize("answer", [{"value": "x" * 10**6}, {"value": [1] * 10**5}], ids=["a text", "an array"])
    def test_it_stays_short_however_long_the_answer_is(self, answer: dict[str, Any]) -> None:
        shown = difference({"value": 1}, answer)

        assert len(shown) < 10_000
        assert shown.count("...") == 1

    def test_a_diff_that_fits_is_whole(self) -> None:
        shown = difference({"value": []}, {"value": [1] * 192}).splitlines()

        assert len(shown) == 200
        assert shown[-1] == " }"


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """Write a folder of three cases of two rules."""
    folder = tmp_path / "vectors"
    folder.mkdir()
    cases = [
        FILTERED,
        case("b", {"valid": True}, rules=["IN-2"], source="policy"),
        case("c", {"valid": True}, rules=[]),
    ]
    (folder / "some.json").write_text(json.dumps({"topic": "some", "cases": cases}), encoding="utf-8")
    (folder / "schema.json").write_text("no cases", encoding="utf-8")
    return folder


ONE_MINUTE = "import signal; signal.alarm(60)"  # a program under test never lives longer, even if its test is killed


def program(folder: Path, source: str) -> str:
    """Write a program, and return the command that runs it."""
    path = folder / "program.py"
    path.write_text(f"import json, os, subprocess, sys\n{ONE_MINUTE}\n{source}\n", encoding="utf-8")
    return f"{sys.executable} {path}"


ANSWERS = 'for line in sys.stdin: print(json.dumps({"id": json.loads(line)["id"], "answer": {"valid": True}}))'


HELP = """
usage: python -m statsig_segment.conformance [-h] --command COMMAND [--rule ID] [--source {doc,seen,policy}]
  [--vectors DIR] [--json FILE] [--show N] [--seconds SECONDS] [--megabytes MEGABYTES]
Check a program in any language against the test vectors.
options:
  -h, --help            show this help message and exit
  --command COMMAND     how to start the program, for example "node translator.mjs"
  --rule ID             only the cases of this rule; repeat it for more rules
  --source {doc,seen,policy}
                        only cases that are documented, observed, or our policy
  --vectors DIR         a folder of vector files; default: our own
  --json FILE           also write the report as JSON
  --show N              failures to show (default: 20)
  --seconds SECONDS     time limit of the whole run (default: 300)
  --megabytes MEGABYTES limit of the program's output (default: 128)
Exit status: 0 if all cases passed; 1 if a case failed or the program did not end well; 2 for unusable arguments.
"""


REPORT = """\
a: A case. (IN-1; doc)
--- expected
+++ answer
@@ -1,3 +1,3 @@
 {
-  "skipped": "filtered"
+  "valid": true
 }

rule   passed   failed  not supported
IN-1        0        1              0
IN-2        1        0              0
none        1        0              0

Standard error of the program, its end:
so far, so bad

The program exited with status 3.

3 cases: 2 passed, 1 failed, 0 not supported
"""


class TestARun:
    def test_it_counts_by_rule_and_fails_as_a_whole(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command = program(tmp_path, ANSWERS)

        status = main(["--command", command, "--vectors", str(vectors), "--json", str(tmp_path / "report.json")])

        text = (tmp_path / "report.json").read_text(encoding="utf-8")
        report = json.loads(text)
        one = {"passed": 1, "failed": 0, "not supported": 0}
        assert status == 1
        assert report["cases"] == {"passed": 2, "failed": 1, "not supported": 0}
        assert report["rules"] == {"IN-1": {"passed": 0, "failed": 1, "not supported": 0}, "IN-2": one, "none": one}
        assert list(report["failed"]) == ["a"]
        assert (report["problem"], report["error_output"]) == ("", "")
        assert text == f"{json.dumps(report, indent=2)}\n"
        assert "3 cases: 2 passed, 1 failed, 0 not supported" in capsys.readouterr().out

    def test_the_report_shows_failures_rules_problems_and_the_sum(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command = program(tmp_path, f"{ANSWERS}\nprint('so far, so bad', file=sys.stderr)\nsys.exit(3)")

        assert main(["--command", command, "--vectors", str(vectors)]) == 1
        assert capsys.readouterr().out == REPORT

    @pytest.mark.parametrize(
        ("options", "passed"),
        [
            (["--rule", "IN-2"], 1),
            (["--source", "policy"], 1),
            (["--source", "policy", "--source", "seen"], 1),
            (["--rule", "IN-1", "--source", "policy"], 0),
        ],
    )
    def test_options_choose_the_cases(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], passed: int
    ) -> None:
        status = main(["--command", program(tmp_path, ANSWERS), "--vectors", str(vectors), *options])

        assert status == (0 if passed else 2)
        assert ("1 cases: 1 passed" in capsys.readouterr().out) == bool(passed)

    def test_an_option_says_how_many_failures_are_shown(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        silent = program(tmp_path, "")

        assert main(["--command", silent, "--vectors", str(vectors), "--show", "1"]) == 1

        out = capsys.readouterr().out
        assert out.count("no answer") == 1
        assert "... and 2 more failures" in out
        assert main(["--command", silent, "--vectors", str(vectors), "--show", "3"]) == 1
        assert "more failures" not in capsys.readouterr().out

    def test_rules_are_listed_in_their_order_with_all_their_cases(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rules = [["US-1", "AU-1"], ["IN-2"], ["AU-1"], []]
        cases = [case(f"c{number}", {"valid": False}, rules=some) for number, some in enumerate(rules)]
        (tmp_path / "some.json").write_text(json.dumps({"cases": cases}), encoding="utf-8")

        assert main(["--command", program(tmp_path, ANSWERS), "--vectors", str(tmp_path)]) == 1

        lines = capsys.readouterr().out.splitlines()
        assert lines[0] == "c0: A case. (US-1, AU-1; doc)"
        assert [line.split()[:3] for line in lines[-7:-2]] == [
            ["rule", "passed", "failed"],
            ["IN-2", "0", "1"],
            ["US-1", "0", "1"],
            ["AU-1", "0", "2"],
            ["none", "0", "1"],
        ]

    @pytest.mark.parametrize("written", ["b'\\xff\\xfe\\n' * 1000", "b'[' * 10_000_000", "b'\\0'"])
    def test_garbage_is_not_an_answer(self, vectors: Path, tmp_path: Path, written: str) -> None:
        command = program(tmp_path, f"sys.stdout.buffer.write({written})")

        assert main(["--command", command, "--vectors", str(vectors)]) == 1

    def test_an_answer_may_hold_what_python_takes_for_the_end_of_a_line(self, vectors: Path, tmp_path: Path) -> None:
        source = r"""sys.stdout.buffer.write('{"id": "b", "answer": {"valid": true}, "note": "\u2028\x85"}'.encode())"""

        assert main(["--command", program(tmp_path, source), "--vectors", str(vectors), "--rule", "IN-2"]) == 0

    def test_an_answer_that_cannot_be_printed_as_it_is_has_failed(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        source = r"""print('{"id": "b", "answer": {"valid": "\\ud800"}}')"""

        assert main(["--command", program(tmp_path, source), "--vectors", str(vectors), "--rule", "IN-2"]) == 1
        assert r"\ud800" in capsys.readouterr().out

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"cases": 1}', '{"cases": [1]}', '{"cases": [{}]}', "[" * 10**5])
    def test_a_file_without_vectors_gives_status_2(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "other.json").write_text(text, encoding="utf-8")

        assert main(["--command", "true", "--vectors", str(tmp_path)]) == 2

    @pytest.mark.parametrize(
        "arguments",
        [
            [],
            ["--command", ""],
            ["--command", "'"],
            ["--command", "no-such-program-anywhere"],
            ["--command", "true", "--vectors", "no-such-folder"],
            ["--command", "true", "--rule", "XX-1"],
            ["--command", "true", "--source", "hearsay"],
            ["--command", "true", "--seconds", "0"],
            ["--command", "true", "--seconds", "nan"],
            ["--command", "true", "--seconds", "inf"],
            ["--command", "true", "--megabytes", "-1"],
            ["--command", "true", "--megabytes", "many"],
            ["--command", "true", "--json", "no-such-folder/report.json"],
        ],
    )
    def test_unusable_arguments_give_status_2(self, arguments: list[str]) -> None:
        assert main(arguments) == 2

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--command", ""], "--command is empty"),
            (["--command", "true", "--rule", "XX-1"], "no case matches --rule and --source"),
        ],
    )
    def test_the_message_says_which_argument_is_unusable(
        self, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
    ) -> None:
        main(arguments)

        assert capsys.readouterr() == ("", f"conformance: {message}\n")

    def test_the_message_names_a_file_without_vectors(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "other.json"
        path.write_text("[]", encoding="utf-8")

        main(["--command", "true", "--vectors", str(tmp_path)])

        assert capsys.readouterr() == ("", f"conformance: {path} does not contain test vectors\n")

    def test_a_case_needs_no_more_than_the_schema_says(self, tmp_path: Path) -> None:
        bare = {key: value for key, value in FILTERED.items() if key != "input"}
        (tmp_path / "some.json").write_text(json.dumps({"cases": [bare]}), encoding="utf-8")

        assert read_cases(tmp_path) == [bare]

    def test_help_describes_each_argument(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "1000")

        assert main(["--help"]) == 0
        assert capsys.readouterr().out.split() == HELP.split()


ANSWER_B = 'print(json.dumps({"id": "b", "answer": {"valid": True}}), flush=True)'
HANG = "signal.pause()"
LOCKED = "import fcntl; lock = open({lock!r}, 'w'); fcntl.flock(lock, fcntl.LOCK_EX)"


def child(lock: Path, then: str, **options: object) -> str:
    """Write the source of a program that starts a child, waits until the child holds a lock, and goes on."""
    arguments = "".join(f", {name}={value}" for name, value in options.items())
    ready = f"{ONE_MINUTE}; {LOCKED.format(lock=str(lock))}; open({str(lock) + '.ready'!r}, 'w').close(); {then}"
    return (
        f"import time; subprocess.Popen([sys.executable, '-c', {ready!r}]{arguments})\n"
        f"while not os.path.exists({str(lock) + '.ready'!r}): time.sleep(0.01)"
    )


def is_alive(lock: Path) -> bool:
    """Say whether a process still holds a lock, after giving the system a moment to end it."""
    with lock.open() as file:
        for _ in range(200):
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return False
            time.sleep(0.01)
    return True


def ran(folder: Path, source: str, *, seconds: float = 30, megabytes: float = 1) -> Run:
    """Run a program on one question."""
    command = program(folder, source).split()
    return run(command, b"{}\n", seconds=seconds, output_bytes=int(megabytes * MEGABYTE))


class TestTheLimits:
    """The program and all that it starts are bounded in time and output, and none of them outlives the run."""

    @pytest.mark.parametrize(
        ("source", "problem"),
        [
            (f"{ANSWER_B}; os._exit(3)", "The program exited with status 3."),
            (f"{ANSWER_B}; os.abort()", "The program was killed by the signal SIGABRT."),
            (f"{ANSWER_B}; {HANG}", "The program was stopped after 2 seconds."),
            (
                f"{ANSWER_B}\nwhile True: print('x' * 1000)",
                "The program was stopped because it wrote more than 0.5 MB.",
            ),
        ],
        ids=["it fails", "it crashes", "it hangs", "it floods"],
    )
    def test_what_a_program_wrote_before_it_failed_counts(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, problem: str
    ) -> None:
        command = ["--command", program(tmp_path, source), "--vectors", str(vectors)]

        assert main([*command, "--seconds", "2", "--megabytes", "0.5"]) == 1

        assert capsys.readouterr().out.endswith(f"\n{problem}\n\n3 cases: 1 passed, 2 failed, 0 not supported\n")

    @pytest.mark.skipif(not hasattr(signal, "SIGRTMIN"), reason="signals of real time are not everywhere")
    def test_a_signal_without_a_name_is_told_by_its_number(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        number = signal.SIGRTMIN + 6
        command = program(tmp_path, f"{ANSWER_B}; os.kill(os.getpid(), {number})")

        assert main(["--command", command, "--vectors", str(vectors)]) == 1

        assert f"The program was killed by the signal {number}." in capsys.readouterr().out

    @pytest.mark.parametrize("end", ["sys.exit(3)", HANG], ids=["it fails", "it hangs"])
    def test_a_program_that_ends_badly_does_not_pass_even_if_every_case_does(
        self, vectors: Path, tmp_path: Path, end: str
    ) -> None:
        command = ["--command", program(tmp_path, f"{ANSWER_B}; {end}"), "--vectors", str(vectors)]

        assert main([*command, "--rule", "IN-2", "--seconds", "2"]) == 1

    def test_output_up_to_the_limit_is_whole(self, tmp_path: Path) -> None:
        assert len(ran(tmp_path, "print('x' * 999_999)").output) == MEGABYTE

    def test_output_over_the_limit_is_not_kept(self, tmp_path: Path) -> None:
        result = ran(tmp_path, "while True: print('x' * 999_999)")

        assert MEGABYTE < len(result.output) < 2 * MEGABYTE
        assert "1 MB" in result.problem

    def test_a_flood_of_errors_is_read_and_its_end_kept(self, tmp_path: Path) -> None:
        result = ran(tmp_path, "sys.stderr.write('x' * 10_000_000 + 'the end'); print('done')", megabytes=20)

        assert (result.output, result.problem) == (b"done\n", "")
        assert len(result.error_output) == 4_000
        assert result.error_output.endswith("xthe end")

    def test_an_endless_flood_of_errors_ends_at_the_limit_of_the_output(self, tmp_path: Path) -> None:
        result = ran(tmp_path, "while True: sys.stderr.write('x' * 1000)")

        assert "wrote more than 1 MB" in result.problem
        assert len(result.error_output) == 4_000

    def test_errors_cannot_steer_a_terminal(self, tmp_path: Path) -> None:
        result = ran(tmp_path, "sys.stderr.buffer.write(b'\\x1b[2J\\r\\n\\xc3\\xa9\\xff')")

        assert result.error_output == r"\x1b[2J\r" + "\n" + r"\xe9\ufffd"

    def test_a_program_that_does_not_read_its_questions_hinders_nobody(self, tmp_path: Path) -> None:
        command = program(tmp_path, "print('done')").split()

        result = run(command, b"x" * 1_000_000, seconds=30, output_bytes=MEGABYTE)

        assert (result.output, result.problem) == (b"done\n", "")

    @pytest.mark.slow
    def test_a_child_that_keeps_the_output_open_is_stopped_with_the_program(self, tmp_path: Path) -> None:
        lock, start = tmp_path / "lock", time.monotonic()

        result = ran(tmp_path, f"{child(lock, HANG)}\nprint('done')")

        assert (result.output, result.problem) == (b"done\n", "")
        assert not is_alive(lock)
        assert time.monotonic() - start < 20

    @pytest.mark.parametrize("end", ["print('done')", "print('x' * 2_000_000)", "os.abort()"])
    def test_a_child_in_the_background_does_not_outlive_the_program(self, tmp_path: Path, end: str) -> None:
        lock = tmp_path / "lock"
        silent = dict.fromkeys(("stdin", "stdout", "stderr"), "subprocess.DEVNULL")

        ran(tmp_path, f"{child(lock, HANG, **silent)}\n{end}")

        assert not is_alive(lock)

    def test_nothing_outlives_a_run_that_is_interrupted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        lock = tmp_path / "lock"

        def size_of(_: object) -> int:
            while not Path(f"{lock}.ready").exists():
                time.sleep(0.01)
            raise KeyboardInterrupt

        monkeypatch.setattr("statsig_segment.conformance.program._size", size_of)
        with pytest.raises(KeyboardInterrupt):
            ran(tmp_path, f"{child(lock, HANG)}\n{HANG}")

        assert not is_alive(lock)

    @pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only found where there is a /proc")
    @pytest.mark.parametrize("end", ["print('done')", HANG], ids=["it ends", "it hangs"])
    def test_a_child_with_a_session_of_its_own_does_not_outlive_the_program(self, tmp_path: Path, end: str) -> None:
        lock = tmp_path / "lock"

        ran(tmp_path, f"{child(lock, HANG, start_new_session=True)}\n{end}", seconds=3)

        assert not is_alive(lock)

    @pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="only found where there is a /proc")
    def test_nor_does_a_daemon(self, tmp_path: Path) -> None:
        """A process whose parent has ended, in a session of its own."""
        lock = tmp_path / "lock"
        twice = f"import os, sys, subprocess\n{child(lock, HANG, start_new_session=True)}"

        ran(tmp_path, f"subprocess.run([sys.executable, '-c', {twice!r}], start_new_session=True)")

        assert not is_alive(lock)

    def test_a_process_without_the_mark_is_left_alone(self, tmp_path: Path) -> None:
        with subprocess.Popen([sys.executable, "-c", f"{ONE_MINUTE}; {HANG}"]) as bystander:  # noqa: S603 - our own
            ran(tmp_path, "print('done')")

            assert bystander.poll() is None
            bystander.kill()


class TestTheVectorsAgainstPrograms:
    @pytest.mark.parametrize("rules", small_and_large(["AU-5", "WI-1"], []))
    def test_this_library_passes_every_case(self, tmp_path: Path, rules: list[str]) -> None:
        asked = [found for found in CASES if not rules or not set(rules).isdisjoint(found["rules"])]

        report = reported(f"{sys.executable} {ADAPTER}", tmp_path, *(f"--rule={rule}" for rule in rules))

        assert report["cases"] == {"passed": len(asked), "failed": 0, "not supported": 0}

    @pytest.mark.skipif(shutil.which("node") is None, reason="the example is JavaScript, and there is no Node here")
    def test_the_example_in_javascript_passes_what_it_supports(self, tmp_path: Path) -> None:
        supported = [
            found for found in CASES if found["operation"] in {"url_verification_code", "verify_statsig_signature"}
        ]

        report = reported(f"node {TRANSLATOR}", tmp_path)

        assert report["cases"] == {
            "passed": len(supported),
            "failed": 0,
            "not supported": len(CASES) - len(supported),
        }


def reported(command: str, folder: Path, *options: str) -> dict[str, Any]:
    """Run the command as a user does, and return its report."""
    path = folder / "report.json"
    line = [sys.executable, "-m", "statsig_segment.conformance", "--command", command, "--json", str(path), *options]
    subprocess.run(line, check=True, capture_output=True)  # noqa: S603 - our own interpreter
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report
