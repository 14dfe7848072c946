"""What the customers have: accounts, cards and loans, as facts, with what happens to them by date.

In: a life with its person. Out: purses in the life; `account`, `card` and `loan` events.
Wealth comes in turn: of fifty customers one is private, nine are wealthy, the others have their
salary. Loans tell each next due date, and what is still due of it.
"""

from __future__ import annotations

import datetime as dt

from belfry.runtime.bank.life import Life, Purse, money
from belfry.runtime.bank.people import joined_at

PRIVATE_EVERY, PRIVATE_AT = 50, 16
WEALTH_EVERY, WEALTH_AT = 5, 0
IDLE_EVERY, IDLE_AT = 15, 5  # of the wealthy: money that lies on the current account
INTEREST = 0.0035


def is_private(life: Life) -> bool:
    return life.is_one_in(PRIVATE_EVERY, PRIVATE_AT)


def is_wealthy(life: Life) -> bool:
    return is_private(life) or life.is_one_in(WEALTH_EVERY, WEALTH_AT)


def open_holdings(life: Life) -> None:
    """Accounts first, then what hangs on them."""
    _current(life)
    _savings(life)
    _deposit(life)
    _credit(life)
    _card(life)
    if life.is_one_in(6, 1) and life.stage != "new":
        _loan(life)


def _account(life: Life, letter: str, product: str, cents: int, **fields: object) -> Purse:
    at = joined_at(life)
    purse = Purse(f"{letter}{life.number:05d}", cents, opened_at=at)
    holders = fields.pop("holders", None) or [{"customer_id": life.id, "role": "owner"}]
    life.tell(
        at, "account", account_id=purse.account_id, holders=holders, product=product,
        currency="CNY", status=fields.pop("status", "active"), branch=life.branch,
        opened_on=life.since.isoformat(), balance=money(cents), **fields,
    )  # fmt: skip
    return purse


def _current(life: Life) -> None:
    draw = life.draw
    cents = 0 if life.opens_on else int(life.salary * draw.uniform(0.25, 1.1))
    if is_private(life):
        cents += draw.randint(300_000, 900_000) * 100
    elif life.is_one_in(IDLE_EVERY, IDLE_AT):
        cents += draw.randint(180_000, 400_000) * 100
    overdraft = draw.choice((0, 0, 0, 1_000, 3_000)) * 100
    holders = [{"customer_id": life.id, "role": "owner"}]
    partner = life.number + 1
    if life.is_one_in(9, 5) and partner <= life.setting.customers:
        role = "owner" if life.number % 2 else "authorised"
        holders.append({"customer_id": f"C{partner:05d}", "role": role})
    own = {"low_balance_limit": "2000"} if life.is_one_in(21, 4) else {}
    life.current = _account(
        life, "A", "current", cents, holders=holders, overdraft_limit=money(overdraft),
        statement_frequency="monthly", **own,
    )  # fmt: skip
    life.current.floor = overdraft
    if life.is_dormant:
        life.tell(life.setting.begin, "account", account_id=life.current.account_id,
                  status="dormant" if life.number % 2 else "active")  # fmt: skip


def _savings(life: Life) -> None:
    draw = life.draw
    if is_private(life):
        life.savings = _account(life, "S", "savings", draw.randint(5_200_000, 9_000_000) * 100)
    elif is_wealthy(life) and not life.opens_on:
        life.savings = _account(life, "S", "savings", draw.randint(120_000, 1_800_000) * 100)
    elif draw.random() < 0.35 and not life.opens_on:
        life.savings = _account(life, "S", "savings", draw.randint(1_000, 60_000) * 100)


def _deposit(life: Life) -> None:
    """A term deposit, which ends inside the simulation for two of three who have one."""
    if not life.is_one_in(7, 3) or life.opens_on:
        return
    draw, setting = life.draw, life.setting
    ends = setting.start + dt.timedelta(days=draw.randint(12, setting.days * 3 // 2))
    cents = draw.randint(20, 300) * 100_000
    purse = _account(life, "D", "term_deposit", cents, matures_on=ends.isoformat())
    day = (ends - setting.start).days
    if day < setting.days:
        at = setting.on(day, 6)
        life.move(at, int(cents * 0.021), purse=purse, operation="interest", purpose="interest")
        life.move(at + dt.timedelta(minutes=5), -int(cents * 1.021), purse=purse,
                  operation="transfer_out", purpose="own_transfer", is_forced=True)  # fmt: skip
        life.move(at + dt.timedelta(minutes=6), int(cents * 1.021),
                  operation="transfer_in", purpose="own_transfer")  # fmt: skip
        life.tell(at + dt.timedelta(minutes=10), "account", account_id=purse.account_id,
                  status="closed", closed_on=ends.isoformat())  # fmt: skip


def _credit(life: Life) -> None:
    draw = life.draw
    if not life.is_one_in(4, 2) or life.opens_on:
        return
    limit = draw.choice((10_000, 20_000, 30_000)) * 100
    used = draw.uniform(0.1, 0.7)
    life.credit = _account(
        life, "R", "credit_card", -int(limit * used), credit_limit=money(limit)
    )  # fmt: skip
    life.credit.floor = limit
    expires = life.setting.start + dt.timedelta(days=draw.randint(200, 1400))
    life.tell(joined_at(life), "card", card_id=f"Q{life.number:05d}",
              account_id=life.credit.account_id, kind="credit", status="active",
              issued_on=life.since.isoformat(), expires_on=expires.isoformat(),
              credit_limit=money(limit))  # fmt: skip


def _card(life: Life) -> None:
    """The debit card: some expire soon, new ones must be activated first."""
    draw, setting, at = life.draw, life.setting, joined_at(life)
    card = f"K{life.number:05d}"
    life.cards.append((at, card))
    issued = life.since if life.opens_on else setting.start - dt.timedelta(draw.randint(60, 900))
    soon = life.is_one_in(12, 7) and not life.opens_on
    lasts = draw.randint(10, setting.days + 20) if soon else draw.randint(200, 1400)
    expires = setting.start + dt.timedelta(days=lasts)
    status = "issued" if life.opens_on else "active"
    life.tell(at, "card", card_id=card, account_id=life.current.account_id, kind="debit",
              status=status, issued_on=issued.isoformat(),
              expires_on=expires.isoformat())  # fmt: skip
    if life.opens_on and life.number % 3:
        day = life.opens_on + draw.randint(3, 12)
        life.tell(setting.on(day, 18, 30), "card", card_id=card, status="active",
                  activated_on=(setting.start + dt.timedelta(days=day)).isoformat())  # fmt: skip
    if soon and lasts < setting.days:
        replace_card(life, setting.on(max(1, lasts - draw.choice((20, 5))), 3), last="expired")


def replace_card(life: Life, at: dt.datetime, *, last: str) -> None:
    """A new card by post, activated when it has come; the old one's `last` status comes then."""
    old, life_ends = life.cards[0][1], at.date() + dt.timedelta(days=1460)
    successor = f"{old}-{len(life.cards) + 1}"
    life.cards.append((at + dt.timedelta(days=9, hours=15), successor))
    life.tell(at, "card", card_id=old, replaced_by=successor)
    life.tell(at + dt.timedelta(minutes=1), "card", card_id=successor, kind="debit",
              account_id=life.current.account_id, status="issued",
              issued_on=at.date().isoformat(), expires_on=life_ends.isoformat())  # fmt: skip
    life.tell(at + dt.timedelta(days=9, hours=15), "card", card_id=successor, status="active",
              activated_on=(at.date() + dt.timedelta(days=9)).isoformat())  # fmt: skip
    life.tell(at + dt.timedelta(days=12), "card", card_id=old, status=last)


def _loan(life: Life) -> None:
    """Instalments by direct debit or late; some loans end, some fall behind."""
    draw, setting = life.draw, life.setting
    loan, payment = f"L{life.number:05d}", draw.randint(12, 60) * 10_000
    kind = draw.choice(("pays", "pays", "late", "arrears", "ends"))
    left = payment * (2 if kind == "ends" else draw.randint(8, 40))
    first = draw.randint(6, 28)
    common = {"loan_id": loan, "account_id": life.current.account_id}
    due = setting.start + dt.timedelta(days=first)
    life.tell(joined_at(life), "loan", **common, amount=money(payment * 48), payment=money(payment),
              duration_months=48, granted_on=life.since.isoformat(), next_due_on=due.isoformat(),
              amount_due=money(payment), balance=money(left), status="active")  # fmt: skip
    for month in range(setting.days // 30 + 1):
        at = setting.on(first + 30 * month, 9, 20)
        if kind == "late":
            at += dt.timedelta(days=draw.choice((0, 2, 4)))
        if kind == "arrears" and month >= 1:
            life.tell(at + dt.timedelta(days=1), "loan", loan_id=loan, status="in_arrears")
            return
        left -= payment
        life.move(at, -payment, operation="transfer_out", purpose="loan", loan_id=loan,
                  is_forced=True)  # fmt: skip
        paid = at + dt.timedelta(minutes=1)
        if left <= 0:
            life.tell(paid, "loan", loan_id=loan, amount_due="0", balance="0", status="paid_off",
                      next_due_on=None)  # fmt: skip
            return
        life.tell(paid, "loan", loan_id=loan, amount_due="0", balance=money(left))
        due = setting.start + dt.timedelta(days=first + 30 * (month + 1))
        life.tell(paid + dt.timedelta(days=2), "loan", loan_id=loan, amount_due=money(payment),
                  next_due_on=due.isoformat())  # fmt: skip
