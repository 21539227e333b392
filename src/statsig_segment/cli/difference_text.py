"""Differences between two configurations as people see them at a terminal, made with rich: counts, events, paths."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from statsig_segment.cli.comparison_facts import Side
from statsig_segment.cli.messages import printable
from statsig_segment.cli.screen import NARROW
from statsig_segment.insight.comparison import Finding
from statsig_segment.insight.differences import Differences, EventDifference

_INDENT: Final = (0, 0, 0, 2)
# As many as fit on a screen; the JSON has them all.
_MOST_EVENTS: Final = 20
_MOST_PATHS: Final = 10
_FATES: Final = ("changed", "started", "stopped", "same")
_KINDS: Final = {"missing": "no longer sent", "extra": "new", "different": "different"}


def shown_differences(found: Differences, calls: Side, width: int) -> RenderableType:
    """Show how many calls would change, which events, and at which paths."""
    changing = sorted((event for event in found.events if _change(event)), key=_change, reverse=True)
    counts = f"{found.changed:,} change, {found.started:,} start and {found.stopped:,} stop being sent"
    read = found.changed + found.started + found.stopped + found.same
    if not changing:
        return Text(f"Nothing would change for the {read:,} calls.", "bold")
    return Group(
        Text(f"Of {read:,} calls, {counts}; {found.same:,} stay the same.", "bold"),
        "",
        _events(changing[:_MOST_EVENTS], width),
        *([Text(f"and {len(changing) - _MOST_EVENTS:,} more events", "dim")] if len(changing) > _MOST_EVENTS else []),
        *(part for finding in found.findings if finding.aspect != "sent" for part in _finding(finding, calls)),
    )


def _change(event: EventDifference) -> int:
    return event.changed + event.started + event.stopped


def _events(events: list[EventDifference], width: int) -> RenderableType:
    names = [printable(event.name or f"({event.type} memberships)") for event in events]
    if width < NARROW:
        return Group(
            *(
                Text(f"{name}: " + ", ".join(f"{fate} {getattr(event, fate):,}" for fate in _FATES))
                for name, event in zip(names, events, strict=True)
            )
        )
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("event", overflow="fold")
    for fate in _FATES:
        table.add_column(fate, justify="right", no_wrap=True)
    for name, event in zip(names, events, strict=True):
        table.add_row(Text(name), *(f"{getattr(event, fate):,}" for fate in _FATES))
    return table


def _finding(finding: Finding, calls: Side) -> Iterator[RenderableType]:
    yield ""
    yield Text(f"In {finding.aspect}, {finding.differ:,} {'call' if finding.differ == 1 else 'calls'}:")
    for path in finding.paths[:_MOST_PATHS]:
        yield Padding(Text(f"{path.count:,} {_KINDS[path.kind]} at {printable(path.path)}"), _INDENT)
    if len(finding.paths) > _MOST_PATHS:
        yield Padding(Text(f"and {len(finding.paths) - _MOST_PATHS:,} more paths"), _INDENT)
    for example in finding.examples[:1]:
        place = printable(str(calls.place(example.call)))
        yield Padding(Text.assemble("for example ", (place, "dim"), f" at {printable(example.path)}"), _INDENT)
