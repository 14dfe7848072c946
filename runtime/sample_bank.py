"""A small made-up bank: one year of a few customers, the same for the same seed.

In: a seed, how many customers. Out: events as plain dicts, in order of time.
Used by the demo where no real data is at hand; nothing in it is about a real person.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable, Iterator
from typing import Any

START = dt.datetime(2025, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=8)))
DAYS = 365
NAMES = ("Wang Min", "Li Wei", "Zhang Yan", "Liu Yang", "Chen Jie", "Yang Lin", "Zhao Lei")
SHOPS = (("5411", "CN"), ("5541", "CN"), ("4722", "JP"), ("5812", "CN"), ("6011", "TH"))
Fields = dict[str, Any]


def sample_bank(seed: int = 7, customers: int = 60) -> list[Fields]:
    """All events, in order of time."""
    random_ = random.Random(seed)  # noqa: S311  made-up data, no secret
    events: list[Fields] = []
    for number in range(1, customers + 1):
        events += _customer(random_, number)
    events.sort(key=lambda event: (event["time"], event["id"]))
    return events


def contacts_for(customers: Iterable[str], at: str, seed: int = 7) -> Iterator[Fields]:
    """Made-up contacts and consents for customers of data that has none."""
    random_ = random.Random(seed)  # noqa: S311
    for number, customer in enumerate(customers):
        base = {"time": at, "customer_id": customer}
        mark = {"verified": True, "primary": True}
        if random_.random() < 0.9:
            address = f"+86138{number:08d}"
            yield {**base, **mark, "id": f"{customer}-mobile", "type": "contact",
                   "kind": "mobile", "address": address}  # fmt: skip
        if random_.random() < 0.7:
            yield {**base, **mark, "id": f"{customer}-device", "type": "contact",
                   "kind": "device", "address": f"device-{number}"}  # fmt: skip
        yield {**base, **mark, "id": f"{customer}-email", "type": "contact",
               "kind": "email", "address": f"c{number}@bank.example"}  # fmt: skip
        for purpose in ("service", "advice", "marketing"):
            if random_.random() < 0.8:
                given = random_.random() < 0.85
                yield {**base, "id": f"{customer}-{purpose}", "type": "consent",
                       "purpose": purpose, "given": given}  # fmt: skip


def _customer(random_: random.Random, number: int) -> Iterator[Fields]:
    customer, account, card = f"C{number}", f"A{number}", f"K{number}"
    born = dt.date(1950, 1, 1) + dt.timedelta(days=random_.randrange(19000))
    at = START.isoformat()
    yield {"type": "customer", "id": f"{customer}-0", "time": at, "customer_id": customer,
           "name": random_.choice(NAMES), "birth_date": born.isoformat(), "status": "active",
           "language": random_.choice(("zh", "en")), "time_zone": "Asia/Shanghai"}  # fmt: skip
    yield {"type": "account", "id": f"{account}-0", "time": at, "account_id": account,
           "holders": [{"customer_id": customer, "role": "owner"}], "product": "current",
           "currency": "CNY", "status": "active", "opened_on": "2020-05-04"}  # fmt: skip
    expires = START.date() + dt.timedelta(days=random_.randrange(60, 700))
    yield {"type": "card", "id": f"{card}-0", "time": at, "card_id": card, "account_id": account,
           "kind": "debit", "status": "active", "expires_on": expires.isoformat()}  # fmt: skip
    yield from contacts_for([customer], at, seed=number)
    yield from _year(random_, customer, account, card)


def _year(random_: random.Random, customer: str, account: str, card: str) -> Iterator[Fields]:
    salary = random_.randrange(6000, 30000)
    balance = float(salary)
    leaves = random_.randrange(DAYS) if random_.random() < 0.2 else DAYS
    for day in range(DAYS):
        date = START + dt.timedelta(days=day)
        moves: list[tuple[str, float, str, str | None, tuple[str, str] | None, int]] = []
        if date.day == 10 and random_.random() < 0.97:
            moves.append(("credit", salary, "transfer_in", "salary", None, 9))
        if day < leaves:
            for _ in range(random_.choice((0, 0, 1, 1, 2))):
                amount = round(random_.lognormvariate(5, 1.1), 2)
                shop = random_.choice(SHOPS) if random_.random() < 0.9 else None
                moves.append(("debit", amount, "card", None, shop, random_.randrange(8, 23)))
        for place, (direction, amount, operation, purpose, shop, hour) in enumerate(moves):
            balance = round(balance + (amount if direction == "credit" else -amount), 2)
            time = date.replace(hour=hour, minute=random_.randrange(60))
            event: Fields = {
                "type": "transaction", "id": f"{account}-{day}-{place}", "time": time.isoformat(),
                "account_id": account, "direction": direction, "amount": f"{amount:.2f}",
                "currency": "CNY", "balance": f"{balance:.2f}", "operation": operation,
            }  # fmt: skip
            if purpose:
                event["purpose"] = purpose
            if shop:
                event["card_id"] = card
                event["merchant"] = {"mcc": shop[0], "country": shop[1]}
            yield event
        if day % 9 == 0 and day < leaves:
            time = date.replace(hour=20, minute=random_.randrange(60))
            yield {"type": "login", "id": f"{customer}-login-{day}", "time": time.isoformat(),
                   "customer_id": customer, "channel": "mobile",
                   "new_device": random_.random() < 0.03}  # fmt: skip
