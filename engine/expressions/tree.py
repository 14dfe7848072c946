"""The tree of an expression: small frozen nodes with their kind, their text and their place in it.

In: made by the parser. Out: read by checks, compiler and explanation.
Nothing here depends on rule-engine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from belfry.engine.fields import Kind

INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}
FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


class Node(msgspec.Struct, frozen=True, gc=False):
    """`kind` None: the literal null. `text`: as written. `start`: offset in the expression."""

    kind: Kind | None
    text: str
    start: int


class Literal(Node, frozen=True, gc=False):
    """A number, text, boolean, instant, duration, null, or a set of constants."""

    value: Any


class Read(Node, frozen=True, gc=False):
    """A dotted name."""

    dotted: str
    nullable: bool
    choices: tuple[str, ...] = ()


class Arithmetic(Node, frozen=True, gc=False):
    """`+ - * / // %` and unary minus (`left` None)."""

    operator: str
    left: Node | None
    right: Node


class Compare(Node, frozen=True, gc=False):
    """`== != < <= > >=`."""

    operator: str
    left: Node
    right: Node


class Contains(Node, frozen=True, gc=False):
    """`member in container`, or `not in`."""

    member: Node
    container: Node
    is_negated: bool


class Match(Node, frozen=True, gc=False):
    """A regular expression: `is_search` looks anywhere, otherwise from the start."""

    left: Node
    pattern: str
    is_search: bool
    is_negated: bool


class Logic(Node, frozen=True, gc=False):
    """`and` or `or` over two or more parts."""

    operator: str
    parts: tuple[Node, ...]


class Not(Node, frozen=True, gc=False):
    """Negation."""

    operand: Node


class Ternary(Node, frozen=True, gc=False):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


class Coalesce(Node, frozen=True, gc=False):
    """`left ?? right`: the default where left is missing."""

    left: Node
    right: Node


class Attribute(Node, frozen=True, gc=False):
    """A pure property of a text, instant or duration: `purpose.length`, `time.hour`."""

    operand: Node
    name: str
    argument: str | None = None


class Slice(Node, frozen=True, gc=False):
    """A part of a text, `purpose[0:4]`; or one letter, `purpose[0]`: unknown if it is not there."""

    operand: Node
    first: int | None
    stop: int | None
    is_letter: bool


class Call(Node, frozen=True, gc=False):
    """`$abs(x)`, `$min([x, y])`, `$max([x, y])`."""

    function: str
    arguments: tuple[Node, ...]


_BELOW: dict[type[Node], Callable[[Any], tuple[Node, ...]]] = {
    Literal: lambda node: (),
    Read: lambda node: (),
    Arithmetic: lambda node: (node.right,) if node.left is None else (node.left, node.right),
    Compare: lambda node: (node.left, node.right),
    Contains: lambda node: (node.member, node.container),
    Match: lambda node: (node.left,),
    Logic: lambda node: node.parts,
    Not: lambda node: (node.operand,),
    Ternary: lambda node: (node.condition, node.yes, node.no),
    Coalesce: lambda node: (node.left, node.right),
    Attribute: lambda node: (node.operand,),
    Slice: lambda node: (node.operand,),
    Call: lambda node: node.arguments,
}


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    return _BELOW[type(node)](node)


def is_constant(node: Node) -> bool:
    """Does it read nothing?"""
    pending = [node]
    while pending:
        one = pending.pop()
        if type(one) is Read:
            return False
        pending.extend(children(one))
    return True


def reads(node: Node) -> tuple[str, ...]:
    """All dotted names read, each once, in order."""
    found: dict[str, None] = {}
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, Read):
            found[one.dotted] = None
        pending.extend(reversed(children(one)))
    return tuple(found)


def moved(node: Node, start: int) -> Node:
    """The same tree with all places at `start`: a macro's content stands where its name stands."""
    changed: dict[str, Any] = {"start": start}
    for field in node.__struct_fields__:
        value = getattr(node, field)
        if isinstance(value, Node):
            changed[field] = moved(value, start)
        elif isinstance(value, tuple) and value and isinstance(value[0], Node):
            changed[field] = tuple(moved(one, start) for one in value)
    return msgspec.structs.replace(node, **changed)


def extent(tree: Node) -> tuple[int, int]:
    """How deep a tree is, and how often its generated code doubles on the way down.

    A truth that is used as a value is generated twice: once for true, once for false.
    """
    deepest = doubled = 0
    pending = [(tree, 1, 0)]
    while pending:
        node, depth, doublings = pending.pop()
        deepest, doubled = max(deepest, depth), max(doubled, doublings)
        for child in children(node):
            is_value = child.kind is Kind.BOOLEAN and not isinstance(node, Logic | Not)
            is_bare = isinstance(child, Literal | Read)
            pending.append((child, depth + 1, doublings + (is_value and not is_bare)))
    return deepest, doubled
