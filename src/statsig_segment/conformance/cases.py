"""The cases: where the test vectors are, how they are read, and which part of a case the program gets to see."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

Case: TypeAlias = Mapping[str, Any]

_INSTALLED: Final = Path(__file__).parents[1] / "vectors"
_IN_A_CHECKOUT: Final = Path(__file__).parents[3] / "tests" / "vectors"
VECTORS: Final = _INSTALLED if _INSTALLED.is_dir() else _IN_A_CHECKOUT
"""The wheel brings the vectors along; a checkout has them among its tests."""

SOURCES: Final = ("doc", "seen", "policy")
SENT: Final = frozenset(
    {"id", "operation", "input", "input_text", "input_base64", "input_parts", "config", "seen", "id_type", "max_ids"}
)
"""The keys of a case that the program gets to see."""
_REQUIRED: Final = frozenset({"id", "rules", "source", "description", "operation", "expected"})


def read_cases(folder: Path) -> list[Case]:
    """Read all cases of a folder of vector files, in the order of the file names.

    Raises:
        ValueError: A JSON file in the folder holds anything else.

    """
    paths = sorted(path for path in folder.glob("*.json") if path.name != "schema.json")
    return [case for path in paths for case in _cases_of(path)]


def _cases_of(path: Path) -> list[Case]:
    try:
        cases = json.loads(path.read_text(encoding="utf-8"))["cases"]
        if all(case.keys() >= _REQUIRED for case in cases):
            return list(cases)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError):
        pass
    raise ValueError(f"{path} does not contain test vectors")


def question(case: Case) -> str:
    """Write a case as the program gets it: one line of ASCII, without the expected answer."""
    return json.dumps({key: value for key, value in case.items() if key in SENT})
