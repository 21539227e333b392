"""Each rule names the module that keeps it, and that module names the rule; a lane names the rules it re-implements."""

from __future__ import annotations

import operator
import re
from pathlib import Path
from typing import Final, cast

import pytest

import statsig_segment
from statsig_segment import rulebook
from statsig_segment.rulebook import CODES, FAMILIES, RULES

PACKAGE: Final = Path(statsig_segment.__file__).parent
_ID: Final = re.compile(r"\b([A-Z]{2}-\d+)\b(?:(?: to |\u2013)([A-Z]{2}-\d+))?")


def source(module: str) -> str:
    """Return the source of a module below the package."""
    path = PACKAGE / module.replace(".", "/")
    return (path / "__init__.py" if path.is_dir() else path.with_suffix(".py")).read_text(encoding="utf-8")


def rules_in(text: str) -> set[str]:
    """Return the ids that a text names; `US-1 to US-3` names three."""
    found: set[str] = set()
    for first, last in _ID.findall(text):
        family, number = first.split("-")
        found.update(f"{family}-{n}" for n in range(int(number), int((last or first).split("-")[1]) + 1))
    return found


# Rules whose code is being written.
PENDING: Final = set[str]()


class TestTheModuleOfARule:
    @pytest.mark.parametrize("rule", [rule for rule in RULES if rule not in PENDING])
    def test_it_names_the_rule_in_its_source(self, rule: str) -> None:
        assert rule in rules_in(source(RULES[rule].module))

    def test_no_source_names_a_rule_that_is_not_there(self) -> None:
        named = {rule for path in PACKAGE.rglob("*.py") for rule in rules_in(path.read_text(encoding="utf-8"))}

        assert {rule for rule in named if rule[:2] in {other[:2] for other in RULES}} <= RULES.keys()


# What the lanes re-implement: all that makes up an ordinary call or event.
LANES: Final = {
    "inbound.fast_lane": {
        *("IN-2", "IN-3", "IN-4", "IN-5", "IN-6", "IN-7", "IN-9", "ID-1", "ID-2", "ID-4", "ID-5", "ID-6", "ID-8"),
        *("US-1", "US-2", "US-3", "US-4", "US-5", "US-6", "US-7", "US-8", "US-9", "US-10", "US-11"),
        *("FL-1", "FL-4", "FL-5", "FL-8", "AU-1", "AU-2", "AU-3", "WI-1"),
    },
    "outbound.fast_lane": {"OU-1", "OU-3", "OU-4", "OU-5", "FL-2", "FL-7"},
}


@pytest.mark.parametrize("lane", LANES)
def test_a_lane_names_the_rules_that_it_re_implements(lane: str) -> None:
    assert LANES[lane] - rules_in(source(lane)) == set()


class TestThePublicPlace:
    @pytest.mark.parametrize("name", rulebook.__all__)
    def test_a_table_or_model_can_be_imported_from_the_package(self, name: str) -> None:
        assert getattr(rulebook, name) is not None

    def test_a_name_that_is_not_there_is_an_attribute_error(self) -> None:
        with pytest.raises(AttributeError, match="has no attribute 'RULE'"):
            getattr(rulebook, "RULE")  # noqa: B009 - as an import asks for it

    def test_the_tables_cannot_be_changed(self) -> None:
        for table in (RULES, CODES):
            with pytest.raises(TypeError):
                operator.delitem(cast("dict[str, object]", table), next(iter(table)))

    def test_families_hold_every_rule_once(self) -> None:
        assert [rule for family in FAMILIES for rule in family.rules] == list(RULES.values())
