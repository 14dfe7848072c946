"""What comes every month: salary, rent, bills, subscriptions, fees, interest, savings.

In: a life with its purses. Out: planned moves.
In turn, some salaries do not come or change, some bills are three times as high, some
subscriptions become dearer or are charged twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

from belfry.runtime.bank.life import HISTORY_DAYS, Life
from belfry.runtime.bank.people import joined_at
from belfry.runtime.bank.words import Shop


def live_months(life: Life) -> None:
    """All of it; of a dormant customer nothing is heard but interest."""
    _interest(life)
    if life.is_dormant:
        return
    if life.has_history:  # what was spent before the first day, in one sum
        at = life.setting.begin - dt.timedelta(hours=2)
        life.move(at, 0, leaves=life.current.cents, operation="transfer_out",
                  purpose="own_transfer", is_forced=True)  # fmt: skip
    _salary(life)
    _rent(life)
    for place, bill in enumerate(life.setting.words.bills):
        _bill(life, bill, 9 + 4 * place, place)
    for place, shop in enumerate(life.setting.words.subscriptions):
        if life.is_one_in(4, place) or life.is_one_in(3, place):
            _subscription(life, shop, 3 + 6 * place)
    _put_aside(life)
    _insurance(life)
    if life.is_one_in(10, 6):
        _fees(life)


def months(life: Life, day: int) -> Iterator[tuple[int, dt.date]]:
    """(which one, the date) for each time the calendar shows this day of the month.

    The first one inside the simulation is 0; a history has -2 and -1.
    """
    setting = life.setting
    first = -HISTORY_DAYS if life.has_history else max(0, life.opens_on + 1)
    every = (setting.start + dt.timedelta(days=number) for number in range(first, setting.days))
    dates = [date for date in every if date.day == day]
    before = sum(date < setting.start for date in dates)
    yield from enumerate(dates, start=-before)


def _at(date: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    return dt.datetime.combine(date, dt.time(hour, minute))


def _salary(life: Life) -> None:
    draw = life.draw
    if life.opens_on and life.number % 4 == 0:
        return  # still paid elsewhere
    is_pension = life.stage == "veteran" and life.is_one_in(8, 1)
    purpose = "pension" if is_pension else "salary"
    words = life.setting.words
    payer = {"name": words.employers[life.number % len(words.employers)],
             "account": f"62{life.number % 97:010d}", "bank": "0102"}  # fmt: skip
    life.about(joined_at(life), "customer", salary_expected=True)
    minute = draw.randrange(60)
    for which, date in months(life, life.pay_day):
        if life.is_one_in(12, 1) and which == 1:
            continue  # did not come, or two weeks late
        pay = life.salary
        if life.is_one_in(12, 5) and which >= 2:
            pay = pay * (70 if life.number % 2 else 135) // 100
        friday = date - dt.timedelta(days=max(0, date.weekday() - 4))
        if friday < life.setting.start <= date:
            friday = date
        at = _at(friday, 3 if life.number % 2 else 9, minute)
        life.move(at, pay, operation="transfer_in", purpose=purpose, category="income",
                  counterparty=payer)  # fmt: skip


def _rent(life: Life) -> None:
    if life.number % 9 >= 5:
        return
    landlord = {"name": life.setting.words.landlord, "account": "6200887711", "bank": "0105"}
    rent = life.salary * life.draw.randint(20, 32) // 10_000 * 100
    for _, date in months(life, life.pay_day + 2):
        life.move(_at(date, 8, 5), -rent, operation="transfer_out", purpose="rent",
                  category="housing", channel="mobile", counterparty=landlord)  # fmt: skip


def _bill(life: Life, bill: Shop, day: int, place: int) -> None:
    usual = life.draw.randint(80, 260) * 100
    for which, date in months(life, day + life.number % 3):
        if life.is_one_in(16, 8) and place == 0 and which == 1:
            continue  # not this month
        amount = int(usual * life.draw.uniform(0.92, 1.08))
        if life.is_one_in(8, place) and which == 2:
            amount *= 3
        life.move(_at(date, 5, 30), -amount, operation="direct_debit", is_forced=True,
                  purpose="phone" if bill.category == "telecom" else "utilities",
                  category=bill.category,
                  counterparty={"name": bill.name, "account": f"9900{place:06d}"})  # fmt: skip


def _subscription(life: Life, shop: Shop, day: int) -> None:
    price = life.draw.choice((1500, 1990, 2500, 3000, 19900 if shop.mcc == "7997" else 2800))
    for which, date in months(life, day):
        now = price
        if life.is_one_in(7, 2) and which >= 2:
            now = price + max(1000, price * 3 // 10)
        at = _at(date, 7, 10 + life.number % 40)
        common: dict[str, Any] = {"purpose": "subscription", "channel": "online"}
        life.by_card(at, now, shop, **common)
        if life.is_one_in(11, 3) and which == 1:  # charged twice, and given back next day
            twice = life.by_card(at + dt.timedelta(minutes=4), now, shop, **common)
            if life.number % 2:
                life.move(at + dt.timedelta(days=1, hours=3), now, operation="card",
                          status="reversed", purpose="refund", reverses=twice.id)  # fmt: skip


def _put_aside(life: Life) -> None:
    """To one's own savings account, a few days after pay day."""
    if life.savings is None or life.is_one_in(3, 2):
        return
    aside = life.salary // 10
    common: dict[str, Any] = {"purpose": "own_transfer", "channel": "mobile"}
    for _, date in months(life, life.pay_day + 3):
        out = life.move(_at(date, 20, 2), -aside, operation="transfer_out", keeps=0,
                        counterparty={"account": life.savings.account_id}, **common)  # fmt: skip
        life.move(_at(date, 20, 3), aside, purse=life.savings, operation="transfer_in",
                  needs=out.id, **common)  # fmt: skip


def _insurance(life: Life) -> None:
    if not life.is_one_in(9, 4):
        return
    premium = life.draw.randint(180, 600) * 100
    for _, date in months(life, 20):
        life.move(_at(date, 5, 45), -premium, operation="transfer_out", purpose="insurance",
                  category="insurance", is_forced=True,
                  counterparty={"name": life.named("Pacific Mutual"), "account": "8800112233",
                                "bank": "0308"})  # fmt: skip


def _fees(life: Life) -> None:
    for _, date in months(life, 25):
        life.move(_at(date, 4), -life.draw.choice((1000, 2500)), operation="fee", purpose="fee",
                  category="fees", is_forced=True)  # fmt: skip


def _interest(life: Life) -> None:
    """Paid by Chinese banks on the 21st of the quarter's last month."""
    for _, date in months(life, 21):
        if date.month % 3 == 0 and not life.is_dormant:
            purse = life.savings or life.current
            life.move(_at(date, 2), max(12, purse.cents // 1200), purse=purse,
                      operation="interest", purpose="interest")  # fmt: skip
