"""What the command line says: hints, counts, problems, and text of strangers made safe to show; writes nothing itself.

Text of a payload or a file is shown as JSON, and a terminal obeys no character of it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final

from statsig_segment._javascript import json_text
from statsig_segment._values import FrozenDict, is_object
from statsig_segment.cli.blocks import Tally, is_segment, is_statsig
from statsig_segment.errors import Issue
from statsig_segment.segment import EVENT, GROUP_ID, NAME, TYPE
from statsig_segment.statsig import EVENT_NAME

HINTS: Final[Mapping[str, str]] = FrozenDict(
    {
        # Skipped.
        "duplicate_message": "Nothing: a repeated delivery counts once. Without --deduplicate each one counts.",
        "statsig_origin": "Set allow_statsig_origin = true under [inbound], if it may be counted twice.",
        "integration_disabled": 'Take "Statsig": false or "All": false out of the integrations of the call, or set '
        "honor_integrations = false under [inbound].",
        "filtered": "Let its name and its type pass under [inbound.filters]: include, exclude, types.",
        "identify_without_audience": "Nothing, unless it is to be a membership: then Engage has to send "
        "computation_class and computation_key in context.personas.",
        # Rejected.
        "invalid_json": "Look at the sender, or at what cut the text short: JSON in UTF-8 was expected.",
        "number_too_long": "Send the number as a string.",
        "not_an_object": "Send each call as an object, alone, in an array, or in the batch of an envelope.",
        "missing_type": "Give the call its type: track, page, screen, group or identify.",
        "unsupported_type": "Nothing, if such calls are expected: Statsig takes track, page, screen, group and "
        "identify, in lower case.",
        "missing_event": "Give the track call its name, in event.",
        "batch_not_array": "Make batch an array of calls.",
        "no_identifier": "Send a userId or statsigCustomIDs, or add a row to [[inbound.id_mappings]] for a field that "
        "the call has, such as anonymousId.",
        "audience_membership": "Let Engage send true or false under the key of the audience.",
        "identify_without_event": "Nothing: an identify call makes no event.",
        "event_too_large": "Shorten its metadata, or leave such events out under [outbound.filters].",
    }
)
"""Reason or error of what was skipped or rejected -> what would change that."""

OUTBOUND_HINTS: Final[Mapping[str, str]] = FrozenDict(
    {
        "filtered": "Let it leave under [outbound.filters]: exposures, config_changes, include_new_events, events. "
        "Statsig's own internal events never leave.",
        "segment_origin": "Set allow_segment_origin = true under [outbound], if it may be counted and billed twice.",
        "no_identifier": 'Give the event a userID or a stableID, or choose the profile "documented".',
        "missing_event": "Give the event its name, in eventName.",
        "not_an_object": "Send each event as an object, alone, in an array, or in the data of an envelope.",
    }
)
"""The same for events on their way to Segment, where it is something else."""

STATSIG_HINT: Final = (
    "This is an event of Statsig's, such as `inbound` writes and `outbound` reads; `inbound` and `explain` read "
    "Segment calls."
)
SEGMENT_HINT: Final = (
    "This is a Segment call, such as `inbound` and `explain` read; `outbound` reads Statsig's exports."
)


def shown(value: object, most: int | None = None) -> str:
    r"""Show a value as JSON, cut to `most` characters.

    >>> print(shown({"a": "b\x9b"}), shown("abcdef", 5))
    {"a":"b\u009b"} "abc…
    """
    text = printable(json_text(value)[0])
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def shown_text(text: str, most: int = 60) -> str:
    """Show text without quotes, cut to `most` characters."""
    text = printable(text).replace("\n", "\\n")
    return text if len(text) <= most else f"{text[: most - 1]}…"


def printable(text: str) -> str:
    """Escape what a terminal might obey or could not show, but for the ends of lines."""
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    """Escape a character as JSON does: by its one or two units of UTF-16."""
    return re.sub(".{4}", r"\\u\g<0>", character.encode("utf-16-be", "surrogatepass").hex())


def call_name(payload: Any) -> tuple[str, str]:
    """Name a payload by its type and its name, as far as it has them."""
    if not is_object(payload):
        return "not a call", ""
    if is_statsig(payload):
        return "Statsig event", _name(payload, EVENT_NAME, "event_name", EVENT)
    kind = payload.get(TYPE)
    return shown_text(kind) if isinstance(kind, str) else "an object", _name(payload, EVENT, NAME, GROUP_ID)


def event_name(payload: Any) -> tuple[str, str]:
    """Name a payload of an export, likewise."""
    if not is_object(payload):
        return "not an event", ""
    if is_segment(payload):
        return f"Segment {call_name(payload)[0]}", call_name(payload)[1]
    return "event", _name(payload, EVENT_NAME, "event_name", EVENT)


def _name(payload: Mapping[str, Any], *keys: str) -> str:
    return next((shown(payload[key]) for key in keys if isinstance(payload.get(key), str)), "")


def hint(code: str, payload: Any, *, outbound: bool = False) -> str:
    """Say what would change that a payload was skipped or rejected."""
    if outbound:
        return SEGMENT_HINT if is_segment(payload) else OUTBOUND_HINTS.get(code, HINTS.get(code, ""))
    return STATSIG_HINT if is_statsig(payload) else HINTS.get(code, "")


def summary_text(tally: Tally) -> str:
    """Say what became of what was read: the sum, and each part by its reasons."""
    kinds = (("skipped", tally.skipped), ("rejected", tally.rejected), ("issues", tally.issues))
    return "\n".join((sum_text(tally), *(_counts(kind, counts) for kind, counts in kinds if counts)))


def sum_text(tally: Tally) -> str:
    """Say what became of what was read, in one line that adds up."""
    skipped, rejected = tally.skipped.total(), tally.rejected.total()
    parts = (
        f"translated {tally.translated:,} + audiences {tally.audiences:,} + skipped {skipped:,} + rejected {rejected:,}"
    )
    return f"read {tally.read:,} = {parts}"


def groups(tally: Tally) -> list[tuple[int, str, str]]:
    """Give how many payloads were skipped or rejected or have issues, of which kind, by which code; largest first."""
    kinds = (("rejected", tally.rejected), ("skipped", tally.skipped), ("issue", tally.issues))
    found = [(number, kind, code) for kind, counts in kinds for code, number in counts.items()]
    return sorted(found, key=lambda group: -group[0])


def _counts(kind: str, counts: Counter[str]) -> str:
    return f"{kind}: {', '.join(f'{code} {number:,}' for code, number in counts.most_common())}"


def problems_text(issues: Iterable[Issue]) -> str:
    """Say every problem of a configuration, with its path."""
    return "\n".join(printable(f"{issue.path}: {issue.message} [{issue.code}]") for issue in issues)
