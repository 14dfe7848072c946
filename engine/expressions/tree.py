"""The tree of an expression: small frozen nodes with their kind, their text and their place in it.

In: made by the parser. Out: read by checks, compiler and explanation. Nothing here depends on rule-engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from belfry.engine.fields import Kind


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` None: the literal null. `text`: as written. `start`: offset in the expression."""

    kind: Kind | None
    text: str
    start: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, text, boolean, instant, duration, null, or a set of constants."""

    value: Any


@dataclass(frozen=True, slots=True)
class Read(Node):
    """A dotted name."""

    dotted: str
    nullable: bool
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arithmetic(Node):
    """`+ - * / // %` and unary minus (`left` None)."""

    operator: str
    left: Node | None
    right: Node


@dataclass(frozen=True, slots=True)
class Compare(Node):
    """`== != < <= > >=`."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Contains(Node):
    """`member in container`, or `not in`."""

    member: Node
    container: Node
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Match(Node):
    """A regular expression: `is_search` looks anywhere, otherwise from the start."""

    left: Node
    pattern: str
    is_search: bool
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Logic(Node):
    """`and` or `or` over two or more parts."""

    operator: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    """Negation."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Ternary(Node):
    """`condition ? yes : no`."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Coalesce(Node):
    """`left ?? right`: the default where left is missing."""

    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Attribute(Node):
    """A pure property of a text, instant or duration: `purpose.length`, `time.hour`."""

    operand: Node
    name: str
    argument: str | None = None


@dataclass(frozen=True, slots=True)
class Call(Node):
    """`$abs(x)`, `$min([x, y])`, `$max([x, y])`."""

    function: str
    arguments: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below."""
    match node:
        case Arithmetic(left=left, right=right):
            return (right,) if left is None else (left, right)
        case Compare(left=left, right=right) | Coalesce(left=left, right=right):
            return left, right
        case Contains(member=member, container=container):
            return member, container
        case Match(left=left):
            return (left,)
        case Logic(parts=parts):
            return parts
        case Not(operand=operand) | Attribute(operand=operand):
            return (operand,)
        case Ternary(condition=condition, yes=yes, no=no):
            return condition, yes, no
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


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
