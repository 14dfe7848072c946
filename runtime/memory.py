"""What the embedded host holds in memory between two commits, and how it goes to the disk and back.

In: a store, a program. Out: parts that note what changed; `commit` writes all of it at once.
Invariant: after `commit` and after `forget` no part holds anything that the store does not.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.program import Program
from belfry.runtime.agenda import Agenda
from belfry.runtime.editions import Editions
from belfry.runtime.outbox import Outbox
from belfry.runtime.pending import Pending
from belfry.runtime.ports import LATEST, Committed, Store, from_micros, micros
from belfry.runtime.seen_ids import SeenIds
from belfry.runtime.stored_links import StoredLinks
from belfry.runtime.stored_records import StoredRecords

UNSTARTED = dt.datetime.min.replace(tzinfo=dt.UTC)


class Memory:
    """The parts live as long as the host; `pending` is one transaction's."""

    def __init__(self, program: Program, store: Store, *, records_max: int, calls_max: int) -> None:
        self.store = store
        self.records = StoredRecords(program, store, kept_max=records_max)
        self.agenda = Agenda(store)
        self.links = StoredLinks(store, self.records)
        self.seen = SeenIds(store)
        self.editions = Editions(store)
        self.outbox = Outbox(store, calls_max=calls_max)
        self.pending = Pending()

    def latest(self) -> dt.datetime:
        """The time of the latest event, as far as the store knows."""
        raw = self.store.meta(LATEST)
        return UNSTARTED if raw is None else from_micros(int(raw))

    def commit(self, latest: dt.datetime, done: Committed) -> bool:
        """Write everything; False if there was nothing. `done` hears what may be told now."""
        pending, changes = self.pending, self.pending.changes
        self.records.changes(changes)
        self.outbox.changes(changes)
        changes.links = self.links.changes()
        changes.seen = self.seen.changes()
        changes.meta += self.editions.changes()
        if latest > UNSTARTED:
            changes.meta.append((LATEST, str(micros(latest)).encode()))
        if changes.is_empty:
            return False
        self.store.commit(changes)
        self.pending = Pending()
        for part in (self.records, self.outbox, self.links, self.seen, self.agenda, self.editions):
            part.settle()
        pending.move_to(done)
        return True

    def forget(self) -> None:
        """Memory becomes what the disk says. The outbox has its own way: `Outbox.forget`."""
        self.pending = Pending()
        for part in (self.records, self.links, self.seen, self.agenda, self.editions):
            part.forget()
