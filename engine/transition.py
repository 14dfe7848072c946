"""The transition: one event in, a changed record and an outcome out. The only way to change a customer.

In: the program of a rulebook, a record, an event. Out: `Outcome`: decisions, attempts, tasks.
Inside, in order: observe, match, advance, arbitrate, gate, dispatch.
Invariant: pure and deterministic; no clock, no randomness, no I/O. A repeat of (source, id) changes nothing.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from belfry.engine import alerts, dispatch, due
from belfry.engine.decisions import Outcome
from belfry.engine.observe import observe, undo_features, update_features
from belfry.engine.program.build import ForType, Program
from belfry.engine.reasons import Reason
from belfry.engine.record import Record
from belfry.engine.segments import settle_segments
from belfry.engine.sequences import follow
from belfry.engine.sight import Sight, keys_of, of_key
from belfry.engine.timers import arm_campaigns, arm_key, arm_moment, timer_name
from belfry.engine.turn import Turn

SEEN_MAX = 1000  # ids kept inside the allowed lateness
NOBODY: frozenset[str] = frozenset()


def new_record(program: Program, customer_id: str) -> Record:
    """A customer of whom nothing is known yet."""
    return Record(customer_id, program.book.event_types.entities["customer"]())


def transition(program: Program, record: Record, event: Any) -> Outcome:
    """Apply one event. Late ones beyond the bank's lateness only fill in missing facts."""
    kind = event.__struct_config__.tag
    if kind == "timer":
        turn = Turn(program, record, event.time)
        due.run(turn, event.only)
    elif kind == "answer" or kind == "receipt":
        turn = Turn(program, record, event.time)
        (dispatch.answered if kind == "answer" else dispatch.received)(turn, event)
    else:
        latest = record.latest
        time = event.time
        is_late = latest is not None and time < latest
        horizon = program.book.policies.bank.lateness
        name = f"{event.source}\x1f{event.id}" if event.source else event.id
        if name in record.seen:
            return Outcome("repeated")
        is_too_late = is_late and latest is not None and time <= latest - horizon
        if is_too_late and kind not in FACT_KINDS:
            return Outcome("late")
        turn = Turn(program, record, time if latest is None or time > latest else latest)
        if latest is None:
            _begin(turn)
        if not is_late:
            record.latest = time
        if not is_too_late:
            _remember(record, name, time, horizon)
        _apply(turn, event, kind, is_late=is_late)
    while turn.derived:
        _derived(turn)
    return Outcome(
        "applied",
        turn.decisions,
        turn.attempts,
        turn.tasks,
        turn.conversions,
        turn.unknown,
        turn.errors,
        turn.fired,
    )


FACT_KINDS = frozenset(
    {"customer", "account", "card", "loan", "contact", "consent", "preference"}
)


def _begin(turn: Turn) -> None:
    arm_key(turn, "customer", turn.record.customer_id)
    arm_campaigns(turn)


def _remember(record: Record, name: str, time: dt.datetime, horizon: dt.timedelta) -> None:
    """Ids older than the lateness may go: a repeat of them is refused as late."""
    seen = record.seen
    seen[name] = time
    edge = time - horizon
    oldest = next(iter(seen))
    while seen[oldest] <= edge or len(seen) > SEEN_MAX:
        del seen[oldest]
        oldest = next(iter(seen))


def _apply(turn: Turn, event: Any, kind: str, *, is_late: bool) -> None:
    plan = turn.program.types[kind]
    record = turn.record
    live = list(record.live) if record.live else None
    sight = observe(turn, event, plan, is_late=is_late)
    if getattr(event, "reverses", None) is not None:
        _reverse(turn, event.reverses)
    if plan.segments:
        settle_segments(turn, plan.segments)
    _match(turn, plan, sight, frozenset(live) if live else NOBODY)
    if plan.steps or plan.absents or plan.goals:
        follow(turn, plan, sight)
    if live:
        alerts.end_live(turn, live, plan.ends, sight)
    if plan.excluded and getattr(event, "reverses", None) is None:
        update_features(turn, sight, plan.excluded)
    if plan.moments or plan.lazy_moments:
        _arm(turn, plan, kind, sight)


def _match(turn: Turn, plan: ForType, sight: Sight, skip: frozenset[str]) -> None:
    """Which rules hold now: directly, for all keys, by tiers."""
    event = sight.e
    if plan.look is not None:
        hits: list[Any] = []
        unknown: list[Any] = []
        try:
            plan.look(sight, hits.append, unknown.append)
        except ArithmeticError:
            hits, unknown = _one_by_one(turn, plan, sight)
        for rule in hits:
            alerts.hit(turn, rule, sight, event.id, skip=skip)
        if unknown:
            turn.unknown += [rule.id for rule in unknown]
    for rule in plan.spread:
        code = turn.program.rules[rule.id]
        for key in keys_of(turn.record, rule.by):
            other = of_key(turn.record, rule.by, key, turn.now)
            try:
                holds = code.fires(other)
            except ArithmeticError:
                turn.errors.append(rule.id)
                continue
            if holds:
                alerts.hit(turn, rule, other, event.id, skip=skip)
    for rule in plan.tiered:
        try:
            alerts.look_at_tiers(turn, rule, sight, event.id)
        except ArithmeticError:
            turn.errors.append(rule.id)


def _one_by_one(turn: Turn, plan: ForType, sight: Sight) -> tuple[list[Any], list[Any]]:
    """One rule divided by zero or the like: find out which, and let the others speak."""
    hits: list[Any] = []
    for rule in plan.direct:
        try:
            if turn.program.rules[rule.id].fires(sight):
                hits.append(rule)
        except ArithmeticError:
            turn.errors.append(rule.id)
    return hits, []


def _reverse(turn: Turn, event_id: str) -> None:
    from belfry.engine import decide  # noqa: PLC0415

    undo_features(turn, event_id)
    record = turn.record
    waiting = [one for many in record.waiting.values() for one in many]
    for candidate in [*waiting, *record.held.values()]:
        if candidate.cause == event_id:
            decide.drop(turn, candidate, Reason.REVERSED)
    for name in list(record.live):
        alert = record.alerts[name]
        if alert.phase == "pending" and alert.cause == event_id:
            alerts.resolve(turn, alert)


def _arm(turn: Turn, plan: ForType, kind: str, sight: Sight) -> None:
    """Timers that hang on what this event may have changed."""
    record = turn.record
    for rule in plan.moments:
        for key in keys_of(record, rule.by):
            arm_moment(turn, rule, key)
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
    kind = event.__struct_config__.tag
    _apply(turn, event, kind, is_late=False)


DECISIONS_MAX = 10_000  # in one turn; rules that emit in a circle end here

