"""Lint: money of several currencies added up, or compared with one number.

In: a `Book`. Out: warnings; none in a bank that knows one currency only.
What a book knows: the bank's currency and `currencies`, and each text that a condition compares a
currency with. Whoever reads a currency in the same rule or feature has thought of it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from belfry.engine.expressions import Expression
from belfry.engine.expressions.tree import (
    Compare,
    Contains,
    Literal,
    Node,
    Read,
    children,
    is_constant,
)
from belfry.engine.faults import Fault, Place
from belfry.engine.fields import Kind
from belfry.engine.rulebook.book import Book, warn
from belfry.engine.rulebook.model import Feature, Rule, SegmentValue
from belfry.engine.rulebook.reading import locate
from belfry.engine.rulebook.suggest import listed
from belfry.engine.rulebook.yaml_nodes import Node as YamlNode
from belfry.engine.rulebook.yaml_nodes import TextNode

MONEY = frozenset((
    "amount", "balance", "credit_limit", "overdraft_limit", "low_balance_limit", "payment",
    "amount_due",
))  # fmt: skip
OF_ONE_CURRENCY = frozenset(("customer",))  # the customer's own limits are in the bank's currency
SUMS = frozenset(("sum", "mean", "min", "max", "deviation"))
CODE_LENGTH = 3  # ISO 4217


def mixed_currencies(book: Book) -> Iterator[Fault]:
    """Sums over a customer's accounts, and conditions that compare amounts with a number."""
    known = _known(book)
    if len(known) < 2:
        return
    named = listed(sorted(known))
    for feature in book.rulebook.features.values():
        if _mixes(feature):
            key = next(name for name, _ in book.parts.of("features") if name.value == feature.name)
            message = f"'{feature.name}' is a {feature.operation} over several currencies ({named})"
            of = "currency" if feature.entity or "transaction" in feature.events else "…"
            yield warn(key, "B522", message, f'where: {of} == "{min(known)}"')
    for rule in book.rules:
        yield from _of_rule(book, rule, named)


def _of_rule(book: Book, rule: Rule, named: str) -> Iterator[Fault]:
    said = [(key, one) for key, one in _conditions(rule) if one is not None]
    if any(_reads_currency(one) for _, one in said):
        return
    for key, expression in said:
        found = next((one for one in _nodes(expression.tree) if _compares_money(one)), None)
        if found is not None:
            message = f"compares money of any currency ({named}) with one number"
            hint = 'and currency == "…", or a macro that converts'
            yield _placed(
                warn(book.at(rule, key), "B522", message, hint), book.at(rule, key), found
            )
            return


def _conditions(rule: Rule) -> tuple[tuple[str, Expression | None], ...]:
    return ("when", rule.when), ("except", rule.except_), ("until", rule.until)


def _placed(fault: Fault, node: YamlNode, found: Node) -> Fault:
    if not isinstance(node, TextNode):
        return fault
    line, column = locate(node, found.start)
    shown = node.source.line(line)
    width = max(1, min(len(found.text), len(shown or "") - column + 1))
    place = Place(node.source.path, line, column)
    return dataclasses.replace(fault, place=place, line=shown, width=width)


def _mixes(feature: Feature) -> bool:
    value = feature.value
    if feature.operation not in SUMS or feature.by != "customer" or value is None:
        return False
    reads = any(_is_money(name) for name in value.reads)
    return reads and not any(_reads_currency(one) for one in (value, feature.where) if one)


def _compares_money(node: Node) -> bool:
    """With a number that is not zero: nothing is nothing in every currency."""
    if not isinstance(node, Compare):
        return False
    for one, other in ((node.left, node.right), (node.right, node.left)):
        is_number = one.kind is Kind.NUMBER and is_constant(one)
        if is_number and not (isinstance(one, Literal) and one.value == 0):
            return any(isinstance(n, Read) and _is_money(n.dotted) for n in _nodes(other))
    return False


def _is_money(dotted: str) -> bool:
    head, _, last = dotted.rpartition(".")
    return last in MONEY and head not in OF_ONE_CURRENCY


def _is_currency(dotted: str) -> bool:
    return dotted.rpartition(".")[2] == "currency"


def _reads_currency(expression: Expression) -> bool:
    return any(_is_currency(name) for name in expression.reads)


def _known(book: Book) -> set[str]:
    """Every currency that the bank or a condition names."""
    bank = book.rulebook.policies.bank
    found = {*bank.currencies, *([bank.currency] if book.parts.bank else [])}
    for expression in _expressions(book):
        for node in _nodes(expression.tree):
            if isinstance(node, Compare):
                found |= _named(node.left, node.right) | _named(node.right, node.left)
            elif isinstance(node, Contains):
                found |= _named(node.member, node.container)
    return found


def _named(name: Node, value: Node) -> set[str]:
    if not (isinstance(name, Read) and _is_currency(name.dotted) and isinstance(value, Literal)):
        return set()
    texts = [value.value] if isinstance(value.value, str) else value.value or ()
    return {text for text in texts if isinstance(text, str) and len(text) == CODE_LENGTH}


def _expressions(book: Book) -> Iterator[Expression]:
    segments: Iterable[SegmentValue] = (
        value for segment in book.rulebook.segments.values() for value in segment.values
    )
    several: list[Expression | None] = [one.when for one in segments]
    for feature in book.rulebook.features.values():
        several += [feature.where, feature.value]
    for rule in book.rules:
        several += [one for _, one in _conditions(rule)]
    yield from (one for one in several if one is not None)


def _nodes(tree: Node) -> Iterator[Node]:
    pending = [tree]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(children(node)))
