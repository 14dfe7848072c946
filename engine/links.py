"""Links: from an event to the customers whose records it changes.

In: events in order. Out: customer ids, the first owner first; None if nobody is known.
Invariant: an event reaches every holder of its account; what an event says of holders counts from
that event on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET


@dataclass(slots=True)
class Links:
    """What is known so far. `holders`: account → customers, first owner first."""

    holders: dict[str, tuple[str, ...]] = field(default_factory=dict)
    card_account: dict[str, str] = field(default_factory=dict)
    loan_account: dict[str, str] = field(default_factory=dict)

    def resolve(self, event: Any) -> tuple[str, ...] | None:
        """Complete the event's `account_id`, learn from it, and say whose it is."""
        if event.card_id is not None:
            _link(event, event.card_id, self.card_account)
        elif event.loan_id is not None:
            _link(event, event.loan_id, self.loan_account)
        account_id = event.account_id
        if account_id is None:
            return None if event.customer_id is None else (event.customer_id,)
        holders = getattr(event, "holders", UNSET)
        before = self.holders.get(account_id)
        if holders is not UNSET and holders is not None:
            ordered = sorted(holders, key=lambda holder: holder.role != "owner")
            found = tuple(dict.fromkeys(holder.customer_id for holder in ordered))
            self.holders[account_id] = found
            # Those who no longer hold it hear of it once more.
            return found + tuple(one for one in before or () if one not in found)
        if before is None:
            if event.customer_id is None:
                return None
            before = self.holders[account_id] = (event.customer_id,)
        if event.customer_id is not None and event.customer_id not in before:
            return (*before, event.customer_id)
        return before


def _link(event: Any, key: str, links: dict[str, str]) -> None:
    if event.account_id is None:
        event.account_id = links.get(key)
    else:
        links[key] = event.account_id
