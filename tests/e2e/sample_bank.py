"""A small seeded bank in the files of the PKDD'99 data: for machines on which the real year is not.

In: a folder, a seed. Out: the eight .asc files of 1993, with the words, quoting and line ends of
the original. Invariant: the same seed writes the same bytes. It has what the rules look for: joint
accounts, accounts that run low and recover, cash in a row, silence, pensions that stop, months
without income, penalty interest.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

FIRST, LAST = dt.date(1993, 1, 1), dt.date(1993, 12, 31)
ACCOUNTS = 90
CENT = Decimal("0.01")

HEADERS = {
    "account": '"account_id";"district_id";"frequency";"date"',
    "card": '"card_id";"disp_id";"type";"issued"',
    "client": '"client_id";"birth_number";"district_id"',
    "disp": '"disp_id";"client_id";"account_id";"type"',
    "district": "A1;A2;A3;A4;A5;A6;A7;A8;A9;A10;A11;A12;A13;A14;A15;A16",
    "loan": '"loan_id";"account_id";"date";"amount";"duration";"payments";"status"',
    "order": '"order_id";"account_id";"bank_to";"account_to";"amount";"k_symbol"',
    "trans-1993": (
        '"trans_id";"account_id";"date";"type";"operation";"amount";"balance";"k_symbol";'
        '"bank";"account"'
    ),
}
DISTRICTS = (
    '1;"Hl.m. Praha";"Prague";1204953;0;0;0;1;1;100.0;12541;0.29;0.43;167;85677;99107',
    '2;"Benesov";"central Bohemia";88884;80;26;6;2;5;46.7;8507;1.67;1.85;132;2159;2674',
    '3;"Brno - mesto";"south Moravia";387570;0;0;0;1;1;100.0;9897;1.60;1.96;140;18721;18696',
)


@dataclass(slots=True)
class Books:
    """The rows of all files while they are made; transactions carry their day to be sorted by."""

    draw: random.Random
    rows: dict[str, list[str]] = field(default_factory=lambda: {name: [] for name in HEADERS})
    transactions: list[tuple[dt.date, int, str]] = field(default_factory=list)

    def book(
        self, account: int, day: dt.date, balance: Decimal, words: tuple[str, str, str, str]
    ) -> Decimal:
        """One transaction; returns the balance after it. `words`: type, operation, amount, use."""
        kind, operation, amount, purpose = words
        sign = 1 if kind == "PRIJEM" else -1
        after = balance + sign * Decimal(amount)
        number = 700_000 + len(self.transactions)
        other = '"AB";"41403269"' if operation.startswith("PREVOD") else ";"
        row = (
            f'{number};{account};{day:%y%m%d};"{kind}";"{operation}";'
            f'{amount};{after:.2f};"{purpose}";{other}'
        )
        self.transactions.append((day, len(self.transactions), row))
        return after


def write_sample_bank(folder: Path, seed: int = 1993) -> None:
    """Write the eight files into the folder."""
    books = Books(random.Random(seed))
    books.rows["district"].extend(DISTRICTS)
    client = 0
    for number in range(1, ACCOUNTS + 1):
        holders = 2 if number % 4 == 0 else 1
        _open(books, number, client, holders)
        _live(books, number)
        client += holders
    books.rows["trans-1993"] = [row for _, _, row in sorted(books.transactions)]
    for name, rows in books.rows.items():
        end = "\n" if name == "trans-1993" else "\r\n"
        text = end.join([HEADERS[name], *rows]) + end
        (folder / f"{name}.asc").write_bytes(text.encode("ascii"))


def _open(books: Books, account: int, client: int, holders: int) -> None:
    draw = books.draw
    opened = FIRST + dt.timedelta(days=draw.randrange(0, 120))
    district = draw.randrange(1, len(DISTRICTS) + 1)
    frequency = draw.choice(("POPLATEK MESICNE", "POPLATEK TYDNE", "POPLATEK PO OBRATU"))
    books.rows["account"].append(f'{account};{district};"{frequency}";{opened:%y%m%d}')
    for part in range(holders):
        client += 1
        is_woman = client % 2 == 0
        born = dt.date(draw.randrange(20, 80) + 1900, 1, 1) + dt.timedelta(draw.randrange(365))
        if client % 30 == 0:
            born = dt.date(1948, 2, 29)
        number = f"{born:%y}{born.month + 50 * is_woman:02d}{born:%d}"
        books.rows["client"].append(f'{client};"{number}";{district}')
        role = "DISPONENT" if part else "OWNER"
        books.rows["disp"].append(f'{client};{client};{account};"{role}"')
        if client % 9 == 0:
            issued = opened + dt.timedelta(days=40)
            kind = ("junior", "classic", "gold")[client % 3]
            books.rows["card"].append(f'{client};{client};"{kind}";{issued:%y%m%d} 00:00:00')
    if account % 6 == 0:
        granted = opened + dt.timedelta(days=100)
        loan = f'{5000 + account};{account};{granted:%y%m%d};96000;12;8000.00;"A"'
        books.rows["loan"].append(loan)
    books.rows["order"].append(f'{29400 + account};{account};"YZ";"87144583";2452.00;"SIPO"')


def _live(books: Books, account: int) -> None:
    """A year of one account, day by day. Its habits follow from its number."""
    draw = books.draw
    opened_text = books.rows["account"][-1].rsplit(";", 1)[1]
    day = dt.datetime.strptime(f"19{opened_text}", "%Y%m%d").replace(tzinfo=dt.UTC).date()
    balance = books.book(account, day, Decimal(0), ("PRIJEM", "VKLAD", "900.00", ""))
    pay_day, last_pay = draw.randrange(3, 24), draw.choice((7, 9, 12, 12, 12))
    while day < LAST:
        day += dt.timedelta(days=1)
        if account % 11 == 0 and day.month > 4:
            continue  # nothing is heard of this one any more
        for words in _day(books, account, day, balance, (pay_day, last_pay)):
            balance = books.book(account, day, balance, words)


def _day(
    books: Books, account: int, day: dt.date, balance: Decimal, pay: tuple[int, int]
) -> list[tuple[str, str, str, str]]:
    draw = books.draw
    found: list[tuple[str, str, str, str]] = []
    pay_day, last_pay = pay
    if day.day == pay_day and day.month <= last_pay:
        amount = _amount(draw, 4_000, 14_000)
        if account % 3 == 0:
            found.append(("PRIJEM", "PREVOD Z UCTU", amount, "DUCHOD"))
        else:
            found.append(("PRIJEM", "VKLAD", amount, ""))
    if account % 5 == 0 and day.day in (pay_day, pay_day + 4):
        times = 3 if day.month % 3 == 0 else 1
        large = [_amount(draw, 8_000, 15_000) for _ in range(times)]
        found += [("PRIJEM", "PREVOD Z UCTU", amount, "") for amount in large]
    if balance > 6_000 and draw.random() < 0.08:
        found.append(("VYDAJ", "VYBER", _amount(draw, 5_000, int(balance)), ""))
    if account % 5 == 0 and balance > 25_000 and draw.random() < 0.2:
        found += [("VYDAJ", "VYBER", _amount(draw, 10_000, 11_000), "") for _ in range(2)]
    if draw.random() < 0.07:
        times = 4 if draw.random() < 0.15 else 1
        found += [("VYDAJ", "VYBER", _amount(draw, 100, 700), "") for _ in range(times)]
    if day.day == 6 and day.month > 2:
        found.append(("VYDAJ", "PREVOD NA UCET", _amount(draw, 500, 2_500), "SIPO"))
    if (day + dt.timedelta(days=1)).day == 1:
        found.append(("PRIJEM", "", _amount(draw, 5, 90), "UROK"))
        found.append(("VYDAJ", "VYBER", "14.60", "SLUZBY"))
        if balance < 0:
            found.append(("VYDAJ", "VYBER", _amount(draw, 5, 40), "SANKC. UROK"))
    if balance < 300 and draw.random() < 0.2:
        found.append(("PRIJEM", "VKLAD", _amount(draw, 900, 3_000), ""))
    return found


def _amount(draw: random.Random, low: int, high: int) -> str:
    cents = draw.randrange(low * 100, high * 100, 10)
    return str((Decimal(cents) / 100).quantize(CENT))
