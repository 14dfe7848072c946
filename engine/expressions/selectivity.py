"""What an index can use of a condition: and-ed equalities and thresholds against constants.

In: an expression. Out: tests as values. Whoever uses them asks the full condition again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from typing import Literal as OneOf

from belfry.engine.expressions.expression import Expression
from belfry.engine.expressions.tree import FLIPPED, Compare, Contains, Literal, Node, Not, Read
from belfry.engine.fields import Kind

Sign = OneOf[">", ">=", "<", "<="]
SIGNS: dict[str, Sign] = {">": ">", ">=": ">=", "<": "<", "<=": "<="}


def equalities(expression: Expression) -> tuple[tuple[str, frozenset[Any]], ...]:
    """`name == constant`, `name in constants`, and a name that is a condition itself."""
    found = (_equality(part.tree) for part in expression.conjuncts)
    return tuple(one for one in found if one is not None)


def _equality(node: Node) -> tuple[str, frozenset[Any]] | None:
    match node:
        case (
            Compare(operator="==", left=Read() as name, right=Literal() as one)
            | Compare(operator="==", left=Literal() as one, right=Read() as name)
        ):
            # A date compares as an instant, but is not found in a dict under it.
            is_found = one.kind is not None and name.kind is not Kind.DATE
            return (name.dotted, frozenset([one.value])) if is_found else None
        case Contains(member=Read() as name, container=Literal() as many, is_negated=False):
            values = many.value
            return (name.dotted, values) if isinstance(values, frozenset) else None
        case Read(dotted=dotted):
            return dotted, frozenset([True])
        case Not(operand=Read(dotted=dotted)):
            return dotted, frozenset([False])
        case _:
            return None


def thresholds(expression: Expression) -> tuple[tuple[str, Sign, Decimal], ...]:
    """`name > number` and its like; the name always on the left."""
    found: list[tuple[str, Sign, Decimal]] = []
    for part in expression.conjuncts:
        match part.tree:
            case Compare(operator=sign, left=Read() as name, right=Literal() as edge):
                pass
            case Compare(operator=sign, left=Literal() as edge, right=Read() as name):
                sign = FLIPPED[sign]
            case _:
                continue
        if edge.kind is Kind.NUMBER and sign in SIGNS:
            found.append((name.dotted, SIGNS[sign], edge.value))
    return tuple(found)
