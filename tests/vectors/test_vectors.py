"""Run the test vectors, and hold the vector files to their schema and to the promises of their README."""

from __future__ import annotations

import copy
import itertools
import json
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from jsonschema import Draft202012Validator
from tests.support.sizes import small_and_large
from tests.vectors import adapter

from statsig_segment.conformance.cases import read_cases
from statsig_segment.conformance.verdicts import difference

HERE = Path(__file__).parent

Case = dict[str, Any]

SCHEMA: Case = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))
DEFINITIONS: Case = SCHEMA["$defs"]
FILES = sorted(path for path in HERE.glob("*.json") if path.name != "schema.json")
CASES: list[Case] = [{**case} for case in read_cases(HERE)]
CASES_OF: dict[str, list[Case]] = {}
"""The cases of each rule or, where a case is about none, of each word that an id begins with."""
for found in CASES:
    CASES_OF.setdefault(re.split(r"(?<=[\da-z])-", found["id"])[0], []).append(found)
RULES: list[str] = DEFINITIONS["case"]["properties"]["rules"]["items"]["enum"]

# A case per rule that the files must have is what the schema names; these are about what no answer shows.
NOT_SHOWN_BY_A_VECTOR: dict[str, str] = {
    "IN-10": "JSON cannot hold the values that it is about: tests/properties/test_python_values.py",
}

# The five calls that are read: the same word under `type` in two items of a list says which rules apply, not more.
CALLS = {"track", "page", "screen", "group", "identify"}

EVENT: Case = {"eventName": "segment::Opened", "user": {"userID": "user-1"}, "metadata": {}}

DEPARTING: list[tuple[Case, Case]] = [
    ({"event": EVENT}, {"event": EVENT | {"time": 0}}),
    ({"event": EVENT}, {"event": EVENT, "issues": [{"code": "id_invalid", "path": "$.userId"}]}),
    ({"event": EVENT, "issues": [{"code": "id_invalid", "path": "$.userId"}]}, {"event": EVENT}),
    ({"event": EVENT | {"value": 1}}, {"event": EVENT | {"value": True}}),
    ({"event": EVENT | {"value": 1}}, {"event": EVENT | {"value": "1"}}),
    ({"event": EVENT}, {"skipped": "filtered"}),
    ({"skipped": "filtered"}, {"skipped": "statsig_origin"}),
    ({"error": {"code": "missing_type"}}, {"error": {"code": "missing_event"}}),
    ({"error": {"code": "missing_type", "path": "$.type"}}, {"error": {"code": "missing_type"}}),
    ({"error": {}}, {"valid": True}),
    ({"valid": True}, {"error": {"code": "signature"}}),
    ({"error": {"paths": ["inbound.a"]}}, {"error": {"paths": ["inbound.b"]}}),
    ({"error": {"paths": ["inbound.a"]}}, {"error": {"paths": ["inbound.ab"]}}),
    ({"error": {"paths": ["inbound.a", "inbound.b"]}}, {"error": {"paths": ["inbound.b"]}}),
    ({"outcomes": [{"skipped": "filtered"}]}, {"outcomes": []}),
    ({"rows": []}, {"rows": [{"target": "$.time", "value": 0, "source": None, "rule": "IN-5"}]}),
    ({"rows": [{"target": "$.time", "value": 0, "rule": "IN-5"}]}, {"rows": []}),
    ({"payloads": [1, 2]}, {"payloads": [2, 1]}),
    ({"batches": [2], "rejected": []}, {"bodies": [{"batch": [{}]}], "rejected": []}),
    ({"audience": None}, {"audience": {"idList": "abc", "member": False}}),
]

AGREEING: list[tuple[Case, Case]] = [
    ({"event": EVENT | {"value": 1}}, {"event": EVENT | {"value": 1.0}}),
    ({"event": EVENT}, {"event": EVENT, "issues": []}),
    ({"error": {"code": "missing_type"}}, {"error": {"code": "missing_type", "path": "$.type"}}),
    ({"error": {"paths": ["inbound.a"]}}, {"error": {"paths": ["$.inbound.a[0].b", "outbound"]}}),
    (
        {"rows": [{"target": "$.time", "value": 0}]},
        {"rows": [{"target": "$.time", "value": 0, "rule": "IN-5"}]},
    ),
    ({"batches": [1], "rejected": []}, {"bodies": [{"batch": [{}]}], "rejected": []}),
    ({"survives": True}, {"error": {"code": "invalid_json"}}),
]


class TestTheFiles:
    def test_the_schema_is_one(self) -> None:
        Draft202012Validator.check_schema(SCHEMA)

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_fits_the_schema(self, path: Path) -> None:
        validator: Any = Draft202012Validator(SCHEMA)
        found = validator.iter_errors(json.loads(path.read_text(encoding="utf-8")))

        assert [f"{error.json_path}: {error.message[:300]}" for error in found] == []

    @pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
    def test_each_is_named_for_its_topic(self, path: Path) -> None:
        assert json.loads(path.read_text(encoding="utf-8"))["topic"] == path.stem

    def test_each_case_has_an_id_of_its_own(self) -> None:
        assert [name for name, count in Counter(case["id"] for case in CASES).items() if count > 1] == []

    def test_no_two_cases_are_the_same(self) -> None:
        """Cases that differ in nothing but id and words test nothing twice."""
        words = {"id", "description", "rules", "source", "reference", "repeats"}
        bare = Counter(json.dumps({k: case[k] for k in sorted(case.keys() - words)}) for case in CASES)
        twice = {text for text, count in bare.items() if count > 1}

        assert [
            case["id"] for case in CASES if json.dumps({k: case[k] for k in sorted(case.keys() - words)}) in twice
        ] == []

    def test_a_case_begins_with_its_first_rule_or_its_topic(self) -> None:
        begins = {case["id"]: (*case["rules"], "config", "explain") for case in CASES}

        assert [name for name, starts in begins.items() if not name.startswith(tuple(f"{s}-" for s in starts))] == []

    def test_every_rule_is_shown(self) -> None:
        shown = {rule for case in CASES for rule in case["rules"]}

        assert [rule for rule in RULES if rule not in shown | NOT_SHOWN_BY_A_VECTOR.keys()] == []

    def test_every_rule_of_an_explanation_is_shown(self) -> None:
        told = {row["rule"] for case in CASES for row in case["expected"].get("rows", [])}

        assert told == {
            *("AU-2", "ID-1", "ID-2", "ID-4", "IN-5", "US-1", "US-2", "US-3", "US-4", "US-5", "US-7", "US-8"),
            *("US-10", "US-11"),
        }

    def test_every_code_is_shown(self) -> None:
        named = {
            *DEFINITIONS["errorCode"]["enum"],
            *DEFINITIONS["skipped"]["properties"]["skipped"]["enum"],
            *DEFINITIONS["issues"]["items"]["properties"]["code"]["enum"],
        }
        shown = {value for case in CASES for value in leaves(case["expected"])}

        assert sorted(named - shown) == []

    def test_every_operation_is_shown(self) -> None:
        assert {case["operation"] for case in CASES} == adapter.OPERATIONS.keys()


class TestTheValuesOfACase:
    """Where two fields hold the same value, an implementation that swaps them passes."""

    def test_they_differ_or_the_case_says_why_not(self) -> None:
        assert {case["id"]: twice for case in CASES if "repeats" not in case and (twice := repeated(case))} == {}

    def test_a_reason_is_given_only_where_one_is_needed(self) -> None:
        assert [case["id"] for case in CASES if "repeats" in case and not repeated(case)] == []


class TestTheLibrary:
    @pytest.mark.parametrize("name", CASES_OF)
    def test_it_answers_as_expected(self, name: str) -> None:
        self.ask([case for case in CASES_OF[name] if "input_parts" not in case])

    @pytest.mark.parametrize("forms", small_and_large(1, 3))
    def test_it_answers_as_expected_where_the_input_is_long(self, forms: int) -> None:
        self.ask([case for case in CASES if "input_parts" in case], forms)

    @staticmethod
    def ask(cases: list[Case], forms: int = 3) -> None:
        wrong: list[str] = []
        for case in cases:
            before = copy.deepcopy(case)
            for form, given in itertools.islice(adapter.forms(case), forms):
                if departs := difference(case["expected"], adapter.answer(given)):
                    wrong.append(f"{case['id']}: {case['description']} ({form})\n{departs}")
            if case != before:
                wrong.append(f"{case['id']}: the input was changed")

        assert not wrong, "\n".join(wrong)

    @pytest.mark.parametrize("case", [case for case in CASES if "secrets" in case], ids=lambda case: str(case["id"]))
    def test_it_keeps_secrets(self, case: Case) -> None:
        for form, given in adapter.forms(case):
            _, texts = adapter.answer_and_texts(given)
            told = [secret for secret in case["secrets"] for text in texts if secret in text]
            assert not told, f"{case['description']} ({form})"

    def test_the_secrets_are_in_the_input(self) -> None:
        secretive = [case for case in CASES if "secrets" in case]

        assert [case["id"] for case in secretive if not set(case["secrets"]) <= set(hidden(case))] == []


class TestTheComparison:
    """A comparison that cannot fail proves nothing."""

    @pytest.mark.parametrize(("expected", "told"), DEPARTING)
    def test_it_tells_a_difference(self, expected: Case, told: Case) -> None:
        assert difference(expected, told)

    @pytest.mark.parametrize(("expected", "told"), AGREEING)
    def test_it_lets_pass_what_is_open(self, expected: Case, told: Case) -> None:
        assert difference(expected, told) == ""


# -- What the checks above look at ------------------------------------------------------------------------------------


def leaves(value: object) -> Iterator[object]:
    """Give every value that is neither an object nor an array; keys are names and do not count."""
    if isinstance(value, dict):
        for item in cast("dict[str, object]", value).values():
            yield from leaves(item)
    elif isinstance(value, list):
        for item in cast("list[object]", value):
            yield from leaves(item)
    else:
        yield value


def repeated(case: Case) -> list[str]:
    """Give the JSON text of each value that the input of a case holds more than once."""
    if case["operation"] == "load_config" or "input_parts" in case:
        return []  # an answer that holds no value of the input, and texts made of nothing but repetition
    seen = Counter(json.dumps(value) for value in leaves(without_call_types(given(case))))
    return sorted(text for text, count in seen.items() if count > 1)


def given(case: Case) -> object:
    """Give the input of a case as a value with every key that it names, or nothing where it is no JSON."""
    try:
        return json.loads(adapter.source(case), object_pairs_hook=pairs) if "input" not in case else case["input"]
    except ValueError:
        return None


def pairs(found: list[tuple[str, object]]) -> object:
    """Keep every value of a repeated key."""
    table = dict(found)
    return table if len(table) == len(found) else [{key: value} for key, value in found]


def without_call_types(value: object) -> object:
    """Drop the `type` of calls, which repeats in every list of them."""
    if isinstance(value, dict):
        table = cast("dict[str, object]", value)
        return {
            k: without_call_types(v)
            for k, v in table.items()
            if not (k == "type" and isinstance(v, str) and v in CALLS)
        }
    if isinstance(value, list):
        return [without_call_types(item) for item in cast("list[object]", value)]
    return value


def hidden(case: Case) -> Iterator[str]:
    """Give those secrets of a case that its input does hold."""
    source: object = adapter.source(case)
    text = source.decode("latin-1") if isinstance(source, bytes) else json.dumps(source)
    yield from (secret for secret in case["secrets"] if secret in text and not set(secret) <= set(string.whitespace))
