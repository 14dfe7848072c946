"""The last look: may this attempt still go out, now that everything of its commit is on disk?

In: the program, records, the outbox, the clock. Out: the attempts to be called.
Invariant: a no is not an end. The engine hears that it was surely not sent and asks all gates
again, so that the reason is the right one, or the next attempt goes to the right number.
An event is decided at its own time; what was true then may be withdrawn by now.
"""

from __future__ import annotations

import datetime as dt
from collections import deque

from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.program import Program
from belfry.engine.record import ContactPoint, Record
from belfry.engine.retry import ask_again
from belfry.engine.turn import Turn
from belfry.runtime.outbox import STARTED, Outbox, refusal, stored
from belfry.runtime.stored_records import StoredRecords


def take_wanted(
    program: Program,
    records: StoredRecords,
    outbox: Outbox,
    answers: deque[Answer],
    now: dt.datetime,
) -> list[Attempt]:
    """Those to be called now, each once; `answers` hears of the others. A failing store takes none.

    Records are read before anything is taken out: nothing can be lost in between.
    """
    of = {one.customer_id: records.get(one.customer_id) for one in outbox.to_call}
    wanted = []
    for attempt in outbox.take():
        if is_still_wanted(program, of[attempt.customer_id], attempt, now):
            wanted.append(attempt)
        else:
            answers.append(refusal(stored(attempt, STARTED), now))
    return wanted


def is_still_wanted(program: Program, record: Record, attempt: Attempt, now: dt.datetime) -> bool:
    """Consent, number, quiet hours and the fact are as they were when it was approved."""
    code = program.rules.get(attempt.rule)
    out = record.outgoing.get(attempt.message_id)
    if code is None or code.rule.notify is None or out is None:
        return False
    if out.attempt_id != attempt.attempt_id or record.rulebook != program.book.hash:
        return False
    found = ask_again(Turn(program, record, now), code, out, attempt.channel)
    return isinstance(found, ContactPoint) and found.address == attempt.address
