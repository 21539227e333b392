"""A preview as one self-contained HTML page: no script, no request, safe whatever event names hold; writes no file.

The page says what the terminal says: what came of the calls, which units experiments could use, what a mapping would
add, and the events one by one. Bars are plain elements with a width, so that the page prints, scales to a phone and
follows the reader's color scheme.
"""

from collections.abc import Callable, Iterable, Mapping
from html import escape
from typing import Final

import attrs

from statsig_segment.cli.preview_facts import (
    counted,
    event_label,
    gain_effect,
    gain_lines,
    ordered_events,
    ordered_id_types,
    percent,
    rest_label,
    unsent,
    useful_gains,
    user_share,
)
from statsig_segment.insight.preview import EventPreview, Gain, Preview
from statsig_segment.rulebook.codes import CODES

_MAX_TEXT: Final = 120  # characters of a name that are shown
_OPEN_EVENTS: Final = 25  # that are shown before the reader asks for more
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
h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; }
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
.bars { margin: 0; } .bars div { display: grid; grid-template-columns: 11rem 1fr 4.5rem; gap: 0 .9rem;
  align-items: center; padding: .2rem 0; }
.bars dt, .bars dd { margin: 0; } .bars dt { overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.track { display: block; height: .7rem; overflow: hidden; border-radius: .35rem; background: var(--bar); }
.track span { display: block; height: 100%; background: var(--sent); }
table { width: 100%; border-collapse: collapse; } caption { text-align: left; }
th, td { padding: .45rem .6rem .45rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top; }
thead th { border-top: 0; color: var(--quiet); font-size: .8rem; font-weight: 500; }
tbody th { font-weight: 400; overflow-wrap: anywhere; } td.number, th.number { text-align: right; white-space: nowrap; }
td.share { width: 22%; min-width: 7rem; } td .track { margin: .45rem 0 .1rem; }
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
  .events thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .events tr { display: grid; grid-template-columns: 1fr 1fr; padding: .6rem 0; border-top: 1px solid var(--line); }
  .events th, .events td { padding: .1rem 0; border: 0; text-align: left !important; width: auto; }
  .events tbody th { grid-column: 1 / -1; font-weight: 500; }
  .events td::before { content: attr(data-label) " "; color: var(--quiet); font-size: .8rem; }
  .events td.share { grid-column: 1 / -1; }
}
"""


@attrs.frozen(kw_only=True)
class _Outcome:
    """What calls may become, and how the page shows it."""

    label: str
    color: str
    count: Callable[[Preview], int]


_OUTCOMES: Final = (
    _Outcome(label="Events", color="sent", count=lambda found: found.translated),
    _Outcome(label="Audience updates", color="list", count=lambda found: found.audiences),
    _Outcome(label="Skipped", color="skip", count=lambda found: sum(found.skipped.values())),
    _Outcome(label="Rejected", color="lost", count=lambda found: sum(found.rejected.values())),
)


def preview_page(preview: Preview, *, title: str = "What your Segment traffic would become") -> str:
    """Write a preview as one HTML page.

    Shape: a `Preview` in; the text of a page out, which can be encoded as UTF-8 whatever the names hold. It loads
    nothing and runs no script.
    Errors: none.
    Rules: CO-1 to CO-3, CO-5.

    >>> from statsig_segment.insight.preview import preview
    >>> page = preview_page(preview([{"type": "track", "event": "<b>Paid</b>", "userId": "u1"}]))
    >>> page.startswith("<!doctype html>"), "<b>" in page, "&lt;b&gt;Paid&lt;/b&gt;" in page
    (True, False, True)
    """
    sections = (_outcomes, _units, _gains, _events, _reasons, _issues)
    body = "\n".join(filter(None, (section(preview) for section in sections)))
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
<header><h1>{_visible(title)}</h1></header>
<main>
{body}
</main>
<footer><p class="quiet">Made by statsig-segment. This page holds event names and ID types, and no other values of the
calls.</p></footer>
</body>
</html>
"""


# -- Sections ---------------------------------------------------------------------------------------------------------


def _outcomes(preview: Preview) -> str:
    counts = [(each, each.count(preview)) for each in _OUTCOMES]
    figures = "".join(
        f'<div><dt><i class="{each.color}"></i>{each.label}</dt><dd>{_number(count)}</dd></div>'
        for each, count in counts
    )
    parts = "".join(
        f'<span class="{each.color}" style="width:{_width(count, preview.read)}"></span>' for each, count in counts
    )
    said = ", ".join(f"{each.label.lower()} {_number(count)}" for each, count in counts)
    return _section(
        counted(preview.read, "call"),
        f'<dl class="figures">{figures}</dl><div class="stack" role="img" aria-label="{said}">{parts}</div>',
    )


def _units(preview: Preview) -> str:
    if not preview.translated:
        return ""
    types = ((id_type, preview.share(id_type)) for id_type in ordered_id_types(preview))
    rows = [("User ID", preview.share("userID")), *types]
    bars = "".join(
        f'<div><dt>{_text(name)}</dt><dd class="wide">{_track(share)}</dd>'
        f'<dd class="number">{percent(share)}</dd></div>'
        for name, share in rows
    )
    return _section(
        "Units that experiments could use",
        f'<p class="quiet">The share of the {counted(preview.translated, "event")} '
        f'that have each ID.</p><dl class="bars">{bars}</dl>',
    )


def _gains(preview: Preview) -> str:
    gains = useful_gains(preview)
    rejected = sum(preview.rejected.values())
    return _section("What would help", "".join(_gain(gain, rejected) for gain in gains)) if gains else ""


def _gain(gain: Gain, rejected: int) -> str:
    return (
        f"<p>Mapping <code>{_text(gain.field)}</code> to <code>{_text(gain.id_type)}</code> "
        f"{gain_effect(gain, rejected)}:</p><pre>{escape(gain_lines(gain))}</pre>"
    )


def _events(preview: Preview) -> str:
    events = ordered_events(preview)
    if not events:
        return ""
    rows = [_event_row(_name(event), event) for event in events]
    if preview.rest.read:
        rows.append(_event_row(rest_label(preview), preview.rest))
    shown, more = rows[:_OPEN_EVENTS], rows[_OPEN_EVENTS:]
    rest = f"<details><summary>{_number(len(more))} more</summary>{_event_table(more)}</details>" if more else ""
    return _section("Events", f"{_event_table(shown)}{rest}")


def _name(event: EventPreview) -> str:
    if event.name is not None:
        return _text(event.name)
    return f"<em>{event_label(event)}</em>"


def _event_table(rows: Iterable[str]) -> str:
    heads = "".join(f'<th scope="col" class="number">{label}</th>' for label in ("Calls", "Events", "Not sent"))
    return (
        f'<table class="events"><thead><tr><th scope="col">Name</th><th scope="col">Type</th>{heads}'
        f'<th scope="col">With a user ID</th></tr></thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _event_row(name: str, event: EventPreview) -> str:
    """Write one row; `name` is HTML."""
    numbers = (("Calls", event.read), ("Events", event.translated), ("Not sent", unsent(event)))
    cells = "".join(f'<td class="number" data-label="{label}">{_number(count)}</td>' for label, count in numbers)
    share = user_share(event)
    bar = "" if share is None else f"{percent(share)}{_track(share)}"
    return (
        f'<tr><th scope="row">{name}</th><td data-label="Type">{event.type or ""}</td>{cells}'
        f'<td class="share" data-label="With a user ID">{bar}</td></tr>'
    )


def _reasons(preview: Preview) -> str:
    return _section_of_codes("Why calls were skipped or rejected", {**preview.skipped, **preview.rejected})


def _issues(preview: Preview) -> str:
    return _section_of_codes("Issues in calls that went through", preview.issues)


def _section_of_codes(title: str, counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
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


def _track(share: float) -> str:
    return f'<span class="track"><span style="width:{_width(share, 1)}"></span></span>'


def _width(count: float, whole: float) -> str:
    """Give the width of a bar: something for everything that is there, and never more than all."""
    share = 100 * count / whole if whole else 0
    return f"{max(share, _MIN_WIDTH):.2f}%" if share else "0"


def _number(count: int) -> str:
    return f"{count:,}"


def _text(text: str) -> str:
    r"""Write the text of a caller as HTML, cut to what a page can show.

    >>> _text("a<b>\x00\ud800")
    '<bdi>a&lt;b&gt;\\x00\\ud800</bdi>'
    """
    cut = text if len(text) <= _MAX_TEXT else f"{text[: _MAX_TEXT - 1]}…"
    return f"<bdi>{_visible(cut)}</bdi>"


def _visible(text: str) -> str:
    """Escape text for HTML, and show what would hide, or turn what follows."""
    shown = (char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
    return escape("".join(shown))
