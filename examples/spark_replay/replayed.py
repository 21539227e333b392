"""What became of an archive, counted twice: by the workers while they read, and from what is stored; knows no Spark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import attrs
from examples.spark_replay.outcomes import AUDIENCE, EVENT, REJECTED, SKIPPED

from statsig_segment import Preview


@attrs.frozen(kw_only=True)
class Replayed:
    """The counts of a replay, and the files that need a look."""

    preview: Preview
    """What came of all calls, counted by the workers while they read."""
    rows: Counter[tuple[str, str]]
    """Kind, and reason or code -> rows that are stored."""
    files_listed: tuple[str, ...]
    """The files that Spark found, in order."""
    files_done: tuple[str, ...]
    """The files that have a row of their own among what is stored, in order."""
    omitted: tuple[str, ...] = ()
    """The files of the archive that Spark did not list, in order."""
    broken: tuple[str, ...] = ()
    """The files that could not be read to their end, each with the reason."""
    may_be_empty: bool = False

    def adds_up(self) -> bool:
        """Say whether every file was read once, and every payload that was read is stored as one outcome."""
        found = self.preview
        counted = Counter({(EVENT, ""): found.translated, (AUDIENCE, ""): found.audiences})
        counted += Counter({(SKIPPED, reason): number for reason, number in found.skipped.items()})
        counted += Counter({(REJECTED, code): number for code, number in found.rejected.items()})
        return self.files_listed == self.files_done and self.rows == counted

    def problems(self) -> Iterator[str]:
        """Say why the results are not whole; results that are have no problems."""
        yield from self.broken
        if not self.adds_up():
            yield "the counts do not add up"
        if not (self.preview.read or self.may_be_empty):
            yield "the archive holds no calls"
