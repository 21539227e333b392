"""A preview as one self-contained HTML page: no script, no request, safe whatever event names hold; writes no file.

The page says what the terminal says: the outcomes of the calls, which units experiments could use, what a mapping would
add, and the events one by one. Bars are plain elements with a width, so that the page prints, scales to a phone and
follows the reader's color scheme.
"""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from statsig_segment import segment
from statsig_segment.cli.messages import mapping_lines
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
from statsig_segment.insight.preview import Gain
from statsig_segment.rulebook import CODES

_MAX_TEXT: Final = 120  # characters of a name that are shown
_OPEN_ROWS: Final = 25  # that are shown before the reader asks for more
_UNITS: Final = 6  # that have a column of their own in a table
_INPUTS: Final = 5  # files that are named
_MIN_WIDTH: Final = 0.4  # percent of a bar: what is there is seen

_STYLE: Final = """
:root { color-scheme: light dark; --page: #f6f7f9; --card: #fff; --ink: #1b2330; --quiet: #566072; --line: #dfe3ea;
  --bar: #e8ebf0; --sent: #1f7a5c; --list: #2c6fbb; --skip: #b98212; --lost: #b8433a; --code: #eef1f5; }
@media (prefers-color-scheme: dark) { :root { --page: #12161d; --card: #1a2029; --ink: #e6eaf0; --quiet: #9aa5b5;
  --line: #2c3441; --bar: #2a323e; --sent: #45b28b; --list: #62a3e8; --skip: #d9a53a; --lost: #e2766c;
  --code: #11161d; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 1.5rem 1rem 3rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main, header, footer { max-width: 62rem; margin: 0 auto; }
h1 { margin: 0 0 .4rem; font-size: 1.6rem; line-height: 1.25; }
h2 { margin: 0 0 .75rem; font-size: 1.1rem; }
p { margin: 0 0 .75rem; max-width: 68ch; }
.quiet { color: var(--quiet); font-size: .875rem; }
section { margin-top: 1.25rem; padding: 1.25rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1rem; margin: 0 0 1rem; }
.figures dt { color: var(--quiet); font-size: .8rem; }
.figures dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; line-height: 1.2; }
.figures i { display: inline-block; width: .65rem; height: .65rem; margin-right: .35rem; border-radius: 50%; }
.stack { display: flex; height: 1.1rem; overflow: hidden; border-radius: .55rem; background: var(--bar); }
.sent { background: var(--sent); } .list { background: var(--list); }
.skip { background: var(--skip); } .lost { background: var(--lost); }
.bars { margin: 0; } .bars div { display: grid; grid-template-columns: 13rem 1fr 4.5rem; gap: 0 .9rem;
  align-items: center; padding: .2rem 0; }
.bars dt, .bars dd { margin: 0; } .bars dt { overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.track { display: block; height: .7rem; overflow: hidden; border-radius: .35rem; background: var(--bar); }
.track span { display: block; height: 100%; background: var(--sent); }
table { width: 100%; border-collapse: collapse; } caption { text-align: left; }
th, td { padding: .45rem .6rem .45rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-top: 0; color: var(--quiet); font-size: .8rem; font-weight: 500; }
tbody th { font-weight: 400; overflow-wrap: anywhere; } td.number, th.number { text-align: right; white-space: nowrap; }
.scroll { overflow-x: auto; } .below { margin: .75rem 0 0; }
.groups .share { min-width: 5rem; padding-left: .6rem; font-variant-numeric: tabular-nums; }
td .track { height: .35rem; margin: .1rem 0; }
pre { margin: .25rem 0 1rem; padding: .75rem; overflow-x: auto; border-radius: .4rem; background: var(--code);
  font: .85rem/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
code { font: .9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
bdi { unicode-bidi: isolate; }
summary { margin-top: .75rem; cursor: pointer; color: var(--list); }
footer { margin-top: 1.5rem; }
@media (max-width: 40rem) {
  body { padding: 1rem .75rem 2rem; } section { padding: 1rem; }
  .bars div { grid-template-columns: 1fr max-content; padding: .35rem 0; }
  .bars .wide { grid-column: 1 / -1; grid-row: 2; }
  .groups thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .groups tr { display: grid; grid-template-columns: 1fr 1fr; padding: .6rem 0; border-top: 1px solid var(--line); }
  .groups th, .groups td, .groups td.share { padding: .1rem 0; border: 0; text-align: left !important; width: auto; }
  .groups tbody th { grid-column: 1 / -1; font-weight: 500; }
  .groups td::before { content: attr(data-label) " "; color: var(--quiet); font-size: .8rem; }
}
"""


def preview_page(shown: Shown, *, title: str = "What your Segment traffic would become") -> str:
    """Write a preview as one HTML page.

    Args:
        shown: A preview, and how it was made; the page names its inputs and its configuration, if they are given.
        title: The heading of the page.

    Returns:
        The text of a page, which can be encoded as UTF-8 whatever the names hold. It loads nothing and runs no script.

    Rules: CO-1 to CO-3, CO-5 to CO-9.

    >>> from statsig_segment.insight.preview import preview
    >>> page = preview_page(Shown(preview([{"type": "track", "event": "<b>Paid</b>", "userId": "u1"}])))
    >>> page.startswith("<!doctype html>"), "<b>" in page, "&lt;b&gt;Paid&lt;/b&gt;" in page
    (True, False, True)

    """
    sections = (_outcomes, _units, _gains, _events, _libraries, _mappings, _consent, _codes)
    body = "\n".join(filter(None, (section(shown) for section in sections)))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{_visible(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<header><h1>{_visible(title)}</h1>{_origin(shown)}</header>
<main>
{body}
</main>
<footer><p class="quiet">Made by statsig-segment. This page holds the names of events, ID types, client libraries and
consent categories, and no other values of the calls.</p></footer>
</body>
</html>
"""


def _origin(shown: Shown) -> str:
    """Return what was read, and under which configuration."""
    if not shown.inputs:
        return ""
    names = ["standard input" if name == "-" else name for name in shown.inputs[:_INPUTS]]
    more = len(shown.inputs) - len(names)
    files = ", ".join(f"<code>{_text(name)}</code>" for name in names) + (f" and {_number(more)} more" if more else "")
    config = (
        f"<code>{_text(shown.config_file)}</code>" if shown.config_file else "none, so every setting has its default"
    )
    return f'<p class="quiet">Made of {files}. Configuration: {config}.</p>'


# -- Sections ---------------------------------------------------------------------------------------------------------


def _outcomes(shown: Shown) -> str:
    preview = shown.preview
    outcomes = (
        ("Events", "sent", preview.translated),
        ("Audience updates", "list", preview.audiences),
        ("Skipped", "skip", sum(preview.skipped.values())),
        ("Rejected", "lost", sum(preview.rejected.values())),
    )
    figures = "".join(
        f'<div><dt><i class="{color}"></i>{label}</dt><dd>{_number(count)}</dd></div>'
        for label, color, count in outcomes
    )
    parts = "".join(
        f'<span class="{color}" style="width:{_width(count, preview.read)}"></span>' for _, color, count in outcomes
    )
    said = ", ".join(f"{label.lower()} {_number(count)}" for label, _, count in outcomes)
    return _section(
        counted(preview.read, "call"),
        f'<dl class="figures">{figures}</dl><div class="stack" role="img" aria-label="{said}">{parts}</div>'
        f'<p class="quiet below">{span(preview)} {REPLAY}</p>',
    )


def _units(shown: Shown) -> str:
    preview = shown.preview
    if not preview.translated:
        return ""
    bars = "".join(
        f'<div><dt>{_unit(unit)}</dt><dd class="wide">{_track(preview.share(unit))}</dd>'
        f'<dd class="number">{percent(preview.share(unit))}</dd></div>'
        for unit in ordered_units(shown)
    )
    return _section(
        "Units that experiments could use",
        f'<p class="quiet">The share of the {counted(preview.translated, "event")} '
        f'that have each ID.</p><dl class="bars">{bars}</dl>',
    )


def _gains(shown: Shown) -> str:
    rejected = sum(shown.preview.rejected.values())
    gains = "".join(_gain(gain, rejected) for gain in shown_gains(shown))
    return _section("What would help", gains) if gains else ""


def _gain(gain: Gain, rejected: int) -> str:
    lines = f":</p><pre>{_visible_lines(mapping_lines(gain.mapping))}</pre>" if is_useful(gain) else ".</p>"
    return (
        f"<p>Mapping <code>{_text(gain.field)}</code> to <code>{_text(gain.id_type)}</code> "
        f"{gain_effect(gain, rejected)}{lines}"
    )


def _events(shown: Shown) -> str:
    return _group_section("Events, and how many of them have each ID", event_rows(shown.preview), shown)


def _libraries(shown: Shown) -> str:
    title = "Client libraries, and how many of their events have each ID"
    return _group_section(title, library_rows(shown.preview), shown)


def _group_section(title: str, groups: Sequence[GroupRow], shown: Shown) -> str:
    """Write a table of groups with a column for each unit, the first rows open."""
    if not groups:
        return ""
    units = ordered_units(shown)[:_UNITS]
    labels = '<th scope="col">Name</th>'
    labels += "".join(f'<th scope="col"{_number_class(head)}>{head.capitalize()}</th>' for head in groups[0].cells)
    labels += "".join(f'<th scope="col" class="share">{_unit(unit)}</th>' for unit in units)
    rows = [_group_row(group, units) for group in groups]
    open_, *folded = (
        f'<div class="scroll"><table class="groups"><thead><tr>{labels}</tr></thead>'
        f"<tbody>{''.join(some)}</tbody></table></div>"
        for some in (rows[:_OPEN_ROWS], rows[_OPEN_ROWS:])
        if some
    )
    more = f"<details><summary>{_number(len(rows) - _OPEN_ROWS)} more</summary>{folded[0]}</details>" if folded else ""
    return _section(title, f"{open_}{more}")


def _group_row(row: GroupRow, units: Iterable[str]) -> str:
    """Write a row, with how many events of the group have each unit."""
    cells = [
        f'<td{_number_class(head)} data-label="{head.capitalize()}">{cell}</td>' for head, cell in row.cells.items()
    ]
    for unit in units:
        share = unit_share(row.group, unit)
        bar = "" if share is None else f"{percent(share)}{_track(share)}"
        cells.append(f'<td class="share" data-label="{_label(unit)}">{bar}</td>')
    return f'<tr><th scope="row">{_name(row.name, row.label)}</th>{"".join(cells)}</tr>'


def _number_class(head: str) -> str:
    return "" if head == "type" else ' class="number"'


def _mappings(shown: Shown) -> str:
    rows = "".join(
        f'<tr><th scope="row"><code>{_text(use.field)}</code> to <code>{_text(use.id_type)}</code></th>'
        f"<td>{_visible(mapping_effect(use))}</td></tr>"
        for use in shown.preview.mappings
    )
    return _section("What your ID mappings did", f"<table><tbody>{rows}</tbody></table>") if rows else ""


def _consent(shown: Shown) -> str:
    rows = "".join(
        f'<tr><th scope="row">{_name(name, "All other categories")}</th>'
        f'<td class="number">given {_number(consent.given)}</td>'
        f'<td class="number">refused {_number(consent.refused)}</td></tr>'
        for name, consent in sorted(shown.preview.consent.items())
    )
    note = consent_note(shown)
    note = f'<p class="below">{note}</p>' if note else ""
    return _section("Consent", f"<table><tbody>{rows}</tbody></table>{note}") if rows else ""


def _codes(shown: Shown) -> str:
    preview = shown.preview
    tables = (
        ("Why calls were skipped or rejected", {**preview.skipped, **preview.rejected}),
        ("Issues in calls that went through", preview.issues),
    )
    return "\n".join(_section_of_codes(title, counts) for title, counts in tables if counts)


def _section_of_codes(title: str, counts: Mapping[str, int]) -> str:
    rows = "".join(_code_row(code, counts[code]) for code in sorted(counts, key=lambda code: (-counts[code], code)))
    return _section(title, f"<table><tbody>{rows}</tbody></table>")


def _code_row(code: str, count: int) -> str:
    known = CODES[code]
    return (
        f'<tr><th scope="row"><code>{code}</code><br>{escape(known.meaning)}<br>'
        f'<span class="quiet">{escape(known.advice)}</span></th><td class="number">{_number(count)}</td></tr>'
    )


# -- Pieces -----------------------------------------------------------------------------------------------------------


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _name(name: str | None, label: str) -> str:
    return _text(name) if name else f"<em>{label}</em>"


def _unit(unit: str) -> str:
    return f"<bdi>{_label(unit)}</bdi>"


def _label(unit: str) -> str:
    return "User ID" if unit == segment.USER_ID_TYPE else _visible(_cut(unit))


def _track(share: float) -> str:
    return f'<span class="track"><span style="width:{_width(share, 1)}"></span></span>'


def _width(count: float, whole: float) -> str:
    """Return the width of a bar: something for everything that is there, and never more than all."""
    share = 100 * count / whole if whole else 0
    return f"{max(share, _MIN_WIDTH):.2f}%" if share else "0"


def _number(count: int) -> str:
    return f"{count:,}"


def _text(text: str) -> str:
    r"""Write the text of a caller as HTML, cut to what a page can show.

    >>> _text("a<b>\x00\ud800")
    '<bdi>a&lt;b&gt;\\x00\\ud800</bdi>'
    """
    return f"<bdi>{_visible(_cut(text))}</bdi>"


def _cut(text: str) -> str:
    return text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"


def _visible(text: str) -> str:
    """Return text escaped for HTML, with characters shown that would be invisible or reverse the text after them."""
    shown = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return escape("".join(shown))


def _visible_lines(text: str) -> str:
    return "\n".join(map(_visible, text.split("\n")))
