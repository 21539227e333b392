"""From the bytes of one archive file to rows, one for each payload; knows the library and nothing of Spark."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    fold_audience_updates,
    split_segment_batch,
    to_log_event,
    translate_many,
)

Row = dict[str, Any]

EVENT: Final = "event"
AUDIENCE: Final = "audience"
SKIPPED: Final = "skipped"
REJECTED: Final = "rejected"

_GZIP: Final = b"\x1f\x8b"


def rows(file: str, content: bytes, config: IntegrationConfig) -> Iterator[Row]:
    """Translate a file, line by line: exactly one row for each payload, in order, with its place."""
    item, at = 0, (0, 0)
    for line, payload in _payloads(content):
        item = item + 1 if line == at[0] else 0
        at = (line, item)
        place: Row = {"file": file, "line": line, "item": item}
        if isinstance(payload, Rejected):
            outcome: StatsigEvent | AudienceUpdate | Skipped | Rejected = payload
        else:
            (outcome,) = translate_many((payload,), config)
        yield place | _row(outcome)


def _payloads(content: bytes) -> Iterator[tuple[int, Any]]:
    lines = gzip.GzipFile(fileobj=io.BytesIO(content)) if content.startswith(_GZIP) else io.BytesIO(content)
    number = 0
    try:
        for number, line in enumerate(lines, start=1):
            if not line.isspace():
                yield from ((number, payload) for payload in _split(line))
    except (EOFError, OSError, zlib.error):
        yield number + 1, Rejected(error=SegmentEventError("invalid_json"), payload=None)


def _split(line: bytes) -> Iterable[Any]:
    try:
        return list(split_segment_batch(line))
    except SegmentEventError as error:
        return [Rejected(error=error, payload=None)]


def _row(outcome: StatsigEvent | AudienceUpdate | Skipped | Rejected) -> Row:
    match outcome:
        case StatsigEvent():
            return {
                "kind": EVENT,
                "day": _day(outcome.time_ms),
                "name": _text(outcome.event_name),
                "user_id": _text(outcome.user.user_id),
                "time_ms": outcome.time_ms,
                "json": json.dumps(to_log_event(outcome), separators=(",", ":")),
            }
        case AudienceUpdate():
            return {
                "kind": AUDIENCE,
                "name": _text(outcome.id_list),
                "user_id": _text(outcome.user_id),
                "custom_ids": json.dumps(dict(outcome.custom_ids)),
                "member": outcome.member,
                "time_ms": outcome.time_ms,
            }
        case Skipped():
            return {"kind": SKIPPED, "name": outcome.reason}
        case Rejected():
            return {"kind": REJECTED, "name": outcome.error.code, "path": _text(outcome.error.path)}


def _day(time_ms: int | None) -> str | None:
    """Give the day of a time in UTC, by which events are stored; an event without a time has none."""
    return None if time_ms is None else datetime.fromtimestamp(time_ms // 1000, UTC).date().isoformat()


def _text(text: str | None) -> str | None:
    """Give text that can be stored: a lone surrogate, which UTF-8 does not have, becomes a question mark."""
    return None if text is None else text.encode(errors="replace").decode()


def fold(updates: Iterable[Row], id_type: str) -> list[Row]:
    """Fold the changes of ID lists: one row for each list and ID, and one for each change without such an ID."""
    ordered = sorted(updates, key=lambda row: (row["file"], row["line"], row["item"]))
    folded = fold_audience_updates(map(_update, ordered), id_type=id_type)
    members = [
        {"id_list": patch.id_list, "id": unit, "member": member}
        for patch in folded.patches
        for member, units in ((True, patch.add), (False, patch.remove))
        for unit in units
    ]
    return members + [{"id_list": update.id_list, "id": None, "member": update.member} for update in folded.apart]


def _update(row: Row) -> AudienceUpdate:
    return AudienceUpdate(
        id_list=row["name"],
        member=row["member"],
        user_id=row["user_id"],
        custom_ids=json.loads(row["custom_ids"]),
        time_ms=row["time_ms"],
    )
