"""Builds the program of a rulebook: for each event type what to update, look at, arm and end.

In: `Rulebook`. Out: `Program`, immutable after building and shared by all records.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from belfry.engine.events import FACTS, type_name
from belfry.engine.expressions import Expression
from belfry.engine.program import dependencies as deps
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.features import over_entities
from belfry.engine.program.look import Look, define_look, finish_look
from belfry.engine.program.reads import OF_ENTITY
from belfry.engine.program.updates import SPACE, define_reader, define_update
from belfry.engine.rulebook.model import Rule, Rulebook, Step

Test = Callable[..., Any]
FACT_TYPES = frozenset(type_name(struct) for struct in FACTS)


def always(x: Any) -> bool:
    """A condition that was not written holds."""
    return True


def never(x: Any) -> bool:
    """What can't happen without a condition."""
    return False


@dataclass(slots=True)
class RuleCode:
    """The compiled conditions of one rule, for any event type.

    `fires`: when and not except. `fails`: when is false. `ends`: until, or `fails` without one.
    `values`: what `when` reads; `seen`: what all its conditions read.
    """

    rule: Rule
    fires: Test
    fails: Test
    ends: Test
    value: Test | None
    values: Test
    seen: Test
    moment: Test | None
    has_life: bool
    with_: dict[str, Test]
    task_with: dict[str, Test]
    emit_with: dict[str, Test]
    template_features: tuple[str, ...]


@dataclass(slots=True)
class StepCode:
    """One step of a sequence, absence or goal that an event of this type may match."""

    rule: Rule
    index: int
    test: Test


@dataclass(slots=True)
class ForType:
    """All that an event of one type sets in motion."""

    update_included: Test | None = None
    update_excluded: Test | None = None
    look: Look | None = None
    direct: list[Rule] = field(default_factory=list)
    spread: list[Rule] = field(default_factory=list)
    tiered: list[Rule] = field(default_factory=list)
    ends: frozenset[str] = frozenset()
    steps: list[StepCode] = field(default_factory=list)
    absents: list[StepCode] = field(default_factory=list)
    goals: list[StepCode] = field(default_factory=list)
    moments: list[Rule] = field(default_factory=list)
    lazy_moments: list[Rule] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    needs_previous: bool = False
    is_plain: bool = False
    is_fact: bool = False


@dataclass(slots=True)
class Program:
    """What the transition runs. `types[name]` for every event type."""

    book: Rulebook
    rules: dict[str, RuleCode]
    types: dict[str, ForType]
    plans: dict[type, ForType]
    segments: dict[str, list[tuple[str, Test, Test]]]
    calendar: dict[str, list[Rule]]
    campaigns: list[Rule]
    readers: dict[str, Test]
    wake_rules: dict[str, list[Rule]]
    wake_segments: dict[str, list[str]]
    inhibitors: dict[str, list[Rule]]
    sent_kept_days: int
    code: CodeType


def build_program(book: Rulebook, code: CodeType | None = None) -> Program:
    """Compile everything. `code` is the `Program.code` of an earlier build of the same rulebook."""
    feature_names = {name: f"F{number}" for number, name in enumerate(book.features)}
    cond = Conditions(book.event_types, feature_names)
    entity = {
        name: (
            _value(cond, f.where, "is_true", OF_ENTITY + f.entity),
            _value(cond, f.value, "value", OF_ENTITY + f.entity),
        )
        for name, f in book.features.items()
        if f.entity is not None
    }
    rule_names = {rule.id: _name_rule(cond, rule) for rule in book.rules.values()}
    type_names = {name: _name_type(cond, book, name) for name in book.event_types.structs}
    segment_names = {
        name: [
            (v.value, _value(cond, v.when, "is_true"), _value(cond, v.when, "is_false"))
            for v in segment.values
        ]
        for name, segment in book.segments.items()
    }
    lookup = _Lookup(cond)
    own = {
        name: over_entities(book.features[name], lookup.maybe(where), lookup.maybe(value))
        for name, (where, value) in entity.items()
    }
    named = {
        name: define_reader(cond, f) for name, f in book.features.items() if f.entity is None
    }
    for name, function in named.items():
        cond.sources.append(f"{feature_names[name]} = {function}\n")
    made = cond.finish({**SPACE, **{feature_names[name]: read for name, read in own.items()}}, code)
    readers = {name: cond[variable] for name, variable in feature_names.items()}
    rules = {rule.id: _rule_code(book, rule, rule_names[rule.id], cond) for rule in book.rules.values()}
    wakes = _wakes(book)
    types = {name: _for_type(cond, book, name, type_names[name]) for name in type_names}
    program = Program(
        book=book,
        rules=rules,
        types=types,
        plans={struct: types[name] for name, struct in book.event_types.structs.items()},
        segments={
            name: [(v, cond[t] if t else always, cond[f] if f else never) for v, t, f in values]
            for name, values in segment_names.items()
        },
        calendar={by: [r for r in book.rules.values() if r.timer and r.by == by] for by in
                  ("customer", "account", "card", "loan")},
        campaigns=[rule for rule in book.rules.values() if rule.campaign],
        readers=readers,
        wake_rules={name: rules_of for name, (rules_of, _) in wakes.items()},
        wake_segments={name: segments for name, (_, segments) in wakes.items()},
        inhibitors={
            rule.id: [other for other in book.rules.values() if rule.id in other.inhibits]
            for rule in book.rules.values()
        },
        sent_kept_days=_cap_days(book),
        code=made,
    )
    return program


class _Lookup:
    """Functions by name before they exist: entity features are read by the code they are part of."""

    def __init__(self, cond: Conditions) -> None:
        self.cond = cond

    def maybe(self, name: str | None) -> Test | None:
        if name is None:
            return None
        return lambda x: self.cond[name](x)


def _value(
    cond: Conditions, expr: Expression | None, kind: str, event_type: str | None = None
) -> str | None:
    return None if expr is None else getattr(cond, kind)(expr, event_type)


def _name_rule(cond: Conditions, rule: Rule) -> dict[str, Any]:
    when, until, veto = rule.when, rule.until, rule.except_
    is_number = when is not None and when.kind == "number"
    actions = (rule.notify, rule.task, rule.emit)
    return {
        "when_true": None if when is None or is_number else cond.is_true(when),
        "when_false": None if when is None or is_number else cond.is_false(when),
        "number": cond.value(when) if when is not None and is_number else None,
        "except_false": None if veto is None else cond.is_false(veto),
        "until_true": None if until is None else cond.is_true(until),
        "values": cond.values(deps.reads_of(when)),
        "seen": cond.values(deps.reads_of(when, veto, until)),
        "moment": _value(cond, rule.timer.moment if rule.timer else None, "value"),
        "with": [
            {name: cond.value(expr) for name, expr in action.with_.items()} if action else {}
            for action in actions
        ],
    }


def _rule_code(book: Rulebook, rule: Rule, names: dict[str, Any], cond: Conditions) -> RuleCode:
    def get(name: str) -> Test | None:
        return None if names[name] is None else cond[names[name]]

    number, when_true, veto = get("number"), get("when_true"), get("except_false")
    fails: Test = get("when_false") or never
    if number is not None:
        read = number
        when_true = lambda x: (v := read(x)) is not None and v >= x.tier  # noqa: E731
        fails = lambda x: (v := read(x)) is not None and v < x.tier  # noqa: E731
    when = when_true or always
    fires: Test = when if veto is None else lambda x: when(x) and veto(x)
    has_life = rule.trigger == "change" or rule.until is not None or rule.repeat is not None
    with_, task_with, emit_with = (
        {name: cond[function] for name, function in one.items()} for one in names["with"]
    )
    return RuleCode(
        rule=rule,
        fires=fires,
        fails=fails,
        ends=get("until_true") or fails,
        value=number,
        values=cond[names["values"]],
        seen=cond[names["seen"]],
        moment=get("moment"),
        has_life=has_life,
        with_=with_,
        task_with=task_with,
        emit_with=emit_with,
        template_features=_template_features(book, rule),
    )


def _template_features(book: Rulebook, rule: Rule) -> tuple[str, ...]:
    """Features that the rule's texts may show; only these are computed for them."""
    if rule.notify is None:
        return ()
    texts = [t.text for key, t in book.templates.items() if key[0] == rule.notify.template]
    return tuple(f for f in book.features if any(f"features.{f}" in text for text in texts))


def _name_type(cond: Conditions, book: Rulebook, event_type: str) -> dict[str, Any]:
    def step(one: Step | None) -> str | None:
        if one is None or one.when is None:
            return None
        return cond.is_true(one.when, event_type)

    steps, absents, goals = [], [], []
    for rule in book.rules.values():
        if rule.sequence:
            last = len(rule.sequence.steps) - 1
            steps += [
                (rule, i, step(one), i == last and rule.when is not None)
                for i, one in enumerate(rule.sequence.steps)
                if event_type in one.events
            ]
        if rule.absent and event_type in rule.absent.step.events:
            absents.append((rule, 0, step(rule.absent.step)))
        if rule.goal and event_type in rule.goal.step.events:
            goals.append((rule, 0, step(rule.goal.step)))
    features = [f for f in book.features.values() if event_type in f.events]
    wakes = frozenset(_wakes(book))
    included, excluded = (
        define_update(cond, [f for f in features if f.current_included is now], event_type, wakes)
        for now in (True, False)
    )
    direct = _direct_rules(book, event_type)
    return {
        "included": included,
        "excluded": excluded,
        "steps": steps,
        "absents": absents,
        "goals": goals,
        "look": define_look(cond, direct, event_type) if direct else None,
    }


def _watched(rule: Rule) -> tuple[str, ...]:
    return deps.reads_of(rule.when, rule.except_, rule.until)


def _watches(book: Rulebook, rule: Rule, event_type: str) -> bool:
    """Is this a rule that waits for changes, and can the event change what it reads?"""
    if rule.trigger not in ("change", "campaign"):
        return False
    names = _watched(rule)
    if not names and rule.trigger == "campaign":
        return True
    return deps.affected(book, names, event_type)


def _direct_rules(book: Rulebook, event_type: str) -> list[Rule]:
    """Rules looked at on the side of the event's own key, except those with tiers."""
    return [
        rule
        for rule in book.rules.values()
        if not rule.tiers
        and (
            event_type in rule.events
            or (
                _watches(book, rule, event_type)
                and not deps.is_spread(book, rule, _watched(rule), event_type)
            )
        )
    ]


def _for_type(cond: Conditions, book: Rulebook, event_type: str, names: dict[str, Any]) -> ForType:
    def test(name: str | None) -> Test:
        return always if name is None else cond[name]

    found = ForType()
    found.update_included = None if names["included"] is None else cond[names["included"]]
    found.update_excluded = None if names["excluded"] is None else cond[names["excluded"]]
    found.steps = [StepCode(rule, i, test(name)) for rule, i, name, _ in names["steps"]]
    found.absents = [StepCode(rule, i, test(name)) for rule, i, name in names["absents"]]
    found.goals = [StepCode(rule, i, test(name)) for rule, i, name in names["goals"]]
    if names["look"] is not None:
        found.look, found.direct = finish_look(cond, names["look"]), names["look"].rules
    ends = set()
    for rule in book.rules.values():
        watched = _watched(rule)
        looked = _watches(book, rule, event_type)
        if rule.tiers and (looked or event_type in rule.events):
            found.tiered.append(rule)
        elif looked and deps.is_spread(book, rule, watched, event_type):
            found.spread.append(rule)
        if looked or _may_end(book, rule, event_type):
            ends.add(rule.id)
        if rule.timer and rule.timer.moment is not None:
            reads = rule.timer.moment.reads
            if deps.affected(book, [n for n in reads if not n.startswith("features.")], event_type):
                found.moments.append(rule)
            elif deps.affected(book, reads, event_type):
                found.lazy_moments.append(rule)
        found.needs_previous = found.needs_previous or (
            any(n.startswith("previous.") for n in watched)
            and (looked or event_type in rule.events)
        )
    found.ends = frozenset(ends)
    found.segments = [
        name
        for name, segment in book.segments.items()
        if deps.affected(book, deps.reads_of(*(v.when for v in segment.values)), event_type)
        or event_type == "customer"
    ]
    found.is_plain = not (
        found.spread or found.tiered or found.steps or found.absents or found.goals
        or found.moments or found.lazy_moments or found.segments
    )  # fmt: skip
    found.is_fact = event_type in FACT_TYPES
    return found


def _may_end(book: Rulebook, rule: Rule, event_type: str) -> bool:
    """Can a firing alert of this rule end at such an event? (Change rules are asked elsewhere.)"""
    if rule.trigger in ("change", "campaign"):
        return False
    if rule.until is None:
        return rule.repeat is not None and deps.affected(book, _watched(rule), event_type)
    if event_type in rule.events:
        return True
    return not deps.reads_event(rule.until) and deps.affected(book, rule.until.reads, event_type)


def _wakes(book: Rulebook) -> dict[str, tuple[list[Rule], list[str]]]:
    """Windowed features whose emptying by time must wake rules or segments that read them."""
    found: dict[str, tuple[list[Rule], list[str]]] = {}
    for name, feature in book.features.items():
        if feature.entity is not None or feature.window is None:
            continue
        read = f"features.{name}"
        rules = [
            rule
            for rule in book.rules.values()
            if (rule.trigger == "change" and read in _watched(rule))
            or (rule.until is not None and read in rule.until.reads)
        ]
        segments = [
            segment.name
            for segment in book.segments.values()
            if read in deps.reads_of(*(value.when for value in segment.values))
        ]
        if rules or segments:
            found[name] = (rules, segments)
    return found


def _cap_days(book: Rulebook) -> int:
    """For how many days a sent message can still count toward a cap."""
    days = [32 if isinstance(cap.window, str) else cap.window.days + 1 for cap in book.policies.caps]
    return max(days, default=0)
