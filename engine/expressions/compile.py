"""Compiles a typed tree to Python source: definitely true, definitely false, or the value.

In: `Expression`, how a name is read, `Constants`. Out: source of one Python expression.
Invariant: true and false never hold together; neither holds when what is missing matters (Kleene).
Unknown: what is missing, a division by zero, a letter beyond the end of its text.
ArithmeticError is left for quotients of more than 28 digits and dates beyond the year 9999:
the caller counts it as the rule's error and goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from belfry.engine.expressions import calls, patterns
from belfry.engine.expressions.expression import Expression
from belfry.engine.expressions.tree import (
    INVERSE,
    Arithmetic,
    Attribute,
    Call,
    Coalesce,
    Compare,
    Contains,
    Literal,
    Logic,
    Match,
    Node,
    Not,
    Read,
    Slice,
    Ternary,
)
from belfry.engine.fields import Kind

ReadSource = Callable[[str], str]
PROPERTIES = {
    "length": "len({0})",
    "is_empty": "(not {0})",
    "as_lower": "{0}.lower()",
    "as_upper": "{0}.upper()",
    "starts_with": "{0}.startswith({1})",
    "ends_with": "{0}.endswith({1})",
    "weekday": "weekday({0})",
    "date": "start_of_day({0})",
    "floor": "floor({0})",
    "ceiling": "ceiling({0})",
    "total_seconds": "total_seconds({0})",
}


class Constants:
    """Values that generated code refers to by name, and names for what it computes on the way."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = dict(calls.NAMES)
        self._known: dict[tuple[object, Any], str] = {}
        self._temporaries = 0

    def add(self, value: Any) -> str:
        """Python source for a constant."""
        if value is None or isinstance(value, bool | str):
            return repr(value)
        try:
            return self._named(
                (type(value), str(value) if type(value) is Decimal else value), value
            )
        except TypeError:  # not hashable
            return self._named((type(value), id(value)), value)

    def pattern(self, text: str) -> str:
        """A compiled RE2 pattern."""
        key = ("pattern", text)
        return self._known[key] if key in self._known else self._named(key, patterns.compiled(text))

    def temporary(self) -> str:
        """A fresh local name."""
        self._temporaries += 1
        return f"t{self._temporaries}"

    def _named(self, key: tuple[object, Any], value: Any) -> str:
        name = self._known.setdefault(key, f"k{len(self._known)}")
        self.names.setdefault(name, value)
        return name


class Value(NamedTuple):
    """Source of a value, right wherever all `guards` (sources too) hold, from left to right."""

    source: str
    guards: tuple[str, ...] = ()


def true_source(expression: Expression, read: ReadSource, constants: Constants) -> str:
    """Truthy exactly where the condition is definitely true."""
    return Compiler(read, constants).true(expression.tree)


def false_source(expression: Expression, read: ReadSource, constants: Constants) -> str:
    """Truthy exactly where the condition is definitely false."""
    return Compiler(read, constants).false(expression.tree)


def value_source(expression: Expression, read: ReadSource, constants: Constants) -> str:
    """The value, None for unknown. A bare date stays a date."""
    tree = expression.tree
    if isinstance(tree, Read):
        return read(tree.dotted)
    return Compiler(read, constants).maybe(tree)


class Compiler:
    """Source of nodes, reading names and naming constants in one way."""

    def __init__(self, read: ReadSource, constants: Constants) -> None:
        self.read, self.constants = read, constants

    def true(self, node: Node) -> str:
        """Truthy where it is definitely true."""
        match node:
            case Literal(value=value):
                return "True" if value is True else "False"
            case Logic(operator=operator, parts=parts):
                return f"({f' {operator} '.join(self.true(part) for part in parts)})"
            case Not(operand=operand):
                return self.false(operand)
            case Read(dotted=dotted):
                return self.read(dotted)
            case Ternary(condition=condition, yes=yes, no=no):
                sure, never = self.true(condition), self.false(condition)
                return f"(({sure} and {self.true(yes)}) or ({never} and {self.true(no)}))"
            case Coalesce(left=left, right=right):
                left_false = self.false(left)
                return f"({self.true(left)} or (not {left_false} and {self.true(right)}))"
            case _:
                return self._leaf(node, is_true=True)

    def false(self, node: Node) -> str:
        """Truthy where it is definitely false."""
        match node:
            case Literal(value=value):
                return "True" if value is False else "False"
            case Logic(operator=operator, parts=parts):
                dual = "or" if operator == "and" else "and"
                return f"({f' {dual} '.join(self.false(part) for part in parts)})"
            case Not(operand=operand):
                return self.true(operand)
            case Read(dotted=dotted, nullable=nullable):
                name = self.read(dotted)
                return f"({name} is False)" if nullable else f"(not {name})"
            case Ternary(condition=condition, yes=yes, no=no):
                sure, never = self.true(condition), self.false(condition)
                return f"(({sure} and {self.false(yes)}) or ({never} and {self.false(no)}))"
            case Coalesce(left=left, right=right):
                left_true = self.true(left)
                return f"({self.false(left)} or (not {left_true} and {self.false(right)}))"
            case _:
                return self._leaf(node, is_true=False)

    def _leaf(self, node: Node, *, is_true: bool) -> str:
        match node:
            case Compare(left=left, right=right) if left.kind is None or right.kind is None:
                return self._null_test(node, is_true=is_true)
            case Compare(operator=operator, left=left, right=right):
                word = operator if is_true else INVERSE[operator]
                one, other = self.value(left), self.value(right)
                test = f"{one.source} {word} {other.source}"
                return _guarded((*one.guards, *other.guards), test)
            case Contains(member=member, container=container, is_negated=is_negated):
                one, other = self.value(member), self.value(container)
                word = "in" if is_true is not is_negated else "not in"
                test = f"{one.source} {word} {other.source}"
                return _guarded((*one.guards, *other.guards), test)
            case Match(left=left, pattern=pattern, is_search=is_search, is_negated=is_negated):
                one = self.value(left)
                method = "search" if is_search else "match"
                word = "is not" if is_true is not is_negated else "is"
                found = f"{self.constants.pattern(pattern)}.{method}({one.source}) {word} None"
                return _guarded(one.guards, found)
            case _:
                one = self.value(node)
                return _guarded(one.guards, one.source if is_true else f"not {one.source}")

    def _null_test(self, node: Compare, *, is_true: bool) -> str:
        side = node.right if node.left.kind is None else node.left
        guards = ("False",) if side.kind is None else self.value(side).guards
        is_null = (node.operator == "==") is is_true
        there = " and ".join(guards) or "True"
        return f"(not ({there}))" if is_null else f"({there})"

    def maybe(self, node: Node) -> str:
        """The value or None."""
        one = self.value(node)
        if not one.guards:
            return one.source
        return f"({one.source} if {' and '.join(one.guards)} else None)"

    def value(self, node: Node) -> Value:
        """The value, under its guards."""
        match node:
            case Literal(value=value):
                return Value(self.constants.add(value))
            case Read(kind=kind, dotted=dotted, nullable=nullable):
                name = self.read(dotted)
                source = f"midnight({name})" if kind is Kind.DATE else name
                return Value(source, (f"{name} is not None",)) if nullable else Value(source)
            case Arithmetic():
                return self._arithmetic(node)
            case Attribute(operand=operand, name=name, argument=argument):
                one = self.value(operand)
                form = PROPERTIES.get(name, "{0}." + name)
                text = form.format(one.source, repr(argument))
                return Value(text, one.guards)
            case Slice():
                return self._slice(node)
            case Call(function=function, arguments=arguments):
                values = [self.value(argument) for argument in arguments]
                sources = ", ".join(value.source for value in values)
                guards = tuple(guard for value in values for guard in value.guards)
                is_plain = len(values) == 1 and function != "abs"
                return Value(sources if is_plain else f"{function}({sources})", _unique(guards))
            case Coalesce(left=left, right=right) if node.kind is not Kind.BOOLEAN:
                return self._coalesce(left, right)
            case Ternary(condition=condition, yes=yes, no=no) if node.kind is not Kind.BOOLEAN:
                sure, never = self.true(condition), self.false(condition)
                return self._stored(
                    f"({self.maybe(yes)} if {sure} else {self.maybe(no)} if {never} else None)"
                )
            case _:
                sure, never = self.true(node), self.false(node)
                return self._stored(f"(True if {sure} else False if {never} else None)")

    def _stored(self, source: str) -> Value:
        """A value that may turn out to be None: computed once, in its guard."""
        name = self.constants.temporary()
        return Value(name, (f"({name} := {source}) is not None",))

    def _coalesce(self, left: Node, right: Node) -> Value:
        one = self.value(left)
        if not one.guards:
            return one
        other = self.value(right)
        default = self.maybe(right) if other.guards else other.source
        chosen = f"({one.source} if {' and '.join(one.guards)} else {default})"
        return self._stored(chosen) if other.guards else Value(chosen)

    def _arithmetic(self, node: Arithmetic) -> Value:
        right = self.value(node.right)
        if node.left is None:
            return Value(f"(-{right.source})", right.guards)
        left = self.value(node.left)
        if node.operator not in ("/", "//", "%"):
            text = f"({left.source} {node.operator} {right.source})"
            return Value(text, _unique((*left.guards, *right.guards)))
        above, below = left.source, right.source
        guards: tuple[str, ...] = right.guards
        if not (_is_decimal(node.left) or _is_decimal(node.right)):
            # Counts are ints: int / int would be a float, and ints round down where decimals cut.
            above = f"Decimal({above})"
        if isinstance(node.right, Read):
            guards = (*guards, below)  # zero is falsy
        elif not isinstance(node.right, Literal):
            below = self.constants.temporary()
            guards = (*guards, f"({below} := {right.source})")
        return Value(f"({above} {node.operator} {below})", _unique((*left.guards, *guards)))

    def _slice(self, node: Slice) -> Value:
        one = self.value(node.operand)
        first = "" if node.first is None else node.first
        if not node.is_letter:
            stop = "" if node.stop is None else node.stop
            return Value(f"{one.source}[{first}:{stop}]", one.guards)
        place = node.first or 0
        needed = -place if place < 0 else place + 1
        there = f"len({one.source}) >= {needed}"
        return Value(f"{one.source}[{place}]", (*one.guards, there))


def _is_decimal(node: Node) -> bool:
    """Surely a Decimal, not a count; then Python's operators do what rule-engine's do."""
    match node:
        case Literal():
            return True
        case Arithmetic(operator="/" | "//" | "%"):
            return True
        case Arithmetic(left=left, right=right):
            return _is_decimal(right) or (left is not None and _is_decimal(left))
        case _:
            return False


def _unique(guards: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(guards))


def _guarded(guards: tuple[str, ...], test: str) -> str:
    return f"({' and '.join((*_unique(guards), test))})"
