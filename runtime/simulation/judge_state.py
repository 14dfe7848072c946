"""What is on the disk, against what came in.

In: a run and its reckoning. Out: sentences about what broke.
Invariant: the expected decisions are counted from the events by hand, in local time, not by rules.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from belfry.engine.instants import NEVER
from belfry.runtime.simulation.reckoning import Reckoning
from belfry.runtime.simulation.rulebook import DAILY, LARGE, programs
from belfry.runtime.simulation.run import Run
from belfry.runtime.simulation.world import DAY, LATENESS, local

LATE_MAX_S = 1.0  # a timer of a healthy host
LAST = frozenset({"sent", "missed"})  # at most one of them for a timer


def answered_is_applied(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I1: each event that a sender was told is taken is in the journal, or too old to count."""
    known = {step.event.id for step in run.journal}
    for raw in run.answered:
        event = json.loads(raw)
        if event["id"] not in known:
            yield f"{event['type']} {event['id']} was answered and is not on the disk"


def order_is_kept(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I8: a happening older than the newest of its customer by the lateness changes nothing."""
    for name in reckoning.twice:
        yield f"an event of {name} was applied twice"
    for name, events in reckoning.applied.items():
        latest = run.world.start - DAY
        for event in events:
            kind = event.__class__.__name__
            if kind in {"Transaction", "Login", "Security", "Request"}:
                if event.time <= latest - LATENESS:
                    yield f"{kind} {event.id} of {name} came too late and was applied"
                latest = max(latest, event.time)


def one_decision_each(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I10: no id twice; each event of the rules `alarm` and `large` has one first decision."""
    ids = Counter(one["id"] for one in run.decisions)
    yield from (f"decision {one} is there {n} times" for one, n in ids.items() if n > 1)
    first: Counter[tuple[str, str, str]] = Counter()
    messages: set[str] = set()
    for one in run.decisions:
        message = one["message_id"]
        if one["rule"] in {"alarm", "large"} and message not in messages:
            first[one["rule"], one["customer_id"], one["occurrence"]] += 1
            messages.add(message)
    waiting = _waiting(run)
    expected = {
        (rule, name, event.id)
        for name, events in reckoning.applied.items()
        for event in events
        if (rule := _rule_of(event))
    }
    for rule, name, id_ in sorted(expected - first.keys()):
        if (name, id_) not in waiting:
            yield f"{rule} never decided about {id_} of {name}"
    yield from (f"{one} was decided and should not" for one in sorted(first.keys() - expected))


def _rule_of(event: Any) -> str:
    kind = event.__class__.__name__
    if kind == "Transaction" and event.amount > LARGE:
        return "large"
    return "alarm" if kind == "Security" else ""


def _waiting(run: Run) -> set[tuple[str, str]]:
    """Candidates whose arbitration window is open at the end."""
    return {
        (name, candidate.occurrence)
        for name, record in decoded(run).items()
        for many in record.waiting.values()
        for candidate in many
    }


def decoded(run: Run) -> dict[str, Any]:
    """The records on the disk."""
    from belfry.engine.record_codec import RecordCodec  # noqa: PLC0415

    codec = RecordCodec(programs()[0].book)
    return {name: codec.decode(raw) for name, raw in run.records.items()}


def replay_is_the_same(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I11: the journal, decided anew without crashes, gives the same bytes in the same order."""
    if run.lines != reckoning.lines:
        both = zip(run.lines, reckoning.lines, strict=False)
        place = next((n for n, (a, b) in enumerate(both) if a != b), -1)
        yield f"{len(run.lines)} decisions, {len(reckoning.lines)} again; first other: {place}"


def records_are_the_same(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """After any number of crashes the disk holds what an undisturbed life would hold."""
    for name in sorted(run.records.keys() | reckoning.records.keys()):
        if run.records.get(name) != reckoning.records.get(name):
            yield f"the record of {name} is another one"


def no_timer_is_lost(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I7: the daily rule decided once for each local day of each customer, clock changes too."""
    hour, minute = map(int, DAILY[1].split(":"))
    decided = Counter(
        (one["customer_id"], dt.datetime.fromisoformat(one["occurrence"]))
        for one in run.decisions
        if one["rule"] == DAILY[0] and one["reason"] in LAST
    )
    for (name, at), number in decided.items():
        if number > 1:
            yield f"the timer of {name} at {at} was decided {number} times"
    dues = {(name, at) for name, at in decided}
    dues |= {
        (one["customer_id"], dt.datetime.fromisoformat(one["occurrence"]))
        for one in run.decisions
        if one["rule"] == DAILY[0]
    }
    waiting = _waiting(run)
    for name, events in reckoning.applied.items():
        since = min((one.time for one in events if one.id.startswith("e")), default=NEVER)
        zone = run.world.zones.get(name)
        day = local(run.world.start, zone).date()
        while day < local(run.end - DAY, zone).date():
            wall = dt.datetime.combine(day, dt.time(hour, minute), local(run.end, zone).tzinfo)
            at = wall.astimezone(dt.UTC)
            is_due = at > max(since, run.world.start + DAY / 2)
            if is_due and (name, at) not in dues and (name, at.isoformat()) not in waiting:
                yield f"the timer of {name} at {wall} never fired"
            day += DAY


def it_comes_to_an_end(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I12: a healthy day and a half after the last fault nothing is open, queued or overdue."""
    if not run.is_liveness:
        return
    yield from (f"attempt {one[0]} is {one[2]}" for one in run.attempts
                if one[2] in {"ready", "started"})  # fmt: skip
    yield from (f"a timer of {name} is overdue" for name in run.overdue)
    if run.unanswered:
        yield f"{run.unanswered} requests wait"
    calm = run.world.end + dt.timedelta(hours=10)
    worst = max((late for at, late in run.lateness_s if at > calm), default=0.0)
    if worst > LATE_MAX_S:
        yield f"a timer was {worst:.3f} s late"
    for name, record in decoded(run).items():
        if record.outgoing:
            yield f"messages of {name} are under way"
        late = [one for one in record.held.values() if run.end - one.at > DAY]
        if late:
            yield f"{len(late)} messages of {name} are held for more than a day"


def poison_is_kept(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I15: a record that is no event is in quarantine, and what came with it was taken."""
    answered = run.seen["poison answered"]
    if run.refused < answered:
        yield f"{answered} malformed records were answered, {run.refused} are kept"


def only_good_rulebooks_decide(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I17: every decision carries the hash of one that was taken whole."""
    good = {program.book.hash for program in programs()}
    for one in {one["rulebook"] for one in run.decisions} - good:
        yield f"decided by {one}"
