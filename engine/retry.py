"""Another attempt of a message: asked again like anything that was held.

In: a message whose last attempt was not accepted. Out: the contact point to use now, `Hold`, or
why it goes no more.
Invariant: between two attempts consent, number, quiet hours and the fact itself may have changed;
what the first attempt took (the cooldown, the control group) is not asked. Its own place under a
cap does not stand in its way, and moves to the instant at which it goes out.
"""

from __future__ import annotations

from belfry.engine import gates
from belfry.engine.agenda import set_timer
from belfry.engine.decisions import derived_id
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


def ask_again(turn: Turn, code: RuleCode, out: Outgoing, channel: str) -> ContactPoint | Hold | str:
    """The contact point of that channel if the message may still go there now."""
    notify = code.rule.notify
    assert notify is not None
    message_class = turn.program.book.policies.classes[notify.message_class]
    ask = Asking(turn, code, out.candidate, message_class, [channel], {})
    for gate in RETRY_GATES:
        verdict = gate(ask)
        if verdict is not None:
            return verdict
    return ask.contact[channel]


def wait(turn: Turn, code: RuleCode, out: Outgoing, until: Hold) -> None:
    """Quiet hours began since: the next attempt is made when they end."""
    out.state = WAITING
    set_timer(turn.record, joined("retry", out.message_id), TimerEntry(until.until))
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
