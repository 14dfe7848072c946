"""The agenda of a record: what is due when. Keeps `next_due` right.

In: a record, a timer's name, an entry. Out: the record changed.
Invariant: `next_due` is the earliest due of all entries, NEVER without any.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.instants import NEVER
from belfry.engine.record import Record, TimerEntry, Window, joined
from belfry.engine.rulebook.model import Feature
from belfry.engine.windows import evict, next_change_at


def set_timer(record: Record, name: str, entry: TimerEntry) -> None:
    """Arm or re-arm a timer."""
    before = record.timers.get(name)
    record.timers[name] = entry
    if entry.due < record.next_due:
        record.next_due = entry.due
    elif before is not None and before.due == record.next_due:
        settle_next_due(record)


def drop_timer(record: Record, name: str) -> None:
    """Disarm a timer; nothing if it is not armed."""
    before = record.timers.pop(name, None)
    if before is not None and before.due == record.next_due:
        settle_next_due(record)


def settle_next_due(record: Record) -> None:
    """Find the earliest due again."""
    record.next_due = min([entry.due for entry in record.timers.values()], default=NEVER)


def arm_wake(record: Record, feature: Feature, key: str, window: Window, now: dt.datetime) -> None:
    """See to it that the rules which read the feature are asked when it empties by time."""
    name = joined("wake", feature.name, key)
    if name not in record.timers:
        evict(feature, window, now)  # readers may have left old items where they are
        due = next_change_at(feature, window)
        if due is not None:
            set_timer(record, name, TimerEntry(due))
