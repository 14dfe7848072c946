"""An expression as the rulebook keeps it, and how text becomes one.

In: text, its place, the names in scope. Out: `Expression`, or faults with file, line, column and caret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from belfry.engine.expressions import lints
from belfry.engine.expressions.parser import Known, Parser
from belfry.engine.expressions.tokens import Trouble
from belfry.engine.expressions.tree import Logic, Node, reads
from belfry.engine.faults import Fault, Place
from belfry.engine.fields import Kind


@dataclass(frozen=True, slots=True)
class Name:
    """One name that may be read. `nullable`: it may be missing. `choices`: the only texts it can be."""

    dotted: str
    kind: Kind
    nullable: bool = True
    doc: str = ""
    choices: tuple[str, ...] = ()


class Scope(dict[str, Name]):
    """Dotted name → `Name`."""

    @cached_property
    def objects(self) -> frozenset[str]:
        """Prefixes that are no values themselves: `customer`, `merchant`."""
        found = set()
        for dotted in self:
            parts = dotted.split(".")
            found.update(".".join(parts[:n]) for n in range(1, len(parts)))
        return frozenset(found - set(self))


@dataclass(frozen=True, eq=False)
class Expression:
    """Checked and typed. `reads`: the names it reads, in order. Equal text, kind and reads: equal."""

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
            Expression(part.text, self.place, Kind.BOOLEAN, part, reads(part)) for part in tree.parts
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Expression):
            return NotImplemented
        return (self.text, self.kind, self.reads) == (other.text, other.kind, other.reads)

    def __hash__(self) -> int:
        return hash((self.text, self.kind, self.reads))


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
    troubles: list[Trouble] = []
    known = Known(scope, macros or {}, lists or {}, scope.objects)
    tree: Node | None = None
    try:
        tree = Parser(text, known, troubles.append).whole()
    except Trouble as trouble:
        troubles.append(trouble)
    if tree is not None:
        if want is not None and not _fits(want, tree.kind):
            message = f"a {want} is expected here, this is {tree.kind or 'null'}"
            code = "B313" if want is Kind.BOOLEAN else "B306"
            troubles.append(Trouble(code, 0, message, width=len(text)))
        elif not troubles and tree.kind is Kind.BOOLEAN:
            troubles.extend(lints.check(tree))
    faults = [_fault(trouble, text, place, source_line) for trouble in troubles]
    if tree is None or tree.kind is None or faults:
        if tree is not None and tree.kind is None and not faults:
            faults.append(_fault(Trouble("B306", 0, "null is no value"), text, place, source_line))
        return None, faults
    return Expression(text, place, tree.kind, tree, reads(tree)), []


def _fits(want: Kind, kind: Kind | None) -> bool:
    return kind is want or (want is Kind.INSTANT and kind is Kind.DATE)


def _fault(trouble: Trouble, text: str, place: Place, source_line: str | None) -> Fault:
    before = text[: trouble.start]
    lines = before.count("\n")
    column = len(before) - (before.rfind("\n") + 1) + (1 if lines else place.column)
    line = source_line if not lines else text.splitlines()[lines]
    return Fault(
        trouble.code,
        Place(place.file, place.line + lines, column),
        trouble.message,
        trouble.expected,
        trouble.hint,
        line if line is not None else text.splitlines()[0] if text else text,
        trouble.width,
    )
