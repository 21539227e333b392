"""The conformance runner: what it sends, how it judges what comes back, what it reports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from statsig_segment.conformance.runner import SENT, VECTORS, difference, judge, main, question, read_cases

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


class TestWhatIsSent:
    @pytest.mark.parametrize("sent", CASES, ids=lambda sent: str(sent["id"]))
    def test_nothing_of_what_is_expected(self, sent: dict[str, Any]) -> None:
        told: dict[str, Any] = json.loads(question(sent))

        assert told == {key: value for key, value in sent.items() if key in told}
        assert told.keys() <= SENT
        assert {"id", "operation"} < told.keys()

    def test_one_line_of_ascii(self) -> None:
        line = question(case("a", {}, input="a\nb\u2028é\ud800"))

        assert line.isascii()
        assert len(line.splitlines()) == 1

    def test_everything_that_an_answer_depends_on(self) -> None:
        """A key that a new case has is either sent, or says nothing about the answer."""
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

    def test_what_is_not_supported_neither_passes_nor_fails(self) -> None:
        (verdict,) = judge([FILTERED], ['{"id": "a", "unsupported": true}'])

        assert (verdict.case, verdict.outcome) == (FILTERED, "not supported")

    def test_the_order_of_answers_is_free(self) -> None:
        other = case("b", {"valid": True})

        assert outcomes([FILTERED, other], reply("b", {"valid": True}), RIGHT) == ["passed", "passed"]

    def test_no_answer_fails(self) -> None:
        assert [verdict.reason for verdict in judge([FILTERED], [])] == ["no answer"]

    def test_two_answers_fail_even_where_both_are_right(self) -> None:
        assert [verdict.reason for verdict in judge([FILTERED], [RIGHT, RIGHT])] == ["answered more than once"]

    @pytest.mark.parametrize(
        "line", ["", "oops", "[]", "7", '{"answer": {}}', '{"id": 7}', "[" * 100_000, "9" * 5_000, '{"id": "other"}']
    )
    def test_lines_that_are_no_answers_are_passed_over(self, line: str) -> None:
        assert outcomes([FILTERED], line, RIGHT) == ["passed"]

    @pytest.mark.parametrize("expected", [found["expected"] for found in CASES[::50]])
    @pytest.mark.parametrize("answer", ODD_ANSWERS)
    def test_an_answer_of_any_shape_is_judged(self, expected: dict[str, Any], answer: Any) -> None:
        (verdict,) = judge([case("a", expected)], [reply("a", answer)])

        assert verdict.outcome == ("passed" if expected == {"survives": True} and answer == {} else verdict.outcome)
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
    """What the README of the vectors leaves open makes none, and everything else does."""

    @pytest.mark.parametrize(
        ("expected", "told"),
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
    def test_there_is_none(self, expected: dict[str, Any], told: dict[str, Any]) -> None:
        assert difference(expected, told) == ""

    @pytest.mark.parametrize(
        ("expected", "told"),
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
    def test_there_is_one_and_it_is_told(self, expected: dict[str, Any], told: dict[str, Any]) -> None:
        lines = difference(expected, told).splitlines()

        assert lines[:2] == ["--- expected", "+++ answer"]
        assert {line[0] for line in lines[2:]} & {"+", "-"}
        assert lines == difference(expected, dict(reversed(told.items()))).splitlines()

    def test_the_paths_that_were_met_are_told_with_those_that_were_not(self) -> None:
        told = difference(error(paths=["x", "z"]), error(paths=["$.x.y", "$.q"]))

        changes = {(line[0], line[1:].strip(' ",')) for line in told.splitlines()[2:] if line[0] in "+-"}
        assert changes == {("-", "z"), ("+", "q"), ("+", "x.y")}


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


def program(folder: Path, source: str) -> str:
    """Write a program, and give the command that runs it."""
    path = folder / "program.py"
    path.write_text(f"import json, os, sys, time\n{source}\n", encoding="utf-8")
    return f"{sys.executable} {path}"


ANSWERS = 'for line in sys.stdin: print(json.dumps({"id": json.loads(line)["id"], "answer": {"valid": True}}))'


HELP = """
usage: python -m statsig_segment.conformance [-h] --command COMMAND [--rule ID] [--source {doc,seen,policy}]
  [--vectors DIR] [--json FILE] [--show N] [--seconds SECONDS]
Hold a program in any language against the test vectors.
options:
  -h, --help         show this help message and exit
  --command COMMAND  the program with its arguments, as "node translator.mjs"
  --rule ID          only the cases of this rule; may be given more than once
  --source {doc,seen,policy}
                     only cases documented, observed, or of our policy
  --vectors DIR      a folder of vector files; default: our own
  --json FILE        write the report as JSON, too
  --show N           show so many failed cases (default 20)
  --seconds SECONDS  the time that the program has (default 300)
Exit status: 0; 1 where a case failed; 2 for unusable arguments.
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

the program ended with exit status 3

3 cases: 2 passed, 1 failed, 0 not supported
"""


class TestARun:
    def test_it_counts_by_rule_and_fails_as_a_whole(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command = program(tmp_path, ANSWERS)

        status = main(["--command", command, "--vectors", str(vectors), "--json", str(tmp_path / "report.json")])

        text = (tmp_path / "report.json").read_text(encoding="utf-8")
        told = json.loads(text)
        one = {"passed": 1, "failed": 0, "not supported": 0}
        assert status == 1
        assert told["cases"] == {"passed": 2, "failed": 1, "not supported": 0}
        assert told["rules"] == {"IN-1": {"passed": 0, "failed": 1, "not supported": 0}, "IN-2": one, "none": one}
        assert list(told["failed"]) == ["a"]
        assert told["trouble"] == ""
        assert text == f"{json.dumps(told, indent=2)}\n"
        assert "3 cases: 2 passed, 1 failed, 0 not supported" in capsys.readouterr().out

    def test_the_report_shows_failures_rules_trouble_and_the_sum(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        command = program(tmp_path, f"{ANSWERS}\nsys.exit(3)")

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
    def test_only_the_cases_that_are_asked_for(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], passed: int
    ) -> None:
        status = main(["--command", program(tmp_path, ANSWERS), "--vectors", str(vectors), *options])

        assert status == (0 if passed else 2)
        assert ("1 cases: 1 passed" in capsys.readouterr().out) == bool(passed)

    def test_so_many_failures_are_shown_as_are_asked_for(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        silent = program(tmp_path, "")

        assert main(["--command", silent, "--vectors", str(vectors), "--show", "1"]) == 1

        out = capsys.readouterr().out
        assert out.count("no answer") == 1
        assert "... and 2 more that failed" in out
        assert main(["--command", silent, "--vectors", str(vectors), "--show", "3"]) == 1
        assert "more that failed" not in capsys.readouterr().out

    def test_rules_are_told_in_their_order_with_all_their_cases(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        rules = [["US-1", "AU-1"], ["IN-2"], ["AU-1"], []]
        cases = [case(f"c{at}", {"valid": False}, rules=some) for at, some in enumerate(rules)]
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

    @pytest.mark.parametrize(
        ("source", "trouble"),
        [
            ('print(\'{"id": "b", "answer": {"valid": true}}\', flush=True); os._exit(3)', "exit status 3"),
            ('print(\'{"id": "b", "answer": {"valid": true}}\', flush=True); time.sleep(600)', "ended after"),
        ],
        ids=["it dies", "it hangs"],
    )
    def test_what_a_program_wrote_until_it_failed_counts(
        self, vectors: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, trouble: str
    ) -> None:
        command = program(tmp_path, source)

        assert main(["--command", command, "--vectors", str(vectors), "--seconds", "2"]) == 1

        out = capsys.readouterr().out
        assert trouble in out
        assert "3 cases: 1 passed, 2 failed" in out

    @pytest.mark.parametrize("written", ["b'\\xff\\xfe\\n' * 1000", "b'[' * 10_000_000", "b'\\0'"])
    def test_garbage_is_no_answer(self, vectors: Path, tmp_path: Path, written: str) -> None:
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
            ["--command", "true", "--json", "no-such-folder/report.json"],
        ],
    )
    def test_unusable_arguments_give_status_2(self, arguments: list[str]) -> None:
        assert main(arguments) == 2

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (["--command", ""], "no command"),
            (["--command", "true", "--rule", "XX-1"], "no such cases"),
        ],
    )
    def test_it_is_told_which(self, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
        main(arguments)

        assert capsys.readouterr() == ("", f"conformance: {told}\n")

    def test_so_is_a_file_without_vectors(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        path = tmp_path / "other.json"
        path.write_text("[]", encoding="utf-8")

        main(["--command", "true", "--vectors", str(tmp_path)])

        assert capsys.readouterr() == ("", f"conformance: {path} holds no test vectors\n")

    def test_a_case_needs_no_more_than_the_schema_says(self, tmp_path: Path) -> None:
        bare = {key: value for key, value in FILTERED.items() if key != "input"}
        (tmp_path / "some.json").write_text(json.dumps({"cases": [bare]}), encoding="utf-8")

        assert read_cases(tmp_path) == [bare]

    def test_help_tells_each_argument(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLUMNS", "1000")

        assert main(["--help"]) == 0
        assert capsys.readouterr().out.split() == HELP.split()


class TestTheVectorsAgainstPrograms:
    def test_this_library_passes_every_case(self, tmp_path: Path) -> None:
        told = run(f"{sys.executable} {ADAPTER}", tmp_path)

        assert told["cases"] == {"passed": len(CASES), "failed": 0, "not supported": 0}

    @pytest.mark.skipif(shutil.which("node") is None, reason="the example is JavaScript, and there is no Node here")
    def test_the_example_in_javascript_passes_what_it_supports(self, tmp_path: Path) -> None:
        supported = [
            found for found in CASES if found["operation"] in {"url_verification_code", "verify_statsig_signature"}
        ]

        told = run(f"node {TRANSLATOR}", tmp_path)

        assert told["cases"] == {
            "passed": len(supported),
            "failed": 0,
            "not supported": len(CASES) - len(supported),
        }


def run(command: str, folder: Path) -> dict[str, Any]:
    """Run the command as a user does, and give its report."""
    report = folder / "report.json"
    line = [sys.executable, "-m", "statsig_segment.conformance", "--command", command, "--json", str(report)]
    subprocess.run(line, check=True, capture_output=True)  # noqa: S603 - our own interpreter
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return told
