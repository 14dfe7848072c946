"""Why not: the parts with their truth, and the one leaf that stands in the way."""

from decimal import Decimal
from typing import Any

import pytest

from belfry.engine.expressions import (
    Explanation,
    Name,
    Scope,
    explain,
    nearest_failing,
    parse_expression,
    render,
)
from belfry.engine.faults import Place
from belfry.engine.fields import Kind

KINDS = {
    "amount": Kind.NUMBER,
    "account.balance": Kind.NUMBER,
    "status": Kind.TEXT,
    "flag": Kind.BOOLEAN,
}
SCOPE = Scope({name: Name(name, kind) for name, kind in KINDS.items()})


def explained(text: str, **values: Any) -> Explanation:
    expression, faults = parse_expression(
        text,
        place=Place("r.yaml", 1, 1),
        scope=SCOPE,
        macros={"poor": "account.balance < 500"},
    )
    assert expression is not None, faults
    return explain(expression, {name.replace("__", "."): value for name, value in values.items()})


def nearest(text: str, **values: Any) -> str:
    leaf = nearest_failing(explained(text, **values))
    return "" if leaf is None else render(leaf)


def test_every_part_has_its_truth_and_every_leaf_its_values() -> None:
    whole = explained('amount > 5 and (status == "a" or not flag)', amount=6, flag=True)
    either = whole.parts[1]
    negated = either.parts[1]
    assert (whole.kind, whole.truth) == ("and", None)
    assert (either.kind, either.truth) == ("or", None)
    assert (negated.kind, negated.truth) == ("not", False)
    assert whole.parts[0].values == {"amount": 6}
    assert either.parts[0].values == {"status": None}
    assert negated.parts[0].truth is True


CASES = [
    ("amount > 5", {"amount": 9}, ""),
    (
        "account.balance < 500",
        {"account__balance": Decimal("742.00")},
        "account.balance < 500 is false (account.balance = 742.00)",
    ),
    ("amount > 5", {}, "amount > 5 is unknown (amount = missing)"),
    (
        'flag and status == "a"',
        {"flag": True, "status": "b"},
        "status == \"a\" is false (status = 'b')",
    ),
    ("flag and amount > 5", {"flag": False, "amount": 1}, "flag is false (flag = False)"),
    (
        "amount > 5 and poor",
        {"amount": 9, "account__balance": 600},
        "account.balance < 500 is false (account.balance = 600)",
    ),
    (
        "amount > 100 or account.balance < 10",
        {"amount": 99, "account__balance": 50},
        "amount > 100 is false (amount = 99)",
    ),
    (
        "amount > 100 or account.balance < 10",
        {"amount": 1, "account__balance": 11},
        "account.balance < 10 is false (account.balance = 11)",
    ),
    (
        'status == "a" or flag',
        {"status": "b", "flag": False},
        "status == \"a\" is false (status = 'b')",
    ),
    ("not flag", {"flag": True}, "flag is true (flag = True)"),
    ("not (flag or amount > 5)", {"flag": False, "amount": 9}, "amount > 5 is true (amount = 9)"),
    ("not (flag and amount > 5)", {"flag": True, "amount": 6}, "amount > 5 is true (amount = 6)"),
]


@pytest.mark.parametrize(("text", "values", "said"), CASES)
def test_the_leaf_in_the_way_is_said_in_one_line(
    text: str, values: dict[str, Any], said: str
) -> None:
    assert nearest(text, **values) == said
