"""Records that wait to be sent on, on disk: what was taken in is done at least once, whatever ends the process.

Needs that this module answers:

* A record is on the disk before its sender is told that it was taken (SQLite with `synchronous = FULL`).
* It is removed when it has arrived and not before; a crash in between sends it again, under the same key, by which the
  receiver can tell.
* The same key is taken once: a sender that asks again because it heard no answer causes nothing twice.
* Several processes put in; one at a time sends on, and where it dies another one goes on.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

KEPT_SECONDS = 7 * 86_400.0
"""Keys of what was done are remembered for so long."""


@dataclass(frozen=True)
class Record:
    """One that waits. body: its JSON. tries: how often it was sent in vain."""

    number: int
    key: str
    destination: str
    body: str
    tries: int


class Outbox:
    """The records that wait, in a file of SQLite."""

    def __init__(self, path: Path) -> None:
        self._path, self._local = path, threading.local()
        self._connections: list[sqlite3.Connection] = []
        weakref.finalize(self, _close, self._connections)
        self._open().execute(
            "create table if not exists record (number integer primary key, key text not null unique, "
            "destination text not null, body text not null, tries integer not null default 0, "
            "due real not null default 0, state text not null default 'waiting', at real not null)"
        )
        self._open().execute("create index if not exists waiting on record (state, due)")

    def _open(self) -> sqlite3.Connection:
        """The connection of this thread."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = sqlite3.connect(self._path, timeout=10, isolation_level=None, check_same_thread=False)
            self._connections.append(found)
            found.execute("pragma journal_mode = wal")
            found.execute("pragma synchronous = full")
            self._local.connection = found
        return found

    def put(self, records: Sequence[tuple[str, str, str]]) -> int:
        """Take (key, destination, body) in, all or none; returns how many are new. It is on the disk afterwards."""
        if not records:
            return 0
        connection, now = self._open(), time.time()
        with _together(connection):
            before = connection.total_changes
            connection.executemany(
                "insert or ignore into record (key, destination, body, at) values (?, ?, ?, ?)",
                [(*record, now) for record in records],
            )
            return connection.total_changes - before

    def due(self, most: int = 200) -> list[Record]:
        """Those whose turn it is, the oldest first."""
        found = self._open().execute(
            "select number, key, destination, body, tries from record where state = 'waiting' and due <= ? "
            "order by number limit ?",
            (time.time(), most),
        )
        return [Record(*row) for row in found]

    def done(self, records: Sequence[Record], state: str = "done") -> None:
        """They arrived (or are given up): only their keys are kept."""
        connection = self._open()
        with _together(connection):
            connection.executemany(
                "update record set state = ?, body = '' where number = ?", [(state, each.number) for each in records]
            )
            connection.execute("delete from record where state != 'waiting' and at < ?", (time.time() - KEPT_SECONDS,))

    def later(self, record: Record, seconds: float) -> None:
        """Try again after so many seconds, and what waits for the same destination not before."""
        due = time.time() + seconds
        connection = self._open()
        with _together(connection):
            connection.execute("update record set tries = tries + 1 where number = ?", (record.number,))
            connection.execute(
                "update record set due = ? where destination = ? and state = 'waiting' and due < ?",
                (due, record.destination, due),
            )

    def waiting(self) -> int:
        """How many wait."""
        found: int = self._open().execute("select count(*) from record where state = 'waiting'").fetchone()[0]
        return found

    @contextlib.contextmanager
    def alone(self) -> Iterator[bool]:
        """Whether this process is the one that sends on, as long as the block lasts."""
        with open(self._path.with_name(self._path.name + ".lock"), "a+b") as file:
            yield _locked(file)


def _close(connections: Sequence[sqlite3.Connection]) -> None:
    for connection in connections:
        connection.close()


@contextlib.contextmanager
def _together(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


def _locked(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:
        return True  # Windows, where one process serves alone
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
