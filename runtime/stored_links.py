"""Links that live in a store: read when they are asked for, remembered, written with the batch.

In: a store, the records. Out: `Links` for the engine, and what changed since the last commit.
Invariant: between commits memory holds what the store holds, or less. Balances change with every
transaction and stand in the holders' records already: they are read from there, never written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from belfry.engine.links import STORED, Links
from belfry.runtime.ports import Store
from belfry.runtime.stored_records import StoredRecords

BALANCES = "balances"
UNREAD: Any = object()
KEPT_MAX = 500_000  # of each kind; beyond it all are read anew
_encode = msgspec.msgpack.encode
_DECODERS = {kind: msgspec.msgpack.Decoder(of).decode for kind, of in STORED.items()}
FACTS = frozenset(("account", "card", "loan"))


class StoredMap(dict[str, Any]):
    """A dict that asks the store for what it does not hold; None stands for `not there either`."""

    def __init__(self, read: Callable[[list[str]], dict[str, Any]]) -> None:
        super().__init__()
        self.read = read
        self.changed: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        found = super().get(key, UNREAD)
        if found is UNREAD:
            found = self.read([key]).get(key)
            super().__setitem__(key, found)
        return default if found is None else found

    def __setitem__(self, key: str, value: Any) -> None:
        if super().get(key, UNREAD) != value:
            self.changed.add(key)
            super().__setitem__(key, value)

    def fetch(self, keys: Iterable[str]) -> None:
        """Read what is missing of these, at once."""
        missing = [key for key in dict.fromkeys(keys) if key not in self]
        if missing:
            self.update(dict.fromkeys(missing))
            self.update(self.read(missing))


class StoredLinks:
    """`links` is what the engine resolves with."""

    def __init__(self, store: Store, records: StoredRecords) -> None:
        self._store = store
        self._records = records
        self._maps = {kind: StoredMap(self._reader(kind)) for kind in STORED}
        self._maps[BALANCES] = StoredMap(self._read_balances)
        maps: dict[str, Any] = dict(self._maps)
        self.links = Links(**maps)

    def fetch(self, events: Iterable[Any]) -> list[str]:
        """Read ahead for a batch. Returns the customers that it seems to be about."""
        maps, cards, loans, accounts = self._maps, [], [], []
        told = []
        customers: dict[str, None] = {}
        for event in events:
            if event.account_id is not None:
                accounts.append(event.account_id)
                if event.__struct_config__.tag in FACTS:
                    told.append(event.account_id)
            elif event.card_id is not None:
                cards.append(event.card_id)
            elif event.loan_id is not None:
                loans.append(event.loan_id)
            if event.customer_id is not None:
                customers[event.customer_id] = None
        maps["facts"].fetch(told)
        for kind, keys in (("card_account", cards), ("loan_account", loans)):
            if keys:
                found = maps[kind]
                found.fetch(keys)
                accounts += [account for key in keys if (account := found[key]) is not None]
        if accounts:
            holders = maps["holders"]
            holders.fetch(accounts)
            for account in accounts:
                customers.update(dict.fromkeys(holders[account] or ()))
        return list(customers)

    def knows(self, event: Any) -> bool:
        """Would `resolve` find anybody? Asked before it learns from the event."""
        if event.customer_id is not None:
            return True
        account = event.account_id
        if account is None and event.card_id is not None:
            account = self._maps["card_account"].get(event.card_id)
        elif account is None and event.loan_id is not None:
            account = self._maps["loan_account"].get(event.loan_id)
        if account is None:
            return False
        holders = getattr(event, "holders", None)
        is_told = holders is not None and holders is not msgspec.UNSET
        return is_told or bool(self._maps["holders"].get(account))

    def changes(self) -> list[tuple[str, str, bytes]]:
        """What the transaction has to write."""
        return [
            (kind, key, _encode(found[key]))
            for kind, found in self._maps.items()
            if kind != BALANCES
            for key in sorted(found.changed)
        ]

    def settle(self) -> None:
        """It is on disk."""
        for found in self._maps.values():
            found.changed.clear()
            if len(found) > KEPT_MAX:
                found.clear()

    def forget(self) -> None:
        """Memory is no longer what is on disk."""
        self.links.handovers.clear()
        for found in self._maps.values():
            found.changed.clear()
            found.clear()

    def _read_balances(self, accounts: list[str]) -> dict[str, Any]:
        """As the first holder who knows the account has it, since that customer's last event."""
        found = {}
        for account_id in accounts:
            for customer_id in self._maps["holders"].get(account_id) or ():
                record = self._records.known(customer_id)
                account = None if record is None else record.accounts.get(account_id)
                if account is not None and record is not None and record.latest is not None:
                    found[account_id] = (record.latest, account.balance)
                    break
        return found

    def _reader(self, kind: str) -> Callable[[list[str]], dict[str, Any]]:
        decode = _DECODERS[kind]

        def read(keys: list[str]) -> dict[str, Any]:
            return {key: decode(raw) for key, raw in self._store.links(kind, keys).items()}

        return read
