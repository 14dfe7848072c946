"""Links: from an event to the customers whose records it changes.

In: events in order. Out: customer ids, the first owner first, None if nobody is known; and
`handovers`: what customers have to hear before this event because they join or leave an account.
Invariant: an event reaches every holder of its account; what an event says of holders counts from
that event on. Nothing here is forgotten between two events but `handovers`, which the host takes.
Source: docs/decisions/0001-where-the-design-was-silent.md.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET

from belfry.engine.events import Departure, Event, Snapshot
from belfry.engine.instants import NEVER

_OWN = frozenset((*Event.__struct_fields__, "type", "holders", "balance"))
Balance = tuple[dt.datetime, Decimal | None]


class AccountFacts(msgspec.Struct, omit_defaults=True):
    """What facts said of an account, its cards and loans: plain values as JSON has them."""

    latest: dt.datetime
    account: dict[str, Any] = {}
    cards: dict[str, dict[str, Any]] = {}
    loans: dict[str, dict[str, Any]] = {}


_encode = msgspec.msgpack.encode
_decode = msgspec.msgpack.Decoder(AccountFacts).decode

# What a host has to keep: the maps of `Links` and the type of their values, for its codec.
STORED: Mapping[str, Any] = {
    "holders": tuple[str, ...],
    "card_account": str,
    "loan_account": str,
    "facts": bytes,
    "balances": Balance,
}


@dataclass(slots=True)
class Links:
    """What is known so far. `holders`: account → customers, first owner first.

    `facts`: account → `AccountFacts` as msgpack, a few hundred bytes. `balances`: account → its
    balance and since when. Values are replaced, never changed in place.
    """

    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    card_account: dict[str, str] = field(default_factory=dict)
    loan_account: dict[str, str] = field(default_factory=dict)
    facts: dict[str, bytes] = field(default_factory=dict)
    balances: dict[str, Balance] = field(default_factory=dict)
    handovers: list[tuple[str, Snapshot | Departure]] = field(default_factory=list)

    def resolve(self, event: Any) -> tuple[str, ...] | None:
        """Complete the event's `account_id`, learn from it, and say whose it is."""
        if event.card_id is not None:
            _link(event, event.card_id, self.card_account)
        elif event.loan_id is not None:
            _link(event, event.loan_id, self.loan_account)
        account_id = event.account_id
        if account_id is None:
            return None if event.customer_id is None else (event.customer_id,)
        kind = event.__struct_config__.tag
        if kind == "transaction":
            found = self._of_account(event, account_id)
            if event.balance is not None and found is not None:
                self._balance(account_id, event.time, event.balance)
            return found
        holders = getattr(event, "holders", UNSET) if kind == "account" else UNSET
        if holders is not UNSET and holders is not None:
            ordered = sorted(holders, key=lambda holder: holder.role != "owner")
            found = tuple(dict.fromkeys(holder.customer_id for holder in ordered))
            self._hand_over(event, account_id, found)
            self.holders[account_id] = found
        else:
            found = self._of_account(event, account_id)
        if found is not None and kind in ("account", "card", "loan"):
            self._learn(event, account_id, kind)
        return found

    def take_handovers(self) -> list[tuple[str, Snapshot | Departure]]:
        """Customer and event, in the order in which they have to be applied."""
        found, self.handovers = self.handovers, []
        return found

    def _of_account(self, event: Any, account_id: str) -> tuple[str, ...] | None:
        known = self.holders.get(account_id)
        customer_id = event.customer_id
        if not known:
            if customer_id is None:
                return None
            known = self.holders[account_id] = (customer_id,)
        if customer_id is not None and customer_id not in known:
            return (*known, customer_id)
        return known

    # --- what is known of an account ---
    def _learn(self, event: Any, account_id: str, kind: str) -> None:
        """A late fact only fills what is missing."""
        raw = self.facts.get(account_id)
        known = AccountFacts(event.time) if raw is None else _decode(raw)
        is_late = event.time < known.latest
        into = known.account
        if kind == "card":
            into = known.cards.setdefault(event.card_id, {})
        elif kind == "loan":
            into = known.loans.setdefault(event.loan_id, {})
        for name, value in msgspec.to_builtins(event).items():
            is_kept = name not in _OWN or (name == "balance" and kind == "loan")
            if not is_kept or (is_late and name in into):
                continue
            if value is None:
                into.pop(name, None)
            else:
                into[name] = value
        known.latest = max(known.latest, event.time)
        self.facts[account_id] = _encode(known)
        if kind == "account" and event.balance is not UNSET:
            self._balance(account_id, event.time, event.balance)

    def _balance(self, account_id: str, at: dt.datetime, balance: Decimal | None) -> None:
        known = self.balances.get(account_id)
        if known is None or known[0] <= at:
            self.balances[account_id] = (at, balance)

    # --- joining and leaving ---
    def _hand_over(self, event: Any, account_id: str, holders: tuple[str, ...]) -> None:
        before = self.holders.get(account_id)
        if not before or before == holders:
            return
        head = {"time": event.time, "source": event.source, "account_id": account_id}
        for one in before:
            if one not in holders:
                left = Departure(id=f"{event.id}/left", customer_id=one, **head)
                self.handovers.append((one, left))
        facts = [] if set(holders) <= set(before) else self._as_known(account_id)
        for one in holders:
            if one not in before and facts:
                known = Snapshot(id=f"{event.id}/snapshot", customer_id=one, facts=facts, **head)
                self.handovers.append((one, known))

    def _as_known(self, account_id: str) -> list[dict[str, Any]]:
        """The account, its cards and its loans, as flat objects in a fixed order."""
        raw, balance = self.facts.get(account_id), self.balances.get(account_id)
        if raw is None and balance is None:
            return []
        known = AccountFacts(NEVER) if raw is None else _decode(raw)
        account = {"type": "account", "account_id": account_id, **known.account}
        if balance is not None and balance[1] is not None:
            account["balance"] = str(balance[1])
        found = [account]
        for kind, many, links in (
            ("card", known.cards, self.card_account),
            ("loan", known.loans, self.loan_account),
        ):
            found += [
                {"type": kind, f"{kind}_id": key, "account_id": account_id, **many[key]}
                for key in sorted(many)
                if links.get(key) == account_id  # it may have moved to another account
            ]
        return found


def _link(event: Any, key: str, links: dict[str, str]) -> None:
    if event.account_id is None:
        event.account_id = links.get(key)
    else:
        links[key] = event.account_id
