"""One customer's life while it is being made: what they are, have, and what happens to them.

In: a number, the setting, the seed. Out: `Life`, which collects events and planned moves of money.
Times are local (Asia/Shanghai, +08:00, without summer time) until they are written.
Invariant: everything is drawn from the customer's own stream, so customer 7 is the same in a bank
of 10 and of 10,000.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from typing import Any

from belfry.runtime.bank.words import WORDS, ZH_NAMES, Words

OFFSET = "+08:00"
ZONE = dt.timezone(dt.timedelta(hours=8))
Fields = dict[str, Any]
HISTORY_DAYS = 75  # before the first day, of those with a history
Entry = tuple[dt.datetime, Fields]  # when the bank's systems hand it over; the event


@dataclass(frozen=True)
class Setting:
    """What all customers share. `customers`: how many there are."""

    customers: int
    days: int
    seed: int
    language: str
    start: dt.date

    @property
    def words(self) -> Words:
        return WORDS[self.language]

    @property
    def begin(self) -> dt.datetime:
        return dt.datetime.combine(self.start, dt.time())

    @property
    def end(self) -> dt.datetime:
        return self.begin + dt.timedelta(days=self.days)

    def on(self, day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
        """Local time on the day with that number; day 0 is the first."""
        return self.begin + dt.timedelta(days=day, hours=hour, minutes=minute)


@dataclass(slots=True)
class Purse:
    """An account whose balance is kept here, in cents. `floor`: how far down cards may go."""

    account_id: str
    cents: int
    floor: int = 0
    opened_at: dt.datetime | None = None


@dataclass(slots=True)
class Move:
    """Money that is meant to move at a time. `cents` < 0: out. `is_forced`: may overdraw.

    `words` are the event's other fields. `keeps`: the customer does not even try if less than that
    would be left. `leaves`: the amount is whatever leaves this balance; dropped if there is less.
    `needs`: dropped if the move with this id was not made.
    """

    at: dt.datetime
    purse: Purse
    cents: int
    id: str
    words: Fields
    is_forced: bool = False
    keeps: int | None = None
    reverses: str | None = None
    decline: str | None = None
    delay: dt.timedelta = dt.timedelta()
    leaves: int | None = None
    needs: str | None = None


@dataclass(slots=True)
class Life:
    """A customer under construction."""

    setting: Setting
    number: int
    draw: random.Random
    id: str = ""
    name: str = ""
    stage: str = "mature"
    language: str = "zh"
    branch: str = "SH-01"
    since: dt.date = dt.date(2020, 1, 1)
    is_dormant: bool = False
    salary: int = 0  # cents a month
    pay_day: int = 10
    current: Purse = field(default_factory=lambda: Purse("", 0))
    savings: Purse | None = None
    credit: Purse | None = None
    cards: list[tuple[dt.datetime, str]] = field(default_factory=list)  # in use from then; "" none
    opens_on: int = 0  # day of the simulation on which the customer joins; 0: before it
    entries: list[Entry] = field(default_factory=list)
    moves: list[Move] = field(default_factory=list)
    count: int = 0

    def next_id(self, letter: str) -> str:
        self.count += 1
        return f"{letter}-{self.number:05d}-{self.count:04d}"

    def tell(self, at: dt.datetime, kind: str, /, **fields: Any) -> str:
        """An event at a local time; gives its id."""
        event_id = self.next_id("E")
        self.entries.append((at, {"type": kind, "id": event_id, "time": stamp(at), **fields}))
        return event_id

    def about(self, at: dt.datetime, kind: str, /, **fields: Any) -> str:
        """An event about the customer."""
        return self.tell(at, kind, customer_id=self.id, **fields)

    def move(
        self, at: dt.datetime, cents: int, *, purse: Purse | None = None, **words: Any
    ) -> Move:
        """Money moves at a local time; `words` are fields of the transaction or of `Move`."""
        own = {name: words.pop(name) for name in MOVE_WORDS if name in words}
        made = Move(at, purse or self.current, cents, self.next_id("T"), words, **own)
        self.moves.append(made)
        return made

    def by_card(self, at: dt.datetime, cents: int, shop: Any, **words: Any) -> Move:
        """A card payment at a shop of the home country, unless `country` and `city` say more."""
        merchant: Fields = {
            "name": shop.name,
            "mcc": shop.mcc,
            "country": words.pop("country", "CN"),
        }
        if "city" in words:
            merchant["city"] = words.pop("city")
        words.setdefault("card_id", self.card_at(at) or self.cards[0][1])
        words.setdefault("channel", "pos")
        return self.move(
            at, -cents, operation="card", category=shop.category, merchant=merchant, **words
        )

    @property
    def has_history(self) -> bool:
        """Are two more months of what is regular known? Only then a month can be unlike others."""
        if self.stage == "new" or self.is_dormant:
            return False
        return any(self.is_one_in(*turn) for turn in ((24, 1), (24, 5), (8, 0), (21, 2), (18, 3)))

    def card_at(self, at: dt.datetime) -> str:
        """The debit card in the customer's hands then; empty: none."""
        return next((card for since, card in reversed(self.cards) if since <= at), "")

    def named(self, name: str) -> str:
        """A name of `words.ZH_NAMES` in the bank's language."""
        return ZH_NAMES[name] if self.setting.language == "zh" else name

    def is_one_in(self, every: int, offset: int = 0) -> bool:
        """Is it this customer's turn? Rare things come in turn: small banks have them too."""
        return self.number % every == offset % every

    def day(self, first: int = 0, last: int | None = None) -> int:
        """Some day from `first` to `last` (both included), not in the customer's first week."""
        low = max(first, self.opens_on + 6 if self.opens_on else 0)
        high = self.setting.days - 1 if last is None else last
        return self.draw.randint(low, max(low, high))


MOVE_WORDS = ("is_forced", "keeps", "reverses", "decline", "delay", "leaves", "needs")


def stamp(at: dt.datetime) -> str:
    """RFC 3339, to the second."""
    return at.isoformat() + OFFSET


def money(cents: int) -> str:
    sign, cents = ("-", -cents) if cents < 0 else ("", cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"
