"""Timers after an edit: derived again from what is known, and never because of the edit itself due.

In: a timer rule that is new or whose schedule changed, a key. Out: its `TimerEntry`.
Invariant: an instant that has passed does not fire, and what fired today does not fire again today:
the new schedule counts from tomorrow, unless the old one still had an instant left for today.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.instants import DAY, NEVER, at_local
from belfry.engine.program.build import RuleCode
from belfry.engine.record import TimerEntry, joined
from belfry.engine.sight import keys_of, of_key
from belfry.engine.timers import (
    MIDNIGHT,
    YEAR_MAX,
    campaign_span,
    delay_dues,
    next_calendar,
    next_yearly,
    offset_dues,
    timer_name,
)
from belfry.engine.turn import Turn, holds, local_zone, value_of


def arm_anew(turn: Turn, code: RuleCode) -> None:
    """The rule is new or its schedule changed: derive the timers of all its keys."""
    for key in keys_of(turn.record, code.rule.by):
        _arm(turn, code, key)


def arm_missing(turn: Turn, code: RuleCode) -> None:
    """A condition changed: timers that were asleep because of the old one."""
    for key in keys_of(turn.record, code.rule.by):
        if timer_name(code.rule, key) not in turn.record.timers:
            _arm(turn, code, key)


def arm_campaign(turn: Turn, code: RuleCode, *, is_new: bool) -> None:
    """A new campaign that runs already asks at once: to tell those who are there is what it is for.

    Other dates for an old one only count if they lie ahead.
    """
    rule, record = code.rule, turn.record
    assert rule.campaign is not None
    name = joined("campaign", rule.id, record.customer_id)
    start, stop = campaign_span(turn, rule.campaign)
    is_told = joined("campaign-told", rule.id) in record.matched
    drop_timer(record, name)
    if not is_told and turn.now < stop and (is_new or start > turn.now):
        set_timer(record, name, TimerEntry(max(start, turn.now)))


def _arm(turn: Turn, code: RuleCode, key: str) -> None:
    name = timer_name(code.rule, key)
    entry = _next(turn, code, key, turn.record.timers.get(name))
    if entry is None:
        drop_timer(turn.record, name)
    else:
        set_timer(turn.record, name, entry)


def _next(turn: Turn, code: RuleCode, key: str, before: TimerEntry | None) -> TimerEntry | None:
    timer = code.rule.timer
    assert timer is not None
    sight = of_key(turn.record, code.rule.by, key, turn.now)
    since = _since(turn, before)
    if timer.moment is None:
        if code.may_fire is not None and not holds(turn, code.may_fire, sight, code.rule):
            return None
        return TimerEntry(next_calendar(turn, timer, since, inclusive=since > turn.now))
    assert code.moment is not None
    moment = value_of(turn, code.moment, sight, code.rule)
    if moment is None or moment.year >= YEAR_MAX:
        return None
    word = moment.isoformat()
    if timer.kind == "yearly":
        due = next_yearly(turn, timer, moment, since, inclusive=since > turn.now)
        return TimerEntry(due, word)
    is_spent = before is not None and before.moment == word and before.due == NEVER
    if timer.kind == "after":
        dues = [] if is_spent else delay_dues(turn, timer, moment)
        dues = [due for due in dues if due > turn.now]
    else:
        dues = [due for due in offset_dues(turn, timer, moment) if due > turn.now and due >= since]
    return TimerEntry(dues[0] if dues else NEVER, word, dues[1:])


def _since(turn: Turn, before: TimerEntry | None) -> dt.datetime:
    """Now, or the local midnight to come if the old schedule may have fired today."""
    if before is None:
        return turn.now
    tz = local_zone(turn)
    today = turn.now.astimezone(tz).date()
    ahead = [due for due in (before.due, *before.rest) if due.year < dt.MAXYEAR]
    if any(due.astimezone(tz).date() == today for due in ahead):
        return turn.now
    return at_local(today + DAY, MIDNIGHT, tz)
