"""Arbitration: candidates of one customer wait a short time, then speak by priority.

In: candidates. Out: decisions, in order: superseded first, then by priority, time and rule.
Invariant: a class with no window decides in the turn that fired it.
"""

from __future__ import annotations

from belfry.engine import decide
from belfry.engine.agenda import set_timer
from belfry.engine.program.build import RuleCode
from belfry.engine.record import Candidate, TimerEntry, joined
from belfry.engine.sight import Sight
from belfry.engine.turn import Turn


def accept(turn: Turn, code: RuleCode, candidate: Candidate, sight: Sight) -> None:
    """Staff and derived events at once; the customer's message when its window closes."""
    rule = code.rule
    if rule.task is not None or rule.emit is not None:
        decide.for_staff(turn, code, candidate, sight)
    if rule.notify is None:
        return
    message_class = turn.program.book.policies.classes[rule.notify.message_class]
    candidate.happening = code.shown.of_event(sight.e)
    if not message_class.arbitration:
        decide.supersede(turn, rule, candidate)
        decide.for_customer(turn, code, candidate, won=frozenset(), sight=sight)
        return
    waiting = turn.record.waiting.setdefault(message_class.name, [])
    waiting.append(candidate)
    if len(waiting) == 1:
        due = turn.now + message_class.arbitration
        set_timer(turn.record, joined("arbitration", message_class.name), TimerEntry(due))


def close(turn: Turn, class_name: str) -> None:
    """The window of a class is over: decide all that waits in it."""
    candidates = turn.record.waiting.pop(class_name, [])
    rules = turn.program.book.rules
    candidates = [one for one in candidates if one.rule in rules]
    for candidate in list(candidates):
        if rules[candidate.rule].supersedes and candidate in candidates:
            gone = decide.supersede(turn, rules[candidate.rule], candidate, among=candidates)
            candidates = [one for one in candidates if one not in gone]
    if len(candidates) > 1:
        candidates.sort(key=lambda one: (-_priority(turn, one), one.at, one.rule, one.key))
    won: set[str] = set()
    for candidate in candidates:
        code = turn.program.rules[candidate.rule]
        won |= decide.for_customer(turn, code, candidate, won=frozenset(won), rivals=candidates)


def _priority(turn: Turn, candidate: Candidate) -> int:
    notify = turn.program.book.rules[candidate.rule].notify
    assert notify is not None
    return notify.priority
