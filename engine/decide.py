"""Decide: run the gates over a candidate and record what became of it.

In: a candidate. Out: one decision record per action, and the message, task or event that follows
from it.
Invariant: every candidate leaves a record, sent or not, with a closed reason.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from belfry.engine import caps, dispatch
from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.decisions import TaskOrder, derived_id
from belfry.engine.gates import GATES, STAFF_GATES, Asking, Gate, Hold, Verdict
from belfry.engine.program.build import RuleCode
from belfry.engine.reasons import Outcome, Reason
from belfry.engine.record import Candidate, Goal, TimerEntry, joined
from belfry.engine.recorded import recorded
from belfry.engine.rulebook.model import Rule
from belfry.engine.sight import Sight, of_key
from belfry.engine.turn import Turn, value_of

PRIORITY_MAX = 99_999


def for_customer(
    turn: Turn,
    code: RuleCode,
    candidate: Candidate,
    *,
    won: frozenset[str],
    rivals: list[Candidate] | None = None,
    sight: Sight | None = None,
    is_release: bool = False,
) -> set[str]:
    """Ask the gates for a message. Returns its id in a set if it went out, else nothing."""
    ask = _asking(turn, code, candidate, won, rivals or [])
    ask.is_fresh = sight is not None
    verdict = run(GATES, ask)
    channel = ask.channels[0] if ask.channels else None
    if not candidate.message_id:
        candidate.message_id = derived_id("message", *_identity(turn, candidate))
    if isinstance(verdict, Hold):
        assert channel is not None
        _hold(turn, candidate, channel, verdict.until)
        _record(
            turn,
            code,
            candidate,
            Outcome.HOLD,
            Reason.QUIET_HOLD,
            channel,
            verdict.until,
            is_release=is_release,
        )
        return set()
    if verdict is not None:
        if verdict == Reason.HOLDOUT:
            _told(turn, code, candidate, is_told=False)
        _record(turn, code, candidate, Outcome.SUPPRESS, verdict, channel, is_release=is_release)
        return set()
    assert channel is not None
    contact = ask.contact[channel]
    caps.reserve(turn, code, candidate.message_id, channel, contact.address)
    _told(turn, code, candidate, is_told=True)
    _record(
        turn,
        code,
        candidate,
        Outcome.SEND,
        Reason.SENT,
        channel,
        turn.now,
        is_release=is_release,
    )
    dispatch.start(turn, code, candidate, channel=channel, address=contact.address, sight=sight)
    return {candidate.message_id}


def for_staff(turn: Turn, code: RuleCode, candidate: Candidate, sight: Sight) -> None:
    """Tasks and derived events: from the first owner's record only, by the staff gates."""
    account = candidate.by_account
    if account and account in turn.record.accounts and account not in turn.record.leads:
        return
    ask = _asking(turn, code, candidate, frozenset(), [])
    ask.is_fresh = True
    verdict = run(STAFF_GATES, ask)
    rule = code.rule
    if isinstance(verdict, str):
        _record(turn, code, candidate, Outcome.SUPPRESS, verdict)
        return
    if rule.notify is None:
        _told(turn, code, candidate, is_told=True)
    if rule.task is not None:
        _record(turn, code, candidate, Outcome.TASK, Reason.RAISED, None, turn.now)
        turn.tasks.append(_task(turn, code, candidate, sight))
    if rule.emit is not None:
        _record(turn, code, candidate, Outcome.EMIT, Reason.EMITTED, None, turn.now)
        _emit(turn, code, candidate, sight)


def run(gates: tuple[Gate, ...], ask: Asking) -> Verdict:
    """The first gate that does not let it pass; None if all do."""
    for gate in gates:
        verdict = gate(ask)
        if verdict is not None:
            return verdict
    return None


def supersede(
    turn: Turn, rule: Rule, candidate: Candidate, among: list[Candidate] | None = None
) -> list[Candidate]:
    """What the rule replaces dies, waiting or held. Returns those out of `among`."""
    gone: list[Candidate] = []
    if not rule.supersedes:
        return gone

    def is_replaced(other: Candidate) -> bool:
        if other.rule not in rule.supersedes:
            return False
        return other.key == candidate.key or turn.program.book.rules[other.rule].by != rule.by

    waiting = [one for many in turn.record.waiting.values() for one in many]
    for other in [*waiting, *turn.record.held.values(), *(among or [])]:
        if is_replaced(other):
            drop(turn, other, Reason.SUPERSEDED)
            gone.append(other)
    return gone


def drop(turn: Turn, candidate: Candidate, reason: Reason) -> None:
    """A candidate that waits or is held will not be sent."""
    record = turn.record
    for waiting in record.waiting.values():
        if candidate in waiting:
            waiting.remove(candidate)
    if record.held.pop(candidate.message_id, None) is not None:
        drop_timer(record, _held_timer(turn, candidate))
    code = turn.program.rules.get(candidate.rule)
    if code is not None:
        was_held = candidate.channel != ""
        _record(turn, code, candidate, Outcome.SUPPRESS, reason, is_release=was_held)


def release(turn: Turn, message_id: str) -> None:
    """Quiet hours are over for a held message: ask all gates again."""
    candidate = turn.record.held.pop(message_id, None)
    if candidate is None:
        return
    code = turn.program.rules.get(candidate.rule)
    if code is None or code.rule.notify is None:
        return
    for_customer(turn, code, candidate, won=frozenset(), is_release=True)


def missed(turn: Turn, code: RuleCode, key: str, due: dt.datetime) -> None:
    """A timer was due longer ago than its grace: a record instead of a message."""
    sight = of_key(turn.record, code.rule.by, key, turn.now)
    candidate = Candidate(code.rule.id, key, due.isoformat(), due, code.values(sight))
    _record(turn, code, candidate, Outcome.SUPPRESS, Reason.MISSED)


def _asking(
    turn: Turn, code: RuleCode, candidate: Candidate, won: frozenset[str], rivals: list[Candidate]
) -> Asking:
    notify = code.rule.notify
    classes = turn.program.book.policies.classes
    return Asking(
        turn,
        code,
        candidate,
        None if notify is None else classes[notify.message_class],
        [] if notify is None else list(notify.channels),
        {},
        won,
        rivals,
    )


def _identity(turn: Turn, candidate: Candidate) -> tuple[str, str, str, str]:
    return turn.record.customer_id, candidate.rule, candidate.key, candidate.occurrence


def _hold(turn: Turn, candidate: Candidate, channel: str, until: dt.datetime) -> None:
    candidate.channel = channel
    turn.record.held[candidate.message_id] = candidate
    set_timer(turn.record, _held_timer(turn, candidate), TimerEntry(until))


def _held_timer(turn: Turn, candidate: Candidate) -> str:
    """Timers of one instant run by name: what matters more is released first."""
    notify = turn.program.book.rules[candidate.rule].notify
    priority = 0 if notify is None else notify.priority
    return joined("held", f"{PRIORITY_MAX - priority:05d}", candidate.message_id)


def _told(turn: Turn, code: RuleCode, candidate: Candidate, *, is_told: bool) -> None:
    """Cooldown and goal go on from here, for the holdout as well."""
    from belfry.engine.alerts import alert_of  # noqa: PLC0415  alerts hand candidates to us

    rule = code.rule
    if rule.cooldown is not None:
        alert = alert_of(turn, rule, candidate.key)
        alert.told_at = turn.now if candidate.channel else candidate.at
    if rule.goal is not None:
        until = turn.now + rule.goal.within
        goal = Goal(rule.id, candidate.message_id, turn.now, until, is_told)
        turn.record.goals.append(goal)


def _record(  # noqa: PLR0917  outcome, reason, channel, send_at stand in the record's own order
    turn: Turn,
    code: RuleCode,
    candidate: Candidate,
    outcome: Outcome,
    reason: str,
    channel: str | None = None,
    send_at: dt.datetime | None = None,
    *,
    is_release: bool = False,
) -> None:
    notify = code.rule.notify
    is_message = outcome not in (Outcome.TASK, Outcome.EMIT)
    phase = "release" if is_release else "first"
    if is_release and outcome == Outcome.HOLD:  # quiet hours that changed may hold it again
        phase = f"until {send_at}"
    turn.decisions.append(
        recorded(
            turn,
            candidate,
            derived_id("decision", *_identity(turn, candidate), outcome, phase),
            outcome,
            reason,
            at=turn.now if is_release else candidate.at,
            message_class=notify.message_class if notify is not None and is_message else None,
            channel=channel,
            send_at=send_at,
            message_id=candidate.message_id or None if is_message else None,
        )
    )


def _task(turn: Turn, code: RuleCode, candidate: Candidate, sight: Sight) -> TaskOrder:
    task = code.rule.task
    assert task is not None
    return TaskOrder(
        derived_id("task", *_identity(turn, candidate)),
        turn.record.customer_id,
        code.rule.id,
        candidate.key,
        task.role,
        task.title or code.rule.title,
        task.priority,
        candidate.at,
        None if task.due is None else candidate.at + task.due,
        {name: value_of(turn, read, sight, code.rule) for name, read in code.task_with.items()},
    )


def _emit(turn: Turn, code: RuleCode, candidate: Candidate, sight: Sight) -> None:
    emit = code.rule.emit
    assert emit is not None
    struct = turn.program.book.event_types.structs[emit.event]
    fields: dict[str, Any] = {
        name: value_of(turn, read, sight, code.rule) for name, read in code.emit_with.items()
    }
    identity = _identity(turn, candidate)
    event = struct(
        id=derived_id("emit", *identity),
        time=candidate.at,
        customer_id=turn.record.customer_id,
        account_id=candidate.by_account or None,
        card_id=candidate.by_card or None,
        loan_id=candidate.by_loan or None,
        **{name: value for name, value in fields.items() if value is not None},
    )
    turn.derived.append(event)
