"""The rules of this library and its codes, as data: two tables from which docs, hints and messages are made."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statsig_segment.rulebook.codes import CODES, Code
    from statsig_segment.rulebook.rules import FAMILIES, RULES, Family, Rule, Source

__all__ = ["CODES", "FAMILIES", "RULES", "Code", "Family", "Rule", "Source"]


def __getattr__(name: str) -> object:
    """Import a table when it is first asked for (PEP 562): translating needs no rules."""
    if name in __all__:
        module = "codes" if name in {"CODES", "Code"} else "rules"
        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
