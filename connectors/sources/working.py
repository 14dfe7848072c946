"""Formulas of a mapping at work: what an expression makes of a row.

In: a `Formula`, a row. Out: its value as the event carries it, or None: no value.
Invariant: what a formula reads is worked out at most once for a row, and only if it is read: a
wrong value that nobody asks for refuses nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from belfry.connectors.reasons import Reason
from belfry.connectors.sources.formats import Unmappable
from belfry.connectors.sources.model import As, Formula, Value
from belfry.engine.expressions import compile_value
from belfry.engine.fields import Kind

Row = Mapping[str, str]
Read = Callable[[Any], Any]


class WorkingRow(dict[str, str]):
    """A row, the event made of it so far, and the values worked out for it."""

    __slots__ = ("_known", "_values", "event")

    def __init__(self, row: Row, values: Mapping[str, Read]) -> None:
        super().__init__(row)
        self.event: Mapping[str, Any] = {}
        self._values, self._known = values, dict[str, Any]()

    def value(self, name: str) -> Any:
        """One of the file's `values`; None if it has none in this row."""
        if name not in self._known:
            self._known[name] = self._values[name](self)
        return self._known[name]


def worked_out(formula: Formula, empty: frozenset[str]) -> Read:
    """Row → the expression's own value; None is unknown."""
    compute = compile_value(formula.expression)
    reads = [(name, _reader(name, formula, empty)) for name in formula.expression.reads]

    def work(row: Any) -> Any:
        try:
            return compute({name: read(row) for name, read in reads})
        except ArithmeticError:
            expected = "expected a result that can be computed"
            raise Unmappable(Reason.BAD_NUMBER, expected) from None

    return work


def _reader(name: str, formula: Formula, empty: frozenset[str]) -> Read:
    column = formula.columns.get(name)
    if column is not None:

        def text(row: Row) -> str | None:
            found = row.get(column, "").strip()
            return None if found in empty else found or None

        return text
    kind = formula.fields.get(name)
    if kind is None:
        return lambda row: row.value(name)
    head, _, rest = name.partition(".")

    def of_event(row: WorkingRow) -> Any:
        found = row.event.get(head)
        return typed(found.get(rest) if rest and found is not None else found, kind)

    return of_event


def typed(value: Any, kind: Kind) -> Any:
    """What the event carries, as expressions compare it."""
    try:
        match kind, value:
            case (_, None):
                return None
            case (Kind.NUMBER, _):
                return value if isinstance(value, Decimal) else Decimal(str(value))
            case (Kind.DATE, str()):
                return dt.date.fromisoformat(value)
            case (Kind.INSTANT, str()):
                return dt.datetime.fromisoformat(value)
            case (Kind.TEXT, _):
                return str(value)
            case _:
                return value
    except (ValueError, ArithmeticError):
        raise Unmappable(Reason.WRONG_TYPE, f"expected a {kind}") from None


def as_carried(value: Value) -> Read:
    """An expression's value that is no text → what JSON can carry."""
    hour, minute = (int(part) for part in value.at.split(":"))
    zone = value.time_zone

    def instant(found: dt.date) -> str:
        if not isinstance(found, dt.datetime):
            found = dt.datetime.combine(found, dt.time(hour, minute), zone)
        return found.isoformat()

    def whole(found: Decimal) -> int:
        if found != found.to_integral_value():
            raise Unmappable(Reason.BAD_NUMBER, "expected a whole number")
        return int(found)

    match value.as_:
        case As.INTEGER:
            return whole
        case As.DATE:
            return lambda found: found.isoformat()[:10]
        case As.INSTANT:
            return instant
        case _:
            return lambda found: found
