"""What an index can use of a condition: and-ed equalities and thresholds against constants.

In: an expression. Out: tests as values. Whoever uses them asks the full condition again.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from belfry.engine.expressions.expression import Expression
from belfry.engine.expressions.lints import FLIPPED
from belfry.engine.expressions.tree import Compare, Contains, Literal, Read
from belfry.engine.fields import Kind


def equalities(expression: Expression) -> tuple[tuple[str, frozenset[Any]], ...]:
    """`name == constant` and `name in constants`."""
    found = []
    for part in expression.conjuncts:
        match part.tree:
            case Compare(operator="==", left=Read() as name, right=Literal() as one):
                if one.kind is not None:
                    found.append((name.dotted, frozenset([one.value])))
            case Compare(operator="==", left=Literal() as one, right=Read() as name):
                if one.kind is not None:
                    found.append((name.dotted, frozenset([one.value])))
            case Contains(member=Read() as name, container=Literal() as many, is_negated=False):
                if isinstance(many.value, frozenset):
                    found.append((name.dotted, many.value))
            case _:
                pass
    return tuple(found)


def thresholds(expression: Expression) -> tuple[tuple[str, str, Decimal], ...]:
    """`name > number` and its like; the name always on the left."""
    found = []
    for part in expression.conjuncts:
        match part.tree:
            case Compare(operator=sign, left=Read() as name, right=Literal() as edge):
                pass
            case Compare(operator=sign, left=Literal() as edge, right=Read() as name):
                sign = FLIPPED[sign]
            case _:
                continue
        if edge.kind is Kind.NUMBER and sign not in ("==", "!="):
            found.append((name.dotted, sign, edge.value))
    return tuple(found)
