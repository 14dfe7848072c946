"""The values of a source mapping: where each field comes from, checked against the event's fields.

In: nodes. Out: `Value` trees; the columns they need, for the moment when a file is opened.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from belfry.connectors.sources.checks import check_country, check_dates, zone
from belfry.connectors.sources.keys import CODE_LIST, VALUE
from belfry.connectors.sources.model import As, Codes, Each, Layout, Lookup, Table, Value
from belfry.engine.event_types import EventTypes
from belfry.engine.faults import Fault
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.shapes import Faults, plain
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at

ORIGINS = ("column", "template", "constant", "table", "each", "object")
COLUMN = re.compile(r"\{([^{}]+)\}")
_AS: dict[type, As] = {
    msgspec.inspect.DateTimeType: As.INSTANT,
    msgspec.inspect.DateType: As.DATE,
    msgspec.inspect.DecimalType: As.NUMBER,
    msgspec.inspect.IntType: As.INTEGER,
    msgspec.inspect.BoolType: As.BOOLEAN,
}
_ONE_LINE = frozenset(("id", "time", "type", "source", "seen_at"))
Types = Mapping[str, msgspec.inspect.Type]


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

    def begin(self, layout: Layout) -> None:
        """A new file begins: its layout holds, its columns and the tables it asks are collected."""
        self.layout = layout
        self.needs, self.asked = {}, set()

    def need(self, columns: tuple[str, ...], node: Node, table: str | None = None) -> None:
        """These columns must exist: in the file, or in a table."""
        for column in columns:
            if table is None:
                self.needs.setdefault(column, fault_at(node, "B701", f"no column '{column[:60]}'"))
            else:
                self.taken.append((column, table, node))

    def fields_of_event(self, name: str, values: Values) -> dict[str, Value]:
        """`id`, `time`, and the event's other fields."""
        types = _types_of(self.types.structs[name])
        found: dict[str, Value] = {}
        for key in ("id", "time"):
            if key in values:
                found[key] = self.value(key, values.at(key), types[key])
        if "fields" in values:
            others = {key: one for key, one in types.items() if key not in _ONE_LINE}
            found |= self.fields(values.at("fields"), others, f"event type '{name}'")
        return found

    def fields(
        self, node: Node, types: Types, owner: str, table: str | None = None
    ) -> dict[str, Value]:
        """A mapping from fields to values."""
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
        return found

    def value(
        self, name: str, node: Node, kind: msgspec.inspect.Type, table: str | None = None
    ) -> Value:
        """One value. Inside `each`, columns are those of the table."""
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
        kind = _inner(kind)
        read = self._origin(name, values, kind, table) | self._treatment(values, kind)
        return Value(name, **read)

    def _origin(
        self, name: str, values: Values, kind: msgspec.inspect.Type, table: str | None
    ) -> dict[str, Any]:
        if "column" in values:
            self.need(values.get("column", ()), values.at("column"), table)
            return {"columns": values.get("column", ())}
        if "template" in values:
            template = values.get("template", "")
            self.need(tuple(COLUMN.findall(template)), values.at("template"), table)
            return {"template": template}
        if "constant" in values:
            return {"constant": plain(values.at("constant"))}
        if "object" in values:
            node = values.at("object")
            return {"parts": self.fields(node, _parts(kind), f"'{name}'", table)}
        return self._from_table(name, values, kind, table)

    def _from_table(
        self, name: str, values: Values, kind: msgspec.inspect.Type, inside: str | None
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
        item = self.fields(values.at("item"), _parts(kind), f"'{name}'", table)
        return {"each": Each(table, key, item)}

    def _treatment(self, values: Values, kind: msgspec.inspect.Type) -> dict[str, Any]:
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
        read["as_"] = As(values.get("as", _AS.get(type(kind), As.TEXT)))
        if read["as_"] in (As.DATE, As.INSTANT) and not {"constant", "object"} & set(values.nodes):
            node = values.at("format")
            check_dates(node, read["format"], read["years_from"], self.faults)
            if read["as_"] is As.INSTANT and read["time_zone"] is None:
                self._needs_zone(node, read["format"])
        if "default" in values:
            read["default"] = plain(values.at("default"))
        if "codes" in values:
            read["codes"] = self._codes(values.at("codes"))
        return read

    def _needs_zone(self, node: Node, text: str) -> None:
        if "%z" not in text and text not in ("iso", "epoch_s", "epoch_ms"):
            message = "a time without offset needs a `time_zone`"
            self.faults.append(fault_at(node, "B202", message, hint="time_zone: Europe/Prague"))

    def _codes(self, node: Node) -> Codes:
        if not isinstance(node, TextNode):
            return self.code_list(node)
        if node.value in self.codes:
            return self.codes[node.value]
        message, hint = f"unknown code list '{node.value[:60]}'", None
        hint = did_you_mean(node.value, self.codes)
        expected = listed(self.codes) or "a name under `codes`"
        self.faults.append(fault_at(node, "B702", message, expected=expected, hint=hint))
        return Codes({})

    def code_list(self, node: Node) -> Codes:
        """`{words: {…}, unknown: keep}`, or the words alone."""
        unknown = "refuse"
        if isinstance(node, MapNode) and isinstance(node.get("words"), MapNode):
            values = read_section(CODE_LIST, node, self.faults)
            assert values is not None
            node, unknown = values.at("words"), values.get("unknown", "refuse")
        if not isinstance(node, MapNode):
            message = "a code list is a mapping from the bank's words to ours"
            self.faults.append(fault_at(node, "B203", message, expected="PRIJEM: credit"))
            return Codes({})
        words: dict[str, str | None] = {}
        for word, ours in node.items:
            if not isinstance(ours, TextNode):
                self.faults.append(fault_at(ours, "B203", "expected a word", expected="a word"))
                continue
            words[word.value] = None if ours.is_null else ours.value
        return Codes(words, unknown)


# --- the event's own types ----------------------------------------------------------------------
def _types_of(struct: type[msgspec.Struct]) -> Types:
    described = msgspec.inspect.type_info(struct)
    assert isinstance(described, msgspec.inspect.StructType)
    return {one.encode_name: one.type for one in described.fields}


def _inner(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
    """Without what may be missing, and without documentation."""
    while True:
        match kind:
            case msgspec.inspect.Metadata(type=inner):
                kind = inner
            case msgspec.inspect.UnionType(types=types):
                kept = [one for one in types if not isinstance(one, msgspec.inspect.NoneType)]
                kind = kept[0]
            case _:
                return kind


def _parts(kind: msgspec.inspect.Type) -> Types:
    """The fields of a nested object, or of the items of a list; none for anything else."""
    if isinstance(kind, msgspec.inspect.ListType):
        kind = _inner(kind.item_type)
    if not isinstance(kind, msgspec.inspect.StructType):
        return {}
    return {one.encode_name: one.type for one in kind.fields}
