"""Generated code: as short as the names allow, and unknown where something is missing."""

import copy
import datetime as dt
import pickle
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from belfry.engine.expressions import (
    Constants,
    Expression,
    Name,
    Scope,
    compile_predicate,
    equalities,
    evaluate,
    false_source,
    parse_expression,
    thresholds,
    true_source,
    value_source,
)
from belfry.engine.faults import Place
from belfry.engine.fields import Kind

NAMES = (
    Name("amount", Kind.NUMBER, nullable=False),
    Name("direction", Kind.TEXT, nullable=False),
    Name("time", Kind.INSTANT, nullable=False),
    Name("balance", Kind.NUMBER),
    Name("count", Kind.NUMBER),
    Name("currency", Kind.TEXT),
    Name("flag", Kind.BOOLEAN),
    Name("sure", Kind.BOOLEAN, nullable=False),
    Name("born", Kind.DATE),
    Name("tags", Kind.TEXT_SET),
    Name("account.limit", Kind.NUMBER),
)
SCOPE = Scope({name.dotted: name for name in NAMES})
LISTS: dict[str, frozenset[Any]] = {"atm": frozenset(["ATM", "6011"])}


def parsed(text: str, lists: Mapping[str, frozenset[Any]] | None = None) -> Expression:
    expression, faults = parse_expression(
        text, place=Place("r.yaml", 1, 1), scope=SCOPE, lists=lists or LISTS
    )
    assert expression is not None, faults
    return expression


def read(name: str) -> str:
    return name.replace(".", "_")


SOURCES = [
    (
        'amount > 1000 and direction == "debit"',
        "((amount > k0) and (direction == 'debit'))",
        "((amount <= k0) or (direction != 'debit'))",
    ),
    ("balance < 5", "(balance is not None and balance < k0)", None),
    ("amount > 3 * balance", "(balance is not None and amount > (k0 * balance))", None),
    ("balance > 1 and balance > amount", None, None),
    (
        "amount < (account.limit ?? 500)",
        None,
        "(amount >= (account_limit if account_limit is not None else k0))",
    ),
    (
        "balance / amount > 2",
        "(balance is not None and amount and (Decimal(balance) / amount) > k0)",
        None,
    ),
    ("amount / 2 > 2", "((amount / k0) > k0)", None),
    ("flag", "flag", "(flag is False)"),
    ("not sure", "(not sure)", "sure"),
    ("balance == null", "(not (balance is not None))", "(balance is not None)"),
    ("currency in lists.atm", "(currency is not None and currency in k0)", None),
    ('currency =~ "C"', "(currency is not None and k0.match(currency) is not None)", None),
]


@pytest.mark.parametrize(("text", "true", "false"), SOURCES)
def test_source_is_tight(text: str, true: str | None, false: str | None) -> None:
    expression = parsed(text)
    assert true in (None, true_source(expression, read, Constants()))
    assert false in (None, false_source(expression, read, Constants()))


def test_equal_constants_have_one_name_over_many_expressions() -> None:
    constants = Constants()
    first = true_source(parsed("amount > 1000"), read, constants)
    second = true_source(parsed("balance > 1000 or amount > 1000.00"), read, constants)
    assert first == "(amount > k0)"
    assert "k0" in second
    assert str(constants.names["k1"]) == "1000.00"


def test_a_value_keeps_its_kind_and_digits() -> None:
    assert str(evaluate(parsed("amount * 1.10"), {"amount": Decimal("700.00")})) == "770.0000"
    assert evaluate(parsed("born"), {"born": dt.date(2000, 2, 29)}) == dt.date(2000, 2, 29)
    assert evaluate(parsed('currency ?? "CNY"'), {}) == "CNY"
    assert value_source(parsed("account.limit"), read, Constants()) == "account_limit"


UNKNOWN = [
    ("balance > 5", {}, None),
    ("balance > 5 and amount > 5", {"amount": 1}, False),
    ("balance > 5 or amount > 5", {"amount": 10}, True),
    ("not (balance > 5)", {}, None),
    ("balance == balance + 1", {}, None),
    ("balance != 5", {}, None),
    ("balance == null", {}, True),
    ("balance != null", {}, False),
    ("balance + 1 == null", {}, True),
    ("(balance ?? 0) < 5", {}, True),
    ("flag ? amount > 5 : amount > 1", {"amount": 10}, None),
    ("flag ?? true", {}, True),
    ("flag ?? true", {"flag": False}, False),
    ('currency == "CZK"', {}, None),
    ('not (currency in ["CZK"])', {}, None),
    ('currency !~ "C.*"', {}, None),
    ("amount in [balance, 5]", {"amount": 5}, True),
    ("amount in [balance, 5]", {"amount": 6}, None),
    ("amount not in [balance, 5]", {"amount": 5}, False),
    ("amount / count > 1", {"amount": 1, "count": 0}, None),
    ("amount // count > 1 or sure", {"amount": 1, "count": 0, "sure": True}, True),
    ("amount % (count - 1) > 1", {"amount": 1, "count": 1}, None),
    ('currency[5] == "x"', {"currency": "CZK"}, None),
    ('currency[2] == "K"', {"currency": "CZK"}, True),
    ('"vip" in tags', {"tags": frozenset(["vip"])}, True),
    ('"vip" in tags', {}, None),
    (
        "born < time - 6570d",
        {"born": dt.date(2000, 1, 1), "time": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)},
        True,
    ),
    (
        "time + 3650d + 36500d + 36500d > time",
        {"time": dt.datetime(9999, 1, 1, tzinfo=dt.UTC)},
        None,
    ),
]


@pytest.mark.parametrize(("text", "values", "truth"), UNKNOWN)
def test_missing_is_unknown_and_spreads_only_where_it_matters(
    text: str, values: dict[str, Any], truth: bool | None
) -> None:
    assert evaluate(parsed(text), values) is truth
    assert compile_predicate(parsed(text))(values) is truth


def test_counts_divide_like_decimals() -> None:
    values = {"balance": 7, "count": 2}
    assert evaluate(parsed("balance / count"), values) == Decimal("3.5")
    assert evaluate(parsed("(balance + count) / count"), values) == Decimal("4.5")
    assert evaluate(parsed("-balance // count"), values) == Decimal(-3)
    assert evaluate(parsed("-balance % count"), values) == Decimal(-1)


def test_an_expression_survives_pickling() -> None:
    text = 'amount > 1000 and currency in lists.atm and born < d"2026-01-01" or currency =~ "C.*"'
    expression = parsed(text)
    again = pickle.loads(pickle.dumps(expression))
    assert again == expression
    assert hash(again) == hash(expression)
    assert true_source(again, read, Constants()) == true_source(expression, read, Constants())


def test_equal_texts_over_other_lists_are_not_equal() -> None:
    """Otherwise what was cached for one rulebook would decide in another."""
    one = parsed("currency in lists.atm")
    other = parsed("currency in lists.atm", {"atm": frozenset(["pos"])})
    assert one != other
    assert evaluate(one, {"currency": "ATM"}) is True
    assert evaluate(other, {"currency": "ATM"}) is False
    assert copy.copy(one) == one


def test_reads_are_named_once_in_order_of_appearance() -> None:
    found = parsed("balance > amount and account.limit > balance")
    assert found.reads == ("balance", "amount", "account.limit")


# --- what an index can use ---
def test_anded_equalities_and_thresholds_are_found() -> None:
    text = 'amount > 1000 and "debit" == direction and 5 >= balance'
    text += " and (currency in lists.atm and flag)"
    expression = parsed(text)
    assert equalities(expression) == (
        ("direction", frozenset(["debit"])),
        ("currency", frozenset(["ATM", "6011"])),
        ("flag", frozenset([True])),
    )
    assert thresholds(expression) == (
        ("amount", ">", Decimal(1000)),
        ("balance", "<=", Decimal(5)),
    )


@pytest.mark.parametrize(
    "text",
    [
        'direction == "debit" or amount > 5',
        'not (direction == "debit")',
        "amount * 2 > 5",
        'direction != "debit"',
        'direction not in ["debit"]',
        'direction.as_lower == "debit"',
        'born == d"2026-01-01"',  # kept as a date, compared as an instant: a dict would miss it
        "balance == null",
    ],
)
def test_what_an_index_could_get_wrong_is_left_to_the_condition(text: str) -> None:
    assert equalities(parsed(text)) == ()
    assert thresholds(parsed(text)) == ()
