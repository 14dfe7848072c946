"""Features over events: windows `(t - window, t]`, exact while small, day buckets beyond.

In: a feature's definition, its `Window`, an instant. Out: the value, or None for unknown.
Invariant: count, total and squares always equal the sum over items and buckets.
Generated code (program/updates.py) does the common cases inline; what it can't is done here.
Source: facts on window memory: exact items cost 11-305 KiB a customer over 90 days, buckets 2 KiB.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from decimal import Decimal
from typing import Any

from belfry.engine.instants import DAY
from belfry.engine.record import SEPARATOR, Bucket, Window
from belfry.engine.rulebook.model import Feature

ITEMS_KEPT = 128  # of a window longer than a day that is not declared exact; then day buckets
LIFETIME_ITEMS_KEPT = 16  # without a window: only to undo a recent reversal
ENDS_KEPT = 2  # of a first or last without a window
DISTINCT_MAX = 1000
ZERO = Decimal(0)
NUMERIC = frozenset({"sum", "mean", "deviation"})


def window_name(feature: Feature, key: str) -> str:
    """Where a record keeps the window of a feature for one account, card or loan, or its own."""
    return feature.name if feature.by == "customer" else f"{feature.name}{SEPARATOR}{key}"


def add(feature: Feature, win: Window, at: dt.datetime, value: Any, event_id: str) -> None:
    """Take one event in, late ones at their place."""
    if feature.operation == "distinct":
        _add_distinct(win, at, value)
        return
    items = win.items
    item = (at, value, event_id)
    if not items or at >= items[-1][0]:
        items.append(item)
    else:
        items.insert(bisect_right(items, at, key=lambda one: one[0]), item)
    win.count += 1
    if feature.operation in NUMERIC:
        win.total += value
        if feature.operation == "deviation":
            win.squares += value * value
    if len(items) > kept(feature) or feature.window is None:
        bound(feature, win, value)


def kept(feature: Feature) -> int:
    """How many items a window keeps before `bound` must be called."""
    if feature.window is None:
        return ENDS_KEPT if feature.operation in ("first", "last") else LIFETIME_ITEMS_KEPT
    return min(ITEMS_KEPT, feature.items) if is_bucketed(feature) else feature.items


def is_bucketed(feature: Feature) -> bool:
    """Do items that are too many go into day buckets, rather than away?"""
    return feature.window is not None and not feature.exact and feature.window > DAY


def _add_distinct(win: Window, at: dt.datetime, value: Any) -> None:
    word = str(value)
    before = win.distinct.get(word)
    if before is None or before < at:
        win.distinct[word] = at
    if len(win.distinct) > DISTINCT_MAX:
        oldest = min(win.distinct, key=lambda one: (win.distinct[one], one))
        del win.distinct[oldest]


def bound(feature: Feature, win: Window, value: Any) -> None:
    """Too many items to keep: each kind of window has its own way.

    A lifetime keeps its running figures, a short or exact window loses the oldest item, others put
    their oldest day into a bucket.
    """
    items = win.items
    if feature.window is None:
        if feature.operation == "min":
            win.low = value if win.low is None or value < win.low else win.low
        elif feature.operation == "max":
            win.high = value if win.high is None or value > win.high else win.high
        if len(items) > kept(feature):
            del items[1 if feature.operation == "first" else 0]
    elif is_bucketed(feature):
        _spill(feature, win)
    else:
        while len(items) > feature.items:
            _forget(feature, win, 0)


def _spill(feature: Feature, win: Window) -> None:
    items = win.items
    day = items[0][0].date()
    many = 1
    while many < len(items) - 1 and items[many][0].date() == day:
        many += 1
    values = [value for _, value, _ in items[:many]]
    numbers = values if feature.operation in NUMERIC else []
    is_squared = feature.operation == "deviation"
    fresh = Bucket(
        day=day,
        count=many,
        total=sum(numbers, ZERO),
        squares=sum((v * v for v in numbers), ZERO) if is_squared else ZERO,
        low=min(values) if feature.operation == "min" else None,
        high=max(values) if feature.operation == "max" else None,
        first=values[0],
        last=values[-1],
    )
    del items[:many]
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
    value = win.items[place][1]
    win.count -= 1
    if feature.operation in NUMERIC:
        win.total -= value
        if feature.operation == "deviation":
            win.squares -= value * value
    del win.items[place]


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
    items = win.items
    while items and items[0][0] <= edge:
        _forget(feature, win, 0)


def value_at(feature: Feature, win: Window | None, now: dt.datetime) -> Any:
    """The feature's value at `now`; None: unknown (nothing there, or fewer than `at_least`)."""
    operation = feature.operation
    if win is None:
        win = Window()
    else:
        evict(feature, win, now)
    count = len(win.distinct) if operation == "distinct" else win.count
    if count < feature.at_least:
        return None
    return VALUES[operation](win, count)


def _mean(win: Window, count: int) -> Decimal | None:
    return win.total / count if count else None


def _deviation(win: Window, count: int) -> Decimal | None:
    """Sample deviation. Rounding may leave a tiny negative variance: that is zero."""
    if count < 2:
        return None
    variance = (win.squares - win.total * win.total / count) / (count - 1)
    return variance.sqrt() if variance > 0 else ZERO


def _low(win: Window, count: int) -> Any:
    known = [bucket.low for bucket in win.buckets]
    known += [win.low] if win.low is not None else [item[1] for item in win.items]
    return min(known, default=None)


def _high(win: Window, count: int) -> Any:
    known = [bucket.high for bucket in win.buckets]
    known += [win.high] if win.high is not None else [item[1] for item in win.items]
    return max(known, default=None)


def _first(win: Window, count: int) -> Any:
    if win.buckets:
        return win.buckets[0].first
    return win.items[0][1] if win.items else None


def _last(win: Window, count: int) -> Any:
    if win.items:
        return win.items[-1][1]
    return win.buckets[-1].last if win.buckets else None


VALUES: dict[str, Any] = {
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
    """Take a reversed event out again. False: no longer kept as an item, or it cannot be undone."""
    if feature.window is None and feature.operation in ("min", "max"):
        return False
    for place, item in enumerate(win.items):
        if item[2] == event_id:
            _forget(feature, win, place)
            return True
    return False


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
    return win.items[0][0] + feature.window if win.items else None
