"""What people see, made with rich: lines of calls, explanations, summary, progress (CL-2, CL-3); writes nothing.

Text has no escape codes if NO_COLOR is set, if TERM is dumb, or if there is no terminal.
"""

import io
import os
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any, Final

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from statsig_segment import rulebook
from statsig_segment.cli.blocks import Place
from statsig_segment.cli.identifier_text import missing_ids
from statsig_segment.cli.messages import groups, hint, payload_name, printable, shown, shown_text, sum_text
from statsig_segment.inbound.audiences import AudienceUpdate
from statsig_segment.insight.explain import Explanation, Row
from statsig_segment.insight.preview import Counts
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.rulebook import CODES
from statsig_segment.statsig.events import StatsigEvent

STYLES: Final = {"event": "green", "audience": "cyan", "skipped": "magenta", "rejected": "bold red", "issue": "magenta"}
LARGEST: Final = 5
"""How many groups the summary shows."""

_BLANKS_AT_END: Final = re.compile(r" +$", re.MULTILINE)
NARROW: Final = 60
"""From here on, columns have room; a narrower terminal wraps."""
_INDENT: Final = 3
_HEADINGS: Final = ("target", "value", "source", "rule")
_CONFIGURED: Final = "(configuration)"
_WIDE_PAPER: Final = 120
"""The width of text for a file."""


def is_terminal(stream: IO[Any] | None) -> bool:
    """Return whether a stream is a terminal."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed
        return False


def is_plain() -> bool:
    """Return whether the terminal should not get escape codes."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") in {"dumb", "unknown"}


class Screen:
    """Renders content as text for one stream."""

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
        """Return content as text, with its styles as far as the terminal may have them."""
        with self._console.capture() as captured:
            self._console.print(content)
        return _BLANKS_AT_END.sub("", captured.get())


def _width(stream: Any) -> int:
    """Return the width of this stream; `shutil` would return that of standard output."""
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    if not is_terminal(stream):
        return _WIDE_PAPER
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


# -- One line a call ---------------------------------------------------------------------------------------------------


def call_line(place: Place, payload: Any, outcome: Any, width: int, *, outbound: bool) -> RenderableType:
    """Return one line with a call or event, and its outcome or the reason why it has none."""
    kind, name = payload_name(payload, outbound=outbound)
    what = Text.assemble((kind, "dim"), " " if name else "", name)
    if width < NARROW:
        return Text.assemble((f"{place.line} ", "dim"), what, " -> ", _verdict(outcome), *_details(outcome))
    what.truncate(width // 3, overflow="ellipsis", pad=True)
    text = Text.assemble((f"{place.line:>5}", "dim"), "  ", what, "  -> ", _verdict(outcome), *_details(outcome))
    if isinstance(outcome, Skipped | Rejected):
        text.append(f"  {hint(_code(outcome), payload, outbound=outbound)}", "dim")
    text.truncate(width, overflow="ellipsis")
    text.rstrip()
    return text


def _verdict(outcome: Any) -> Text:
    """Return the outcome of a payload in a word or two."""
    match outcome:
        case Skipped():
            return Text(f"skipped: {outcome.reason}", STYLES["skipped"])
        case Rejected():
            return Text(f"rejected: {outcome.error.code}", STYLES["rejected"])
        case AudienceUpdate():
            return Text(f"{'joins' if outcome.member else 'leaves'} {shown_text(outcome.id_list)}", STYLES["audience"])
        case _:
            name = outcome.event_name if isinstance(outcome, StatsigEvent) else str(outcome["event"])
            return Text(shown_text(name, 100), STYLES["event"])


def _code(outcome: Skipped | Rejected) -> str:
    return outcome.reason if isinstance(outcome, Skipped) else outcome.error.code


def _details(outcome: Any) -> Iterable[tuple[str, str]]:
    """Yield the issues of an outcome, and its IDs."""
    codes = dict.fromkeys(issue.code for issue in getattr(outcome, "issues", ()))
    if codes:
        yield f"  {', '.join(codes)}", STYLES["issue"]
    ids: dict[str, Any] = {}
    match outcome:
        case Skipped() | Rejected():
            return
        case StatsigEvent(user=user):
            ids = {"userID": user.user_id, **user.custom_ids}
        case AudienceUpdate():
            ids = {"userID": outcome.user_id, **outcome.custom_ids}
        case _:
            ids = {name: outcome.get(name) for name in ("userId", "anonymousId")}
    for id_type, unit in ids.items():
        if unit is not None:
            yield f"  {shown_text(id_type)}={shown_text(str(unit))}", "dim"


# -- Explanations ------------------------------------------------------------------------------------------------------


def explanation(
    place: Place, payload: Any, explained: Explanation[Any], width: int, *, outbound: bool = False
) -> RenderableType:
    """Return where each field of a result came from, or why there is no result and what would change that."""
    kind, name = payload_name(payload, outbound=outbound)
    result = explained.result
    body = [*_answers(explained, outbound=outbound)]
    if explained.setting is not None:
        body.append(_fact("setting", explained.setting))
    if isinstance(result, Skipped | Rejected):
        verdict, code = _verdict(result), CODES[_code(result)]
        if isinstance(result, Rejected) and result.error.path:
            verdict.append(f" at {shown_text(result.error.path)}")
        meaning = str(result.error) if isinstance(result, Rejected) else code.meaning
        body.append(_fact("why", f"{meaning} ({code.rule}: {rulebook.RULES[code.rule].title})"))
        body.append(_fact("what would change it", hint(_code(result), payload, outbound=outbound)))
    else:
        what = "audience" if isinstance(result, AudienceUpdate) else "event"
        verdict = Text(what, STYLES[what])
        body += (
            _table(explained.rows, width),
            *(
                _fact("issue", (issue.code, STYLES["issue"]), f" at {printable(issue.path)}: {issue.message}")
                for issue in explained.issues
            ),
        )
    head = Text.assemble((str(place), "dim"), "  ", (kind, "bold"), " " if name else "", name, "  ->  ", verdict)
    return Group(head, *(Padding(part, (0, 0, 0, _INDENT if width >= NARROW else 1)) for part in body), "")


def _fact(label: str, *parts: str | tuple[str, str]) -> Text:
    return Text.assemble((f"{label}:  ", "dim"), *parts)


def _answers(explained: Explanation[Any], *, outbound: bool) -> Iterator[RenderableType]:
    for answer in missing_ids(explained, outbound=outbound):
        is_why = answer.mapping is None
        yield Text.assemble((answer.head, "bold" if is_why else ""), answer.rest)
        if not is_why:
            yield Padding(Text(answer.lines), (0, 0, 0, 4))


def _table(rows: Iterable[Row], width: int) -> RenderableType:
    """Return a table of the rows, or two lines for each row if the columns would break a word."""
    cells = [(printable(row.target), shown(row.value, 1_000), printable(row.source or _CONFIGURED), row.rule)
             for row in rows]  # fmt: skip
    target, _, source, rule = (max(map(cell_len, column)) for column in zip(_HEADINGS, *cells, strict=True))
    room = width - _INDENT - 2 * (len(_HEADINGS) - 1) - target - source - rule
    if room < max((cell_len(word) for _, value, _, _ in cells for word in ("value", *value.split())), default=0):
        return Group(*(Text(f"{target} = {value}\n  {source}  {rule}") for target, value, source, rule in cells))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for heading, style in zip(_HEADINGS, ("bold", "", "", "dim"), strict=True):
        table.add_column(heading, no_wrap=heading != "value", style=style)
    for row in cells:
        table.add_row(*map(Text, row))
    return table


# -- The summary -------------------------------------------------------------------------------------------------------


def summary(counts: Counts, width: int, *, outbound: bool, largest: int | None = LARGEST) -> RenderableType:
    """Return the summary of what was read: the total and its largest groups, or all, with a hint for each."""
    return Group(Text(sum_text(counts), "bold"), *reasons(counts, width, outbound=outbound, largest=largest))


def reasons(counts: Counts, width: int, *, outbound: bool, largest: int | None) -> list[RenderableType]:
    """Return the largest groups of payloads that were skipped, were rejected or have issues, with a hint for each."""
    found = groups(counts)
    rows = [
        (
            Text(f"{number:,}"),
            Text(f"{kind}: {code}", STYLES[kind]),
            Text(CODES[code].meaning if kind == "issue" else hint(code, None, outbound=outbound), "dim"),
        )
        for number, kind, code in found[:largest]
    ]
    shown: list[RenderableType] = [Text(" ").join(row) for row in rows]
    if rows and width >= NARROW:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(justify="right", no_wrap=True)
        table.add_column(no_wrap=True)
        for row in rows:
            table.add_row(*row)
        shown = [table]
    if len(found) > len(rows):
        shown.append(Text(f"and {len(found) - len(rows)} smaller groups; --summary-json FILE writes them all", "dim"))
    return shown


# -- Progress ----------------------------------------------------------------------------------------------------------


def progress(stream: IO[Any], total: int | None) -> Progress:
    """Make the line that shows count, rate and share of the bytes; it shows itself when it is started."""
    console = Console(file=stream, width=_width(stream), highlight=False)
    share = [BarColumn(bar_width=20), TextColumn("{task.percentage:>3.0f}%")] if total else []
    columns = (TextColumn("read {task.fields[read]:,}"), TextColumn("{task.fields[rate]:,.0f}/s", style="dim"), *share)
    made = Progress(*columns, console=console, transient=True, auto_refresh=False)
    made.add_task("", total=total, read=0, rate=0)
    return made
