"""Rulebooks that were: what each meant, when the present one took over, who has heard of it.

In: a store, the program that decides. Out: rows for the transaction; `Edits` from an older one.
Invariant: every record is brought over once, at the instant of the switch; a crash in between goes
on where it was.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from belfry.engine.edition import Edition, edition_of
from belfry.engine.edits import Edits, compare
from belfry.engine.faulty import Breaker
from belfry.engine.program import Program
from belfry.runtime.ports import Store, from_micros, micros

DONE = b"\xff"  # after every id
Rows = list[tuple[str, bytes]]
_breaker = msgspec.msgpack.Decoder(Breaker).decode
_decode = msgspec.msgpack.Decoder(Edition).decode


class Editions:
    """`cursor`: the last customer who was brought over; None: all were."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._edits: dict[str, Edits] = {}
        self._was_broken: frozenset[str] = frozenset()
        self._is_counted = False
        self.breaker = Breaker("")
        self.at: dt.datetime | None = None
        self.cursor: str | None = None
        self.forget()

    def begin(self, program: Program, now: dt.datetime) -> Rows:
        """A program is about to decide. Rows only if it is another one than before."""
        self._edits.clear()
        before = self._store.meta("rulebook")
        name = program.book.hash
        if before == name.encode():
            return []
        rows = [
            ("rulebook", name.encode()),
            (f"edition:{name}", msgspec.msgpack.encode(edition_of(program.book))),
        ]
        rows.append(("breaker", msgspec.msgpack.encode(Breaker(name))))
        if before is not None:
            broken = msgspec.msgpack.encode(sorted(self.breaker.broken))
            rows.append(("was_broken", broken))
            rows += [("switched", str(micros(now)).encode()), ("brought_over", b"")]
        return rows

    def edits(self, program: Program, old: str) -> Edits:
        """From the rulebook of that hash to the one that decides."""
        if old not in self._edits:
            raw = self._store.meta(f"edition:{old}")
            edition = None if raw is None else _decode(raw)
            self._edits[old] = compare(edition, program.book, self._was_broken)
        return self._edits[old]

    def count(self, errors: list[str], at: dt.datetime) -> bool:
        """Rules could not be computed. True: there are some to be switched off now."""
        self._is_counted = True
        return bool(self.breaker.count(errors, at))

    def changes(self) -> Rows:
        """What the transaction has to write of the errors."""
        return [("breaker", msgspec.msgpack.encode(self.breaker))] if self._is_counted else []

    def settle(self) -> None:
        """It is on disk."""
        self._is_counted = False

    def forget(self) -> None:
        """Memory becomes what the disk says."""
        self._is_counted = False
        breaker, was = self._store.meta("breaker"), self._store.meta("was_broken")
        self.breaker = Breaker("") if breaker is None else _breaker(breaker)
        self._was_broken = frozenset(() if was is None else msgspec.msgpack.decode(was))
        switched = self._store.meta("switched")
        self.at = None if switched is None else from_micros(int(switched))
        cursor = self._store.meta("brought_over")
        self.cursor = None if cursor in {None, DONE} else cursor.decode()

    def advance(self, ids: list[str]) -> Rows:
        """These were brought over; none left: all were."""
        self.cursor = ids[-1] if ids else None
        return [("brought_over", ids[-1].encode() if ids else DONE)]
