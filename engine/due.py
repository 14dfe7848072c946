"""Due: what happens when timers of a record are due.

In: a turn whose instant is the due instant (or later, after downtime). Out: the same as any other
event.
Invariant: entries run in order of due instant, then name; each either fires, moves, or leaves a
record.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from belfry.engine import alerts, arbitrate, decide, series, settle
from belfry.engine.agenda import arm_wake, drop_timer
from belfry.engine.program.build import RuleCode
from belfry.engine.record import SEPARATOR, TimerEntry
from belfry.engine.rulebook.model import Feature, Rule
from belfry.engine.segments import settle_segments
from belfry.engine.sequences import is_absent
from belfry.engine.sight import Sight, key_of, keys_of, of_key
from belfry.engine.timers import arm_moment, rearm
from belfry.engine.turn import Turn, holds, value_of
from belfry.engine.windows import evict, next_change_at, window_name


def run(turn: Turn, only: str | None = None) -> None:
    """Run all that is due by now; with `only`, only timers of that kind."""
    record = turn.record
    while only is not None or record.next_due <= turn.now:
        first: tuple[dt.datetime, str] | None = None
        for name, entry in record.timers.items():
            if entry.due > turn.now or (only is not None and not name.startswith(only)):
                continue
            if first is None or (entry.due, name) < first:
                first = entry.due, name
        if first is None:
            return
        name = first[1]
        kind, *rest = name.split(SEPARATOR)
        _KINDS[kind](turn, name, record.timers[name], *rest)


def _timer(turn: Turn, name: str, entry: TimerEntry, rule_id: str, key: str) -> None:
    """A rule's own timer. Moments that moved on in the meantime are armed anew, silently."""
    code = turn.program.rules.get(rule_id)
    if code is None or code.rule.timer is None:
        drop_timer(turn.record, name)
        return
    rule, timer = code.rule, code.rule.timer
    due = entry.due
    if code.moment is not None and timer.kind in ("after", "date"):
        sight = of_key(turn.record, rule.by, key, turn.now)
        moment = value_of(turn, code.moment, sight, rule)
        if moment is None or moment.isoformat() != entry.moment:
            arm_moment(turn, rule, key)
            armed = turn.record.timers.get(name)
            if moment is None or armed is None or armed.due != due:
                return
    sight = of_key(turn.record, rule.by, key, turn.now)
    if code.may_fire is not None and not holds(turn, code.may_fire, sight, rule):
        drop_timer(turn.record, name)  # it sleeps until a fact that it reads changes
        return
    rearm(turn, rule, name, entry)
    # The instant of a `before` that was past when it was armed is now, not long ago.
    is_stale = timer.moment is None or timer.kind == "after"
    if is_stale and turn.now - due > timer.grace:
        decide.missed(turn, code, key, due)
        return
    if rule.absent is not None and not is_absent(turn, rule, key, due):
        return
    if holds(turn, code.stands, sight, rule):
        _fire_timer(turn, code, sight, key, due.isoformat())
    elif code.rests_on is not None and _is_still(code.rests_on, sight):
        drop_timer(turn.record, name)


def _is_still(features: tuple[Feature, ...], sight: Sight) -> bool:
    """Nothing is left in these windows: without an event their values stay what they are."""
    for feature in features:
        name = window_name(feature, key_of(sight, feature.by))
        window = sight.r.windows.get(name)
        if window is not None and next_change_at(feature, window) is not None:
            return False
    return True


def _fire_timer(turn: Turn, code: RuleCode, sight: Sight, key: str, occurrence: str) -> None:
    if code.has_life:
        alerts.fire(turn, code, sight, key, occurrence)
    else:
        alerts.propose(turn, code, sight, key, occurrence)


def _for(turn: Turn, name: str, entry: TimerEntry, rule_id: str, key: str) -> None:
    """A condition has held for its time."""
    drop_timer(turn.record, name)
    code = turn.program.rules.get(rule_id)
    alert = turn.record.alerts.get(alerts.alert_key(rule_id, key))
    if code is None or alert is None or alert.phase != "pending":
        return
    sight = of_key(turn.record, code.rule.by, key, turn.now)
    if holds(turn, code.fires, sight, code.rule):
        alerts.fire(turn, code, sight, key, entry.due.isoformat())
    else:
        alerts.resolve(turn, alert)


def _repeat(turn: Turn, name: str, entry: TimerEntry, rule_id: str, key: str) -> None:
    """Still firing: say it again, until `limit` messages."""
    drop_timer(turn.record, name)
    code = turn.program.rules.get(rule_id)
    alert = turn.record.alerts.get(alerts.alert_key(rule_id, key))
    if code is None or alert is None or alert.phase != "firing":
        return
    if alerts.is_over(turn, code, alert, None):
        alerts.resolve(turn, alert)
        return
    alerts.say_again(turn, code, alert, entry.due)


def _wake(turn: Turn, name: str, entry: TimerEntry, feature_name: str, key: str) -> None:
    """A window lost an item by time alone: ask who reads it."""
    drop_timer(turn.record, name)
    feature = turn.program.book.features.get(feature_name)
    window = None if feature is None else turn.record.windows.get(window_name(feature, key))
    if feature is None or window is None:
        return
    evict(feature, window, turn.now)
    wakes, live = turn.program.wakes, list(turn.record.live)
    rules = wakes.rules.get(feature_name, [])
    if feature_name in wakes.always or _is_any_live(turn, rules):
        arm_wake(turn.record, feature, key, window, turn.now)
    segments = wakes.segments.get(feature_name, [])
    if segments:
        settle_segments(turn, segments)
    occurrence = entry.due.isoformat()
    for rule in rules:
        if rule.trigger != "change":
            continue
        for rule_key in keys_of(turn.record, rule.by):
            sight = of_key(turn.record, rule.by, rule_key, turn.now)
            if rule.tiers:
                alerts.look_at_tiers(turn, rule, sight, occurrence)
            elif holds(turn, turn.program.rules[rule.id].fires, sight, rule):
                alerts.hit(turn, rule, sight, occurrence, skip=frozenset(live))
    ends = frozenset(rule.id for rule in rules)
    alerts.end_live(turn, live, ends, of_key(turn.record, "customer", "", turn.now))


def _is_any_live(turn: Turn, rules: list[Rule]) -> bool:
    names = {rule.id for rule in rules}
    return any(turn.record.alerts[name].rule in names for name in turn.record.live)


def _arbitration(turn: Turn, name: str, entry: TimerEntry, class_name: str) -> None:
    drop_timer(turn.record, name)
    arbitrate.close(turn, class_name)


def _held(turn: Turn, name: str, entry: TimerEntry, rank: str, message_id: str) -> None:
    drop_timer(turn.record, name)
    decide.release(turn, message_id)


def _retry(turn: Turn, name: str, entry: TimerEntry, message_id: str) -> None:
    drop_timer(turn.record, name)
    settle.resume(turn, message_id)


def _ladder(turn: Turn, name: str, entry: TimerEntry, message_id: str) -> None:
    drop_timer(turn.record, name)
    settle.climb(turn, message_id)


def _segment(turn: Turn, name: str, entry: TimerEntry, segment: str) -> None:
    drop_timer(turn.record, name)
    if segment in turn.program.segments:
        settle_segments(turn, [segment])


def _campaign(turn: Turn, name: str, entry: TimerEntry, rule_id: str, key: str) -> None:
    """A campaign begins: ask the customers who are here already."""
    drop_timer(turn.record, name)
    code = turn.program.rules.get(rule_id)
    if code is None or code.rule.campaign is None:
        return
    sight = of_key(turn.record, "customer", key, turn.now)
    if holds(turn, code.fires, sight, code.rule):
        alerts.hit(turn, code.rule, sight, entry.due.isoformat(), skip=frozenset())


_KINDS: dict[str, Callable[..., None]] = {
    "arbitration": _arbitration,
    "campaign": _campaign,
    "for": _for,
    "held": _held,
    "ladder": _ladder,
    "repeat": _repeat,
    "retry": _retry,
    "segment": _segment,
    "series": series.due,
    "timer": _timer,
    "wake": _wake,
}
