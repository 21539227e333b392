"""The queue in SQLite: bodies as they were accepted, then messages until they are sent. Each commit is synced to disk.

All threads share one `Store`, whose lock lets one of them use the database at a time.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Generator, Sequence
from contextlib import closing, contextmanager, suppress
from os.path import samestat
from pathlib import Path
from threading import Lock
from typing import Any, Final, TextIO

import attrs

from .messages import Outcome, State

_BUSY_S: Final = 2.0  # how long to wait while another process writes


@attrs.frozen
class Body:
    """The body of one request."""

    lane: str
    content: bytes
    id: int = 0
    starts: int = 0
    accepted_ms: int = 0


@attrs.frozen
class Waiting:
    """A message that waits to be delivered."""

    id: int
    payload: bytes


class Store:
    """The database. After an error it is opened again, because it may have been repaired meanwhile."""

    def __init__(self, path: Path) -> None:
        """Create the database, or open the one that is there."""
        self._path = path
        self._lock = Lock()
        self._connection: sqlite3.Connection | None = None
        self._turn: TextIO | None = None
        self.trouble: str | None = None  # the last error, until something can be written again
        schema = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
        with closing(sqlite3.connect(path, isolation_level=None, timeout=_BUSY_S)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(f"BEGIN IMMEDIATE; {schema} COMMIT")
        self._file = path.stat()

    def take_turn(self) -> bool:
        """Return whether this is the one instance that splits and delivers. Once it is, it is so until it ends."""
        with self._lock:
            if self._turn is None:
                turn = Path(f"{self._path}.turn").open("w", encoding="ascii")  # noqa: SIM115 - stays open
                with suppress(BlockingIOError):
                    fcntl.flock(turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._turn = turn
            return self._turn is not None

    def accept(self, bodies: Sequence[Body], now_ms: int) -> None:
        """Store bodies. When this returns, they are on the disk."""
        query = "INSERT INTO body (lane, content, accepted_ms) VALUES (?, ?, ?)"
        with self._transaction() as connection:
            connection.executemany(query, [(body.lane, body.content, now_ms) for body in bodies])

    def start(self, most: int, most_bytes: int) -> list[Body]:
        """Return the next bodies to work on, having written down that the work begins.

        A body that was started before and not finished comes alone, because it may be what ended the process.
        """
        query = "SELECT lane, content, id, starts, accepted_ms FROM body WHERE code IS NULL ORDER BY id LIMIT ?"
        bodies: list[Body] = []
        with self._transaction() as connection:
            for body in (Body(*row) for row in connection.execute(query, (most,))):
                most_bytes -= len(body.content)
                if bodies and (most_bytes < 0 or body.starts or bodies[0].starts):
                    break
                bodies.append(body)
            ids = [(body.id,) for body in bodies]
            connection.executemany("UPDATE body SET starts = starts + 1 WHERE id = ?", ids)
        return bodies

    def finish(self, results: Sequence[tuple[Body, list[Outcome] | str]]) -> None:
        """Replace each body by its messages, each key once; or keep it as a dead letter, with a code."""
        columns = "lane, key, state, code, path, accepted_ms, payload"
        query = f"INSERT INTO message ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"  # noqa: S608
        with self._transaction() as connection:
            for body, result in results:
                if isinstance(result, str):
                    connection.execute("UPDATE body SET code = ? WHERE id = ?", (result, body.id))
                else:
                    rows = [(body.lane, o.key, o.state, o.code, o.path, body.accepted_ms, o.payload) for o in result]
                    connection.executemany(query, rows)
                    connection.execute("DELETE FROM body WHERE id = ?", (body.id,))

    def waiting(self, lane: str, most: int, most_bytes: int) -> list[Waiting]:
        """Return the next messages to send: at least one if there is any."""
        of_lane = "FROM message WHERE lane = ? AND state = 'waiting' ORDER BY refusals, id LIMIT ?"
        messages: list[Waiting] = []
        with self._transaction() as connection:
            for row in connection.execute(f"SELECT id, payload {of_lane}", (lane, most)):
                most_bytes -= len(row[1]) + len(",")
                if messages and most_bytes < 0:
                    break
                messages.append(Waiting(*row))
        return messages

    def settle(self, messages: Sequence[Waiting], state: State, code: str | None = None) -> None:
        """Write down what became of messages. One that still waits was refused, and goes behind the others."""
        what = "state = ?1, code = ?2, refusals = refusals + 1, payload = iif(?1 = 'sent', NULL, payload)"
        with self._transaction() as connection:
            for message in messages:
                connection.execute(f"UPDATE message SET {what} WHERE id = ?3", (state, code, message.id))  # noqa: S608

    def forget(self, before_ms: int) -> None:
        """Delete some messages that are old. This always writes, and so finds out whether writing works."""
        old = "SELECT id FROM message WHERE state IN ('sent', 'skipped') AND accepted_ms < ? LIMIT 1000"
        with self._transaction() as connection:
            connection.execute(f"DELETE FROM message WHERE id IN ({old})", (before_ms,))  # noqa: S608
            connection.execute("PRAGMA user_version = 1")
        self.trouble = None

    @contextmanager
    def _transaction(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                self._check_file()
                if self._connection is None:
                    uri = f"{self._path.absolute().as_uri()}?mode=rw"  # never create a second database
                    options: dict[str, Any] = {"uri": True, "isolation_level": None, "check_same_thread": False}
                    self._connection = sqlite3.connect(uri, _BUSY_S, **options)
                    self._connection.execute("PRAGMA synchronous = FULL")
                connection = self._connection
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
                self._check_file()  # it may have been moved while this was written
            except Exception as error:
                self.trouble = str(error)
                if self._connection is not None:
                    self._connection.close()  # and roll back
                    self._connection = None
                raise

    def _check_file(self) -> None:
        if not self._path.exists() or not samestat(self._path.stat(), self._file):
            raise sqlite3.OperationalError("the database was moved away")
