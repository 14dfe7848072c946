"""Instants and local time: zones, gaps, overlaps, calendar arithmetic.

In: aware UTC instants, IANA zones, local dates. Out: aware UTC instants.
A local time in a spring gap moves forward by the gap; in an autumn overlap the first one counts.
Source: measured with zoneinfo, docs/decisions/0001.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UTC = dt.UTC
NEVER = dt.datetime.max.replace(tzinfo=UTC)
DAY = dt.timedelta(days=1)


@lru_cache(maxsize=1024)
def zone(name: str) -> dt.tzinfo | None:
    """The IANA zone of that name, or None if there is none."""
    if name == "UTC":
        return UTC  # the one that decoded events have: instants of one zone compare fastest
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def at_local(day: dt.date, time: dt.time, tz: dt.tzinfo) -> dt.datetime:
    """The instant of a local wall time. In a gap: as far after it as the clock was put forward."""
    return dt.datetime.combine(day, time, tz).astimezone(UTC)


def first_local_at(moment: dt.datetime, time: dt.time | None, tz: dt.tzinfo) -> dt.datetime:
    """The first local `time` that is not before `moment`; `moment` itself without a time."""
    if time is None:
        return moment
    day = moment.astimezone(tz).date()
    due = at_local(day, time, tz)
    return due if due >= moment else at_local(day + DAY, time, tz)


def on_feb_29(day: dt.date, year: int, leap: str) -> dt.date:
    """That date in another year; Feb 29 becomes Feb 28 or Mar 1 where it does not exist."""
    try:
        return day.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28) if leap == "feb28" else dt.date(year, 3, 1)


def start_of(unit: str, instant: dt.datetime, tz: dt.tzinfo) -> dt.datetime:
    """The local start of the day, week (Monday), month or year that `instant` lies in."""
    day = instant.astimezone(tz).date()
    match unit:
        case "day":
            pass
        case "week":
            day -= dt.timedelta(days=day.weekday())
        case "month":
            day = day.replace(day=1)
        case "year":
            day = day.replace(month=1, day=1)
        case _:
            raise AssertionError(unit)
    return at_local(day, dt.time(0), tz)
