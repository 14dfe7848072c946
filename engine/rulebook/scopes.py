"""Which names an expression may read, depending on where it stands.

In: a `View` (event types, entities in sight, …). Out: a `Scope`, one object per view.
Invariant: the same view gives the same `Scope` object, so that equal texts are parsed once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from belfry.engine.event_types import EventTypes
from belfry.engine.events import ENTITIES
from belfry.engine.expressions import Name, Scope
from belfry.engine.fields import Field, Kind
from belfry.engine.rulebook.model import Feature, SegmentDef, SeriesDef

# Names that begin an expression's dotted names; no macro, field or feature may be called so.
HEADS = frozenset(
    (*ENTITIES, "features", "lists", "previous", "segments", "series", "event", "tier")
)
# by: this entity → entities that are known with it
WITH_ENTITY: Mapping[str, frozenset[str]] = {
    "customer": frozenset(("customer",)),
    "account": frozenset(("customer", "account")),
    "card": frozenset(("customer", "account", "card")),
    "loan": frozenset(("customer", "account", "loan")),
}
MEASURE_KINDS: Mapping[str, Kind] = {
    "count": Kind.NUMBER,
    "missing": Kind.NUMBER,
    "next_on": Kind.DATE,
    "next_amount": Kind.NUMBER,
    "due_soon": Kind.NUMBER,
}
ALL_ENTITIES = frozenset(ENTITIES)
# Event type → the entity that it changes, for `previous`.
CHANGED_BY: Mapping[str, str] = {
    **{name: name for name in ENTITIES},
    "transaction": "account",
    "preference": "customer",
    "contact": "customer",
    "consent": "customer",
}


@dataclass(frozen=True, slots=True)
class View:
    """What is in sight. `entity`: its fields stand bare, as an event's do elsewhere."""

    entities: frozenset[str]
    events: tuple[str, ...] = ()
    entity: str | None = None
    previous: frozenset[str] = frozenset()
    has_time: bool = True
    has_tier: bool = False
    has_features: bool = True


def view_of(by: str, events: tuple[str, ...], *, has_tier: bool = False) -> View:
    """The view of a rule's conditions. An event may be about any entity, so all are in sight."""
    if not events:
        previous = frozenset((by,))
        return View(WITH_ENTITY[by], previous=previous, has_tier=has_tier)
    changed = frozenset(CHANGED_BY.get(name, by) for name in events)
    return View(ALL_ENTITIES, events, previous=changed, has_tier=has_tier)


@dataclass(slots=True)
class Scopes:
    """Builds each view's scope once."""

    types: EventTypes
    features: Mapping[str, Feature] = field(default_factory=dict)
    segments: Mapping[str, SegmentDef] = field(default_factory=dict)
    series: Mapping[str, SeriesDef] = field(default_factory=dict)
    _made: dict[View, Scope] = field(default_factory=dict)

    def of(self, view: View) -> Scope:
        """The names in sight."""
        scope = self._made.get(view)
        if scope is None:
            scope = Scope((name.dotted, name) for name in self._names(view))
            self._made[view] = scope
        return scope

    def _names(self, view: View) -> Iterator[Name]:
        for prefix in sorted(view.previous):
            yield from _dotted("previous.", self.types.entity_fields[prefix].values(), is_kept=True)
        for prefix in sorted(view.entities):
            yield from _dotted(
                f"{prefix}.", self.types.entity_fields[prefix].values(), is_kept=True
            )
            yield Name(f"{prefix}.id", Kind.TEXT, prefix != "customer", f"id of the {prefix}")
        if view.has_features:
            yield from self._derived(view)
        if view.entity is not None:
            yield from _dotted("", self.types.entity_fields[view.entity].values(), is_kept=True)
        yield from self._event_fields(view.events)
        if view.has_time and not view.events:
            yield Name("time", Kind.INSTANT, False, "the instant it is looked at")
        if view.has_tier:
            yield Name("tier", Kind.NUMBER, False, "the level that is tried")

    def _derived(self, view: View) -> Iterator[Name]:
        for feature in self.features.values():
            if feature.by in view.entities:
                yield Name(f"features.{feature.name}", kind_of(feature), True, "feature")
        for segment in self.segments.values():
            choices = tuple(dict.fromkeys(value.value for value in segment.values))
            yield Name(f"segments.{segment.name}", Kind.TEXT, True, "segment", choices)

        for series in self.series.values():
            if series.by in view.entities:
                for measure, kind in MEASURE_KINDS.items():
                    dotted = f"series.{series.name}.{measure}"
                    yield Name(dotted, kind, measure.startswith("next"), "series")

    def _event_fields(self, events: tuple[str, ...]) -> Iterator[Name]:
        tables = [self.types.fields[name] for name in events if name in self.types.fields]
        for name in dict.fromkeys(name for table in tables for name in table):
            found = [table[name] for table in tables if name in table]
            if any(one.kind is not found[0].kind for one in found):
                continue  # what is a text here and a number there cannot be compared with anything
            is_everywhere = len(found) == len(tables)
            choices = tuple(dict.fromkeys(c for one in found for c in one.choices))
            if not all(one.choices for one in found):
                choices = ()
            if name == "name" and events == ("series",):
                choices = tuple(self.series)
            nullable = not is_everywhere or any(one.nullable for one in found)
            merged = Field(name, found[0].kind, found[0].doc, nullable, choices, found[0].fields)
            yield from _dotted("", [merged], is_kept=False)


def kind_of(feature: Feature) -> Kind:
    """What a feature's value is; counts and means are numbers."""
    if feature.operation in ("min", "max", "last", "first") and feature.value is not None:
        return feature.value.kind
    return Kind.NUMBER


def _dotted(prefix: str, fields: Iterable[Field], *, is_kept: bool) -> Iterator[Name]:
    """Names of fields and of what is nested in them. Of a kept entity any field may be missing."""
    for one in fields:
        nullable = one.nullable or is_kept
        if one.kind is Kind.OBJECT:
            yield from (
                Name(f"{prefix}{one.name}.{inner.name}", inner.kind, True, inner.doc, inner.choices)
                for inner in one.fields
                if inner.kind is not Kind.OBJECT
            )
        else:
            yield Name(f"{prefix}{one.name}", one.kind, nullable, one.doc, one.choices)


def why_not(dotted: str, scope: Scope, features: frozenset[str]) -> str | None:
    """Why a name that exists elsewhere cannot be read here, or None if it exists nowhere."""
    head, _, rest = dotted.partition(".")
    if head in ("account", "card", "loan") and head not in scope.objects:
        return (
            f"needs `by: {head}` or an event about one; over all of a customer's {head}s"
            " write a feature"
        )
    if head == "features" and rest in features:
        return "kept by another entity than is in sight here (`by`); features read no features"
    if dotted == "tier":
        return "only a rule with `tiers` reads it"
    if head == "event" and rest:
        return f"the event's fields stand bare here: write `{rest}`"
    return None
