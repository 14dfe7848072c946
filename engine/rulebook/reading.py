"""Expressions of the rulebook: from a node to an `Expression`, faults where the author wrote them.

In: nodes, and the scope that belongs to their key. Out: expressions; faults are collected.
Invariant: a fault's line and column are the file's, also in quoted, folded and literal block texts.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from belfry.engine.expressions import Expression, Scope, parse_expression
from belfry.engine.faults import Fault, Place
from belfry.engine.fields import Kind
from belfry.engine.rulebook.scopes import why_not
from belfry.engine.rulebook.yaml_nodes import TextNode, place_of

UNKNOWN_NAME = "B311"
_NAMED = re.compile(r"unknown name `([^`]+)`")
_BREAKS = re.compile(r"\s*[\r\n\x85\u2028\u2029]\s*|[\t\r\n]")


@dataclass(slots=True)
class Reading:
    """What all expressions of one rulebook share."""

    macros: Mapping[str, str]
    lists: Mapping[str, frozenset[object]]
    faults: list[Fault]
    features: frozenset[str] = frozenset()
    why: Callable[[str, Scope, frozenset[str]], str | None] = why_not
    _seen: dict[tuple[int, str, Kind | None], Expression] = field(default_factory=dict)
    _scopes: dict[int, Scope] = field(default_factory=dict)

    def expression(
        self, node: TextNode | None, scope: Scope, want: Kind | None = None
    ) -> Expression | None:
        """Parse and check; the same text in the same scope is parsed once."""
        if node is None:
            return None
        text = node.value if not node.style or node.style in "'\"" else node.value.rstrip()
        text = _one_line(text)
        known = self._seen.get((id(scope), text, want))
        if known is not None:
            return dataclasses.replace(known, place=place_of(node))
        found, faults = parse_expression(
            text,
            place=Place(node.source.path, 1, 1),
            scope=scope,
            macros=self.macros,
            lists=self.lists,
            want=want,
        )
        self.faults.extend(self._placed(fault, node, scope) for fault in faults)
        if found is None:
            return None
        self._seen[id(scope), text, want] = found
        self._scopes[id(scope)] = scope  # kept alive, or another scope could get its id
        return dataclasses.replace(found, place=place_of(node))

    def _placed(self, fault: Fault, node: TextNode, scope: Scope) -> Fault:
        offset = fault.place.column - 1
        line, column = locate(node, offset)
        shown = node.source.line(line)
        named = _NAMED.search(fault.message)
        width = min(fault.width, len(shown or "") - column + 1)
        if fault.code == UNKNOWN_NAME and named:
            reason = self.why(named[1], scope, self.features)
            if reason is not None:
                fault = dataclasses.replace(fault, code="B308", expected=None, hint=reason)
        place = Place(node.source.path, line, column)
        return dataclasses.replace(fault, place=place, line=shown, width=max(1, width))


def _one_line(text: str) -> str:
    """Line breaks become one blank: an expression is one line wherever it is shown."""
    return _BREAKS.sub(" ", text) if _BREAKS.search(text) else text


def locate(node: TextNode, offset: int) -> tuple[int, int]:
    """Line and column in the file of a character of a scalar's text.

    YAML folds blanks and escapes quotes, but keeps all other characters in order: count those.
    """
    text = _one_line(node.value)
    wanted = sum(not char.isspace() for char in text[:offset])
    is_blank = offset < len(text) and text[offset].isspace()
    lines = node.source.lines
    row, column = node.line - 1, node.column - 1
    if node.style in ("|", ">"):
        row, column = row + 1, 0
    elif node.style:
        column += 1
    last = (row + 1, column + 1)
    while row < len(lines):
        line = lines[row]
        while column < len(line):
            char = line[column]
            if _is_escape(node.style, line, column):
                column += 1
                char = line[column]
            if not char.isspace():
                if wanted == 0 and not is_blank:
                    return row + 1, column + 1
                wanted -= 1
                last = (row + 1, column + 2)
                if wanted < 0 or (wanted == 0 and offset >= len(text.rstrip())):
                    return last
            column += 1
        row, column = row + 1, 0
    return last


def _is_escape(style: str, line: str, column: int) -> bool:
    following = line[column + 1 : column + 2]
    return (style == '"' and line[column] == "\\" and following != "") or (
        style == "'" and line[column] == "'" and following == "'"
    )
