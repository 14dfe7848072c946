"""A campaign: many seeds, what each broke, and whether everything that can happen did.

In: seeds, a mode. Out: `Result`s; after them what was never reached, which fails the campaign.
Invariant: a failure is one line with the command that replays it, its faults cut down to those
that are needed for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from belfry.runtime.simulation import faults as fault_list
from belfry.runtime.simulation.judge import Failure, judge
from belfry.runtime.simulation.providers import FAIR
from belfry.runtime.simulation.reckoning import Reckoning, reckon
from belfry.runtime.simulation.run import Run, simulate

CUTS_MAX = 60  # runs spent on cutting down one failure
# The reasons that the simulation's rulebook can give; the others need rules that it does not have.
REASONS = (
    "sent", "raised", "quiet_hold", "no_consent", "opted_out", "no_contact", "unverified_contact",
    "cooldown", "not_true_any_more", "expired", "missed", "lost_arbitration", "holdout",
    "provider_rejected", "provider_exhausted", "no_answer", "cap_marketing_days",
    "cap_service_day", "cap_advice_hours",
)  # fmt: skip


class Result(NamedTuple):
    """One run, judged."""

    seed: int
    is_liveness: bool
    failures: list[Failure]
    seen: Counter[str]
    trace: str


def judged(seed: int, *, is_liveness: bool, only: list[int] | None = None) -> Result:
    """One run; `only`: the places of the faults that happen."""
    run = simulate(seed, is_liveness=is_liveness, only=only)
    reckoning = reckon(run)
    return Result(seed, is_liveness, judge(run, reckoning), _seen(run, reckoning), run.trace)


def campaign(seeds: Iterable[int], *, is_liveness: bool | None = None) -> Iterator[Result]:
    """Mode None: even seeds for safety, odd ones for liveness."""
    for seed in seeds:
        is_odd = bool(seed % 2)
        yield judged(seed, is_liveness=is_odd if is_liveness is None else is_liveness)


def expected() -> set[str]:
    """All that a campaign has to have seen once."""
    return {
        *(f"reason {one}" for one in REASONS),
        *(f"provider {one}" for one in FAIR),
        *(f"crash {one}" for one in fault_list.POINTS),
        *(f"fault disk {one}" for one in fault_list.ERRORS),
        *(f"fault disk_long {one}" for one in fault_list.ERRORS),
        *(f"fault outage {one}" for one in fault_list.OUTAGES),
        "fault kill", "fault clock", "fault reload", "fault reload_faulty", "reloaded",
        "answer twice", "poison answered", "stale attempt", "retry waits", "race in flight",
    }  # fmt: skip


def cut_down(result: Result) -> list[int]:
    """Places of the faults without which the first failure does not happen; cheap, not minimal."""
    wanted = result.failures[0].invariant
    kept = [*range(len(simulate(result.seed, is_liveness=result.is_liveness).faults))]
    size, spent = max(1, len(kept) // 2), 0
    while size and spent < CUTS_MAX:
        start = 0
        while start < len(kept) and spent < CUTS_MAX:
            fewer = kept[:start] + kept[start + size :]
            spent += 1
            again = judged(result.seed, is_liveness=result.is_liveness, only=fewer)
            if any(one.invariant == wanted for one in again.failures):
                kept = fewer
            else:
                start += size
        size //= 2
    return kept


def command(result: Result, only: list[int] | None = None) -> str:
    """What replays it."""
    mode = " --liveness" if result.is_liveness else ""
    cut = "" if only is None else f" --only {','.join(map(str, only)) or 'none'}"
    return f"belfry sim --seed {result.seed}{mode}{cut}"


def _seen(run: Run, reckoning: Reckoning) -> Counter[str]:
    seen = Counter(run.seen)
    sent: set[str] = set()
    for one in run.decisions:
        seen[f"reason {one['reason']}"] += 1
        if one["outcome"] == "send":
            sent.add(one["message_id"])
        elif one["outcome"] == "hold" and one["message_id"] in sent:
            seen["retry waits"] += 1
    called = {call.attempt.attempt_id for call in run.calls}
    seen["stale attempt"] += sum(
        state == "rejected" and name not in called for name, _, state, _, _ in run.attempts
    )
    seen["race in flight"] += len(reckoning.raced)
    return seen
