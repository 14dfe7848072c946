"""Tests inside rules: their structure is checked here, what they say is run by `belfry test`.

In: the values under `tests:`. Out: `RuleTest` values, plain data as written.
"""

from __future__ import annotations

from typing import Any

from belfry.engine.event_types import EventTypes
from belfry.engine.rulebook.keys import Values
from belfry.engine.rulebook.model import RuleTest
from belfry.engine.rulebook.shapes import INSTANT, Faults, plain
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import ListNode, MapNode, Node, TextNode, fault_at, place_of

OUTCOMES = ("send", "hold", "suppress", "task", "emit")


def read_tests(rule: Values, types: EventTypes, faults: Faults) -> tuple[RuleTest, ...]:
    """All tests of a rule."""
    tests: tuple[Values, ...] = rule.get("tests", ())
    return tuple(_test(values, types, faults) for values in tests)


def _test(values: Values, types: EventTypes, faults: Faults) -> RuleTest:
    events = _items(values, "events", faults)
    for node in events:
        _check_instant(node, faults)
        _check_type(node, types, faults)
    expected = _items(values, "expect", faults)
    for node in expected:
        _check_instant(node, faults)
        if not any(node.get(outcome) for outcome in OUTCOMES):
            message = "what is expected: " + listed(OUTCOMES)
            faults.append(fault_at(node, "B202", message, hint="{at: …, send: push}"))
    given = values.get("given")
    if given is not None and not isinstance(given, MapNode):
        message = "given is a mapping: customer, account, card, loan, contacts, consents"
        faults.append(fault_at(given, "B203", message))
    return RuleTest(
        name=values.get("name", ""),
        place=place_of(values.node),
        given=plain(given) if isinstance(given, MapNode) else {},
        events=tuple(plain(node) for node in events),
        expect=tuple(plain(node) for node in expected),
        until=values.get("until"),
    )


def _items(values: Values, key: str, faults: Faults) -> list[MapNode]:
    """A list of mappings. `expect: none` is an empty list."""
    node: Node | None = values.get(key)
    if node is None or (isinstance(node, TextNode) and node.value == "none"):
        return []
    if not isinstance(node, ListNode):
        faults.append(fault_at(node, "B203", f"'{key}' is a list", expected="a list"))
        return []
    found: list[Any] = []
    for item in node.items:
        if isinstance(item, MapNode):
            found.append(item)
        else:
            faults.append(fault_at(item, "B203", f"an item of '{key}' is a mapping"))
    return found


def _check_instant(node: MapNode, faults: Faults) -> None:
    at = node.get("at") or node.get("time")
    if at is None:
        hint = 'at: "2026-03-02T10:00:00+08:00"'
        faults.append(fault_at(node, "B202", "it needs the key 'at'", hint=hint))
    else:
        INSTANT.read(at, faults)


def _check_type(node: MapNode, types: EventTypes, faults: Faults) -> None:
    name = node.get("type")
    if not isinstance(name, TextNode):
        faults.append(fault_at(name or node, "B202", "an event needs the key 'type'"))
    elif name.value not in types.fields:
        hint, expected = did_you_mean(name.value, types.fields), listed(types.fields)
        message = f"unknown event type '{name.value}'"
        faults.append(fault_at(name, "B301", message, expected=expected, hint=hint))
