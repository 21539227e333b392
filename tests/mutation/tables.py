"""Find the rule tables in the source, and make each with one row left out or the values of two rows exchanged.

A table is a literal of two elements or more in a module-level `Final`: a dict, tuple, set or list, also inside a call
such as `FrozenDict({...})` or inside another table.
"""

import ast
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

Table: TypeAlias = ast.Dict | ast.Tuple | ast.Set | ast.List

SOURCE: Final = Path(__file__).parents[2] / "src" / "statsig_segment"
_UNSEEN: Final = frozenset(
    {
        *("rulebook", "rulebook.rules"),  # texts, from which pages are made
        *("inbound.fast_lane", "outbound.fast_lane", "configuration.plans"),  # held by their law
        *("_json.values", "configuration.file", "testing"),  # Python values and problems: held by tests
    }
)
"""The modules whose tables no vector can see."""
_UNSEEN_FOLDERS: Final = frozenset({"cli", "conformance", "insight"})
"""The folders of what is no rule of translation; tests hold their tables."""


def _modules() -> Iterator[str]:
    for path in sorted(SOURCE.rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name and name not in _UNSEEN and parts[0] not in _UNSEEN_FOLDERS:
            yield name


MODULES: Final = tuple(_modules())

ORDERED: Final = frozenset({"TIME_FIELDS"})
"""The tuples whose order is part of a rule; of all others only the members count."""
SETS: Final = frozenset({"segment.placeholders.PLACEHOLDER_IDS"})
"""The dicts whose values are sources to cite: their keys are what counts."""
_OF_TESTS: Final = frozenset(
    {
        *("statsig.exports._SENT", "outbound.export._ID_COLUMNS", "configuration.validators._SPOKEN"),
        *("_json.models._CHECKS", "_json.models._CONVERTERS"),
    }
)
"""The tables that matter for Python's own values, or for the text of a message, which no vector can hold."""


class Mutant(NamedTuple):
    """A module with one table changed."""

    module: str
    name: str
    source: str


def mutants(module: str) -> Iterator[Mutant]:
    """Make every mutant of every table of a module."""
    tree = ast.parse(_source(module).read_text(encoding="utf-8"))
    for at, statement in enumerate(tree.body):
        if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.annotation).startswith("Final"):
            name = ast.unparse(statement.target)
            if f"{module}.{name}" not in _OF_TESTS:
                yield from _of_statement(module, tree, at, name)


def _source(module: str) -> Path:
    path = SOURCE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _of_statement(module: str, tree: ast.Module, at: int, name: str) -> Iterator[Mutant]:
    for index, table in enumerate(_tables(tree.body[at])):
        is_mapping = isinstance(table, ast.Dict) and f"{module}.{name}" not in SETS
        changes = (_remove, _swap) if is_mapping or name in ORDERED else (_remove,)
        for row in range(len(_rows(table))):
            for change in changes:
                copy = deepcopy(tree)
                if change(list(_tables(copy.body[at]))[index], row):
                    yield Mutant(module, f"{module}.{name}/{index}[{row}] {change.__name__[1:]}", ast.unparse(copy))


def _tables(statement: ast.AST) -> Iterator[Table]:
    assert isinstance(statement, ast.AnnAssign)
    for node in ast.walk(statement.value or statement.target):
        if isinstance(node, Table) and len(_rows(node)) > 1:
            yield node


def _rows(table: Table) -> list[ast.expr]:
    return table.values if isinstance(table, ast.Dict) else table.elts


def _remove(table: Table, row: int) -> bool:
    """Leave out a row."""
    del _rows(table)[row]
    if isinstance(table, ast.Dict):
        del table.keys[row]
    return True


def _swap(table: Table, row: int) -> bool:
    """Exchange a row's value with the next one's; tell whether they differ."""
    rows = _rows(table)
    if row + 1 == len(rows) or ast.dump(rows[row]) == ast.dump(rows[row + 1]):
        return False
    rows[row], rows[row + 1] = rows[row + 1], rows[row]
    return True
