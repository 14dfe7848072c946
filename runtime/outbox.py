"""The outbox: which attempts are wanted, started, under way; and what a crash left behind.

In: attempts that a batch raised, answers. Out: rows for the transaction; attempts to be called.
Invariant: an attempt is given out once, after a commit that says `started`. Beyond `calls_max`
under way the others wait as `ready`, so that a crash makes few of them uncertain.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Iterator

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.notifiers.provider import Failure
from belfry.runtime.ports import Changes, Store, StoredAttempt, micros

READY, STARTED = "ready", "started"


class Outbox:
    """One per host. Addresses and texts are in memory only: what waits is asked anew at a start."""

    def __init__(self, store: Store, *, calls_max: int) -> None:
        self.calls_max = calls_max
        self.ready: deque[Attempt] = deque()
        self.under_way: set[str] = set()
        self._store = store
        self._fresh: list[Attempt] = []
        self._starting: list[Attempt] = []
        self._answered: set[str] = set()
        self.to_call: list[Attempt] = []

    def want(self, attempt: Attempt) -> None:
        """The batch under way raised it."""
        self._fresh.append(attempt)

    @property
    def has_room(self) -> bool:
        """Something waits, and may be called now."""
        return bool(self.ready) and len(self.under_way) < self.calls_max

    @property
    def wants(self) -> bool:
        """Something was raised and not yet given out."""
        return bool(self._fresh or self.ready)

    def changes(self, changes: Changes) -> None:
        """Put down what is wanted, and what is started with this commit."""
        room = max(0, self.calls_max - len(self.under_way) + len(self._answered))
        waiting = len(self.ready)
        self._starting = [*self.ready, *self._fresh][:room]
        for one in self._starting[:waiting]:
            changes.states.append((STARTED, micros(one.at), "", one.attempt_id))
        started = len(self._starting) - min(waiting, len(self._starting))
        for number, one in enumerate(self._fresh):
            state = STARTED if number < started else READY
            changes.attempts.append(stored(one, state))

    def settle(self) -> None:
        """It is on disk."""
        waiting = [*self.ready, *self._fresh]
        self.ready = deque(waiting[len(self._starting) :])
        self.under_way -= self._answered
        self._answered.clear()
        self.under_way.update(one.attempt_id for one in self._starting)
        self.to_call += self._starting
        self._starting = []
        self._fresh.clear()

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
        self._fresh.clear()
        self._starting = []
        self._answered.clear()
        ours = {one.attempt_id for one in self.ready} | self.under_way
        found = [row for row in self._store.open_attempts() if row.attempt_id not in ours]
        # Answered once: until that is on disk they are under way like any other.
        self.under_way.update(row.attempt_id for row in found)
        return [refusal(row, now) for row in found]

    def recover(self, now: dt.datetime) -> list[Answer]:
        """After a start: what was started may have been sent; what was ready surely was not."""
        self.under_way.clear()
        self._answered.clear()
        self.ready.clear()
        self.to_call.clear()
        self._fresh.clear()
        self._starting = []
        rows = self._store.open_attempts()
        self.under_way.update(row.attempt_id for row in rows)
        return list(_left_behind(rows, now))


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
