"""What the Preview tab asks of the library: it reads and counts as the command `preview` does, one block at a time.

`begin` opens the input and `step` counts one block of it, so that the worker can answer other questions in between.
`result` gives the counts for the page, `page` gives them as the page that `preview --html` writes, and `add_mapping`
writes a gain into the text of the configuration. With an earlier configuration, `result` also has what changed since.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import attrs

from statsig_segment import (
    ConfigError,
    Differences,
    IdMapping,
    IntegrationConfig,
    Preview,
    differences,
    load_config,
    preview,
)
from statsig_segment.cli.blocks import CALLS, Block, Payloads, preview_block
from statsig_segment.cli.files import READ_ERRORS, read_blocks
from statsig_segment.cli.messages import STATSIG_HINT, mapping_lines, shown_text
from statsig_segment.cli.preview_facts import (
    REPLAY,
    GroupRow,
    Shown,
    consent_note,
    counted,
    event_rows,
    gain_effect,
    library_rows,
    mapping_effect,
    ordered_units,
    percent,
    shown_gains,
    span,
    unit_share,
    unsent,
)
from statsig_segment.cli.preview_html import preview_page
from statsig_segment.insight.preview import EventPreview, Gain, LibraryPreview
from statsig_segment.rulebook import CODES

Json = dict[str, Any]

PIECE: Final = 1 << 18
"""A block of lines is counted in pieces of about so many bytes."""
TEXT: Final = 120
"""So many characters of a name are shown."""
FATES: Final = ("changed", "started", "stopped")
"""What a new configuration can do to a call, besides nothing."""
CHANGES: Final = 12
"""So many events and paths of a change are shown."""
UNITS: Final = 12
"""So many ID types are shown, of the whole, of each event and of each library."""


@attrs.define(kw_only=True)
class _Count:
    """One pass over an input, as far as it has come."""

    config: IntegrationConfig
    before: IntegrationConfig | None
    blocks: Iterator[Block]
    found: Preview
    change: Differences = attrs.Factory(Differences)
    misdirected: int = 0
    bytes_read: int = 0


_count: _Count | None = None


# -- What the page asks ----------------------------------------------------------------------------------------------


def begin(path: str, config: str, before: str | None = None) -> str:
    """Open an input, plain, gzip or zstd; give the problems of the configuration, which prevent that."""
    global _count  # noqa: PLW0603 - one page asks, and one input is open
    try:
        settings, earlier = load_config(config), None if before is None else load_config(before)
    except ConfigError as error:
        issues = [attrs.asdict(issue) | {"rules": [CODES[issue.code].rule]} for issue in error.issues]
        return json.dumps({"problems": issues})
    _count = _Count(config=settings, before=earlier, blocks=iter(()), found=preview((), settings))
    _count.blocks = _pieces(_count, path)
    return json.dumps({"problems": []})


def step() -> str:
    """Count the next block: give the bytes read so far, whether that was all, and why it cannot be read further."""
    count = _begun()
    try:
        block = next(count.blocks, None)
    except READ_ERRORS as error:
        return json.dumps({"done": True, "bytes": count.bytes_read, "failure": str(error) or "damaged"})
    if block is None:
        return json.dumps({"done": True, "bytes": count.bytes_read, "failure": None})
    found, misdirected = preview_block(count.config, (), block)
    count.found = count.found.merge(found)
    if count.before is not None:
        count.change = count.change.merge(differences(Payloads(block, CALLS), count.before, count.config))
    count.misdirected += misdirected
    return json.dumps({"done": False, "bytes": count.bytes_read})


def result() -> str:
    """Give the counts so far, as text and figures for the page."""
    count = _begun()
    found = count.found
    shown = Shown(found, count.config)
    units = ordered_units(shown)
    rejected = sum(found.rejected.values())
    outcomes = {
        "event": found.translated,
        "audience": found.audiences,
        "skipped": sum(found.skipped.values()),
        "rejected": rejected,
    }
    other = counted(count.misdirected, "payload")
    return json.dumps(
        {
            "problems": [],
            "read": counted(found.read, "call"),
            "outcomes": outcomes,
            "translated": counted(found.translated, "event"),
            "change": None if count.before is None else _change(count.change),
            "span": f"{span(found)} {REPLAY}",
            "units": list(_units(found, units)),
            "gains": [_gain(gain, rejected) for gain in shown_gains(shown)],
            "events": [_event(row, units) for row in event_rows(found)],
            "libraries": [_library(row, units) for row in library_rows(found)],
            "mappings": [
                {"field": use.field, "idType": use.id_type, "effect": mapping_effect(use)} for use in found.mappings
            ],
            "consent": [
                {"name": shown_text(name, TEXT), "given": consent.given, "refused": consent.refused}
                for name, consent in sorted(found.consent.items())
            ],
            "consentNote": consent_note(shown),
            "reasons": _codes({**found.skipped, **found.rejected}),
            "issues": _codes(found.issues),
            "other": f"{other} of the other direction. {STATSIG_HINT}" if count.misdirected else None,
        }
    )


def page() -> str:
    """Give the counts as a page of their own."""
    return json.dumps(preview_page(Shown(_begun().found, _begun().config)))


def add_mapping(text: str, field: str, id_type: str) -> str:
    """Give the text of a configuration with one more mapping, last of all; `null` where that takes a person."""
    try:
        config = load_config(text)
    except ConfigError:  # broken since the gain was shown
        return "null"
    mapping = IdMapping(field=field, id_type=id_type)
    inbound = attrs.evolve(config.inbound, id_mappings=(*config.inbound.id_mappings, mapping))
    wanted = attrs.evolve(config, inbound=inbound)
    return json.dumps(next((text for text in _with_mapping(text, field, id_type) if _means(text, wanted)), None))


def _begun() -> _Count:
    if _count is None:
        raise RuntimeError("nothing was begun")
    return _count


# -- Input -----------------------------------------------------------------------------------------------------------


def _pieces(count: _Count, path: str) -> Iterator[Block]:
    """Give the blocks of a file, those of many lines in pieces, so that counting each takes a moment."""

    def read(size: int) -> None:
        count.bytes_read += size

    for block in read_blocks(path, CALLS, on_read=read):
        if isinstance(block.data, bytes):
            yield from (Block(data=lines) for lines in _cut(block.data))
        else:
            yield block


def _cut(lines: bytes) -> Iterator[bytes]:
    start = 0
    while start < len(lines):
        end = lines.find(b"\n", start + PIECE) + 1 or len(lines)
        yield lines[start:end]
        start = end


# -- The configuration -----------------------------------------------------------------------------------------------


def _with_mapping(text: str, field: str, id_type: str) -> Iterator[str]:
    """Give texts that may be the one with the mapping: a table of TOML at the end, else an item of each array."""
    row = {"field": field, "id_type": id_type}
    if text.lstrip().startswith("{"):
        table = json.loads(text)
        inbound = table.setdefault("inbound", {})
        inbound["id_mappings"] = [*inbound.get("id_mappings", []), row]
        yield f"{json.dumps(table, ensure_ascii=False, indent=2)}\n"
        return
    gap = "\n" if text.strip() else ""
    yield f"{text.rstrip()}\n{gap}{mapping_lines(IdMapping(field=field, id_type=id_type))}\n".lstrip("\n")
    item = f'{{ field = "{field}", id_type = "{id_type}" }}'
    for at, character in enumerate(text):
        if character == "]":
            before = text[:at].rstrip()
            comma = "" if before.endswith(("[", ",")) else ", "
            yield f"{before}{comma}{item}{text[len(before) :]}"


def _means(text: str, wanted: IntegrationConfig) -> bool:
    try:
        return load_config(text) == wanted
    except ConfigError:
        return False


# -- Facts for the page ----------------------------------------------------------------------------------------------


def _change(found: Differences) -> Json:
    """Give what a configuration changes since an earlier one: counts, and what changes most."""
    events: list[Json] = [
        {
            "label": shown_text(event.name or f"{event.type} memberships", TEXT),
            "isName": event.name is not None,
            "counts": [getattr(event, fate) for fate in FATES],
        }
        for event in found.events
    ]
    changing = sorted((event for event in events if any(event["counts"])), key=lambda event: -sum(event["counts"]))
    paths = [path for finding in found.findings if finding.aspect != "sent" for path in finding.paths]
    return {
        "counts": {fate: getattr(found, fate) for fate in (*FATES, "same")},
        "events": changing[:CHANGES],
        "more": len(changing[CHANGES:]),
        "paths": [attrs.asdict(path) for path in sorted(paths, key=lambda path: -path.count)[:CHANGES]],
    }


def _units(group: Preview | EventPreview | LibraryPreview, units: Iterable[str]) -> Iterator[Json]:
    """Yield the share of a group's events that have each unit."""
    for unit in list(units)[:UNITS]:
        share = unit_share(group, unit)
        if share is not None:
            yield {"name": shown_text(unit, TEXT), "share": share, "percent": percent(share)}


def _library(row: GroupRow, units: Iterable[str]) -> Json:
    return {
        "label": shown_text(row.name or row.label, TEXT),
        "isName": row.name is not None,
        "events": row.group.translated,
        "units": list(_units(row.group, units)),
    }


def _event(row: GroupRow, units: Iterable[str]) -> Json:
    event: Any = row.group
    return _library(row, units) | {
        "type": event.type or "",
        "calls": event.read,
        "unsent": unsent(event),
        "units": [unit for unit in _units(event, units) if unit["share"]],
    }


def _gain(gain: Gain, rejected: int) -> Json:
    effect = gain_effect(gain, rejected)
    return {"field": gain.field, "idType": gain.id_type, "effect": effect, "lines": mapping_lines(gain.mapping)}


def _codes(counts: Mapping[str, int]) -> list[Json]:
    ordered = sorted(counts, key=lambda code: (-counts[code], code))
    return [
        {
            "code": code,
            "count": counts[code],
            "message": CODES[code].meaning,
            "hint": CODES[code].advice,
            "rules": [CODES[code].rule],
        }
        for code in ordered
    ]
