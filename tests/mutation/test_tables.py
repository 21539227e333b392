"""Every row of every rule table counts: leave one out, or exchange two values, and a vector or a test must fail.

Each mutant is the whole package imported anew, so this takes minutes: `pytest tests/mutation -m mutation`.
"""

import importlib.abc
import importlib.util
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest

from statsig_segment.conformance.cases import VECTORS, read_cases
from statsig_segment.conformance.verdicts import difference

pytestmark = pytest.mark.mutation

TESTS: Final = Path(__file__).parents[1]
PACKAGE: Final = "statsig_segment"


def _load(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TABLES: Final = _load("mutation_tables", TESTS / "mutation" / "tables.py")

_ZEROS: Final = "zeros, or nothing at all, are a placeholder without a row of their own"
SURVIVORS: Final = {
    "segment.placeholders.PLACEHOLDER_IDS/0[0] remove": _ZEROS,
    "segment.placeholders.PLACEHOLDER_IDS/0[8] remove": _ZEROS,
}
"""Mutant -> why nothing can tell it from the original."""

PACKAGES: Final = TESTS.parent / "src" / PACKAGE

CASES: Final[Sequence[Mapping[str, Any]]] = read_cases(VECTORS)


class _OneModule(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module of the package from a changed source text."""

    def __init__(self, module: str, source: str) -> None:
        self.name = f"{PACKAGE}.{module}"
        self.source = source
        self.is_package = Path(PACKAGES, *module.split(".")).is_dir()

    def find_spec(self, name: str, _path: object = None, _target: object = None) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self, is_package=self.is_package) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.source, self.name, "exec"), module.__dict__)  # noqa: S102 - our own source


@contextmanager
def world() -> Generator[None]:
    """Put the package aside, so that it can be imported anew, and put it back afterwards."""
    held = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == PACKAGE}
    finders = list(sys.meta_path)
    for name in held:
        del sys.modules[name]
    try:
        yield
    finally:
        sys.meta_path[:] = finders
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
        sys.modules.update(held)


def first_failure() -> str | None:
    """Give the first vector or test of attributes that fails with the package as it now is."""
    attributes = _load("mutation_attributes", TESTS / "unit" / "test_attributes.py")
    for name, test in vars(attributes).items():
        if name.startswith("test_"):
            try:
                test()
            except AssertionError:
                return name
    adapter = _load("mutation_adapter", TESTS / "vectors" / "adapter.py")
    for case in CASES:
        if difference(case["expected"], adapter.answer(case)):
            return str(case["id"])
    return None


def survives(mutant: Any) -> bool:
    """Say whether every vector passes with a changed table."""
    with world():
        sys.meta_path.insert(0, _OneModule(mutant.module, mutant.source))
        try:
            return first_failure() is None
        except (AttributeError, ImportError, KeyError, IndexError, TypeError, ValueError):
            return False  # the rows of tables are also named in code


def test_there_are_tables_to_change() -> None:
    assert len(list(TABLES.mutants("segment.placeholders"))) > 10


def test_without_a_change_no_vector_fails() -> None:
    with world():
        assert first_failure() is None


@pytest.mark.parametrize("module", TABLES.MODULES)  # the mutants are made when they are needed: that takes seconds
def test_a_changed_table_makes_a_vector_fail(module: str) -> None:
    survivors = {mutant.name for mutant in TABLES.mutants(module) if survives(mutant)}

    assert survivors == {name for name in SURVIVORS if name.partition("/")[0].rpartition(".")[0] == module}
