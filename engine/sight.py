"""What a condition can see: one customer's record from the side of one event, timer or key.

In: a record, the event (if any), the instant, whose account, card and loan. Out: `Sight`, read by
generated code.
Invariant: a sight never changes the record.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from belfry.engine.record import Record


class Sight(msgspec.Struct, gc=False):
    """Attribute names are short because generated code is made of them."""

    r: Record
    t: dt.datetime
    e: Any = None
    a: Any = None
    k: Any = None
    l: Any = None
    p: Any = None
    account_id: str = ""
    card_id: str = ""
    loan_id: str = ""
    tier: Any = None


def of_event(record: Record, event: Any, at: dt.datetime) -> Sight:
    """From the side of an event: the account, card and loan that it names."""
    account_id = event.account_id or ""
    card_id = event.card_id or ""
    loan_id = event.loan_id or ""
    card = record.cards.get(card_id) if card_id else None
    loan = record.loans.get(loan_id) if loan_id else None
    if not account_id:
        account_id = owner_of(record, event)
    account = record.accounts.get(account_id) if account_id else None
    return Sight(record, at, event, account, card, loan, None, account_id, card_id, loan_id)


def owner_of(record: Record, event: Any) -> str:
    """The account behind the card or loan that an event names; empty: none known."""
    owner = record.cards.get(event.card_id) if event.card_id else None
    if owner is None and event.loan_id:
        owner = record.loans.get(event.loan_id)
    return (owner.account_id or "") if owner is not None else ""


def of_key(record: Record, by: str, key: str, at: dt.datetime) -> Sight:
    """From the side of a key, with no event: a timer, a change elsewhere, a release."""
    sight = Sight(record, at)
    match by:
        case "account":
            sight.account_id = key
        case "card":
            sight.card_id, sight.k = key, record.cards.get(key)
            sight.account_id = (sight.k.account_id or "") if sight.k is not None else ""
        case "loan":
            sight.loan_id, sight.l = key, record.loans.get(key)
            sight.account_id = (sight.l.account_id or "") if sight.l is not None else ""
        case _:
            pass
    sight.a = record.accounts.get(sight.account_id) if sight.account_id else None
    return sight


def key_of(sight: Sight, by: str) -> str:
    """The key that a rule or feature of this `by` has here; empty: there is none."""
    match by:
        case "account":
            return sight.account_id
        case "card":
            return sight.card_id
        case "loan":
            return sight.loan_id
        case _:
            return sight.r.customer_id


def keys_of(record: Record, by: str) -> list[str]:
    """All keys that a rule of this `by` has in the record, in a fixed order."""
    match by:
        case "account":
            return sorted(record.accounts)
        case "card":
            return sorted(record.cards)
        case "loan":
            return sorted(record.loans)
        case _:
            return [record.customer_id]
