"""Who is next at a provider: one lane for each message class, and slots that are kept free.

In: attempts that wait. Out: the next one that may go.
Invariant: a waiting security message is next; the less urgent may never take the last slots.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from belfry.engine.decisions import Attempt
from belfry.notifiers.provider import Rejected

CLASSES = ("security", "regulatory", "service", "advice", "marketing")
KEPT_FREE = {"marketing": 4, "advice": 8, "service": 8}  # one slot of so many


@dataclass(slots=True, eq=False)
class Turn:
    """One attempt that waits. `granted`: None when it may go, or why it will not."""

    attempt: Attempt
    since: float
    granted: asyncio.Future[Rejected | None] = field(default_factory=asyncio.Future)

    @property
    def priority(self) -> int:
        return priority_of(self.attempt.message_class)

    def is_expired(self, now: dt.datetime) -> bool:
        expires_at = self.attempt.expires_at
        return expires_at is not None and now >= expires_at


class Lanes:
    """First in, first out, within a class."""

    def __init__(self) -> None:
        self._lanes: tuple[deque[Turn], ...] = tuple(deque() for _ in CLASSES)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def put(self, turn: Turn) -> None:
        self._lanes[turn.priority].append(turn)
        self._size += 1

    def next(self, under_way: int, slots: int) -> Turn | None:
        """The most urgent one that may have a slot. It stays where it is until `take`."""
        for name, lane in zip(CLASSES, self._lanes, strict=True):
            if under_way >= slots - kept_free(name, slots):
                return None  # and the less urgent may have even fewer
            if lane:
                return lane[0]
        return None

    def take(self, turn: Turn) -> None:
        """`turn` is the first of its lane."""
        assert self._lanes[turn.priority].popleft() is turn
        self._size -= 1

    def take_all(self, *, older_than: float | None = None, but: int = -1) -> Iterator[Turn]:
        """Empty the lanes from the one after `but`, or of those who came before an instant."""
        for lane in self._lanes[but + 1 :]:
            while lane and (older_than is None or lane[0].since <= older_than):
                self._size -= 1
                yield lane.popleft()


def kept_free(message_class: str, slots: int) -> int:
    """Slots that this class leaves to the more urgent; with one slot there is nothing to leave."""
    of = KEPT_FREE.get(message_class)
    if of is None or slots <= 1:
        return 0
    return max(slots // of, 1 if message_class == "marketing" else 0)


def priority_of(message_class: str) -> int:
    """A class of the bank's own is as urgent as a service."""
    name = message_class if message_class in CLASSES else "service"
    return CLASSES.index(name)
