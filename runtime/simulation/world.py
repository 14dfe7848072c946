"""A small bank's customers and their days, and how the news of them arrives.

In: a random generator. Out: requests: raw events with the instants at which they are sent.
Invariant: the same generator state gives the same world. Nothing in it is about a real person.
"""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from belfry.engine.instants import zone

SECOND, HOUR, DAY = dt.timedelta(seconds=1), dt.timedelta(hours=1), dt.timedelta(days=1)
# Each contains a change of the clocks in one of the zones, or a leap day.
STARTS = ("2026-03-27", "2026-03-06", "2026-10-23", "2026-10-30", "2028-02-27", "2026-06-01")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe", None)
DAYS = 4
LATENESS = dt.timedelta(hours=1)
CUSTOMERS = (4, 14)
Row = dict[str, Any]


class Request(NamedTuple):
    """Raw events that one sender sends together, again and again until they are answered."""

    at: dt.datetime
    rows: tuple[bytes, ...]
    key: str


class World(NamedTuple):
    """`zones`: customer → zone, None for the bank's own."""

    start: dt.datetime
    end: dt.datetime
    zones: dict[str, str | None]
    requests: list[Request]


def make_world(random_: random.Random) -> World:
    """Customers, their days, and the requests that tell of them."""
    start = dt.datetime.fromisoformat(random_.choice(STARTS)).replace(tzinfo=dt.UTC)
    names = [f"C{number}" for number in range(random_.randrange(*CUSTOMERS))]
    zones = {name: random_.choice(ZONES) for name in names}
    rows: list[tuple[dt.datetime, Row]] = []
    for name in names:
        rows += _facts(random_, start, name, zones[name], names)
    for name in names:
        rows += _days(random_, start, name, len(names))
    numbered = [
        (at, {**row, "id": f"e{place}", "time": at.isoformat()})
        for place, (at, row) in enumerate(sorted(rows, key=lambda one: one[0]))
    ]
    # Who somebody is comes first: a zone that is told late moves timers, and the oracle with them.
    sent = [
        (at if row["type"] == "customer" else at + _delay(random_), row) for at, row in numbered
    ]
    sent += [(at + _delay(random_), row) for at, row in numbered if random_.random() < 0.06]
    end = start + DAYS * DAY
    return World(start, end, zones, list(_requests(random_, sent)))


def _facts(
    random_: random.Random, at: dt.datetime, name: str, zone_: str | None, names: list[str]
) -> Iterator[tuple[dt.datetime, Row]]:
    number = int(name[1:])
    base: Row = {"customer_id": name}
    customer: Row = {"type": "customer", **base, "language": "en"}
    yield at, customer | ({"time_zone": zone_} if zone_ else {})
    holders = [{"customer_id": name, "role": "owner"}]
    if random_.random() < 0.3:
        other = random_.choice(names)
        holders += [{"customer_id": other, "role": "authorised"}] if other != name else []
    yield at, {"type": "account", "account_id": f"A{number}", "holders": holders}
    for kind, address in (("mobile", f"+49151{number:08d}"), ("device", f"token-{number}")):
        yield at, {"type": "contact", **base, "kind": kind, "address": address,
                   "verified": random_.random() < 0.95, "primary": True}  # fmt: skip
    for purpose in ("advice", "marketing"):
        if random_.random() < 0.8:
            yield at, {"type": "consent", **base, "purpose": purpose, "given": True}


def _days(
    random_: random.Random, start: dt.datetime, name: str, customers: int
) -> Iterator[tuple[dt.datetime, Row]]:
    number = int(name[1:])
    balance = 500
    times = sorted(
        start + HOUR + random_.random() * (DAYS * DAY - HOUR)
        for _ in range(random_.randrange(10, 45))
    )
    for at in times:
        draw = random_.random()
        if draw < 0.55:
            amount = random_.choice((20, 40, 120, 300, 600))
            is_credit = balance < 150 or random_.random() < 0.4
            balance += amount if is_credit else -amount
            yield at, {"type": "transaction", "account_id": f"A{number}", "amount": amount,
                       "direction": "credit" if is_credit else "debit",
                       "balance": balance}  # fmt: skip
        else:
            happening = _happening(random_, number, draw)
            yield at, {"customer_id": name, **happening}
            if happening["type"] == "login" and random_.random() < 0.25:
                # Just when the offer that it raised is about to be called.
                yield at + random_.uniform(60, 66) * SECOND, {
                    "customer_id": name, "type": "consent", "purpose": "marketing", "given": False,
                }  # fmt: skip


def _happening(random_: random.Random, number: int, draw: float) -> Row:
    if draw < 0.68:
        return {"type": "login"}
    if draw < 0.76:
        return {"type": "security", "changed": "password"}
    if draw < 0.82:
        priority = random_.choice(("low", "high"))
        return {"type": "request", "request_id": f"R{random_.randrange(10**6)}",
                "step": "opened", "priority": priority}  # fmt: skip
    if draw < 0.93:
        purpose = random_.choice(("marketing", "marketing", "advice", "service"))
        return {"type": "consent", "purpose": purpose, "given": random_.random() < 0.5}
    if draw < 0.97:
        address = f"+49152{number:04d}{random_.randrange(10**4):04d}"
        return {"type": "contact", "kind": "mobile", "address": address, "verified": True,
                "primary": True}  # fmt: skip
    return {"type": "preference", "quiet_from": "19:30", "quiet_to": "09:15"}


def _delay(random_: random.Random) -> dt.timedelta:
    """Most come at once, some within the lateness, a few too late to count."""
    draw = random_.random()
    if draw < 0.8:
        return random_.random() * SECOND
    if draw < 0.97:
        return random_.random() * LATENESS / 2
    return random_.uniform(1.5, 6) * HOUR


def _requests(random_: random.Random, sent: list[tuple[dt.datetime, Row]]) -> Iterator[Request]:
    """What is sent within a few seconds goes together; the order inside is anybody's."""
    sent.sort(key=lambda one: (one[0], one[1]["id"]))
    number = 0
    while sent:
        size = random_.choice((1, 1, 2, 5, 20))
        some = [sent[0]]
        while len(some) < min(size, len(sent)) and sent[len(some)][0] - sent[0][0] < 60 * SECOND:
            some.append(sent[len(some)])
        sent = sent[len(some) :]
        rows = [json.dumps(row).encode() for _, row in some]
        random_.shuffle(rows)
        if random_.random() < 0.03:
            rows.append(b'{"type": "transaction", "id": "x", "amount": "NaN"}')
        number += 1
        key = f"key-{number}" if random_.random() < 0.5 else ""
        yield Request(some[-1][0], tuple(rows), key)


def local(at: dt.datetime, zone_: str | None) -> dt.datetime:
    """The customer's local time."""
    tz = zone(zone_ or "Europe/Berlin")
    assert tz is not None
    return at.astimezone(tz)
