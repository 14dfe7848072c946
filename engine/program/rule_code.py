"""The conditions of one rule, compiled when they are first needed.

In: a rule. Out: `RuleCode`: functions of a `Sight`. A rulebook of 10,000 rules compiles the few
that fire.
Invariant: a condition on the event's own fields is neither true nor false where there is no event.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from belfry.engine.expressions import Expression
from belfry.engine.fields import Kind
from belfry.engine.program import dependencies as deps
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.shown import Shown, shown_of
from belfry.engine.rulebook.model import Cap, Feature, QuietHours, Rule, Rulebook

Test = Callable[..., Any]


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
    `stands`: fires, and a written `until` does not hold.
    `caps`, `quiet`: by channel, the policies that concern its messages.
    `values`: what `when` reads; `seen`: what all its conditions read.
    Of a calendar timer, which sleeps until an event comes when it cannot fire without one:
    `may_fire`: the part of `when` that only events make true; `rests_on`: the features that must
    have nothing left to lose before time alone changes nothing more (None: it always may).
    """

    rule: Rule
    fires: Test
    fails: Test
    ends: Test
    stands: Test
    values: Test
    seen: Test
    moment: Test | None
    may_fire: Test | None
    rests_on: tuple[Feature, ...] | None
    has_life: bool
    is_state: bool
    with_: dict[str, Test]
    task_with: dict[str, Test]
    emit_with: dict[str, Test]
    shown: Shown
    caps: Mapping[str, tuple[Cap, ...]]
    quiet: Mapping[str, tuple[QuietHours, ...]]


class RuleCodes(dict[str, RuleCode]):
    """Rule id → code, made on first use."""

    def __init__(
        self, book: Rulebook, feature_names: Mapping[str, str], space: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self.book, self.feature_names, self.space = book, feature_names, space

    def __missing__(self, rule_id: str) -> RuleCode:
        code = self[rule_id] = self._compile(self.book.rules[rule_id])
        return code

    def get(self, rule_id: str, default: Any = None) -> Any:
        """None for a rule that the rulebook does not have (any more)."""
        return self[rule_id] if rule_id in self.book.rules else default

    def _compile(self, rule: Rule) -> RuleCode:
        cond = Conditions(self.book.event_types, self.feature_names)
        when, until, veto = rule.when, rule.until, rule.except_
        is_number = when is not None and when.kind is Kind.NUMBER
        names = {
            "number": cond.value(when) if when is not None and is_number else None,
            "when_true": cond.is_true(when) if when is not None and not is_number else None,
            "when_false": cond.is_false(when) if when is not None and not is_number else None,
            "except_false": None if veto is None else cond.is_false(veto),
            "until_true": None if until is None else cond.is_true(until),
            "moment": _moment(rule, cond),
        }
        facts = [cond.is_true(part) for part in deps.event_conjuncts(self.book, rule)]
        values = cond.values(deps.reads_of(when))
        seen = cond.values(deps.reads_of(when, veto, until))
        with_ = [
            {name: cond.value(expr) for name, expr in action.with_.items()} if action else {}
            for action in (rule.notify, rule.task, rule.emit)
        ]
        channels = () if rule.notify is None else rule.notify.channels
        cond.finish(self.space)
        tests = {name: None if one is None else cond[one] for name, one in names.items()}
        fires, fails = _fires(rule, tests)
        ends = _with_event(tests["until_true"], until) or fails
        return RuleCode(
            rule=rule,
            fires=fires,
            fails=fails,
            ends=ends,
            stands=fires if until is None else lambda x: fires(x) and not ends(x),
            values=cond[values],
            seen=cond[seen],
            moment=tests["moment"],
            may_fire=_all([cond[one] for one in facts]),
            rests_on=deps.rests_on(self.book, rule),
            has_life=rule.trigger == "change" or rule.until is not None or rule.repeat is not None,
            is_state=rule.trigger in ("change", "timer", "campaign"),
            with_={name: cond[one] for name, one in with_[0].items()},
            task_with={name: cond[one] for name, one in with_[1].items()},
            emit_with={name: cond[one] for name, one in with_[2].items()},
            shown=shown_of(self.book, rule),
            caps={channel: _caps(self.book, rule, channel) for channel in channels},
            quiet={channel: _quiet(self.book, rule, channel) for channel in channels},
        )


def _all(tests: list[Test]) -> Test | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda x: all(test(x) for test in tests)


def _moment(rule: Rule, cond: Conditions) -> str | None:
    if rule.timer is None or rule.timer.moment is None:
        return None
    return cond.value(rule.timer.moment)


def _fires(rule: Rule, tests: Mapping[str, Test | None]) -> tuple[Test, Test]:
    number, when, veto = tests["number"], tests["when_true"] or always, tests["except_false"]
    fails = tests["when_false"] or never
    if number is not None:
        when = lambda x: (v := number(x)) is not None and v >= x.tier  # noqa: E731
        fails = lambda x: (v := number(x)) is not None and v < x.tier  # noqa: E731
    when = _with_event(when, rule.when) or always
    vetoed = _with_event(veto, rule.except_)
    fires: Test = when if vetoed is None else lambda x: when(x) and vetoed(x)
    return fires, _with_event(fails, rule.when) or never


def _with_event(test: Test | None, expression: Expression | None) -> Test | None:
    if test is None or not deps.reads_event(expression):
        return test
    return lambda x: x.e is not None and test(x)


def _caps(book: Rulebook, rule: Rule, channel: str) -> tuple[Cap, ...]:
    """The caps that concern the rule's messages on a channel."""
    assert rule.notify is not None
    named = rule.notify.message_class, channel, rule.id, frozenset(rule.notify.tags)
    return tuple(cap for cap in book.policies.caps if cap.concerns(*named))


def _quiet(book: Rulebook, rule: Rule, channel: str) -> tuple[QuietHours, ...]:
    """The quiet hours that concern the rule's messages on a channel."""
    assert rule.notify is not None
    name = rule.notify.message_class
    return tuple(
        window
        for window in book.policies.quiet_hours
        if (not window.classes or name in window.classes)
        and (not window.channels or channel in window.channels)
    )
