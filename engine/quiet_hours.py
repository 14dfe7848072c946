"""Quiet hours: from when on may this customer be disturbed?

In: quiet hours, contact, instant. Out: the first instant at or after it that is not quiet;
None: zone unknown.
Windows are half-open and may wrap midnight; public holidays and the customer's own hours count
too. Where the
phone's country is another one, quiet hours must be over in its zones as well.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

import phonenumbers
from phonenumbers import timezone as phone_zones

from belfry.engine.calendars import is_holiday
from belfry.engine.contacts import phone_country
from belfry.engine.instants import DAY, at_local, zone
from belfry.engine.record import ContactPoint
from belfry.engine.rulebook.model import QuietHours
from belfry.engine.turn import Turn, zone_name

DAYS_MAX = 40  # no country has a longer run of holidays; then the search gives up and holds on
MIDNIGHT = dt.time(0)


def free_at(
    turn: Turn, windows: tuple[QuietHours, ...], contact: ContactPoint | None
) -> dt.datetime | None:
    """`now` if it is not quiet, else when it ends; None if a zone is unknown.

    `windows`: the bank's; the customer's own are added.
    """
    own = turn.record.preferences
    if own.quiet_from and own.quiet_to:
        windows = (*windows, QuietHours(_time(own.quiet_from), _time(own.quiet_to)))
    if not windows:
        return turn.now
    zones = _zones(turn, contact)
    if zones is None:
        return None
    at = turn.now
    limit = at + DAYS_MAX * DAY
    while at < limit:
        later = at
        for tz in zones:
            for window in windows:
                later = max(later, _end_of_quiet(window, at, tz))
        if later == at:
            return at
        at = later
    return at


def _time(text: str) -> dt.time:
    hours, _, minutes = text.partition(":")
    return dt.time(int(hours) % 24, int(minutes or 0))


def _zones(turn: Turn, contact: ContactPoint | None) -> list[dt.tzinfo] | None:
    home = zone(zone_name(turn))
    if home is None:
        return None
    zones: list[dt.tzinfo] = [home]
    if contact is not None and contact.kind in ("mobile", "landline"):
        country = turn.record.customer.country or turn.program.book.policies.bank.country
        abroad = phone_country(contact.address)
        if abroad is not None and country and abroad != country:
            zones += [tz for name in _phone_zones(contact.address) if (tz := zone(name))]
    return zones


@lru_cache(maxsize=65536)
def _phone_zones(address: str) -> tuple[str, ...]:
    return tuple(phone_zones.time_zones_for_number(phonenumbers.parse(address)))


def _end_of_quiet(window: QuietHours, at: dt.datetime, tz: dt.tzinfo) -> dt.datetime:
    """When this window lets go; `at` itself if it does not hold now."""
    local = at.astimezone(tz)
    day, time = local.date(), local.time()
    if window.on_holidays and is_holiday(day, window.on_holidays):
        return at_local(day + DAY, MIDNIGHT, tz)
    start, end = window.from_, window.to
    if start == end:
        return at
    if start < end:
        return at_local(day, end, tz) if start <= time < end else at
    if time >= start:
        return max(at, at_local(day + DAY, end, tz))
    return max(at, at_local(day, end, tz)) if time < end else at
