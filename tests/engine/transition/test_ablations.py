"""Takes one safeguard away at a time: the checks of the properties must notice each.

A check that can't fail proves nothing; this is the proof that these can.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from bank import Bank, facts
from test_properties import PROGRAM, START, consent_faults, faults

from belfry.engine import caps, decide, gates, transition

SEEDS = 60


def stream(seed: int) -> list[dict[str, Any]]:
    """A few busy days: spending by day and night, consents given and withdrawn."""
    random_ = random.Random(seed)
    found = []
    for number in range(30):
        at = START.replace(day=2 + number // 6, hour=random_.randrange(24), minute=number)
        base = {"at": at.isoformat(), "id": f"e-{number}"}
        if random_.random() < 0.8:
            found.append({
                **base, "type": "transaction", "account_id": "A1", "direction": "debit",
                "amount": random_.randrange(1, 300), "balance": random_.randrange(1200),
            })  # fmt: skip
        else:
            purpose = random_.choice(["marketing", "advice"])
            found.append({**base, "type": "consent", "customer_id": "C1", "purpose": purpose,
                          "given": random_.random() < 0.5})  # fmt: skip
    return sorted(found, key=lambda one: one["at"])


def noticed() -> int | None:
    """The first seed at which the checks find something wrong."""
    for seed in range(SEEDS):
        events = stream(seed)
        bank = Bank(PROGRAM).take(*facts())
        for event in events:
            one = bank.event(event)
            bank.host.accept(one)
            bank.host._seen.clear()  # a host without memory: the record alone must know repeats
            bank.host.accept(bank.event(event))
        bank.until("2026-03-09T12:00:00")
        if faults(bank) or consent_faults(bank, events) or stale(bank) or expired(bank):
            return seed
    return None


def expired(bank: Bank) -> bool:
    """Something went out after its time."""
    begun: dict[str, Any] = {}
    for one in bank.decisions:
        if one.message_id is None:
            continue
        first = begun.setdefault(one.message_id, one.at)
        notify = PROGRAM.book.rules[one.rule].notify
        if one.outcome != "send" or notify is None or notify.expires is None:
            continue
        if one.send_at is not None and one.send_at >= first + notify.expires:
            return True
    return False


def stale(bank: Bank) -> bool:
    """A held low-balance message went out although the balance had recovered by then."""
    for one in bank.decisions:
        if one.rule != "low" or one.outcome != "send" or one.send_at is None:
            continue
        balances = [
            event.balance
            for event in bank.taken
            if event.__class__.__name__ == "Transaction" and event.time <= one.send_at
        ]
        if balances and balances[-1] >= 600:
            return True
    return False


def without(gate: Callable[..., Any]) -> tuple[Callable[..., Any], ...]:
    """The gates but one."""
    return tuple(one for one in gates.GATES if one is not gate)


def test_with_all_safeguards_nothing_is_noticed() -> None:
    assert noticed() is None


@pytest.mark.parametrize(
    "gate",
    [
        gates.consented, gates.within_caps, gates.outside_quiet_hours, gates.not_expired,
        gates.still_true,
    ],
    ids=lambda gate: gate.__name__,
)  # fmt: skip
def test_a_gate_that_is_taken_away_is_missed(
    gate: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide, "GATES", without(gate))
    if gate is gates.not_expired:  # quiet hours guard the same border: take their half away too
        monkeypatch.setattr(gates, "expires_at", lambda ask: gates.NEVER)
    assert noticed() is not None


def test_caps_that_are_not_reserved_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "reserve", lambda *taken: None)
    assert noticed() is not None


def test_repeats_that_are_not_known_are_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transition, "SEEN_CHECKED", 0)
    monkeypatch.setattr(transition, "_forget_old", lambda seen, edge: seen.clear())
    assert noticed() is not None
