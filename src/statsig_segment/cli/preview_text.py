"""A preview as people see it at a terminal, made with rich; writes nothing.

The events are those of the largest counts, as many as people read; JSON and the HTML page have them all.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from statsig_segment.cli.messages import mapping_lines, printable, shown_text, sum_text
from statsig_segment.cli.preview_facts import (
    REPLAY,
    GroupRow,
    Shown,
    consent_note,
    counted,
    event_rows,
    gain_effect,
    is_useful,
    library_rows,
    mapping_effect,
    ordered_units,
    percent,
    shown_gains,
    span,
    unit_share,
)
from statsig_segment.cli.screen import NARROW, reasons
from statsig_segment.insight.preview import Gain

MAX_EVENTS: Final = 20
"""How many events are shown."""
MAX_UNITS: Final = 10
"""How many units are shown."""

_WIDE: Final = 100
"""From here on, an event shows its type of call."""
_INDENT: Final = 2
_GAP: Final = 2
_MIN_NAME: Final = 22
_MAX_NAME: Final = 100
_MAX_UNIT: Final = 24
_UNIT_COLUMN: Final = 12
_UNIT_BAR: Final = 40
_PERCENT: Final = 7
_BAR_STYLE: Final = "green"


def shown_preview(shown: Shown, width: int) -> RenderableType:
    """Show what the calls would become, which units experiments could use, who sends them, and what would help."""
    sections = (
        _units(shown, width),
        _events(shown, width),
        _libraries(shown, width),
        _mappings(shown),
        _consent(shown),
        _gains(shown),
        _reasons(shown, width),
    )
    return Group(
        Text(sum_text(shown.preview), "bold"),
        Text(f"{span(shown.preview)} {REPLAY}", "dim"),
        *(Group("", section) for section in sections if section is not None),
    )


def _section(title: str, *content: RenderableType) -> RenderableType:
    return Group(Text(title, "bold"), *(Padding(part, (0, 0, 0, _INDENT)) for part in content))


def _grid() -> Table:
    return Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, show_header=False)


def _bar(share: float, width: int) -> ProgressBar:
    return ProgressBar(1, share, width, complete_style=_BAR_STYLE, finished_style=_BAR_STYLE)


def _more(count: int, noun: str) -> Iterator[RenderableType]:
    if count > 0:
        yield Text(f"and {counted(count, f'more {noun}')}; --json shows them all", "dim")


# -- Units -------------------------------------------------------------------------------------------------------------


def _units(shown: Shown, width: int) -> RenderableType | None:
    if not shown.preview.translated:
        return None
    units = ordered_units(shown)
    rows = [(shown_text(unit, _MAX_UNIT), shown.preview.share(unit)) for unit in units[:MAX_UNITS]]
    content = _unit_lines(rows, width) if width < NARROW else (_unit_grid(rows, width),)
    title = f"Units that experiments could use, of {counted(shown.preview.translated, 'event')}"
    return _section(title, *content, *_more(len(units) - MAX_UNITS, "unit"))


def _unit_grid(rows: Iterable[tuple[str, float]], width: int) -> RenderableType:
    room = width - _INDENT - _MAX_UNIT - _PERCENT - 2 * _GAP
    table = _grid()
    for name, share in rows:
        table.add_row(Text(name), _bar(share, min(room, _UNIT_BAR)), Text(percent(share), justify="right"))
    return table


def _unit_lines(rows: Iterable[tuple[str, float]], width: int) -> Iterator[RenderableType]:
    for name, share in rows:
        yield Text(f"{name}  {percent(share)}")
        yield _bar(share, max(width - _INDENT, 1))


# -- Groups of events, and the units that they have --------------------------------------------------------------------


def _events(shown: Shown, width: int) -> RenderableType | None:
    rows = event_rows(shown.preview, MAX_EVENTS)
    if not rows:
        return None
    content = _group_table("event", rows, ordered_units(shown), width)
    more = _more(len(shown.preview.events) - MAX_EVENTS, "event")
    return _section("Events, and how many of them have each ID", content, *more)


def _libraries(shown: Shown, width: int) -> RenderableType | None:
    rows = library_rows(shown.preview, MAX_EVENTS)
    if not rows:
        return None
    content = _group_table("library", rows, ordered_units(shown), width)
    return _section("Client libraries, likewise", content, *_more(len(shown.preview.libraries) - MAX_EVENTS, "library"))


def _name(name: str | None, label: str) -> Text:
    """Show a name, cut to the room there is, or what a group without a name is."""
    return Text(shown_text(name, _MAX_NAME), no_wrap=True, overflow="ellipsis") if name else Text(label, "italic")


def _group_table(what: str, rows: Sequence[GroupRow], units: Sequence[str], width: int) -> RenderableType:
    """Show a table with a column for each unit, as far as there is room; where it is narrow, a few lines a group."""
    if width < NARROW:
        return Group(*(_group_lines(row, units[0]) for row in rows))
    heads = [head for head in rows[0].cells if width >= _WIDE or head != "type"]
    columns = [(head, *(row.cells[head] for row in rows)) for head in heads]
    left = width - _INDENT - sum(max(map(len, column)) + _GAP for column in columns) - _GAP
    widths = [min(max(len(unit), _PERCENT), _UNIT_COLUMN) + _GAP for unit in units]
    fitting = [unit for place, unit in enumerate(units) if sum(widths[: place + 1]) <= left - _MIN_NAME] or units[:1]
    table = _grid()
    table.show_header, table.header_style = True, "dim"
    table.add_column(what, max_width=left - sum(widths[: len(fitting)]))
    for head in heads:
        table.add_column(head, justify="left" if head == "type" else "right", no_wrap=True)
    for unit in fitting:
        table.add_column(shown_text(unit, 2 * _UNIT_COLUMN), justify="right", overflow="fold", max_width=_UNIT_COLUMN)
    for row in rows:
        shares = (unit_share(row.group, unit) for unit in fitting)
        cells = (row.cells[head] for head in heads)
        table.add_row(
            _name(row.name, row.label), *cells, *("" if share is None else percent(share) for share in shares)
        )
    return table


def _group_lines(row: GroupRow, unit: str) -> RenderableType:
    share, name = unit_share(row.group, unit), _name(row.name, row.label)
    parts = [f"{cell} {head}" if head != "type" else cell for head, cell in row.cells.items() if cell]
    parts += [] if share is None else [f"{unit} {percent(share)}"]
    return Group(Text(name.plain, name.style), Padding(Text(", ".join(parts), "dim"), (0, 0, 0, 1)))


# -- Mappings, consent, gains ------------------------------------------------------------------------------------------


def _mappings(shown: Shown) -> RenderableType | None:
    if not shown.preview.mappings:
        return None
    table = _grid()
    for use in shown.preview.mappings:
        row = Text(f"{shown_text(use.field)} -> {shown_text(use.id_type)}")
        table.add_row(row, Text(printable(mapping_effect(use)), "" if use.found else "magenta"))
    return _section("What your ID mappings did", table)


def _consent(shown: Shown) -> RenderableType | None:
    if not shown.preview.consent:
        return None
    table = _grid()
    for name, consent in sorted(shown.preview.consent.items()):
        table.add_row(_name(name, "All other categories"), f"given {consent.given:,}", f"refused {consent.refused:,}")
    note = consent_note(shown)
    return _section("Consent", table, *([] if note is None else [Text(note, "magenta")]))


def _gains(shown: Shown) -> RenderableType | None:
    rejected = sum(shown.preview.rejected.values())
    gains = [_gain(gain, rejected) for gain in shown_gains(shown)]
    return _section("What would help", *gains) if gains else None


def _gain(gain: Gain, rejected: int) -> RenderableType:
    """Return what a mapping would do, with the lines of configuration that add it."""
    names = (shown_text(gain.field), "bold"), " to ", (shown_text(gain.id_type), "bold")
    sentence = Text.assemble("Mapping ", *names, f" {gain_effect(gain, rejected)}{':' if is_useful(gain) else '.'}")
    lines = [Padding(Text(mapping_lines(gain.mapping), "cyan"), (0, 0, 0, _INDENT))] if is_useful(gain) else []
    return Group(sentence, *lines)


def _reasons(shown: Shown, width: int) -> RenderableType | None:
    groups = reasons(shown.preview, width - _INDENT, outbound=False, largest=None)
    return _section("Skipped, rejected, and issues", *groups) if groups else None
