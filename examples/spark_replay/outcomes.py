"""From the bytes of one archive file to rows, one for each payload; knows the library and nothing of Spark.

Lines are cut, read, translated, written and counted by the parts of which the command line is made, so that both ways
give the same.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import attrs
import cattrs

from statsig_segment import (
    AudienceUpdate,
    IntegrationConfig,
    Rejected,
    Skipped,
    StatsigEvent,
    fold_audience_updates,
    to_log_event,
    translate_many,
)
from statsig_segment.cli.blocks import CALLS, Block, Payloads, Tally
from statsig_segment.cli.codec import FAST
from statsig_segment.cli.covered import cover_payloads
from statsig_segment.cli.files import READ_ERRORS
from statsig_segment.cli.preview_facts import preview_record
from statsig_segment.insight.preview import Preview, preview

Row = dict[str, Any]

EVENT: Final = "event"
AUDIENCE: Final = "audience"
SKIPPED: Final = "skipped"
REJECTED: Final = "rejected"
FILE: Final = "file"

_GZIP: Final = b"\x1f\x8b"
_COVERED: Final = 1_000
"""So many payloads are held until their preview is counted."""


def rows(file: str, content: bytes, config: IntegrationConfig) -> Iterator[Row]:
    """Translate a file: exactly one row for each payload, in order, with its place; and last one for the file.

    That one has the number of lines, the tally and the preview that were kept on the way, and in `name` why the file
    could not be read to its end, if so.
    """
    tally, covering, line, trouble = Tally(), _Covering(config), 0, None
    try:
        for line, text in enumerate(_lines(content), start=1):
            for item, payload in enumerate(Payloads(Block(data=text), CALLS)):
                covering.add(payload)
                outcome = _outcome(payload, config)
                tally.add(outcome)
                yield {"file": file, "line": line, "item": item} | _row(outcome)
    except READ_ERRORS as error:
        trouble = str(error)
    counts = {"tally": attrs.asdict(tally), "preview": cattrs.unstructure(covering.whole())}
    yield {"file": file, "line": line, "kind": FILE, "name": trouble, "json": json.dumps(counts)}


def tally_of(text: str) -> Tally:
    """Read the tally of a file."""
    return cattrs.structure(json.loads(text), Tally)


class _Covering:
    """Counts the preview of payloads, some at a time."""

    def __init__(self, config: IntegrationConfig) -> None:
        self._config = config
        self._found = preview((), config)
        self._waiting: list[Any] = []

    def add(self, payload: Any) -> None:
        self._waiting.append(payload)
        if len(self._waiting) == _COVERED:
            self._count()

    def _count(self) -> None:
        self._found = self._found.merge(cover_payloads(self._config, self._waiting).preview)
        self._waiting.clear()

    def whole(self) -> Preview:
        self._count()
        return self._found


def merged(texts: Iterable[str]) -> Preview:
    """Merge previews as the rows of files, or `preview_text`, have them."""
    return Preview().merge(*(cattrs.structure(json.loads(text)["preview"], Preview) for text in texts))


def preview_text(found: Preview) -> str:
    """Write a preview so that it can be merged with others."""
    return json.dumps({"preview": cattrs.unstructure(found)})


def preview_json(found: Preview) -> str:
    """Write a preview as the command `preview` writes it."""
    return FAST.encode(preview_record(found)).decode()


def _lines(content: bytes) -> Iterable[bytes]:
    return gzip.GzipFile(fileobj=io.BytesIO(content)) if content.startswith(_GZIP) else io.BytesIO(content)


def _outcome(payload: Any, config: IntegrationConfig) -> Any:
    return payload if isinstance(payload, Rejected) else next(translate_many((payload,), config))


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
                "json": FAST.encode(to_log_event(outcome)).decode(),
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
