"""Conditions that can never hold, or always do.

In: a typed tree. Out: troubles. Only what is certain: intervals and equalities of one term against constants.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from belfry.engine.expressions.tokens import Trouble
from belfry.engine.expressions.tree import Compare, Contains, Literal, Logic, Node, Not, children, reads

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
INVERSE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
Bound = tuple[str, str, Any]


def check(tree: Node) -> Iterator[Trouble]:
    """Contradictions, tautologies and constant conditions."""
    if not reads(tree) and not isinstance(tree, Literal):
        yield Trouble("B316", tree.start, "reads nothing: always the same", width=len(tree.text))
        return
    pending = [tree]
    while pending:
        node = pending.pop()
        pending.extend(children(node))
        if not isinstance(node, Logic):
            continue
        is_and = node.operator == "and"
        bounds = [bound for part in node.parts if (bound := _bound(part)) is not None]
        if is_and:
            clash = _clash(bounds)
            if clash:
                message = f"can never be true: {clash}"
                yield Trouble("B316", node.start, message, width=len(node.text))
        else:
            clash = _clash([(term, INVERSE[op], value) for term, op, value in bounds])
            if clash:
                yield Trouble("B317", node.start, "is always true", width=len(node.text))


def _bound(node: Node) -> Bound | None:
    """`term operator constant`, turned round if the constant stands left."""
    if isinstance(node, Not):
        inner = _bound(node.operand)
        return None if inner is None else (inner[0], INVERSE[inner[1]], inner[2])
    if isinstance(node, Contains) and isinstance(node.container, Literal) and not node.is_negated:
        values = node.container.value
        if isinstance(values, frozenset):
            return _term(node.member), "==", values
        return None
    if not isinstance(node, Compare):
        return None
    if isinstance(node.right, Literal) and node.right.kind is not None:
        return _term(node.left), node.operator, node.right.value
    if isinstance(node.left, Literal) and node.left.kind is not None:
        return _term(node.right), FLIPPED[node.operator], node.left.value
    return None


def _term(node: Node) -> str:
    return "".join(node.text.split())


def _clash(bounds: list[Bound]) -> str | None:
    """Two bounds of one term that exclude each other."""
    for place, (term, operator, value) in enumerate(bounds):
        for other_term, other_operator, other in bounds[place + 1 :]:
            if term == other_term and _exclude(operator, value, other_operator, other):
                return f"needs `{term} {operator} {_show(value)}` and " + (
                    f"`{term} {other_operator} {_show(other)}`"
                )
    return None


def _exclude(one: str, a: Any, two: str, b: Any) -> bool:
    a_set = a if isinstance(a, frozenset) else frozenset([a])
    b_set = b if isinstance(b, frozenset) else frozenset([b])
    if one == "==" and two == "==":
        return a_set.isdisjoint(b_set)
    if one == "==" and two == "!=":
        return a_set <= b_set and len(b_set) == 1
    if one == "!=" and two == "==":
        return b_set <= a_set and len(a_set) == 1
    if isinstance(a, frozenset) or isinstance(b, frozenset) or type(a) is not type(b):
        return False
    if one == "==" or two == "==":
        point, operator, edge = (a, two, b) if one == "==" else (b, one, a)
        return not _holds(point, operator, edge)
    if one[0] == two[0] or "!=" in (one, two):
        return False
    low, high = ((one, a), (two, b)) if one[0] == ">" else ((two, b), (one, a))
    return bool(low[1] > high[1] or (low[1] == high[1] and ">=<=" != low[0] + high[0]))


def _holds(point: Any, operator: str, edge: Any) -> bool:
    match operator:
        case "<":
            return bool(point < edge)
        case "<=":
            return bool(point <= edge)
        case ">":
            return bool(point > edge)
        case ">=":
            return bool(point >= edge)
        case _:
            return True


def _show(value: Any) -> str:
    if isinstance(value, frozenset):
        return "one of " + ", ".join(sorted(map(str, value)))
    return str(value) if isinstance(value, Decimal) else repr(value)
