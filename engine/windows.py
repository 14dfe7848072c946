"""Features over events: windows `(t - window, t]`, exact while small, day buckets beyond.

In: a feature's definition, its `Window`, an instant. Out: the value, or None for unknown.
Invariant: count, total and squares always equal the sum over items and buckets.
Source: facts on window memory: exact items cost 11-305 KiB a customer over 90 days, buckets 2 KiB.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from decimal import Decimal
from typing import Any

from belfry.engine.instants import DAY
from belfry.engine.record import Bucket, Window
from belfry.engine.rulebook.model import Feature

ITEMS_KEPT = 128  # of a window longer than a day that is not declared exact; then day buckets
LIFETIME_ITEMS_KEPT = 16  # without a window: only to undo a recent reversal
DISTINCT_MAX = 1000
ZERO = Decimal(0)
NUMERIC = frozenset({"sum", "mean", "deviation"})
SQUARED = frozenset({"deviation"})


def add(feature: Feature, win: Window, at: dt.datetime, value: Any, event_id: str) -> None:
    """Take one event in, late ones at their place."""
    operation = feature.operation
    if operation == "distinct":
        _add_distinct(feature, win, at, value)
        return
    times = win.times
    if not times or at >= times[-1]:
        times.append(at)
        win.values.append(value)
        win.ids.append(event_id)
    else:
        place = bisect_right(times, at)
        times.insert(place, at)
        win.values.insert(place, value)
        win.ids.insert(place, event_id)
    win.count += 1
    if operation in NUMERIC:
        win.total += value
        if operation in SQUARED:
            win.squares += value * value
    if feature.window is None:
        _keep_lifetime(feature, win, value)
    elif len(times) > ITEMS_KEPT:
        _bound(feature, win)


def _keep_lifetime(feature: Feature, win: Window, value: Any) -> None:
    if feature.operation == "min":
        win.low = value if win.low is None or value < win.low else win.low
    elif feature.operation == "max":
        win.high = value if win.high is None or value > win.high else win.high
    kept = 2 if feature.operation in ("first", "last") else LIFETIME_ITEMS_KEPT
    if len(win.times) > kept:
        drop = 1 if feature.operation == "first" else 0
        del win.times[drop], win.values[drop], win.ids[drop]


def _add_distinct(feature: Feature, win: Window, at: dt.datetime, value: Any) -> None:
    word = str(value)
    before = win.distinct.get(word)
    if before is None or before < at:
        win.distinct[word] = at
    if len(win.distinct) > DISTINCT_MAX:
        oldest = min(win.distinct, key=lambda one: (win.distinct[one], one))
        del win.distinct[oldest]


def _bound(feature: Feature, win: Window) -> None:
    """Too many items: exact windows and short ones lose the oldest, others put its day in a bucket."""
    assert feature.window is not None
    if feature.exact or feature.window <= DAY:
        if len(win.times) > feature.items:
            _forget(feature, win, 0)
        return
    day = win.times[0].date()
    many = 0
    while many < len(win.times) and win.times[many].date() == day:
        many += 1
    if many == len(win.times):
        many -= 1
    values = win.values[:many]
    numbers = values if feature.operation in NUMERIC else []
    fresh = Bucket(
        day=day,
        count=many,
        total=sum(numbers, ZERO),
        squares=sum((v * v for v in numbers), ZERO) if feature.operation in SQUARED else ZERO,
        low=min(values) if feature.operation == "min" else None,
        high=max(values) if feature.operation == "max" else None,
        first=values[0],
        last=values[-1],
    )
    del win.times[:many], win.values[:many], win.ids[:many]
    if win.buckets and win.buckets[-1].day == day:
        fresh = _merge(win.buckets.pop(), fresh)
    win.buckets.append(fresh)


def _merge(old: Bucket, new: Bucket) -> Bucket:
    return Bucket(
        day=old.day,
        count=old.count + new.count,
        total=old.total + new.total,
        squares=old.squares + new.squares,
        low=None if new.low is None else min(old.low, new.low),
        high=None if new.high is None else max(old.high, new.high),
        first=old.first,
        last=new.last,
    )


def _forget(feature: Feature, win: Window, place: int) -> None:
    value = win.values[place]
    win.count -= 1
    if feature.operation in NUMERIC:
        win.total -= value
        if feature.operation in SQUARED:
            win.squares -= value * value
    del win.times[place], win.values[place], win.ids[place]


def evict(feature: Feature, win: Window, now: dt.datetime) -> None:
    """Let go of what has left the window `(now - window, now]`."""
    window = feature.window
    if window is None:
        return
    edge = now - window
    if feature.operation == "distinct":
        if any(at <= edge for at in win.distinct.values()):
            win.distinct = {word: at for word, at in win.distinct.items() if at > edge}
        return
    buckets = win.buckets
    while buckets and buckets[0].day < edge.date():
        gone = buckets.pop(0)
        win.count -= gone.count
        win.total -= gone.total
        win.squares -= gone.squares
    times = win.times
    while times and times[0] <= edge:
        _forget(feature, win, 0)


def value_at(feature: Feature, win: Window | None, now: dt.datetime) -> Any:
    """The feature's value at `now`; None: unknown (nothing there, or fewer than `at_least`)."""
    operation = feature.operation
    if win is None:
        if feature.at_least:
            return None
        return 0 if operation in ("count", "distinct") else ZERO if operation == "sum" else None
    if feature.window is not None:
        times = win.times
        if (times and times[0] <= now - feature.window) or win.buckets or win.distinct:
            evict(feature, win, now)
    count = len(win.distinct) if operation == "distinct" else win.count
    if count < feature.at_least:
        return None
    return _VALUES[operation](win, count)


def _mean(win: Window, count: int) -> Decimal | None:
    return win.total / count if count else None


def _deviation(win: Window, count: int) -> Decimal | None:
    """Sample deviation. Rounding may leave a tiny negative variance: that is zero."""
    if count < 2:
        return None
    variance = (win.squares - win.total * win.total / count) / (count - 1)
    return variance.sqrt() if variance > 0 else ZERO


def _low(win: Window, count: int) -> Any:
    known = [bucket.low for bucket in win.buckets] + (
        [win.low] if win.low is not None else win.values
    )
    return min(known, default=None)


def _high(win: Window, count: int) -> Any:
    known = [bucket.high for bucket in win.buckets] + (
        [win.high] if win.high is not None else win.values
    )
    return max(known, default=None)


def _first(win: Window, count: int) -> Any:
    if win.buckets:
        return win.buckets[0].first
    return win.values[0] if win.values else None


def _last(win: Window, count: int) -> Any:
    if win.values:
        return win.values[-1]
    return win.buckets[-1].last if win.buckets else None


_VALUES: dict[str, Any] = {
    "count": lambda win, count: count,
    "distinct": lambda win, count: count,
    "sum": lambda win, count: win.total,
    "mean": _mean,
    "deviation": _deviation,
    "min": _low,
    "max": _high,
    "first": _first,
    "last": _last,
}


def undo(feature: Feature, win: Window, event_id: str) -> bool:
    """Take a reversed event out again. False: it is no longer kept as an item, or cannot be undone."""
    if event_id not in win.ids or (feature.window is None and feature.operation in ("min", "max")):
        return False
    _forget(feature, win, win.ids.index(event_id))
    return True


def next_change_at(feature: Feature, win: Window) -> dt.datetime | None:
    """The next instant at which the value can change without an event; None: never."""
    if feature.window is None:
        return None
    if feature.operation == "distinct":
        oldest = min(win.distinct.values(), default=None)
        return None if oldest is None else oldest + feature.window
    if win.buckets:
        day_after = win.buckets[0].day + dt.timedelta(days=1)
        return dt.datetime.combine(day_after, dt.time(0), dt.UTC) + feature.window
    return win.times[0] + feature.window if win.times else None
