"""A preview as people see it at a terminal, made with rich: the sum, the units, the events, the gains; writes nothing.

The events are those of the largest counts, as many as people read; JSON and the HTML page have them all.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from statsig_segment import segment
from statsig_segment.cli.messages import shown_text
from statsig_segment.cli.preview_facts import (
    counted,
    event_label,
    gain_effect,
    gain_lines,
    ordered_events,
    ordered_id_types,
    percent,
    rest_label,
    tally_of,
    unsent,
    useful_gains,
    user_share,
)
from statsig_segment.cli.screen import NARROW, summary
from statsig_segment.insight.preview import EventPreview, Gain, Preview

MAX_EVENTS: Final = 20
"""So many events are shown."""
MAX_UNITS: Final = 10
"""So many units are shown."""

_WIDE: Final = 100
"""From here on, an event has a bar of its own."""
_INDENT: Final = 2
_GAP: Final = 2
_MIN_NAME: Final = 8
_MAX_NAME: Final = 100
_MAX_UNIT: Final = 24
_EVENT_BAR: Final = 12
_UNIT_BAR: Final = 40
_PERCENT: Final = 7
_BAR_STYLE: Final = "green"


def shown_preview(preview: Preview, width: int) -> RenderableType:
    """Show what the calls would become, which units experiments could use, and what would help."""
    sections = (_units(preview, width), _events(preview, width), _gains(preview))
    return Group(
        summary(tally_of(preview), width, outbound=False, largest=None),
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


def _units(preview: Preview, width: int) -> RenderableType | None:
    if not preview.translated:
        return None
    units = [segment.USER_ID_TYPE, *ordered_id_types(preview)]
    rows = [(shown_text(unit, _MAX_UNIT), preview.share(unit)) for unit in units[:MAX_UNITS]]
    content = _unit_lines(rows, width) if width < NARROW else (_unit_grid(rows, width),)
    title = f"Units that experiments could use, of {counted(preview.translated, 'event')}"
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


# -- Events ------------------------------------------------------------------------------------------------------------


def _events(preview: Preview, width: int) -> RenderableType | None:
    events = ordered_events(preview)
    if not events:
        return None
    rows = [(_name(event), event) for event in events[:MAX_EVENTS]]
    if preview.rest.read:
        rows.append((Text(rest_label(preview), "italic"), preview.rest))
    content = map(_event_lines, rows) if width < NARROW else (_event_table(rows, width),)
    return _section("Events", *content, *_more(len(events) - MAX_EVENTS, "event"))


def _name(event: EventPreview) -> Text:
    if event.name is None:
        return Text(event_label(event), "italic")
    return Text(shown_text(event.name, _MAX_NAME))


def _event_table(rows: Sequence[tuple[Text, EventPreview]], width: int) -> RenderableType:
    heads = ("calls", "events", "not sent")
    numbers = [[f"{number:,}" for number in _counts(event)] for _, event in rows]
    taken = sum(max(map(len, column)) + _GAP for column in zip(heads, *numbers, strict=True))
    bar = _EVENT_BAR if width >= _WIDE else 0
    taken += _INDENT + len("identify") + 2 * _GAP + _PERCENT + (bar + _GAP if bar else 0)
    table = _grid()
    table.show_header, table.header_style = True, "dim"
    for head in ("event", "type", *heads, "user ID", *([""] if bar else ())):
        table.add_column(head, justify="right" if head in {*heads, "user ID"} else "left", no_wrap=True)
    for (name, event), counts in zip(rows, numbers, strict=True):
        name.truncate(max(width - taken, _MIN_NAME), overflow="ellipsis")
        table.add_row(name, Text(event.type or "", "dim"), *counts, *_event_share(event, bar))
    return table


def _counts(event: EventPreview) -> tuple[int, int, int]:
    return event.read, event.translated, unsent(event)


def _event_share(event: EventPreview, bar: int) -> Iterator[RenderableType]:
    share = user_share(event)
    yield Text("" if share is None else percent(share))
    if bar:
        yield _bar(share or 0, bar)


def _event_lines(row: tuple[Text, EventPreview]) -> RenderableType:
    """Show an event in a few lines, where a table has no room."""
    name, event = row
    share = user_share(event)
    users = "" if share is None else f", user ID {percent(share)}"
    what = f"{counted(event.read, 'call')}, {counted(event.translated, 'event')}, {unsent(event):,} not sent{users}"
    return Group(name, Padding(Text(what, "dim"), (0, 0, 0, 1)))


# -- Gains -------------------------------------------------------------------------------------------------------------


def _gains(preview: Preview) -> RenderableType | None:
    gains = useful_gains(preview)
    rejected = sum(preview.rejected.values())
    return _section("What would help", *(_gain(gain, rejected) for gain in gains)) if gains else None


def _gain(gain: Gain, rejected: int) -> RenderableType:
    """Say what a mapping would do, with the lines that add it."""
    sentence = Text.assemble(
        "Mapping ", (gain.field, "bold"), " to ", (gain.id_type, "bold"), f" {gain_effect(gain, rejected)}:"
    )
    return Group(sentence, Padding(Text(gain_lines(gain), "cyan"), (0, 0, 0, _INDENT)))
