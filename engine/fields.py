"""What a field is: its kind, meaning and unit, read off the event and entity structs.

In: msgspec structs. Out: `Field` tables that expressions, lint, schema and reference pages share.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal

import msgspec


class Kind(enum.StrEnum):
    """The types that rules can see. A `DATE` compares as midnight UTC, like rule-engine does."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    INSTANT = "instant"
    DATE = "date"
    DURATION = "duration"
    TEXT_SET = "set of texts"
    NUMBER_SET = "set of numbers"
    OBJECT = "object"


@dataclass(frozen=True, slots=True)
class Field:
    """One readable name. `nullable` fields may be missing: expressions over them may be unknown."""

    name: str
    kind: Kind
    doc: str = ""
    nullable: bool = True
    choices: tuple[str, ...] = ()
    fields: tuple[Field, ...] = ()


PYTHON_TYPES: dict[Kind, type] = {
    Kind.NUMBER: Decimal,
    Kind.TEXT: str,
    Kind.BOOLEAN: bool,
    Kind.INSTANT: dt.datetime,
    Kind.DATE: dt.date,
}


def fields_of(struct: type[msgspec.Struct]) -> tuple[Field, ...]:
    """The scalar and nested fields that rules may read, in order; lists are left out."""
    described = msgspec.inspect.type_info(struct)
    assert isinstance(described, msgspec.inspect.StructType)
    found = (_field(field) for field in described.fields)
    return tuple(field for field in found if field is not None)


def _field(field: msgspec.inspect.Field) -> Field | None:
    doc, nullable, kind = "", False, None
    choices: tuple[str, ...] = ()
    nested: tuple[Field, ...] = ()
    pending: list[msgspec.inspect.Type] = [field.type]
    while pending:
        one = pending.pop()
        match one:
            case msgspec.inspect.Metadata(type=inner, extra_json_schema=schema):
                doc = (schema or {}).get("description", doc)
                pending.append(inner)
            case msgspec.inspect.UnionType(types=types):
                pending.extend(types)
            case msgspec.inspect.NoneType():
                nullable = True
            case msgspec.inspect.LiteralType(values=values):
                kind, choices = Kind.TEXT, tuple(str(value) for value in values)
            case msgspec.inspect.StructType(cls=inner_struct):
                kind, nested = Kind.OBJECT, fields_of(inner_struct)
            case msgspec.inspect.DecimalType() | msgspec.inspect.IntType():
                kind = Kind.NUMBER
            case msgspec.inspect.StrType():
                kind = Kind.TEXT
            case msgspec.inspect.BoolType():
                kind = Kind.BOOLEAN
            case msgspec.inspect.DateTimeType():
                kind = Kind.INSTANT
            case msgspec.inspect.DateType():
                kind = Kind.DATE
            case _:
                pass
    if kind is None:
        return None
    return Field(field.encode_name, kind, doc, nullable, choices, nested)
