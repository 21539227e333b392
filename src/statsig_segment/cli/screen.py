"""What people see, made with rich: lines of calls, explanations, summary, progress (CL-2, CL-3); writes nothing.

Text comes out without any escape code where NO_COLOR is set, where TERM is dumb, and where there is no terminal.
"""

import io
import os
import re
import shutil
from collections.abc import Iterable, Sequence
from typing import IO, Any, Final

import attrs
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from statsig_segment import rulebook
from statsig_segment.cli.blocks import Tally
from statsig_segment.cli.messages import (
    call_name,
    groups,
    hint,
    printable,
    shown,
    shown_text,
    sum_text,
)
from statsig_segment.errors import Issue
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.insight.explain import Explanation, Row
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.rulebook.codes import CODES
from statsig_segment.statsig.events import StatsigEvent

STYLES: Final = {"event": "green", "audience": "cyan", "skipped": "magenta", "rejected": "bold red", "issue": "magenta"}
LARGEST: Final = 5
"""So many groups the summary shows."""

_BLANKS_AT_END: Final = re.compile(r" +$", re.MULTILINE)
NARROW: Final = 60
"""From here on, columns have room; a narrower terminal wraps."""
_PLACE: Final = 5
_INDENT: Final = 3
_VALUE: Final = 20
"""A value that is longer gets at least so many columns."""
_HEADINGS: Final = ("target", "value", "source", "rule")
_CONFIGURED: Final = "(configuration)"
_WIDE_PAPER: Final = 120
"""The width of text for a file."""


def is_terminal(stream: IO[Any] | None) -> bool:
    """Tell whether a stream is a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def is_plain() -> bool:
    """Tell whether the terminal is to get no escape codes."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in {"dumb", "unknown"}


class Screen:
    """Makes text of what is to be shown, for one stream."""

    def __init__(self, stream: IO[Any] | None) -> None:
        """Fit the text to the terminal that the stream is, if it is one."""
        in_color = is_terminal(stream) and not is_plain()
        self._console = Console(
            file=io.TextIOWrapper(io.BytesIO(), getattr(stream, "encoding", None) or "utf-8"),  # decides how bars look
            width=_width(stream),
            force_terminal=in_color,
            color_system="standard" if in_color else None,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self.width = self._console.width

    def text(self, content: RenderableType) -> str:
        """Give content as text, with its styles as far as the terminal may have them."""
        with self._console.capture() as captured:
            self._console.print(content)
        return _BLANKS_AT_END.sub("", captured.get())


def _width(stream: IO[Any] | None) -> int:
    return shutil.get_terminal_size((_WIDE_PAPER, 24)).columns if not is_terminal(stream) else _terminal_width(stream)


def _terminal_width(stream: Any) -> int:
    try:
        return int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        pass
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


# -- One line a call ---------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class CallLine:
    """What one line says of a call or an event."""

    place: str
    what: tuple[str, str]
    """Its kind and its name."""
    outcome: Any
    payload: Any
    outbound: bool = False


def call_line(line: CallLine, width: int) -> RenderableType:
    """Show in one line what a call was, and what came of it or why nothing did."""
    kind, name = line.what
    what = Text.assemble((kind, "dim"), " " if name else "", name)
    outcome = _outcome(line, with_hint=width >= NARROW)
    if width < NARROW:
        return Text.assemble((f"{line.place} ", "dim"), what, " -> ", outcome)
    room = width // 3
    what.truncate(room, overflow="ellipsis", pad=True)
    text = Text.assemble((line.place.rjust(_PLACE), "dim"), "  ", what, "  -> ", outcome)
    text.truncate(width, overflow="ellipsis")
    text.rstrip()
    return text


def _outcome(line: CallLine, *, with_hint: bool) -> Text:
    result = line.outcome
    if isinstance(result, Skipped | Rejected):
        kind, code = ("skipped", result.reason) if isinstance(result, Skipped) else ("rejected", result.error.code)
        why = f"  {hint(code, line.payload, outbound=line.outbound)}" if with_hint else ""
        return Text.assemble((f"{kind}: {code}", STYLES[kind]), (why, "dim"))
    if isinstance(result, AudienceUpdate):
        verb = "joins" if result.member else "leaves"
        text = Text.assemble((f"{verb} {shown_text(result.id_list)}", STYLES["audience"]))
        return _with_details(text, result.issues, _ids(result.user_id, result.custom_ids))
    if isinstance(result, StatsigEvent):
        text = Text.assemble((shown_text(result.event_name, 100), STYLES["event"]))
        return _with_details(text, result.issues, _ids(result.user.user_id, result.user.custom_ids))
    text = Text.assemble((shown_text(str(result["event"]), 100), STYLES["event"]))
    return _with_details(text, (), _track_ids(result))


def _with_details(text: Text, issues: Iterable[Issue], ids: Iterable[tuple[str, str]]) -> Text:
    codes = list(dict.fromkeys(issue.code for issue in issues))
    if codes:
        text.append(f"  {', '.join(codes)}", STYLES["issue"])
    for id_type, unit in ids:
        text.append(f"  {shown_text(id_type)}={shown_text(unit)}", "dim")
    return text


def _ids(user_id: str | None, custom_ids: Any) -> Iterable[tuple[str, str]]:
    return [*([] if user_id is None else [("userID", user_id)]), *custom_ids.items()]


def _track_ids(track: Any) -> Iterable[tuple[str, str]]:
    return [(name, str(track[name])) for name in ("userId", "anonymousId") if track.get(name) is not None]


# -- Explanations ------------------------------------------------------------------------------------------------------


def explanation(place: str, payload: Any, explained: Explanation, width: int) -> RenderableType:
    """Show where each field of a result came from, or why there is none and what would change that."""
    kind, name = call_name(payload)
    result = explained.result
    head = Text.assemble((place, "dim"), "  ", (kind, "bold"), " " if name else "", name, "  ->  ", _verdict(result))
    if isinstance(result, Skipped):
        body: list[RenderableType] = [_why(result.reason, CODES[result.reason].meaning, payload)]
    elif isinstance(result, Rejected):
        body = [_why(result.error.code, str(result.error), payload)]
    else:
        body = [_table(explained.rows, width), *map(_issue, result.issues)]
    return Group(head, *(Padding(part, (0, 0, 0, _INDENT if width >= NARROW else 1)) for part in body), "")


def _verdict(result: Any) -> Text:
    if isinstance(result, Skipped):
        return Text(f"skipped: {result.reason}", STYLES["skipped"])
    if isinstance(result, Rejected):
        path = f" at {shown_text(result.error.path)}" if result.error.path else ""
        return Text(f"rejected: {result.error.code}{path}", STYLES["rejected"])
    kind = "audience" if isinstance(result, AudienceUpdate) else "event"
    return Text(kind, STYLES[kind])


def _why(code: str, meaning: str, payload: Any) -> RenderableType:
    rule = CODES[code].rule
    facts = (
        ("why", f"{meaning} ({rule}: {rulebook.RULES[rule].title})"),
        ("what would change it", hint(code, payload)),
    )
    return Group(*(Text.assemble((f"{name}:  ", "dim"), text) for name, text in facts))


def _issue(issue: Issue) -> Text:
    return Text.assemble(
        ("issue:  ", "dim"), (issue.code, STYLES["issue"]), f" at {printable(issue.path)}: {issue.message}"
    )


def _table(rows: Iterable[Row], width: int) -> RenderableType:
    """Show the rows: a column each, or where that is too narrow, a line for each cell."""
    cells = [_cells(row) for row in rows]
    if width < NARROW:
        return Group(*(Text(f"{target} = {value}\n  {source}  {rule}") for target, value, source, rule in cells))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading, column, style in zip(_HEADINGS, _widths(cells, width - _INDENT), ("bold", "", "", "dim"), strict=True):
        table.add_column(heading, overflow="fold", width=column, style=style)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


def _widths(cells: Sequence[tuple[str, ...]], width: int) -> tuple[int, ...]:
    """Share the width: the paths get what they need as far as it goes, the value what is left and a little at least."""
    target, value, source, rule = (max(map(cell_len, column)) for column in zip(_HEADINGS, *cells, strict=True))
    left = width - rule - 2 * (len(_HEADINGS) - 1)
    room = left - min(value, _VALUE)
    target = min(target, max(room // 2, room - source))
    source = min(source, room - target)
    return target, min(value, left - target - source), source, rule


def _cells(row: Row) -> tuple[str, str, str, str]:
    return printable(row.target), shown(row.value, 1_000), printable(row.source or _CONFIGURED), row.rule


# -- The summary -------------------------------------------------------------------------------------------------------


def summary(tally: Tally, width: int, *, outbound: bool, largest: int | None = LARGEST) -> RenderableType:
    """Show what became of what was read: the sum, and its largest groups, or all, with what would change them."""
    found = groups(tally)
    rows = [
        (f"{number:,}", Text(f"{kind}: {code}", STYLES[kind]), Text(_advice(kind, code, outbound=outbound), "dim"))
        for number, kind, code in found[:largest]
    ]
    others = len(found) - len(rows)
    more = [Text(f"and {others} smaller groups; --summary-json FILE writes them all", "dim")] if others > 0 else []
    shown: Iterable[RenderableType] = [_grid(rows)] if width >= NARROW else map(_joined, rows)
    return Group(Text(sum_text(tally), "bold"), *(shown if rows else ()), *more)


def _advice(kind: str, code: str, *, outbound: bool) -> str:
    return CODES[code].meaning if kind == "issue" else hint(code, None, outbound=outbound)


def _grid(rows: Iterable[tuple[str, Text, Text]]) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
    table.add_column(justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    return table


def _joined(row: tuple[str, Text, Text]) -> Text:
    return Text(" ").join((Text(row[0]), *row[1:]))


# -- Progress ----------------------------------------------------------------------------------------------------------


class _Rate(ProgressColumn):
    """How many payloads a second."""

    def render(self, task: Task) -> Text:
        """Show the rate since the start."""
        rate = task.fields["read"] / task.elapsed if task.elapsed else 0
        return Text(f"{rate:,.0f}/s", "dim")


def progress(stream: IO[Any], total: int | None) -> Progress:
    """Make the line that shows count, rate and share of the bytes; it shows itself when it is started."""
    console = Console(file=stream, width=_width(stream), highlight=False)
    share = [BarColumn(bar_width=20), TextColumn("{task.percentage:>3.0f}%")] if total else []
    columns = (TextColumn("read {task.fields[read]:,}"), _Rate(), *share)
    made = Progress(*columns, console=console, transient=True, auto_refresh=False)
    made.add_task("", total=total, read=0)
    return made
