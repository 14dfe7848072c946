"""What rules are written with: a bank's own event types and fields, its lists and its macros.

In: nodes. Out: `Declared` event types, lists as sets, macros as texts; clashes are faults.
A list of plain numbers is a set of numbers; if one item is a text, all are texts as written.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from belfry.engine.event_types import Declared
from belfry.engine.events import ENGINE_EVENTS, STANDARD_EVENTS, type_name
from belfry.engine.fields import Field, Kind, fields_of
from belfry.engine.rulebook.keys import read_section
from belfry.engine.rulebook.parts import Named, unique
from belfry.engine.rulebook.policy_keys import EVENT_TYPE, FIELD
from belfry.engine.rulebook.scopes import HEADS
from belfry.engine.rulebook.shapes import IDENTIFIER, ITEMS_MAX, Faults, number, text_of
from belfry.engine.rulebook.yaml_nodes import ListNode, MapNode, Node, TextNode, fault_at

OWN_EVENTS = frozenset(type_name(struct) for struct in ENGINE_EVENTS)


# --- event types ----------------------------------------------------------------------------------
def read_declarations(pairs: list[Named], faults: Faults) -> tuple[Declared, ...]:
    """One `Declared` per type. Several files may add fields to the same standard type."""
    declared: dict[str, Declared] = {}
    for name, node in pairs:
        if IDENTIFIER.read(name, faults) is None:
            continue
        if name.value in OWN_EVENTS or name.value in HEADS - set(STANDARD_EVENTS):
            message = f"'{name.value}' is the engine's own and cannot be declared"
            faults.append(fault_at(name, "B303", message, hint="choose another name"))
            continue
        one = _declared(name, node, declared.get(name.value), faults)
        if one is not None:
            declared[name.value] = one
    return tuple(declared.values())


def _declared(
    name: TextNode, node: Node, before: Declared | None, faults: Faults
) -> Declared | None:
    if isinstance(node, TextNode) and node.is_null:
        return before or Declared(name.value, "", ())  # a type without fields of its own
    values = read_section(EVENT_TYPE, node, faults)
    if values is None:
        return None
    standard = STANDARD_EVENTS.get(name.value, STANDARD_EVENTS["timer"])
    taken = {field.name for field in fields_of(standard)} | set(standard.__struct_fields__)
    fields = list(before.fields) if before else []
    taken |= {field.name for field in fields}
    table = values.get("fields")
    if isinstance(table, MapNode):
        for key, value in table.items:
            field = _field(key, value, taken, faults)
            if field is not None:
                fields.append(field)
    elif "fields" in values:
        message = "fields is a mapping from names to types"
        faults.append(fault_at(values.at("fields"), "B203", message, hint="branch: text"))
    doc = values.get("doc", before.doc if before else "")
    return Declared(name.value, doc, tuple(fields))


def _field(key: TextNode, node: Node, taken: set[str], faults: Faults) -> Field | None:
    name = IDENTIFIER.read(key, faults)
    values = read_section(FIELD, node, faults)
    if name is None or values is None or values.get("type") is None:
        return None
    if name in taken or name in HEADS or name == "type":
        message = f"the field '{name}' exists already"
        faults.append(fault_at(key, "B304", message, hint="choose another name"))
        return None
    taken.add(name)
    kind, choices = Kind(values.get("type")), values.get("choices", ())
    if choices and kind is not Kind.TEXT:
        message = f"choices go with type text, not {kind}"
        faults.append(fault_at(values.name_at("choices"), "B212", message))
    return Field(name, kind, values.get("doc", ""), not values.get("required", False), choices)


# --- lists and macros -----------------------------------------------------------------------------
def read_lists(pairs: list[Named], faults: Faults) -> dict[str, frozenset[object]]:
    """Name → its items as one set."""
    found: dict[str, frozenset[object]] = {}
    for name, (key, node) in unique(pairs, "list", faults).items():
        if IDENTIFIER.read(key, faults) is None:
            continue
        if not isinstance(node, ListNode) or len(node.items) > ITEMS_MAX:
            message = f"a list holds up to {ITEMS_MAX:,} texts or numbers"
            faults.append(fault_at(node, "B203", message, hint=f"{name}: [one, another]"))
            continue
        if not node.items:
            faults.append(fault_at(node, "B203", f"the list '{name}' is empty"))
            continue
        texts = [(item, text_of(item, faults, "a text or a number")) for item in node.items]
        numbers = [_plain_number(item) for item, text in texts if text is not None]
        if all(one is not None for one in numbers):
            found[name] = frozenset(numbers)
        else:
            found[name] = frozenset(text for _, text in texts if text is not None)
    return found


def _plain_number(node: Node) -> Decimal | None:
    return number(node.value) if isinstance(node, TextNode) and not node.style else None


def read_macros(pairs: list[Named], faults: Faults) -> dict[str, TextNode]:
    """Name → its text; what it means is checked where it is used."""
    found: dict[str, TextNode] = {}
    for name, (key, node) in unique(pairs, "macro", faults).items():
        if IDENTIFIER.read(key, faults) is None:
            continue
        if name in HEADS or name == "time":
            message = f"'{name}' already means something in expressions"
            faults.append(fault_at(key, "B214", message, hint="choose another name"))
        elif text_of(node, faults, "an expression") is not None:
            assert isinstance(node, TextNode)
            found[name] = node
    return found


def macro_texts(macros: Mapping[str, TextNode]) -> dict[str, str]:
    """Name → text, for the parser."""
    return {name: node.value for name, node in macros.items()}
