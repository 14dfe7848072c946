"""Values of a mapping as functions of a row: compiled once, called for each row.

In: `EventMap`, the tables. Out: `map_row`: a row → flat event objects, `Skipped`, or `Rejected`.
Invariant: all events of a row, or none of them.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from belfry.connectors.reasons import Reason, Rejected
from belfry.connectors.sources.formats import CLEANINGS, Unmappable, converter
from belfry.connectors.sources.model import (
    As,
    Codes,
    Condition,
    Each,
    FileMap,
    Formula,
    Lookup,
    Value,
)  # fmt: skip
from belfry.connectors.sources.read_values import COLUMN, seen_as
from belfry.connectors.sources.working import WorkingRow, as_carried, typed, worked_out
from belfry.engine.fields import Kind

CACHED_MAX = 8192  # texts of one value; dates and words repeat, ids do not
Row = Mapping[str, str]
Compute = Callable[[Row], Any]
MISSING: Any = object()  # no value: the field is left out
_REPEATING = frozenset((As.DATE, As.INSTANT, As.PHONE, As.NAME, As.BOOLEAN))


@dataclass(slots=True)
class TableRows:
    """One table in memory. `used` are the keys that were looked up and found."""

    rows: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def get(self, key: str) -> list[dict[str, str]]:
        """All rows with this key."""
        found = self.rows.get(key)
        if found is None:
            return []
        self.used.add(key)
        return found


Tables = Mapping[str, TableRows]


class RowMapper:
    """Maps the rows of one kind of file. `left_out` counts values that were wrong and left out."""

    def __init__(self, file: FileMap, source: str, tables: Tables) -> None:
        self.left_out: Counter[str] = Counter()
        self._values = {
            name: self._named(name, value, tables) for name, value in file.values.items()
        }
        self._takes = _conditions(file.only_when, file.skip_when, file.layout.empty)
        self._events = [
            (
                _conditions(one.only_when, one.skip_when, file.layout.empty),
                {"type": one.type, "source": source},
                [
                    (name, self._compile(f"{one.type}.{name}", value, tables))
                    for name, value in one.fields.items()
                ],
            )
            for one in file.events
        ]

    def map_row(self, row: Row) -> list[dict[str, Any]] | Rejected:
        """An empty list: the row was left out by a condition."""
        row = WorkingRow(row, self._values)
        try:
            if not self._takes(row):
                return []
            taken = [(head, fields) for takes, head, fields in self._events if takes(row)]
        except Unmappable as problem:
            return Rejected(problem.reason, f"only_when, skip_when: {problem.expected}")
        events = []
        for head, fields in taken:
            event: dict[str, Any] = dict(head)
            row.event = event
            for name, compute in fields:
                try:
                    value = compute(row)
                except Unmappable as problem:
                    said = f"{head['type']}.{name}: {problem.expected}"
                    return Rejected(problem.reason, said)
                if value is not MISSING:
                    event[name] = value
            events.append(event)
        return events

    def _named(self, name: str, value: Value, tables: Tables) -> Compute:
        """One of the file's values, as expressions see it: None is no value."""
        compute, kind = self._compile(f"values.{name}", value, tables), seen_as(value)

        def see(row: Row) -> Any:
            found = compute(row)
            return None if found is MISSING else typed(found, kind)

        return see

    def _compile(self, name: str, value: Value, tables: Tables) -> Compute:
        compute = compile_value(value, tables)
        if value.invalid == "refuse":
            return compute

        def lenient(row: Row) -> Any:
            try:
                return compute(row)
            except Unmappable:
                self.left_out[name] += 1
                return MISSING

        return lenient


def _conditions(
    only: tuple[Condition, ...], skip: tuple[Condition, ...], empty: frozenset[str]
) -> Callable[[Row], bool]:
    if not only and not skip:
        return lambda row: True
    wanted = [_condition(one, empty) for one in only]
    unwanted = [_condition(one, empty) for one in skip]
    return lambda row: all(one(row) for one in wanted) and not any(one(row) for one in unwanted)


def _condition(condition: Condition, empty: frozenset[str]) -> Callable[[Row], bool]:
    if condition.expr is not None:
        work = worked_out(condition.expr, empty)
        return lambda row: work(row) is True
    text = _column(condition.columns, empty)
    words = condition.in_
    if words is not None:
        return lambda row: text(row) in words
    return lambda row: (text(row) == "") is condition.is_empty


def compile_value(value: Value, tables: Tables) -> Compute:
    """Row → the field's value, or MISSING. The function may raise `Unmappable`."""
    if value.each is not None:
        return _each(value.each, tables)
    if value.parts is not None:
        return _object({name: compile_value(one, tables) for name, one in value.parts.items()})
    if value.constant is not None:
        constant = value.constant
        return lambda row: constant
    missing: Any = MISSING if value.when_empty == "leave_out" else None
    if value.default is not None:
        missing = value.default
    if value.expr is not None and value.expr.expression.kind is not Kind.TEXT:
        return _worked_out(value.expr, value, missing)
    text, convert = _text(value, tables), _conversion(value)

    def compute(row: Row) -> Any:
        found = text(row)
        if not found:
            return missing
        done = convert(found)
        return missing if done is None else done

    return compute


def _worked_out(formula: Formula, value: Value, missing: Any) -> Compute:
    work, carry = worked_out(formula, value.empty), as_carried(value)

    def compute(row: Row) -> Any:
        found = work(row)
        return missing if found is None else carry(found)

    return compute


# --- where a text comes from ----------------------------------------------------------------------
def _text(value: Value, tables: Tables) -> Callable[[Row], str]:
    """The text, trimmed; empty if there is no value."""
    if value.expr is not None:
        work = worked_out(value.expr, value.empty)
        return lambda row: (work(row) or "").strip()
    if value.lookup is not None:
        return _lookup(value.lookup, value.empty, tables)
    if value.template is not None:
        return _template(value.template, value.empty)
    return _column(value.columns, value.empty)


def _column(columns: tuple[str, ...], empty: frozenset[str]) -> Callable[[Row], str]:
    if len(columns) == 1:
        name = columns[0]

        def one(row: Row) -> str:
            text = row.get(name, "").strip()
            return "" if text in empty else text

        return one
    each = [_column((name,), empty) for name in columns]
    return lambda row: next((text for column in each if (text := column(row))), "")


def _template(template: str, empty: frozenset[str]) -> Callable[[Row], str]:
    pieces = COLUMN.split(template)  # text, column, text, column, … text
    columns = [_column((name,), empty) for name in pieces[1::2]]
    pattern = "{}".join(re.sub(r"[{}]", "", piece) for piece in pieces[::2])
    fill = pattern.format

    def text(row: Row) -> str:
        found = [column(row) for column in columns]
        return fill(*found) if all(found) else ""

    return text


def _lookup(lookup: Lookup, empty: frozenset[str], tables: Tables) -> Callable[[Row], str]:
    key, table = compile_value(lookup.key, tables), tables[lookup.table]
    takes_template = "{" in lookup.take
    take = _template(lookup.take, empty) if takes_template else _column((lookup.take,), empty)

    def text(row: Row) -> str:
        wanted = key(row)
        if wanted is MISSING:
            return ""
        found = table.get(str(wanted))
        if len(found) != 1:
            said = "more than one" if found else "no"
            raise Unmappable(Reason.LOOKUP_FAILED, f"{said} row of `{lookup.table}` has this key")
        return take(found[0])

    return text


def _each(each: Each, tables: Tables) -> Compute:
    key, table = compile_value(each.key, tables), tables[each.table]
    item = _object({name: compile_value(one, tables) for name, one in each.item.items()})

    def compute(row: Row) -> Any:
        wanted = key(row)
        found = [] if wanted is MISSING else table.get(str(wanted))
        if not found:
            raise Unmappable(Reason.LOOKUP_FAILED, f"no row of `{each.table}` has this key")
        return [item(one) for one in found]

    return compute


def _object(parts: dict[str, Compute]) -> Compute:
    """An object without any value is no value."""
    fields = list(parts.items())

    def compute(row: Row) -> Any:
        found = {name: value for name, one in fields if (value := one(row)) is not MISSING}
        return found or MISSING

    return compute


# --- what is done to it ---------------------------------------------------------------------------
def _conversion(value: Value) -> Callable[[str], Any]:
    """The steps that the value asks for, in their fixed order, as one function."""
    steps: list[Callable[[str], Any]] = []
    if value.characters is not None:
        first, last = value.characters
        steps.append(lambda text: text[first - 1 : last].strip())
    steps += [CLEANINGS[name] for name in value.clean]
    if value.codes is not None:
        steps.append(_codes(value.codes))
    if value.as_ is not As.TEXT:
        steps.append(converter(value))
    if not steps:
        return lambda text: text

    def convert(text: str) -> Any:
        found: Any = text
        for step in steps:
            if found is None or found == "":
                return None
            found = step(found)
        return found

    if value.codes is not None or value.as_ in _REPEATING:
        return functools.lru_cache(CACHED_MAX)(convert)
    return convert


def _codes(codes: Codes) -> Callable[[str], str | None]:
    words = codes.words

    def read(text: str) -> str | None:
        if text in words:
            return words[text]
        if codes.unknown == "refuse":
            raise Unmappable(Reason.UNKNOWN_WORD, "expected a word of the code list")
        return text if codes.unknown == "keep" else None

    return read
