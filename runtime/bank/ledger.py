"""The ledger: planned moves become transactions, in order of time, each with the balance after it.

In: a life's moves. Out: `transaction` events, and the `account` facts that follow from them.
Invariant: balance after = balance before + amount (credit) or - amount (debit); a declined payment
moves nothing.
"""

from __future__ import annotations

from belfry.runtime.bank.life import Entry, Fields, Move, money, stamp

LEAST = 3_000  # cents; nobody plans a payment of less


def book(moves: list[Move]) -> list[Entry]:
    """All of one life, in order of time; equal times keep the order of planning."""
    entries: list[Entry] = []
    declined: set[str | None] = set()
    for move in sorted(moves, key=lambda one: one.at):
        is_early = move.purse.opened_at is not None and move.at <= move.purse.opened_at
        if is_early or move.reverses in declined or move.needs in declined:
            declined.add(move.id)
            continue
        entry = _book(move, declined)
        if entry is not None:
            entries.append(entry)
    return entries


def _book(move: Move, declined: set[str | None]) -> Entry | None:
    purse, is_debit = move.purse, move.cents < 0 or move.leaves is not None
    refused, cents = move.decline, move.cents
    if move.leaves is not None:
        cents = move.leaves - purse.cents
        if cents > -LEAST:
            declined.add(move.id)
            return None
    after = purse.cents + cents
    if is_debit and move.keeps is not None and after < move.keeps:
        declined.add(move.id)
        return None
    if refused is None and is_debit and not move.is_forced and after < -purse.floor:
        refused = "insufficient_funds"
    event: Fields = {
        "type": "transaction",
        "id": move.id,
        "time": stamp(move.at),
        "account_id": purse.account_id,
        "amount": money(abs(cents)),
        "currency": "CNY",
        "direction": "debit" if is_debit else "credit",
        **move.words,
    }
    if refused is not None:
        declined.add(move.id)
        event |= {"status": "declined", "decline_reason": refused}
    else:
        purse.cents = after
        if move.reverses is not None:
            event["reverses"] = move.reverses
    event["balance"] = money(purse.cents)
    return move.at + move.delay, event
