"""A comparison as people see it at a terminal, made with rich: counts, findings, the proposal; writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from statsig_segment import rulebook
from statsig_segment.cli.comparison_facts import Sides, proposal_text, verdict
from statsig_segment.cli.messages import printable
from statsig_segment.cli.outputs import UnusableError
from statsig_segment.cli.screen import NARROW
from statsig_segment.insight.comparison import Comparison, Example, Finding

_INDENT: Final = 2
_GAP: Final = 2


def comparison(found: Comparison, sides: Sides, configured: Mapping[str, Any], width: int) -> RenderableType:
    """Show how far both sides agree, where they differ, and what to change of the configuration."""
    if not found.paired:  # why, is said on standard error
        return Group(*_counts(found))
    return Group(
        Text(verdict(found), "bold"),
        *_counts(found),
        "",
        _findings(found.findings, width),
        *_places(found.findings, sides),
        "",
        *_proposal(found.proposal, configured),
        *_undecided(found.undecided),
    )


def _counts(found: Comparison) -> Iterator[RenderableType]:
    """Show what became of either side; both sums add up."""
    yield Text(
        f"calls {found.calls:,} = paired {found.paired:,} + ambiguous {found.ambiguous:,} "
        f"+ without an event {found.only_called:,} + unreadable {found.unreadable_calls:,}"
    )
    yield Text(
        f"exported {found.exported:,} = paired {found.paired:,} + ambiguous {found.ambiguous_exported:,} "
        f"+ without a call {found.only_exported:,} + unreadable {found.unreadable_exported:,}"
    )


# -- Findings ----------------------------------------------------------------------------------------------------------


def _findings(findings: Sequence[Finding], width: int) -> RenderableType:
    if width < NARROW:
        return Group(*map(_finding_lines, findings))
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for head, justify in (("aspect", "left"), ("agree", "right"), ("differ", "right"), ("rule", "left")):
        table.add_column(head, justify=justify, overflow="fold")  # type: ignore[arg-type]  # a literal, as rich has it
    for finding in findings:
        rule = f"{finding.rule}: {rulebook.RULES[finding.rule].title}"
        table.add_row(finding.aspect, f"{finding.agree:,}", _differ(finding), Text(rule, "dim"))
    return table


def _differ(finding: Finding) -> Text:
    return Text(f"{finding.differ:,}", "bold red" if finding.differ else "")


def _finding_lines(finding: Finding) -> RenderableType:
    return Text.assemble(f"{finding.aspect}: {finding.agree:,} agree, ", _differ(finding), f" differ ({finding.rule})")


def _places(findings: Sequence[Finding], sides: Sides) -> Iterator[RenderableType]:
    """Show where both sides differ, a few places an aspect."""
    for finding in findings:
        if finding.differ:
            yield ""
            yield Text(f"Differences in {finding.aspect}, for example:")
            for example in finding.examples:
                yield Padding(_place(example, sides), (0, 0, 0, _INDENT))


def _place(example: Example, sides: Sides) -> Text:
    here, there = sides.places(example)
    other = "no event" if there is None else printable(there)
    return Text.assemble((printable(here), "dim"), " and ", (other, "dim"), f" at {printable(example.path)}")


# -- The proposal ------------------------------------------------------------------------------------------------------


def _proposal(proposal: Mapping[str, Any], configured: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Show the configuration that agrees with the most pairs; lines that are new stand out."""
    if proposal == configured:
        yield Text("No other configuration agrees with more pairs.")
        return
    try:
        lines, known = _lines(proposal), set(_lines(configured))
    except UnusableError as error:
        yield Text(str(error))
        return
    yield Text("This configuration agrees with more pairs (new lines have a +):")
    for line in lines:
        is_new = bool(line) and line not in known
        yield Text(f"{'+' if is_new else ' '} {printable(line)}", "green" if is_new else "")


def _lines(table: Mapping[str, Any]) -> list[str]:
    return proposal_text(table).decode().splitlines()


def _undecided(keys: Sequence[str]) -> Iterator[RenderableType]:
    if keys:
        yield ""
        yield Text(f"These pairs cannot decide: {', '.join(map(printable, keys))}. They stay as they are.")
