"""The embedded host: batches in, one transaction each, attempts out. Synchronous, in one thread.

In: batches, answers, the clock. Out: `Committed`, after it is on disk; attempts that are on disk as
started. Everything that could differ from run to run (clock, store, transport) is handed in.
Invariant: between calls memory holds nothing that the store does not; a failed commit changes
nothing. By events (`by_events`) time is the events' own, and it decides as a replay does, in its
order: timers due before an event run before it, and attempts are carried out where they arise.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Sequence
from typing import Any

from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.reasons import Reason, Rejected
from belfry.engine.decisions import Attempt, Outcome
from belfry.engine.events import Answer, Timer
from belfry.engine.faulty import switch_off
from belfry.engine.instants import NEVER
from belfry.engine.migrate import migrate
from belfry.engine.program import Program
from belfry.engine.record import SEPARATOR, Record
from belfry.engine.transition import NOTHING, transition
from belfry.engine.watermark import Watermarks
from belfry.notifiers.dispatch import at_once
from belfry.runtime import bounds
from belfry.runtime.faultpoints import faultpoint
from belfry.runtime.host import end_of_arbitration
from belfry.runtime.last_look import take_wanted
from belfry.runtime.memory import UNSTARTED, Memory
from belfry.runtime.pending import answer_of, as_json
from belfry.runtime.ports import (
    MICROSECOND,
    Batch,
    Clock,
    Committed,
    Store,
    Taken,
    Transport,
    micros,
)  # fmt: skip

SWEPT = 500  # customers brought over to a new rulebook in one call


class Host:
    """One bank, called from one thread at a time; only `answer` may come from any."""

    def __init__(
        self,
        program: Program,
        store: Store,
        clock: Clock,
        transport: Transport | None = None,
        *,
        by_events: bool = False,
        records_max: int = bounds.RECORDS_MAX,
        calls_max: int = bounds.CALLS_MAX,
    ) -> None:
        assert transport is not None or not by_events, "by events attempts are carried out in line"
        self.program = self._whole = program
        self.by_events = by_events
        self._memory = Memory(program, store, records_max=records_max, calls_max=calls_max)
        self.outbox, self.records = self._memory.outbox, self._memory.records
        self.agenda = self._memory.agenda
        self.stuck: set[str] = set()
        self.store = store
        self._clock, self._transport = clock, transport
        self._answers: deque[Answer] = deque()
        self._applying: list[Answer] = []
        self._poison: set[str] = set()
        self._is_astray = False  # the disk could not be read when memory had to become what it is
        self._done = Committed()
        self._horizon = NEVER
        self._latest = self._memory.latest()
        self._answers.extend(self.outbox.recover(self.now()))
        self.watermarks = Watermarks(program.book.policies.bank, self.now())
        self._guarded(self._switch)

    # --- what is asked of it ---
    def now(self) -> dt.datetime:
        """The clock's time, or the time of the latest event."""
        return self._latest if self.by_events else self._clock.now()

    @property
    def is_full(self) -> bool:
        """Too many messages wait for their providers: take nothing new."""
        return self.outbox.is_full

    @property
    def has_answers(self) -> bool:
        return bool(self._answers)

    def next_due(self) -> dt.datetime:
        """When a timer may fire next; NEVER if none is armed."""
        due, now = self.agenda.first(self.records.touched), self.now()
        is_held_back = due <= now and due > self.watermarks.horizon(now)
        return now + bounds.HELD_BACK if is_held_back else due

    def answer(self, answer: Answer) -> None:
        """What a provider said; applied with the next batch."""
        self._answers.append(answer)

    def take_attempts(self) -> list[Attempt]:
        """Attempts to be carried out now: each is on disk as started, and given out once."""
        if self.outbox.has_room:
            self._guarded(lambda: None)  # only what waits is begun
        return take_wanted(self.program, self.records, self.outbox, self._answers, self.now())

    # --- what it does ---
    def apply(self, batches: Sequence[Batch]) -> Committed:
        """Answers, due timers, then the batches; on disk when it returns."""
        return self._guarded(lambda: self._apply(batches))

    def tick(self) -> Committed:
        """Answers and due timers, some of them: `is_more_due` says whether to call again."""
        return self.apply(())

    def finish(self, until: dt.datetime | None = None) -> Committed:
        """What a replay does at its end: fire what is due by then, close windows that are open."""
        faultpoint("finish.before")
        return self._guarded(lambda: self._finish(until))

    def reload(self, program: Program) -> None:
        """Decide by another rulebook from now on. Everything before is on disk."""
        faultpoint("reload.before")
        # What is due at this instant is still judged by the old one.
        self._guarded(lambda: self._fire(self.now()))
        before, self._whole = self._whole, program
        self.program = program
        self.records.load(program)
        try:
            self._guarded(self._switch)
        except BaseException:
            self.program = self._whole = before
            self.records.load(before)
            self._switch_off()
            raise
        self.watermarks = Watermarks(program.book.policies.bank, self.now())
        self.stuck.clear()
        self._poison.clear()
        faultpoint("reload.after")

    def _guarded(self, work: Any) -> Committed:
        """Do it and commit. Whatever fails, memory is what the disk says afterwards."""
        self._done = Committed()
        if self._is_astray:
            self._forget()
        while True:
            try:
                work()
                self._commit()
            except bounds.Poison as poison:
                self._forget()
                self._poison.add(poison.name)
            except BaseException:
                self._forget()
                raise
            else:
                return self._done

    def _apply(self, batches: Sequence[Batch]) -> None:
        faultpoint("apply.begin")
        self._take_answers()
        if not self.by_events:
            horizon = self.watermarks.horizon(self.now())
            self._done.is_more_due = self._fire(horizon, limit=bounds.TIMERS_MAX)
            self._bring_over()
        events = [event for batch in batches for event in batch.events]
        if events:
            self.records.fetch(self._memory.links.fetch(events))
        self._done.taken = [self._take(batch) for batch in batches]
        faultpoint("apply.end")

    def _take(self, batch: Batch) -> Taken:
        if batch.key:
            known = self.store.request(batch.key) or self._memory.pending.request(batch.key)
            if known is not None:
                return answer_of(known, batch.digest)
        taken = Taken()
        events, at = batch.events, micros(self.now())
        self._horizon = NEVER if self.by_events else self.now() + bounds.AHEAD
        for place in sorted(range(len(events)), key=lambda one: events[one].time):
            refused = self._accept(events[place], taken)
            if refused is not None:
                taken.rejected.append((place, refused))
                raw = as_json(events[place])
                kept = QuarantineRecord.of(refused, raw, events[place].source)
                self._memory.pending.refuse(at, kept)
        for bad in batch.bad:
            self._memory.pending.refuse(at, bad)
        self._memory.pending.changes.positions += batch.positions
        if batch.key:
            self._memory.pending.remember(batch, taken, at)
        return taken

    def _accept(self, event: Any, taken: Taken) -> Rejected | None:
        """One event, to every customer whom it concerns."""
        name = f"{event.source}{SEPARATOR}{event.id}"
        seen = self._memory.seen
        digest = seen.digest(name)
        time = event.time
        if digest in seen:
            taken.repeated += 1
            if self.by_events and time > self._latest:
                self._latest = time
            return None
        if name in self._poison:
            return Rejected(Reason.ENGINE_FAULT, "the engine failed at it; see the log")
        if time > self._horizon:
            return Rejected(Reason.OUT_OF_RANGE, "time is far ahead of this machine's clock")
        if event.customer_id is None and not self._memory.links.knows(event):
            return Rejected(Reason.UNKNOWN_ACCOUNT, "no holder known")
        if self.by_events:
            self._fire(time - MICROSECOND)
            self._latest = max(self._latest, time)
        # Learnt only after the timers: what they raise is committed before their calls.
        links = self._memory.links.links
        customers = links.resolve(event)
        assert customers is not None
        seen.add(digest)
        if self.watermarks.sources:
            self.watermarks.read(event.source, time, self.now())
        if links.handovers:
            for customer_id, change in links.take_handovers():
                self._step(self._record(customer_id), change, name)
        word = "applied"
        for customer_id in customers:
            word = self._step(self._record(customer_id), event, name)
        self._done.by_type[event.__struct_config__.tag] += 1
        if word == "applied":
            taken.applied += 1
        else:
            setattr(taken, word, getattr(taken, word) + 1)
        if self.by_events:
            self._call_in_line()
        if len(self.records.touched) >= bounds.TOUCHED_MAX:
            self._commit()
        return None

    def _take_answers(self) -> None:
        answers = self._answers
        while answers:
            answer = answers.popleft()
            self._applying.append(answer)
            faultpoint("answer.before")
            self._answer(answer)
            self._call_in_line()

    def _answer(self, answer: Answer) -> None:
        assert answer.customer_id is not None
        self.outbox.answered(answer)
        self._memory.pending.answered(answer)
        if answer.id not in self._poison:
            self._step(self._record(answer.customer_id), answer, answer.id)

    def _fire(self, until: dt.datetime, limit: int | None = None) -> bool:
        """Timers that are due by then, in order; True if some are left."""
        agenda, records = self.agenda, self.records
        fired = 0
        while limit is None or fired < limit:
            due = agenda.take(until, records.touched)
            if due is None:
                return False
            at, customer_id = due
            name = self._timer_name(customer_id)
            if not name:
                continue
            record = self._record(customer_id)
            if record.next_due != at:
                continue
            if limit is not None and not fired % 500:
                records.fetch(agenda.upcoming(until, 500))
            fired += 1
            time = at if self.by_events else self.now()
            if self.by_events:
                self._latest = max(self._latest, at)
            self._memory.pending.out.timers += 1
            self._memory.pending.out.lateness_s.append((time - at).total_seconds())
            self._step(record, Timer(id="due", time=time), name)
            self._call_in_line()
            if len(records.touched) >= bounds.TOUCHED_MAX:
                self._commit()
        return True

    def _finish(self, until: dt.datetime | None) -> None:
        self._take_answers()
        if until is not None or self._latest > UNSTARTED:
            self._fire(until or self.now())
        self._commit()
        for customer_id in sorted(self.store.waiting()):
            record = self._record(customer_id)
            name = self._timer_name(customer_id)
            while name and record.waiting:
                self._step(record, end_of_arbitration(record), name)
                self._call_in_line()

    def _timer_name(self, customer_id: str) -> str:
        """Empty for a customer whose timers break the engine: they rest until the next reload."""
        name = f"timer{SEPARATOR}{customer_id}"
        if name in self._poison:
            self.stuck.add(customer_id)
            return ""
        return name

    # --- another rulebook ---
    def _switch(self) -> None:
        """If the program is not the one that decided before, it counts from now on."""
        rows = self._memory.editions.begin(self.program, self.now())
        if rows:
            self._memory.pending.changes.meta += rows
            self._commit()
            self._memory.editions.forget()
        self._switch_off()
        while self.by_events and self._memory.editions.cursor is not None:
            self._bring_over()
            self._commit()

    def _switch_off(self) -> None:
        """Rules that failed too often under this rulebook stay off, also after a restart."""
        self.program = switch_off(self._whole, self._memory.editions.breaker.broken)

    def _bring_over(self) -> None:
        """Some of those whom no event has brought to the new rulebook: they have timers, too."""
        cursor = self._memory.editions.cursor
        if cursor is None:
            return
        ids = self.store.customers(cursor, SWEPT)
        self.records.fetch(ids)
        for customer_id in ids:
            self._record(customer_id)
        self._memory.pending.changes.meta += self._memory.editions.advance(ids)
        self._done.is_more_due = True

    def _record(self, customer_id: str) -> Record:
        """The record, by the rulebook that decides."""
        record = self.records.get(customer_id)
        if record.rulebook != self.program.book.hash:
            self.records.touch(record)
            before = record.next_due
            edits = self._memory.editions.edits(self.program, record.rulebook)
            self._hear(migrate(self.program, record, edits, self._memory.editions.at or self.now()))
            if record.next_due not in (before, NEVER):
                self.agenda.push((record.next_due, customer_id))
        return record

    # --- one step, one commit ---
    def _step(self, record: Record, event: Any, name: str) -> str:
        self.records.touch(record)
        before = record.next_due
        try:
            outcome = transition(self.program, record, event)
        except Exception as fault:
            raise bounds.Poison(name) from fault
        if outcome is not NOTHING:
            if outcome.errors and self._memory.editions.count(outcome.errors, event.time):
                self._switch_off()
            if outcome.seen == "applied":
                self._hear(outcome)
        due = record.next_due
        if due not in (before, NEVER):
            self.agenda.push((due, record.customer_id))
        return outcome.seen

    def _hear(self, outcome: Outcome) -> None:
        self._memory.pending.hear(outcome)
        for attempt in outcome.attempts:
            self.outbox.want(attempt)

    def _call_in_line(self) -> None:
        """By events: on disk as started, then the calls and their answers, before anything else."""
        # Only once an event has reached all its customers: a commit in between would halve it.
        while self.by_events and self.outbox.wants:
            assert self._transport is not None
            self._commit()
            for attempt in self.outbox.take():
                faultpoint("call.before")
                answer = at_once(self._transport.carry(attempt, attempt.at))
                faultpoint("call.after")
                self._answer(answer)

    def _commit(self) -> None:
        if self._memory.commit(self._latest if self.by_events else UNSTARTED, self._done):
            self._applying.clear()

    def _forget(self) -> None:
        """Memory becomes what the disk says; answers that were about to be applied wait again."""
        self._is_astray = True
        self._answers.extendleft(reversed(self._applying))
        self._applying.clear()
        self._memory.forget()
        self._switch_off()
        self._latest = self._memory.latest()
        # In line nothing is under way between two calls: what has no answer broke just now.
        left = self.outbox.recover if self.by_events else self.outbox.forget
        self._answers.extend(left(self.now()))
        self._is_astray = False
