"""Conditions that can never hold, or always do.

In: a typed tree. Out: troubles. Only what is certain: intervals, equalities and null tests of one
term against constants, a term against itself, and parts that read nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from belfry.engine.expressions.tokens import Trouble
from belfry.engine.expressions.tree import (
    FLIPPED,
    INVERSE,
    Compare,
    Contains,
    Literal,
    Logic,
    Node,
    Not,
    Read,
    Ternary,
    children,
    is_constant,
)
from belfry.engine.fields import Kind

NULL = "is null"
NOT_NULL = "is not null"
OPPOSITE = {**INVERSE, NULL: NOT_NULL, NOT_NULL: NULL}
Bound = tuple[str, str, Any]


def check(tree: Node) -> Iterator[Trouble]:
    """Contradictions, tautologies and constant conditions."""
    if is_constant(tree):
        # A lone `true` is how YAML says "always"; whoever writes more meant something by it.
        if not isinstance(tree, Literal):
            yield _constant(tree)
        return
    pending = [tree]
    while pending:
        node = pending.pop()
        pending.extend(children(node))
        if isinstance(node, Compare):
            yield from _of_itself(node)
        elif isinstance(node, Logic):
            yield from _of_parts(node)
        for part in _conditions(node):
            if is_constant(part):
                yield _constant(part)


def _conditions(node: Node) -> tuple[Node, ...]:
    match node:
        case Logic(parts=parts):
            return parts
        case Not(operand=operand):
            return (operand,)
        case Ternary(condition=condition):
            return (condition,)
        case _:
            return ()


def _constant(node: Node) -> Trouble:
    message = f"`{node.text}` reads nothing: always the same"
    return Trouble("B316", node.start, message, width=len(node.text))


def _of_itself(node: Compare) -> Iterator[Trouble]:
    """`x == x`: true wherever it is known; `x < x`: never."""
    if node.left.kind is None or isinstance(node.right, Literal):
        return
    if _term(node.left) == _term(node.right) and not is_constant(node.left):
        is_true = node.operator in ("==", "<=", ">=")
        code, what = ("B317", "always true") if is_true else ("B316", "never true")
        message = f"compares `{node.left.text}` with itself: {what}"
        yield Trouble(code, node.start, message, width=len(node.text))


def _of_parts(node: Logic) -> Iterator[Trouble]:
    bounds = [bound for part in node.parts if (bound := _bound(part)) is not None]
    if node.operator == "and":
        clash = _clash(bounds)
        if clash:
            message = f"can never be true: {clash}"
            yield Trouble("B316", node.start, message, width=len(node.text))
    # `x != null or x > 5` is not always true: unknown is neither. Only tests of one sort count.
    elif _clash([(term, OPPOSITE[sign], value) for term, sign, value in bounds], is_or=True):
        message = f"`{node.text}` is always true"
        yield Trouble("B317", node.start, message, width=len(node.text))


def _bound(node: Node) -> Bound | None:
    """`term sign constant`, turned round if the constant stands left."""
    match node:
        case Not(operand=operand):
            inner = _bound(operand)
            return None if inner is None else (inner[0], OPPOSITE[inner[1]], inner[2])
        case Read(kind=Kind.BOOLEAN):
            return _term(node), "==", True
        case Contains(member=member, container=Literal(value=frozenset() as values)):
            return _term(member), "!=" if node.is_negated else "==", values
        case Compare(operator=sign, left=left, right=right):
            if left.kind is None or right.kind is None:
                term = _term(left if right.kind is None else right)
                return term, NULL if sign == "==" else NOT_NULL, None
            if isinstance(right, Literal):
                return _term(left), sign, right.value
            if isinstance(left, Literal):
                return _term(right), FLIPPED[sign], left.value
    return None


def _term(node: Node) -> str:
    if isinstance(node, Read):
        return node.dotted
    text = "".join(node.text.split())
    while text.startswith("(") and text.endswith(")") and text.count("(") == 1:
        text = text[1:-1]
    return text


def _clash(bounds: list[Bound], *, is_or: bool = False) -> str | None:
    """Two bounds of one term that exclude each other."""
    for place, (term, sign, value) in enumerate(bounds):
        for other_term, other_sign, other in bounds[place + 1 :]:
            if term != other_term:
                continue
            of_null = (sign in (NULL, NOT_NULL)) + (other_sign in (NULL, NOT_NULL))
            if of_null:
                one_null = NULL in (sign, other_sign)
                is_clash = one_null and sign != other_sign and (of_null == 2 or not is_or)
            else:
                is_clash = _exclude(sign, value, other_sign, other)
            if is_clash:
                return f"needs `{_show(term, sign, value)}` and `{_show(term, other_sign, other)}`"
    return None


def _exclude(one: str, a: Any, two: str, b: Any) -> bool:
    a_set = a if isinstance(a, frozenset) else frozenset([a])
    b_set = b if isinstance(b, frozenset) else frozenset([b])
    if one == "==" and two == "==":
        return a_set.isdisjoint(b_set)
    if one == "==" and two == "!=":
        return a_set <= b_set
    if one == "!=" and two == "==":
        return b_set <= a_set
    if one == "==":
        return not any(_holds(point, two, b) for point in a_set)
    if two == "==":
        return not any(_holds(point, one, a) for point in b_set)
    if one[0] == two[0] or "!=" in (one, two):
        return False
    low, high = ((one, a), (two, b)) if one[0] == ">" else ((two, b), (one, a))
    return bool(low[1] > high[1] or (low[1] == high[1] and (low[0], high[0]) != (">=", "<=")))


def _holds(point: Any, sign: str, edge: Any) -> bool:
    match sign:
        case "<":
            return bool(point < edge)
        case "<=":
            return bool(point <= edge)
        case ">":
            return bool(point > edge)
        case _:
            return bool(point >= edge)


def _show(term: str, sign: str, value: Any) -> str:
    if sign in (NULL, NOT_NULL):
        return f"{term} {sign}"
    if isinstance(value, frozenset):
        word = "in" if sign == "==" else "not in"
        return f"{term} {word} [{', '.join(sorted(map(str, value)))}]"
    return f"{term} {sign} {value if isinstance(value, Decimal) else repr(value)}"
