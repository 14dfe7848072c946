"""One process of the embedded host as `serve` runs it, but in virtual time and mortal.

In: requests, the passing of time, faults. Out: replies; calls of providers; a journal on the disk.
Invariant: the host, the store's code and the dispatcher are the real ones. What stands in for the
shell around them: grouping, retries of senders, waiting for timers.
"""

from __future__ import annotations

import datetime as dt
import heapq
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from belfry.connectors.codec import Decoder
from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.reasons import Rejected
from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.instants import NEVER
from belfry.engine.program import Program
from belfry.engine.record import Record
from belfry.notifiers.dispatch import at_once, carry_out
from belfry.runtime.embedded import Host
from belfry.runtime.faultpoints import faultpoint
from belfry.runtime.ports import Batch
from belfry.runtime.simulation.disk import Disk, SimulatedStore
from belfry.runtime.simulation.providers import Lab, Moment
from belfry.runtime.simulation.world import HOUR, SECOND, Request

CALLS_MAX = 6  # few, so that some wait
PATIENCE_MAX = 6  # after that many failures the pause grows no more


class Crashed(BaseException):
    """The process is no more."""


class VirtualTime:
    """What happens when. `skew`: how far the machine's clock is from the truth."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at
        self.skew = dt.timedelta(0)
        self._agenda: list[tuple[dt.datetime, int, Callable[[], None]]] = []
        self._number = 0

    def now(self) -> dt.datetime:
        return self.at + self.skew

    def monotonic(self) -> float:
        return self.at.timestamp()

    def plan(self, at: dt.datetime, what: Callable[[], None]) -> None:
        """Do it then; what is planned for one instant is done in order of planning."""
        self._number += 1
        heapq.heappush(self._agenda, (max(at, self.at), self._number, what))

    def run(self, until: dt.datetime) -> None:
        """All that is planned up to then."""
        while self._agenda and self._agenda[0][0] <= until:
            self.at, _, what = heapq.heappop(self._agenda)
            what()
        self.at = until


class Switched(NamedTuple):
    """A record was brought over from the rulebook of that hash."""

    time: dt.datetime
    before: str
    id: str = "switched"


class RecordedHost(Host):
    """The real host; each step is noted on the disk's journal once it is committed."""

    disk: Disk

    def _step(self, record: Record, event: Any, name: str) -> str:
        word = super()._step(record, event, name)
        self.disk.pending.append((self.program.book.hash, record.customer_id, event))
        return word

    def _record(self, customer_id: str) -> Record:
        before = self.records.get(customer_id).rulebook
        if before != self.program.book.hash:
            at = self._memory.editions.at or self.now()
            change = Switched(time=at, before=before)
            self.disk.pending.append((self.program.book.hash, customer_id, change))
        return super()._record(customer_id)

    def _forget(self) -> None:
        self.disk.pending.clear()
        super()._forget()


class Process:
    """Lives, dies, and is started again on the same disk."""

    def __init__(
        self, time: VirtualTime, disk: Disk, lab: Lab, program: Program, random_: random.Random
    ) -> None:
        self.time, self.disk, self.lab, self.random = time, disk, lab, random_
        self.program = program
        self.host: RecordedHost | None = None
        self.life = 0
        self.answered: dict[bytes, Request] = {}
        self.rejected: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.lateness_s: list[tuple[dt.datetime, float]] = []
        self.waiting: list[Request] = []
        self._decoder = Decoder(program.book.event_types)
        self._wake = NEVER
        self._is_planned = False
        self._refused = 0
        self.start()

    # --- life and death ---
    def start(self) -> None:
        """On what the disk has; again in a second if it cannot."""
        if self.host is not None:
            return
        self._is_planned, self._wake = False, NEVER
        RecordedHost.disk = self.disk
        try:
            self.host = RecordedHost(
                self.program, SimulatedStore(self.disk), self.time, calls_max=CALLS_MAX
            )
        except sqlite3.Error:
            self.disk.crash()
            self.seen["disk error at start"] += 1
            self.time.plan(self.time.at + SECOND, self.start)
        except Crashed:
            self.die("at start")
        else:
            self.soon()

    def die(self, why: str) -> None:
        """Memory is gone; somebody starts it again, at once or in the morning."""
        self.seen[f"died {why}"] += 1
        self.host = None
        self.life += 1
        self.disk.crash()
        draw = self.random.random()
        down_s = self.random.uniform(1, 5) if draw < 0.6 else self.random.uniform(5, 600)
        down = self.random.uniform(1, 8) * HOUR if draw > 0.93 else down_s * SECOND
        self.time.plan(self.time.at + down, self.start)

    def take(self, program: Program) -> None:
        """Another rulebook is in the folder, and a signal says so."""
        self.program = program
        if self.host is None:
            return
        try:
            self.host.reload(program)
            self.seen["reloaded"] += 1
        except Crashed:
            self.die("reloading")
        except sqlite3.Error:
            self.seen["disk error at reload"] += 1
            self.program = self.host.program
        self.soon()

    # --- what comes in ---
    def send(self, request: Request) -> None:
        """A sender tries until it is answered."""
        self.waiting.append(request)
        if self.host is not None:
            self.soon()

    def soon(self) -> None:
        """One turn of the loop, after everything else that happens at this instant."""
        if not self._is_planned:
            self._is_planned = True
            self.time.plan(self.time.at, self._turn)

    def _turn(self) -> None:
        self._is_planned = False
        if self.host is None:
            return
        requests, self.waiting = self.waiting, []
        try:
            self._work(self.host, requests)
        except Crashed:
            self.waiting = requests
            self.die("working")
        except sqlite3.Error:
            self.seen["disk error at work"] += 1
            self._refused = min(self._refused + 1, PATIENCE_MAX)
            self.waiting = requests + self.waiting
            self.time.plan(self.time.at + 2**self._refused * SECOND, self.soon)
        else:
            self._refused = 0

    def _work(self, host: Host, requests: list[Request]) -> None:
        batches = [self._decoded(one) for one in requests]
        committed = host.apply(batches)
        self.lateness_s += [(self.time.at, one) for one in committed.lateness_s]
        self._plan_wake(host.next_due(), is_now=committed.is_more_due)
        for attempt in host.take_attempts():
            pause = self.random.choice((0, 0, 0, self.random.random() * 5)) * SECOND
            self.time.plan(
                self.time.at + pause,
                partial(self._call, attempt, self.disk.commits, self.life),
            )
        faultpoint("reply.before")
        for request, batch, taken in zip(requests, batches, committed.taken, strict=True):
            if taken.is_conflict:
                self.seen["conflict"] += 1
            for _, why in taken.rejected:
                self.rejected[str(why.reason)] += 1
            self.seen["poison answered"] += len(batch.bad)
            refused = {place for place, _ in taken.rejected}
            for place, raw in zip(batch.places, batch.raws, strict=True):
                if place not in refused:
                    self.answered[raw] = request

    def _decoded(self, request: Request) -> RawBatch:
        batch = RawBatch([], key=request.key, digest=request.key)
        for raw in request.rows:
            event = self._decoder.decode_event(raw)
            if isinstance(event, Rejected):
                batch.bad.append(QuarantineRecord.of(event, raw))
            else:
                batch.events.append(event)
                batch.raws.append(raw)
        batch.places = range(len(batch.events))
        batch.bad_places = range(len(batch.events), len(request.rows))
        return batch

    def _plan_wake(self, due: dt.datetime, *, is_now: bool) -> None:
        if is_now:
            self.soon()
        if due == NEVER:
            return
        at = max(self.time.at + SECOND / 1000, due - self.time.skew)
        if at < self._wake or self._wake <= self.time.at:
            self._wake = at
            self.time.plan(at, partial(self._woken, self.life))

    def _woken(self, life: int) -> None:
        if life == self.life:
            self._wake = NEVER
            self.soon()

    # --- what goes out ---
    def _call(self, attempt: Attempt, taken: int, life: int) -> None:
        if life != self.life or self.host is None:
            return
        try:
            faultpoint("call.before")
            self.lab.moment = Moment(self.time.now(), taken, self.disk.commits)
            self.lab.latency_s = 0.0
            answer = at_once(
                carry_out(attempt, self.host.program.book, self.lab.providers, at=self.time.now())
            )
            faultpoint("call.after")
        except Crashed:
            self.die("calling")
            return
        later = self.time.at + self.lab.latency_s * SECOND
        self.time.plan(later, lambda: self._hear(answer, life))
        if self.random.random() < 0.05:
            again = later + self.random.random() * 60 * SECOND
            self.time.plan(again, lambda: self._hear(answer, life))
            self.seen["answer twice"] += 1

    def _hear(self, answer: Answer, life: int) -> None:
        if life == self.life and self.host is not None:
            self.host.answer(answer)
            self.soon()


class RawBatch(Batch):
    """A batch that remembers its bytes."""

    def __init__(self, events: list[Any], *, key: str, digest: str) -> None:
        super().__init__(events, key=key, digest=digest)
        self.raws: list[bytes] = []
