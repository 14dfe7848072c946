"""How a mapping with known keys is read: unknown keys, missing keys and wrong shapes, all at once.

In: a `Section` (its keys as data) and a node. Out: `Values`, the keys that could be read.
The tables that use this (rule_keys, feature_keys, policy_keys) are the only list of keys there is:
the reader, the did-you-mean, the JSON Schema and docs/reference/rule-keys.md are made from them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from belfry.engine.faults import Fault
from belfry.engine.rulebook.shapes import Faults, Shape
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import ListNode, MapNode, Node, TextNode, fault_at

# What other products, and YAML 1.1's habits, call the same thing.
ELSEWHERE: dict[str, str] = {
    "action": "notify",
    "alert": "rule",
    "condition": "when",
    "delay_between": "cooldown",
    "description": "why",
    "enabled": "paused",
    "every": "repeat",
    "expr": "when",
    "expire": "expires",
    "group_by": "by",
    "id": "rule",
    "if": "when",
    "key": "by",
    "name": "rule",
    "on": "event",
    "over": "of",
    "schedule": "timer",
    "then": "notify",
    "timezone": "time_zone",
    "trigger": "event",
    "ttl": "expires",
    "unless": "except",
    "where": "when",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key: its shape, meaning, default and unit, as the reference page shows them."""

    name: str
    shape: Shape
    doc: str
    default: str = ""
    unit: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with known keys. `short`: the key that a bare value stands for."""

    name: str
    doc: str
    keys: tuple[Key, ...]
    short: str | None = None
    index: dict[str, Key] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {key.name: key for key in self.keys})


@dataclass(slots=True)
class Values:
    """What was read of one mapping. A key that was wrong or absent reads as its default."""

    node: Node
    read: dict[str, Any]
    nodes: dict[str, Node]
    names: dict[str, TextNode]

    def __contains__(self, key: str) -> bool:
        """Was it written at all, right or wrong?"""
        return key in self.nodes

    def get(self, key: str, default: Any = None) -> Any:
        return self.read.get(key, default)

    def at(self, key: str) -> Node:
        """Where a fault of this key is shown: its value, or the mapping if it is absent."""
        return self.nodes.get(key, self.node)

    def name_at(self, key: str) -> Node:
        """Where the key itself stands."""
        return self.names.get(key, self.node)


def read_section(section: Section, node: Node, faults: Faults) -> Values | None:
    """All keys of a mapping; None only if it is no mapping at all."""
    if not isinstance(node, MapNode):
        if section.short is not None and isinstance(node, TextNode | ListNode):
            return _read_short(section, section.short, node, faults)
        message = f"{section.name} is a mapping: {listed(section.index)}"
        faults.append(fault_at(node, "B203", message, expected="a mapping"))
        return None
    values, misspelt = Values(node, {}, {}, {}), list[str]()
    for name, value in node.items:
        key = section.index.get(name.value)
        if key is None:
            fault = _unknown_key(section, name, node)
            faults.append(fault)
            misspelt.append(fault.hint or "")
            continue
        values.nodes[key.name], values.names[key.name] = value, name
        if isinstance(value, TextNode) and value.is_null and not key.required:
            del values.nodes[key.name]  # `key:` with nothing behind it says nothing
            continue
        read = key.shape.read(value, faults)
        if read is not None:
            values.read[key.name] = read
    faults.extend(_missing_keys(section, values, misspelt))
    return values


def _read_short(section: Section, short: str, node: Node, faults: Faults) -> Values:
    values = Values(node, {}, {short: node}, {})
    read = section.index[short].shape.read(node, faults)
    if read is not None:
        values.read[short] = read
    return values


def _unknown_key(section: Section, name: TextNode, node: MapNode) -> Fault:
    written = {key.value for key, _ in node.items}
    free = [key for key in section.index if key not in written] or list(section.index)
    hint = did_you_mean(name.value, free, elsewhere=ELSEWHERE)
    message = f"unknown key '{name.value[:60]}' in {section.name}"
    return fault_at(name, "B201", message, expected=listed(section.index), hint=hint)


def _missing_keys(section: Section, values: Values, misspelt: list[str]) -> Iterator[Fault]:
    """A key that was only misspelt is not missing, too."""
    for key in section.keys:
        is_misspelt = f"did you mean '{key.name}'?" in misspelt
        if key.required and key.name not in values and not is_misspelt:
            message = f"{section.name} needs the key '{key.name}'"
            yield fault_at(values.node, "B202", message, hint=f"{key.name}: {key.shape.says}")


# --- shapes made of sections --------------------------------------------------------------------
def nested(section: Section) -> Shape:
    """A mapping of this section, read as `Values`."""
    return Shape(
        f"a mapping ({section.name})",
        lambda node, faults: read_section(section, node, faults),
        schema_of(section),
    )


def nested_list(section: Section) -> Shape:
    """A list of such mappings; a single one stands for a list of one."""
    one = schema_of(section)

    def read(node: Node, faults: Faults) -> tuple[Values, ...]:
        parts = node.items if isinstance(node, ListNode) else [node]
        found = [read_section(section, part, faults) for part in parts]
        return tuple(values for values in found if values is not None)

    schema = {"anyOf": [{"type": "array", "items": one}, one]}
    return Shape(f"a list ({section.name})", read, schema)


def schema_of(section: Section) -> dict[str, Any]:
    """The JSON Schema of a section, with each key's meaning for the editor to show."""
    properties = {key.name: _key_schema(key) for key in section.keys}
    required = [key.name for key in section.keys if key.required]
    schema: dict[str, Any] = {
        "type": "object",
        "description": section.doc,
        "properties": properties,
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required
    if section.short is not None:
        return {"anyOf": [schema, section.index[section.short].shape.schema]}
    return schema


def _key_schema(key: Key) -> dict[str, Any]:
    default = f" Default: {key.default}." if key.default else ""
    unit = f" Unit: {key.unit}." if key.unit else ""
    return {**key.shape.schema, "description": f"{key.doc}.{default}{unit}"}
