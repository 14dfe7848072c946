"""Advance: the life of an alert per rule and key: armed, pending, firing, armed again.

In: a rule that holds (or stopped holding) for a key. Out: candidates handed to arbitration; the
alert's new phase.
Invariant: unknown neither fires nor re-arms; a suppressed firing changes the phase like a sent one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Set as AbstractSet

from belfry.engine import arbitrate
from belfry.engine.agenda import arm_wake, drop_timer, set_timer
from belfry.engine.program.build import RuleCode
from belfry.engine.record import Alert, Candidate, TimerEntry, joined
from belfry.engine.rulebook.model import Rule
from belfry.engine.sight import Sight, key_of, of_key
from belfry.engine.timers import campaign_span
from belfry.engine.turn import Turn, holds
from belfry.engine.windows import window_name


def alert_key(rule_id: str, key: str) -> str:
    """Where the alert of a rule and key is kept."""
    return joined(rule_id, key)


def alert_of(turn: Turn, rule: Rule, key: str) -> Alert:
    """The alert, made armed if there is none yet."""
    name = alert_key(rule.id, key)
    found = turn.record.alerts.get(name)
    if found is None:
        found = turn.record.alerts[name] = Alert(rule.id, key)
    return found


def hit(turn: Turn, rule: Rule, sight: Sight, occurrence: str, *, skip: frozenset[str]) -> None:
    """A rule's condition holds here. `skip`: alerts that were live before this event."""
    key = key_of(sight, rule.by)
    if not key:
        return
    code = turn.program.rules[rule.id]
    if rule.campaign is not None and not _campaign_open(turn, rule):
        return
    if not code.has_life and rule.campaign is None:
        propose(turn, code, sight, key, occurrence)
        return
    name = alert_key(rule.id, key)
    if name in skip:
        return
    alert = turn.record.alerts.get(name)
    if alert is not None and alert.phase != "armed":
        return
    if rule.for_ is not None:
        _begin(turn, rule, key, "pending", occurrence)
        due = sight.t + rule.for_
        set_timer(turn.record, joined("for", rule.id, key), TimerEntry(due))
        return
    fire(turn, code, sight, key, occurrence)


def fire(
    turn: Turn, code: RuleCode, sight: Sight, key: str, occurrence: str, *, tier: int = -1
) -> None:
    """The alert fires: its phase changes first, then it asks to speak."""
    rule = code.rule
    alert = _begin(turn, rule, key, "firing", occurrence)
    alert.asked = 0
    alert.tier = tier
    _arm_repeat(turn, rule, key, sight)
    propose(turn, code, sight, key, occurrence, tier=tier)


def _begin(turn: Turn, rule: Rule, key: str, phase: str, occurrence: str) -> Alert:
    alert = alert_of(turn, rule, key)
    alert.phase, alert.since, alert.cause = phase, turn.now, occurrence
    go_live(turn, rule, key)
    return alert


def go_live(turn: Turn, rule: Rule, key: str) -> None:
    """From now on events ask whether the alert is over, and so does time: windows empty by it."""
    record, name = turn.record, alert_key(rule.id, key)
    if name not in record.live:
        record.live.append(name)
    for feature in turn.program.wakes.of_live.get(rule.id, ()):
        owner = key_of(of_key(record, rule.by, key, turn.now), feature.by)
        window = record.windows.get(window_name(feature, owner))
        if window is not None:
            arm_wake(record, feature, owner if feature.by != "customer" else "", window, turn.now)


def _arm_repeat(turn: Turn, rule: Rule, key: str, sight: Sight) -> None:
    if rule.repeat is not None and rule.limit != 1:
        due = sight.t + rule.repeat
        set_timer(turn.record, joined("repeat", rule.id, key), TimerEntry(due))


def resolve(turn: Turn, alert: Alert) -> None:
    """The alert is over: armed again. What to remember (cooldown) stays, the rest goes."""
    name = alert_key(alert.rule, alert.key)
    record = turn.record
    if name in record.live:
        record.live.remove(name)
    for kind in ("for", "repeat"):
        drop_timer(record, joined(kind, alert.rule, alert.key))
    alert.phase, alert.since, alert.tier, alert.asked, alert.cause = "armed", None, -1, 0, ""
    if alert.told_at is None:
        del record.alerts[name]


def end_live(turn: Turn, names: list[str], ends: AbstractSet[str], sight: Sight) -> None:
    """Ask the alerts that were live before this event whether they are over."""
    for name in names:
        alert = turn.record.alerts.get(name)
        if alert is None or alert.rule not in ends:
            continue
        code = turn.program.rules[alert.rule]
        if is_over(turn, code, alert, sight):
            resolve(turn, alert)


def is_over(turn: Turn, code: RuleCode, alert: Alert, sight: Sight | None) -> bool:
    """Does `until` hold, or is the condition of a pending alert definitely false?"""
    rule = code.rule
    if sight is None or key_of(sight, rule.by) != alert.key:
        sight = of_key(turn.record, rule.by, alert.key, turn.now)
    sight.tier = rule.tiers[0] if rule.tiers else None
    test = code.fails if alert.phase == "pending" else code.ends
    return holds(turn, test, sight, rule)


def say_again(turn: Turn, code: RuleCode, alert: Alert, due: dt.datetime) -> None:
    """A repeat of a firing alert; `limit` counts all of its messages, asked for or sent."""
    rule = code.rule
    alert.asked += 1
    sight = of_key(turn.record, rule.by, alert.key, turn.now)
    if rule.repeat is not None and (rule.limit is None or alert.asked + 1 < rule.limit):
        name = joined("repeat", rule.id, alert.key)
        set_timer(turn.record, name, TimerEntry(due + rule.repeat))
    propose(turn, code, sight, alert.key, due.isoformat(), tier=alert.tier)


def look_at_tiers(turn: Turn, rule: Rule, sight: Sight, occurrence: str) -> None:
    """The highest tier that holds; only a tier above the last one fires."""
    key = key_of(sight, rule.by)
    if not key:
        return
    code = turn.program.rules[rule.id]
    reached = -1
    for index in reversed(range(len(rule.tiers))):
        sight.tier = rule.tiers[index]
        if holds(turn, code.fires, sight, rule):
            reached = index
            break
    alert = turn.record.alerts.get(alert_key(rule.id, key))
    before = -1 if alert is None else alert.tier
    if reached > before:
        fire(turn, code, sight, key, f"{occurrence}/{rule.tiers[reached]}", tier=reached)
    elif alert is not None and alert.phase == "firing" and is_over(turn, code, alert, sight):
        resolve(turn, alert)


def propose(
    turn: Turn,
    code: RuleCode,
    sight: Sight,
    key: str,
    occurrence: str,
    *,
    tier: int = -1,
) -> None:
    """Make the candidate and hand it to arbitration."""
    turn.fired += 1
    rule = code.rule
    sight.tier = rule.tiers[tier] if tier >= 0 else None
    event = sight.e
    candidate = Candidate(
        rule=rule.id,
        key=key,
        occurrence=occurrence,
        at=turn.now if event is None else event.time,
        values=code.values(sight),
        by_account=sight.account_id,
        by_card=sight.card_id,
        by_loan=sight.loan_id,
        tier=tier,
        cause="" if event is None else event.id,
    )
    arbitrate.accept(turn, code, candidate, sight)


def _campaign_open(turn: Turn, rule: Rule) -> bool:
    assert rule.campaign is not None
    start, stop = campaign_span(turn, rule.campaign)
    if not start <= turn.now < stop:
        return False
    key = joined("campaign-told", rule.id)
    if key in turn.record.matched:
        return False
    turn.record.matched[key] = turn.now
    return True
