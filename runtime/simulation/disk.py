"""A disk that outlives the process, fails when told to, and keeps a journal of what is on it.

In: calls of the real store's code. Out: a real SQLite database in memory; `journal`: each step
(customer, event) of the engine whose transaction was committed, in order, with its commit's number.
Invariant: a crash loses exactly what was not committed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from belfry.runtime.store_schema import prepare
from belfry.runtime.store_sqlite import SqliteStore

ERRORS = {
    "locked": "database is locked",
    "io": "disk I/O error",
    "full": "database or disk is full",
}


class Step(NamedTuple):
    """One call of the transition that is on disk. `program`: the hash of what decided."""

    commit: int
    program: str
    customer_id: str
    event: Any


class Disk:
    """Stands where the store keeps its connection: passes everything on, but what is to fail."""

    def __init__(self) -> None:
        self.real = sqlite3.connect(":memory:", isolation_level=None)
        prepare(self.real, "simulated")
        self.commits = 0
        self.journal: list[Step] = []
        self.pending: list[tuple[str, str, Any]] = []
        self.failed = 0
        self._calls_left = 0
        self._error = ""
        self._is_broken: Callable[[], str] = str

    def fail(self, error: str, nth: int) -> None:
        """The nth call from now fails, once."""
        self._error, self._calls_left = error, nth

    def break_while(self, is_broken: Callable[[], str]) -> None:
        """As long as it names an error, every call that writes fails with it."""
        self._is_broken = is_broken

    def heal(self) -> None:
        self._calls_left, self._is_broken = 0, str

    def crash(self) -> None:
        """The process is gone: an open transaction never was."""
        self.pending.clear()
        if self.real.in_transaction:
            self.real.rollback()

    # --- what the store calls ---
    @property
    def in_transaction(self) -> bool:
        return self.real.in_transaction

    def execute(self, sql: str, values: Any = ()) -> sqlite3.Cursor:
        self._perhaps_fail(is_write=not sql.startswith("SELECT"))
        found = self.real.execute(sql, values)
        if sql == "COMMIT":
            self.commits += 1
            self.journal += [Step(self.commits, *one) for one in self.pending]
            self.pending.clear()
        return found

    def executemany(self, sql: str, rows: Any) -> sqlite3.Cursor:
        self._perhaps_fail(is_write=True)
        return self.real.executemany(sql, rows)

    def _perhaps_fail(self, *, is_write: bool) -> None:
        error = self._is_broken() if is_write else ""
        if self._calls_left:
            self._calls_left -= 1
            if not self._calls_left:
                error = self._error
        if not error:
            return
        self.failed += 1
        # SQLite undoes the whole transaction by itself when a page cannot be written.
        if error != "locked" and self.real.in_transaction:
            self.real.rollback()
        raise sqlite3.OperationalError(ERRORS[error])


class SimulatedStore(SqliteStore):
    """The code of the real store over that disk."""

    def __init__(self, disk: Disk) -> None:
        self.path = Path("simulated")
        connection: Any = disk
        self.connection = connection

    def close(self) -> None:
        """The disk stays."""
