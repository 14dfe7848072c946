"""One customer's story: history replayed for them alone, up to a moment.

In: a program, events in order, a customer, a moment. Out: their record then, what was decided, and
for a rule
the last event that made it look, explained as it was at that event.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from belfry.engine.decisions import Decision, Outcome
from belfry.engine.explain import Explained, explain_rule
from belfry.engine.program import Program
from belfry.engine.record import Record
from belfry.engine.rulebook.model import Rule
from belfry.runtime.host import MemoryHost, accept_all


@dataclass(slots=True)
class Story:
    """`record` None: nothing is known of this customer by then. `events`: theirs, in order."""

    record: Record | None
    decisions: list[Decision]
    events: list[Any]


def tell(program: Program, events: list[Any], customer_id: str, at: dt.datetime) -> Story:
    """Everything up to and including `at`."""
    return _run(program, [event for event in events if event.time <= at], customer_id, at)


def why(
    program: Program, events: list[Any], customer_id: str, rule: Rule, at: dt.datetime
) -> tuple[Story, list[Explained]]:
    """The story, and the rule's conditions at the last event that made it look (else at `at`)."""
    story = tell(program, events, customer_id, at)
    if story.record is None:
        return story, []
    looked = [event for event in story.events if looks_at(program, rule, event)]
    if not looked:
        return story, explain_rule(program, story.record, rule, None, at)
    last = looked[-1]
    place = next(number for number, event in enumerate(events) if event is last)
    before = _run(program, events[:place], customer_id, last.time, inclusive=False)
    record = before.record if before.record is not None else story.record
    return story, explain_rule(program, record, rule, last, last.time)


def looks_at(program: Program, rule: Rule, event: Any) -> bool:
    """Is the rule one that is looked at when such an event comes?"""
    plan = program.plans[event.__class__]
    return (
        any(one.id == rule.id for one in (*plan.direct, *plan.spread, *plan.tiered))
        or any(step.rule.id == rule.id for step in plan.steps)
    )  # fmt: skip


def _run(
    program: Program,
    events: list[Any],
    customer_id: str,
    at: dt.datetime,
    *,
    inclusive: bool = True,
) -> Story:
    story = Story(None, [], [])

    def listen(record: Record, event: Any, outcome: Outcome) -> None:
        story.decisions.extend(outcome.decisions)
        if event.__class__ in program.plans:
            story.events.append(event)

    host = MemoryHost(program, accept_all, listen, only=customer_id)
    for event in events:
        host.accept(event)
    host.run_until(at, inclusive=inclusive)
    if inclusive:
        host.close_arbitration()
    story.record = host.records.get(customer_id)
    return story
