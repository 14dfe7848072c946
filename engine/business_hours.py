"""Business hours: how far an instant plus so many open hours is.

In: an instant, a span of open time, the bank (zone, country, `opens`, `closes`). Out: an instant.
Invariant: only time between opening and closing of a business day counts; a span that ends exactly
at closing time ends there, not on the next morning.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.calendars import is_business_day
from belfry.engine.instants import DAY, UTC, at_local, zone
from belfry.engine.rulebook.model import Bank

DAYS_MAX = 3660  # ten years: what is longer was not meant


def after(start: dt.datetime, span: dt.timedelta, bank: Bank) -> dt.datetime:
    """The instant at which the bank has been open for `span` since `start`."""
    tz = zone(bank.time_zone) or UTC
    day = start.astimezone(tz).date()
    left = span
    for _ in range(DAYS_MAX):
        if is_business_day(day, bank.country):
            opens, closes = at_local(day, bank.opens, tz), at_local(day, bank.closes, tz)
            begin = max(opens, start)
            if closes - begin >= left and begin <= closes:
                return begin + left
            left -= max(closes - begin, dt.timedelta(0))
        day += DAY
    return start + span
