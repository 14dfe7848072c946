"""Customer records that live in a store: decoded when needed, the last used kept, changes noted.

In: a store, a program. Out: records to be changed in place after `touch`.
Invariant: between commits memory equals the store; only what was touched is encoded and written.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from belfry.engine.instants import NEVER
from belfry.engine.program import Program
from belfry.engine.record import Record
from belfry.engine.record_codec import RecordCodec
from belfry.engine.transition import new_record
from belfry.runtime.ports import Changes, Store, micros


class Touched(NamedTuple):
    """A record under change, and what the store knows of its timers."""

    record: Record
    next_due: dt.datetime
    is_waiting: bool


class StoredRecords:
    """`kept_max` decoded records stay in memory; those of the batch under way are never dropped."""

    def __init__(self, program: Program, store: Store, *, kept_max: int) -> None:
        self.kept_max = kept_max
        self.touched: dict[str, Touched] = {}
        self._store = store
        self._kept: dict[str, Record] = {}
        self._read: dict[str, bytes | None] = {}
        self.load(program)

    def load(self, program: Program) -> None:
        """Another rulebook: records are decoded anew, by its types."""
        assert not self.touched
        self.program = program
        self.codec = RecordCodec(program.book)
        self.forget()

    def fetch(self, ids: Iterable[str]) -> None:
        """Read ahead what is not in memory."""
        kept, read = self._kept, self._read
        missing = [one for one in ids if one not in kept and one not in read]
        if missing:
            read.update(dict.fromkeys(missing))
            read.update(self._store.records(missing))

    def get(self, customer_id: str) -> Record:
        """The record; a new one for a customer of whom nothing is known."""
        kept = self._kept
        record = kept.pop(customer_id, None)
        if record is None:
            record = self.known(customer_id)
            if record is None:
                record = new_record(self.program, customer_id)
            kept.pop(customer_id, None)
        kept[customer_id] = record
        return record

    def known(self, customer_id: str) -> Record | None:
        """The record, if there is one."""
        record = self._kept.get(customer_id)
        if record is None:
            if customer_id not in self._read:
                self.fetch((customer_id,))
            raw = self._read[customer_id]
            if raw is None:
                return None
            record = self._kept[customer_id] = self.codec.decode(raw)
            del self._read[customer_id]
        return record

    def touch(self, record: Record) -> None:
        """It is about to change."""
        customer_id = record.customer_id
        if customer_id not in self.touched:
            self.touched[customer_id] = Touched(record, record.next_due, bool(record.waiting))

    def changes(self, changes: Changes) -> None:
        """Put down what the transaction has to write."""
        encode = self.codec.encode
        for customer_id, (record, due, was_waiting) in self.touched.items():
            changes.records.append((customer_id, encode(record)))
            if record.next_due != due:
                if due != NEVER:
                    changes.disarmed.append((micros(due), customer_id))
                if record.next_due != NEVER:
                    changes.armed.append((micros(record.next_due), customer_id))
            if bool(record.waiting) != was_waiting:
                some = changes.not_waiting if was_waiting else changes.waiting
                some.append((customer_id,))

    def settle(self) -> None:
        """It is on disk: the least recently used may go."""
        self.touched.clear()
        self._read.clear()
        kept = self._kept
        if len(kept) > self.kept_max:
            for name in [*kept][: len(kept) - self.kept_max]:
                del kept[name]

    def forget(self) -> None:
        """Memory is no longer what is on disk."""
        self.touched.clear()
        self._kept.clear()
        self._read.clear()
