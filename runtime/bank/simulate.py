"""The whole synthetic bank: customers one by one, their events brought into one order.

In: a setting (how many customers, days, seed, language, first day). Out: events as plain dicts, in
the order in which the bank's systems hand them over; or as lines of NDJSON.
Invariant: the same setting gives the same bytes, on every machine and under any PYTHONHASHSEED.
Some are handed over late, some twice, and three records are broken on purpose (`BROKEN`).
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterable, Iterator
from operator import itemgetter

import msgspec

from belfry.runtime.bank.days import live_days
from belfry.runtime.bank.episodes import live_episodes
from belfry.runtime.bank.holdings import open_holdings
from belfry.runtime.bank.ledger import book
from belfry.runtime.bank.life import Entry, Fields, Setting, stamp
from belfry.runtime.bank.months import live_months
from belfry.runtime.bank.people import new_life

START = dt.date(2026, 10, 1)
LATE_EVERY, TWICE_EVERY = 211, 307  # every how many-th transaction
# What a source delivers now and then: their reasons are those of `connectors.reasons`.
BROKEN: tuple[tuple[str, Fields], ...] = (
    ("out_of_range", {"amount": "0.00", "account_id": "A00001"}),
    ("missing_field", {"account_id": "A00001"}),
    ("unknown_account", {"amount": "12.00", "account_id": "A-unknown"}),
)


def simulate_bank(
    setting: Setting, progress: Callable[[int, int], None] | None = None
) -> list[Fields]:
    """All events, in order of arrival. `progress` hears of (customers done, all)."""
    entries: list[Entry] = []
    for number in range(1, setting.customers + 1):
        entries += _live(setting, number)
        if progress is not None:
            progress(number, setting.customers)
    entries += _broken(setting)
    entries.sort(key=itemgetter(0))  # stable: one customer's events keep their order
    return [event for _, event in entries]


def as_lines(events: Iterable[Fields]) -> Iterator[bytes]:
    """NDJSON, keys in the order in which a person would look for them."""
    for event in events:
        yield msgspec.json.encode(event) + b"\n"


def _live(setting: Setting, number: int) -> list[Entry]:
    life = new_life(setting, number)
    open_holdings(life)
    live_episodes(life)
    live_months(life)
    live_days(life)
    booked = _untidy(book(life.moves), number)
    # What was known first comes first: facts before the payments of the same instant.
    both = heapq.merge(sorted(life.entries, key=itemgetter(0)), booked, key=itemgetter(0))
    return [entry for entry in both if entry[0] < setting.end]


def _untidy(entries: list[Entry], number: int) -> list[Entry]:
    """Some transactions arrive late, some once more; the order is that of arrival."""
    arrived = []
    for place, (at, event) in enumerate(entries, start=number * 37):
        late = dt.timedelta(minutes=20 + place % 90) if place % LATE_EVERY == 0 else dt.timedelta()
        arrived.append((at + late, event))
        if place % TWICE_EVERY == 0:
            arrived.append((at + dt.timedelta(minutes=3), event))
    return sorted(arrived, key=itemgetter(0))


def _broken(setting: Setting) -> Iterator[Entry]:
    for place, (reason, fields) in enumerate(BROKEN):
        at = setting.on(setting.days * (place + 1) // 4, 12)
        event: Fields = {"type": "transaction", "id": f"X-{reason}", "time": stamp(at),
                         "direction": "debit", **fields}  # fmt: skip
        yield at, event
