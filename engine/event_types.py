"""The event types of one rulebook: the standard ones, a bank's extra fields and its own types.

In: `rules/events/*.yaml`, read into `Declared`. Out: `EventTypes`: structs to decode into, entity
structs to
keep, and the fields that rules may read. A rulebook without declarations uses `STANDARD`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from belfry.engine.events import ENGINE_EVENTS, ENTITIES, FACTS, STANDARD_EVENTS, Event, type_name
from belfry.engine.fields import PYTHON_TYPES, Field, Kind, fields_of

_HEADER = tuple(Event.__struct_fields__)


@dataclass(frozen=True, slots=True)
class Declared:
    """A bank's own event type, or extra fields of a standard one."""

    type: str
    doc: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class EventTypes:
    """`structs`: type name → struct to decode into. `entities`: name → struct kept in the record.

    `fields`: type name → readable fields; `entity_fields`: entity name → readable fields.
    """

    structs: Mapping[str, type[Event]]
    entities: Mapping[str, type[msgspec.Struct]]
    fields: Mapping[str, Mapping[str, Field]]
    entity_fields: Mapping[str, Mapping[str, Field]]

    @property
    def incoming(self) -> tuple[str, ...]:
        """Types that a source may deliver: all but the engine's own."""
        own = {type_name(struct) for struct in ENGINE_EVENTS}
        return tuple(name for name in self.structs if name not in own)


def event_types(declared: tuple[Declared, ...] = ()) -> EventTypes:
    """Merge declarations into the standard types. Names must have been checked by the loader."""
    structs: dict[str, type[Event]] = dict(STANDARD_EVENTS)
    facts = {type_name(struct) for struct in FACTS}
    for one in declared:
        base = structs.get(one.type)
        is_fact = one.type in facts
        added = [_struct_field(field, is_fact=is_fact) for field in one.fields]
        made: Any = msgspec.defstruct(
            (base or Event).__name__ if base else one.type.title().replace("_", ""),
            added,
            bases=(base or Event,),
            kw_only=True,
            tag_field="type",
            tag=one.type,
            module=__name__,
        )
        structs[one.type] = made
    entities = {name: _entity(name, structs[name]) for name in ENTITIES}
    fields = {
        name: {field.name: field for field in fields_of(struct)} for name, struct in structs.items()
    }
    entity_fields = {
        name: {field.name: field for field in fields_of(kept)} for name, kept in entities.items()
    }
    return EventTypes(structs, entities, fields, entity_fields)


def _struct_field(field: Field, *, is_fact: bool) -> tuple[str, Any, Any]:
    python: Any = PYTHON_TYPES[field.kind]
    if field.kind is Kind.TEXT and field.choices:
        python = Annotated[str, Meta(pattern="^(" + "|".join(field.choices) + ")$")]
    elif field.kind is Kind.INSTANT:
        python = Annotated[dt.datetime, Meta(tz=True)]
    elif field.kind is Kind.TEXT:
        python = Annotated[str, Meta(max_length=4096)]
    if not field.nullable:
        return field.name, Annotated[python, Meta(description=field.doc)], msgspec.NODEFAULT
    optional: Any = python | None | UnsetType if is_fact else python | None
    described: Any = Annotated[optional, Meta(description=field.doc)]
    return field.name, described, UNSET if is_fact else None


def _entity(name: str, fact: type[Event]) -> type[msgspec.Struct]:
    """The entity as kept in the record: the fact's own fields, all optional, missing is None."""
    kept: list[tuple[str, Any, Any]] = []
    for field in fields_of(fact):
        if field.name in _HEADER and not (field.name == "account_id" and name in ("card", "loan")):
            continue
        python: Any = PYTHON_TYPES[field.kind]
        kept.append((field.name, Annotated[python | None, Meta(description=field.doc)], None))
    return msgspec.defstruct(name.title(), kept, omit_defaults=True, module=__name__)


def decimal_fields(struct: type[msgspec.Struct]) -> tuple[str, ...]:
    """Names of the top-level Decimal fields: the ones whose digits and exponent must be bounded."""
    return tuple(f.name for f in fields_of(struct) if f.kind is Kind.NUMBER)


STANDARD = event_types()
