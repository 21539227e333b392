"""Public docstrings say what goes in, what comes out, what is raised, and which rules and sources are behind it."""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any, Final

import attrs
import pytest

import statsig_segment
from statsig_segment.rulebook import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

PUBLIC: Final = {name: getattr(statsig_segment, name) for name in statsig_segment.__all__ if name != "__version__"}
FUNCTIONS: Final = {name: thing for name, thing in PUBLIC.items() if inspect.isfunction(thing)}
MODELS: Final = {name: thing for name, thing in PUBLIC.items() if inspect.isclass(thing) and attrs.has(thing)}
_IDS: Final = r"[A-Z]{2}-\d+"
_SECTION: Final = re.compile(r"^(Args|Returns|Yields|Raises):\n((?:(?: .*)?\n)*)", re.MULTILINE)
_ITEM: Final = re.compile(r"^    (\*{0,2}\w+):? ", re.MULTILINE)


def docstring(thing: Any) -> str:
    """Return a docstring as `help` shows it."""
    return (inspect.getdoc(thing) or "") + "\n"


def sections(thing: Any) -> dict[str, str]:
    """Return the Google-style sections of a docstring by their titles."""
    return {found[1]: found[2] for found in _SECTION.finditer(docstring(thing))}


def parameters(function: Callable[..., Any]) -> list[str]:
    """Return the names of what a function takes."""
    return [name for name in inspect.signature(function).parameters if name != "self"]


def documented_attributes(model: type) -> set[str]:
    """Return the attributes of a class, inherited ones too, that have a docstring of their own."""
    found: set[str] = set()
    for kind in model.__mro__[:-1]:
        if kind.__module__.startswith("statsig_segment"):
            (tree,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
            assert isinstance(tree, ast.ClassDef)
            for statement, following in zip(tree.body, tree.body[1:], strict=False):
                match statement, following:
                    case ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str())):
                        found.add(name)
                    case _:
                        pass
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
class TestAFunction:
    def test_its_first_line_says_what_it_returns_or_does(self, name: str) -> None:
        first = docstring(FUNCTIONS[name]).partition("\n")[0]

        assert first.endswith(".")
        assert first.split()[0] not in {"Give", "Gives", "Tell", "Say", "This", "The", "A"}

    def test_it_explains_each_argument(self, name: str) -> None:
        explained = _ITEM.findall(sections(FUNCTIONS[name]).get("Args", ""))

        assert [argument.lstrip("*") for argument in explained] == parameters(FUNCTIONS[name])

    def test_it_says_what_it_returns(self, name: str) -> None:
        returns_nothing = inspect.signature(FUNCTIONS[name]).return_annotation in {None, "None"}

        assert ("Returns" in sections(FUNCTIONS[name]) or "Yields" in sections(FUNCTIONS[name])) != returns_nothing

    def test_it_names_rules_that_exist_and_a_source(self, name: str) -> None:
        text = docstring(FUNCTIONS[name])
        rules = re.search(r"^Rules: (.+)$", text, flags=re.MULTILINE)

        assert rules is not None
        assert set(re.findall(_IDS, rules[1])) <= RULES.keys()
        assert re.search(r"^Source: \S", text, flags=re.MULTILINE)

    def test_what_it_raises_is_an_exception(self, name: str) -> None:
        for error in _ITEM.findall(sections(FUNCTIONS[name]).get("Raises", "")):
            kind = PUBLIC.get(error) or getattr(builtins, error)
            assert issubclass(kind, Exception)

    def test_it_has_an_example(self, name: str) -> None:
        assert ">>> " in docstring(FUNCTIONS[name])


@pytest.mark.parametrize("name", MODELS)
def test_every_attribute_of_a_model_is_documented(name: str) -> None:
    shown = {field.name for field in attrs.fields(MODELS[name]) if field.init and not field.name.startswith("_")}

    assert shown - documented_attributes(MODELS[name]) == set()
