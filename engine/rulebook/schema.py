"""JSON Schemas for editors: of the rulebook's files, of events, of decision records.

In: the key tables, the event types. Out: plain data for JSON. Expressions stay texts: `belfry lint`
checks what is in them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from belfry.engine.decisions import Decision
from belfry.engine.event_types import EventTypes
from belfry.engine.rulebook.keys import Section, schema_of
from belfry.engine.rulebook.policy_keys import (
    BANK,
    CAP,
    CHANNEL,
    EVENT_TYPE,
    FEATURE,
    FIELD,
    MESSAGE_CLASS,
    QUIET,
    SEGMENT,
    SERIES,
)
from belfry.engine.rulebook.rule_keys import (
    ABSENT,
    ACTIVE,
    CAMPAIGN,
    EMIT,
    GOAL,
    NOTIFY,
    ROLLOUT,
    RULE,
    STEP,
    TASK,
    TEST,
    TIMER,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION = {"type": ["string", "number", "boolean"]}
# For docs/reference/rule-keys.md, in the order in which it shows them.
ALL_SECTIONS: tuple[Section, ...] = (
    RULE, TIMER, STEP, ABSENT, CAMPAIGN, ACTIVE, ROLLOUT, GOAL, NOTIFY, TASK, EMIT, TEST,
    FEATURE, SEGMENT, SERIES, EVENT_TYPE, FIELD, BANK, MESSAGE_CLASS, QUIET, CAP, CHANNEL,
)  # fmt: skip


def rules_schema(events: Iterable[str] = ()) -> dict[str, Any]:
    """One schema for every YAML file of a rulebook: a rule, or sections, or both."""
    rule = schema_of(RULE)
    names = sorted(events)
    if names:
        word: dict[str, Any] = {"enum": names}
        rule["properties"]["event"] |= {"anyOf": [word, {"type": "array", "items": word}]}
    properties = {**rule["properties"], **_sections(rule)}
    return {
        "$schema": DIALECT,
        "title": "Belfry rulebook",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "dependentRequired": {key: ["rule"] for key in RULE.index if key != "rule"},
    }


def _sections(rule: dict[str, Any]) -> dict[str, Any]:
    fields = _named(schema_of(FIELD))
    event_type = schema_of(EVENT_TYPE)
    event_type["properties"]["fields"] |= fields
    segment = schema_of(SEGMENT)
    segment["properties"]["values"] |= _named(_EXPRESSION)
    items = {"type": "array", "items": {"type": ["string", "number"]}}
    return {
        "rules": {"type": "array", "items": rule},
        "features": _named(schema_of(FEATURE)),
        "segments": _named(segment),
        "series": _named(schema_of(SERIES)),
        "lists": _named(items),
        "macros": _named(_EXPRESSION),
        "events": _named(event_type),
        "bank": schema_of(BANK),
        "classes": _named(schema_of(MESSAGE_CLASS)),
        "quiet_hours": {"type": "array", "items": schema_of(QUIET)},
        "caps": {"type": "array", "items": schema_of(CAP)},
        "channels": _named(schema_of(CHANNEL)),
    }


def _named(one: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": one}


def events_schema(types: EventTypes) -> dict[str, Any]:
    """One schema for all events that a source may deliver, told apart by `type`."""
    structs = [types.structs[name] for name in types.incoming]
    schemas, components = msgspec.json.schema_components(structs, ref_template="#/$defs/{name}")
    return {
        "$schema": DIALECT,
        "title": "Belfry events",
        "oneOf": list(schemas),
        "$defs": components,
    }


def decision_schema() -> dict[str, Any]:
    """A line of decisions.ndjson."""
    return {"$schema": DIALECT, "title": "Belfry decision", **msgspec.json.schema(Decision)}
