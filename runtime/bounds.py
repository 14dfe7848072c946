"""How much the embedded host takes on at once, and the fault that must not stop it.

In: nothing. Out: numbers with a name. Invariant: whatever could grow has one of them.
"""

from __future__ import annotations

import datetime as dt

RECORDS_MAX = 100_000  # decoded, in memory
CALLS_MAX = 256  # attempts under way, of each class at each provider
READY_MAX = 10_000  # attempts that wait; beyond it nothing new is begun
MARKETING_READY_MAX = 200_000  # those of marketing, which must not keep others out
TOUCHED_MAX = 5_000  # records in one transaction
TIMERS_MAX = 2_000  # fired in one call of `tick`
AHEAD = dt.timedelta(minutes=10)  # how far a sender's clock may be ahead of ours
HELD_BACK = dt.timedelta(seconds=1)  # between two looks at timers that wait for a source


class Poison(Exception):  # noqa: N818  (reads as what it is)
    """An event that the engine broke at: our mistake, which must not stop the others."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
