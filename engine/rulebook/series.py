"""Series: declared once, found by the engine in every customer's events.

In: the mapping under `series:`. Out: `SeriesDef` values, or faults.
"""

from __future__ import annotations

import datetime as dt

from belfry.engine.event_types import EventTypes
from belfry.engine.fields import Kind
from belfry.engine.recurring import PERIOD_DAYS
from belfry.engine.rulebook.event_names import known_events
from belfry.engine.rulebook.keys import Values, read_section
from belfry.engine.rulebook.model import SeriesDef
from belfry.engine.rulebook.parts import Named, unique
from belfry.engine.rulebook.policy_keys import SERIES
from belfry.engine.rulebook.reading import Reading
from belfry.engine.rulebook.scopes import ALL_ENTITIES, Scopes, View
from belfry.engine.rulebook.shapes import IDENTIFIER
from belfry.engine.rulebook.yaml_nodes import TextNode, fault_at, place_of

TOLERANCE = {"week": 2, "two_weeks": 3, "month": 4, "quarter": 7, "year": 14}
WHO = "counterparty.name ?? merchant.name"


def read_series(pairs: list[Named], types: EventTypes, reading: Reading) -> dict[str, SeriesDef]:
    """Name → series."""
    found: dict[str, SeriesDef] = {}
    scopes = Scopes(types)
    for name, (key, node) in unique(pairs, "series", reading.faults).items():
        if IDENTIFIER.read(key, reading.faults) is None:
            continue
        values = read_section(SERIES, node, reading.faults)
        series = None if values is None else _series(name, key, values, scopes, reading)
        if series is not None:
            found[name] = series
    return found


def _series(
    name: str, key: TextNode, values: Values, scopes: Scopes, reading: Reading
) -> SeriesDef | None:
    events: tuple[str, ...] = ("transaction",)
    if "of" in values:
        events = known_events(values.get("of", ()), values.at("of"), scopes.types, reading.faults)
    scope = scopes.of(View(ALL_ENTITIES, events, has_time=False, has_features=False))
    where = reading.expression(values.get("where"), scope, Kind.BOOLEAN)
    same = reading.expression(values.get("same"), scope)
    amount = reading.expression(_or(values, "amount", "amount"), scope, Kind.NUMBER)
    usual_who = WHO if events == ("transaction",) else "id"
    who = reading.expression(_or(values, "who", usual_who), scope, Kind.TEXT)
    if same is not None and same.kind not in (Kind.TEXT, Kind.NUMBER):
        message = f"'same' is a text or a number, this is a {same.kind}"
        reading.faults.append(fault_at(values.at("same"), "B306", message))
        return None
    if same is None or amount is None or who is None:
        return None
    every = values.get("every", "month")
    tolerance = values.get("tolerance", dt.timedelta(days=TOLERANCE[every]))
    if not 0 <= tolerance.days * 2 < PERIOD_DAYS[every]:
        message = f"the tolerance is as long as half a period: {tolerance.days} days of a {every}"
        hint = f"tolerance: {TOLERANCE[every]}d"
        reading.faults.append(fault_at(values.at("tolerance"), "B212", message, hint=hint))
    return SeriesDef(
        name=name,
        place=place_of(key),
        events=events,
        where=where,
        by=values.get("by", "account"),
        same=same,
        amount=amount,
        who=who,
        every=every,
        at_least=values.get("at_least", 3),
        tolerance=tolerance,
        grace=values.get("grace", dt.timedelta(days=2)),
        at=values.get("at", dt.time(10)),
        roll=values.get("roll", "next_business_day"),
        ahead=values.get("ahead", dt.timedelta(days=7)),
        most=values.get("most", 20),
    )


def _or(values: Values, key: str, default: str) -> TextNode:
    """What is written, or the usual text in its place."""
    node = values.get(key)
    if isinstance(node, TextNode):
        return node
    place = values.node
    return TextNode(place.source, place.line, place.column, default, "")
