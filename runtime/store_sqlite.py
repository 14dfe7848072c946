"""The store in one SQLite file: WAL, synchronous FULL, one transaction per commit.

In: a path. Out: a `Store`. A second process that would write the same file is refused.
Invariant: `commit` writes everything or nothing; when it returns, a power cut takes nothing back.
No thread of its own; it may be called from any one thread at a time.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from belfry.runtime.faultpoints import faultpoint
from belfry.runtime.ports import Changes, StoredAttempt
from belfry.runtime.store_schema import StoreRefused, prepare

PAGE_CACHE_KIB = 64 * 1024
WAL_PAGES = 32_000  # a checkpoint every 128 MB: pages that change often go over once
KEYS_MAX = 10_000  # in one question

# Table by table, in the order of `Changes`; "INSERT OR REPLACE" because a batch may come again.
_RECORDS = """INSERT INTO customers (id, record) VALUES (?, ?)
ON CONFLICT (id) DO UPDATE SET record = excluded.record"""
_DECISIONS = """INSERT INTO decisions (at, customer_id, rule, outcome, reason, line)
VALUES (?, ?, ?, ?, ?, ?)"""
_ATTEMPTS = """INSERT OR REPLACE INTO attempts
(id, message_id, customer_id, rule, class, channel, provider, state, at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
WRITES: tuple[tuple[str, str], ...] = (
    ("records", _RECORDS),
    ("disarmed", "DELETE FROM timers WHERE due = ? AND customer_id = ?"),
    ("armed", "INSERT OR REPLACE INTO timers (due, customer_id) VALUES (?, ?)"),
    ("waiting", "INSERT OR REPLACE INTO waiting (customer_id) VALUES (?)"),
    ("not_waiting", "DELETE FROM waiting WHERE customer_id = ?"),
    ("links", "INSERT OR REPLACE INTO links (kind, key, value) VALUES (?, ?, ?)"),
    ("decisions", _DECISIONS),
    ("attempts", _ATTEMPTS),
    ("states", "UPDATE attempts SET state = ?, changed_at = ?, code = ? WHERE id = ?"),
    ("tasks", "INSERT INTO tasks (at, customer_id, line) VALUES (?, ?, ?)"),
    ("quarantine", "INSERT INTO quarantine (at, line) VALUES (?, ?)"),
    ("positions", "INSERT OR REPLACE INTO positions (source, name, value) VALUES (?, ?, ?)"),
    ("requests", "INSERT OR REPLACE INTO requests (key, at, answer) VALUES (?, ?, ?)"),
    ("meta", "INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)"),
)
# Rows are about as old as their numbers: looking stops at the first that are young enough.
_OLDEST = "(SELECT number FROM (SELECT number, at FROM {0} ORDER BY number LIMIT ?) WHERE at < ?)"
_SETTLED = """(SELECT id FROM (SELECT id, at FROM attempts WHERE state NOT IN ('ready', 'started')
ORDER BY at LIMIT ?) WHERE at < ?)"""
PRUNED: tuple[str, ...] = (
    *(
        f"DELETE FROM {table} WHERE number IN {_OLDEST.format(table)}"  # noqa: S608  names are ours
        for table in ("decisions", "tasks", "quarantine")
    ),
    f"DELETE FROM attempts WHERE id IN {_SETTLED}",  # noqa: S608
    """DELETE FROM requests WHERE key IN
(SELECT key FROM (SELECT key, at FROM requests ORDER BY at LIMIT ?) WHERE at < ?)""",
)
SEEN_BATCHES_MAX = 1_000_000  # commits whose ids stay; `SeenIds` reads fewer
MIDDLE = "decisions"


class SqliteStore:
    """Opens the file, makes it if need be, and keeps its lock until `close`."""

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._lock = _locked(self.path)
        try:
            is_new = not self.path.exists()
            if is_new:
                # Records of people: readable by their owner only, from the first byte.
                os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
            self.connection = connect(self.path)
            prepare(self.connection, str(self.path))
        except sqlite3.DatabaseError as problem:
            os.close(self._lock)
            raise StoreRefused(None, f"not usable: {problem}", str(self.path)) from problem
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """The write-ahead log is folded into the file, so that a copy of it alone is whole."""
        with contextlib.suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.connection.close()
        os.close(self._lock)

    def records(self, ids: Sequence[str]) -> dict[str, bytes]:
        if len(ids) == 1:
            return dict(
                self.connection.execute("SELECT id, record FROM customers WHERE id = ?", ids)
            )
        sql = "SELECT id, record FROM customers WHERE id IN (SELECT value FROM json_each(?))"
        return {id_: raw for some in _slices(ids) for id_, raw in self._many(sql, some)}

    def customers(self, after: str, limit: int) -> list[str]:
        """Who comes after that id, in order."""
        sql = "SELECT id FROM customers WHERE id > ? ORDER BY id LIMIT ?"
        return [id_ for (id_,) in self.connection.execute(sql, (after, limit))]

    def links(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]:
        sql = (
            "SELECT key, value FROM links "
            "WHERE kind = ? AND key IN (SELECT value FROM json_each(?))"
        )
        return {
            key: value
            for some in _slices(keys)
            for key, value in self.connection.execute(sql, (kind, json.dumps(some)))
        }

    def due(self, after: tuple[int, str], limit: int) -> list[tuple[int, str]]:
        return self.connection.execute(
            "SELECT due, customer_id FROM timers WHERE (due, customer_id) > (?, ?) "
            "ORDER BY due, customer_id LIMIT ?",
            (*after, limit),
        ).fetchall()

    def waiting(self) -> list[str]:
        return [id_ for (id_,) in self.connection.execute("SELECT customer_id FROM waiting")]

    def seen(self, bytes_max: int) -> Iterable[bytes]:
        """The ids of the last commits, the newest first, until there are enough of them."""
        for (ids,) in self.connection.execute("SELECT ids FROM seen ORDER BY number DESC"):
            yield ids
            bytes_max -= len(ids)
            if bytes_max <= 0:
                return

    def open_attempts(self) -> list[StoredAttempt]:
        """Those that nobody answered, in the order in which they were wanted."""
        found = self.connection.execute(
            "SELECT id, message_id, customer_id, rule, class, channel, provider, state, at "
            "FROM attempts WHERE state IN ('ready', 'started') ORDER BY at, id"
        )
        return [StoredAttempt(*row) for row in found]

    def position(self, source: str, name: str) -> bytes | None:
        sql = "SELECT value FROM positions WHERE source = ? AND name = ?"
        return self._value(sql, (source, name))

    def request(self, key: str) -> bytes | None:
        return self._value("SELECT answer FROM requests WHERE key = ?", (key,))

    def meta(self, name: str) -> bytes | None:
        return self._value("SELECT value FROM meta WHERE name = ?", (name,))

    def commit(self, changes: Changes) -> None:
        connection = self.connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            faultpoint("commit.begin")
            if changes.seen:
                connection.execute("INSERT INTO seen (ids) VALUES (?)", (changes.seen,))
            for name, sql in WRITES:
                rows = getattr(changes, name)
                if rows:
                    connection.executemany(sql, rows)
                if name == MIDDLE:
                    faultpoint("commit.middle")
            faultpoint("commit.end")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        faultpoint("commit.done")

    def prune(self, before: int, limit: int) -> int:
        """Delete up to `limit` rows a table that are older but what is open; how many it were."""
        gone = 0
        for sql in PRUNED:
            gone += self.connection.execute(sql, (limit, before)).rowcount
        ids_max = SEEN_BATCHES_MAX
        self.connection.execute(
            "DELETE FROM seen WHERE number < (SELECT max(number) FROM seen) - ?", (ids_max,)
        )
        if gone:
            self.connection.execute("PRAGMA incremental_vacuum(2000)")
        return gone

    def _many(self, sql: str, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        return self.connection.execute(sql, (json.dumps(keys),))

    def _value(self, sql: str, values: tuple[str, ...]) -> bytes | None:
        row = self.connection.execute(sql, values).fetchone()
        return None if row is None else row[0]


def connect(path: Path, *, is_reader: bool = False) -> sqlite3.Connection:
    """A connection with our settings; a reader works beside the process that writes."""
    if is_reader and not path.exists():
        raise StoreRefused(None, "no such file", str(path))
    mode = "ro" if is_reader else "rw"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=10,
    )
    if not is_reader:
        # Only a new file takes it: pages of what was deleted go back to the disk.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{PAGE_CACHE_KIB}")
    return connection


def _locked(path: Path) -> int:
    """A file beside ours: SQLite's own locks vanish when any handle of the process is closed."""
    lock = os.open(f"{path}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        os.close(lock)
        raise StoreRefused(
            None, "another process serves this file; stop it first", str(path)
        ) from problem
    return lock


def _slices(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), KEYS_MAX):
        yield keys[start : start + KEYS_MAX]
