"""Why, or why not: one rule, one customer, one moment, with the value of every leaf.

In: the record as it was before an event (or at an instant). Out: `Explained`; the record is not
changed.
Invariant: evaluates the same conditions as the transition, on a copy that has observed the event.
"""

from __future__ import annotations

import copy
import datetime as dt
from dataclasses import dataclass
from typing import Any

from belfry.engine.expressions import Explanation, Expression, explain
from belfry.engine.observe import observe
from belfry.engine.program import Program
from belfry.engine.record import Record
from belfry.engine.rulebook.model import Rule
from belfry.engine.segments import settle_segments
from belfry.engine.sight import Sight, key_of, keys_of, of_key
from belfry.engine.turn import Turn


@dataclass(frozen=True, slots=True)
class Part:
    """One condition of a rule (`when`, `except`, `until`), explained leaf by leaf."""

    name: str
    text: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Explained:
    """A rule for one key at one moment. `phase`: of its alert before it."""

    rule: str
    key: str
    at: dt.datetime
    event_id: str | None
    phase: str
    parts: tuple[Part, ...]


def explain_rule(
    program: Program, record: Record, rule: Rule, event: Any, at: dt.datetime
) -> list[Explained]:
    """For an event: the key it is about. Without one: every key the rule has."""
    copied = copy.deepcopy(record)
    turn = Turn(program, copied, at)
    if event is not None:
        plan = program.types[event.__struct_config__.tag]
        sight = observe(program, copied, event, plan, at, is_late=False)
        settle_segments(turn, plan.segments)
        if key_of(sight, rule.by):
            return [_explained(program, copied, rule, sight)]
    return [
        _explained(program, copied, rule, of_key(copied, rule.by, key, at))
        for key in keys_of(copied, rule.by)
    ]


def _explained(program: Program, record: Record, rule: Rule, sight: Sight) -> Explained:
    key = key_of(sight, rule.by)
    alert = record.alerts.get(f"{rule.id}\x1f{key}")
    if rule.tiers:
        sight.tier = rule.tiers[0]
    named = {"when": rule.when, "except": rule.except_, "until": rule.until}
    values = program.rules[rule.id].seen(sight)
    return Explained(
        rule.id,
        key,
        sight.t,
        None if sight.e is None else sight.e.id,
        "armed" if alert is None else alert.phase,
        tuple(_part(name, expr, values) for name, expr in named.items() if expr is not None),
    )


def _part(name: str, expr: Expression, values: dict[str, Any]) -> Part:
    return Part(name, expr.text, explain(expr, values))
