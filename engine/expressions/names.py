"""What an expression may read, and what is said of a name that it may not.

In: dotted names, macros, lists. Out: nodes for names that exist, troubles for those that do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from belfry.engine.expressions import kinds
from belfry.engine.expressions.tokens import Token, Trouble
from belfry.engine.expressions.tree import Literal, Node, Read
from belfry.engine.fields import Kind
from belfry.engine.rulebook.suggest import did_you_mean, listed

RESERVED = frozenset({"and", "or", "not", "in", "true", "false", "null", "for", "if", "inf", "nan"})
ELSEWHERE = {  # words of other languages, for the hint
    "and": "and",
    "or": "or",
    "not": "not",
    "none": "null",
    "nil": "null",
    "true": "true",
    "false": "false",
}


@dataclass(frozen=True, slots=True)
class Name:
    """One readable name. `nullable`: may be missing. `choices`: the only texts it can be."""

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
        found: set[str] = set()
        for dotted in self:
            parts = dotted.split(".")
            found.update(".".join(parts[:n]) for n in range(1, len(parts)))
        return frozenset(found - set(self))


@dataclass(frozen=True, slots=True)
class Known:
    """Everything that a word can stand for."""

    scope: Scope
    macros: Mapping[str, str]
    lists: Mapping[str, frozenset[Any]]

    def starts(self, dotted: str) -> bool:
        """Is it the beginning of a longer name?"""
        return dotted == "lists" or dotted in self.scope.objects or self._is_object(dotted)

    def _is_object(self, dotted: str) -> bool:
        name = self.scope.get(dotted)
        return name is not None and name.kind is Kind.OBJECT

    def value(self, dotted: str, text: str, start: int) -> Node | None:
        """The node for a name that is a value."""
        if dotted.startswith("lists."):
            values = self.lists.get(dotted.removeprefix("lists."))
            return None if values is None else Literal(kinds.of_set(values), text, start, values)
        name = self.scope.get(dotted)
        if name is None or name.kind is Kind.OBJECT:
            return None
        return Read(name.kind, text, start, dotted, name.nullable, name.choices)

    def unknown(self, dotted: str, start: int, end: int) -> Trouble:
        """That there is no such name; which was meant."""
        if self.starts(dotted):
            inner = [name for name in self._all() if name.startswith(f"{dotted}.")]
            message = f"`{dotted}` is not a value; name one of its fields"
            return Trouble("B311", start, message, width=end - start, expected=listed(inner))
        head, _, last = dotted.rpartition(".")
        names = self._all()
        near = [name for name in names if name.rpartition(".")[0] == head]
        ends = [name for name in names if name.rpartition(".")[2] == last and name != dotted]
        alike = [name for name in names if ("." in name) == bool(head)]
        meant = ELSEWHERE.get(dotted.lower()) or (ends[0] if ends else None)
        hint = (
            did_you_mean(dotted, near)
            or did_you_mean(dotted, alike)
            or (f"did you mean '{meant}'?" if meant else None)
        )
        return Trouble(
            "B311",
            start,
            f"unknown name `{dotted}`",
            width=end - start,
            expected=listed(near or names),
            hint=hint,
        )

    def _all(self) -> list[str]:
        return [*self.scope, *self.macros, *(f"lists.{name}" for name in self.lists)]


def chain(tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """The dotted name that begins at `place`, and where it ends, as far as it is written."""
    dotted = tokens[place].text
    while tokens[place + 1].text == "." and tokens[place + 2].kind == "name":
        place += 2
        dotted = f"{dotted}.{tokens[place].text}"
    return dotted, place + 1


def resolve(known: Known, tokens: Sequence[Token], place: int) -> tuple[str, int]:
    """The longest beginning of the name at `place` that is a value; the whole if none is."""
    dotted, following = tokens[place].text, place + 1
    while known.starts(dotted) and tokens[following].text == ".":
        if tokens[following + 1].kind != "name":
            break
        dotted = f"{dotted}.{tokens[following + 1].text}"
        following += 2
    if known.value(dotted, "", 0) is not None:
        return dotted, following
    if known.starts(dotted) or "." in dotted:
        return dotted, following
    return chain(tokens, place)


def unknown_names(known: Known, tokens: Sequence[Token], place: int) -> Iterator[Trouble]:
    """All names from `place` on that do not exist: said even where the grammar gave up before."""
    while tokens[place].kind != "end":
        token = tokens[place]
        is_start = token.kind == "name" and not (place and tokens[place - 1].text == ".")
        if not is_start or token.text in RESERVED or token.text[0] == "$":
            place += 1
        elif token.text in known.macros:
            _, place = chain(tokens, place)
        else:
            dotted, following = resolve(known, tokens, place)
            if known.value(dotted, "", 0) is None:
                yield known.unknown(dotted, token.start, tokens[following - 1].end)
            place = following
