"""Another attempt of a message: asked again like anything that was held.

In: a message that goes on, a channel. Out: the contact point to use now, `Hold`, or why not.
Invariant: between two attempts consent, number, quiet hours and the fact itself may have changed;
what the first attempt took (the cooldown, the control group) is not asked. Its own place under a
cap does not stand in its way, and moves to the instant at which it goes out. No randomness: the
jitter of a pause is derived from the attempt's id.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine import gates
from belfry.engine.agenda import set_timer
from belfry.engine.decisions import derived_id, percent_of
from belfry.engine.gates import Asking, Hold
from belfry.engine.program.build import RuleCode
from belfry.engine.reasons import Outcome, Reason
from belfry.engine.record import ContactPoint, Outgoing, TimerEntry, joined
from belfry.engine.recorded import recorded
from belfry.engine.turn import Turn

RETRY_GATES: tuple[gates.Gate, ...] = (
    gates.rule_ready,
    gates.still_true,
    gates.not_expired,
    gates.rule_active,
    gates.customer_there,
    gates.consented,
    gates.reachable,
    gates.within_caps,
    gates.outside_quiet_hours,
)
WAITING = "waiting"
# Full jitter: anything up to the bound, so that what failed together does not come back together.
PAUSE_FIRST = dt.timedelta(seconds=4)  # the bound; it doubles with each attempt
PAUSE_MAX = dt.timedelta(minutes=15)


def ask_again(turn: Turn, code: RuleCode, out: Outgoing, channel: str) -> ContactPoint | Hold | str:
    """The contact point of that channel if the message may still go there now."""
    notify = code.rule.notify
    assert notify is not None
    if channel not in notify.channels:
        return Reason.RULE_CHANGED
    message_class = turn.program.book.policies.classes[notify.message_class]
    ask = Asking(turn, code, out.candidate, message_class, [channel], {})
    for gate in RETRY_GATES:
        verdict = gate(ask)
        if verdict is not None:
            return verdict
    return ask.contact[channel]


class Pause(Hold):
    """Nobody but the provider is in the way: waited for without a record."""


def pause(turn: Turn, code: RuleCode, out: Outgoing) -> Pause | str:
    """When a provider that was asked before may be asked again; too late is never."""
    bound = min(PAUSE_MAX, PAUSE_FIRST * 2 ** (out.attempts - 1))
    until = turn.now + bound * (percent_of("pause", out.attempt_id) / 100)
    notify = code.rule.notify
    expires = None if notify is None else notify.expires
    is_late = expires is not None and until >= out.candidate.at + expires
    return Reason.PROVIDER_EXHAUSTED if is_late else Pause(until)


def wait(turn: Turn, code: RuleCode, out: Outgoing, until: Hold) -> None:
    """The next attempt is made then. Quiet hours that began since leave a record."""
    out.state = WAITING
    set_timer(turn.record, joined("retry", out.message_id), TimerEntry(until.until))
    if isinstance(until, Pause):
        return
    notify = code.rule.notify
    turn.decisions.append(
        recorded(
            turn,
            out.candidate,
            derived_id("decision", out.message_id, str(out.attempts), f"until {until.until}"),
            Outcome.HOLD,
            Reason.QUIET_HOLD,
            at=turn.now,
            message_class=None if notify is None else notify.message_class,
            channel=out.channel,
            send_at=until.until,
            message_id=out.message_id,
        )
    )
