"""Which of the candidates may speak, computed the plain way: the policies of berka_rules/ by hand.

In: candidates, and who can be reached and agreed to what. Out: the decisions, as tuples to compare.
Nothing of Belfry is imported here either.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from berka_oracle import END, PRAGUE, START, Candidate, balance_at, utc

Told = tuple[str, int, int, dt.datetime, str, str, str | None]
# rule → class, channels in order, priority, cooldown, expires
RULES: dict[str, tuple[str, tuple[str, ...], int, dt.timedelta | None, dt.timedelta | None]] = {
    "big-debit": ("service", ("sms", "email"), 50, dt.timedelta(days=10), None),
    "low-state": ("service", ("sms", "email"), 60, None, dt.timedelta(hours=12)),
    "cash-velocity": ("security", ("sms", "email"), 90, None, None),
    "unusual-debit": ("advice", ("email",), 40, dt.timedelta(days=7), None),
    "good-month": ("advice", ("email",), 30, None, None),
    "birthday-10": ("advice", ("email",), 20, None, None),
    "silent-60": ("service", ("email", "sms"), 30, None, None),
    "income-stopped": ("service", ("email", "sms"), 30, None, None),
    "paid-then-cash": ("service", ("email", "sms"), 55, None, None),
}
ARBITRATION = {"service": dt.timedelta(seconds=2), "advice": dt.timedelta(minutes=5)}
QUIET_END = dt.time(8)
QUIET_FROM = dt.time(21)
CAP, CAP_WINDOW = 2, dt.timedelta(days=30)
JULY = dt.datetime(1993, 7, 1, 12, tzinfo=PRAGUE)
SEPTEMBER = dt.datetime(1993, 9, 1, 12, tzinfo=PRAGUE)
BEFORE = START - dt.timedelta(seconds=1)


# --- who can be reached: made up by the client's number, for the events and for the oracle ------
def contacts(client: int, at: dt.datetime) -> set[str]:
    """The channels on which a customer can be reached."""
    match client % 5:
        case 0:
            return {"sms"}
        case 1:
            return {"email"}
        case 2:
            return {"sms", "email"}
        case 3:
            return set()
        case _:
            return {"sms", "email"} if at < SEPTEMBER else {"sms"}


def consent(client: int, purpose: str, at: dt.datetime) -> bool | None:
    """True, False, or None where the customer was never asked."""
    if purpose == "service":
        return False if client % 10 == 7 or (client % 10 == 2 and at >= JULY) else None
    if client % 3 == 0:
        return False if client % 2 == 0 else None
    return not (client % 10 == 6 and at >= JULY)


def people_events(clients: Iterable[int], name: str) -> list[dict[str, object]]:
    """The same people as events. `name`: the pattern of customer ids, such as "C{}"."""
    found: list[dict[str, object]] = []

    def add(client: int, at: dt.datetime, **fields: object) -> None:
        number = f"people-{len(found)}"
        found.append(
            {"id": number, "time": at.isoformat(), "customer_id": name.format(client), **fields}
        )

    addresses = {"sms": ("mobile", "+420601{:06d}"), "email": ("email", "c{}@example.com")}
    for client in clients:
        for at in (BEFORE, JULY, SEPTEMBER):
            since, before = (START, None) if at == BEFORE else (at, at - dt.timedelta(seconds=1))
            for channel, (kind, pattern) in addresses.items():
                has = channel in contacts(client, since)
                had = before is not None and channel in contacts(client, before)
                address = pattern.format(client)
                if has and not had:
                    add(client, at, type="contact", kind=kind, address=address, verified=True)
                elif had and not has:
                    add(client, at, type="contact", kind=kind, address=None)
            for purpose in ("service", "advice"):
                given = consent(client, purpose, since)
                known = None if before is None else consent(client, purpose, before)
                if given is not None and given != known:
                    add(client, at, type="consent", purpose=purpose, given=given)
    return found


# --- the gates, per customer --------------------------------------------------------------------
@dataclass(slots=True)
class Memory:
    """What one customer was sent, and when each rule last spoke for a key."""

    sent: list[dt.datetime] = field(default_factory=list)
    told_at: dict[tuple[str, int], dt.datetime] = field(default_factory=dict)


def decide(found: list[Candidate]) -> Counter[Told]:
    """Every decision, with how often it stands there."""
    by_client: dict[int, list[Candidate]] = defaultdict(list)
    for one in found:
        by_client[one.client].append(one)
    decisions: Counter[Told] = Counter()
    for own in by_client.values():
        decisions.update(_decide_for(own))
    return decisions


def _decide_for(own: list[Candidate]) -> list[Told]:
    groups: dict[tuple[dt.datetime, str], list[Candidate]] = defaultdict(list)
    decisions: list[Told] = []
    for one in own:
        if one.rule == "penalty-task":
            decisions.append(_told(one, one.at, "task", "raised", None))
            continue
        message_class = RULES[one.rule][0]
        groups[one.at + ARBITRATION.get(message_class, dt.timedelta(0)), message_class].append(one)
    queue = [(now, message_class, 0) for now, message_class in groups]
    heapq.heapify(queue)
    held: dict[dt.datetime, list[Candidate]] = defaultdict(list)
    memory = Memory()
    while queue:
        now, message_class, is_release = heapq.heappop(queue)
        if is_release:
            if now <= END:
                decisions += [_ask(c, now, memory, set(), is_release=True) for c in held[now]]
            continue
        won: set[int] = set()
        group = groups[now, message_class]
        for one in sorted(group, key=lambda c: (-RULES[c.rule][2], c.at, c.rule, str(c.key))):
            told = _ask(one, now, memory, won, is_release=False)
            decisions.append(told)
            if told[4] == "hold":
                release_at = _quiet_until(now)
                if not held[release_at]:
                    heapq.heappush(queue, (release_at, "", 1))
                held[release_at].append(one)
    return decisions


def _ask(
    one: Candidate, now: dt.datetime, memory: Memory, won: set[int], *, is_release: bool
) -> Told:
    message_class, channels, _, cooldown, expires = RULES[one.rule]
    at = now if is_release else one.at
    if one.balances and not balance_at(one.balances, now) < 1_000:
        return _told(one, at, "suppress", "not_true_any_more", None)
    if expires is not None and now >= one.at + expires:
        return _told(one, at, "suppress", "expired", None)
    given = None if message_class == "security" else consent(one.client, message_class, now)
    if given is False:
        return _told(one, at, "suppress", "opted_out", None)
    if given is None and message_class == "advice":
        return _told(one, at, "suppress", "no_consent", None)
    reachable = [channel for channel in channels if channel in contacts(one.client, now)]
    if not reachable:
        return _told(one, at, "suppress", "no_contact", None)
    last = memory.told_at.get((one.rule, one.key))
    if cooldown is not None and last is not None and one.at - last < cooldown:
        return _told(one, at, "suppress", "cooldown", None)
    if message_class == "advice":
        counted = [place for place, sent in enumerate(memory.sent) if sent > now - CAP_WINDOW]
        if len(counted) >= CAP:
            before = [place for place in counted if place not in won]
            reason = "lost_arbitration" if len(before) < CAP else "cap_advice_month"
            return _told(one, at, "suppress", reason, None)
    channel = reachable[0]
    if channel == "sms" and message_class == "service" and _quiet_until(now) > now:
        return _told(one, at, "hold", "quiet_hold", channel)
    if message_class == "advice":
        won.add(len(memory.sent))
        memory.sent.append(now)
    memory.told_at[one.rule, one.key] = now if is_release else one.at
    return _told(one, at, "send", "sent", channel)


def _quiet_until(now: dt.datetime) -> dt.datetime:
    local = now.astimezone(PRAGUE)
    if QUIET_END <= local.time() < QUIET_FROM:
        return now
    later = local.date() + dt.timedelta(days=local.time() >= QUIET_FROM)
    return utc(later, QUIET_END)


def _told(one: Candidate, at: dt.datetime, outcome: str, reason: str, channel: str | None) -> Told:
    return one.rule, one.client, one.key, at.astimezone(dt.UTC), outcome, reason, channel
