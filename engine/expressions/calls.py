"""What generated code calls, under the names it uses.

In: values of the right kind, never None. Out: values as rule-engine has them.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MICROSECONDS = Decimal(1000000)


def midnight(day: dt.date) -> dt.datetime:
    """A date as the instant it compares as."""
    return dt.datetime.combine(day, dt.time(0), dt.UTC)


def weekday(when: dt.date) -> str:
    """`Monday` … `Sunday`, as rule-engine has it, whatever the locale."""
    return WEEKDAYS[when.weekday()]


def start_of_day(when: dt.datetime) -> dt.datetime:
    """Midnight of that day in its own zone."""
    return when.replace(hour=0, minute=0, second=0, microsecond=0)


def total_seconds(span: dt.timedelta) -> Decimal:
    """All of it in seconds, exact to the microsecond."""
    return span.days * 86400 + span.seconds + span.microseconds / _MICROSECONDS


NAMES: Mapping[str, Any] = MappingProxyType(
    {
        "midnight": midnight,
        "weekday": weekday,
        "start_of_day": start_of_day,
        "total_seconds": total_seconds,
        "floor": math.floor,
        "ceiling": math.ceil,
        "Decimal": Decimal,
        "abs": abs,
        "len": len,
        "max": max,
        "min": min,
    }
)
