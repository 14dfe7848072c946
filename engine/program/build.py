"""Builds the program of a rulebook: for each event type what to update, look at, arm and end.

In: `Rulebook`. Out: `Program`, shared by all records; rules beyond the first look are compiled
when they fire.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from belfry.engine.events import HANDLED_APART
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.features import SPACE as ENTITY_SPACE
from belfry.engine.program.features import define_over_entities
from belfry.engine.program.look import define_look, finish_look
from belfry.engine.program.plan import Plan, Test, sort_rules
from belfry.engine.program.rule_code import RuleCode, RuleCodes, always, never
from belfry.engine.program.series_code import fill_series, name_series, series_readers
from belfry.engine.program.step import SPACE as STEP_SPACE
from belfry.engine.program.step import define_step
from belfry.engine.program.updates import SPACE, define_reader, define_update
from belfry.engine.program.wakes import Wakes, find_wakes
from belfry.engine.rulebook.model import Rule, Rulebook

__all__ = ["Program", "RuleCode", "build_program"]


@dataclass(slots=True)
class Program:
    """What the transition runs. `plans`: event struct → plan; `types`: the same by type name.

    `broken`: rules that are switched off, see `belfry.engine.faulty`.
    """

    book: Rulebook
    rules: RuleCodes
    types: dict[str, Plan]
    plans: dict[type, Plan]
    segments: dict[str, list[tuple[str, Test, Test]]]
    calendar: dict[str, list[Rule]]
    campaigns: list[Rule]
    readers: dict[str, Test]
    wakes: Wakes
    inhibitors: dict[str, list[Rule]]
    sent_kept_days: int
    lateness: dt.timedelta
    broken: frozenset[str] = frozenset()


def build_program(book: Rulebook) -> Program:
    """Compile what every event needs; the rest follows when it is needed."""
    feature_names = {name: f"F{number}" for number, name in enumerate(book.features)}
    cond = Conditions(book.event_types, feature_names)
    wakes = find_wakes(book)
    plans = sort_rules(book, always)
    type_names = {name: _name_plan(cond, book, name, plan, wakes) for name, plan in plans.items()}
    segment_names = _name_segments(cond, book)
    space = _space(cond, book, feature_names)
    looks = {
        name: define_look(cond, plan.direct, name, space) if plan.direct else None
        for name, plan in plans.items()
    }
    steps = {
        name: define_step(cond, book, plan, wakes, f"look{number}")
        for number, (name, plan) in enumerate(plans.items())
    }
    cond.finish(space)
    space.update({variable: cond[variable] for variable in feature_names.values()})
    for number, (name, plan) in enumerate(plans.items()):
        _fill_plan(cond, plan, type_names[name])
        look, step = looks[name], steps[name]
        plan.look = cond.functions[f"look{number}"] = finish_look(cond, look) if look else None
        plan.step = cond[step] if step else None
    return Program(
        book=book,
        rules=RuleCodes(book, feature_names, space),
        types=plans,
        plans={
            struct: plans[name]
            for name, struct in book.event_types.structs.items()
            if struct not in HANDLED_APART
        },
        segments={
            name: [(v, cond[t] if t else always, cond[f] if f else never) for v, t, f in values]
            for name, values in segment_names.items()
        },
        calendar=_calendar(book),
        campaigns=[rule for rule in book.rules.values() if rule.campaign],
        readers={name: space[variable] for name, variable in feature_names.items()},
        wakes=wakes,
        inhibitors=_inhibitors(book),
        sent_kept_days=_cap_days(book),
        lateness=book.policies.bank.lateness,
    )


def _space(cond: Conditions, book: Rulebook, feature_names: dict[str, str]) -> dict[str, Any]:
    """What generated code may call. Readers of features are generated themselves."""
    for name, feature in book.features.items():
        define = define_reader if feature.entity is None else define_over_entities
        cond.sources.append(f"{feature_names[name]} = {define(cond, feature)}\n")
    return {**SPACE, **STEP_SPACE, **ENTITY_SPACE, **series_readers(book)}


def _name_segments(
    cond: Conditions, book: Rulebook
) -> dict[str, list[tuple[str, str | None, str | None]]]:
    return {
        name: [
            (v.value, None, None)
            if v.when is None
            else (v.value, cond.is_true(v.when), cond.is_false(v.when))
            for v in segment.values
        ]
        for name, segment in book.segments.items()
    }


def _name_plan(
    cond: Conditions, book: Rulebook, event_type: str, plan: Plan, wakes: Wakes
) -> dict[str, Any]:
    features = [f for f in book.features.values() if event_type in f.events]
    included, excluded = (
        define_update(cond, [f for f in features if f.current_included is now], event_type, wakes)
        for now in (True, False)
    )
    tests = [
        None if one.step.when is None else cond.is_true(one.step.when, event_type)
        for one in (*plan.steps, *plan.absents, *plan.goals)
    ]
    series = name_series(cond, book, event_type)
    return {"included": included, "excluded": excluded, "tests": tests, "series": series}


def _fill_plan(cond: Conditions, plan: Plan, names: dict[str, Any]) -> None:
    plan.update_included = None if names["included"] is None else cond[names["included"]]
    plan.update_excluded = None if names["excluded"] is None else cond[names["excluded"]]
    for one, name in zip((*plan.steps, *plan.absents, *plan.goals), names["tests"], strict=True):
        one.test = always if name is None else cond[name]
    plan.series = fill_series(cond, names["series"])


def _calendar(book: Rulebook) -> dict[str, list[Rule]]:
    found: dict[str, list[Rule]] = {by: [] for by in ("customer", "account", "card", "loan")}
    for rule in book.rules.values():
        if rule.timer is not None:
            found[rule.by].append(rule)
    return found


def _inhibitors(book: Rulebook) -> dict[str, list[Rule]]:
    """Rule → the rules that silence it; only rules that are silenced by any."""
    found: dict[str, list[Rule]] = {}
    for rule in book.rules.values():
        for silenced in rule.inhibits:
            found.setdefault(silenced, []).append(rule)
    return found


def _cap_days(book: Rulebook) -> int:
    """For how many days a sent message can still count toward a cap."""
    days = [
        32 if isinstance(cap.window, str) else cap.window.days + 1 for cap in book.policies.caps
    ]
    return max(days, default=0)
