"""Another attempt of a message: asked again like anything that was held, only its place is kept.

In: a message whose last attempt was not accepted. Out: the contact point to use now, `Hold`, or
why it goes no more.
Invariant: between two attempts consent, number, quiet hours and the fact itself may have changed;
what the first attempt took (its place under a cap, the cooldown, the control group) is not asked.
"""

from __future__ import annotations

from belfry.engine import gates
from belfry.engine.agenda import set_timer
from belfry.engine.decisions import Decision, derived_id
from belfry.engine.gates import Asking, Hold
from belfry.engine.program.build import RuleCode
from belfry.engine.reasons import Outcome, Reason
from belfry.engine.record import ContactPoint, Outgoing, TimerEntry, joined
from belfry.engine.turn import Turn, local_zone

RETRY_GATES: tuple[gates.Gate, ...] = (
    gates.rule_ready,
    gates.still_true,
    gates.not_expired,
    gates.rule_active,
    gates.customer_there,
    gates.consented,
    gates.reachable,
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
    candidate, notify = out.candidate, code.rule.notify
    tz = local_zone(turn)
    turn.decisions.append(
        Decision(
            derived_id("decision", out.message_id, str(out.attempts), f"until {until.until}"),
            turn.now.astimezone(tz),
            turn.record.customer_id,
            candidate.rule,
            candidate.key,
            candidate.occurrence,
            None if notify is None else notify.message_class,
            Outcome.HOLD,
            str(Reason.QUIET_HOLD),
            out.channel,
            until.until.astimezone(tz),
            candidate.values,
            turn.program.book.hash,
            out.message_id,
        )
    )
