"""Features and segments: what is kept for each customer and how it is derived.

In: nodes, scopes. Out: `Feature` and `SegmentDef` values; segments in an order in which each
reads only earlier ones.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Literal, cast

from belfry.engine.event_types import EventTypes
from belfry.engine.expressions import Expression
from belfry.engine.fields import Kind
from belfry.engine.rulebook.event_names import known_events
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.model import Feature, SegmentDef, SegmentValue
from belfry.engine.rulebook.parts import Named, unique
from belfry.engine.rulebook.policy_keys import CURRENT_INCLUDED, FEATURE, OPERATIONS, SEGMENT
from belfry.engine.rulebook.reading import Reading
from belfry.engine.rulebook.scopes import ALL_ENTITIES, WITH_ENTITY, Scopes, View
from belfry.engine.rulebook.shapes import IDENTIFIER, text_of
from belfry.engine.rulebook.suggest import listed
from belfry.engine.rulebook.yaml_nodes import MapNode, Node, TextNode, fault_at, place_of

ENTITY_WORDS = ("account", "card", "loan")
NUMERIC = frozenset(("sum", "mean", "deviation"))
ORDERED = frozenset((Kind.NUMBER, Kind.INSTANT, Kind.DATE, Kind.TEXT))
ALL_WORDS = frozenset(("true", "all", "*"))


def read_features(pairs: list[Named], types: EventTypes, reading: Reading) -> dict[str, Feature]:
    """Name → feature."""
    found: dict[str, Feature] = {}
    scopes = Scopes(types)
    for name, (key, node) in unique(pairs, "feature", reading.faults).items():
        if IDENTIFIER.read(key, reading.faults) is None:
            continue
        values = read_section(FEATURE, node, reading.faults)
        feature = _feature(name, key, values, scopes, reading) if values is not None else None
        if feature is not None:
            found[name] = feature
    return found


def _feature(
    name: str, key: TextNode, values: Values, scopes: Scopes, reading: Reading
) -> Feature | None:
    faults = reading.faults
    operations = [operation for operation in OPERATIONS if operation in values]
    if len(operations) != 1:
        message = f"a feature has one operation, '{name}' has {len(operations)}"
        at = values.name_at(operations[1]) if operations else key
        faults.append(fault_at(at, "B212", message, expected=listed(OPERATIONS)))
        return None
    operation = operations[0]
    node = values.get(operation)
    events, entity, is_short = _subject(operation, node, values, scopes.types, reading)
    if node is None or (not events and entity is None):
        return None
    by = values.get("by", "customer")
    view = View(ALL_ENTITIES, events, entity, has_time=False, has_features=False)
    if entity is not None:
        view = View(WITH_ENTITY[entity], (), entity, has_time=False, has_features=False)
    scope = scopes.of(view)
    where = reading.expression(values.get("where"), scope, Kind.BOOLEAN)
    value = None
    if not (operation == "count" and (is_short or node.value in ALL_WORDS)):
        value = reading.expression(node, scope, Kind.NUMBER if operation in NUMERIC else None)
        if value is None:
            return None
        if operation in ("min", "max") and value.kind not in ORDERED:
            message = f"{operation} of a {value.kind}: it has no order"
            faults.append(fault_at(node, "B306", message, expected="a number, instant or date"))
    _check_combination(values, operation, entity, by, reading)
    return Feature(
        name=name,
        place=place_of(key),
        operation=cast("Any", operation),
        events=events,
        entity=cast("Literal['account', 'card', 'loan'] | None", entity),
        value=value,
        where=where,
        window=values.get("window"),
        by=by,
        at_least=values.get("at_least", 0),
        current_included=values.get("current", _current(operation)) == "include",
        exact=values.get("exact", False),
        items=values.get("items", 1000),
    )


def _current(operation: str) -> str:
    return "include" if CURRENT_INCLUDED[operation] else "exclude"


def _subject(
    operation: str, node: TextNode | None, values: Values, types: EventTypes, reading: Reading
) -> tuple[tuple[str, ...], str | None, bool]:
    """Event types or entity that it is over; and was it said by `count: transaction`?"""
    names: tuple[str, ...] = values.get("of", ())
    is_short = False
    if operation == "count" and node is not None and node.value in types.fields:
        is_short = not names or names == (node.value,)
        names = names or (node.value,)
    if not names:
        if "of" not in values:
            message = "over what? name event types, or account, card or loan"
            at = values.name_at(operation)
            reading.faults.append(fault_at(at, "B202", message, hint="of: transaction"))
        return (), None, False
    if len(names) == 1 and names[0] in ENTITY_WORDS:
        return (), names[0], is_short
    return known_events(names, values.at("of"), types, reading.faults), None, is_short


def _check_combination(
    values: Values, operation: str, entity: str | None, by: str, reading: Reading
) -> None:
    if entity is None:
        return
    told = f"over the {entity}s as they are now"
    for key in ("window", "current", "exact", "items"):
        if key in values:
            message = f"'{key}' goes with events, not with a feature {told}"
            reading.faults.append(fault_at(values.name_at(key), "B212", message))
    if by not in ("customer", "account") or by == entity:
        message = f"a feature {told} is kept by customer"
        at = values.at("by")
        reading.faults.append(fault_at(at, "B212", message, hint="by: customer"))


# --- segments -----------------------------------------------------------------------------------
def read_segments(pairs: list[Named], scopes: Scopes, reading: Reading) -> dict[str, SegmentDef]:
    """Name → segment, each after those that it reads."""
    raw: dict[str, tuple[TextNode, Values, MapNode]] = {}
    for name, (key, node) in unique(pairs, "segment", reading.faults).items():
        if IDENTIFIER.read(key, reading.faults) is None:
            continue
        values = read_section(SEGMENT, node, reading.faults)
        table = values.get("values") if values else None
        if values is None or table is None:
            continue
        if not isinstance(table, MapNode) or not table.items:
            message = "values is a mapping from value to condition"
            hint = "values: {private: features.total_assets >= 5000000, mass: true}"
            reading.faults.append(fault_at(values.at("values"), "B203", message, hint=hint))
            continue
        raw[name] = (key, values, table)
    scopes = Scopes(scopes.types, scopes.features, {n: _shell(n, *one) for n, one in raw.items()})
    scope = scopes.of(View(WITH_ENTITY["customer"], has_time=False))
    found = {
        name: SegmentDef(
            name,
            place_of(key),
            values.get("stay", dt.timedelta(0)),
            tuple(
                SegmentValue(value.value, condition)
                for value, node in table.items
                for condition in [_condition(node, scope, reading)]
            ),
        )
        for name, (key, values, table) in raw.items()
    }
    return _in_order(found, raw, reading)


def _shell(name: str, key: TextNode, values: Values, table: MapNode) -> SegmentDef:
    """A segment before its conditions are read: its name and values are enough for a scope."""
    shell = tuple(SegmentValue(value.value, None) for value, _ in table.items)
    return SegmentDef(name, place_of(key), dt.timedelta(0), shell)


def _condition(node: Node, scope: Any, reading: Reading) -> Expression | None:
    if text_of(node, reading.faults, "a condition") is None:
        return None
    assert isinstance(node, TextNode)
    if node.value == "true":
        return None
    return reading.expression(node, scope, Kind.BOOLEAN)


def _in_order(
    found: Mapping[str, SegmentDef],
    raw: Mapping[str, tuple[TextNode, Values, MapNode]],
    reading: Reading,
) -> dict[str, SegmentDef]:
    ordered: dict[str, SegmentDef] = {}
    waiting = dict(found)
    while waiting:
        ready = [name for name, one in waiting.items() if _needs(one) <= set(ordered)]
        if not ready:
            circle = ", ".join(waiting)
            message = f"segments that need each other: {circle}"
            reading.faults.append(fault_at(raw[next(iter(waiting))][0], "B307", message))
            return ordered
        for name in ready:
            ordered[name] = waiting.pop(name)
    return ordered


def _needs(segment: SegmentDef) -> set[str]:
    return {
        name.removeprefix("segments.")
        for value in segment.values
        if value.when is not None
        for name in value.when.reads
        if name.startswith("segments.")
    }
