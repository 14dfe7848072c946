"""Compiles a typed tree to Python source: definitely true, definitely false, or the value.

In: `Expression`, a function that says how a name is read, `Constants`. Out: source of one Python expression.
Invariant: true and false never hold together; neither holds when what is missing matters (Kleene's logic).
A division by zero raises ArithmeticError: the caller counts it as the rule's error and goes on.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import re2

from belfry.engine.expressions.expression import Expression
from belfry.engine.expressions.tree import (
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
    Ternary,
)
from belfry.engine.fields import Kind

ReadSource = Callable[[str], str]
INVERSE = {"==": "!=", "!=": "==", "<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def midnight(day: dt.date) -> dt.datetime:
    """A date as the instant it compares as."""
    return dt.datetime.combine(day, dt.time(0), dt.UTC)


def weekday(when: dt.date) -> str:
    """`Monday` … `Sunday`, as rule-engine has it, whatever the locale."""
    return ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[
        when.weekday()
    ]


def start_of_day(when: dt.datetime) -> dt.datetime:
    """Midnight of that day in its own zone."""
    return when.replace(hour=0, minute=0, second=0, microsecond=0)


class Constants:
    """Values that generated code refers to by name, and names for what it computes on the way."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {
            "midnight": midnight,
            "weekday": weekday,
            "start_of_day": start_of_day,
            "Decimal": Decimal,
        }
        self._known: dict[tuple[type, Any], str] = {}
        self._temporaries = 0

    def add(self, value: Any) -> str:
        """Python source for a constant."""
        if value is None or isinstance(value, bool | str):
            return repr(value)
        try:
            key = (type(value), str(value) if isinstance(value, Decimal) else value)
            known = self._known.get(key)
        except TypeError:
            key, known = (type(value), id(value)), None
        if known is None:
            known = self._known[key] = f"k{len(self._known)}"
            self.names[known] = value
        return known

    def pattern(self, text: str) -> str:
        """A compiled RE2 pattern."""
        key = (re2._Regexp, text)  # noqa: SLF001  only used to keep it apart from texts
        if key not in self._known:
            self._known[key] = f"k{len(self._known)}"
            self.names[self._known[key]] = re2.compile(text)
        return self._known[key]

    def temporary(self) -> str:
        """A fresh local name."""
        self._temporaries += 1
        return f"t{self._temporaries}"


class Value(NamedTuple):
    """Source of a value, right wherever all `guards` (sources too) hold."""

    source: str
    guards: tuple[str, ...] = ()


def true_source(expression: Expression, read: ReadSource, constants: Constants) -> str:
    """Truthy exactly where the condition is definitely true."""
    return _Compiler(read, constants).true(expression.tree)


def false_source(expression: Expression, read: ReadSource, constants: Constants) -> str:
    """Truthy exactly where the condition is definitely false."""
    return _Compiler(read, constants).false(expression.tree)


def value_source(expression: Expression, read: ReadSource, constants: Constants) -> str:
    """The value, None for unknown. A bare date stays a date."""
    tree = expression.tree
    if isinstance(tree, Read):
        return read(tree.dotted)
    return _Compiler(read, constants).maybe(tree)


class _Compiler:
    def __init__(self, read: ReadSource, constants: Constants) -> None:
        self.read, self.constants = read, constants

    def true(self, node: Node) -> str:
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
        if side.kind is None:
            guards: tuple[str, ...] = ("False",)
        else:
            guards = self.value(side).guards
        is_null = (node.operator == "==") is is_true
        there = " and ".join(guards) or "True"
        return f"(not ({there}))" if is_null else f"({there})"

    def maybe(self, node: Node) -> str:
        """The value or None."""
        one = self.value(node)
        return f"({one.source} if {' and '.join(one.guards)} else None)" if one.guards else one.source

    def value(self, node: Node) -> Value:
        """The value, under its guards. Guards must be evaluated before it, left to right."""
        match node:
            case Literal(value=value):
                return Value(self.constants.add(value))
            case Read():
                return self._read(node)
            case Arithmetic():
                return self._arithmetic(node)
            case Attribute():
                return self._attribute(node)
            case Call(function=function, arguments=arguments):
                values = [self.value(argument) for argument in arguments]
                sources = ", ".join(value.source for value in values)
                guards = tuple(guard for value in values for guard in value.guards)
                return Value(_call(function, sources, len(values)), _unique(guards))
            case Coalesce(left=left, right=right) if node.kind is not Kind.BOOLEAN:
                one = self.value(left)
                if not one.guards:
                    return one
                other = self.value(right)
                chosen = f"({one.source} if {' and '.join(one.guards)} else {{}})"
                if not other.guards:
                    return Value(chosen.format(other.source))
                return self._stored(chosen.format(self.maybe(right)))
            case Ternary(condition=condition, yes=yes, no=no) if node.kind is not Kind.BOOLEAN:
                sure, never = self.true(condition), self.false(condition)
                return self._stored(
                    f"({self.maybe(yes)} if {sure} else {self.maybe(no)} if {never} else None)"
                )
            case _:
                return self._stored(f"(True if {self.true(node)} else False if {self.false(node)} else None)")

    def _stored(self, source: str) -> Value:
        """A value that may turn out to be None: computed once, in its guard."""
        name = self.constants.temporary()
        return Value(name, (f"({name} := {source}) is not None",))

    def _read(self, node: Read) -> Value:
        name = self.read(node.dotted)
        guards = (f"{name} is not None",) if node.nullable else ()
        return Value(f"midnight({name})" if node.kind is Kind.DATE else name, guards)

    def _arithmetic(self, node: Arithmetic) -> Value:
        right = self.value(node.right)
        if node.left is None:
            return Value(f"(-{right.source})", right.guards)
        left = self.value(node.left)
        source = left.source
        if node.operator in ("/", "//", "%") and isinstance(node.left, Read | Attribute | Call):
            # Counts are ints: int / int would be a float, and ints round down where decimals cut.
            source = f"Decimal({source})"
        text = f"({source} {node.operator} {right.source})"
        return Value(text, _unique((*left.guards, *right.guards)))

    def _attribute(self, node: Attribute) -> Value:
        one = self.value(node.operand)
        form = _ATTRIBUTES.get(node.name, "{0}." + node.name)
        argument = "" if node.argument is None else self.constants.add(node.argument)
        return Value(form.format(one.source, argument), one.guards)


_ATTRIBUTES = {
    "length": "len({0})",
    "as_lower": "{0}.lower()",
    "as_upper": "{0}.upper()",
    "starts_with": "{0}.startswith({1})",
    "ends_with": "{0}.endswith({1})",
    "weekday": "weekday({0})",
    "date": "start_of_day({0})",
    "total_seconds": "Decimal(repr({0}.total_seconds()))",
}


def _call(function: str, sources: str, count: int) -> str:
    if count == 1 and function != "abs":
        return sources
    return f"{function}({sources})"


def _unique(guards: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(guards))


def _guarded(guards: tuple[str, ...], test: str) -> str:
    return f"({' and '.join((*_unique(guards), test))})"


@lru_cache(maxsize=4096)
def _compiled(tree: Node, text: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Both forms as functions of a mapping, for cold paths."""
    constants = Constants()
    names: dict[str, str] = {}

    def read(dotted: str) -> str:
        return names.setdefault(dotted, f"v{len(names)}")

    compiler = _Compiler(read, constants)
    if tree.kind is Kind.BOOLEAN:
        sources = compiler.true(tree), compiler.false(tree)
    else:
        sources = (compiler.maybe(tree), "False")
    loads = "".join(f"    {name} = m.get({dotted!r})\n" for dotted, name in names.items())
    lines = [f"def f{i}(m):\n{loads}    return {source}\n" for i, source in enumerate(sources)]
    space = dict(constants.names)
    exec(compile("".join(lines), f"<{text[:40]}>", "exec"), space)  # noqa: S102
    return space["f0"], space["f1"]


def evaluate_tree(tree: Node, values: Mapping[str, Any]) -> Any:
    """The value of a tree over names; None: unknown. Division by zero is unknown too."""
    first, second = _compiled(tree, tree.text)
    try:
        if tree.kind is not Kind.BOOLEAN:
            return first(values)
        return True if first(values) else False if second(values) else None
    except ArithmeticError:
        return None


def evaluate(expression: Expression, values: Mapping[str, Any]) -> Any:
    """The value over names: bool, Decimal, text … or None for unknown."""
    return evaluate_tree(expression.tree, values)
