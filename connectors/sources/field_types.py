"""What the fields of an event are, as a source mapping has to know it.

In: an event's struct. Out: its fields' types, what a text of a file becomes for each of them, and
what expressions see of it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from belfry.connectors.sources.model import As
from belfry.engine.fields import Kind

Types = Mapping[str, msgspec.inspect.Type]
BECOMES: Mapping[type, As] = {
    msgspec.inspect.DateTimeType: As.INSTANT,
    msgspec.inspect.DateType: As.DATE,
    msgspec.inspect.DecimalType: As.NUMBER,
    msgspec.inspect.IntType: As.INTEGER,
    msgspec.inspect.BoolType: As.BOOLEAN,
}
SEEN_AS: Mapping[As, Kind] = {
    As.TEXT: Kind.TEXT,
    As.PHONE: Kind.TEXT,
    As.NAME: Kind.TEXT,
    As.NUMBER: Kind.NUMBER,
    As.INTEGER: Kind.NUMBER,
    As.BOOLEAN: Kind.BOOLEAN,
    As.DATE: Kind.DATE,
    As.INSTANT: Kind.INSTANT,
}


def types_of(struct: type[msgspec.Struct]) -> Types:
    """Field → type, by the names that JSON has."""
    described = msgspec.inspect.type_info(struct)
    assert isinstance(described, msgspec.inspect.StructType)
    return {one.encode_name: one.type for one in described.fields}


def inner_type(kind: msgspec.inspect.Type) -> msgspec.inspect.Type:
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


def parts_of(kind: msgspec.inspect.Type) -> Types:
    """The fields of a nested object, or of the items of a list; none for anything else."""
    if isinstance(kind, msgspec.inspect.ListType):
        kind = inner_type(kind.item_type)
    if not isinstance(kind, msgspec.inspect.StructType):
        return {}
    return {one.encode_name: one.type for one in kind.fields}


def has_parts(kind: msgspec.inspect.Type) -> bool:
    """An object or a list: no single value."""
    return isinstance(kind, msgspec.inspect.StructType | msgspec.inspect.ListType)


def kinds_seen(name: str, kind: msgspec.inspect.Type) -> dict[str, Kind]:
    """The names that a field gives to expressions: one, one for each part, or none for a list."""
    kind = inner_type(kind)
    if isinstance(kind, msgspec.inspect.ListType):
        return {}
    if isinstance(kind, msgspec.inspect.StructType):
        inside = {part: inner_type(one) for part, one in parts_of(kind).items()}
        return {
            f"{name}.{part}": SEEN_AS[BECOMES.get(type(one), As.TEXT)]
            for part, one in inside.items()
            if not has_parts(one)
        }
    return {name: SEEN_AS[BECOMES.get(type(kind), As.TEXT)]}
