"""What the command line tells people: explanations, hints, counts, what a configuration does; writes nothing itself.

Text of a payload or a file is shown as JSON, and no character of it can steer a terminal.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from statsig_segment._javascript import json_text
from statsig_segment._values import FrozenDict, freeze
from statsig_segment.audiences import AudienceUpdate
from statsig_segment.cli.blocks import Tally
from statsig_segment.codes import CODES
from statsig_segment.config import InboundConfig, IntegrationConfig, OutboundConfig
from statsig_segment.errors import Issue
from statsig_segment.event_names import EventNaming
from statsig_segment.explain import Explanation, Row
from statsig_segment.outcomes import Rejected, Skipped
from statsig_segment.rules import RULES
from statsig_segment.segment import EVENT, NAME, TYPE, Group, Page, Screen, Track
from statsig_segment.statsig import EVENT_NAME

_HINTED: Final = frozenset({"SegmentEventError", "TranslationError", "skipped"})
HINTS: Final[Mapping[str, str]] = FrozenDict(
    {code: row.advice for code, row in CODES.items() if not _HINTED.isdisjoint(row.kinds)}
)
"""Reason or error of what was skipped or rejected -> what would change that."""

STATSIG_HINT: Final = (
    "This is an event of Statsig's, such as `inbound` writes. `explain` reads Segment calls: give it what `inbound` "
    "reads."
)

_MOST: Final = 60
"""So much of a value is shown in a table."""
_CONFIGURED: Final = "(configuration)"
_HEADINGS: Final = ("target", "value", "source", "rule")


def shown(value: object, most: int | None = None) -> str:
    r"""Show a value as JSON, cut to `most` characters.

    >>> print(shown({"a": "b\x9b"}), shown("abcdef", 5))
    {"a":"b\u009b"} "abc…
    """
    text = printable(json_text(freeze(value))[0])
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str) -> str:
    """Escape what a terminal might obey or could not show, but for the ends of lines."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    """Escape a character as JSON does: by its one or two units of UTF-16."""
    return re.sub(".{4}", r"\\u\g<0>", character.encode("utf-16-be", "surrogatepass").hex())


def explanation_text(position: int, payload: Any, explanation: Explanation) -> str:
    """Tell where each field of a result came from, or why there is none and what would change that."""
    result = explanation.result
    begin = f"{position}  {_call(payload)}  -> "
    if isinstance(result, Skipped):
        return _lines(f"{begin} skipped: {result.reason}", _why(result.reason, CODES[result.reason].meaning, payload))
    if isinstance(result, Rejected):
        error = result.error
        place = f" at {error.path}" if error.path else ""
        return _lines(f"{begin} rejected: {error.code}{place}", _why(error.code, str(error), payload))
    kind = "audience" if isinstance(result, AudienceUpdate) else "event"
    return _lines(f"{begin} {kind}", (*_table(explanation.rows), *_issues(result.issues)))


def _lines(first: str, others: Iterable[str]) -> str:
    return "".join(f"{printable(line).rstrip()}\n" for line in (first, *(f"   {line}" for line in others)))


def _call(payload: Any) -> str:
    """Name a payload by its type and name, as far as it has them."""
    if not isinstance(payload, dict):
        return "what is no call"
    found = [payload.get(key) for key in (TYPE, EVENT, NAME)]
    words = [word for word in found if isinstance(word, str)]
    return " ".join((words[0], *(shown(word, _MOST) for word in words[1:]))) if words else "an object"


def _why(code: str, meaning: str, payload: Any) -> Iterator[str]:
    rule = CODES[code].rule
    yield f"why:  {meaning} ({rule}: {RULES[rule].title})"
    yield f"what would change it:  {STATSIG_HINT if _is_statsig(payload) else HINTS[code]}"


def _is_statsig(payload: Any) -> bool:
    """Tell whether a payload is no call but one of the three forms that events have at Statsig, or their export."""
    if not isinstance(payload, dict) or TYPE in payload:
        return False
    return any(
        payload.keys() >= keys for keys in ({EVENT_NAME}, {"events", "statsigMetadata"}, {"user", EVENT, "metadata"})
    )


def _table(rows: Iterable[Row]) -> Iterator[str]:
    cells = [_HEADINGS, *map(_cells, rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(_HEADINGS))]
    for row in cells:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _cells(row: Row) -> tuple[str, str, str, str]:
    rule = f"{row.rule} {RULES[row.rule].title}"
    return printable(row.target), shown(row.value, _MOST), printable(row.source or _CONFIGURED), rule


def _issues(issues: Iterable[Issue]) -> Iterator[str]:
    return (f"issue:  {issue.code} at {issue.path}: {issue.message}" for issue in issues)


def summary_text(tally: Tally) -> str:
    """Tell what became of what was read: the sum, and each part by its reasons."""
    skipped, rejected = tally.skipped.total(), tally.rejected.total()
    parts = (
        f"translated {tally.translated:,} + audiences {tally.audiences:,} + skipped {skipped:,} + rejected {rejected:,}"
    )
    kinds = (("skipped", tally.skipped), ("rejected", tally.rejected), ("issues", tally.issues))
    return "\n".join((f"read {tally.read:,} = {parts}", *(_counts(kind, counts) for kind, counts in kinds if counts)))


def _counts(kind: str, counts: Counter[str]) -> str:
    return f"{kind}: {', '.join(f'{code} {number:,}' for code, number in counts.most_common())}"


def problems_text(issues: Iterable[Issue]) -> str:
    """Tell every problem of a configuration, with its path."""
    return "\n".join(printable(f"{issue.path}: {issue.message} [{issue.code}]") for issue in issues)


def config_text(config: IntegrationConfig) -> str:
    """Tell in sentences what a configuration does."""
    sections = (("Segment to Statsig", _inbound(config.inbound)), ("Statsig to Segment", _outbound(config.outbound)))
    return "\n\n".join(printable("\n  ".join((title, *sentences))) for title, sentences in sections)


def _inbound(config: InboundConfig) -> Iterator[str]:
    filters = config.filters
    yield _only("Calls of every type pass.", "Only calls of these types pass: ", "No call passes.", filters.types)
    yield _only("Events of every name pass.", "Only these events pass: ", "No event passes.", filters.include)
    if filters.exclude:
        yield f"These events never pass: {_names(filters.exclude)}."
    yield from _naming(config.naming)
    for row in config.id_mappings:
        yield f"{row.field} becomes the custom ID {shown(row.id_type)}, unless the call or a row above brings one."
    if not config.id_mappings:
        yield "No field becomes a custom ID; a call needs a userId or custom IDs of its own."
    if config.id_types is not None:
        yield f"ID types other than these are reported, and sent: {_names(config.id_types) or 'none'}."
    yield _environment(config.default_environment)
    fields = "; ".join(f"{name} from {path}" for name, path in config.user_fields.items())
    yield f"The user gets {fields}." if fields else "The user gets nothing but IDs."
    yield _value(config.value_property)
    yield f"The integrations of a call {'may' if config.honor_integrations else 'cannot'} keep it from Statsig."
    yield f"Calls that Statsig itself exported {'go back to it' if config.allow_statsig_origin else 'are skipped'}."


def _only(every: str, these: str, none: str, names: frozenset[str] | None) -> str:
    if names is None:
        return every
    return f"{these}{_names(names)}." if names else none


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(shown, sorted(names)))


def _naming(naming: EventNaming) -> Iterator[str]:
    samples = (
        ('A track call "Signed Up"', Track(event="Signed Up")),
        ('A page call "Home" in "Docs"', Page(category="Docs", name="Home")),
        ("A page call without a name", Page()),
        ('A screen call "Home" in "Docs"', Screen(category="Docs", name="Home")),
        ("A screen call without a name", Screen()),
        ('A group call for "g1"', Group(group_id="g1")),
    )
    return (f"{sample} becomes {shown(naming.full_name(call))}." for sample, call in samples)


def _environment(tier: str | None) -> str:
    if tier is None:
        return "Calls without a tier are sent without one: Statsig counts them as production."
    return f"Calls without a tier are sent as {shown(tier)}."


def _value(names: str | tuple[str, ...] | None) -> str:
    if not names:
        return "No property becomes the value."
    if isinstance(names, str):
        return f"The property {shown(names)} becomes the value."
    return f"The first usable one of these properties becomes the value: {', '.join(map(shown, names))}."


def _outbound(config: OutboundConfig) -> Iterator[str]:
    if config.profile == "documented":
        yield "Calls have the form that Statsig publishes."
        yield f"The ID type {shown(config.anonymous_id)} would become anonymousId in the profile deliverable only."
    else:
        yield "Calls have the form that Segment's API accepts; events of nobody are rejected."
        yield f"The ID type {shown(config.anonymous_id)} becomes anonymousId."
    filters = config.filters
    yield f"Exposures {_leave(filters.exposures)}."
    yield f"Config changes {_leave(filters.config_changes)}."
    for passes in (True, False):
        names = [name for name, leaves in filters.events.items() if leaves is passes]
        if names:
            yield f"These events {_leave(passes)}: {_names(names)}."
    others = "All other" if filters.events else "All"
    yield f"{others} events {_leave(filters.include_new_events)}; Statsig's internal ones always stay."


def _leave(passes: bool) -> str:  # noqa: FBT001 - a switch of the configuration, as it stands there
    return "leave" if passes else "stay"
