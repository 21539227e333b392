"""README, docs and docstrings tell the truth: every Python block in them runs, and gives what it says it gives."""

from __future__ import annotations

import codeop
import doctest
import importlib
import pkgutil
import re
import unittest
from contextlib import suppress
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser

import statsig_segment

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
DOCUMENTS = [ROOT / "README.md", *sorted(path for path in DOCS.rglob("*.md") if "_build" not in path.parts)]
MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(statsig_segment.__path__, "statsig_segment.")
    if not module.name.endswith("__main__")  # importing it would run it
)
LANGUAGES = ("json", "python", "shell", "text", "toml")
DIRECTIVES = (  # what only the built site shows
    *("eval-rst", "toctree", "playground", "example"),
    *("codes", "family", "limits", "losses", "rules-by-family", "rules-by-status", "sources", "vectors"),
)
FLAGS = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS])
def test_a_document_runs_from_top_to_bottom(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of one document share their names, as they would in one session; documents share nothing."""
    monkeypatch.chdir(ROOT)
    document = Sybil(parsers=[PythonCodeBlockParser(doctest_optionflags=FLAGS), SkipParser()]).parse(path)

    for example in document.examples():
        with suppress(unittest.SkipTest):  # a block that says so, until the library has what it shows
            example.evaluate()


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS])
def test_a_document_has_no_block_that_escapes_this(path: Path) -> None:
    """A fence with a misspelled language would be passed over in silence."""
    fences = [line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith("```")]

    openings = {fence.split()[0] for fence in fences[::2]}

    assert set(fences[1::2]) <= {"```"}
    assert openings <= {*(f"```{name}" for name in LANGUAGES), *(f"```{{{name}}}" for name in DIRECTIVES)}


@pytest.mark.parametrize("path", DOCUMENTS[1:], ids=[path.relative_to(DOCS).as_posix() for path in DOCUMENTS[1:]])
def test_no_line_of_code_is_cut(path: Path) -> None:
    """The site shows 85 columns; a reader would have to scroll for more."""
    blocks = re.findall(r"^ *```\w+\n(.*?)^ *```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)

    assert [line for block in blocks for line in block.splitlines() if len(line) > 85] == []


PROMPT = re.compile(r"^(?:>>> |\.\.\. ?)(.*)$")  # as docs/conf.py has it for the copy button


@pytest.mark.parametrize("path", DOCUMENTS, ids=[path.relative_to(ROOT).as_posix() for path in DOCUMENTS])
def test_a_copied_block_can_be_pasted_into_python(path: Path) -> None:
    """Python's prompt reads line by line: a block of code has to end with an empty line."""
    compiler = codeop.CommandCompiler()
    for block in re.findall(r"^```python\n(>>> .*?)^```$", path.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        pending: list[str] = []
        for line in [match[1] for match in map(PROMPT.match, block.splitlines()) if match] + [""]:
            pending.append(line)
            if compiler("\n".join(pending), path.name) is not None:
                pending = []

        assert "".join(pending) == "", f"{path.name} leaves Python waiting after {pending[:1]}"


@pytest.mark.parametrize("name", MODULES)
def test_the_docstrings_of_a_module_run(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name), optionflags=FLAGS)

    assert results.failed == 0
