"""Whose timers are due: the next few of a store's armed timers in memory, in order.

In: a store, records that were touched. Out: (instant, customer), the earliest first.
Invariant: memory holds every armed timer up to `_edge`; the order is that of a replay, by instant,
then customer. A million armed timers cost the memory of `WINDOW` of them.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Mapping

from belfry.engine.instants import NEVER
from belfry.runtime.ports import Store, from_micros, micros
from belfry.runtime.stored_records import Touched

WINDOW = 10_000
KEPT_MAX = 4 * WINDOW
START = (dt.datetime.min.replace(tzinfo=dt.UTC), "")
END = (NEVER, "\U0010ffff")
Due = tuple[dt.datetime, str]


class Agenda:
    """Entries may be stale: whoever takes one compares it with the record's `next_due`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heap: list[Due] = []
        self._edge: Due = START

    def push(self, due: Due) -> None:
        """A record's next instant, once it changed."""
        if due <= self._edge:
            heapq.heappush(self._heap, due)

    def take(self, until: dt.datetime, touched: Mapping[str, Touched]) -> Due | None:
        """The earliest that is not after `until`, taken out; None if there is none."""
        while True:
            heap = self._heap
            if heap:
                return heapq.heappop(heap) if heap[0][0] <= until else None
            if self._edge[0] > until or self._edge == END:
                return None
            self._load(touched)

    def first(self, touched: Mapping[str, Touched]) -> dt.datetime:
        """When something may be due next; NEVER if nothing is armed."""
        while not self._heap and self._edge != END:
            self._load(touched)
        return self._heap[0][0] if self._heap else NEVER

    def upcoming(self, until: dt.datetime, limit: int) -> list[str]:
        """Some customers who are due by then: to read ahead."""
        return [name for at, name in heapq.nsmallest(limit, self._heap) if at <= until]

    def settle(self) -> None:
        """All is on disk: what lies far ahead may go from memory."""
        if len(self._heap) > KEPT_MAX:
            self._heap = heapq.nsmallest(WINDOW, self._heap)
            self._edge = self._heap[-1]

    def forget(self) -> None:
        """Memory is no longer what is on disk."""
        self._heap, self._edge = [], START

    def _load(self, touched: Mapping[str, Touched]) -> None:
        """The next window; touched records count as they are now, not as they are on disk."""
        after = self._edge
        place = (micros(after[0]), after[1])
        rows = self._store.due(place, WINDOW)
        found = [(from_micros(at), name) for at, name in rows if name not in touched]
        self._edge = (from_micros(rows[-1][0]), rows[-1][1]) if len(rows) == WINDOW else END
        for name, (record, _, _) in touched.items():
            due = (record.next_due, name)
            if record.next_due != NEVER and after < due <= self._edge:
                found.append(due)
        self._heap = sorted(found)
