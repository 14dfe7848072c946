"""The customer record as bytes: msgpack, fields by name, what is empty left out.

In: a record, or its bytes. Out: bytes, or a record equal to the one encoded (up to the text form
of numbers
in values that are only shown). Invariant: a record of an older rulebook decodes; what no longer
exists is dropped.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec

from belfry.engine.fields import PYTHON_TYPES
from belfry.engine.record import SEPARATOR, Record, Window
from belfry.engine.rulebook.model import Feature, Rulebook

T = TypeVar("T")


class TypedBucket(msgspec.Struct, Generic[T], array_like=True):
    """`Bucket` with the kind of its values."""

    day: dt.date
    count: int
    total: Decimal
    squares: Decimal
    low: T | None
    high: T | None
    first: T | None
    last: T | None


class TypedWindow(msgspec.Struct, Generic[T], omit_defaults=True):
    """`Window` with the kind of its values."""

    items: list[tuple[dt.datetime, T | None, str]] = []
    count: int = 0
    total: Decimal = Decimal(0)
    squares: Decimal = Decimal(0)
    buckets: list[TypedBucket[T]] = []
    distinct: dict[str, dt.datetime] = {}
    low: T | None = None
    high: T | None = None


class RecordCodec:
    """One per rulebook."""

    def __init__(self, book: Rulebook) -> None:
        entities: dict[str, Any] = dict(book.event_types.entities)
        typed: dict[str, Any] = {
            "customer": entities["customer"],
            "accounts": _by_key(entities["account"]),
            "cards": _by_key(entities["card"]),
            "loans": _by_key(entities["loan"]),
            "windows": dict[str, msgspec.Raw],
        }
        fields = []
        for field in msgspec.structs.fields(Record):
            kind = typed.get(field.name, field.type)
            if field.default_factory is not msgspec.NODEFAULT:
                fields.append(
                    (field.name, kind, msgspec.field(default_factory=field.default_factory))
                )
            elif field.default is not msgspec.NODEFAULT:
                fields.append((field.name, kind, field.default))
            else:
                fields.append((field.name, kind))  # type: ignore[arg-type]
        stored = msgspec.defstruct("Stored", fields, namespace={"__module__": __name__})
        self._decode = msgspec.msgpack.Decoder(stored).decode
        self._encode = msgspec.msgpack.Encoder(decimal_format="string").encode
        self._series = frozenset(book.series)
        self._windows = {
            name: msgspec.msgpack.Decoder(TypedWindow[_type_of(feature)]).decode  # type: ignore[misc]
            for name, feature in book.features.items()
        }

    def encode(self, record: Record) -> bytes:
        """The record as bytes."""
        return self._encode(record)

    def decode(self, raw: bytes) -> Record:
        """The record again. Raises `msgspec.DecodeError` for bytes that are none."""
        stored: Any = self._decode(raw)
        values = {name: getattr(stored, name) for name in Record.__struct_fields__}
        windows = {}
        for name, one in values.pop("windows").items():
            decoder = self._windows.get(name.partition(SEPARATOR)[0])
            if decoder is None:
                continue
            # Values of another kind: an edit of the feature, which drops its windows anyway.
            with contextlib.suppress(msgspec.ValidationError):
                typed = decoder(one)
                windows[name] = Window(*(getattr(typed, f) for f in Window.__struct_fields__))
        for name in [n for n in values["series"] if n.partition(SEPARATOR)[0] not in self._series]:
            del values["series"][name]
        return Record(**values, windows=windows)


def _by_key(entity: Any) -> Any:
    return dict[str, entity]


def _type_of(feature: Feature) -> Any:
    return object if feature.value is None else PYTHON_TYPES.get(feature.value.kind, object)
