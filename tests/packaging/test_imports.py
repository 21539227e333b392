"""Modules import in one direction only, and `import statsig_segment` brings in no more than translation needs."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import statsig_segment

PACKAGE = Path(statsig_segment.__file__).parent
NAME = "statsig_segment"
NAMES = sorted(path.stem for path in PACKAGE.glob("*.py"))

# Each module imports from those above it only. A new module takes its place here.
ORDER = (
    "_version",
    "rules",
    "errors",
    "json_text",
    "times",
    "pairs",
    "models",
    "checks",
    "limits",
    "results",
    "segment",
    "statsig",
    "identity",
    "naming",
    "filters",
    "audiences",
    "config",
    "batches",
    "conversion",
    "wire",
    "inbound",
    "outbound",
    "signatures",
    "config_file",
    "explain",
    "__init__",
    "testing",
    "codec",
    "documents",
    "work",
    "streams",
    "telling",
    "task",
    "cli",
    "__main__",
    "conformance",
)
# What stands after the package itself: whoever embeds the library never loads it.
APART = ORDER[ORDER.index("__init__") + 1 :]

HEAVY = ("cattrs", "argparse", "tomllib", "jsonschema", "hypothesis", "asyncio", "logging", "subprocess", "orjson")


def imports(name: str) -> set[str]:
    """Name the modules of ours that a module imports, wherever in its source."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                inner = {f"{module}.{alias.name}" for alias in names if module == NAME and alias.name in NAMES}
                found.update(inner)
                if len(inner) < len(names):
                    found.add(module)
            case ast.ImportFrom():
                raise AssertionError("a relative import")
            case _:
                pass
    ours = {module.removeprefix(NAME).removeprefix(".") for module in found if module.split(".")[0] == NAME}
    return {module or "__init__" for module in ours}


def loaded_by(statement: str) -> set[str]:
    """Name the modules that a fresh interpreter loads for a statement."""
    script = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)  # noqa: S603
    return set(done.stdout.split())


def test_every_module_has_its_place() -> None:
    assert set(NAMES) == set(ORDER)
    assert len(set(ORDER)) == len(ORDER)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_imports_only_from_above(name: str) -> None:
    assert imports(name) <= set(ORDER[: ORDER.index(name)])


def test_the_search_finds_imports_of_every_kind() -> None:
    assert {"errors", "segment", "statsig"} <= imports("explain")
    assert "__init__" in imports("testing")


def test_importing_the_library_loads_nothing_heavy() -> None:
    loaded = loaded_by("import statsig_segment")

    assert loaded.isdisjoint(HEAVY)
    assert loaded.isdisjoint(f"{NAME}.{name}" for name in APART)


def test_translating_loads_nothing_heavy() -> None:
    both_ways = (
        "import statsig_segment as s; s.to_log_event(s.translate({'type': 'track', 'event': 'e', 'userId': 'u'}));"
        "s.explain({'type': 'track', 'event': 'e', 'userId': 'u'}); s.export({'eventName': 'e', 'userID': 'u'})"
    )

    assert loaded_by(both_ways).isdisjoint(HEAVY)


def test_reading_a_configuration_is_what_loads_cattrs() -> None:
    assert "cattrs" in loaded_by("import statsig_segment; statsig_segment.load_config({})")
