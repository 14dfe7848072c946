"""The filters of templates: money, dates and numbers as the customer's language writes them.

In: a value, and the locale and zone of the one who reads. Out: text.
Values come from a committed attempt, so a Decimal or an instant may have become text on the way.
Source: Unicode CLDR through Babel.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

import babel
from babel import dates, numbers

FALLBACK = babel.Locale("en")
DIGITS_SHOWN = 4  # of an account or card number
DATE_STYLES = ("short", "medium", "long", "full")
# CLDR separates with no-break spaces; in an SMS one of them would double the price (UCS-2).
NO_BREAK = str.maketrans({"\u00a0": " ", "\u202f": " "})


@dataclass(frozen=True, slots=True)
class Reader:
    """How the one who reads writes figures: locale, zone, the currency where none is named."""

    locale: babel.Locale
    zone: dt.tzinfo | None
    currency: str | None


class NotShowable(ValueError):  # noqa: N818  (reads as what happened)
    """A value is not of the kind that the filter shows. Says what is wrong, never the value."""


@lru_cache(maxsize=256)
def locale_of(language: str) -> babel.Locale:
    """BCP 47 in any case, `zh-Hans-CN` or `zh_CN`; what CLDR does not know is English."""
    parts = language.replace("_", "-").split("-")
    for length in range(len(parts), 0, -1):
        try:
            return babel.Locale.parse("-".join(parts[:length]), sep="-")
        except (ValueError, babel.UnknownLocaleError):
            continue
    return FALLBACK


@lru_cache(maxsize=1024)
def zone_of(name: str) -> dt.tzinfo | None:
    """An IANA zone; None for a name that is none: the instant then keeps its own offset."""
    try:
        return zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        return None


def money(reader: Reader, value: object, currency: object = None) -> str:
    """`1234.5` is `¥1,234.50`; the currency is the one named, else the reader's."""
    unit = currency or reader.currency
    if not isinstance(unit, str):
        raise NotShowable("no currency: write money(event.currency)")
    return _plain(numbers.format_currency(_decimal(value), unit, locale=reader.locale))


def number(reader: Reader, value: object, digits: object = None) -> str:
    """With the locale's separators; `digits` after the point, or as many as there are."""
    amount = _decimal(value)
    if isinstance(digits, int):
        amount = round(amount, digits)
    return _plain(numbers.format_decimal(amount, locale=reader.locale, decimal_quantization=False))


def percent(reader: Reader, value: object) -> str:
    """`0.125` is `12.5%`."""
    shown = numbers.format_percent(
        _decimal(value), locale=reader.locale, decimal_quantization=False
    )
    return _plain(shown)


def date(reader: Reader, value: object, style: object = "medium") -> str:
    """The local day of a date or an instant."""
    if style not in DATE_STYLES:
        raise NotShowable("the style of a date is one of " + ", ".join(DATE_STYLES))
    found = _moment(value)
    day = _local(reader, found).date() if isinstance(found, dt.datetime) else found
    return _plain(dates.format_date(day, format=str(style), locale=reader.locale))


def time(reader: Reader, value: object) -> str:
    """The local time of day of an instant, to the minute."""
    found = _moment(value)
    if not isinstance(found, dt.datetime):
        raise NotShowable("a date has no time of day")
    return _plain(dates.format_time(_local(reader, found).time(), "short", locale=reader.locale))


def masked(reader: Reader, value: object) -> str:
    """`6222020200112233` is `****2233`; what is shorter than that shows nothing."""
    digits = str(value)
    return "****" + (digits[-DIGITS_SHOWN:] if len(digits) > DIGITS_SHOWN else "")


def upper(reader: Reader, value: object) -> str:
    return str(value).upper()


def lower(reader: Reader, value: object) -> str:
    return str(value).lower()


# Every filter but `default`, which is Jinja2's own. Names as in template_names.FILTERS.
FILTERS: dict[str, Callable[..., str]] = {
    "date": date,
    "lower": lower,
    "masked": masked,
    "money": money,
    "number": number,
    "percent": percent,
    "time": time,
    "upper": upper,
}


def _decimal(value: object) -> Decimal:
    try:
        amount = Decimal(str(value)) if not isinstance(value, bool) else None
    except InvalidOperation:
        amount = None
    if amount is None or not amount.is_finite():
        raise NotShowable("not a number")
    return amount


def _moment(value: Any) -> dt.datetime | dt.date:
    if isinstance(value, dt.date):
        return value
    try:
        text = str(value)
        if len(text) == len("2026-03-02"):
            return dt.date.fromisoformat(text)
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise NotShowable("not a date") from None


def _local(reader: Reader, instant: dt.datetime) -> dt.datetime:
    known = reader.zone is not None and instant.tzinfo is not None
    return instant.astimezone(reader.zone) if known else instant


def _plain(text: str) -> str:
    return text.translate(NO_BREAK)
