"""A source mapping from its YAML: everything that can be wrong in it is found here, all at once.

In: path, bytes, the event types. Out: `Source` or None, and every fault with its place.
What only the data can show (a column that a file does not have) is found when the file is opened.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from belfry.connectors.sources.checks import check_country, check_dates, zone
from belfry.connectors.sources.code_lists import read_code_list
from belfry.connectors.sources.keys import SOURCE, TABLE
from belfry.connectors.sources.model import (
    Codes,
    Condition,
    EventMap,
    FileMap,
    Layout,
    Source,
    Table,
)  # fmt: skip
from belfry.connectors.sources.read_values import ValueReader
from belfry.engine.event_types import EventTypes
from belfry.engine.faults import Fault
from belfry.engine.fields import Kind
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.shapes import Faults
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at, read_yaml

_LAYOUT_KEYS = tuple(one.name for one in dataclasses.fields(Layout))


def read_source(path: str, raw: bytes, types: EventTypes) -> tuple[Source | None, list[Fault]]:
    """The mapping and its faults; None if there is any."""
    root, faults = read_yaml(path, raw)
    if root is None:
        return None, faults or [_empty(path)]
    values = read_section(SOURCE, root, faults)
    if values is None:
        return None, faults
    source = _Reader(types, faults).source(values)
    faults.sort(key=lambda fault: (fault.place, fault.code))
    return (None if faults else source), faults


def _empty(path: str) -> Fault:
    node, _ = read_yaml(path, b"-")
    assert node is not None
    return fault_at(node, "B202", "the mapping is empty", hint="source: the name of the system")


@dataclass(slots=True)
class _Reader:
    types: EventTypes
    faults: Faults
    tables: dict[str, Table] = field(default_factory=dict)
    codes: dict[str, Codes] = field(default_factory=dict)

    def source(self, values: Values) -> Source:
        layout = self.layout(values, Layout())
        reader = ValueReader(self.types, self.faults, self.tables, self.codes)
        for name, node in _pairs(values, "codes", self.faults):
            self.codes[name.value] = read_code_list(node, self.faults)
        for name, node in _pairs(values, "tables", self.faults):
            self.tables[name.value] = self.table(name.value, node, layout)
        files = tuple(self.file(one, layout, reader) for one in values.get("files", ()))
        for column, table, node in reader.taken:
            self.tables[table] = _needing(self.tables[table], column, node)
        return Source(
            values.get("source", ""),
            values.get("title", ""),
            files,
            layout.time_zone,
            dict(self.tables),
        )

    def table(self, name: str, node: Node, outer: Layout) -> Table:
        values = read_section(TABLE, node, self.faults)
        if values is None:
            return Table(name, (), "", outer)
        key = values.get("key", "")
        table = Table(name, values.get("match", ()), key, self.layout(values, outer))
        return _needing(table, key, values.at("key"))

    def file(self, values: Values, outer: Layout, reader: ValueReader) -> FileMap:
        layout = self.layout(values, outer)
        reader.begin(layout)
        named = reader.values_of_file(_pairs(values, "values", self.faults))
        only_when = self.conditions(values, "only_when", reader)
        skip_when = self.conditions(values, "skip_when", reader)
        events = tuple(self.event(one, reader) for one in values.get("events", ()))
        return FileMap(
            match=values.get("match", ()),
            layout=layout,
            events=events,
            only_when=only_when,
            skip_when=skip_when,
            needs=dict(reader.needs),
            tables=frozenset(reader.asked),
            values=named,
        )

    def event(self, values: Values, reader: ValueReader) -> EventMap:
        name = values.get("type", "")
        if name not in self.types.incoming:
            if name:
                self.faults.append(
                    fault_at(
                        values.at("type"),
                        "B301",
                        f"unknown event type '{name[:60]}'",
                        expected=listed(self.types.incoming),
                        hint=did_you_mean(name, self.types.incoming),
                    )
                )
            return EventMap("", {})
        reader.names.begin_event(self.types.structs[name].__struct_encode_fields__)
        return EventMap(
            type=name,
            only_when=self.conditions(values, "only_when", reader),
            skip_when=self.conditions(values, "skip_when", reader),
            fields=reader.fields_of_event(name, values),
        )

    def conditions(self, values: Values, key: str, reader: ValueReader) -> tuple[Condition, ...]:
        found = []
        for one in values.get(key, ()):
            if "expr" in one:
                found.append(self.asked(one, reader))
                continue
            if "column" not in one:
                message = "a condition is an expression, or names a column"
                hint = 'expr: row.kind == "A"'
                self.faults.append(fault_at(one.node, "B202", message, hint=hint))
            elif ("in" in one) == ("is_empty" in one):
                message = "a condition has either `in` or `is_empty`"
                self.faults.append(fault_at(one.node, "B212", message))
            columns = one.get("column", ())
            reader.need(columns, one.at("column"))
            found.append(Condition(columns, None, one.get("in"), one.get("is_empty")))
        return tuple(found)

    def asked(self, values: Values, reader: ValueReader) -> Condition:
        """A condition that is an expression. It is asked before the event's fields are made."""
        for key in (one for one in ("column", "in", "is_empty") if one in values):
            message = f"'{key}' does not go with an expression"
            self.faults.append(fault_at(values.name_at(key), "B212", message))
        node = values.get("expr")
        return Condition((), reader.formula(node, Kind.BOOLEAN) if node is not None else None)

    def layout(self, values: Values, outer: Layout) -> Layout:
        read: dict[str, Any] = {k: values.get(k) for k in _LAYOUT_KEYS if k in values.read}
        if "time_zone" in read:
            read["time_zone"] = zone(values.at("time_zone"), read["time_zone"], self.faults)
        if "at" in read:
            read["at"] = f"{read['at']:%H:%M}"
        check_country(values, self.faults)
        layout = dataclasses.replace(outer, **read)
        if "dates" in values:
            check_dates(values.at("dates"), layout.dates, layout.years_from, self.faults)
        return layout


def _needing(table: Table, column: str, node: Node) -> Table:
    if column in table.needs:
        return table
    fault = fault_at(node, "B701", f"no column '{column[:60]}'")
    return dataclasses.replace(table, needs={**table.needs, column: fault})


def _pairs(values: Values, key: str, faults: Faults) -> list[tuple[TextNode, Node]]:
    if key not in values:
        return []
    node = values.at(key)
    if isinstance(node, MapNode):
        return node.items
    faults.append(fault_at(node, "B203", f"'{key}' is a mapping from names", expected="a mapping"))
    return []
