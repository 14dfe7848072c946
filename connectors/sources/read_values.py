"""The values of a source mapping: where each field comes from, checked against the event's fields.

In: nodes. Out: `Value` trees; the columns they need, for the moment when a file is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from belfry.connectors.sources.checks import check_country, check_dates, zone
from belfry.connectors.sources.code_lists import codes_of
from belfry.connectors.sources.field_types import (
    BECOMES,
    SEEN_AS,
    Types,
    has_parts,
    inner_type,
    kinds_seen,
    parts_of,
    types_of,
)  # fmt: skip
from belfry.connectors.sources.formulas import FITS, Names, Sight, check_name, read_formula
from belfry.connectors.sources.keys import VALUE
from belfry.connectors.sources.model import As, Codes, Each, Formula, Layout, Lookup, Table, Value
from belfry.engine.event_types import EventTypes
from belfry.engine.faults import Fault
from belfry.engine.fields import Kind
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.shapes import Faults, plain
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at

ORIGINS = ("column", "expr", "template", "constant", "table", "each", "object")
OF_TEXTS = ("characters", "clean", "codes", "month_plus", "scale", "absolute", "format")
COLUMN = re.compile(r"\{([^{}]+)\}")
_ONE_LINE = frozenset(("id", "time", "type", "source", "seen_at"))


@dataclass(slots=True)
class ValueReader:
    """Reads the values of one mapping. `taken`: columns of tables, and the nodes naming them."""

    types: EventTypes
    faults: Faults
    tables: dict[str, Table]
    codes: dict[str, Codes]
    layout: Layout = field(default_factory=Layout)
    needs: dict[str, Fault] = field(default_factory=dict)
    taken: list[tuple[str, str, Node]] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    names: Names = field(default_factory=Names)

    def begin(self, layout: Layout) -> None:
        """A new file begins: its layout holds, its columns and the tables it asks are collected."""
        self.layout = layout
        self.needs, self.asked = {}, set()
        self.names = Names()

    def need(self, columns: tuple[str, ...], node: Node, table: str | None = None) -> None:
        """These columns must exist: in the file, or in a table."""
        for column in columns:
            if table is None:
                self.needs.setdefault(column, fault_at(node, "B701", f"no column '{column[:60]}'"))
            else:
                self.taken.append((column, table, node))

    def values_of_file(self, pairs: list[tuple[TextNode, Node]]) -> dict[str, Value]:
        """Named values, each in sight of those below it."""
        found: dict[str, Value] = {}
        for key, node in pairs:
            if check_name(key, self.faults):
                found[key.value] = value = self.value(key.value, node, None)
                self.names.values[key.value] = seen_as(value)
        return found

    def formula(
        self, node: TextNode, want: Kind | None = None, table: str | None = None
    ) -> Formula | None:
        """An expression over what is in sight here."""
        layout = self.layout if table is None else self.tables[table].layout
        is_json = layout.format != "csv"
        columns = None if is_json else layout.columns or None
        sight = Sight(self.names, columns, is_json, table is not None, tuple(self.needs))
        formula, columns_read = read_formula(node, sight, self.faults, want)
        for column, fault in columns_read:
            if table is None:
                self.needs.setdefault(column, fault)
            else:
                self.taken.append((column, table, node))
        return formula

    def fields_of_event(self, name: str, values: Values) -> dict[str, Value]:
        """`id`, `time`, and the event's other fields."""
        types = types_of(self.types.structs[name])
        found: dict[str, Value] = {}
        self.names.begin_event(types)
        for key in ("id", "time"):
            if key in values:
                found[key] = self.value(key, values.at(key), types[key])
                self.names.fields |= kinds_seen(key, types[key])
        if "fields" in values:
            others = {key: one for key, one in types.items() if key not in _ONE_LINE}
            owner = f"event type '{name}'"
            found |= self.fields(values.at("fields"), others, owner, is_event=True)
        return found

    def fields(
        self,
        node: Node,
        types: Types,
        owner: str,
        table: str | None = None,
        *,
        is_event: bool = False,
    ) -> dict[str, Value]:
        """A mapping from fields to values. Those of an event are in sight of what is below them."""
        if not isinstance(node, MapNode):
            message = "expected a mapping from fields to where they come from"
            self.faults.append(fault_at(node, "B203", message, expected="field: column"))
            return {}
        found = {}
        for name, one in node.items:
            if name.value not in types:
                self.faults.append(
                    fault_at(
                        name,
                        "B705",
                        f"{owner} has no field '{name.value[:60]}'",
                        expected=listed(types),
                        hint=did_you_mean(name.value, types),
                    )
                )
                continue
            found[name.value] = self.value(name.value, one, types[name.value], table)
            if is_event:
                self.names.fields |= kinds_seen(name.value, types[name.value])
        return found

    def value(
        self, name: str, node: Node, kind: msgspec.inspect.Type | None, table: str | None = None
    ) -> Value:
        """One value; of the file if it has no `kind`. Inside `each`, columns are the table's."""
        values = read_section(VALUE, node, self.faults)
        if values is None:
            return Value(name)
        if isinstance(node, TextNode) and "{" in node.value:
            values.read["template"] = values.read.pop("column", (node.value,))[0]
            values.nodes["template"] = values.nodes.pop("column")
        origins = [one for one in ORIGINS if one in values]
        if len(origins) != 1:
            found = " and ".join(origins) or "nothing"
            message = f"the value of '{name}' comes from {found}; say one"
            self.faults.append(fault_at(node, "B704", message, expected=listed(ORIGINS)))
            return Value(name)
        if kind is None and origins[0] in ("each", "object"):
            message = f"'{origins[0]}' makes no single value: it goes with a field"
            self.faults.append(fault_at(values.name_at(origins[0]), "B212", message))
            return Value(name)
        kind = inner_type(kind) if kind is not None else None
        origin = self._origin(name, values, kind, table)
        return Value(name, **origin, **self._treatment(values, kind, origin.get("expr")))

    def _origin(
        self, name: str, values: Values, kind: msgspec.inspect.Type | None, table: str | None
    ) -> dict[str, Any]:
        if "column" in values:
            self.need(values.get("column", ()), values.at("column"), table)
            return {"columns": values.get("column", ())}
        if "expr" in values:
            return {"expr": self._worked_out(name, values, kind, table)}
        if "template" in values:
            template = values.get("template", "")
            self.need(tuple(COLUMN.findall(template)), values.at("template"), table)
            return {"template": template}
        if "constant" in values:
            return {"constant": plain(values.at("constant"))}
        if "object" in values:
            node = values.at("object")
            parts = parts_of(kind) if kind is not None else {}
            return {"parts": self.fields(node, parts, f"'{name}'", table)}
        return self._from_table(name, values, kind, table)

    def _worked_out(
        self, name: str, values: Values, kind: msgspec.inspect.Type | None, table: str | None
    ) -> Formula | None:
        node = values.get("expr")
        formula = self.formula(node, table=table) if node is not None else None
        if formula is None:
            return None
        gives = formula.expression.kind
        becomes = self._becomes(values, kind, formula)
        if kind is not None and has_parts(kind):
            message = f"'{name}' is no single value: say its parts with `object` or `each`"
            self.faults.append(fault_at(node, "B306", message))
        elif becomes not in FITS.get(gives, ()):
            message = f"'{name}' is a {becomes}, this expression gives a {gives}"
            self.faults.append(fault_at(node, "B306", message, expected=f"a {becomes} or a text"))
        elif gives is not Kind.TEXT:
            for key in (one for one in OF_TEXTS if one in values):
                message = f"'{key}' goes with a text, this expression gives a {gives}"
                self.faults.append(fault_at(values.name_at(key), "B212", message))
        return formula

    def _becomes(
        self, values: Values, kind: msgspec.inspect.Type | None, formula: Formula | None
    ) -> As:
        """What is said, else what the field is; of a file's value, what it looks like."""
        if "as" in values.read:
            return As(values.get("as"))
        if kind is not None:
            return BECOMES.get(type(kind), As.TEXT)
        if formula is not None and formula.expression.kind is not Kind.TEXT:
            return next((one for one in FITS.get(formula.expression.kind, ())), As.TEXT)
        if "format" in values.read:
            text = values.get("format")
            has_time = any(one in text for one in ("%H", "HH", "epoch"))
            return As.INSTANT if has_time else As.DATE
        return As.TEXT

    def _from_table(
        self, name: str, values: Values, kind: msgspec.inspect.Type | None, inside: str | None
    ) -> dict[str, Any]:
        origin = "table" if "table" in values else "each"
        table, other = values.get(origin, ""), "take" if origin == "table" else "item"
        if table not in self.tables:
            message, hint = f"unknown table '{table}'", did_you_mean(table, self.tables)
            node = values.at(origin)
            expected = listed(self.tables) or "a name under `tables`"
            self.faults.append(fault_at(node, "B703", message, expected=expected, hint=hint))
            return {}
        self.asked.add(table)
        for needed in ("key", other):
            if needed not in values:
                message = f"`{origin}` needs `{needed}`"
                self.faults.append(fault_at(values.node, "B202", message))
        if "key" not in values or other not in values:
            return {}
        key = self.value(name, values.at("key"), msgspec.inspect.StrType(), inside)
        if origin == "table":
            take = values.get("take", "")
            columns = tuple(COLUMN.findall(take)) or (take,)
            self.need(columns, values.at("take"), table)
            return {"lookup": Lookup(table, key, take)}
        parts = parts_of(kind) if kind is not None else {}
        item = self.fields(values.at("item"), parts, f"'{name}'", table)
        return {"each": Each(table, key, item)}

    def _treatment(
        self, values: Values, kind: msgspec.inspect.Type | None, formula: Formula | None
    ) -> dict[str, Any]:
        layout = self.layout
        read: dict[str, Any] = {
            key: values.get(key, getattr(layout, key))
            for key in ("decimal", "thousands", "empty", "years_from", "at", "country")
        }
        if "at" in values.read:
            read["at"] = f"{values.get('at'):%H:%M}"
        read["time_zone"] = layout.time_zone
        if values.get("time_zone"):
            node = values.at("time_zone")
            read["time_zone"] = zone(node, values.get("time_zone"), self.faults)
        check_country(values, self.faults)
        for key in ("characters", "clean", "month_plus", "scale", "absolute", "invalid"):
            if key in values.read:
                read[key] = values.get(key)
        read["when_empty"] = values.get("when_empty", "leave_out")
        read["format"] = values.get("format", layout.dates)
        read["as_"] = self._becomes(values, kind, formula)
        is_text = formula is None or formula.expression.kind is Kind.TEXT
        if read["as_"] is As.INSTANT and not is_text and read["time_zone"] is None:
            if formula is not None and formula.expression.kind is Kind.DATE:
                self._needs_zone(values.at("expr"), "")
        elif (
            read["as_"] in (As.DATE, As.INSTANT)
            and is_text
            and not {"constant", "object"} & set(values.nodes)
        ):
            node = values.at("format")
            check_dates(node, read["format"], read["years_from"], self.faults)
            if read["as_"] is As.INSTANT and read["time_zone"] is None:
                self._needs_zone(node, read["format"])
        if "default" in values:
            read["default"] = plain(values.at("default"))
        if "codes" in values:
            read["codes"] = codes_of(values.at("codes"), self.codes, self.faults)
        return read

    def _needs_zone(self, node: Node, text: str) -> None:
        if "%z" not in text and text not in ("iso", "epoch_s", "epoch_ms"):
            message = "a time without offset needs a `time_zone`"
            self.faults.append(fault_at(node, "B202", message, hint="time_zone: Europe/Prague"))


def seen_as(value: Value) -> Kind:
    """What expressions see of a file's value."""
    match value.constant:
        case None:
            return SEEN_AS[value.as_]
        case bool():
            return Kind.BOOLEAN
        case int() | Decimal():
            return Kind.NUMBER
        case _:
            return SEEN_AS[value.as_]
