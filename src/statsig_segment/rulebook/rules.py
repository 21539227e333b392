"""The rules this library keeps, read from rules.toml when it is imported: what each says, how sure we are, its sources.

Code, error codes, `explain`, the playground and the reference pages name rules by their ids. Nothing here runs a
rule. Three words say how sure we are, and a rule may carry more than one:

- ``documented``: a vendor's public documentation says so.
- ``observed``: read off a screenshot of the Statsig console, or seen in what a current SDK or library does.
- ``policy``: nothing public says it. It is our declared choice, and Statsig's own integration may differ.
"""

from __future__ import annotations

import tomllib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["FAMILIES", "RULES", "Family", "Rule", "Source", "Status"]

Status: TypeAlias = Literal["documented", "observed", "policy"]

__loader__: Any  # every module has one; mypy does not know it


@attrs.frozen(kw_only=True)
class Source:
    """A public page, screenshot or source file that a rule rests on."""

    title: str
    url: str
    status: Status = "documented"
    """``documented`` or ``observed``."""
    part: str = ""
    """Heading or part of the page, if it is a long one."""
    dated: str | None = None
    """The day of the text that we read, ``YYYY-MM-DD``, where the page or its repository says it."""
    read: str | None = None
    """The day we read it, ``YYYY-MM-DD``; ``None`` if we saw it without noting the day, or know its address only."""


@attrs.frozen(kw_only=True)
class Rule:
    """One rule of the contract between a Segment call and what leaves this library.

    >>> from statsig_segment.rulebook import RULES
    >>> RULES["ID-5"].title
    'The event beats the mapping'
    >>> RULES["ID-5"].status, RULES["ID-5"].module
    (('documented', 'policy'), 'inbound.identity')
    """

    id: str
    """The stable id, such as ``ID-2``: two capital letters, a hyphen, a number."""
    title: str
    """A few words for headings and tables."""
    summary: str
    """What the rule says, in one to three sentences."""
    module: str
    """The module below ``statsig_segment`` that keeps the rule; its source names the id."""
    sources: tuple[Source, ...] = ()
    """Where the rule can be read, the most important first."""
    policy: str | None = None
    """What in it is our own choice, as a phrase; ``None`` where nothing is."""

    @property
    def status(self) -> tuple[Status, ...]:
        """How sure we are: the words of the module's docstring, the surest first."""
        found = {source.status for source in self.sources}
        words: tuple[Status, ...] = ("documented", "observed")
        return (*(word for word in words if word in found), *(("policy",) if self.policy else ()))


@attrs.frozen(kw_only=True)
class Family:
    """Rules about one subject; a section of the reference each."""

    slug: str
    """Name of its file in `docs/rules`."""
    title: str
    rules: tuple[Rule, ...]


def _read() -> tuple[Family, ...]:
    # The loader, and not the file system: a package may be imported from a zip file.
    tables = tomllib.loads(__loader__.get_data(f"{__file__.rpartition('.')[0]}.toml").decode())

    def rule(rule_id: str, summary: str, sources: Iterable[dict[str, str]] = (), **row: Any) -> Rule:
        found = tuple(Source(**tables["sources"][source["page"]], part=source.get("part", "")) for source in sources)
        return Rule(id=rule_id, summary=" ".join(summary.split()), sources=found, **row)

    def rules(family: str) -> tuple[Rule, ...]:
        return tuple(rule(rule_id, **row) for rule_id, row in tables["rules"][family].items())

    return tuple(Family(slug=slug, title=title, rules=rules(slug)) for slug, title in tables["families"].items())


FAMILIES: Final = _read()
"""The rules by family, in the order of the contract."""

RULES: Final[Mapping[str, Rule]] = MappingProxyType({rule.id: rule for family in FAMILIES for rule in family.rules})
"""Every rule by its id, in the order of the contract."""
