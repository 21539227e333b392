"""From the bytes of one archive file to rows, one for each payload; knows the library and nothing of Spark."""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import cattrs

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Preview,
    Rejected,
    SegmentEventError,
    Skipped,
    StatsigEvent,
    fold_audience_updates,
    preview,
    split_segment_batch,
    to_log_event,
    translate_many,
)

Row = dict[str, Any]

EVENT: Final = "event"
AUDIENCE: Final = "audience"
SKIPPED: Final = "skipped"
REJECTED: Final = "rejected"
FILE: Final = "file"

_GZIP: Final = b"\x1f\x8b"
_READ_ERRORS: Final = (OSError, EOFError, zlib.error)
_AT_ONCE: Final = 1_000
"""How many payloads are translated and counted at once."""


def rows(file: str, content: bytes, config: IntegrationConfig) -> Iterator[Row]:
    """Translate a file: exactly one row for each payload, in order, with its place; and last one for the file.

    That one has the number of lines, the preview of the file, and in `name` why it could not be read to its end, if so.
    """
    line, trouble = 0, None

    def places() -> Iterator[tuple[int, int, Any]]:
        nonlocal line, trouble
        try:
            for line, text in enumerate(_lines(content), start=1):
                for item, payload in enumerate(_payloads(text)):
                    yield line, item, payload
        except _READ_ERRORS as error:
            trouble = str(error)

    found, left = preview((), config), places()
    while some := list(islice(left, _AT_ONCE)):
        payloads = [payload for *_, payload in some]
        found = found.merge(preview(payloads, config))
        for (at, item, payload), outcome in zip(some, translate_many(payloads, config), strict=True):
            yield {"file": file, "line": at, "item": item} | _row(payload if isinstance(payload, Rejected) else outcome)
    yield {"file": file, "line": line, "kind": FILE, "name": trouble, "json": preview_text(found)}


def merged(texts: Iterable[str]) -> Preview:
    """Merge previews as `preview_text` writes them."""
    return Preview().merge(*(cattrs.structure(json.loads(text), Preview) for text in texts))


def preview_text(found: Preview) -> str:
    """Write a preview as JSON, so that it can be merged with others."""
    return json.dumps(cattrs.unstructure(found))


def _lines(content: bytes) -> Iterable[bytes]:
    return gzip.GzipFile(fileobj=io.BytesIO(content)) if content.startswith(_GZIP) else io.BytesIO(content)


def _payloads(line: bytes) -> Iterable[Any]:
    """Return the payloads of a line, or the line as `Rejected`."""
    if not line.strip():
        return ()
    try:
        return list(split_segment_batch(line))
    except SegmentEventError as error:
        return _joined(line) or (Rejected(error=error, payload=line),)


def _joined(line: bytes) -> list[Any]:
    """Return the payloads of values that follow one another without a line break, as Firehose writes them."""
    found, decoder = list[Any](), json.JSONDecoder()
    try:
        text = line.decode().strip()
        while text:
            value, end = decoder.raw_decode(text)
            found += split_segment_batch(value)
            text = text[end:].lstrip()
    except (ValueError, RecursionError):  # the errors of the library are values, too
        return []
    return found


def _row(outcome: StatsigEvent | AudienceUpdate | Skipped | Rejected) -> Row:
    match outcome:
        case StatsigEvent():
            return {
                "kind": EVENT,
                "day": _day(outcome.time_ms),
                "name": _text(outcome.event_name),
                "user_id": _text(outcome.user.user_id),
                "custom_ids": _ids(outcome.user.custom_ids),
                "time_ms": outcome.time_ms,
                "json": json.dumps(to_log_event(outcome), separators=(",", ":")),
            }
        case AudienceUpdate():
            return {
                "kind": AUDIENCE,
                "name": _text(outcome.id_list),
                "user_id": _text(outcome.user_id),
                "custom_ids": _ids(outcome.custom_ids),
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


def _ids(ids: Mapping[str, str]) -> list[tuple[str | None, str | None]]:
    return [(_text(id_type), _text(unit)) for id_type, unit in ids.items()]


def _text(text: str | None) -> str | None:
    """Give text that can be stored: UTF-8 has no lone surrogates, and they stand there as escapes."""
    return None if text is None else text.encode(errors="backslashreplace").decode()


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
        custom_ids=dict(row["custom_ids"]),
        time_ms=row["time_ms"],
    )
