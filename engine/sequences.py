"""Sequences, absences and goals: what an event is a step of.

In: a sight of the event, the steps it may match. Out: chains moved on, matches noted, conversions
found.
Invariant: one open chain per rule and key; completing consumes it; `within` spans the first to the
last event.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.decisions import Conversion
from belfry.engine.instants import start_of
from belfry.engine.program.plan import Plan, StepCode
from belfry.engine.record import Chain, joined
from belfry.engine.rulebook.model import Rule
from belfry.engine.sight import Sight, key_of
from belfry.engine.turn import Turn, holds, local_zone


def follow(turn: Turn, plan: Plan, sight: Sight) -> None:
    """Move on whatever waits for such an event."""
    by_rule: dict[str, list[StepCode]] = {}
    for step in plan.steps:
        by_rule.setdefault(step.rule.id, []).append(step)
    for steps in by_rule.values():
        _chain(turn, steps, sight)
    for step in plan.absents:
        key = key_of(sight, step.rule.by)
        if key and holds(turn, step.test, sight, step.rule):
            name = matched_name(step.rule, key)
            last = turn.record.matched.get(name)
            if last is None or last < sight.e.time:
                turn.record.matched[name] = sight.e.time
    if plan.goals and turn.record.goals:
        _goals(turn, plan.goals, sight)


def matched_name(rule: Rule, key: str) -> str:
    """Where the last event that an absence waits for is noted."""
    return joined("absent", rule.id, key)


def is_absent(turn: Turn, rule: Rule, key: str, at: dt.datetime) -> bool:
    """Has nothing matched since the rule's `since`, reckoned from `at`?"""
    assert rule.absent is not None
    since = rule.absent.since
    if isinstance(since, str):
        start = start_of(since.removesuffix("_start"), at, local_zone(turn))
    else:
        start = at - since
    last = turn.record.matched.get(matched_name(rule, key))
    return last is None or last < start


def _chain(turn: Turn, steps: list[StepCode], sight: Sight) -> None:
    rule = steps[0].rule
    sequence = rule.sequence
    assert sequence is not None
    key = key_of(sight, rule.by)
    if not key:
        return
    name = joined(rule.id, key)
    event = sight.e
    chain = turn.record.chains.get(name)
    if chain is not None and event.time - chain.first_at > sequence.within:
        del turn.record.chains[name]
        chain = None
    matching = {step.index for step in steps if holds(turn, step.test, sight, rule)}
    if chain is not None and chain.step in matching and event.time >= chain.first_at:
        chain.step += 1
        chain.events.append(event.id)
        if chain.step == len(sequence.steps):
            del turn.record.chains[name]
            _complete(turn, rule, sight)
        return
    if 0 in matching:
        turn.record.chains[name] = Chain(1, event.time, [event.id])
        if len(sequence.steps) == 1:
            del turn.record.chains[name]
            _complete(turn, rule, sight)


def _complete(turn: Turn, rule: Rule, sight: Sight) -> None:
    from belfry.engine import alerts  # noqa: PLC0415  alerts ask the gates, and those ask us

    if holds(turn, turn.program.rules[rule.id].fires, sight, rule):
        skip = frozenset(turn.record.live)
        alerts.hit(turn, rule, sight, sight.e.id, skip=skip)


def _goals(turn: Turn, steps: list[StepCode], sight: Sight) -> None:
    from belfry.engine import settle  # noqa: PLC0415  a retry asks the gates, and those ask us

    record = turn.record
    now = sight.e.time
    record.goals[:] = [goal for goal in record.goals if now <= goal.until]
    for step in steps:
        waiting = [goal for goal in record.goals if goal.rule == step.rule.id and goal.since < now]
        if not waiting or not holds(turn, step.test, sight, step.rule):
            continue
        for goal in waiting:
            record.goals.remove(goal)
            settle.acted(turn, goal.message_id)
            turn.conversions.append(
                Conversion(goal.rule, goal.message_id, record.customer_id, now, goal.told)
            )
