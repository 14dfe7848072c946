"""Parses and types an expression: rule-engine's grammar and precedence, our own nodes.

In: text and what it may read. Out: a typed tree; every name and type fault found on the way.
Source of the precedence: rule_engine 5.1 parser/__init__.py; tests hold the two together.
Operands (literals, names, calls, lists) are read in operands.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from belfry.engine.expressions import kinds, patterns
from belfry.engine.expressions.kinds import a_
from belfry.engine.expressions.names import Known
from belfry.engine.expressions.operands import (
    AND,
    COALESCE,
    EQUALITY,
    OR,
    PRODUCT,
    RELATION,
    SUM,
    TERNARY,
    list_items,
    list_of,
    operand,
)
from belfry.engine.expressions.tokens import TOKENS_MAX, Token, Trouble, tokenize
from belfry.engine.expressions.tree import (
    Arithmetic,
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

DEPTH_MAX = 40
REFUSED = {
    "**": "powers are refused: their cost has no bound",
    "<<": "shifts are refused: their cost has no bound",
    ">>": "shifts are refused: their cost has no bound",
    "&": "bit operations are refused; write `and`",
    "|": "bit operations are refused; write `or`",
    "^": "bit operations are refused",
    "for": "comprehensions are refused: their cost has no bound",
}
MEANT = {"=": "==", "&&": "and", "||": "or", "!": "not"}
Report = Callable[[Trouble], None]


@dataclass(slots=True)
class Shared:
    """What the text and its macros have in common: names, and a budget that all of them spend."""

    known: Known
    words_left: int = TOKENS_MAX


class Parser:
    """One pass over one text. `report` hears faults that parsing can go on after."""

    def __init__(
        self, text: str, shared: Shared, report: Report, macros: tuple[str, ...] = ()
    ) -> None:
        self.text, self.shared, self.report, self.macros = text, shared, report, macros
        self.tokens = tokenize(text)
        shared.words_left -= len(self.tokens) - 1
        if shared.words_left < 0:
            raise Trouble("B320", 0, f"with its macros more than {TOKENS_MAX} words")
        self.place = 0
        self.depth = 0
        self.grouped: Node | None = None  # the node that was closed by a parenthesis just now

    def whole(self) -> Node:
        """The expression, to the end of the text."""
        for token in self.tokens:
            if token.text in REFUSED and token.kind in ("operator", "name"):
                raise self.unexpected(token)
        node = self.expression(0)
        if self.now.kind != "end":
            raise self.unexpected(self.now)
        return node

    @property
    def now(self) -> Token:
        """The next token."""
        return self.tokens[self.place]

    def take(self) -> Token:
        """The next token, used up. The end is never used up."""
        token = self.tokens[self.place]
        if token.kind == "end":
            raise self.unexpected(token)
        self.place += 1
        return token

    def accept(self, word: str) -> bool:
        """Use the next token up if it is this word."""
        token = self.now
        if token.kind in ("operator", "name") and token.text == word:
            self.place += 1
            return True
        return False

    def expect(self, word: str) -> None:
        """The next token must be this word."""
        if not self.accept(word):
            raise self.unexpected(self.now, expected=f"`{word}`")

    def expression(self, floor: int) -> Node:
        """An expression of operators that bind tighter than `floor`."""
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise Trouble("B320", self.now.start, f"nested deeper than {DEPTH_MAX} levels")
        node, links = operand(self), 0
        while (longer := self._infix(node, floor)) is not None:
            node = longer
            links += not isinstance(node, Logic)
            if links > DEPTH_MAX:
                message = f"more than {DEPTH_MAX} operators in a row"
                raise Trouble("B320", node.start, message)
        self.depth -= 1
        return node

    def _infix(self, left: Node, floor: int) -> Node | None:
        token = self.now
        if token.kind not in ("operator", "name"):
            return None
        word = token.text
        found = _INFIX.get(word)
        if word == "not" and self.tokens[self.place + 1].text == "in":
            found = (RELATION, _contains)
        if found is None or found[0] <= floor:
            return None
        return found[1](self, left)

    def written(self, start: int) -> str:
        """The text from `start` to the token before this one."""
        return self.text[start : self.tokens[self.place - 1].end]

    def want_boolean(self, node: Node) -> None:
        """A condition is expected here."""
        if node.kind not in (Kind.BOOLEAN, kinds.FAULTY):
            self.mismatch(node, f"a condition is expected here, this is {a_(node.kind)}", "B313")

    def mismatch(
        self, node: Node, message: str, code: str = "B312", hint: str | None = None
    ) -> None:
        """Kinds that do not go together, from `node` to here."""
        width = self.tokens[self.place - 1].end - node.start
        self.report(Trouble(code, node.start, message, width=width, hint=hint))

    def unexpected(self, token: Token, expected: str | None = None) -> Trouble:
        """The grammar does not go on with this token."""
        word = "the end" if token.kind == "end" else f"`{token.text}`"
        meant = MEANT.get(token.text)
        hint = None if meant is None else f"did you mean `{meant}`?"
        width = len(token.text)
        if token.text in REFUSED:
            return Trouble("B314", token.start, REFUSED[token.text], width=width)
        message = f"{word} is not expected here"
        return Trouble("B310", token.start, message, width=width, expected=expected, hint=hint)


def _logic(parser: Parser, left: Node) -> Node:
    word = parser.take().text
    right = parser.expression(AND if word == "and" else OR)
    for side in (left, right):
        parser.want_boolean(side)
    # `a and b and c` is one node with three parts, also where macros or parentheses made them.
    parts = [
        part
        for side in (left, right)
        for part in (side.parts if isinstance(side, Logic) and side.operator == word else (side,))
    ]
    return Logic(Kind.BOOLEAN, parser.written(left.start), left.start, word, tuple(parts))


def _compare(parser: Parser, left: Node) -> Node:
    word = parser.take().text
    level = EQUALITY if word in ("==", "!=") else RELATION
    right = parser.expression(level)
    _refuse_chain(parser, level)
    trouble = kinds.why_not_comparable(word, left, right)
    if trouble:
        parser.mismatch(left, trouble, hint=_quote(left, right) or _quote(right, left))
    _check_choices(parser, left, right)
    return Compare(Kind.BOOLEAN, parser.written(left.start), left.start, word, left, right)


def _refuse_chain(parser: Parser, level: int) -> None:
    token = parser.now
    following = _INFIX.get(token.text)
    if following is None or following[0] != level or token.kind not in ("operator", "name"):
        return
    hint = "write `a < b and b < c`"
    message = "comparisons can't be chained"
    raise Trouble("B310", token.start, message, hint=hint, width=len(token.text))


def _quote(one: Node, other: Node) -> str | None:
    """A number was written where a text was meant, or the other way round."""
    if one.kind is Kind.TEXT and isinstance(other, Literal) and other.kind is Kind.NUMBER:
        return f'write "{other.text}" if the text is meant'
    is_figure = isinstance(other, Literal) and other.kind is Kind.TEXT and other.value.isdecimal()
    if one.kind is Kind.NUMBER and is_figure and isinstance(other, Literal):
        return f"write {other.value} without quotes"
    return None


def _contains(parser: Parser, left: Node) -> Node:
    is_negated = parser.accept("not")
    parser.expect("in")
    if parser.now.text in ("[", "{") and parser.now.kind == "operator":
        node = _contained_in_list(parser, left, is_negated=is_negated)
        _refuse_chain(parser, RELATION)
        return node
    right = parser.expression(RELATION)
    _refuse_chain(parser, RELATION)
    return _membership(parser, left, right, is_negated=is_negated)


def _membership(parser: Parser, left: Node, right: Node, *, is_negated: bool) -> Node:
    trouble = kinds.why_not_contained(left, right)
    if trouble:
        parser.mismatch(left, trouble)
    _check_choices(parser, left, right)
    text = parser.written(left.start)
    return Contains(Kind.BOOLEAN, text, left.start, left, right, is_negated)


def _contained_in_list(parser: Parser, left: Node, *, is_negated: bool) -> Node:
    """`x in [1, y]` is `x in [1] or x == y`: what is computed is compared one by one."""
    start = parser.now.start
    items = list_items(parser)
    constants = [item for item in items if isinstance(item, Literal)]
    computed = [item for item in items if not isinstance(item, Literal)]
    parts: list[Node] = []
    if constants:
        values = list_of(constants, parser.written(start), start)
        parts.append(_membership(parser, left, values, is_negated=False))
    for item in computed:
        trouble = kinds.why_not_comparable("==", left, item)
        if trouble:
            parser.mismatch(left, trouble)
        text = f"{left.text} == {item.text}"
        parts.append(Compare(Kind.BOOLEAN, text, left.start, "==", left, item))
    text = parser.written(left.start)
    if not computed and isinstance(parts[0], Contains):
        found = parts[0]
        return Contains(Kind.BOOLEAN, text, left.start, found.member, found.container, is_negated)
    node = Logic(Kind.BOOLEAN, text, left.start, "or", tuple(parts)) if len(parts) > 1 else parts[0]
    return Not(Kind.BOOLEAN, text, left.start, node) if is_negated else node


def _match(parser: Parser, left: Node) -> Node:
    word = parser.take().text
    token = parser.take()
    if token.kind != "text":
        message = "the pattern must be written here as a text"
        raise Trouble("B315", token.start, message, width=len(token.text))
    refused = patterns.why_refused(token.value)
    if refused is not None:
        message = f"RE2 refuses this pattern: {refused}"
        raise Trouble("B315", token.start, message, width=len(token.text))
    _refuse_chain(parser, RELATION)
    if left.kind not in (Kind.TEXT, kinds.FAULTY):
        parser.mismatch(left, f"a pattern is matched with a text, this is {a_(left.kind)}")
    is_search, is_negated = word.endswith("~~"), word.startswith("!")
    text = parser.written(left.start)
    return Match(Kind.BOOLEAN, text, left.start, left, token.value, is_search, is_negated)


def _arithmetic(parser: Parser, left: Node) -> Node:
    token = parser.take()
    word = token.text
    right = parser.expression(SUM if word in "+-" else PRODUCT)
    kind = kinds.of_arithmetic(word, left.kind, right.kind)
    if kind is None:
        parser.mismatch(left, f"`{word}` does not go with {a_(left.kind)} and {a_(right.kind)}")
        kind = kinds.FAULTY
    if word in ("/", "//", "%") and isinstance(right, Literal) and right.value == 0:
        parser.report(Trouble("B312", token.start, "divides by zero", width=len(word)))
    return Arithmetic(kind, parser.written(left.start), left.start, word, left, right)


def _coalesce(parser: Parser, left: Node) -> Node:
    is_left_grouped = left is parser.grouped
    token = parser.take()
    right = parser.expression(COALESCE - 1)
    tests = Compare | Contains | Match
    is_trap = (isinstance(left, tests) and not is_left_grouped) or (
        isinstance(right, tests | Arithmetic)
        and right is not parser.grouped
        and not (isinstance(right, Arithmetic) and right.left is None)
    )
    if is_trap:
        raise Trouble(
            "B318",
            token.start,
            "`??` binds looser than the operator beside it",
            width=2,
            hint="put what you mean in parentheses, e.g. `(x ?? 0) > 10`",
        )
    kind = kinds.common(left.kind, right.kind)
    if kind is None:
        message = f"the default of {a_(left.kind)} can't be {a_(right.kind)}"
        parser.mismatch(left, message)
        kind = kinds.FAULTY
    return Coalesce(kind, parser.written(left.start), left.start, left, right)


def _ternary(parser: Parser, left: Node) -> Node:
    parser.take()
    parser.want_boolean(left)
    yes = parser.expression(0)
    parser.expect(":")
    no = parser.expression(TERNARY - 1)
    kind = kinds.common(yes.kind, no.kind)
    if kind is None:
        parser.mismatch(yes, f"one side is {a_(yes.kind)}, the other {a_(no.kind)}")
        kind = kinds.FAULTY
    return Ternary(kind, parser.written(left.start), left.start, left, yes, no)


def _check_choices(parser: Parser, left: Node, right: Node) -> None:
    for one, other in ((left, right), (right, left)):
        if not isinstance(one, Read) or not one.choices or not isinstance(other, Literal):
            continue
        values = other.value if isinstance(other.value, frozenset) else {other.value}
        for value in sorted(v for v in values if isinstance(v, str) and v not in one.choices):
            parser.report(
                Trouble(
                    "B321",
                    other.start,
                    f"`{one.dotted}` is never {value!r}",
                    width=len(other.text),
                    expected=listed(one.choices),
                    hint=did_you_mean(value, one.choices),
                )
            )


_INFIX: dict[str, tuple[int, Callable[[Parser, Node], Node]]] = {
    "?": (TERNARY, _ternary),
    "or": (OR, _logic),
    "and": (AND, _logic),
    "??": (COALESCE, _coalesce),
    **dict.fromkeys(("==", "!="), (EQUALITY, _compare)),
    **dict.fromkeys(("<", "<=", ">", ">="), (RELATION, _compare)),
    **dict.fromkeys(("=~", "=~~", "!~", "!~~"), (RELATION, _match)),
    "in": (RELATION, _contains),
    **dict.fromkeys(("+", "-"), (SUM, _arithmetic)),
    **dict.fromkeys(("*", "/", "//", "%"), (PRODUCT, _arithmetic)),
}
