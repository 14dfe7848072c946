"""An expression as the rulebook keeps it, and how text becomes one.

In: text, its place, the names in scope. Out: `Expression`, or faults with place and caret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from belfry.engine.expressions import lints
from belfry.engine.expressions.names import Known, Name, Scope, unknown_names
from belfry.engine.expressions.parser import DEPTH_MAX, Parser, Shared
from belfry.engine.expressions.tokens import Trouble
from belfry.engine.expressions.tree import Logic, Node, extent, reads
from belfry.engine.faults import Fault, Place
from belfry.engine.fields import Kind

__all__ = ["Expression", "Name", "Scope", "parse_expression"]

DOUBLINGS_MAX = 5  # how often generated code may double on the way down one branch


@dataclass(frozen=True, eq=False)
class Expression:
    """Checked and typed. `reads`: the names it reads, in order. Equal: the same text and tree."""

    text: str
    place: Place
    kind: Kind
    tree: Node
    reads: tuple[str, ...]

    @property
    def conjuncts(self) -> tuple[Expression, ...]:
        """The parts that are joined by `and` at the top; itself if there are none."""
        tree = self.tree
        if not (isinstance(tree, Logic) and tree.operator == "and"):
            return (self,)
        return tuple(
            Expression(part.text, self.place, Kind.BOOLEAN, part, reads(part))
            for part in tree.parts
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        # The same text may mean other lists, macros or kinds of names in another rulebook.
        return self is other or (self.text == other.text and self.tree == other.tree)

    def __hash__(self) -> int:
        return hash(self.text)


def parse_expression(
    text: str,
    *,
    place: Place,
    scope: Scope,
    macros: Mapping[str, str] | None = None,
    lists: Mapping[str, frozenset[Any]] | None = None,
    want: Kind | None = None,
    source_line: str | None = None,
) -> tuple[Expression | None, list[Fault]]:
    """Parse, check and type. `place` is where the text's first character stands."""
    known = Known(scope, macros or {}, lists or {})
    tree, troubles = _checked(text, known, want)
    if tree is not None and tree.kind is not None and not troubles:
        return Expression(text, place, tree.kind, tree, reads(tree)), []
    return None, [_fault(trouble, text, place, source_line) for trouble in troubles]


def _checked(text: str, known: Known, want: Kind | None) -> tuple[Node | None, list[Trouble]]:
    troubles: list[Trouble] = []
    parser: Parser | None = None
    try:
        parser = Parser(text, Shared(known), troubles.append)
        tree = parser.whole()
    except Trouble as trouble:
        if trouble.code == "B314":
            return None, [trouble]  # names inside what is refused anyway are not worth a word
        troubles.append(trouble)
        said = {one.start for one in troubles}
        rest = unknown_names(known, parser.tokens, parser.place) if parser is not None else ()
        troubles += (name for name in rest if name.start not in said)
        return None, sorted(troubles, key=lambda one: one.start)
    if not troubles:
        troubles += _whole(tree, text, want)
    return tree, sorted(troubles, key=lambda one: one.start)


def _whole(tree: Node, text: str, want: Kind | None) -> list[Trouble]:
    """What can only be said of the whole."""
    deepest, doublings = extent(tree)
    if deepest > DEPTH_MAX:
        message = f"nested deeper than {DEPTH_MAX} levels"
        return [Trouble("B320", 0, message, width=len(text))]
    if doublings > DOUBLINGS_MAX:
        message = f"conditions inside conditions {doublings} times over; use macros or features"
        return [Trouble("B320", 0, message, width=len(text))]
    if tree.kind is None:
        return [Trouble("B306", 0, "null is no value", width=len(text))]
    if want is not None and not _fits(want, tree.kind):
        message = f"a {want} is expected here, this is {tree.kind}"
        code = "B313" if want is Kind.BOOLEAN else "B306"
        return [Trouble(code, 0, message, width=len(text), expected=str(want))]
    return list(lints.check(tree)) if tree.kind is Kind.BOOLEAN else []


def _fits(want: Kind, kind: Kind | None) -> bool:
    return kind is want or (want is Kind.INSTANT and kind is Kind.DATE)


def _fault(trouble: Trouble, text: str, place: Place, source_line: str | None) -> Fault:
    before, lines = text[: trouble.start], text.split("\n")
    row = before.count("\n")
    column = len(before) - (before.rfind("\n") + 1) + (1 if row else place.column)
    if row:
        line = lines[row]
    elif source_line is not None:
        line = source_line
    else:
        line = " " * (place.column - 1) + lines[0]
    return Fault(
        trouble.code,
        Place(place.file, place.line + row, column),
        trouble.message,
        trouble.expected,
        trouble.hint,
        line,
        trouble.width,
    )
