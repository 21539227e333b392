"""Texts of the command line: counts, hints, and untrusted text made safe to show; writes nothing itself.

Text of a payload or a file is shown as JSON, and a terminal obeys no character of it.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from statsig_segment import segment, statsig
from statsig_segment._json.javascript import json_text
from statsig_segment._json.values import freeze
from statsig_segment.cli.blocks import is_segment, is_statsig
from statsig_segment.configuration.mappings import IdMapping
from statsig_segment.insight.preview import Counts
from statsig_segment.rulebook import CODES

STATSIG_HINT: Final = (
    "This is an event of Statsig's, such as `inbound` writes and `outbound` reads; `inbound` and `explain` read "
    "Segment calls."
)
SEGMENT_HINT: Final = (
    "This is a Segment call, such as `inbound` and `explain` read; `outbound` reads Statsig's exports."
)


def shown(value: object, most: int | None = None) -> str:
    r"""Return a value as JSON, cut to `most` characters.

    >>> print(shown({"a": "b\x9b"}), shown("abcdef", 5))
    {"a":"b\u009b"} "abc…
    """
    text = printable(json_text(freeze(value))[0])
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def shown_text(text: str, most: int = 60) -> str:
    """Return text to show without quotes, cut to `most` characters."""
    text = printable(text).replace("\n", "\\n")
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str) -> str:
    """Return text with the characters escaped that a terminal might obey or cannot show, except line ends."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    """Escape a character as JSON does: by its one or two units of UTF-16."""
    return re.sub(".{4}", r"\\u\g<0>", character.encode("utf-16-be", "surrogatepass").hex())


def payload_name(payload: Any, *, outbound: bool = False) -> tuple[str, str]:
    """Return a payload's kind and name, as far as it has them."""
    if payload.__class__ is not dict:
        return ("not an event" if outbound else "not a call"), ""
    if (is_statsig(payload) or outbound) and not is_segment(payload):
        kind = "event" if outbound else "Statsig event"
        keys = statsig.EVENT_NAME, "event_name", segment.EVENT
    else:
        named = payload.get(segment.TYPE)
        kind = f"{'Segment ' if outbound else ''}{shown_text(named) if isinstance(named, str) else 'an object'}"
        keys = segment.EVENT, segment.NAME, segment.GROUP_ID
    return kind, next((shown(payload[key]) for key in keys if isinstance(payload.get(key), str)), "")


def hint(code: str, payload: Any, *, outbound: bool = False) -> str:
    """Return a hint on what to do about a payload that was skipped or rejected."""
    if outbound:
        return SEGMENT_HINT if is_segment(payload) else CODES[code].outbound_advice or CODES[code].advice
    return STATSIG_HINT if is_statsig(payload) else CODES[code].advice


def mapping_lines(mapping: IdMapping) -> str:
    """Write the lines that add an ID mapping to a configuration in TOML."""
    field, id_type = json.dumps(mapping.field), json.dumps(mapping.id_type)
    return f"[[inbound.id_mappings]]\nfield = {field}\nid_type = {id_type}"


def summary_record(counts: Counts) -> Mapping[str, Any]:
    """Return what became of what was read as a value for JSON."""
    sums = {name: getattr(counts, name) for name in ("read", "translated", "audiences")}
    return sums | {name: dict(sorted(getattr(counts, name).items())) for name in ("skipped", "rejected", "issues")}


def summary_text(counts: Counts) -> str:
    """Return the summary of what was read: the total, and each part by its reasons."""
    lines = [sum_text(counts)]
    for kind in ("skipped", "rejected", "issues"):
        ordered = sorted(getattr(counts, kind).items(), key=lambda item: (-item[1], item[0]))
        if ordered:
            lines.append(f"{kind}: {', '.join(f'{code} {number:,}' for code, number in ordered)}")
    return "\n".join(lines)


def sum_text(counts: Counts) -> str:
    """Return the summary of what was read in one line, whose numbers add up."""
    translated = f"translated {counts.translated:,} + audiences {counts.audiences:,}"
    skipped, rejected = sum(counts.skipped.values()), sum(counts.rejected.values())
    return f"read {counts.read:,} = {translated} + skipped {skipped:,} + rejected {rejected:,}"


def groups(counts: Counts) -> list[tuple[int, str, str]]:
    """Return how many payloads were skipped or rejected or have issues, of which kind, by which code; largest first."""
    kinds = (("rejected", counts.rejected), ("skipped", counts.skipped), ("issue", counts.issues))
    found = [(number, kind, code) for kind, parts in kinds for code, number in parts.items()]
    return sorted(found, key=lambda group: -group[0])
