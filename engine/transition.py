"""The transition: one event in, a changed record and an outcome out.

In: the program of a rulebook, a record, an event. Out: `Outcome`: decisions, attempts, tasks.
Inside, in order: observe, match, advance, arbitrate, gate, dispatch.
Invariant: pure and deterministic; no clock, no randomness, no I/O. A repeat of (source, id)
changes nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from belfry.engine import alerts, due, holding, series, settle
from belfry.engine.decisions import Outcome
from belfry.engine.events import Answer, Departure, Receipt, Snapshot, Timer
from belfry.engine.observe import is_reversal, observe, undo_features
from belfry.engine.program.build import Program
from belfry.engine.program.plan import Plan
from belfry.engine.program.step import FAULTY, OTHERWISE
from belfry.engine.reasons import Reason
from belfry.engine.record import Record
from belfry.engine.segments import settle_segments
from belfry.engine.sequences import follow
from belfry.engine.sight import Sight, keys_of, of_key
from belfry.engine.timers import arm_calendar, arm_campaigns, arm_key, arm_moment, timer_name
from belfry.engine.turn import Turn, holds

SEEN_MAX = 1000  # ids kept inside the allowed lateness
SEEN_CHECKED = 16  # below it old ids are not even looked for
DECISIONS_MAX = 10_000  # in one turn; rules that emit in a circle end here
NOTHING, REPEATED, LATE = Outcome(), Outcome("repeated"), Outcome("late")


def new_record(program: Program, customer_id: str) -> Record:
    """A customer of whom nothing is known yet."""
    customer = program.book.event_types.entities["customer"]()
    return Record(customer_id, customer, rulebook=program.book.hash)


def transition(program: Program, record: Record, event: Any) -> Outcome:
    """Apply one event. Happenings older than the bank's lateness change nothing but a counter."""
    plan = program.plans.get(event.__class__)
    if plan is None:
        return _engine_event(program, record, event)
    time = event.time
    seen = record.seen
    name = f"{event.source}\x1f{event.id}" if event.source else event.id
    if name in seen:
        return REPEATED
    latest = record.latest
    if latest is None:
        _begin(Turn(program, record, time))
    elif time < latest:
        return _late(program, record, event, plan, name)
    record.latest = seen[name] = time
    if len(seen) > SEEN_CHECKED:
        _forget_old(seen, time - program.lateness)
    if plan.step is not None:
        found = plan.step(record, event, time)
        if found is None:
            return NOTHING
        if found is not OTHERWISE:
            return _act(Turn(program, record, time), event, plan, *found)
    return _general(program, record, event, plan, time, is_late=False)


def _late(program: Program, record: Record, event: Any, plan: Plan, name: str) -> Outcome:
    """Older than the newest: within the lateness it counts, facts always fill what is missing."""
    assert record.latest is not None
    is_too_late = event.time <= record.latest - program.lateness
    if is_too_late and not plan.is_fact:
        return LATE
    if not is_too_late:
        record.seen[name] = event.time
    return _general(program, record, event, plan, record.latest, is_late=True)


def _general(
    program: Program, record: Record, event: Any, plan: Plan, now: dt.datetime, *, is_late: bool
) -> Outcome:
    sight = observe(program, record, event, plan, now, is_late=is_late)
    return _act(Turn(program, record, now), event, plan, sight, _look(plan, sight))


def _look(plan: Plan, sight: Sight) -> Any:
    if plan.look is None:
        return None
    try:
        return plan.look(sight)
    except ArithmeticError:
        return FAULTY


def _act(turn: Turn, event: Any, plan: Plan, sight: Sight, found: Any) -> Outcome:
    _advance(turn, event, plan, sight, found)
    while turn.derived:
        _derived(turn)
    return _outcome(turn)


def _engine_event(program: Program, record: Record, event: Any) -> Outcome:
    turn = Turn(program, record, event.time)
    match event:
        case Timer():
            due.run(turn, event.only)
        case Answer():
            settle.answered(turn, event)
        case Receipt():
            settle.received(turn, event)
        case Snapshot() | Departure():
            return _change_of_hands(program, record, event)
        case _:
            raise AssertionError(type(event))
    while turn.derived:
        _derived(turn)
    return _outcome(turn)


def _change_of_hands(program: Program, record: Record, event: Snapshot | Departure) -> Outcome:
    """Once, like any event that has a source; late or not, it is how things are."""
    name = f"{event.source}\x1f{event.id}" if event.source else event.id
    if name in record.seen:
        return REPEATED
    record.seen[name] = event.time
    turn = Turn(program, record, max(event.time, record.latest or event.time))
    if isinstance(event, Snapshot):
        holding.join(turn, event)
    else:
        holding.leave(turn, event)
    return _outcome(turn)


def _outcome(turn: Turn) -> Outcome:
    return Outcome(
        "applied",
        turn.decisions,
        turn.attempts,
        turn.tasks,
        turn.conversions,
        turn.unknown,
        turn.errors,
        turn.fired,
        turn.unsure,
    )


def _begin(turn: Turn) -> None:
    arm_key(turn, "customer", turn.record.customer_id)
    arm_campaigns(turn)


def _forget_old(seen: dict[str, dt.datetime], edge: dt.datetime) -> None:
    """Ids older than the lateness may go: a repeat of them is refused as late."""
    while seen:
        oldest = next(iter(seen))
        if len(seen) <= SEEN_MAX and seen[oldest] > edge:
            return
        del seen[oldest]


def _advance(turn: Turn, event: Any, plan: Plan, x: Sight, found: Any) -> None:
    """What an event sets in motion once it has been observed and matched."""
    record = turn.record
    undoes = is_reversal(event, plan)
    if undoes:
        _reverse(turn, event.reverses)
    live = list(record.live) if record.live else []
    skip = frozenset(live)
    if plan.segments:
        settle_segments(turn, plan.segments)
    if found is FAULTY:
        found = _one_by_one(turn, plan, x)
    if found is not None:
        for rule in found[0]:
            alerts.hit(turn, rule, x, event.id, skip=skip)
        turn.unknown += [rule.id for rule in found[1]]
    if plan.spread:
        _spread(turn, plan, event, skip)
    for rule in plan.tiered:
        alerts.look_at_tiers(turn, rule, x, event.id)
    if plan.steps or plan.absents or plan.goals:
        follow(turn, plan, x)
    if plan.series and not undoes:
        series.follow(turn, plan.series, x)
    if live:
        alerts.end_live(turn, live, plan.ends, x)
    if plan.update_excluded is not None and not undoes:
        plan.update_excluded(x)
    if plan.moments or plan.lazy_moments or plan.sleepers:
        _arm(turn, plan)


def _spread(turn: Turn, plan: Plan, event: Any, skip: frozenset[str]) -> None:
    """A change that concerns every key of a rule: all accounts when the customer's limit moved."""
    for rule in plan.spread:
        fires = turn.program.rules[rule.id].fires
        for key in keys_of(turn.record, rule.by):
            other = of_key(turn.record, rule.by, key, turn.now)
            if holds(turn, fires, other, rule):
                alerts.hit(turn, rule, other, event.id, skip=skip)


def _one_by_one(turn: Turn, plan: Plan, sight: Sight) -> tuple[list[Any], list[Any]]:
    """One rule divided by zero or the like: find out which, and let the others speak."""
    rules = turn.program.rules
    return [one for one in plan.direct if holds(turn, rules[one.id].fires, sight, one)], []


def _reverse(turn: Turn, event_id: str) -> None:
    from belfry.engine import decide  # noqa: PLC0415

    undo_features(turn, event_id)
    series.undo(turn, event_id)
    record = turn.record
    waiting = [one for many in record.waiting.values() for one in many]
    for candidate in [*waiting, *record.held.values()]:
        if candidate.cause == event_id:
            decide.drop(turn, candidate, Reason.REVERSED)
    for out in record.outgoing.values():
        if out.candidate.cause == event_id:
            out.candidate.void = Reason.REVERSED
    for name in list(record.live):
        alert = record.alerts[name]
        if alert.phase == "pending" and alert.cause == event_id:
            alerts.resolve(turn, alert)


def _arm(turn: Turn, plan: Plan) -> None:
    """Timers that hang on what this event may have changed."""
    record = turn.record
    for rule in plan.moments:
        for key in keys_of(record, rule.by):
            arm_moment(turn, rule, key)
    for rule in plan.sleepers:
        for key in keys_of(record, rule.by):
            arm_calendar(turn, rule, key)
    for rule in plan.lazy_moments:
        # The moment only moves on; a timer that is armed looks again when it is due.
        for key in keys_of(record, rule.by):
            entry = record.timers.get(timer_name(rule, key))
            if entry is None or entry.due.year == dt.MAXYEAR:
                arm_moment(turn, rule, key)


def _derived(turn: Turn) -> None:
    """A derived event is applied like any other, in the same turn."""
    event = turn.derived.pop(0)
    if len(turn.decisions) > DECISIONS_MAX:
        turn.derived.clear()
        return
    plan = turn.program.plans[event.__class__]
    sight = observe(turn.program, turn.record, event, plan, turn.now, is_late=False)
    _advance(turn, event, plan, sight, _look(plan, sight))
