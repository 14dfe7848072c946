"""The outbox: which attempts are wanted, started, under way; and what a crash left behind.

In: attempts that a batch raised, answers. Out: rows for the transaction; attempts to be called.
Invariant: an attempt is given out once, after a commit that says `started`. Beyond `calls_max`
under way of one class at one provider the others wait as `ready`, so that a crash makes few of them
uncertain; no class and no provider waits for another.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from collections.abc import Iterator
from itertools import islice

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.notifiers.provider import Failure
from belfry.runtime import bounds
from belfry.runtime.ports import Changes, Store, StoredAttempt, micros

READY, STARTED = "ready", "started"
Lane = tuple[str, str]  # provider, message class


class Outbox:
    """One per host. Addresses and texts are in memory only: what waits is asked anew at a start."""

    def __init__(self, store: Store, *, calls_max: int) -> None:
        self.calls_max = calls_max
        self.ready: dict[Lane, deque[Attempt]] = {}
        self.under_way: dict[str, Lane] = {}
        self._busy: Counter[Lane] = Counter()  # how many are under way
        self._store = store
        self._fresh: list[Attempt] = []
        self._starting: list[Attempt] = []
        self._leaving: Counter[Lane] = Counter()  # how many of `ready` start with this commit
        self._answered: set[str] = set()
        self.to_call: list[Attempt] = []

    def want(self, attempt: Attempt) -> None:
        """The batch under way raised it."""
        self._fresh.append(attempt)

    @property
    def has_room(self) -> bool:
        """Something waits, and may be called now."""
        return any(self._busy[lane] < self.calls_max for lane in self.ready)

    @property
    def wants(self) -> bool:
        """Something was raised and not yet given out."""
        return bool(self._fresh or self.ready)

    @property
    def waiting(self) -> int:
        return sum(map(len, self.ready.values()))

    @property
    def is_full(self) -> bool:
        """Too many wait. A burst of marketing must not keep others out: its bound is its own."""
        marketing = sum(len(row) for (_, name), row in self.ready.items() if name == "marketing")
        others = self.waiting - marketing
        return others >= bounds.READY_MAX or marketing >= bounds.MARKETING_READY_MAX

    def changes(self, changes: Changes) -> None:
        """Put down what is wanted, and what is started with this commit."""
        room: Counter[Lane] = Counter(self.under_way[name] for name in self._answered)
        self._starting = []
        self._leaving.clear()
        for lane, waiting in self.ready.items():
            free = max(0, self.calls_max - self._busy[lane] + room[lane])
            for one in islice(waiting, free):
                self._starting.append(one)
                self._leaving[lane] += 1
                changes.states.append((STARTED, micros(one.at), "", one.attempt_id))
        begun = Counter(self._leaving)
        for one in self._fresh:
            lane = lane_of(one)
            has_room = begun[lane] < self.calls_max - self._busy[lane] + room[lane]
            if has_room:
                begun[lane] += 1
                self._starting.append(one)
            changes.attempts.append(stored(one, STARTED if has_room else READY))

    def settle(self) -> None:
        """It is on disk."""
        for lane, count in self._leaving.items():
            for _ in range(count):
                self.ready[lane].popleft()
            if not self.ready[lane]:
                del self.ready[lane]
        begun = {one.attempt_id for one in self._starting}
        for one in self._fresh:
            if one.attempt_id not in begun:
                self.ready.setdefault(lane_of(one), deque()).append(one)
        for name in self._answered:
            self._busy[self.under_way.pop(name)] -= 1
        for one in self._starting:
            self._begin(one.attempt_id, lane_of(one))
        self.to_call += self._starting
        self._reset()

    def _begin(self, attempt_id: str, lane: Lane) -> None:
        self.under_way[attempt_id] = lane
        self._busy[lane] += 1

    def _reset(self) -> None:
        """No batch is under way."""
        self._fresh.clear()
        self._starting = []
        self._leaving.clear()
        self._answered.clear()

    def take(self) -> list[Attempt]:
        """Those to be called now, each once."""
        found, self.to_call = self.to_call, []
        return found

    def answered(self, answer: Answer) -> None:
        """The answer is part of the batch under way; until that is on disk the call is ours."""
        if answer.attempt_id in self.under_way:
            self._answered.add(answer.attempt_id)

    def forget(self, now: dt.datetime) -> list[Answer]:
        """The batch was not written; if it was after all, what it started was never called."""
        self._reset()
        ours = {one.attempt_id for waiting in self.ready.values() for one in waiting}
        ours.update(self.under_way)
        found = [row for row in self._store.open_attempts() if row.attempt_id not in ours]
        # Answered once: until that is on disk they are under way like any other.
        for row in found:
            self._begin(row.attempt_id, (row.provider, row.message_class))
        return [refusal(row, now) for row in found]

    def recover(self, now: dt.datetime) -> list[Answer]:
        """After a start: what was started may have been sent; what was ready surely was not."""
        self._reset()
        self.under_way.clear()
        self._busy.clear()
        self.ready.clear()
        self.to_call.clear()
        rows = self._store.open_attempts()
        for row in rows:
            self._begin(row.attempt_id, (row.provider, row.message_class))
        return list(_left_behind(rows, now))


def lane_of(attempt: Attempt) -> Lane:
    return attempt.provider, attempt.message_class


def _left_behind(rows: list[StoredAttempt], now: dt.datetime) -> Iterator[Answer]:
    for row in rows:
        if row.state == STARTED:
            yield _answer(row, now, "unknown", "never", Failure.CRASHED)
        else:
            yield refusal(row, now)


def refusal(row: StoredAttempt, now: dt.datetime) -> Answer:
    """Surely not sent: the engine asks again, with fresh values."""
    return _answer(row, now, "rejected", "same_provider", Failure.UNAVAILABLE)


def _answer(
    row: StoredAttempt, now: dt.datetime, result: str, retry: str, failure: Failure
) -> Answer:
    return Answer(
        id=f"answer:{row.attempt_id}",
        source=f"provider:{row.provider}",
        time=now,
        customer_id=row.customer_id,
        attempt_id=row.attempt_id,
        result=result,  # type: ignore[arg-type]
        retry=retry,  # type: ignore[arg-type]
        provider=row.provider,
        code=str(failure),
    )


def stored(attempt: Attempt, state: str) -> StoredAttempt:
    """The row of an attempt."""
    return StoredAttempt(
        attempt.attempt_id,
        attempt.message_id,
        attempt.customer_id,
        attempt.rule,
        attempt.message_class,
        attempt.channel,
        attempt.provider,
        state,
        micros(attempt.at),
    )
