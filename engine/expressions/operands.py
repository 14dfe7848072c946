"""Reads one operand: a literal, a name, a macro, a call, a list, something in parentheses.

In: a parser that stands before it. Out: its node, with properties and parts (`.length`, `[0:4]`).
Invariant: only what is bounded and pure is let in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from belfry.engine.expressions import kinds
from belfry.engine.expressions.kinds import a_
from belfry.engine.expressions.names import RESERVED, resolve
from belfry.engine.expressions.tokens import Token, Trouble
from belfry.engine.expressions.tree import (
    Arithmetic,
    Attribute,
    Call,
    Literal,
    Node,
    Not,
    Read,
    Slice,
    moved,
)
from belfry.engine.fields import Kind
from belfry.engine.rulebook.suggest import did_you_mean, listed

if TYPE_CHECKING:
    from belfry.engine.expressions.parser import Parser

# How tight operators bind, as in rule-engine; `not` is looser than every comparison.
TERNARY, OR, AND, NOT, COALESCE, EQUALITY, RELATION, SUM, PRODUCT, MINUS = range(1, 11)
MACRO_DEPTH_MAX = 8
INDEX_MAX = 4096  # no text is longer
WHY_REFUSED = {
    "now": "the clock is not read: use `time`, so that a replay decides the same",
    "today": "the clock is not read: use `time.date`, so that a replay decides the same",
    "random": "chance would make a replay differ",
}
_LITERALS = {
    "number": Kind.NUMBER,
    "text": Kind.TEXT,
    "duration": Kind.DURATION,
    "instant": Kind.INSTANT,
}


def operand(parser: Parser) -> Node:
    """One operand with its properties."""
    token = parser.take()
    if token.kind in _LITERALS:
        node: Node = Literal(_LITERALS[token.kind], token.text, token.start, token.value)
    elif token.kind == "name":
        word = "$" if token.text[0] == "$" else token.text
        if word in parser.shared.known.macros and parser.now.text != ".":
            word = "macro"
        elif word not in _WORDS and word in RESERVED:
            raise parser.unexpected(token)
        node = _WORDS.get(word, _name)(parser, token)
    elif token.text in _SIGNS:
        node = _SIGNS[token.text](parser, token)
    else:
        raise parser.unexpected(token)
    # rule-engine's grammar gives neither numbers nor truth values properties.
    is_bare = isinstance(node, Literal) and node.kind in (Kind.NUMBER, Kind.BOOLEAN)
    return node if is_bare and node is not parser.grouped else _properties(parser, node)


def _properties(parser: Parser, node: Node) -> Node:
    while parser.now.kind == "operator":
        if parser.now.text in (".", "&."):
            node = _attribute(parser, node)
        elif parser.now.text in ("[", "&["):
            node = _part(parser, node)
        else:
            break
    return node


def list_items(parser: Parser) -> list[Node]:
    """What stands in `[…]` or `{…}`."""
    opening = parser.take()
    closing = "]" if opening.text == "[" else "}"
    items: list[Node] = []
    while parser.now.text != closing:
        items.append(parser.expression(0))
        if not parser.accept(","):
            break
    parser.expect(closing)
    if not items:
        raise Trouble("B312", opening.start, "an empty list holds nothing", width=2)
    return items


def list_of(items: Sequence[Node], text: str, start: int) -> Literal:
    """A set of constants of one kind."""
    for item in items:
        if not isinstance(item, Literal) or item.kind not in (Kind.NUMBER, Kind.TEXT):
            message = "a list holds texts or numbers only"
            raise Trouble("B314", item.start, message, width=len(item.text))
    values = [item.value for item in items if isinstance(item, Literal)]
    if len({type(value) for value in values}) != 1:
        message = "a list of one kind of value is expected here"
        raise Trouble("B312", start, message, width=len(text))
    return Literal(kinds.of_set(values), text, start, frozenset(values))


def _list(parser: Parser, token: Token) -> Node:
    parser.place -= 1
    items = list_items(parser)
    return list_of(items, parser.written(token.start), token.start)


def _group(parser: Parser, token: Token) -> Node:
    inner = parser.expression(0)
    parser.expect(")")
    parser.grouped = replace(inner, text=parser.written(token.start), start=token.start)
    return parser.grouped


def _minus(parser: Parser, token: Token) -> Node:
    right = parser.expression(MINUS - 1)
    text = parser.written(token.start)
    if isinstance(right, Literal) and right.kind in (Kind.NUMBER, Kind.DURATION):
        return Literal(right.kind, text, token.start, -right.value)
    kind = kinds.of_minus(right)
    if kind is None:
        parser.mismatch(right, f"`-` does not go with {a_(right.kind)}")
    return Arithmetic(kind or kinds.FAULTY, text, token.start, "-", None, right)


def _not(parser: Parser, token: Token) -> Node:
    right = parser.expression(NOT - 1)
    parser.want_boolean(right)
    return Not(Kind.BOOLEAN, parser.written(token.start), token.start, right)


def _boundless(parser: Parser, token: Token) -> Node:
    message = f"`{token.text}` is no amount of anything"
    raise Trouble("B314", token.start, message, width=len(token.text))


def _name(parser: Parser, token: Token) -> Node:
    known = parser.shared.known
    dotted, parser.place = resolve(known, parser.tokens, parser.place - 1)
    text = parser.written(token.start)
    node = known.value(dotted, text, token.start)
    if node is None:
        parser.report(known.unknown(dotted, token.start, token.start + len(text)))
        return Read(kinds.FAULTY, text, token.start, dotted, nullable=False)
    return node


def _macro(parser: Parser, token: Token) -> Node:
    name = token.text
    if name in parser.macros or len(parser.macros) >= MACRO_DEPTH_MAX:
        circle = " → ".join((*parser.macros, name))
        raise Trouble("B319", token.start, f"macros in a circle: {circle}", width=len(name))

    def report(trouble: Trouble) -> None:
        parser.report(_inside_macro(trouble, token))

    try:
        text = parser.shared.known.macros[name]
        inner = type(parser)(text, parser.shared, report, (*parser.macros, name))
        inner.depth = parser.depth
        node = inner.whole()
    except Trouble as trouble:
        raise _inside_macro(trouble, token) from None
    # From here on it stands where its name stands, closed as if in parentheses.
    parser.grouped = moved(node, token.start)
    return parser.grouped


def _inside_macro(trouble: Trouble, token: Token) -> Trouble:
    return Trouble(
        trouble.code,
        token.start,
        f"in macro `{token.text}`: {trouble.message}",
        width=len(token.text),
        expected=trouble.expected,
        hint=trouble.hint,
    )


def _attribute(parser: Parser, node: Node) -> Node:
    parser.take()
    word = parser.take()
    found = kinds.ATTRIBUTES.get((node.kind, word.text))
    if found is None and node.kind is kinds.FAULTY:
        found = kinds.Property(kinds.FAULTY, takes_text=parser.now.text == "(")
    if found is None:
        near = [name for kind, name in kinds.ATTRIBUTES if kind == node.kind]
        raise Trouble(
            "B311",
            word.start,
            f"{a_(node.kind)} has no `{word.text}`",
            width=len(word.text),
            expected=listed(near) or "nothing after the dot",
            hint=did_you_mean(word.text, near),
        )
    argument = None
    if found.takes_text:
        parser.expect("(")
        token = parser.take()
        if token.kind != "text":
            raise parser.unexpected(token, expected="a text")
        argument = token.value
        parser.expect(")")
    text = parser.written(node.start)
    return Attribute(found.kind, text, node.start, node, word.text, argument)


def _part(parser: Parser, node: Node) -> Node:
    """`[0]`, `[0:4]`, `[-4:]` of a text."""
    opening = parser.take()
    if node.kind not in (Kind.TEXT, kinds.FAULTY):
        message = f"{a_(node.kind)} has no parts; fields are named with a dot"
        raise Trouble("B312", opening.start, message)
    first = None if parser.now.text == ":" else _index(parser)
    is_letter = not parser.accept(":")
    stop = None if is_letter or parser.now.text == "]" else _index(parser)
    parser.expect("]")
    text = parser.written(node.start)
    return Slice(Kind.TEXT, text, node.start, node, first, stop, is_letter)


def _index(parser: Parser) -> int:
    start = parser.now.start
    node = parser.expression(0)
    value = node.value if isinstance(node, Literal) else None
    if not isinstance(value, Decimal) or value != int(value) or abs(value) > INDEX_MAX:
        message = "a whole number is expected here"
        raise Trouble("B312", start, message, width=len(node.text))
    return int(value)


def _call(parser: Parser, token: Token) -> Node:
    name = token.text[1:]
    width = len(token.text)
    if name not in kinds.FUNCTIONS:
        allowed = ", ".join(f"${one}" for one in kinds.FUNCTIONS)
        why = WHY_REFUSED.get(name, "only what is bounded and pure may be called")
        message = f"`{token.text}` is refused: {why}"
        raise Trouble("B314", token.start, message, width=width, expected=allowed)
    parser.expect("(")
    is_list = parser.now.text in ("[", "{")
    arguments = list_items(parser) if is_list else [parser.expression(0)]
    parser.expect(")")
    if is_list != (name != "abs"):
        example = "$abs(x)" if name == "abs" else f"${name}([x, y])"
        raise Trouble("B310", token.start, f"write {example}", width=width)
    for argument in arguments:
        if argument.kind not in (Kind.NUMBER, kinds.FAULTY):
            parser.mismatch(argument, f"${name} takes numbers, this is {a_(argument.kind)}")
    text = parser.written(token.start)
    return Call(Kind.NUMBER, text, token.start, name, tuple(arguments))


_WORDS: dict[str, Callable[[Parser, Token], Node]] = {
    "$": _call,
    "macro": _macro,
    "true": lambda _, token: Literal(Kind.BOOLEAN, token.text, token.start, True),
    "false": lambda _, token: Literal(Kind.BOOLEAN, token.text, token.start, False),
    "null": lambda _, token: Literal(None, token.text, token.start, None),
    "not": _not,
    "inf": _boundless,
    "nan": _boundless,
}
_SIGNS: dict[str, Callable[[Parser, Token], Node]] = {
    "(": _group,
    "[": _list,
    "{": _list,
    "-": _minus,
}
