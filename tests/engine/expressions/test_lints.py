"""Conditions that can never hold or always hold are faults; the ones beside them are not."""

import pytest

from belfry.engine.expressions import Name, Scope, parse_expression
from belfry.engine.faults import Place
from belfry.engine.fields import Kind

KINDS = {
    "amount": Kind.NUMBER,
    "balance": Kind.NUMBER,
    "currency": Kind.TEXT,
    "status": Kind.TEXT,
    "flag": Kind.BOOLEAN,
    "time": Kind.INSTANT,
    "card.expires_on": Kind.DATE,
}
SCOPE = Scope({name: Name(name, kind) for name, kind in KINDS.items()})


def codes(text: str) -> list[str]:
    _, faults = parse_expression(
        text,
        place=Place("r.yaml", 1, 1),
        scope=SCOPE,
        macros={"small": "amount < 5"},
        lists={"eu": frozenset(["DE", "FR"])},
        want=Kind.BOOLEAN,
    )
    return [fault.code for fault in faults]


NEVER = [
    "amount > 1000 and amount < 500",
    "amount > 500 and amount <= 500",
    "amount >= 5 and flag and 5 > amount",
    "amount == 1 and amount == 2",
    "amount == 1 and amount > 1",
    "amount > 10 and (flag and amount < 5)",
    "amount > 10 and small",
    "not (amount <= 10) and amount < 5",
    'currency == "CZK" and currency == "EUR"',
    'currency == "CZK" and currency != "CZK"',
    'currency in ["CZK", "EUR"] and currency == "USD"',
    'currency in lists.eu and currency not in ["DE", "FR", "IT"]',
    'status == "a" or (amount > 5 and amount < 1)',
    "flag and not flag",
    "amount == null and amount > 5",
    "amount == null and amount != null",
    "amount * 2 > 10 and amount * 2 < 1",
    "amount + balance > 10 and (amount + balance) < 5",
    'time > d"2026-01-01" and time < d"2025-01-01"',
    "time - card.expires_on > 30d and time - card.expires_on < 1d",
    "amount > amount",
    "amount != amount",
    "1 > 2",
    "flag and 1 > 2",
    "flag and true",
    "true ? flag : flag",
    "not true",
]
ALWAYS = [
    "amount > 5 or amount <= 5",
    "amount > 5 or amount < 10",
    "amount != 5 or amount == 5",
    'currency != "CZK" or currency != "EUR"',
    "flag or not flag",
    "amount == null or amount != null",
    "amount == amount",
    "flag and amount >= amount",
]
SENSIBLE = [
    "amount > 500 and amount < 1000",
    "amount >= 500 and amount <= 500",
    "amount > 1000 and balance < 500",
    "amount > 5 or amount < 5",
    "amount > 10 or amount < 5",
    'currency == "CZK" or currency == "EUR"',
    'currency != "CZK" and currency != "EUR"',
    'currency in lists.eu and currency != "DE"',
    'currency in ["CZK", "EUR"] and currency == "CZK"',
    "amount != null and amount > 5",
    "amount == null or amount > 5",
    "amount != null or amount > 5",
    'currency == "CZK" and status == "EUR"',
    "flag and (not flag or amount > 5)",
    "true",
    "flag == true",
    "flag ?? true",
    "flag ? amount > 5 : true",
    "amount % 2 == 0 and amount % 3 == 0",
]


@pytest.mark.parametrize("text", NEVER)
def test_what_can_never_hold_is_a_fault(text: str) -> None:
    assert "B316" in codes(text)


@pytest.mark.parametrize("text", ALWAYS)
def test_what_always_holds_is_a_fault(text: str) -> None:
    assert "B317" in codes(text)


@pytest.mark.parametrize("text", SENSIBLE)
def test_what_may_hold_or_not_passes(text: str) -> None:
    assert codes(text) == []
