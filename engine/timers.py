"""Timers of rules: when is the next one due, in the customer's local time.

In: a rule's timer, the record, the instant. Out: `TimerEntry` in the record; a due timer comes
back as an event.
One value of a moment fires once: the entry stays, spent, until the moment moves.
Of several `before` already past at arming only the nearest fires, and only while the date itself
is ahead.
"""

from __future__ import annotations

import calendar as calendar_module
import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from belfry.engine import business_hours, calendars
from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.instants import DAY, NEVER, UTC, at_local, first_local_at, on_feb_29
from belfry.engine.record import TimerEntry, joined
from belfry.engine.rulebook.model import Campaign, Rule, Timer
from belfry.engine.sight import of_key
from belfry.engine.turn import Turn, holds, local_zone, value_of

MIDNIGHT = dt.time(0)
YEAR_MAX = 9000  # "9999-12-31" is how some systems write "never"


def timer_name(rule: Rule, key: str) -> str:
    """Where a rule's timer for one key is kept."""
    return joined("timer", rule.id, key)


def arm_key(turn: Turn, by: str, key: str) -> None:
    """A customer, account, card or loan became known: arm the timers that it has from the start."""
    for rule in turn.program.calendar[by]:
        assert rule.timer is not None
        if rule.timer.moment is None:
            arm_calendar(turn, rule, key)
        else:
            arm_moment(turn, rule, key)


def arm_calendar(turn: Turn, rule: Rule, key: str) -> None:
    """Arm a calendar timer, unless it is armed or the facts say that it can't fire."""
    assert rule.timer is not None
    name = timer_name(rule, key)
    if name in turn.record.timers:
        return
    may_fire = turn.program.rules[rule.id].may_fire
    if may_fire is not None and not holds(
        turn, may_fire, of_key(turn.record, rule.by, key, turn.now), rule
    ):
        return
    due = next_calendar(turn, rule.timer, turn.now, inclusive=True)
    set_timer(turn.record, name, TimerEntry(due))


def arm_campaigns(turn: Turn) -> None:
    """Ask a new customer when the campaign starts, or now if it runs."""
    for rule in turn.program.campaigns:
        assert rule.campaign is not None
        start, stop = campaign_span(turn, rule.campaign)
        if turn.now < stop:
            name = joined("campaign", rule.id, turn.record.customer_id)
            set_timer(turn.record, name, TimerEntry(max(start, turn.now)))


def campaign_span(turn: Turn, campaign: Campaign) -> tuple[dt.datetime, dt.datetime]:
    """Both ends as instants; naive ones are local to the customer."""
    return local_instant(turn, campaign.start), local_instant(turn, campaign.stop)


def local_instant(turn: Turn, when: dt.datetime) -> dt.datetime:
    """A moment as written in a rule: without an offset it is the customer's local time."""
    tz = local_zone(turn)
    return (when if when.tzinfo is not None else when.replace(tzinfo=tz)).astimezone(UTC)


def arm_moment(turn: Turn, rule: Rule, key: str) -> None:
    """(Re-)derive a timer that hangs on a date or moment of the record."""
    timer = rule.timer
    assert timer is not None
    code = turn.program.rules[rule.id]
    assert code.moment is not None
    moment = value_of(turn, code.moment, of_key(turn.record, rule.by, key, turn.now), rule)
    name = timer_name(rule, key)
    if moment is None or moment.year >= YEAR_MAX:
        drop_timer(turn.record, name)
        return
    word = moment.isoformat()
    entry = turn.record.timers.get(name)
    if entry is not None and entry.moment == word:
        return
    dues = _dues(turn, timer, moment)
    set_timer(turn.record, name, TimerEntry(dues[0] if dues else NEVER, word, dues[1:]))


def _dues(turn: Turn, timer: Timer, moment: dt.date | dt.datetime) -> list[dt.datetime]:
    match timer.kind:
        case "after":
            return delay_dues(turn, timer, moment)
        case "yearly":
            return [next_yearly(turn, timer, moment, turn.now, inclusive=True)]
        case _:
            return _around(turn, timer, moment)


def delay_dues(turn: Turn, timer: Timer, moment: dt.date | dt.datetime) -> list[dt.datetime]:
    """The one instant that lies the delay after a moment, past or ahead."""
    tz = local_zone(turn)
    start = moment if isinstance(moment, dt.datetime) else at_local(moment, MIDNIGHT, tz)
    if timer.clock == "business":
        bank = turn.program.book.policies.bank
        return [first_local_at(business_hours.after(start, timer.delay, bank), timer.at, tz)]
    return [first_local_at(start + timer.delay, timer.at, tz)]


def _around(turn: Turn, timer: Timer, moment: dt.date | dt.datetime) -> list[dt.datetime]:
    tz = local_zone(turn)
    dues = offset_dues(turn, timer, moment)
    ahead = [due for due in dues if due >= turn.now]
    past = [due for due in dues if due < turn.now]
    if past and (_end_of(moment, tz) > turn.now or turn.now - past[-1] <= timer.grace):
        ahead.insert(0, past[-1])
    return ahead


def offset_dues(turn: Turn, timer: Timer, moment: dt.date | dt.datetime) -> list[dt.datetime]:
    """All instants of a date and its offsets, past ones included, in order."""
    tz = local_zone(turn)
    offsets = [-offset for offset in timer.before] + list(timer.after)
    return sorted(_offset_due(timer, moment, offset, tz) for offset in offsets or [dt.timedelta(0)])


def _offset_due(
    timer: Timer, moment: dt.date | dt.datetime, offset: dt.timedelta, tz: dt.tzinfo
) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        if timer.at is None:
            return moment + offset
        moment = moment.astimezone(tz).date()
    if offset % DAY:  # hours are a duration, days are calendar days
        return at_local(moment, timer.at or MIDNIGHT, tz) + offset
    return at_local(moment + offset, timer.at or MIDNIGHT, tz)


def _end_of(moment: dt.date | dt.datetime, tz: dt.tzinfo) -> dt.datetime:
    if isinstance(moment, dt.datetime):
        return moment
    return at_local(moment + DAY, MIDNIGHT, tz)


def next_yearly(
    turn: Turn, timer: Timer, moment: dt.date | dt.datetime, since: dt.datetime, *, inclusive: bool
) -> dt.datetime:
    """The next anniversary at the local time, at or after `since`, never the day it began."""
    tz = local_zone(turn)
    day = moment.astimezone(tz).date() if isinstance(moment, dt.datetime) else moment
    year = max(since.astimezone(tz).year, day.year + 1)
    while True:
        due = at_local(on_feb_29(day, year, timer.leap), timer.at or MIDNIGHT, tz)
        if due > since or (inclusive and due == since):
            return due
        year += 1


def next_calendar(turn: Turn, timer: Timer, since: dt.datetime, *, inclusive: bool) -> dt.datetime:
    """The next daily, weekly or monthly instant at or after `since`."""
    calendar = (timer.kind, timer.day, timer.weekday, timer.at or MIDNIGHT, timer.roll)
    country = turn.program.book.policies.bank.country
    return _next_calendar(calendar, country, local_zone(turn), since, inclusive=inclusive)


Calendar = tuple[str, int, int, dt.time, str | None]


@lru_cache(maxsize=4096)  # all customers of a zone wait for the same few instants
def _next_calendar(
    calendar: Calendar, country: str, tz: dt.tzinfo, since: dt.datetime, *, inclusive: bool
) -> dt.datetime:
    at, how = calendar[3], calendar[4]
    for day in _days(calendar, since.astimezone(tz).date()):
        due = at_local(calendars.roll(day, how, country), at, tz)
        if due > since or (inclusive and due == since):
            return due
    raise AssertionError(calendar)


def _days(calendar: Calendar, today: dt.date) -> Iterator[dt.date]:
    """The calendar's days from a little before today: rolling may bring an earlier one into it."""
    kind, day_of_month, weekday, _, _ = calendar
    if kind == "monthly":
        month = today.year * 12 + today.month - 2
        while True:
            year, index = divmod(month, 12)
            last = calendar_module.monthrange(year, index + 1)[1]
            yield dt.date(year, index + 1, min(day_of_month, last))
            month += 1
    step = DAY if kind == "daily" else 7 * DAY
    day = today - DAY if kind == "daily" else today - (7 + today.weekday() - weekday) * DAY
    while True:
        yield day
        day += step


def rearm(turn: Turn, rule: Rule, name: str, entry: TimerEntry) -> None:
    """After a due instant: the next one, or spent."""
    timer = rule.timer
    assert timer is not None
    record = turn.record
    if entry.rest:
        set_timer(record, name, TimerEntry(entry.rest[0], entry.moment, entry.rest[1:]))
    elif timer.kind == "yearly":
        moment: Any = dt.date.fromisoformat(entry.moment[:10])
        due = next_yearly(turn, timer, moment, entry.due, inclusive=False)
        set_timer(record, name, TimerEntry(due, entry.moment))
    elif timer.moment is None:
        due = next_calendar(turn, timer, max(entry.due, turn.now), inclusive=False)
        set_timer(record, name, TimerEntry(due))
    else:
        set_timer(record, name, TimerEntry(NEVER, entry.moment))
