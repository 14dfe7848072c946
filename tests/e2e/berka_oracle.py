"""What the rules in berka_rules/ must decide on the Berka year, computed the plain way.

In: the folder of .asc files. Out: `candidates(bank)`: each time a rule wants to speak to someone.
Nothing of Belfry is imported here: this file and the product agree because both follow the
design, or they do not agree.
"""

from __future__ import annotations

import csv
import datetime as dt
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

PRAGUE = ZoneInfo("Europe/Prague")
START = dt.datetime(1993, 1, 1, tzinfo=PRAGUE)
END = dt.datetime(1993, 12, 31, 23, 59, 59, tzinfo=PRAGUE)
OPERATIONS = {"VYBER": "cash_out", "VYBER KARTOU": "card", "VKLAD": "cash_in"}


@dataclass(frozen=True, slots=True)
class Row:
    """One transaction. `at`: midnight of its day in Prague, as UTC."""

    account: int
    at: dt.datetime
    is_debit: bool
    amount: Decimal
    balance: Decimal
    operation: str
    purpose: str


@dataclass(slots=True)
class Bank:
    """`holders`: account → clients, owner first. `rows`: account → transactions in file order."""

    holders: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    births: dict[int, dt.date] = field(default_factory=dict)
    rows: dict[int, list[Row]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule wants to speak. `balances`: for state rules, to ask later whether it still holds."""

    rule: str
    client: int
    key: int
    at: dt.datetime
    balances: tuple[Row, ...] = ()


def utc(day: dt.date, time: dt.time = dt.time(0)) -> dt.datetime:
    """Local wall time in Prague as an instant. Only instants are compared and subtracted."""
    return dt.datetime.combine(day, time, PRAGUE).astimezone(dt.UTC)


def read_bank(folder: Path) -> Bank:
    """The files as they are; nothing is cleaned."""
    bank = Bank()
    for one in sorted(_table(folder / "disp.asc"), key=lambda one: one["type"] != "OWNER"):
        bank.holders[int(one["account_id"])].append(int(one["client_id"]))
    for one in _table(folder / "client.asc"):
        number = one["birth_number"]
        month = int(number[2:4])
        month -= 50 if month > 50 else 0
        bank.births[int(one["client_id"])] = dt.date(
            1900 + int(number[:2]), month, int(number[4:6])
        )
    for one in _table(folder / "trans-1993.asc"):
        row = Row(
            int(one["account_id"]),
            utc(dt.datetime.strptime("19" + one["date"], "%Y%m%d").date()),
            one["type"] in ("VYDAJ", "VYBER"),
            Decimal(one["amount"]),
            Decimal(one["balance"]),
            OPERATIONS.get(one["operation"], ""),
            one["k_symbol"].strip(),
        )
        bank.rows[row.account].append(row)
    return bank


def _table(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="ascii", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")


def candidates(bank: Bank) -> list[Candidate]:
    """All rules over all accounts and customers, in no particular order."""
    found: list[Candidate] = []
    for account, rows in bank.rows.items():
        for client in bank.holders[account]:
            found += _big_debits(client, rows)
            found += _good_months(client, rows)
            found += _low_state(client, rows)
            found += _cash_velocity(client, rows)
            found += _paid_then_cash(client, rows)
        found += _penalties(bank.holders[account][0], rows)
    for client, rows in _rows_by_client(bank).items():
        found += _unusual(client, rows)
        found += _silent(client, rows)
        found += _income_stopped(client, rows)
    for client, born in bank.births.items():
        found += _birthday(client, born)
    return found


def _rows_by_client(bank: Bank) -> dict[int, list[Row]]:
    accounts: dict[int, list[int]] = defaultdict(list)
    for account, clients in bank.holders.items():
        for client in clients:
            accounts[client].append(account)
    merged = {
        client: sorted((r for a in held for r in bank.rows.get(a, ())), key=lambda r: r.at)
        for client, held in accounts.items()
    }
    return {client: rows for client, rows in merged.items() if rows}


# --- one function per rule ------------------------------------------------------------------------
def _big_debits(client: int, rows: list[Row]) -> Iterator[Candidate]:
    for row in rows:
        if row.is_debit and row.amount >= 10_000:
            yield Candidate("big-debit", client, row.account, row.at)


def _good_months(client: int, rows: list[Row]) -> Iterator[Candidate]:
    for row in rows:
        if not row.is_debit and row.amount >= 8_000:
            yield Candidate("good-month", client, row.account, row.at)


def _penalties(owner: int, rows: list[Row]) -> Iterator[Candidate]:
    for row in rows:
        if row.purpose == "SANKC. UROK":
            yield Candidate("penalty-task", owner, row.account, row.at)


def _low_state(client: int, rows: list[Row]) -> Iterator[Candidate]:
    is_firing = False
    for row in rows:
        if is_firing:
            is_firing = row.balance < 1_500
        elif row.balance < 1_000:
            is_firing = True
            yield Candidate("low-state", client, row.account, row.at, tuple(rows))


def balance_at(rows: tuple[Row, ...], now: dt.datetime) -> Decimal:
    """The last balance known at an instant, in file order within a day."""
    return rows[bisect_right([row.at for row in rows], now) - 1].balance


def _cash_velocity(client: int, rows: list[Row]) -> Iterator[Candidate]:
    """Fires at three within (t - 3d, t]; is over once one at most is left, event or not.

    Within one instant the events count one after the other: another booking may be asked first.
    """
    window = dt.timedelta(days=3)
    recent: list[dt.datetime] = []
    is_firing = False
    for row in rows:
        leaving = [at + window for at in recent if at + window < row.at]
        if any(sum(at > left_at - window for at in recent) <= 1 for left_at in leaving):
            is_firing = False
        recent = [at for at in recent if at > row.at - window]
        if row.operation == "cash_out":
            recent.append(row.at)
        if is_firing:
            is_firing = len(recent) > 1
        elif row.operation == "cash_out" and len(recent) >= 3:
            is_firing = True
            yield Candidate("cash-velocity", client, row.account, row.at)


def _paid_then_cash(client: int, rows: list[Row]) -> Iterator[Candidate]:
    paid_at: dt.datetime | None = None
    for row in rows:
        if not row.is_debit and row.amount >= 5_000:
            paid_at = row.at
        elif row.operation == "cash_out" and row.amount >= 5_000 and paid_at is not None:
            if row.at - paid_at <= dt.timedelta(days=5):
                yield Candidate("paid-then-cash", client, row.account, row.at)
            paid_at = None


def _unusual(client: int, rows: list[Row]) -> Iterator[Candidate]:
    """Against the mean of the debits before, the current one left out; five must be known."""
    debits = [row for row in rows if row.is_debit]
    for place, row in enumerate(debits):
        before = [d.amount for d in debits[:place] if d.at > row.at - dt.timedelta(days=90)]
        if len(before) < 5 or row.amount <= 1_000:
            continue
        if row.amount * len(before) > 3 * sum(before):
            yield Candidate("unusual-debit", client, client, row.at)


def _silent(client: int, rows: list[Row]) -> Iterator[Candidate]:
    """At the first ten o'clock not before the last debit + 60 days, if none came by then."""
    debits = [row for row in rows if row.is_debit]
    for place, row in enumerate(debits):
        following = debits[place + 1] if place + 1 < len(debits) else None
        moment = row.at + dt.timedelta(days=60)
        day = moment.astimezone(PRAGUE).date()
        due = utc(day, dt.time(10))
        if due < moment:
            due = utc(day + dt.timedelta(days=1), dt.time(10))
        if due > END or (following is not None and following.at <= due):
            continue
        last = {one.account: one.balance for one in rows if one.at <= due}
        if sum(last.values()) >= 1_000:
            yield Candidate("silent-60", client, client, due)


def _income_stopped(client: int, rows: list[Row]) -> Iterator[Candidate]:
    """The 20th, or the Monday after a weekend: no 20th of 1993 is near a Czech holiday."""
    paid_in = [row.at for row in rows if not row.is_debit]
    for month in range(1, 13):
        day = dt.date(1993, month, 20)
        while day.weekday() >= 5:
            day += dt.timedelta(days=1)
        due, begin = utc(day, dt.time(12)), utc(day.replace(day=1))
        if any(begin <= at <= due for at in paid_in):
            continue
        if any(due - dt.timedelta(days=60) < at <= due for at in paid_in):
            yield Candidate("income-stopped", client, client, due)


def _birthday(client: int, born: dt.date) -> Iterator[Candidate]:
    is_leap_child = (born.month, born.day) == (2, 29)
    day = dt.date(1993, 2, 28) if is_leap_child else born.replace(year=1993)
    yield Candidate("birthday-10", client, client, utc(day, dt.time(10)))
