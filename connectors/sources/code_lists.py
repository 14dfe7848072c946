"""Code lists of a source mapping: a bank's words and ours.

In: a node; the lists that have a name. Out: `Codes`; faults are collected.
"""

from __future__ import annotations

from collections.abc import Mapping

from belfry.connectors.sources.keys import CODE_LIST
from belfry.connectors.sources.model import Codes
from belfry.engine.rulebook.keys import read_section
from belfry.engine.rulebook.shapes import Faults
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at


def codes_of(node: Node, named: Mapping[str, Codes], faults: Faults) -> Codes:
    """The list of that name, or the one written out here."""
    if not isinstance(node, TextNode):
        return read_code_list(node, faults)
    if node.value in named:
        return named[node.value]
    message, hint = f"unknown code list '{node.value[:60]}'", did_you_mean(node.value, named)
    expected = listed(named) or "a name under `codes`"
    faults.append(fault_at(node, "B702", message, expected=expected, hint=hint))
    return Codes({})


def read_code_list(node: Node, faults: Faults) -> Codes:
    """`{words: {…}, unknown: keep}`, or the words alone."""
    unknown = "refuse"
    if isinstance(node, MapNode) and isinstance(node.get("words"), MapNode):
        values = read_section(CODE_LIST, node, faults)
        assert values is not None
        node, unknown = values.at("words"), values.get("unknown", "refuse")
    if not isinstance(node, MapNode):
        message = "a code list is a mapping from the bank's words to ours"
        faults.append(fault_at(node, "B203", message, expected="PRIJEM: credit"))
        return Codes({})
    words: dict[str, str | None] = {}
    for word, ours in node.items:
        if not isinstance(ours, TextNode):
            faults.append(fault_at(ours, "B203", "expected a word", expected="a word"))
            continue
        words[word.value] = None if ours.is_null else ours.value
    return Codes(words, unknown)
