"""A comparison as people see it at a terminal, made with rich: counts, findings, the proposal; writes nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from statsig_segment import rulebook
from statsig_segment._json.values import FrozenDict
from statsig_segment.cli.comparison_facts import UNPAIRED, Side, deciding_call, proposal_text, verdict
from statsig_segment.cli.messages import printable
from statsig_segment.cli.outputs import UnusableError
from statsig_segment.cli.screen import NARROW
from statsig_segment.insight.comparison import Comparison, Example, Finding

_INDENT: Final = (0, 0, 0, 2)
_GAP: Final = 2
_WHOLE: Final[Mapping[str, str]] = FrozenDict(
    {"extra": "that Statsig holds and that would not be sent", "missing": "that would be sent and that never arrive"}
)
"""How whole events differ -> what people call it."""
_MOST_EXAMPLES: Final = 2
"""Places of one aspect that are shown; the JSON has five."""
_MOST_PATHS: Final = 10
"""Paths of one aspect that are listed; the JSON has them all."""


def comparison(
    found: Comparison, calls: Side, export: Side, configured: Mapping[str, Any], width: int
) -> RenderableType:
    """Show how far both sides agree, where they differ, and what to change of the configuration."""
    if not found.paired:  # why, is said on standard error
        return Group(*_counts(found), *_unpaired(found))
    return Group(
        Text(verdict(found), "bold"),
        *(Text(printable(problem), "bold red") for problem in found.problems),
        *_counts(found),
        "",
        _findings(found.findings, width),
        *_differences(found.findings, calls, export),
        *_unpaired(found),
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
        return Group(
            *(
                Text.assemble(f"{each.aspect}: {each.agree:,} agree, ", _differ(each), f" differ ({each.rule})")
                for each in findings
            )
        )
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for head, justify in (("aspect", "left"), ("agree", "right"), ("differ", "right"), ("rule", "left")):
        table.add_column(head, justify=justify, overflow="fold")  # type: ignore[arg-type]  # a literal, as rich has it
    for finding in findings:
        rule = f"{finding.rule}: {rulebook.RULES[finding.rule].title}"
        table.add_row(finding.aspect, f"{finding.agree:,}", _differ(finding), Text(rule, "dim"))
    return table


def _differ(finding: Finding) -> Text:
    return Text(f"{finding.differ:,}", "bold red" if finding.differ else "")


def _differences(findings: Sequence[Finding], calls: Side, export: Side) -> Iterator[RenderableType]:
    """Show for each aspect what differs, path by path, and a few places."""
    for finding in findings:
        if finding.differ:
            yield ""
            yield Text(f"Differences in {finding.aspect}, as Statsig has it:")
            for path in finding.paths[:_MOST_PATHS]:
                where = f"{path.kind} at {printable(path.path)}"
                yield Padding(Text(f"{path.count:,} {_WHOLE[path.kind] if path.path == '$' else where}"), _INDENT)
            if len(finding.paths) > _MOST_PATHS:
                yield Padding(Text(f"and {len(finding.paths) - _MOST_PATHS:,} more paths"), _INDENT)
            for example in finding.examples[:_MOST_EXAMPLES]:
                yield Padding(_place(example, calls, export), _INDENT)


def _place(example: Example, calls: Side, export: Side) -> Text:
    here = printable(str(calls.place(example.call)))
    there = "no event" if example.exported is None else printable(str(export.place(example.exported)))
    return Text.assemble("for example ", (here, "dim"), " and ", (there, "dim"), f" at {printable(example.path)}")


def _unpaired(found: Comparison) -> Iterator[RenderableType]:
    """Show what has no partner, and why."""
    counts = [(found.unpaired[name], text) for name, text in UNPAIRED.items() if name in found.unpaired]
    counts += [(found.unexplained_calls, "calls that would be sent, for no known reason")]
    counts += [(found.unexplained_exported, "exported events, for no known reason")]
    if any(count for count, _ in counts):
        yield ""
        yield Text("Without a partner:")
        yield from (Padding(Text(f"{count:,} {text}"), _INDENT) for count, text in counts if count)


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
    """Show what the pairs cannot decide, and which call would."""
    if keys:
        yield ""
        yield Text("These pairs cannot decide the following keys, so they stay as they are. What would decide them:")
        yield from (Padding(Text(f"{printable(key)}: {deciding_call(key)}"), _INDENT) for key in keys)
