"""Why a condition holds or not: every part with its truth, every leaf with the values it read.

In: an expression, values by name. Out: a tree of `Explanation`; the leaf that stands in the way.
Invariant: agrees with the compiled condition; it is made of the same generated code, part by part.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from belfry.engine.expressions.evaluate import evaluate_tree
from belfry.engine.expressions.expression import Expression
from belfry.engine.expressions.tree import Compare, Logic, Node, Not, reads


@dataclass(frozen=True, slots=True)
class Explanation:
    """`kind`: and, or, not or leaf. `truth` None: unknown. `values`: what a leaf or a not read."""

    kind: str
    text: str
    truth: Any
    values: Mapping[str, Any]
    parts: tuple[Explanation, ...] = ()
    distance: Decimal | None = None


def explain(expression: Expression, values: Mapping[str, Any]) -> Explanation:
    """The whole tree."""
    return _explain(expression.tree, values)


def _explain(node: Node, values: Mapping[str, Any]) -> Explanation:
    truth = evaluate_tree(node, values)
    if isinstance(node, Logic):
        parts = tuple(_explain(part, values) for part in node.parts)
        return Explanation(node.operator, node.text, truth, {}, parts)
    seen = {name: values.get(name) for name in reads(node)}
    if isinstance(node, Not):
        return Explanation("not", node.text, truth, seen, (_explain(node.operand, values),))
    return Explanation("leaf", node.text, truth, seen, (), _distance(node, values))


def _distance(node: Node, values: Mapping[str, Any]) -> Decimal | None:
    """How far a comparison of numbers is from turning, relative to what it is compared with."""
    if not isinstance(node, Compare):
        return None
    left, right = evaluate_tree(node.left, values), evaluate_tree(node.right, values)
    if not isinstance(left, Decimal | int) or not isinstance(right, Decimal | int):
        return None
    gap = abs(Decimal(left) - Decimal(right))
    return gap / max(abs(Decimal(right)), Decimal(1))


def nearest_failing(explanation: Explanation) -> Explanation | None:
    """The leaf that keeps the condition from being true; None if it is true."""
    return _in_the_way(explanation, wanted=True)


def _in_the_way(explanation: Explanation, *, wanted: bool) -> Explanation | None:
    if explanation.truth is wanted:
        return None
    if explanation.kind == "not":
        return _in_the_way(explanation.parts[0], wanted=not wanted)
    if explanation.kind == "leaf":
        return explanation
    found = [_in_the_way(part, wanted=wanted) for part in explanation.parts]
    leaves = [leaf for leaf in found if leaf is not None]
    if (explanation.kind == "and") is wanted:  # every part is needed: the first that is not there
        return leaves[0]
    far = Decimal("Infinity")  # one part would do: the one that is nearest
    return min(leaves, key=lambda leaf: far if leaf.distance is None else leaf.distance)


def render(leaf: Explanation) -> str:
    """One line: the leaf with its values, and its truth."""
    word = {True: "true", False: "false", None: "unknown"}.get(leaf.truth, str(leaf.truth))
    read = ", ".join(f"{name} = {_show(value)}" for name, value in leaf.values.items())
    return f"{leaf.text} is {word}" + (f" ({read})" if read else "")


def _show(value: Any) -> str:
    if value is None:
        return "missing"
    return repr(value) if isinstance(value, str) else str(value)
