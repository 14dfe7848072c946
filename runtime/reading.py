"""Reading a bank's file beside the process that writes it: decisions, a backup, what is in it.

In: a path. Out: rows and files. Invariant: nothing here writes to the file or waits for its lock;
what is read is one committed state.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from belfry.engine.record import ContactPoint
from belfry.runtime.store_schema import APPLICATION_ID, StoreRefused
from belfry.runtime.store_sqlite import connect

PAGE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Query:
    """Which decisions. `after`: the number of the last one seen."""

    customer_id: str = ""
    rule: str = ""
    outcome: str = ""
    reason: str = ""
    after: int = 0
    limit: int = 100


@contextlib.contextmanager
def reader(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that reads. `StoreRefused` for what is no file of ours."""
    connection = connect(path, is_reader=True)
    try:
        try:
            (owner,) = connection.execute("PRAGMA application_id").fetchone()
        except sqlite3.DatabaseError as problem:
            raise StoreRefused(None, f"not usable: {problem}", str(path)) from problem
        if owner != APPLICATION_ID:
            raise StoreRefused(None, "not a data file of belfry", str(path))
        yield connection
    finally:
        connection.close()


def find_decisions(path: Path, query: Query) -> list[tuple[int, bytes]]:
    """(number, line) of at most `limit` decisions, the oldest first."""
    wanted = {
        "customer_id": query.customer_id,
        "rule": query.rule,
        "outcome": query.outcome,
        "reason": query.reason,
    }
    asked = {name: value for name, value in wanted.items() if value}
    where = "".join(f" AND {name} = ?" for name in asked)
    sql = f"SELECT number, line FROM decisions WHERE number > ?{where} ORDER BY number LIMIT ?"  # noqa: S608  names are ours
    with reader(path) as connection:
        limit = max(1, min(query.limit, PAGE_MAX))
        return connection.execute(sql, (query.after, *asked.values(), limit)).fetchall()


def export_decisions(path: Path, out: Path) -> int:
    """All decisions as lines, in their order, whole under the name or not at all. How many."""
    part = out.with_name(f".{out.name}.part")
    count = 0
    with reader(path) as connection, part.open("wb") as file:
        for (line,) in connection.execute("SELECT line FROM decisions ORDER BY number"):
            file.write(line + b"\n")
            count += 1
    part.replace(out)
    return count


def backup(path: Path, out: Path) -> None:
    """One committed state as a file of its own, while the other one is written to."""
    part = out.with_name(f".{out.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY, 0o600))
    with reader(path) as source:
        target = sqlite3.connect(part)
        try:
            # In one step: page by page would start anew with every commit in between.
            source.backup(target, pages=-1)
            target.execute("PRAGMA journal_mode = DELETE")
            (said,) = target.execute("PRAGMA quick_check").fetchone()
        finally:
            target.close()
    if said != "ok":
        raise StoreRefused(None, f"the copy is damaged: {said}", str(out))
    with part.open("rb") as file:
        os.fsync(file.fileno())
    part.replace(out)


class _Reached(msgspec.Struct):
    """Of a customer's record: how they are reached. What else it holds is skipped."""

    contacts: list[ContactPoint] = []


def holders_of(path: Path, address: str) -> list[str]:
    """Customers who have this contact point. Reads the whole table: a STOP is rare."""
    if not address:
        return []
    decode = msgspec.msgpack.Decoder(_Reached).decode
    sql = "SELECT id, record FROM customers WHERE instr(record, ?) ORDER BY id"
    with reader(path) as connection:
        return [
            name
            for name, raw in connection.execute(sql, (address.encode(),))
            if any(one.address == address for one in decode(raw).contacts)
        ]
