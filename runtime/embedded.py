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
from belfry.engine.instants import NEVER
from belfry.engine.program import Program
from belfry.engine.record import SEPARATOR, Record
from belfry.engine.transition import NOTHING, transition
from belfry.runtime.agenda import Agenda
from belfry.runtime.faultpoints import faultpoint
from belfry.runtime.host import ARBITRATION
from belfry.runtime.outbox import Outbox
from belfry.runtime.pending import Pending, answer_of, as_json
from belfry.runtime.ports import (
    MICROSECOND,
    Batch,
    Clock,
    Committed,
    Store,
    Taken,
    Transport,
    from_micros,
    micros,
)  # fmt: skip
from belfry.runtime.seen_ids import SeenIds
from belfry.runtime.stored_links import StoredLinks
from belfry.runtime.stored_records import StoredRecords

RECORDS_MAX = 200_000  # decoded, in memory
CALLS_MAX = 256  # attempts under way
READY_MAX = 10_000  # attempts that wait; beyond it nothing new is begun
TOUCHED_MAX = 5_000  # records in one transaction
TIMERS_MAX = 2_000  # fired in one call of `tick`
AHEAD = dt.timedelta(minutes=10)  # how far a sender's clock may be ahead of ours
UNSTARTED = dt.datetime.min.replace(tzinfo=dt.UTC)


class Poison(Exception):  # noqa: N818  (reads as what it is)
    """An event that the engine broke at: our mistake, which must not stop the others."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


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
        records_max: int = RECORDS_MAX,
        calls_max: int = CALLS_MAX,
    ) -> None:
        assert transport is not None or not by_events, "by events attempts are carried out in line"
        self.program = program
        self.by_events = by_events
        self.outbox = Outbox(store, calls_max=calls_max)
        self.records = StoredRecords(program, store, kept_max=records_max)
        self.agenda = Agenda(store)
        self.stuck: set[str] = set()
        self.store = store
        self._clock, self._transport = clock, transport
        self._links = StoredLinks(store)
        self._seen = SeenIds(store)
        self._answers: deque[Answer] = deque()
        self._applying: list[Answer] = []
        self._poison: set[str] = set()
        self._pending = Pending()
        self._done = Committed()
        self._latest = self._stored_latest()
        self._answers.extend(self.outbox.recover(self.now()))

    # --- what is asked of it ---
    def now(self) -> dt.datetime:
        """The clock's time, or the time of the latest event."""
        return self._latest if self.by_events else self._clock.now()

    @property
    def is_full(self) -> bool:
        """Too many messages wait for their providers: take nothing new."""
        return len(self.outbox.ready) >= READY_MAX

    @property
    def has_answers(self) -> bool:
        return bool(self._answers)

    def next_due(self) -> dt.datetime:
        """When a timer may fire next; NEVER if none is armed."""
        return self.agenda.first(self.records.touched)

    def answer(self, answer: Answer) -> None:
        """What a provider said; applied with the next batch."""
        self._answers.append(answer)

    def take_attempts(self) -> list[Attempt]:
        """Attempts to be carried out now: each is on disk as started, and given out once."""
        if self.outbox.has_room:
            self._guarded(self._nothing)
        return self.outbox.take()

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

    def prune(self, keep: dt.timedelta, limit: int = 5_000) -> int:
        """Delete decisions, tasks and attempts that are older, some of them; how many it were."""
        return self.store.prune(micros(self.now() - keep), limit)

    def reload(self, program: Program) -> None:
        """Decide by another rulebook from now on. Everything before is on disk."""
        faultpoint("reload.before")
        assert not self.records.touched
        self.program = program
        self.records.load(program)
        self.stuck.clear()
        self._poison.clear()
        faultpoint("reload.after")

    def _guarded(self, work: Any) -> Committed:
        """Do it and commit. Whatever fails, memory is what the disk says afterwards."""
        self._done = Committed()
        while True:
            try:
                work()
                self._commit()
            except Poison as poison:
                self._forget()
                self._poison.add(poison.name)
            except BaseException:
                self._forget()
                raise
            else:
                return self._done

    def _nothing(self) -> None:
        """Only what waits is begun."""

    def _apply(self, batches: Sequence[Batch]) -> None:
        faultpoint("apply.begin")
        self._take_answers()
        if not self.by_events:
            self._done.is_more_due = self._fire(self.now(), limit=TIMERS_MAX)
        events = [event for batch in batches for event in batch.events]
        if events:
            self.records.fetch(self._links.fetch(events))
        self._done.taken = [self._take(batch) for batch in batches]
        faultpoint("apply.end")

    def _take(self, batch: Batch) -> Taken:
        if batch.key:
            known = self.store.request(batch.key) or self._pending.request(batch.key)
            if known is not None:
                return answer_of(known, batch.digest)
        taken = Taken()
        events = batch.events
        at = micros(self.now())
        for place in sorted(range(len(events)), key=lambda one: events[one].time):
            refused = self._accept(events[place], taken)
            if refused is not None:
                taken.rejected.append((place, refused))
                raw = as_json(events[place])
                self._pending.refuse(at, QuarantineRecord.of(refused, raw, events[place].source))
        for bad in batch.bad:
            self._pending.refuse(at, bad)
        self._pending.changes.positions += batch.positions
        if batch.key:
            self._pending.remember(batch, taken, at)
        return taken

    def _accept(self, event: Any, taken: Taken) -> Rejected | None:
        """One event, to every customer whom it concerns."""
        name = f"{event.source}{SEPARATOR}{event.id}"
        seen = self._seen
        digest = seen.digest(name)
        time = event.time
        if digest in seen:
            taken.repeated += 1
            if self.by_events and time > self._latest:
                self._latest = time
            return None
        if name in self._poison:
            return Rejected(Reason.ENGINE_FAULT, "the engine failed at it; see the log")
        if not self.by_events and time > self.now() + AHEAD:
            return Rejected(Reason.OUT_OF_RANGE, "time is far ahead of this machine's clock")
        customers = self._links.links.resolve(event)
        if customers is None:
            return Rejected(Reason.UNKNOWN_ACCOUNT, "no holder known")
        if self.by_events:
            self._fire(time - MICROSECOND)
            self._latest = max(self._latest, time)
        # Not before the timers: what they raise is committed before their calls.
        seen.add(digest)
        if self._links.links.handovers:
            for customer_id, change in self._links.links.take_handovers():
                self._step(self.records.get(customer_id), change, name)
        word = "applied"
        for customer_id in customers:
            word = self._step(self.records.get(customer_id), event, name)
        self._done.by_type[event.__struct_config__.tag] += 1
        setattr(taken, word, getattr(taken, word) + 1)
        self._call_in_line()
        if len(self.records.touched) >= TOUCHED_MAX:
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
        self._pending.answered(answer)
        if answer.id not in self._poison:
            self._step(self.records.get(answer.customer_id), answer, answer.id)

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
            record = records.get(customer_id)
            if record.next_due != at:
                continue
            if limit is not None and not fired % 500:
                records.fetch(agenda.upcoming(until, 500))
            fired += 1
            time = at if self.by_events else until
            if self.by_events:
                self._latest = max(self._latest, at)
            self._pending.out.timers += 1
            self._pending.out.lateness_s.append((time - at).total_seconds())
            self._step(record, Timer(id="due", time=time), name)
            self._call_in_line()
            if len(records.touched) >= TOUCHED_MAX:
                self._commit()
        return True

    def _finish(self, until: dt.datetime | None) -> None:
        self._take_answers()
        if until is not None or self._latest > UNSTARTED:
            self._fire(until or self.now())
        self._commit()
        for customer_id in sorted(self.store.waiting()):
            record = self.records.get(customer_id)
            name = self._timer_name(customer_id)
            while name and record.waiting:
                at = min(
                    entry.due
                    for timer, entry in record.timers.items()
                    if timer.startswith(ARBITRATION)
                )
                self._step(record, Timer(id="due", time=at, only=ARBITRATION), name)
                self._call_in_line()

    def _timer_name(self, customer_id: str) -> str:
        """Empty for a customer whose timers break the engine: they rest until the next reload."""
        name = f"timer{SEPARATOR}{customer_id}"
        if name in self._poison:
            self.stuck.add(customer_id)
            return ""
        return name

    # --- one step, one commit ---
    def _step(self, record: Record, event: Any, name: str) -> str:
        self.records.touch(record)
        before = record.next_due
        try:
            outcome = transition(self.program, record, event)
        except Exception as fault:
            raise Poison(name) from fault
        if outcome is not NOTHING and outcome.seen == "applied":
            self._hear(outcome)
        due = record.next_due
        if due not in (before, NEVER):
            self.agenda.push((due, record.customer_id))
        return outcome.seen

    def _hear(self, outcome: Outcome) -> None:
        self._pending.hear(outcome)
        for attempt in outcome.attempts:
            self.outbox.want(attempt)

    def _call_in_line(self) -> None:
        """By events: on disk as started, then the calls and their answers, before anything else.

        Only once an event has reached all its customers: a commit in between would halve it.
        """
        while self.by_events and self.outbox.wants:
            assert self._transport is not None
            self._commit()
            for attempt in self.outbox.take():
                faultpoint("call.before")
                answer = self._transport.carry(attempt, attempt.at)
                faultpoint("call.after")
                self._answer(answer)

    def _commit(self) -> None:
        pending, changes = self._pending, self._pending.changes
        self.records.changes(changes)
        self.outbox.changes(changes)
        changes.links = self._links.changes()
        changes.seen = self._seen.changes()
        if self.by_events and self._latest > UNSTARTED:
            changes.meta.append(("latest", str(micros(self._latest)).encode()))
        if changes.is_empty:
            return
        self.store.commit(changes)
        self._applying.clear()
        self._pending = Pending()
        for part in (self.records, self.outbox, self._links, self._seen, self.agenda):
            part.settle()
        pending.move_to(self._done)

    def _forget(self) -> None:
        """Memory becomes what the disk says."""
        self._pending = Pending()
        self._answers.extendleft(reversed(self._applying))
        self._applying.clear()
        for part in (self.records, self._links, self._seen, self.agenda):
            part.forget()
        self._latest = self._stored_latest()
        # In line nothing is under way between two calls: what has no answer broke just now.
        left = self.outbox.recover if self.by_events else self.outbox.forget
        self._answers.extend(left(self.now()))

    def _stored_latest(self) -> dt.datetime:
        raw = self.store.meta("latest")
        return UNSTARTED if raw is None else from_micros(int(raw))
