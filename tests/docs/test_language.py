"""What people read is English: a list of habits that make a text sound translated, and of British spellings."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.support.losses import LEFT_BEHIND

from statsig_segment.rulebook import CODES, RULES

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / ".github" / "CONTRIBUTING.md",
    *sorted((ROOT / "examples").rglob("README.md")),
    *sorted(path for path in (ROOT / "docs").rglob("*.md") if "_build" not in path.parts),
]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

# Pattern -> what to write instead. Each leaves out what is idiomatic: "such as", "no longer", "stands in for".
HABITS = {
    r"(?<!\bthere )\b(?:is|are|was|were) no\b(?! longer| more| fewer| less)": "is not a",
    r"(?<!\bthere )\b(?:is|are|be) none\b": "say what there is, or that there is not",
    r"\bsuch\b(?! as\b)(?<!\bno such)": "this kind of, these, like that",
    r"\btold\b": "say, show",
    r"\btells?\b(?! you\b| two \w+ apart\b)": "say, show",
    r"\b(?:of|by|for) nobody\b": "without an identifier",
    r"\bmend\b": "fix",
    r"\b(?:comes?|came) apart\b": "split",
    r"\bat length\b": "in detail",
    r"\bthe way back\b": "from Statsig to Segment",
    r"\b(?:stands?|stood)\b(?! in for\b| for\b| out\b)": "is, are",
    r"\bgo(?:es)? round\b": "loop",
    r"\b(?:all|anything|everything|nothing|one|names?|calls?) but for\b": "except",
    r"\bbut for\b": "except for",
    r"\b(?:rides?|rode) on\b": "come with",
    r"\bin the place of\b": "instead of",
    r"\bwhat is (?:no|not)\b": "name the thing",
    r"\bas (?:it is|they are)(?=[.,;:)|])": "unchanged",
    r"\b(?:is|are|was|were) looked at\b": "is checked, is read",
    r"\bpass(?:es|ed) over\b": "ignore",
    r"\bdo(?:es)? not leave\b|\bnever leaves\b": "is not sent",
    r"\bwhat (?:comes|came) of\b": "what became of",
    r"\bdecides? on\b": "decide",
    r"\breads as\b": "is read as",
    r"\bsays? nothing\b|\bgives? way\b|\bstays? behind\b": "counts as absent, is not sent",
    r"\bhalf of it\b|\bwhither\b|\blest\b|\bthereof\b": "plain words",
}

SPELLING = {
    r"\b(?:behaviou|colou|neighbou|honou|favou|labou)r(?:s|ed|ing|able)?\b": "American spelling",
    r"\b(?:recogni|organi|normali|seriali|summari|minimi)s(?:e|es|ed|ing|ation)\b": "American spelling",
    r"\bjudgement\b|\bcatalogue\b|\bcentre\b|\blicence\b|\bgrey\b|\btowards\b": "American spelling",
}

# Phrases that puzzled readers, and their kin; looked for in the source as well: in docstrings, messages and help.
PUZZLES = {
    r"\bwhich you can look into\b": "inspect",
    r"\b(?:pipe|terminal) gets\b": "say what is written there",
    r"\b(?!some|any)\w+ of yours\b": "your ...",
    r"\bholds? of (?:it|them|yours)\b": "has received, has for",
    r"\bharms? (?:its|the|their|no)\b": "affect, break",
    r"\bproperty class that quotes\b|\bcomes? out right\b|\bclient, key, clock\b": "plain words",
    r"\b(?:exposures|these events) (?:leave|stay)\b|\bevents (?:never )?leave\b": "are sent, are not sent",
    r"\bname and type pass\b|\bthat end so\b|\b1 of the \w+ look\b": "plain words",
    r"\bevents may count twice\b": "may be counted twice",
    r"\b(?:saves?|gains?) (?:and gains? )?nobody\b": "no one is saved",
    r"\bsays? what it rests on\b": "is based on",
}


def prose(text: str) -> str:
    """Leave out code, directives, links' addresses and comments."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)
    text = re.sub(r"`[^`\n]*`", "`code`", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return re.sub(r"^% .*$", "", text, flags=re.MULTILINE)


def habits(text: str, patterns: Mapping[str, str] = HABITS | SPELLING | PUZZLES) -> list[str]:
    """Give what is found of the list, with the words around it and what to write instead."""
    flat = " ".join(text.split())
    return [
        f"...{flat[max(0, found.start() - 40) : found.end() + 40]}... ({instead})"
        for pattern, instead in patterns.items()
        for found in re.finditer(pattern, flat, flags=re.IGNORECASE)
    ]


@pytest.mark.parametrize("path", PAGES, ids=[path.relative_to(ROOT).as_posix() for path in PAGES])
def test_a_page_has_none_of_the_habits(path: Path) -> None:
    assert habits(prose(path.read_text(encoding="utf-8"))) == []


def test_the_texts_of_rules_have_none_of_them() -> None:
    assert [(rule.id, found) for rule in RULES.values() for found in habits(str(rule))] == []


def test_the_texts_of_codes_have_none_of_them() -> None:
    texts = {code: f"{row.meaning}. {row.advice} {row.outbound_advice or ''}" for code, row in CODES.items()}

    assert [(code, found) for code, text in texts.items() for found in habits(text)] == []


def test_the_texts_of_losses_have_none_of_them() -> None:
    assert [(row.why, found) for row in LEFT_BEHIND for found in habits(row.why)] == []


@pytest.mark.parametrize("path", SOURCES, ids=[path.relative_to(ROOT).as_posix() for path in SOURCES])
def test_docstrings_and_messages_do_not_puzzle(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]

    assert [found for text in texts for found in habits(text, SPELLING | PUZZLES)] == []


@pytest.mark.parametrize(
    "text", ["dates such as this one", "there is no such key", "it is no longer there", "it tells you"]
)
def test_idioms_are_not_taken_for_habits(text: str) -> None:
    assert habits(text) == []


@pytest.mark.parametrize(
    "text",
    [
        *("a body that is no object", "an event of nobody", "what was told", "British behaviour"),
        *("stays as it is.", "columns do not leave", "what came of it", "null says nothing", "decides on the unit"),
        *("which you can look into", "a pipe gets an event", "an archive of yours", "what Statsig holds of them"),
        *("a malformed pair never harms its neighbors", "what clients send comes out right", "Exposures leave"),
    ],
)
def test_habits_are_found(text: str) -> None:
    assert len(habits(text)) == 1
