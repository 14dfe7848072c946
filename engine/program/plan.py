"""What an event of one type sets in motion: which rules are looked at, moved on, ended or armed.

In: a rulebook. Out: event type → `Plan`, rules sorted into it in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from belfry.engine.events import FACTS, type_name
from belfry.engine.expressions import Expression
from belfry.engine.program import dependencies as deps
from belfry.engine.program.look import Look
from belfry.engine.rulebook.model import Rule, Rulebook, Step

if TYPE_CHECKING:
    from belfry.engine.program.series_code import SeriesCode

FACT_TYPES = frozenset(type_name(struct) for struct in FACTS)
Test = Callable[..., Any]


@dataclass(slots=True)
class StepCode:
    """One step of a sequence, absence or goal that an event of this type may match."""

    rule: Rule
    index: int
    step: Step
    test: Test


@dataclass(slots=True)
class Plan:
    """For one event type. `direct` rules look from the event's own key, `spread` from all."""

    kind: str
    direct: list[Rule] = field(default_factory=list)
    spread: list[Rule] = field(default_factory=list)
    tiered: list[Rule] = field(default_factory=list)
    ends: set[str] = field(default_factory=set)
    steps: list[StepCode] = field(default_factory=list)
    absents: list[StepCode] = field(default_factory=list)
    goals: list[StepCode] = field(default_factory=list)
    moments: list[Rule] = field(default_factory=list)
    lazy_moments: list[Rule] = field(default_factory=list)
    sleepers: list[Rule] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    series: list[SeriesCode] = field(default_factory=list)
    has_series: bool = False
    needs_previous: bool = False
    is_fact: bool = False
    look: Look | None = None
    step: Test | None = None
    update_included: Test | None = None
    update_excluded: Test | None = None

    @property
    def is_plain(self) -> bool:
        """Nothing but rules that look directly, and features."""
        return not (
            self.spread or self.tiered or self.steps or self.absents or self.goals
            or self.moments or self.lazy_moments or self.sleepers or self.segments
            or self.has_series
        )  # fmt: skip


def sort_rules(book: Rulebook, no_test: Test) -> dict[str, Plan]:
    """A plan for every event type, its functions still to be filled in."""
    plans = {name: Plan(name, is_fact=name in FACT_TYPES) for name in book.event_types.structs}
    changing = _Changing(book, tuple(plans))
    for rule in book.rules.values():
        watched = watched_by(rule)
        looked = changing.any_of(watched) if rule.trigger in ("change", "campaign") else ()
        if rule.trigger == "campaign" and not watched:
            looked = ("customer",)
        for name in dict.fromkeys((*looked, *rule.events)):
            plan = plans[name]
            if rule.tiers:
                plan.tiered.append(rule)
            elif name not in rule.events and deps.is_spread(book, rule, watched, name):
                plan.spread.append(rule)
            else:
                plan.direct.append(rule)
            if any(one.startswith("previous.") for one in watched):
                plan.needs_previous = True
        for name in (*looked, *_ending(rule, changing)):
            plans[name].ends.add(rule.id)
        _sort_steps(plans, rule, no_test)
        waking = watched if deps.rests_on(book, rule) is not None else ()
        for name in changing.any_of((*waking, *deps.reads_of(*deps.event_conjuncts(book, rule)))):
            plans[name].sleepers.append(rule)
        if rule.timer is not None and rule.timer.moment is not None:
            _sort_moment(plans, rule, rule.timer.moment, changing)
    for segment in book.segments.values():
        names = deps.reads_of(*(value.when for value in segment.values))
        for event_type in dict.fromkeys(("customer", *changing.any_of(names))):
            plans[event_type].segments.append(segment.name)
    for event_type in (name for one in book.series.values() for name in one.events):
        plans[event_type].has_series = True
    return plans


def watched_by(rule: Rule) -> tuple[str, ...]:
    """All names that the rule's conditions read."""
    return deps.reads_of(rule.when, rule.except_, rule.until)


class _Changing:
    """Which event types can change a name; asked once per name."""

    def __init__(self, book: Rulebook, types: tuple[str, ...]) -> None:
        self.book, self.types = book, types
        self.known: dict[str, tuple[str, ...]] = {}

    def of(self, name: str) -> tuple[str, ...]:
        found = self.known.get(name)
        if found is None:
            found = self.known[name] = tuple(
                one for one in self.types if deps.changes(self.book, name, one)
            )
        return found

    def any_of(self, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for name in names for one in self.of(name)))


def _ending(rule: Rule, changing: _Changing) -> tuple[str, ...]:
    """Types at which a firing alert may end, other than those at which the rule is looked at."""
    if rule.trigger in ("change", "campaign"):
        return ()
    if rule.until is None:
        return changing.any_of(watched_by(rule)) if rule.repeat is not None else ()
    if deps.reads_event(rule.until):
        return rule.events
    return (*rule.events, *changing.any_of(rule.until.reads))


def _sort_steps(plans: Mapping[str, Plan], rule: Rule, no_test: Test) -> None:
    for index, step in enumerate(rule.sequence.steps if rule.sequence else ()):
        for name in step.events:
            plans[name].steps.append(StepCode(rule, index, step, no_test))
    if rule.absent is not None:
        for name in rule.absent.step.events:
            plans[name].absents.append(StepCode(rule, 0, rule.absent.step, no_test))
    if rule.goal is not None:
        for name in rule.goal.step.events:
            plans[name].goals.append(StepCode(rule, 0, rule.goal.step, no_test))


def _sort_moment(
    plans: Mapping[str, Plan], rule: Rule, moment: Expression, changing: _Changing
) -> None:
    facts = changing.any_of(name for name in moment.reads if not name.startswith("features."))
    for name in facts:
        plans[name].moments.append(rule)
    for name in changing.any_of(moment.reads):
        if name not in facts:
            plans[name].lazy_moments.append(rule)
