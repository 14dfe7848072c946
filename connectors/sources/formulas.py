"""Expressions in a source mapping: which names they may read, checked where the author wrote them.

In: the text of an expression, the values in sight. Out: a `Formula`, or None and faults.
The language is that of rules. `row.column` is the text of a column; a bare name is a value worked
out before: one of the file's `values`, or a field above it. The inner one counts.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from belfry.connectors.sources.model import As, Formula
from belfry.engine.expressions import Name, Scope
from belfry.engine.expressions.kinds import ATTRIBUTES
from belfry.engine.expressions.names import RESERVED
from belfry.engine.expressions.tree import Node as Tree
from belfry.engine.expressions.tree import Read, children
from belfry.engine.faults import Fault, Place
from belfry.engine.fields import Kind
from belfry.engine.rulebook.reading import Reading, locate
from belfry.engine.rulebook.scopes import HEADS
from belfry.engine.rulebook.shapes import IDENTIFIER, Faults
from belfry.engine.rulebook.yaml_nodes import TextNode, fault_at

ROW = "row"
# What an expression of a kind can become; a text is treated like the text of a column.
FITS: Mapping[Kind, tuple[As, ...]] = {
    Kind.NUMBER: (As.NUMBER, As.INTEGER),
    Kind.BOOLEAN: (As.BOOLEAN,),
    Kind.DATE: (As.DATE, As.INSTANT),
    Kind.INSTANT: (As.INSTANT, As.DATE),
    Kind.TEXT: tuple(As),
}
_COLUMN = re.compile(rf"\b{ROW}((?:\s*\.\s*[A-Za-z_]\w*)+)", re.ASCII)
_OF_TEXTS = frozenset(name for kind, name in ATTRIBUTES if kind is Kind.TEXT)


@dataclass(slots=True)
class Names:
    """The values in sight: those of the file, and the fields of the event so far."""

    values: dict[str, Kind] = field(default_factory=dict)
    fields: dict[str, Kind] = field(default_factory=dict)
    below: frozenset[str] = frozenset()

    def begin_event(self, fields: Iterable[str]) -> None:
        """No field has been worked out yet."""
        self.fields, self.below = {}, frozenset(fields)


@dataclass(slots=True)
class Sight:
    """Where an expression stands. `columns` None: only the data will tell what there is."""

    names: Names
    columns: tuple[str, ...] | None = None
    is_nested: bool = False  # JSON: `row.a.b` is a column
    is_inside_table: bool = False
    seen: tuple[str, ...] = ()  # columns that the mapping names elsewhere: for "did you mean"


def read_formula(
    node: TextNode, sight: Sight, faults: Faults, want: Kind | None = None
) -> tuple[Formula | None, list[tuple[str, Fault]]]:
    """The formula, and each column it reads with the fault for a file that lacks it."""
    columns = _columns(node.value, sight)
    shown = sight.columns or sight.seen
    known = {**columns, **{f"{ROW}.{one}": one for one in shown if one.isidentifier()}}
    scope = Scope((name, Name(name, Kind.TEXT)) for name in known)
    if not sight.is_inside_table:
        inside = {**sight.names.values, **sight.names.fields}
        scope.update((name, Name(name, kind)) for name, kind in inside.items())

    def why(dotted: str, scope: Scope, _: frozenset[str]) -> str | None:
        return _why_not(dotted, scope, sight)

    expression = Reading({}, {}, faults, why=why).expression(node, scope, want)
    if expression is None:
        return None, []
    read = {one: columns[one] for one in expression.reads if one in columns}
    fields = {one: sight.names.fields[one] for one in expression.reads if one in sight.names.fields}
    places = dict(_places(expression.tree))
    missing = [(column, _no_column(node, column, places[name])) for name, column in read.items()]
    return Formula(expression, read, fields), missing


def check_name(key: TextNode, faults: Faults) -> bool:
    """May a value of a file be called so?"""
    if IDENTIFIER.read(key, faults) is None:
        return False
    if key.value in HEADS or key.value in RESERVED or key.value == ROW:
        message = f"'{key.value}' already means something in expressions"
        faults.append(fault_at(key, "B214", message, hint="choose another name"))
        return False
    return True


def _columns(text: str, sight: Sight) -> dict[str, str]:
    """`row.x` → x for all that the text mentions, as far as such a column can be there."""
    found = {}
    for mentioned in _COLUMN.findall(text):
        parts = re.sub(r"\s", "", mentioned).split(".")[1:]
        if not sight.is_nested:
            parts = parts[:1]
        while len(parts) > 1 and parts[-1] in _OF_TEXTS:
            parts.pop()
        column = ".".join(parts)
        if sight.columns is None or column in sight.columns:
            found[f"{ROW}.{column}"] = column
    return found


def _why_not(dotted: str, scope: Scope, sight: Sight) -> str | None:
    """A remedy for a name that exists elsewhere."""
    if f"{ROW}.{dotted}" in scope:
        return f"a column is a text: write `{ROW}.{dotted}`; a number of it stands under `values`"
    if dotted == ROW:
        return f"name a column: `{ROW}.column`"
    if sight.is_inside_table:
        return "inside a table only its columns can be read: `row.column`"
    if dotted.partition(".")[0] in sight.names.below:
        return "it is worked out further down: only what stands above can be read"
    return None


def _places(tree: Tree) -> Iterable[tuple[str, tuple[int, int]]]:
    """Each name read, with where it begins and how wide it is; the first place comes last."""
    pending, found = [tree], []
    while pending:
        one = pending.pop()
        if isinstance(one, Read):
            found.append((one.dotted, (one.start, len(one.text))))
        pending.extend(children(one))
    return found


def _no_column(node: TextNode, column: str, place: tuple[int, int]) -> Fault:
    fault = fault_at(node, "B701", f"no column '{column[:60]}'")
    line, at = locate(node, place[0])
    shown = node.source.line(line)
    width = max(1, min(place[1], len(shown or "") - at + 1))
    found = Place(node.source.path, line, at)
    return dataclasses.replace(fault, place=found, line=shown, width=width)
