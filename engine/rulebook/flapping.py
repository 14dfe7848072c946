"""Does one condition hold wherever another does? `until` that holds with `when` makes alerts flap.

In: two conditions. Out: True only where it is certain: equal texts, and thresholds of one term.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import ge, gt, le, lt

from belfry.engine.expressions import Expression
from belfry.engine.expressions.tree import Compare, Literal, Logic, Node
from belfry.engine.fields import Kind

FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
HOLDS: Mapping[str, Callable[[Decimal, Decimal], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}


@dataclass(frozen=True, slots=True)
class Edge:
    """`term sign number`."""

    term: str
    sign: str
    number: Decimal


def is_implied(given: Expression, wanted: Expression) -> bool:
    """Whenever the first holds, the second holds, too."""
    return _implies(given.tree, wanted.tree)


def overlaps(when: Expression, until: Expression) -> bool:
    """Both are one threshold of one term, and some values pass both."""
    fires, ends = _edge(when.tree), _edge(until.tree)
    if fires is None or ends is None or fires.term != ends.term:
        return False
    if fires.sign[0] == ends.sign[0]:
        return True
    low, high = (fires, ends) if fires.sign[0] == ">" else (ends, fires)
    if low.number == high.number:
        return low.sign + high.sign == ">=<="
    return low.number < high.number


def _implies(given: Node, wanted: Node) -> bool:
    if _plain(given) == _plain(wanted):
        return True
    if isinstance(wanted, Logic):
        found = (_implies(given, part) for part in wanted.parts)
        return all(found) if wanted.operator == "and" else any(found)
    if isinstance(given, Logic):
        found = (_implies(part, wanted) for part in given.parts)
        return any(found) if given.operator == "and" else all(found)
    one, other = _edge(given), _edge(wanted)
    return one is not None and other is not None and _edge_implies(one, other)


def _edge_implies(one: Edge, other: Edge) -> bool:
    if one.term != other.term or one.sign[0] != other.sign[0]:
        return False
    if one.number == other.number:
        return other.sign.endswith("=") or not one.sign.endswith("=")
    return HOLDS[one.sign[0]](one.number, other.number)


def _edge(node: Node) -> Edge | None:
    if not isinstance(node, Compare) or node.operator not in FLIPPED:
        return None
    left, right = node.left, node.right
    if isinstance(right, Literal) and right.kind is Kind.NUMBER:
        return Edge(_plain(left), node.operator, right.value)
    if isinstance(left, Literal) and left.kind is Kind.NUMBER:
        return Edge(_plain(right), FLIPPED[node.operator], left.value)
    return None


def _plain(node: Node) -> str:
    return "".join(node.text.split())
