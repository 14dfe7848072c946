"""Readers of features over entities: the customer's accounts, cards or loans as they are now.

In: feature definitions. Out: functions of a `Sight` that return the value at its instant, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from belfry.engine.rulebook.model import Feature
from belfry.engine.sight import Sight, of_key

Read = Callable[[Sight], Any]


def over_entities(feature: Feature, where: Read | None, value: Read | None) -> Read:
    """The reader of one feature."""
    entity, compute = feature.entity, _AGGREGATES[feature.operation]
    assert entity is not None

    def read_entities(x: Sight) -> Any:
        found: list[Any] = []
        entities = getattr(x.r, entity + "s")
        for key in entities:
            if feature.by == "account" and entities[key].account_id != x.account_id:
                continue
            seen = of_key(x.r, entity, key, x.t)
            if where is not None and not where(seen):
                continue
            read = value(seen) if value is not None else 1
            if read is not None:
                found.append(read)
        return None if len(found) < feature.at_least else compute(found)

    return read_entities


def _mean(found: list[Any]) -> Any:
    return sum(found, Decimal(0)) / len(found) if found else None


def _deviation(found: list[Any]) -> Any:
    if len(found) < 2:
        return None
    mean = _mean(found)
    return (sum(((one - mean) ** 2 for one in found), Decimal(0)) / (len(found) - 1)).sqrt()


_AGGREGATES: Mapping[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": lambda found: sum(found, Decimal(0)),
    "mean": _mean,
    "deviation": _deviation,
    "min": lambda found: min(found, default=None),
    "max": lambda found: max(found, default=None),
    "first": lambda found: found[0] if found else None,
    "last": lambda found: found[-1] if found else None,
    "distinct": lambda found: len(set(found)),
}
