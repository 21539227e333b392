"""A join as people see it at a terminal, made with rich: each experiment in plain sentences, and what would help."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from statsig_segment.cli.messages import mapping_lines, printable
from statsig_segment.insight.join import Advice, ExperimentJoin, Join

_INDENT: Final = (0, 0, 0, 2)


def shown_join(found: Join) -> RenderableType:
    """Show how many units of each experiment the events reach, and where the IDs of the others are."""
    if not found.experiments:
        return Text("There are no exposures in these files.", "bold")
    return Group(*(part for each in found.experiments for part in _experiment(each)), *map(_advice, found.advice))


def _experiment(found: ExperimentJoin) -> Iterator[RenderableType]:
    name = "Exposures without a name" if found.name is None else printable(found.name)
    unit_type = "no ID type" if found.unit_type is None else printable(found.unit_type)
    share = f"{found.joined / found.exposed:.1%}" if found.exposed else "0 %"
    yield Text.assemble(
        (name, "bold"), f" by {unit_type}: {found.joined:,} of {found.exposed:,} units joined ({share})"
    )
    facts = [(count, f"with their ID at {printable(place)}") for place, count in found.elsewhere.items()]
    facts += [
        (found.spelled, "with an ID that differs from the calls' in letter case or white space"),
        (found.absent, "with an ID that is in no call"),
        (found.placeholders, "with a placeholder such as undefined as their ID"),
    ]
    yield from (Padding(Text(f"{count:,} {fact}"), _INDENT) for count, fact in facts if count)
    yield ""


def _advice(advice: Advice) -> RenderableType:
    units = "unit" if advice.would_join == 1 else "units"
    head = f"This mapping would join {advice.would_join:,} more {units} of {printable(advice.unit_type)}:"
    return Group(Text(head), Padding(Text(mapping_lines(advice.mapping)), _INDENT), "")
