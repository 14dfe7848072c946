"""The ports of the embedded host: clock, store, transport; and what passes through them.

In: nothing. Out: protocols and plain values.
Invariant: whoever implements them (a real machine, a simulation in virtual time) decides what
fails; the host behind them is synchronous and has no clock, no randomness and no thread of its own.
Instants in a store are whole microseconds since 1970 (`micros`), so that they sort as numbers.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.reasons import Rejected
from belfry.engine.decisions import Attempt, Conversion, Decision, TaskOrder
from belfry.engine.events import Answer

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
LATEST = "latest"  # the time of the latest event, in `meta`
MICROSECOND = dt.timedelta(microseconds=1)


class Clock(Protocol):
    """What time it is. `monotonic`: seconds that never go back, for measuring only."""

    def now(self) -> dt.datetime: ...

    def monotonic(self) -> float: ...


class Transport(Protocol):
    """Carries out one attempt that is on disk as started: one call at most, always an answer.

    `at`: the instant of the call; None: whatever the clock says when its turn has come.
    """

    async def carry(self, attempt: Attempt, at: dt.datetime | None = None) -> Answer: ...


class StoredAttempt(NamedTuple):
    """What is kept of an attempt: no address and no text. `state`: ready, started or the result."""

    attempt_id: str
    message_id: str
    customer_id: str
    rule: str
    message_class: str
    channel: str
    provider: str
    state: str
    at: int


class StoredDecision(NamedTuple):
    """A decision record as it is exported, with the columns that it is looked for by."""

    at: int
    customer_id: str
    rule: str
    outcome: str
    reason: str
    line: bytes


@dataclass(slots=True)
class Changes:
    """Everything that one transaction writes. What is empty costs nothing."""

    records: list[tuple[str, bytes]] = field(default_factory=list)
    disarmed: list[tuple[int, str]] = field(default_factory=list)
    armed: list[tuple[int, str]] = field(default_factory=list)
    waiting: list[tuple[str]] = field(default_factory=list)
    not_waiting: list[tuple[str]] = field(default_factory=list)
    links: list[tuple[str, str, bytes]] = field(default_factory=list)
    seen: bytes = b""
    decisions: list[StoredDecision] = field(default_factory=list)
    attempts: list[StoredAttempt] = field(default_factory=list)
    states: list[tuple[str, int, str, str]] = field(default_factory=list)
    tasks: list[tuple[int, str, bytes]] = field(default_factory=list)
    quarantine: list[tuple[int, bytes]] = field(default_factory=list)
    positions: list[tuple[str, str, bytes]] = field(default_factory=list)
    requests: list[tuple[str, int, bytes]] = field(default_factory=list)
    meta: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing changed but the time."""
        if any(name != LATEST for name, _ in self.meta):
            return False
        return not any(getattr(self, name) for name in self.__slots__ if name != "meta")


class Store(Protocol):
    """One file of a bank's state with one writer. Any error of `commit` means: nothing was written.

    `due` gives the first armed timers after a place in order of (instant, customer).
    """

    def records(self, ids: Sequence[str]) -> dict[str, bytes]: ...

    def customers(self, after: str, limit: int) -> list[str]: ...

    def links(self, kind: str, keys: Sequence[str]) -> dict[str, bytes]: ...

    def due(self, after: tuple[int, str], limit: int) -> list[tuple[int, str]]: ...

    def waiting(self) -> list[str]: ...

    def seen(self, bytes_max: int) -> Iterable[bytes]: ...

    def open_attempts(self) -> list[StoredAttempt]: ...

    def position(self, source: str, name: str) -> bytes | None: ...

    def request(self, key: str) -> bytes | None: ...

    def meta(self, name: str) -> bytes | None: ...

    def commit(self, changes: Changes) -> None: ...

    def prune(self, before: int, limit: int) -> int: ...


@dataclass(slots=True)
class Batch:
    """What one sender wants committed together: good events and those that were refused before.

    `places`, `bad_places`: where they stood in the request. `key`, `digest`: its Idempotency-Key
    and what it stands for. `positions`: (source, name, value) of each.
    """

    events: list[Any]
    bad: list[QuarantineRecord] = field(default_factory=list)
    places: Sequence[int] = ()
    bad_places: Sequence[int] = ()
    key: str = ""
    digest: str = ""
    positions: Sequence[tuple[str, str, bytes]] = ()


@dataclass(slots=True)
class Taken:
    """What became of a batch. `rejected`: place in `Batch.events` and why; `answer`: told before.

    `is_conflict`: the key was used before, for something else; nothing was taken.
    """

    applied: int = 0
    repeated: int = 0
    late: int = 0
    rejected: list[tuple[int, Rejected]] = field(default_factory=list)
    answer: dict[str, Any] | None = None
    is_conflict: bool = False


@dataclass(slots=True)
class Committed:
    """What one call of the host brought onto disk. `lateness_s`: of each timer that fired.

    `unsure`: possibly_duplicated or possibly_lost, and the class.
    """

    taken: list[Taken] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    tasks: list[TaskOrder] = field(default_factory=list)
    conversions: list[Conversion] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    unsure: Counter[tuple[str, str]] = field(default_factory=Counter)
    by_type: Counter[str] = field(default_factory=Counter)
    attempts: int = 0
    timers: int = 0
    lateness_s: list[float] = field(default_factory=list)
    is_more_due: bool = False


def micros(instant: dt.datetime) -> int:
    """Whole microseconds since 1970."""
    return (instant - EPOCH) // MICROSECOND


def from_micros(value: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=value)
