"""A rulebook together with the nodes it was read from: what lints look at.

In: the rulebook as far as it could be read, its parts, its macros. Out: `Book`, `warn`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from belfry.engine.faults import Fault, Severity
from belfry.engine.rulebook.model import Rule, Rulebook
from belfry.engine.rulebook.parts import Parts
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at


@dataclass(slots=True)
class Book:
    """A rulebook with the nodes it was read from."""

    rulebook: Rulebook
    parts: Parts
    macros: Mapping[str, TextNode]
    nodes: dict[str, MapNode] = field(init=False)

    def __post_init__(self) -> None:
        self.nodes = {}
        for node in self.parts.rules:
            name = node.get("rule")
            if isinstance(name, TextNode):
                self.nodes.setdefault(name.value, node)

    @property
    def rules(self) -> Iterator[Rule]:
        return iter(self.rulebook.rules.values())

    def at(self, rule: Rule, *keys: str) -> Node:
        """The deepest of these keys that was written in a rule."""
        node: Node = self.nodes[rule.id]
        found: Node = self.nodes[rule.id].get("rule") or node
        for key in keys:
            inner = node.get(key) if isinstance(node, MapNode) else None
            if inner is None:
                break
            node = found = inner
        return found


Lint = Callable[[Book], Iterator[Fault]]


def warn(node: Node, code: str, message: str, hint: str | None = None) -> Fault:
    """A finding that does not keep the rulebook from loading."""
    return fault_at(node, code, message, hint=hint, severity=Severity.WARNING)
