"""What providers took, against what the bank promised.

In: a run and its reckoning. Out: sentences about what broke.
Invariant: reckoned from the providers' log with naive arithmetic, not with the engine's own.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator

from belfry.runtime.simulation.judge_state import decoded
from belfry.runtime.simulation.providers import Call
from belfry.runtime.simulation.reckoning import Reckoning
from belfry.runtime.simulation.rulebook import programs
from belfry.runtime.simulation.run import Run
from belfry.runtime.simulation.world import DAY, HOUR, local

MAY_REPEAT = frozenset({"security"})
EXEMPT = frozenset({"security", "regulatory"})
ON_ITS_WAY = dt.timedelta(minutes=1)  # between a decision and its call
QUIET = (dt.time(21), dt.time(8))
ROLLING = {"marketing": (1, 2 * DAY), "advice": (2, 36 * HOUR)}
SERVICE_DAY = 4


def accepted(run: Run) -> list[Call]:
    return [call for call in run.calls if call.is_accepted]


def never_twice(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I2: no attempt is called twice; no message but security reaches a provider twice."""
    calls = Counter(call.attempt.attempt_id for call in run.calls)
    yield from (f"attempt {one} was called {n} times" for one, n in calls.items() if n > 1)
    taken = Counter(
        (call.attempt.message_class, call.attempt.rule, call.attempt.message_id)
        for call in accepted(run)
        if call.attempt.message_class not in MAY_REPEAT
    )
    yield from (f"{kind} {rule} {one} was accepted {n} times"
                for (kind, rule, one), n in taken.items() if n > 1)  # fmt: skip


def twice_only_when_unknown(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I3: a second security message only where an earlier attempt is recorded as unknown."""
    unknown = Counter(message for _, message, state, _, _ in run.attempts if state == "unknown")
    taken = Counter(call.attempt.message_id for call in accepted(run))
    for one, number in taken.items():
        if number > 1 + unknown[one]:
            yield f"message {one} was accepted {number} times, {unknown[one]} unknown"


def security_has_an_end(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I1: a security message was accepted, or a second record says why not, or it is under way."""
    taken = {call.attempt.message_id for call in accepted(run)}
    ended = {
        one["message_id"]
        for one in run.decisions
        if one["class"] == "security" and one["outcome"] == "suppress"
    }
    open_ = {message for _, message, state, _, _ in run.attempts if state in {"ready", "started"}}
    open_.update(name for record in decoded(run).values() for name in record.outgoing)
    for one in run.decisions:
        if one["class"] == "security" and one["outcome"] == "send":
            message = one["message_id"]
            is_open = message in open_ and not run.is_liveness
            if message not in taken and message not in ended and not is_open:
                yield f"{one['rule']} {one['occurrence']} of {one['customer_id']} is nowhere"


def caps_hold(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I4: by the instant of the decision exactly, by that of the call within its way's length."""
    decided: dict[tuple[str, str], list[tuple[dt.datetime, str]]] = defaultdict(list)
    called: dict[tuple[str, str], list[tuple[dt.datetime, str]]] = defaultdict(list)
    sent_at: dict[str, dt.datetime] = {}
    for one in run.decisions:
        if one["outcome"] == "send" and one["send_at"] and one["message_id"]:
            sent_at[one["message_id"]] = dt.datetime.fromisoformat(one["send_at"])
    for message, call in {call.attempt.message_id: call for call in accepted(run)}.items():
        key = (call.attempt.customer_id, call.attempt.message_class)
        called[key].append((call.at, message))
        decided[key].append((sent_at[message], message))
    skews = dt.timedelta(minutes=10) if any(f.kind == "clock" for f in run.faults) else ON_ITS_WAY
    for (customer, kind), sent in called.items():
        if kind in ROLLING:
            limit, window = ROLLING[kind]
            yield from _rolling(customer, kind, decided[customer, kind], limit, window)
            yield from _rolling(customer, kind, sent, limit, window - skews)
        if kind == "service" and not any(fault.kind == "clock" for fault in run.faults):
            zone = run.world.zones.get(customer)
            days = Counter(local(at, zone).date() for at, _ in decided[customer, kind])
            yield from (f"{n} service messages to {customer} on {day}"
                        for day, n in days.items() if n > SERVICE_DAY)  # fmt: skip


def _rolling(
    customer: str, kind: str, sent: list[tuple[dt.datetime, str]], limit: int,
    window: dt.timedelta,
) -> Iterator[str]:  # fmt: skip
    times = sorted(at for at, _ in sent)
    for first, last in zip(times, times[limit:], strict=False):
        if last - first < window:
            yield f"{limit + 1} {kind} messages to {customer} within {last - first}"


def withdrawn_is_withdrawn(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I5: nothing is given out after a withdrawal is on disk. Calls on their way are counted."""
    for call in reckoning.unwanted:
        if call.is_accepted:
            attempt = call.attempt
            yield f"{attempt.rule} to {attempt.customer_id} at {call.at}: consent was withdrawn"


def to_the_present_number(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I5: nothing is given out to a contact point that was replaced before."""
    for call in reckoning.misdirected:
        if call.is_accepted:
            yield f"{call.attempt.rule} to {call.attempt.customer_id} at {call.at}: old address"


def quiet_hours_are_quiet(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I6: by the host's clock, but for a call that was on its way when they began."""
    for call in accepted(run):
        attempt = call.attempt
        if attempt.message_class == "security":
            continue
        zone = run.world.zones.get(attempt.customer_id)
        if all(
            _is_quiet(local(at, zone).time()) for at in (call.at, call.at - ON_ITS_WAY)
        ) and not _stepped(run, call.at):
            yield f"{attempt.rule} to {attempt.customer_id} at {local(call.at, zone)}"


def _is_quiet(time: dt.time) -> bool:
    return time >= QUIET[0] or time < QUIET[1]


def _stepped(run: Run, at: dt.datetime) -> bool:
    """The clock jumped about then: what was called by one clock was decided by another."""
    about = [
        run.world.start + dt.timedelta(seconds=fault.at)
        for fault in run.faults
        if fault.kind == "clock"
    ]
    return any(abs(at - one) < dt.timedelta(minutes=12) for one in about)


def nothing_past_its_expiry(run: Run, reckoning: Reckoning) -> Iterator[str]:
    """I9: by the host's clock at the call, counted from the first record of the message."""
    rules = programs()[0].book.rules
    begun: dict[str, dt.datetime] = {}
    for one in run.decisions:
        if one["message_id"]:
            begun.setdefault(one["message_id"], dt.datetime.fromisoformat(one["at"]))
    for call in run.calls:
        notify = rules[call.attempt.rule].notify
        if notify is None or notify.expires is None:
            continue
        expires = begun[call.attempt.message_id] + notify.expires
        if call.at >= expires:
            yield f"{call.attempt.rule} to {call.attempt.customer_id} at {call.at}, {expires}"
