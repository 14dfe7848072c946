"""Parses and types an expression: rule-engine's grammar and precedence, our own nodes.

In: tokens, the names in scope, macros, lists. Out: a typed tree; every name and type fault found on the way.
Source of the precedence: rule_engine 5.1 parser/__init__.py; tests hold the two together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import re2

from belfry.engine.expressions import kinds
from belfry.engine.expressions.tokens import Token, Trouble, tokenize
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
from belfry.engine.rulebook.suggest import did_you_mean, listed

DEPTH_MAX = 60
MACRO_DEPTH_MAX = 8
TERNARY, OR, AND, NOT, COALESCE, EQUALITY, RELATION, SUM, PRODUCT, MINUS = range(1, 11)
REFUSED = {
    "**": "powers are refused: their cost has no bound",
    "<<": "shifts are refused: their cost has no bound",
    ">>": "shifts are refused",
    "&": "bit operations are refused; write `and`",
    "|": "bit operations are refused; write `or`",
    "^": "bit operations are refused",
    "{": "sets are written as lists: [\"a\", \"b\"]",
    "&.": "not needed: a missing name is unknown, give a default with ??",
    "&[": "not needed: a missing name is unknown, give a default with ??",
}
RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null", "for", "if", "inf", "nan"})
Report = Callable[[Trouble], None]


@dataclass(frozen=True, slots=True)
class Known:
    """What an expression may read."""

    names: Mapping[str, Any]
    macros: Mapping[str, str]
    lists: Mapping[str, frozenset[Any]]
    objects: frozenset[str]


class Parser:
    """One pass over one text. `report` hears faults that parsing can go on after."""

    def __init__(self, text: str, known: Known, report: Report, macros: tuple[str, ...] = ()) -> None:
        self.text, self.known, self.report = text, known, report
        self.tokens = tokenize(text)
        self.place = 0
        self.depth = 0
        self.inside = macros

    def whole(self) -> Node:
        """The expression, to the end of the text."""
        node = self.expression(0)
        if self.now.kind != "end":
            raise self._unexpected(self.now)
        return node

    @property
    def now(self) -> Token:
        return self.tokens[self.place]

    def take(self) -> Token:
        token = self.tokens[self.place]
        self.place += 1
        return token

    def accept(self, *words: str) -> Token | None:
        token = self.now
        if token.kind in ("operator", "name") and token.text in words:
            return self.take()
        return None

    def expect(self, word: str) -> None:
        if self.accept(word) is None:
            raise self._unexpected(self.now, expected=f"`{word}`")

    def expression(self, floor: int) -> Node:
        """An expression of operators that bind tighter than `floor`."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise Trouble("B320", self.now.start, f"nested deeper than {DEPTH_MAX} levels")
        left = self.prefix()
        while True:
            step = self.infix(left, floor)
            if step is None:
                break
            left = step
        self.depth -= 1
        return left

    def infix(self, left: Node, floor: int) -> Node | None:
        token = self.now
        if token.kind not in ("operator", "name"):
            return None
        word = token.text
        if word in REFUSED:
            raise Trouble("B314", token.start, REFUSED[word], width=len(word))
        found = _INFIX.get(word)
        if word == "not" and self.tokens[self.place + 1].text == "in":
            found = (RELATION, Parser._contains)
        if found is None or found[0] <= floor:
            return None
        return found[1](self, left)

    def node(self, cls: Any, kind: Kind | None, first: Node, *values: Any) -> Any:
        """A node that reaches from `first` to the token before this one."""
        end = self.tokens[self.place - 1].end
        return cls(kind, self.text[first.start : end], first.start, *values)

    def prefix(self) -> Node:
        token = self.take()
        match token.kind:
            case "number" | "text" | "duration" | "instant":
                return Literal(_LITERALS[token.kind], token.text, token.start, token.value)
            case "name":
                return self._name(token)
            case "operator" if token.text == "(":
                inner = self.expression(0)
                self.expect(")")
                return inner
            case "operator" if token.text == "[":
                return self._list(token)
            case "operator" if token.text == "-":
                operand = self.expression(MINUS - 1)
                if isinstance(operand, Literal) and operand.kind is Kind.NUMBER:
                    text = self.text[token.start : self.tokens[self.place - 1].end]
                    return Literal(Kind.NUMBER, text, token.start, -operand.value)
                kind = self._kind_of(kinds.of_minus(operand), operand)
                start = Node(None, "", token.start)
                return self.node(Arithmetic, kind, start, "-", None, operand)
            case _:
                if token.text in REFUSED:
                    raise Trouble("B314", token.start, REFUSED[token.text], width=len(token.text))
                raise self._unexpected(token)

    def _name(self, token: Token) -> Node:
        word = token.text
        if word in ("true", "false"):
            return Literal(Kind.BOOLEAN, word, token.start, word == "true")
        if word == "null":
            return Literal(None, word, token.start, None)
        if word == "not":
            operand = self.expression(NOT - 1)
            self._want_boolean(operand)
            return self.node(Not, Kind.BOOLEAN, Node(None, "", token.start), operand)
        if word in ("inf", "nan"):
            raise Trouble("B314", token.start, f"`{word}` is no amount of anything", width=len(word))
        if word in RESERVED:
            raise self._unexpected(token)
        if word.startswith("$"):
            return self._call(token)
        if word in self.known.macros and self.now.text != ".":
            return self._macro(token)
        return self._dotted(token)

    def _dotted(self, first: Token) -> Node:
        dotted, last = first.text, first
        node: Node | None = self._lookup(dotted, first.start, first.end)
        while self.now.text == "." and self.tokens[self.place + 1].kind == "name":
            longer = f"{dotted}.{self.tokens[self.place + 1].text}"
            is_name = longer in self.known.names or dotted in self.known.objects
            if not is_name and not dotted.startswith("lists"):
                break
            self.take()
            last = self.take()
            dotted = longer
            node = self._lookup(dotted, first.start, last.end)
        if node is None:
            raise self._unknown_name(dotted, first.start, last.end)
        while self.now.text == "." and self.tokens[self.place + 1].kind == "name":
            node = self._attribute(node)
        return node

    def _lookup(self, dotted: str, start: int, end: int) -> Node | None:
        if dotted.startswith("lists."):
            values = self.known.lists.get(dotted[6:])
            if values is None:
                return None
            return Literal(kinds.of_set(values), self.text[start:end], start, values)
        name = self.known.names.get(dotted)
        if name is None or name.kind is Kind.OBJECT:
            return None
        choices = tuple(name.choices)
        return Read(name.kind, self.text[start:end], start, dotted, name.nullable, choices)

    def _unknown_name(self, dotted: str, start: int, end: int) -> Trouble:
        head, _, _ = dotted.rpartition(".")
        near: list[str]
        if dotted in self.known.objects:
            near = [name for name in self.known.names if name.startswith(dotted + ".")]
            message = f"`{dotted}` is not a value; name one of its fields"
            return Trouble("B311", start, message, width=end - start, expected=listed(near))
        if head == "lists":
            near = [f"lists.{name}" for name in self.known.lists]
        else:
            near = [*self.known.names, *self.known.macros]
        same = [name for name in near if name.rpartition(".")[0] == head]
        hint = did_you_mean(dotted, same) or did_you_mean(dotted, near)
        if hint is None and not head:
            ends = [name for name in near if name.rpartition(".")[2] == dotted]
            hint = f"did you mean '{ends[0]}'?" if ends else None
        message = f"unknown name `{dotted}`"
        return Trouble(
            "B311", start, message, width=end - start, expected=listed(same or near), hint=hint
        )

    def _macro(self, token: Token) -> Node:
        name = token.text
        if name in self.inside or len(self.inside) >= MACRO_DEPTH_MAX:
            chain = " → ".join((*self.inside, name))
            raise Trouble("B319", token.start, f"macros in a circle: {chain}", width=len(name))

        def report(trouble: Trouble) -> None:
            self.report(_inside_macro(trouble, token))

        try:
            inner = Parser(self.known.macros[name], self.known, report, (*self.inside, name))
            # From here on it stands where its name stands.
            return replace(inner.whole(), start=token.start)
        except Trouble as trouble:
            raise _inside_macro(trouble, token) from None

    def _attribute(self, operand: Node) -> Node:
        self.take()
        word = self.take()
        found = kinds.ATTRIBUTES.get((operand.kind, word.text))
        if found is None:
            near = [name for kind, name in kinds.ATTRIBUTES if kind == operand.kind]
            raise Trouble(
                "B311",
                word.start,
                f"a {operand.kind} has no `{word.text}`",
                width=len(word.text),
                expected=listed(near),
                hint=did_you_mean(word.text, near),
            )
        argument = None
        if found.takes_text:
            self.expect("(")
            token = self.take()
            if token.kind != "text":
                raise self._unexpected(token, expected="a text")
            argument = token.value
            self.expect(")")
        return self.node(Attribute, found.kind, operand, operand, word.text, argument)

    def _call(self, token: Token) -> Node:
        name = token.text[1:]
        if name not in kinds.FUNCTIONS:
            allowed = ", ".join(f"${one}" for one in kinds.FUNCTIONS)
            message = f"`{token.text}` is refused: only what is bounded and pure may be called"
            raise Trouble(
                "B314", token.start, message, width=len(token.text), expected=allowed
            )
        self.expect("(")
        is_list = self.accept("[") is not None
        arguments = [self.expression(0)]
        while is_list and self.accept(","):
            arguments.append(self.expression(0))
        if is_list:
            self.expect("]")
        self.expect(")")
        if is_list != (name != "abs"):
            example = "$abs(x)" if name == "abs" else f"${name}([x, y])"
            raise Trouble("B310", token.start, f"write {example}", width=len(token.text))
        for argument in arguments:
            if argument.kind is not Kind.NUMBER:
                self._mismatch(argument, f"${name} takes numbers, this is {_a(argument.kind)}")
        start = Node(None, "", token.start)
        return self.node(Call, Kind.NUMBER, start, name, tuple(arguments))  # type: ignore[no-any-return]

    def _list(self, token: Token) -> Node:
        values: list[Any] = []
        while self.now.text != "]":
            item = self.expression(0)
            if not isinstance(item, Literal) or item.kind not in (Kind.NUMBER, Kind.TEXT):
                raise Trouble(
                    "B314", item.start, "a list holds texts or numbers only", width=len(item.text)
                )
            if self.now.text == "for":
                raise Trouble("B314", self.now.start, "comprehensions are refused", width=3)
            values.append(item.value)
            if self.accept(",") is None:
                break
        self.expect("]")
        if len({type(value) for value in values}) != 1:
            raise Trouble("B312", token.start, "a list of one kind of value is expected here")
        text = self.text[token.start : self.tokens[self.place - 1].end]
        return Literal(kinds.of_set(values), text, token.start, frozenset(values))

    def _logic(self, left: Node) -> Node:
        word = self.take().text
        right = self.expression(AND if word == "and" else OR)
        for side in (left, right):
            self._want_boolean(side)
        # Parentheses make a part of its own; `a and b and c` is one node with three parts.
        parts = left.parts if isinstance(left, Logic) and left.operator == word else (left,)
        return self.node(Logic, Kind.BOOLEAN, left, word, (*parts, right))  # type: ignore[no-any-return]

    def _compare(self, left: Node) -> Node:
        token = self.take()
        level = EQUALITY if token.text in ("==", "!=") else RELATION
        right = self.expression(level)
        following = _INFIX.get(self.now.text)
        if following is not None and following[0] == level and self.now.kind == "operator":
            raise Trouble(
                "B310",
                self.now.start,
                "comparisons can't be chained",
                hint="write `a < b and b < c`",
                width=len(self.now.text),
            )
        trouble = kinds.why_not_comparable(token.text, left, right)
        if trouble:
            self._mismatch(left, trouble, end=self.tokens[self.place - 1].end)
        self._check_choices(left, right)
        return self.node(Compare, Kind.BOOLEAN, left, token.text, left, right)  # type: ignore[no-any-return]

    def _contains(self, left: Node) -> Node:
        is_negated = self.accept("not") is not None
        self.expect("in")
        right = self.expression(RELATION)
        trouble = kinds.why_not_contained(left, right)
        if trouble:
            self._mismatch(left, trouble, end=self.tokens[self.place - 1].end)
        self._check_choices(left, right)
        return self.node(Contains, Kind.BOOLEAN, left, left, right, is_negated)  # type: ignore[no-any-return]

    def _match(self, left: Node) -> Node:
        operator = self.take().text
        token = self.take()
        if token.kind != "text":
            raise Trouble("B315", token.start, "the pattern must be written here as a text")
        try:
            re2.compile(token.value, _re2_options())
        except re2.error as error:
            word = error.args[0].decode() if isinstance(error.args[0], bytes) else str(error)
            raise Trouble(
                "B315", token.start, f"RE2 refuses this pattern: {word}", width=len(token.text)
            ) from None
        if left.kind is not Kind.TEXT:
            self._mismatch(left, f"a pattern is matched with a text, this is {_a(left.kind)}")
        is_search, is_negated = operator.endswith("~~"), operator.startswith("!")
        return self.node(Match, Kind.BOOLEAN, left, left, token.value, is_search, is_negated)  # type: ignore[no-any-return]

    def _arithmetic(self, left: Node) -> Node:
        operator = self.take().text
        right = self.expression(SUM if operator in "+-" else PRODUCT)
        kind = kinds.of_arithmetic(operator, left.kind, right.kind)
        if kind is None:
            message = f"`{operator}` does not go with {_a(left.kind)} and {_a(right.kind)}"
            self._mismatch(left, message, end=self.tokens[self.place - 1].end)
            kind = Kind.NUMBER
        return self.node(Arithmetic, kind, left, operator, left, right)  # type: ignore[no-any-return]

    def _coalesce(self, left: Node) -> Node:
        token = self.take()
        right = self.expression(COALESCE - 1)
        kind = kinds.common(left.kind, right.kind)
        if kind is None:
            is_trap = right.kind is Kind.BOOLEAN and isinstance(right, Compare | Contains | Logic)
            hint = f"write `({left.text} ?? …)` in parentheses" if is_trap else None
            raise Trouble(
                "B318" if is_trap else "B312",
                token.start,
                "`??` binds looser than the comparison after it"
                if is_trap
                else f"the default of {_a(left.kind)} can't be {_a(right.kind)}",
                width=2,
                hint=hint,
            )
        return self.node(Coalesce, kind, left, left, right)  # type: ignore[no-any-return]

    def _ternary(self, left: Node) -> Node:
        self.take()
        self._want_boolean(left)
        yes = self.expression(0)
        self.expect(":")
        no = self.expression(TERNARY - 1)
        kind = kinds.common(yes.kind, no.kind)
        if kind is None:
            self._mismatch(yes, f"one side is {_a(yes.kind)}, the other {_a(no.kind)}")
        return self.node(Ternary, kind, left, left, yes, no)  # type: ignore[no-any-return]

    def _want_boolean(self, node: Node) -> None:
        if node.kind is not Kind.BOOLEAN:
            self._mismatch(node, f"a condition is expected here, this is {_a(node.kind)}", "B313")

    def _kind_of(self, kind: Kind | None, node: Node) -> Kind:
        if kind is None:
            self._mismatch(node, f"`-` does not go with {_a(node.kind)}")
        return kind or Kind.NUMBER

    def _check_choices(self, left: Node, right: Node) -> None:
        for one, other in ((left, right), (right, left)):
            if not isinstance(one, Read) or not one.choices or not isinstance(other, Literal):
                continue
            values = other.value if isinstance(other.value, frozenset) else {other.value}
            for value in sorted(v for v in values if isinstance(v, str) and v not in one.choices):
                self.report(
                    Trouble(
                        "B321",
                        other.start,
                        f"`{one.dotted}` is never {value!r}",
                        width=len(other.text),
                        expected=listed(one.choices),
                        hint=did_you_mean(value, one.choices),
                    )
                )

    def _mismatch(self, node: Node, message: str, code: str = "B312", end: int | None = None) -> None:
        width = len(node.text) if end is None else end - node.start
        self.report(Trouble(code, node.start, message, width=width))

    def _unexpected(self, token: Token, expected: str | None = None) -> Trouble:
        word = "the end" if token.kind == "end" else f"`{token.text}`"
        hints = {"=": "`==`", "&&": "`and`", "||": "`or`", "!": "`not`"}
        hint = hints.get(token.text)
        return Trouble(
            "B310",
            token.start,
            f"{word} is not expected here",
            width=len(token.text),
            expected=expected,
            hint=None if hint is None else f"did you mean {hint}?",
        )


def _inside_macro(trouble: Trouble, token: Token) -> Trouble:
    message = f"in macro `{token.text}`: {trouble.message}"
    return Trouble(
        trouble.code,
        token.start,
        message,
        width=len(token.text),
        expected=trouble.expected,
        hint=trouble.hint,
    )


def _a(kind: Kind | None) -> str:
    if kind is None:
        return "null"
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _re2_options() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    return options


_LITERALS = {
    "number": Kind.NUMBER,
    "text": Kind.TEXT,
    "duration": Kind.DURATION,
    "instant": Kind.INSTANT,
}
_INFIX: dict[str, tuple[int, Callable[[Parser, Node], Node]]] = {
    "?": (TERNARY, Parser._ternary),
    "or": (OR, Parser._logic),
    "and": (AND, Parser._logic),
    "??": (COALESCE, Parser._coalesce),
    **dict.fromkeys(("==", "!="), (EQUALITY, Parser._compare)),
    **dict.fromkeys(("<", "<=", ">", ">="), (RELATION, Parser._compare)),
    **dict.fromkeys(("=~", "=~~", "!~", "!~~"), (RELATION, Parser._match)),
    "in": (RELATION, Parser._contains),
    **dict.fromkeys(("+", "-"), (SUM, Parser._arithmetic)),
    **dict.fromkeys(("*", "/", "//", "%"), (PRODUCT, Parser._arithmetic)),
}
