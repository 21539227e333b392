"""Bodies and messages in SQLite: accepted, split, taken in order, settled; what is committed survives the process.

One table holds the bodies that are still to be split, another one every message, and its state says what became of
it. The journal is a write-ahead log. A body is synced when it is accepted. All that happens later can be done again:
it is synced together with the next body. Nothing that runs while the service does reads more than a slice of a table.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final, ParamSpec, TypeVar

import attrs

P = ParamSpec("P")
T = TypeVar("T")

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS message (
    id INTEGER PRIMARY KEY,               -- the order in which they go
    lane TEXT NOT NULL,                   -- where it goes: 'statsig' or 'segment'
    key TEXT NOT NULL,                    -- what makes it the same message when it comes again
    payload TEXT,                         -- JSON as it came; none once it is sent
    state TEXT NOT NULL DEFAULT 'waiting',
    attempts INTEGER NOT NULL DEFAULT 0,  -- rounds in which the collector refused it; those with fewer go first
    code TEXT,                            -- why it was skipped or is dead
    path TEXT,                            -- where in the payload
    accepted_ms INTEGER NOT NULL,
    UNIQUE (lane, key)
) STRICT;
DROP INDEX IF EXISTS message_by_state;    -- of an earlier version
CREATE INDEX IF NOT EXISTS message_waiting ON message (lane, attempts, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS message_dead ON message (id) WHERE state = 'dead';
CREATE TABLE IF NOT EXISTS counter (lane TEXT, state TEXT, messages INTEGER NOT NULL, PRIMARY KEY (lane, state)) STRICT;
CREATE TABLE IF NOT EXISTS body (
    id INTEGER PRIMARY KEY,               -- the order of acceptance
    lane TEXT NOT NULL,
    content BLOB NOT NULL,                -- as it came, without compression
    accepted_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS signed (
    id INTEGER PRIMARY KEY,
    signature BLOB NOT NULL UNIQUE,
    digest BLOB NOT NULL,                 -- of the whole body
    accepted_ms INTEGER NOT NULL
) STRICT;
"""
_FIRST_COUNT: Final = """
INSERT INTO counter SELECT lane, state, count(*) FROM message WHERE NOT EXISTS (SELECT 1 FROM counter)
GROUP BY lane, state
"""
_BUSY_S: Final = 2.0
_BUSY_MS: Final = 3  # what SQLite waits in one go
_LOG_PAGES: Final = 20_000  # 80 MB
_MOST_LOG_PAGES: Final = 50_000  # if nobody calls `checkpoint`
_SLICE: Final = 1_000  # rows that are forgotten at a time
_DAY_MS: Final = 86_400_000


class State(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    SKIPPED = "skipped"
    """Left out on purpose; `code` is the reason."""
    AUDIENCE = "audience"
    """A change of an ID list, kept for whoever passes it on to Statsig's Console API."""
    DEAD = "dead"
    """Cannot be sent; `code` and `path` say why."""


BODIES: Final = "bodies"
"""Stands among the states in the counters: the bodies that are still to be split."""


@attrs.frozen(kw_only=True)
class Signed:
    """What a body was signed with, and what it held."""

    signature: bytes
    digest: bytes


@attrs.frozen(kw_only=True)
class Body:
    """The body of one request."""

    lane: str
    content: bytes
    signed: Signed | None = None


class ReplayError(Exception):
    """The signature of a body came earlier, with another body."""


@attrs.frozen(kw_only=True)
class Kept:
    """A body that waits to be split."""

    id: int
    lane: str
    content: bytes
    accepted_ms: int


@attrs.frozen(kw_only=True)
class Arrived:
    """A message of a body."""

    key: str
    payload: str
    state: State = State.WAITING
    code: str | None = None


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
    """The database. It belongs to one thread at a time, and is opened again after an error: it may have been mended."""

    def __init__(self, path: Path, *, is_synced: bool = True) -> None:
        """Take the path; the first use opens the database, and makes it where there is none."""
        self._path = path
        self._is_synced = is_synced
        self._connection: sqlite3.Connection | None = None
        self._turn: sqlite3.Connection | None = None
        self._forgotten_to = 0

    def close(self) -> None:
        """Close it; whatever is committed stays."""
        for connection in (self._connection, self._turn):
            if connection is not None:
                connection.close()
        self._connection = self._turn = None

    def take_turn(self) -> bool:
        """Become the one instance that sends from this database, until the process ends; say whether that worked.

        The lock is that of SQLite on a file of its own: the operating system lifts it, whatever ends the process.
        """
        if self._turn is None:
            turn = sqlite3.connect(f"{self._path}.turn", isolation_level=None, timeout=0)
            try:
                turn.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                turn.close()
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
                return False
            self._turn = turn
        return True

    def accept(self, bodies: Sequence[Body], now_ms: int) -> list[ReplayError | None]:
        """Keep bodies, and say which of them are refused. After this they are on the disk."""
        with self._transaction() as connection:
            firsts = [_first_digest(connection, body.signed, now_ms) if body.signed else None for body in bodies]
            new = [body for body, first in zip(bodies, firsts, strict=True) if first is None]
            connection.executemany(
                "INSERT INTO body (lane, content, accepted_ms) VALUES (?, ?, ?)",
                [(body.lane, body.content, now_ms) for body in new],
            )
            _count(connection, Counter((body.lane, BODIES) for body in new))
        return [
            ReplayError() if body.signed and first not in {None, body.signed.digest} else None
            for body, first in zip(bodies, firsts, strict=True)
        ]

    def bodies(self, most: int, most_bytes: int) -> list[Kept]:
        """Give the next bodies that are to be split: at least one, if there is any."""
        rows = self._slice("SELECT id, lane, content, accepted_ms FROM body ORDER BY id LIMIT ?", (most,), most_bytes)
        return [Kept(id=number, lane=lane, content=text, accepted_ms=at) for number, lane, text, at in rows]

    def split(self, messages: Sequence[tuple[Kept, Arrived]], done: Sequence[Kept]) -> None:
        """Keep messages of bodies, each key once, and drop the bodies that were split to their end.

        The rest of a body may come in a later transaction. If the process ends before it, the body is split again.
        """
        with self._transaction() as connection:
            for lane, state in {(body.lane, one.state) for body, one in messages}:
                new = connection.executemany(
                    "INSERT INTO message (lane, key, payload, state, code, accepted_ms) VALUES (?, ?, ?, ?, ?, ?)"
                    " ON CONFLICT DO NOTHING",
                    [
                        (lane, one.key, one.payload, state.value, one.code, body.accepted_ms)
                        for body, one in messages
                        if (body.lane, one.state) == (lane, state)
                    ],
                ).rowcount
                _count(connection, {(lane, state): new})
            ids = json.dumps([body.id for body in done])
            connection.execute("DELETE FROM body WHERE id IN (SELECT value FROM json_each(?))", (ids,))
            lanes = Counter(body.lane for body in done)
            _count(connection, {(lane, BODIES): -number for lane, number in lanes.items()})

    def waiting(self, lane: str, most: int, most_bytes: int) -> list[Message]:
        """Give the next messages that wait: at least one, if there is any."""
        query = (
            "SELECT id, key, payload FROM message WHERE lane = ? AND state = 'waiting' ORDER BY attempts, id LIMIT ?"
        )
        rows = self._slice(query, (lane, most), most_bytes)
        return [Message(id=number, key=key, payload=payload) for number, key, payload in rows]

    def _slice(self, query: str, arguments: tuple[Any, ...], most_bytes: int) -> list[tuple[Any, ...]]:
        """Give rows until their third column has so many bytes; at least one, if there is any."""
        with self._open() as connection:
            rows: list[tuple[Any, ...]] = []
            for row in connection.execute(query, arguments):
                most_bytes -= len(row[2])
                if rows and most_bytes < 0:
                    break
                rows.append(row)
            return rows

    def settle(self, lane: str, settled: Sequence[Settled]) -> None:
        """Write down what became of messages. A sent one gives its payload up; its key is remembered."""
        with self._transaction() as connection:
            ends: dict[tuple[State, str | None, str | None], list[int]] = {}
            for one in settled:
                ends.setdefault((one.state, one.code, one.path), []).append(one.id)
            for (state, code, path), ids in ends.items():
                moved = connection.execute(
                    "UPDATE message SET state = ?1, code = ?2, path = ?3,"
                    " payload = CASE WHEN ?1 = 'sent' THEN NULL ELSE payload END"
                    " WHERE id IN (SELECT value FROM json_each(?4)) AND +state = 'waiting'",  # +: without the index
                    (state.value, code, path, json.dumps(ids)),
                ).rowcount
                _count(connection, {(lane, state): moved, (lane, State.WAITING): -moved})

    def postpone(self, ids: Iterable[int]) -> None:
        """Put messages behind those that were refused less often."""
        with self._transaction() as connection:
            connection.execute(
                "UPDATE message SET attempts = attempts + 1 WHERE id IN (SELECT value FROM json_each(?))",
                (json.dumps([*ids]),),
            )

    def counts(self) -> dict[str, dict[str, int]]:
        """Give the number of messages of each lane by state, and of bodies that are still to be split."""
        counts: dict[str, dict[str, int]] = {}
        with self._open() as connection:
            for lane, state, messages in connection.execute("SELECT * FROM counter WHERE lane <> ''"):
                counts.setdefault(lane, {})[state] = messages
        return counts

    def dead(self, code: str | None) -> Iterator[dict[str, Any]]:
        """Give the dead letters one by one, all or those with one code."""
        with self._open() as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute(
                "SELECT id, lane, key, code, path, accepted_ms, payload FROM message"
                " WHERE state = 'dead' AND coalesce(? = code, TRUE) ORDER BY id",
                (code,),
            )
            yield from map(dict, rows)

    def revive(self, ids: Iterable[int]) -> int:
        """Let dead letters wait again, and say how many did."""
        with self._transaction() as connection:
            revived: Counter[str] = Counter()
            for number in ids:
                row = connection.execute(
                    "UPDATE message SET state = 'waiting', attempts = 0, code = NULL, path = NULL"
                    " WHERE id = ? AND state = 'dead' RETURNING lane",
                    (number,),
                ).fetchone()
                revived.update(row or ())
            for lane, messages in revived.items():
                _count(connection, {(lane, State.WAITING): messages, (lane, State.DEAD): -messages})
            return revived.total()

    def checkpoint(self) -> None:
        """Carry the log over into the database, and let it begin anew once it is long.

        SQLite itself would do the former in a commit, for which somebody waits, and the latter only in a pause.
        """
        with self._open() as connection:
            _, pages, _ = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > _LOG_PAGES:
                for mode in ("PASSIVE", "RESTART"):  # the former leaves little for the latter, during which others wait
                    connection.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()

    def forget_signatures(self, now_ms: int, replay_ms: int) -> bool:
        """Drop a slice of the signatures that are too old; say whether there is more.

        A time in the future is too old as well: the clock was wrong. This writes even where there is nothing to
        drop, and so finds out whether the disk takes anything.
        """
        with self._transaction() as connection:
            connection.execute("INSERT INTO counter VALUES ('', '', 0) ON CONFLICT DO UPDATE SET messages = 0")
            signed = connection.execute(
                "DELETE FROM signed WHERE id IN (SELECT id FROM signed ORDER BY id LIMIT ?)"
                " AND NOT accepted_ms BETWEEN ? AND ?",
                (_SLICE, now_ms - replay_ms, now_ms + _DAY_MS),
            )
            return signed.rowcount == _SLICE

    def forget(self, now_ms: int, keep_ms: int) -> bool:
        """Drop a slice of what was sent or skipped and is too old, likewise; say whether there is more."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT id, lane, state, accepted_ms FROM message WHERE id > ? ORDER BY id LIMIT ?",
                (self._forgotten_to, _SLICE),
            ).fetchall()
            old = [row[:3] for row in rows if not now_ms - keep_ms <= row[3] <= now_ms + _DAY_MS]
            gone = [row for row in old if row[2] in {State.SENT, State.SKIPPED}]
            connection.executemany("DELETE FROM message WHERE id = ?", [row[:1] for row in gone])
            _count(connection, {pair: -number for pair, number in Counter(row[1:] for row in gone).items()})
        self._forgotten_to = rows[-1][0] if len(old) == _SLICE else 0
        return len(old) == _SLICE

    @contextmanager
    def _open(self) -> Generator[sqlite3.Connection]:
        try:
            if self._connection is None:
                self._connection = _connected(self._path, is_synced=self._is_synced)
            yield self._connection
        except sqlite3.Error:
            if self._connection is not None:
                self._connection.close()
                self._connection = None
            raise

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._open() as connection:
            _begin(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise


def _connected(path: Path, *, is_synced: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_MOST_LOG_PAGES}")
        connection.execute(f"PRAGMA synchronous = {'FULL' if is_synced else 'NORMAL'}")
        connection.executescript(f"BEGIN IMMEDIATE; {_SCHEMA} {_FIRST_COUNT}; COMMIT")
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _begin(connection: sqlite3.Connection) -> None:
    """Wait for other writers; SQLite itself would look for their end less and less often."""
    end = time.monotonic() + _BUSY_S
    while True:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        else:
            return


def _first_digest(connection: sqlite3.Connection, signed: Signed, now_ms: int) -> bytes | None:
    """Remember a signature; give the digest of the body that it came with before, if it did."""
    added = connection.execute(
        "INSERT INTO signed (signature, digest, accepted_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (signed.signature, signed.digest, now_ms),
    )
    if added.rowcount == 1:
        return None
    row = connection.execute("SELECT digest FROM signed WHERE signature = ?", (signed.signature,)).fetchone()
    return bytes(row[0])


def _count(connection: sqlite3.Connection, changes: Mapping[tuple[str, str], int]) -> None:
    connection.executemany(
        "INSERT INTO counter VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET messages = messages + excluded.messages",
        [(lane, state, messages) for (lane, state), messages in changes.items() if messages],
    )


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
