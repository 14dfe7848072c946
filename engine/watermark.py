"""Watermarks: up to which instant timers may fire while sources lag behind.

In: which sources the bank waits for and how long at most (`bank: {wait_for:, wait_max:}`), what was
read from them and when. Out: an instant; timers due after it wait.
Invariant: a source that is behind holds timers back, so that an absence is never said because its
events were slow; one of which nothing is heard for `wait_max` holds nobody back.
In a replay everything comes in order of time, and nobody has to wait.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from belfry.engine.instants import UTC
from belfry.engine.rulebook.model import Bank

NOTHING_READ = dt.datetime.min.replace(tzinfo=UTC)


class Progress(msgspec.Struct):
    """How far one source has been read: `reached` in events' time, `heard_at` on the clock."""

    reached: dt.datetime
    heard_at: dt.datetime


class Watermarks:
    """One per host, empty at its start. `at` is always the clock's instant, given by the host."""

    def __init__(self, bank: Bank, started_at: dt.datetime) -> None:
        self.wait_max = bank.wait_max
        self.sources = {name: Progress(NOTHING_READ, started_at) for name in bank.wait_for}

    def read(self, source: str, time: dt.datetime, at: dt.datetime) -> None:
        """An event of that time was read. A time ahead of the clock counts as now."""
        progress = self.sources.get(source)
        if progress is not None:
            progress.reached = max(progress.reached, min(time, at))
            progress.heard_at = at

    def caught_up(self, source: str, at: dt.datetime) -> None:
        """Nothing is left to read: no lag in its partitions, the end of its file."""
        self.read(source, at, at)

    def behind(self, source: str, at: dt.datetime) -> None:
        """There is more to read, or nobody can tell: it is waited for, however long it takes."""
        progress = self.sources.get(source)
        if progress is not None:
            progress.heard_at = at

    def horizon(self, at: dt.datetime) -> dt.datetime:
        """Timers due by then may fire; the clock's instant if nobody has to be waited for."""
        return min((at, *(self.sources[name].reached for name in self.lagging(at))))

    def lagging(self, at: dt.datetime) -> list[str]:
        """The sources that hold timers back, for operations."""
        return [
            name
            for name, one in self.sources.items()
            if one.reached < at and at - one.heard_at < self.wait_max
        ]
