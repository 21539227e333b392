"""The messages in SQLite: accepted once, taken in order, settled; what is committed survives the process.

One table holds every message from its acceptance on, and its state says what became of it. The journal is a
write-ahead log, synced at every commit, so a commit that has returned is on the disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from pathlib import Path

P = ParamSpec("P")
T = TypeVar("T")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,               -- the order of acceptance
    lane TEXT NOT NULL,                   -- where it goes: 'statsig' or 'segment'
    key TEXT NOT NULL,                    -- what makes it the same message when it comes again
    payload TEXT,                         -- JSON as it came; none once it is sent
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,  -- deliveries that failed
    code TEXT,                            -- why it was skipped or is dead
    path TEXT,                            -- where in the payload
    accepted_ms INTEGER NOT NULL,
    UNIQUE (lane, key)
) STRICT;
CREATE INDEX IF NOT EXISTS message_by_state ON message (lane, state, id);
"""


class State(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"
    """Left out on purpose; `code` is the reason."""
    AUDIENCE = "audience"
    """A change of an ID list, kept for whoever tells Statsig's Console API."""
    DEAD = "dead"
    """Cannot be sent; `code` and `path` say why."""


@attrs.frozen(kw_only=True)
class Arrived:
    """A message as it came in."""

    key: str
    payload: str


@attrs.frozen(kw_only=True)
class Message:
    """A message that waits."""

    id: int
    key: str
    payload: str


@attrs.frozen(kw_only=True)
class Settled:
    """The end of a message's way."""

    id: int
    state: State
    code: str | None = None
    path: str | None = None


class Store:
    """The database. It belongs to the thread that opened it."""

    def __init__(self, path: Path) -> None:
        """Open the database, and make it where there is none."""
        self._connection = sqlite3.connect(path, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Close it; whatever is committed stays."""
        self._connection.close()

    def accept(self, lane: str, arrived: Iterable[Arrived], now_ms: int) -> int:
        """Keep messages, each key once, and say how many are new. When this returns, they are on the disk."""
        with self._transaction() as connection:
            before = connection.total_changes
            connection.executemany(
                "INSERT INTO message (lane, key, payload, accepted_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                [(lane, one.key, one.payload, now_ms) for one in arrived],
            )
            return connection.total_changes - before

    def waiting(self, lane: str, most: int) -> list[Message]:
        """Give the oldest messages that wait."""
        rows = self._connection.execute(
            "SELECT id, key, payload FROM message WHERE lane = ? AND state = 'waiting' ORDER BY id LIMIT ?",
            (lane, most),
        )
        return [Message(id=number, key=key, payload=payload) for number, key, payload in rows]

    def settle(self, settled: Iterable[Settled]) -> None:
        """Write down what became of messages. A sent one gives its payload up; its key is remembered."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE message SET state = ?1, code = ?2, path = ?3,"
                " payload = CASE WHEN ?1 = 'sent' THEN NULL ELSE payload END WHERE id = ?4",
                [(one.state.value, one.code, one.path, one.id) for one in settled],
            )

    def postpone(self, ids: Sequence[int], most: int) -> None:
        """Count a failed delivery; a message that has had `most` of them is dead."""
        with self._transaction() as connection:
            connection.executemany(
                "UPDATE message SET attempts = attempts + 1,"
                " state = CASE WHEN attempts + 1 >= ?1 THEN 'dead' ELSE state END,"
                " code = CASE WHEN attempts + 1 >= ?1 THEN 'delivery_failed' ELSE code END WHERE id = ?2",
                [(most, number) for number in ids],
            )

    def counts(self) -> dict[str, dict[str, int]]:
        """Count the messages of each lane by state."""
        counts: dict[str, dict[str, int]] = {}
        rows = self._connection.execute("SELECT lane, state, count(*) FROM message GROUP BY lane, state")
        for lane, state, count in rows:
            counts.setdefault(lane, {})[state] = count
        return counts

    def forget(self, before_ms: int) -> None:
        """Drop what was sent or skipped and came before a time."""
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM message WHERE state IN ('sent', 'skipped') AND accepted_ms < ?", (before_ms,)
            )

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")


class StoreThread:
    """The one thread that touches the database, for a program that must not wait for a disk in its event loop."""

    def __init__(self) -> None:
        """Make the thread; it starts with the first call."""
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in that thread, after all earlier calls."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, partial(function, *args, **kwargs))

    def close(self) -> None:
        """Wait for the last call, and end the thread."""
        self._executor.shutdown()
