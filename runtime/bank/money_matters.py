"""What happens with money now and then: large, unusual and doubtful payments, gifts, tight nights.

In: a life with its holdings. Out: planned moves, and the facts that go with them.
Each function is one row of `episodes.EPISODES`, which says whose turn it is.
"""

from __future__ import annotations

import datetime as dt

from belfry.runtime.bank.life import Life, money
from belfry.runtime.bank.people import joined_at
from belfry.runtime.bank.words import Shop

MINUTE = dt.timedelta(minutes=1)
DAY = dt.timedelta(days=1)


def _eve_of_pay_day(life: Life, hour: int, minute: int) -> dt.datetime | None:
    """The evening before a later salary; None: the simulation is too short."""
    setting = life.setting
    for number in range(max(20, life.opens_on + 32), setting.days):
        date = setting.start + dt.timedelta(days=number)
        if date.day == life.pay_day:
            back = max(0, date.weekday() - 4)
            return setting.on(number - back - 1, hour, minute)
    return None


def night_dip(life: Life) -> None:
    """Late in the evening little is left; the salary comes at three in the morning."""
    at = _eve_of_pay_day(life, 22, 20 + life.number % 30)
    if at is not None:
        life.by_card(at, 0, life.setting.words.shops["shopping"][2], channel="online",
                     leaves=18_000 + life.number % 90 * 100)  # fmt: skip


def evening_dip(life: Life) -> None:
    """Late in the evening little is left, and nothing comes before the morning."""
    at = life.setting.on(life.day(30), 21, 30 + life.number % 25)
    life.by_card(at, 0, life.setting.words.shops["shopping"][2], channel="online",
                 leaves=15_000 + life.number % 70 * 100)  # fmt: skip


def into_the_red(life: Life) -> None:
    """A direct debit goes beyond what was arranged; for some it stays so for weeks."""
    at = life.setting.on(life.day(22, life.setting.days - 16), 5, 10)
    life.move(at, 0, leaves=-life.current.floor - 40_000, operation="direct_debit", purpose="tax",
              category="tax", is_forced=True,
              counterparty={"name": life.named("Tax office"), "account": "9901000001"})  # fmt: skip
    if life.number % 2:
        life.move(at + 12 * DAY, life.salary // 2, operation="cash_in", channel="branch")


def large_payment(life: Life) -> None:
    """A car: money from savings or from the family, then a transfer of more than 20,000."""
    at = life.setting.on(life.day(20), 11 + life.number % 12, 15)
    cents = life.draw.randint(22_000, 58_000) * 100
    if life.savings is not None and life.savings.cents > 2 * cents:
        out = life.move(at - 60 * MINUTE, -cents, purse=life.savings, operation="transfer_out",
                        purpose="own_transfer", keeps=0)  # fmt: skip
        life.move(at - 59 * MINUTE, cents, operation="transfer_in", purpose="own_transfer",
                  needs=out.id)  # fmt: skip
    else:
        life.move(at - 2 * DAY, cents, operation="transfer_in", purpose="gift")
    paid = life.move(at, -cents, operation="transfer_out", channel="mobile", category="car",
                     keeps=0, counterparty={"name": life.named("East Motors"), "bank": "0104",
                                                      "account": "6217000012340001"})  # fmt: skip
    if life.number % 3 == 0:
        life.move(at + 90 * MINUTE, cents, operation="transfer_in", status="reversed",
                  reverses=paid.id)  # fmt: skip


def unusual_payment(life: Life) -> None:
    """Far above what this customer usually pays, below what is large for everybody."""
    at = life.setting.on(life.day(40), life.draw.choice((1, 10, 16, 23)), 48)
    cents = max(life.salary // 2, life.draw.randint(4_000, 9_000) * 100)
    cents = min(cents, 1_990_000)
    life.move(at - 5 * DAY, cents, operation="transfer_in", purpose="gift", category="family")
    life.by_card(at, cents, Shop(life.named("Golden Jewellery"), "5944", "jewellery"), keeps=0,
                 is_forced=True)  # fmt: skip


def charged_twice(life: Life) -> None:
    """The same shop, card and amount within minutes."""
    at = life.setting.on(life.day(10), 12, 5)
    shop = life.setting.words.shops["shopping"][life.number % 3]
    cents = life.draw.randint(80, 400) * 100
    life.by_card(at, cents, shop, is_forced=True)
    twice = life.by_card(at + 3 * MINUTE, cents, shop, is_forced=True)
    if life.number % 2:
        life.move(at + DAY, cents, operation="card", status="reversed", reverses=twice.id)
        life.about(at + 40 * MINUTE, "request", request_id=f"R{life.number:05d}-D", step="opened",
                   kind="dispute", subject=life.setting.words.complaints[1], channel="mobile",
                   priority="normal")  # fmt: skip


def refund(life: Life) -> None:
    """A shop gives money back."""
    at = life.setting.on(life.day(10), 15, 40)
    shop = life.setting.words.shops["shopping"][2]
    life.move(at, life.draw.randint(90, 600) * 100, operation="card", purpose="refund",
              category="refund", merchant={"name": shop.name, "mcc": shop.mcc, "country": "CN"},
              card_id=life.card_at(at) or life.cards[0][1])  # fmt: skip


def declined_then_paid(life: Life) -> None:
    """No money at the till; a transfer comes, and the second try works."""
    at = life.setting.on(life.day(15), 17, 22)
    shop = life.setting.words.shops["shopping"][0]
    life.by_card(at, 150_000, shop, decline="insufficient_funds")
    life.move(at + 25 * MINUTE, 200_000, operation="transfer_in", purpose="gift")
    life.by_card(at + 40 * MINUTE, 150_000, shop)


def windfall(life: Life) -> None:
    """A bonus, an inheritance, a flat sold: more than ever came in. It stays where it is."""
    late = max(life.setting.days - 20, 1)
    at = life.setting.on(life.day(late, life.setting.days - 8), 10, 12)
    life.move(at, life.draw.randint(80_000, 400_000) * 100, operation="transfer_in",
              purpose="bonus", category="income",
              counterparty={"name": life.named("Skyline Estates"),
                            "account": "6200123400007"})  # fmt: skip


def fortune(life: Life) -> None:
    """Sold a company in the first weeks: belongs to private banking from then on."""
    at = life.setting.on(life.day(5, 15), 9, 30)
    life.move(at, life.draw.randint(5_500_000, 8_000_000) * 100, operation="transfer_in",
              purpose="sale",
              counterparty={"name": life.named("Harbour Capital"), "bank": "0306"})  # fmt: skip


def credit_line(life: Life) -> None:
    """A credit card is used up in three steps, and half of it paid back."""
    purse, setting = life.credit, life.setting
    if purse is None:
        return
    first = life.day(10, max(10, setting.days - 35))
    shop = setting.words.shops["shopping"][0]
    for place, share in enumerate((0.78, 0.92, 1.0)):
        life.by_card(setting.on(first + 6 * place, 13, 20), 0, shop, purse=purse,
                     card_id=f"Q{life.number:05d}", leaves=-int(purse.floor * share))  # fmt: skip
    if life.number % 8:
        at = setting.on(first + 22, 10, 10)
        half = purse.floor // 2
        life.move(at, half + purse.floor // 10, purse=purse, operation="transfer_in",
                  purpose="repayment")  # fmt: skip


def friends(life: Life) -> None:
    """Transfers to somebody who was never paid before."""
    draw = life.draw
    friend = {"name": life.named("Lin Xia"), "account": f"62170{life.number:09d}", "bank": "0103"}
    for _ in range(2):
        at = life.setting.on(life.day(6), 19, draw.randrange(60))
        life.move(at, -draw.randint(50, 900) * 100, operation="transfer_out", channel="mobile",
                  category="transfer", keeps=0, counterparty=friend)  # fmt: skip


def account_closed(life: Life) -> None:
    """Closes the savings account and leaves money nowhere."""
    if life.savings is None:
        return
    at = life.setting.on(life.setting.days - 2, 16, 5)
    life.tell(at, "account", account_id=life.savings.account_id, status="closed",
              closed_on=at.date().isoformat())  # fmt: skip


def first_money(life: Life) -> None:
    """Who joined gets the first money within days, or not: then the account stays empty."""
    if not life.opens_on or life.number % 3 == 2:
        return
    at = joined_at(life) + dt.timedelta(days=life.draw.randint(0, 4), hours=3)
    life.move(at, life.draw.randint(500, 6_000) * 100, operation="cash_in", channel="branch")


def asleep_then_awake(life: Life) -> None:
    """Dormant customers were last heard of months ago; some come back at the end."""
    if not life.is_dormant:
        return
    setting, draw = life.setting, life.draw
    before = setting.begin - dt.timedelta(days=draw.randint(25, 85), hours=-11)
    life.about(before, "login", channel="mobile", country="CN", new_device=False,
               device=f"demo-device-{life.number:05d}")  # fmt: skip
    if life.number % 2:
        at = setting.on(setting.days - draw.randint(3, 9), 14, 20)
        life.move(at, -life.current.cents // 2, operation="transfer_out", channel="mobile",
                  category="transfer", counterparty={"account": "6222000011112222"})  # fmt: skip
        return
    life.tell(setting.on(1, 3), "account", account_id=life.current.account_id,
              balance=money(life.current.cents))  # fmt: skip
