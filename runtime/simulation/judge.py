"""The judge: what must never happen, one function each, over a run and its reckoning.

In: a `Run`. Out: `Failure`s: which invariant, and one sentence. None: it held.
Invariant: nothing here asks the host; it is the providers' log, the disk, and naive arithmetic.
Not judged here, because one process in virtual time cannot show them: I13 recovery time and I14
memory (benchmarks), I16 erasure (not built yet); I11 across machines (trace hash, hash seeds).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from belfry.runtime.simulation import judge_sends, judge_state
from belfry.runtime.simulation.reckoning import Reckoning
from belfry.runtime.simulation.run import Run


class Failure(NamedTuple):
    """One broken promise."""

    invariant: str
    what: str


Judge = Callable[[Run, Reckoning], Iterator[str]]
JUDGES: dict[str, Judge] = {
    "I1 nothing answered is lost": judge_state.answered_is_applied,
    "I1 security has an end": judge_sends.security_has_an_end,
    "I2 never twice": judge_sends.never_twice,
    "I3 twice only when unknown": judge_sends.twice_only_when_unknown,
    "I4 caps": judge_sends.caps_hold,
    "I5 withdrawn is withdrawn": judge_sends.withdrawn_is_withdrawn,
    "I5 to the present number": judge_sends.to_the_present_number,
    "I6 quiet hours": judge_sends.quiet_hours_are_quiet,
    "I7 no timer is lost": judge_state.no_timer_is_lost,
    "I8 order": judge_state.order_is_kept,
    "I9 expiry": judge_sends.nothing_past_its_expiry,
    "I10 one decision": judge_state.one_decision_each,
    "I11 replay": judge_state.replay_is_the_same,
    "I12 it comes to an end": judge_state.it_comes_to_an_end,
    "I15 poison is kept": judge_state.poison_is_kept,
    "I17 rulebooks": judge_state.only_good_rulebooks_decide,
    "memory is the disk": judge_state.records_are_the_same,
}


def judge(run: Run, reckoning: Reckoning) -> list[Failure]:
    """All that is wrong with it."""
    return [Failure(name, what) for name, check in JUDGES.items() for what in check(run, reckoning)]
