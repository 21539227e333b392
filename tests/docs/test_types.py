"""README, docs and docstrings pass `mypy --strict` as they are: what a reader pastes has no error of type."""

from __future__ import annotations

import ast
import doctest
import importlib
import re
import subprocess
import sys
from importlib.util import find_spec
from inspect import cleandoc, ismodule
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.docs.test_documents import DOCUMENTS, MODULES, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = re.compile(r"^```python\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
_PROMPT = re.compile(r"^(?:>>> |\.\.\.(?: |$))(.*)$")


def code_of_page(text: str) -> str:
    """Give the Python of a page as one module, each line where the page has it; prompts and results are left out."""
    lines = [""] * text.count("\n")
    for block in _BLOCK.finditer(text):
        first = text.count("\n", 0, block.start(1))
        for number, line in enumerate(code_of_block(block[1]), first):
            lines[number] = line
    return "\n".join(lines) + "\n"


def code_of_block(block: str) -> Iterator[str]:
    """Give each line of a block without its prompt, and an empty one for each line of a result."""
    session = block.startswith(">>> ")
    for line in block.splitlines():
        typed = _PROMPT.match(line)
        yield (typed[1] if typed else "") if session else line


def codes_of_docstrings(name: str) -> Iterator[str]:
    """Give the examples of each docstring of a module as a module; the names of the documented one are known to it."""
    known = vars(importlib.import_module(name))
    for test in doctest.DocTestFinder().find(importlib.import_module(name)):
        code = "".join(example.source for example in test.examples)
        used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)} & known.keys()
        imports = (
            f"from {getattr(known[used_name], '__module__', name)} import {used_name}\n"
            for used_name in sorted(used)
            if not ismodule(known[used_name])
        )
        if code:
            yield "".join(imports) + code


def write(folder: Path) -> None:
    """Write every page and docstring as a module of its own."""
    for path in DOCUMENTS:
        name = re.sub(r"\W", "_", path.relative_to(ROOT).as_posix())
        (folder / f"{name}.py").write_text(code_of_page(path.read_text(encoding="utf-8")), encoding="utf-8")
    for module in MODULES:
        for number, code in enumerate(codes_of_docstrings(module)):
            (folder / f"{module.replace('.', '_')}_{number}.py").write_text(code, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="needs mypy, which the group dev brings")
def test_what_a_reader_pastes_passes_mypy_strict(tmp_path: Path) -> None:
    folder = tmp_path / "pasted"
    folder.mkdir()
    write(folder)
    options = ["--strict", "--config-file=", f"--cache-dir={tmp_path / 'cache'}", "--no-error-summary"]
    command = [sys.executable, "-m", "mypy", *options, *map(str, sorted(folder.iterdir()))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603 - our own command

    assert done.stdout.replace(f"{folder}/", "") == ""
    assert done.returncode == 0, done.stderr


def test_a_page_keeps_its_lines_and_loses_prompts_and_results() -> None:
    page = cleandoc("""
        # Title

        ```python
        >>> for at in (1,):
        ...     print(at)
        ...
        1
        ```

        ```python
        x = 1
        ```
    """)

    assert code_of_page(f"{page}\n").splitlines() == [
        "", "", "", "for at in (1,):", "    print(at)", "", "", "", "", "", "x = 1", "",
    ]  # fmt: skip
