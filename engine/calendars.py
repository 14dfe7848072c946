"""Business days and public holidays by country.

In: ISO 3166-1 country, date. Out: is it a holiday, the nearest business day.
Weekends are Saturday and Sunday; days that a country works instead are business days.
Source: the `holidays` library (docs/dependencies.md).
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import holidays


@lru_cache(maxsize=256)
def holidays_of(country: str, year: int) -> frozenset[dt.date]:
    """Public holidays; none for a country that the library does not know."""
    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:
        return frozenset()
    return frozenset(found)


def is_holiday(day: dt.date, country: str) -> bool:
    """Is this a public holiday there?"""
    return day in holidays_of(country, day.year)


def is_business_day(day: dt.date, country: str) -> bool:
    """Neither weekend nor public holiday."""
    return day.weekday() < 5 and not is_holiday(day, country)


def roll(day: dt.date, how: str | None, country: str) -> dt.date:
    """Move off a non-business day: forwards, backwards, or (None) not at all."""
    if how is None:
        return day
    step = dt.timedelta(days=1 if how == "next_business_day" else -1)
    while not is_business_day(day, country):
        day += step
    return day
