"""Imports run in one direction, and `import statsig_segment` brings in no more than translation needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import statsig_segment

NAME = "statsig_segment"
PACKAGE = Path(statsig_segment.__file__).parent


def module_name(path: Path) -> str:
    """Give the dotted name of a source file."""
    parts = (NAME, *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py"))}
# Whoever embeds the library never loads these.
APART = {f"{NAME}.__main__", f"{NAME}.cli", f"{NAME}.conformance", f"{NAME}.testing"}

HEAVY = ("cattrs", "argparse", "tomllib", "jsonschema", "hypothesis", "asyncio", "logging", "subprocess", "orjson")


def imports(name: str) -> set[str]:
    """Name the modules of ours that a module imports, wherever in its source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(SOURCES[name].read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                inner = {f"{module}.{alias.name}" for alias in names} & SOURCES.keys()
                found.update(inner)
                if len(inner) < len(names):
                    found.add(module)
            case ast.ImportFrom():
                raise AssertionError("a relative import")
            case _:
                pass
    return found & SOURCES.keys()


def is_apart(name: str) -> bool:
    """Say whether a module belongs to the command line, the conformance runner or the testing kit."""
    return any(name == other or name.startswith(f"{other}.") for other in APART)


def loaded_by(statement: str) -> set[str]:
    """Name the modules that a fresh interpreter loads for a statement."""
    script = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)  # noqa: S603
    return set(done.stdout.split())


def test_there_is_no_cycle() -> None:
    graph = {name: imports(name) for name in SOURCES}

    assert set(TopologicalSorter(graph).static_order()) == SOURCES.keys()


@pytest.mark.parametrize("name", [name for name in SOURCES if not is_apart(name)])
def test_the_library_imports_nothing_that_does_input_or_output(name: str) -> None:
    assert [other for other in imports(name) if is_apart(other)] == []


def test_the_search_finds_imports_of_every_kind() -> None:
    assert {f"{NAME}.errors", f"{NAME}.segment", f"{NAME}.segment.calls"} <= imports(f"{NAME}.insight.explain")
    assert NAME in imports(f"{NAME}.testing")


def test_importing_the_library_loads_nothing_heavy() -> None:
    loaded = loaded_by("import statsig_segment")

    assert loaded.isdisjoint(HEAVY)
    assert [name for name in loaded if is_apart(name)] == []


def test_translating_loads_nothing_heavy() -> None:
    both_ways = (
        "import statsig_segment as s; s.to_log_event(s.translate({'type': 'track', 'event': 'e', 'userId': 'u'}));"
        "s.explain({'type': 'track', 'event': 'e', 'userId': 'u'}); s.export({'eventName': 'e', 'userID': 'u'})"
    )

    assert loaded_by(both_ways).isdisjoint(HEAVY)


def test_reading_a_configuration_is_what_loads_cattrs() -> None:
    assert "cattrs" in loaded_by("import statsig_segment; statsig_segment.load_config({})")
