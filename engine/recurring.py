"""One run of a series: occurrences that come back week by week or month by month.

In: a series' definition, a `Run`, an occurrence (local day, instant, amount, id). Out: the run
changed, and what the occurrence was to it: `found`, `continued`, `again` or nothing yet.
Invariant: `items` are the regular occurrences in order of time, `extras` those in between. What
comes later than half a period, twice in a row, begins the run anew.
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from statistics import median_high

from belfry.engine import calendars
from belfry.engine.instants import DAY
from belfry.engine.record import Occurrence, Run
from belfry.engine.rulebook.model import SeriesDef

ITEMS_KEPT = 12
EXTRAS_KEPT = 6
USUAL_OF = 3  # the expected amount is the middle one of so many
# every → months, days
PACES = {"week": (0, 7), "two_weeks": (0, 14), "month": (1, 0), "quarter": (3, 0), "year": (12, 0)}
PERIOD_DAYS = {"week": 7, "two_weeks": 14, "month": 30, "quarter": 91, "year": 365}


def take(series: SeriesDef, run: Run, one: Occurrence) -> str:
    """Take an occurrence in. Empty: it is older than the last one, or the run is still short."""
    if not run.items:
        run.items.append(one)
        return ""
    if one.at < run.items[-1].at:
        return ""
    due = nominal(series, run)
    gap = (one.day - due).days
    was_regular, last = is_regular(series, run), latest(run)
    if gap < -series.tolerance.days:
        run.extras.append(one)
        del run.extras[:-EXTRAS_KEPT]
        return "again" if was_regular or last.amount == one.amount else ""
    if gap > _latest_gap(series, run) and not _fits_after_a_miss(series, run, one.day, due):
        run.items, run.extras, run.dropped = [], [], 0
    run.items.append(one)
    run.missed = 0
    if len(run.items) > ITEMS_KEPT:
        del run.items[0]
        run.dropped += 1
    if not is_regular(series, run):
        return ""
    return "continued" if was_regular else "found"


def _latest_gap(series: SeriesDef, run: Run) -> int:
    """A run that is known may be late by half a period; a new one only by the tolerance."""
    half = PERIOD_DAYS[series.every] // 2
    return half if is_regular(series, run) else series.tolerance.days


def _fits_after_a_miss(series: SeriesDef, run: Run, day: dt.date, due: dt.date) -> bool:
    after = next_day(series.every, due, _home(series, run.items))
    return is_regular(series, run) and abs((day - after).days) <= series.tolerance.days


def undo(series: SeriesDef, run: Run, event_id: str) -> bool:
    """Take a reversed occurrence out again; what it had made an extra may be regular then."""
    for items in (run.extras, run.items):
        for place, item in enumerate(items):
            if item.event_id == event_id:
                was_last = items is run.items and place == len(items) - 1
                del items[place]
                if was_last:
                    again, run.extras = run.extras, []
                    for one in again:
                        take(series, run, one)
                return True
    return False


def count(run: Run) -> int:
    """How many regular occurrences there were."""
    return len(run.items) + run.dropped


def extras(run: Run) -> int:
    """Occurrences in between, in the last cycles that are looked at."""
    if not run.extras:
        return 0
    since = run.items[-min(len(run.items), USUAL_OF)].at if run.items else run.extras[0].at
    return sum(item.at >= since for item in run.extras)


def is_regular(series: SeriesDef, run: Run) -> bool:
    """Enough of them, and no more in between than one for each: a shop one visits is no series."""
    return count(run) >= series.at_least and extras(run) <= USUAL_OF


def latest(run: Run) -> Occurrence:
    """The last occurrence, regular or not."""
    last = run.items[-1]
    return max(last, run.extras[-1], key=lambda item: item.at) if run.extras else last


def usual(run: Run) -> Decimal | None:
    """The middle one of the last three amounts; that is what is expected next."""
    amounts = [item.amount for item in run.items[-USUAL_OF:]]
    return median_high(amounts) if amounts else None


def nominal(series: SeriesDef, run: Run) -> dt.date:
    """The day on which the next one would fall if no day were a weekend."""
    return next_day(series.every, run.items[-1].day, _home(series, run.items))


def expected_on(series: SeriesDef, run: Run, country: str) -> dt.date:
    """The day on which the next one is expected: moved off weekends and holidays."""
    day = nominal(series, run)
    for _ in range(run.missed):
        day = next_day(series.every, day, _home(series, run.items))
    return calendars.roll(day, series.roll, country)


def _home(series: SeriesDef, items: Iterable[Occurrence]) -> int:
    """The day of the month or week on which most of them fell.

    Of equals the first one where weekends move it on, the last one where they move it back.
    """
    months, _ = PACES[series.every]
    days: list[int] = [item.day.day if months else item.day.weekday() for item in items]
    sign = 1 if series.roll == "previous_business_day" else -1
    return max(days, key=lambda day: (days.count(day), sign * day))


def next_day(every: str, last: dt.date, home: int) -> dt.date:
    """One period after `last`, on the day that the run is at home on."""
    months, days = PACES[every]
    if not months:
        shift = (home - last.weekday() + 3) % 7 - 3
        return last + (shift + days) * DAY
    near = min(
        (_in_month(last, offset, home) for offset in (-1, 0, 1)),
        key=lambda day: (abs((day - last).days), day),
    )
    return _in_month(near, months, home)


def _in_month(day: dt.date, offset: int, home: int) -> dt.date:
    year, index = divmod(day.year * 12 + day.month - 1 + offset, 12)
    last = calendar.monthrange(year, index + 1)[1]
    return dt.date(year, index + 1, min(home, last))
