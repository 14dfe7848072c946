"""What happens to cards and access: trips, lost and copied cards, strangers who try passwords.

In: a life with its holdings. Out: planned moves; `card`, `login`, `security` and `contact` events.
Each function is one row of `episodes.EPISODES`, which says whose turn it is.
"""

from __future__ import annotations

import datetime as dt

from belfry.runtime.bank.holdings import replace_card
from belfry.runtime.bank.life import Life
from belfry.runtime.bank.words import ABROAD, Shop

MINUTE = dt.timedelta(minutes=1)


def trip(life: Life) -> None:
    """Some days abroad: hotel, meals, cash, a login from there."""
    draw, setting = life.draw, life.setting
    country, city, hotel, meals = ABROAD[life.number % len(ABROAD)]
    first = life.day(12, setting.days - 9)
    place = {"country": country, "city": city}
    life.by_card(setting.on(first, 16, 20), life.salary // 6, Shop(hotel, "7011", "travel"),
                 keeps=0, **place)  # fmt: skip
    for day in range(first, first + draw.randint(3, 6)):
        life.by_card(setting.on(day, 19, draw.randrange(60)), draw.randint(60, 420) * 100,
                     Shop(meals, "5812", "dining"), **place)  # fmt: skip
    at = setting.on(first + 1, 11, 5)
    life.move(at, -100_000, operation="cash_out", channel="atm", category="cash",
              card_id=life.card_at(at) or life.cards[0][1], keeps=0,
              merchant={"mcc": "6011", "country": country, "city": city})  # fmt: skip
    life.about(at + 20 * MINUTE, "login", channel="mobile", country=country, new_device=False,
               device=f"demo-device-{life.number:05d}")  # fmt: skip


def copied_card(life: Life) -> None:
    """Declined at home, cash abroad an hour later, then two more countries the same night."""
    setting = life.setting
    at = setting.on(life.day(25, setting.days - 5), 22, 10)
    card = life.card_at(at) or life.cards[0][1]
    life.move(at - 60 * MINUTE, 300_000, operation="transfer_in", purpose="gift")
    life.by_card(at, 480_000, life.setting.words.shops["shopping"][1], decline="suspected_fraud",
                 card_id=card)  # fmt: skip
    for place, (country, city, _, _) in enumerate(ABROAD[:3]):
        life.move(at + (50 + 45 * place) * MINUTE, -(40_000 + 10_000 * place), card_id=card,
                  operation="cash_out", channel="atm", category="cash", is_forced=True,
                  merchant={"mcc": "6011", "country": country, "city": city})  # fmt: skip
    life.tell(at + 12 * 60 * MINUTE, "card", card_id=card, status="blocked")


def lost_card(life: Life) -> None:
    """Reported lost in the evening; replaced some days later, or forgotten by the card desk."""
    setting = life.setting
    if len(life.cards) > 1:
        return
    at = setting.on(life.day(8, setting.days - 22), 20, 40)
    card = life.cards[0][1]
    ticket = f"R{life.number:05d}-L"
    life.about(at, "request", request_id=ticket, step="opened", kind="lost_card",
               subject="card", priority="high", channel="phone")  # fmt: skip
    life.tell(at + 2 * MINUTE, "card", card_id=card, status="lost")
    life.cards.append((at, ""))
    life.by_card(at + 30 * MINUTE, 89_900, life.setting.words.shops["shopping"][2],
                 card_id=card, channel="online", decline="card_blocked")  # fmt: skip
    if life.number % 5 != 0:
        replace_card(life, at + dt.timedelta(days=2, hours=14), last="lost")
        life.about(at + dt.timedelta(days=2, hours=14), "request", request_id=ticket,
                   step="resolved", kind="lost_card", assignee="card-desk")  # fmt: skip


def withdrawals(life: Life) -> None:
    """Five withdrawals within the hour."""
    at = life.setting.on(life.day(10), 23, 2)
    life.move(at - 200 * MINUTE, 500_000, operation="transfer_in", purpose="gift")
    for place in range(5):
        life.move(at + 9 * place * MINUTE, -50_000, operation="cash_out", channel="atm",
                  category="cash", card_id=life.card_at(at) or life.cards[0][1], is_forced=True,
                  merchant={"mcc": "6011", "country": "CN"})  # fmt: skip


def quick_cards(life: Life) -> None:
    """Eight small card payments within ten minutes, as when somebody tries a stolen number."""
    at = life.setting.on(life.day(10), 14, 31)
    shop = Shop(life.named("QuickPlay"), "5816", "games")
    for place in range(8):
        life.by_card(at + place * MINUTE, 1_900 + 10 * place, shop,
                     channel="online", is_forced=True)  # fmt: skip
    for place in range(4):
        life.by_card(at + (9 + place) * MINUTE, 260_000, shop,
                     channel="online", decline="suspected_fraud")  # fmt: skip


def failed_logins(life: Life) -> None:
    """Six failures from a device that nobody knows; for some a success at the end."""
    at = life.setting.on(life.day(5), life.draw.choice((2, 13, 21)), 10)
    stranger = {"device": f"unknown-{life.number:05d}", "channel": "web", "country": "VN"}
    for place in range(6):
        life.about(at + 2 * place * MINUTE, "login", outcome="failure", **stranger)
    life.about(at + 70 * MINUTE, "login", channel="mobile", country="CN", new_device=False,
               device=f"demo-device-{life.number:05d}")  # fmt: skip
    life.about(at + 75 * MINUTE, "security", changed="password", channel="mobile")


def new_phone(life: Life) -> None:
    """A login from a new device, then the bank is told of it."""
    at = life.setting.on(life.day(4), 21, life.draw.randrange(50))
    device = f"demo-device-{life.number:05d}-b"
    life.about(at, "login", channel="mobile", device=device, new_device=True, country="CN")
    life.about(at + 3 * MINUTE, "security", changed="device", after=device, channel="mobile")
    life.about(at + 4 * MINUTE, "contact", kind="device", address=device, verified=True,
               primary=True)  # fmt: skip


def new_number(life: Life) -> None:
    """The mobile number changes: old and new one are both known for a while. Then a payment."""
    at = life.setting.on(life.day(6), 15, life.draw.randrange(50))
    before, after = f"+86120{life.number:08d}", f"+86121{life.number:08d}"
    life.about(at, "security", changed="mobile", before=before, after=after, channel="branch")
    life.about(at + MINUTE, "contact", kind="mobile", address=after, verified=True, primary=True)
    life.about(at + 2 * MINUTE, "contact", kind="mobile", address=before, primary=False)
    life.move(at + 35 * MINUTE, -620_000, operation="transfer_out", channel="mobile",
              category="transfer", keeps=0,
              counterparty={"name": life.named("Wu Ming"), "account": "6222000099998888",
                            "bank": "0311"})  # fmt: skip


def new_address(life: Life) -> None:
    """Email, address or a limit is changed by the customer."""
    at = life.setting.on(life.day(6), 10, life.draw.randrange(50))
    changed = ("email", "address", "limit")[life.number // 12 % 3]
    life.about(at, "security", changed=changed, channel="mobile")
    if changed == "email":
        life.about(at + MINUTE, "contact", kind="email", address=f"n{life.number:05d}@example.com",
                   verified=life.number // 36 % 3 != 2, primary=True)  # fmt: skip
