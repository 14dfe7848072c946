"""Which kinds go together: arithmetic, comparison, membership, properties, functions.

In: kinds. Out: the kind of the result, or None / a sentence why not. Tables first.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from belfry.engine.expressions.tree import Node
from belfry.engine.fields import Kind

# What a fault was said of already: it goes with everything, so that nothing more is said of it.
FAULTY = Kind.OBJECT
N, T, B, I, D = Kind.NUMBER, Kind.TEXT, Kind.BOOLEAN, Kind.INSTANT, Kind.DURATION
SETS = {Kind.TEXT_SET: Kind.TEXT, Kind.NUMBER_SET: Kind.NUMBER}
_SUMS = {
    ("+", N, N): N,
    ("-", N, N): N,
    ("+", T, T): T,
    ("+", I, D): I,
    ("-", I, D): I,
    ("-", I, I): D,
    ("+", D, D): D,
    ("-", D, D): D,
}


class Property(NamedTuple):
    """What a property gives, and whether it takes a text in parentheses."""

    kind: Kind
    takes_text: bool = False


_PARTS = ("year", "month", "day", "hour", "minute", "second")  # a date has the hour 0
# As rule_engine 5.1 has them (engine/_attribute_resolver.py); the ones that are cheap and pure.
ATTRIBUTES: dict[tuple[Kind | None, str], Property] = {
    (T, "length"): Property(N),
    (T, "is_empty"): Property(B),
    (T, "as_lower"): Property(T),
    (T, "as_upper"): Property(T),
    (T, "starts_with"): Property(B, takes_text=True),
    (T, "ends_with"): Property(B, takes_text=True),
    **{(kind, name): Property(N) for kind in (I, Kind.DATE) for name in _PARTS},
    (I, "weekday"): Property(T),
    (Kind.DATE, "weekday"): Property(T),
    (I, "date"): Property(I),
    (Kind.DATE, "date"): Property(I),
    (N, "floor"): Property(N),
    (N, "ceiling"): Property(N),
    (Kind.TEXT_SET, "length"): Property(N),
    (Kind.NUMBER_SET, "length"): Property(N),
    (D, "days"): Property(N),
    (D, "seconds"): Property(N),
    (D, "total_seconds"): Property(N),
}
FUNCTIONS = ("abs", "min", "max")


def plain(kind: Kind | None) -> Kind | None:
    """A date compares as an instant: midnight UTC."""
    return Kind.INSTANT if kind is Kind.DATE else kind


def of_minus(node: Node) -> Kind | None:
    """The kind of `-x`."""
    if node.kind is FAULTY:
        return FAULTY
    return node.kind if node.kind in (N, D) else None


def of_arithmetic(operator: str, left: Kind | None, right: Kind | None) -> Kind | None:
    """The kind of the result; None: they don't go together."""
    left, right = plain(left), plain(right)
    if FAULTY in (left, right):
        return FAULTY
    if operator in "+-":
        return _SUMS.get((operator, left, right))  # type: ignore[arg-type]
    return N if left is N and right is N else None


def common(left: Kind | None, right: Kind | None) -> Kind | None:
    """The kind of either; null goes with everything. A choice between dates is an instant."""
    left, right = plain(left), plain(right)
    if left is None or right is None:
        return left or right
    if FAULTY in (left, right):
        return FAULTY
    return left if left is right else None


def why_not_comparable(operator: str, left: Node, right: Node) -> str | None:
    """A sentence, or None if the comparison makes sense."""
    one, other = plain(left.kind), plain(right.kind)
    if FAULTY in (one, other) or (operator in ("==", "!=") and None in (one, other)):
        return None
    if one is not other:
        what = "always false" if operator == "==" else "makes no sense"
        return f"compares {a_(left.kind)} with {a_(right.kind)}: {what}"
    if operator not in ("==", "!=") and one not in (N, T, I, D):
        return f"{a_(left.kind)} has no order"
    return None


def why_not_contained(member: Node, container: Node) -> str | None:
    """A sentence, or None if `in` makes sense."""
    if FAULTY in (member.kind, container.kind):
        return None
    if container.kind in SETS:
        if member.kind is SETS[container.kind]:
            return None
        return f"looks for {a_(member.kind)} in a {container.kind}: always false"
    if container.kind is T and member.kind is T:
        return None
    return f"`in` needs a list or a text on its right, this is {a_(container.kind)}"


def of_set(values: Iterable[Any]) -> Kind:
    """A set of numbers or of texts."""
    is_numbers = bool(found := list(values)) and all(isinstance(v, Decimal | int) for v in found)
    return Kind.NUMBER_SET if is_numbers else Kind.TEXT_SET


def a_(kind: Kind | None) -> str:
    """The kind with its article, for messages."""
    if kind is None:
        return "null"
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"
