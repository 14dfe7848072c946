"""Reassess: the lives of a rule's alerts after an edit, without a word.

In: a rule of the new rulebook, its edit. Out: alerts fire, end or move their time; no candidate.
Invariant: nobody is told because of an edit. What holds now has fired already; what does not hold
any more is over, and may fire again like for the first time.
"""

from __future__ import annotations

from belfry.engine import alerts
from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.edits import Edit
from belfry.engine.program.build import RuleCode
from belfry.engine.record import Alert, Candidate, TimerEntry, joined
from belfry.engine.rulebook.model import Rule
from belfry.engine.sight import Sight, keys_of, of_key
from belfry.engine.turn import Turn, holds


def reassess(turn: Turn, code: RuleCode, edit: Edit) -> None:
    """Every key of the rule is asked once."""
    rule = code.rule
    is_watching = rule.trigger == "change"
    if not (code.has_life or rule.tiers or rule.campaign is not None):
        _end_all(turn, rule)
        return
    for key in keys_of(turn.record, rule.by):
        alert = turn.record.alerts.get(alerts.alert_key(rule.id, key))
        sight = of_key(turn.record, rule.by, key, turn.now)
        if rule.tiers:
            _tiers(turn, code, sight, key, edit)
        elif alert is None or alert.phase == "armed":
            if is_watching and holds(turn, code.fires, sight, rule):
                _fire_silently(turn, rule, key)
        elif alert.phase == "pending":
            _pending(turn, code, alert, sight)
        elif _is_over(turn, code, alert, sight, edit):
            alerts.resolve(turn, alert)


def _fire_silently(turn: Turn, rule: Rule, key: str, tier: int = -1) -> None:
    """The edge is noted as passed. There is nothing to say again, so no repeat is armed."""
    alert = alerts.alert_of(turn, rule, key)
    if alert.phase != "firing":
        drop_timer(turn.record, joined("for", rule.id, key))
        alert.phase, alert.since, alert.asked, alert.cause = "firing", turn.now, 0, ""
    alert.tier = tier
    alerts.go_live(turn, rule, key)


def _pending(turn: Turn, code: RuleCode, alert: Alert, sight: Sight) -> None:
    rule = code.rule
    if holds(turn, code.fails, sight, rule):
        alerts.resolve(turn, alert)
        return
    if not holds(turn, code.fires, sight, rule):
        return
    assert alert.since is not None
    due = None if rule.for_ is None else alert.since + rule.for_
    if due is None or due <= turn.now:
        _fire_silently(turn, rule, alert.key)
    else:
        set_timer(turn.record, joined("for", rule.id, alert.key), TimerEntry(due))


def _is_over(turn: Turn, code: RuleCode, alert: Alert, sight: Sight, edit: Edit) -> bool:
    """By `until` as always; a condition that was edited has to hold as well."""
    if alerts.is_over(turn, code, alert, sight):
        return True
    return edit.keys != ("until",) and holds(turn, code.fails, sight, code.rule)


def _end_all(turn: Turn, rule: Rule) -> None:
    """The rule has occurrences now, no life: what was firing is over."""
    for alert in list(turn.record.alerts.values()):
        if alert.rule == rule.id and alert.phase != "armed":
            alerts.resolve(turn, alert)


def _tiers(turn: Turn, code: RuleCode, sight: Sight, key: str, edit: Edit) -> None:
    """Tiers that hold have spoken; one that was told stays told while its number is there."""
    rule = code.rule
    alert = turn.record.alerts.get(alerts.alert_key(rule.id, key))
    reached = -1
    for index, tier in enumerate(rule.tiers):
        sight.tier = tier
        if holds(turn, code.fires, sight, rule):
            reached = index
    if alert is not None and "tiers" not in edit.keys:
        reached = max(reached, alert.tier) if reached >= 0 else -1
    if rule.trigger == "change" and reached >= 0:
        _fire_silently(turn, rule, key, reached)
    elif alert is not None and alert.phase == "firing":
        alert.tier = min(alert.tier, len(rule.tiers) - 1)
        if alerts.is_over(turn, code, alert, sight):
            alerts.resolve(turn, alert)


def fit_tier(rule: Rule, candidate: Candidate) -> None:
    """A candidate keeps the number of its tier, not its place: the tiers may be others now."""
    if not rule.tiers:
        candidate.tier = -1
        return
    written = candidate.occurrence.rpartition("/")[2]
    texts = [str(tier) for tier in rule.tiers]
    if written in texts:
        candidate.tier = texts.index(written)
    else:
        candidate.tier = min(max(candidate.tier, 0), len(texts) - 1)
