"""What a source mapping says once it has been read and checked: plain frozen values.

In: built by `belfry.connectors.sources.read`. Out: read by the compiler of values and the import.
Attribute names equal the YAML keys, except `as_`, `in_` and `parts` (`object`).
"""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from belfry.engine.expressions import Expression
from belfry.engine.faults import Fault
from belfry.engine.fields import Kind


class As(enum.StrEnum):
    """What a text of the file is turned into."""

    TEXT = "text"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    DATE = "date"
    INSTANT = "instant"
    PHONE = "phone"
    NAME = "name"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a file is written. A file without a header line names its `columns`."""

    format: str = "csv"
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    columns: tuple[str, ...] = ()
    decimal: str = "."
    thousands: str = ""
    empty: frozenset[str] = frozenset(("",))
    dates: str = "%Y-%m-%d"
    years_from: int | None = None
    at: str = "00:00"
    time_zone: ZoneInfo | None = None
    country: str = ""


@dataclass(frozen=True, slots=True)
class Codes:
    """A bank's words → ours; None: no value. `unknown`: refuse, keep, or leave_out."""

    words: Mapping[str, str | None]
    unknown: str = "refuse"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A row of a table by its key; `take` is one of its columns, or a template of several."""

    table: str
    key: Value
    take: str


@dataclass(frozen=True, slots=True)
class Each:
    """All rows of a table with this key, one object each."""

    table: str
    key: Value
    item: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression and what it reads: columns by name, fields of the event so far by name.

    Any other name is one of the file's `values`.
    """

    expression: Expression
    columns: Mapping[str, str]
    fields: Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Value:
    """Where a field's value comes from, and what is done to it, in the order of the attributes."""

    field: str
    columns: tuple[str, ...] = ()
    template: str | None = None
    constant: Any = None
    lookup: Lookup | None = None
    each: Each | None = None
    parts: Mapping[str, Value] | None = None
    expr: Formula | None = None
    empty: frozenset[str] = frozenset(("",))
    characters: tuple[int, int] | None = None
    clean: tuple[str, ...] = ()
    codes: Codes | None = None
    as_: As = As.TEXT
    format: str = "%Y-%m-%d"
    years_from: int | None = None
    month_plus: int = 0
    at: str = "00:00"
    time_zone: ZoneInfo | None = None
    country: str = ""
    decimal: str = "."
    thousands: str = ""
    scale: Decimal | None = None
    absolute: bool = False
    default: Any = None
    invalid: str = "refuse"
    when_empty: str = "leave_out"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a row must be like: an expression, or a column with some word or none in it."""

    columns: tuple[str, ...]
    expr: Formula | None = None
    in_: frozenset[str] | None = None
    is_empty: bool | None = None


@dataclass(frozen=True, slots=True)
class EventMap:
    """One event from one row."""

    type: str
    fields: Mapping[str, Value]
    only_when: tuple[Condition, ...] = ()
    skip_when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class FileMap:
    """Which files, how they are written, and which events each row is."""

    match: tuple[str, ...]
    layout: Layout
    events: tuple[EventMap, ...]
    only_when: tuple[Condition, ...] = ()
    skip_when: tuple[Condition, ...] = ()
    needs: Mapping[str, Fault] = field(default_factory=dict)
    tables: frozenset[str] = frozenset()
    values: Mapping[str, Value] = field(default_factory=dict)

    def fits(self, name: str) -> bool:
        """Is this file's name one of ours? A trailing .gz is no part of it."""
        return _fits(name, self.match)


@dataclass(frozen=True, slots=True)
class Table:
    """A file that others look things up in, by one column."""

    name: str
    match: tuple[str, ...]
    key: str
    layout: Layout
    needs: Mapping[str, Fault] = field(default_factory=dict)

    def fits(self, name: str) -> bool:
        """Is this file's name one of ours?"""
        return _fits(name, self.match)


@dataclass(frozen=True, slots=True)
class Source:
    """One mapping file."""

    source: str
    title: str
    files: tuple[FileMap, ...]
    time_zone: ZoneInfo | None = None
    tables: Mapping[str, Table] = field(default_factory=dict)

    def reads(self, name: str) -> bool:
        """Is a file of this name mapped, or looked things up in?"""
        is_mapped = any(file.fits(name) for file in self.files)
        return is_mapped or any(table.fits(name) for table in self.tables.values())


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    plain = name.removesuffix(".gz")
    return any(fnmatch.fnmatchcase(one, pattern) for one in (name, plain) for pattern in patterns)
