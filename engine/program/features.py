"""Readers of features over entities: the customer's accounts, cards or loans as they are now.

In: feature definitions. Out: generated functions of a `Sight` that return the value at its instant,
or None: a loop over the entities with the conditions written out.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from decimal import Decimal
from typing import Any

from belfry.engine.expressions import true_source, value_source
from belfry.engine.program.conditions import Conditions
from belfry.engine.program.reads import ENTITY_VARIABLES, OF_ENTITY, Reader
from belfry.engine.rulebook.model import Feature
from belfry.engine.sight import of_key

SPACE = {"of_key": of_key}
OWN = frozenset({"customer", "time"})  # heads that need no sight of the entity


def define_over_entities(cond: Conditions, feature: Feature) -> str:
    """Name of `read(s)`: the value over all entities at `s.t`, None for unknown."""
    entity = feature.entity
    assert entity is not None
    variable = ENTITY_VARIABLES[entity]
    reader = Reader(cond.types, OF_ENTITY + entity, cond.feature_names, sight="")
    tests, value = [], "1"
    if feature.where is not None:
        tests.append(f"if {true_source(feature.where, reader, cond.constants)}:")
    if feature.value is not None:
        value = "value"
        source = value_source(feature.value, reader, cond.constants)
        tests.append(f"if (value := {source}) is not None:")
    body = [*reader.loads(), *("    " * depth + test for depth, test in enumerate(tests))]
    body.append("    " * len(tests) + f"found.append({value})")
    if not _needs_only(reader, cond.types.entity_fields[entity]):
        body = [f"x = of_key(r, {entity!r}, key, t)", *_seen_from(variable), *body]
    if feature.by == "account":
        body = [f"if {variable}.account_id != s.account_id:", "    continue", *body]
    compute = cond.constants.add(_AGGREGATES[feature.operation])
    return cond.define(
        "r, t, found = s.r, s.t, []",
        f"for key, {variable} in r.{entity}s.items():",
        *("    " + line for line in body),
        f"return None if len(found) < {feature.at_least} else {compute}(found)",
        takes="s",
    )


def _needs_only(reader: Reader, fields: Container[str]) -> bool:
    """Nothing but the entity's own fields and the customer's?"""
    return all(name.partition(".")[0] in OWN or name in fields for name in reader.locals)


def _seen_from(variable: str) -> list[str]:
    """The letters of the entity's own sight, but for the one that the loop has."""
    letters = [one for one in ("a", "k", "l", "p", "tier") if one != variable]
    names = [*letters, "account_id", "card_id", "loan_id"]
    return [f"{', '.join(names)} = {', '.join(f'x.{name}' for name in names)}"]


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
