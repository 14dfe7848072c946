"""A host in memory: records, links and due timers of many customers, driven by event time.

In: events in order of time. Out: each outcome, handed to `deliver`, whose answers come back as
events.
Invariant: before an event at T all timers due before T have run; timers due at T run after the
events of T.
Replay, rule tests and explain are this host with different ears.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from belfry.engine.decisions import Attempt, Outcome
from belfry.engine.edition import edition_of
from belfry.engine.edits import compare
from belfry.engine.events import Answer, Timer
from belfry.engine.faulty import Breaker, switch_off
from belfry.engine.instants import NEVER
from belfry.engine.links import Links
from belfry.engine.migrate import migrate
from belfry.engine.program import Program
from belfry.engine.record import SEPARATOR, Record
from belfry.engine.transition import new_record, transition
from belfry.notifiers.provider import Accepted, answer_event

ARBITRATION = "arbitration"
Deliver = Callable[[Attempt], Answer | None]
Listen = Callable[[Record, Any, Outcome], None]


class MemoryHost:
    """All customers of a replay, or `only` one of them. `listen` hears every outcome, in order."""

    def __init__(
        self, program: Program, deliver: Deliver, listen: Listen, only: str | None = None
    ) -> None:
        self.program = program
        self.only = only
        self.deliver = deliver
        self.listen = listen
        self.links = Links()
        self.records: dict[str, Record] = {}
        self.counts: Counter[str] = Counter()
        self.breaker = Breaker(program.book.hash)
        self.now: dt.datetime | None = None
        self._seen: set[str] = set()
        self._due: list[tuple[dt.datetime, str]] = []

    def accept(self, event: Any) -> bool:
        """Apply one event to every customer concerned; False: nobody knows whose it is."""
        name = f"{event.source}{SEPARATOR}{event.id}"
        if name in self._seen:
            self.counts["repeated"] += 1
            return True
        customers = self.links.resolve(event)
        if customers is None:
            return False
        self._seen.add(name)
        self.run_until(event.time, inclusive=False)
        self.now = event.time
        if self.links.handovers:
            self._hand_over()
        seen = "applied"
        for customer_id in customers:
            if self.only is not None and customer_id != self.only:
                continue
            seen = self._step(self._record(customer_id), event)
        self.counts[seen] += 1
        return True

    def _hand_over(self) -> None:
        """Customers who join or leave an account hear of that first."""
        for customer_id, change in self.links.take_handovers():
            if self.only is None or customer_id == self.only:
                self._step(self._record(customer_id), change)

    def _record(self, customer_id: str) -> Record:
        record = self.records.get(customer_id)
        if record is None:
            record = self.records[customer_id] = new_record(self.program, customer_id)
        return record

    def run_until(self, instant: dt.datetime, *, inclusive: bool = True) -> None:
        """Let the timers that are due by then fire, in order of instant and customer."""
        due = self._due
        while due and (due[0][0] < instant or (inclusive and due[0][0] == instant)):
            at, customer_id = heapq.heappop(due)
            record = self.records[customer_id]
            if record.next_due == at:
                self.now = at
                self._step(record, Timer(id="due", time=at))

    def switch(self, program: Program, at: dt.datetime) -> None:
        """Another rulebook from this instant on; timers due at it still run by the old one."""
        self.run_until(at)
        edits = compare(edition_of(self.program.book), program.book, self.program.broken)
        self.program = program
        self.breaker = Breaker(program.book.hash)
        self.now = at
        for customer_id in sorted(self.records):
            record = self.records[customer_id]
            before = record.next_due
            outcome = migrate(program, record, edits, at)
            self._hear(record, Timer(id="rulebook", time=at), outcome, before)

    def close_arbitration(self) -> None:
        """Carry windows that are open to their end: what asked to speak by now is decided."""
        for customer_id in sorted(self.records):
            record = self.records[customer_id]
            while record.waiting:
                self._step(record, end_of_arbitration(record))

    def _step(self, record: Record, event: Any) -> str:
        before = record.next_due
        outcome = transition(self.program, record, event)
        self._hear(record, event, outcome, before)
        return outcome.seen

    def _hear(self, record: Record, event: Any, outcome: Outcome, before: dt.datetime) -> None:
        if outcome.errors:
            off = self.breaker.count(outcome.errors, event.time)
            self.program = switch_off(self.program, off)
        if outcome.seen == "applied":
            self.listen(record, event, outcome)
            for attempt in outcome.attempts:
                answer = self.deliver(attempt)
                if answer is not None:
                    self._step(record, answer)
        if record.next_due not in (before, NEVER):
            heapq.heappush(self._due, (record.next_due, record.customer_id))


def end_of_arbitration(record: Record) -> Timer:
    """What closes the first window of arbitration that is open."""
    windows = [entry.due for name, entry in record.timers.items() if name.startswith(ARBITRATION)]
    return Timer(id="due", time=min(windows), only=ARBITRATION)


def accept_all(attempt: Attempt) -> Answer:
    """The answer of a provider that takes everything: for hosts that only look at decisions."""
    return answer_event(attempt, Accepted(), at=attempt.at)


def in_time_order(events: Iterable[Any]) -> list[Any]:
    """Stable: events of one instant keep their order."""
    return sorted(events, key=lambda event: event.time)
