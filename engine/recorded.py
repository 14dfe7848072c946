"""The decision record of a candidate: what all who decide write alike.

In: the turn, the candidate, what was decided. Out: a `Decision`.
Invariant: instants are written in the customer's zone, and the rulebook is the one that decided.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.decisions import Decision
from belfry.engine.reasons import Outcome
from belfry.engine.record import Candidate
from belfry.engine.turn import Turn, local_zone


def recorded(
    turn: Turn,
    candidate: Candidate,
    decision_id: str,
    outcome: Outcome,
    reason: str,
    *,
    at: dt.datetime,
    message_class: str | None,
    channel: str | None = None,
    send_at: dt.datetime | None = None,
    message_id: str | None = None,
) -> Decision:
    """`at`: the occurrence, or the instant of a later word about the same message."""
    tz = local_zone(turn)
    return Decision(
        decision_id,
        at.astimezone(tz),
        turn.record.customer_id,
        candidate.rule,
        candidate.key,
        candidate.occurrence,
        message_class,
        outcome,
        str(reason),
        channel,
        None if send_at is None else send_at.astimezone(tz),
        candidate.values,
        turn.program.book.hash,
        message_id,
    )
