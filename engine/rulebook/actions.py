"""What a rule does when it fires: notify, task, emit.

In: the values under those keys, the rule's scope. Out: `Notify`, `Task`, `Emit`, or faults.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from belfry.engine.event_types import EventTypes
from belfry.engine.expressions import Expression, Scope
from belfry.engine.fields import Kind
from belfry.engine.rulebook.declarations import OWN_EVENTS
from belfry.engine.rulebook.keys import Values
from belfry.engine.rulebook.model import Emit, Notify, Policies, Task
from belfry.engine.rulebook.policies import check_known
from belfry.engine.rulebook.reading import Reading
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import TextNode, fault_at

# Filled in by the engine when an event is derived; `account_id` and its like may be given.
HEADER_DERIVED = frozenset(("type", "id", "time", "source", "seen_at", "customer_id"))


def default_template(rule_id: str) -> str:
    """The folder of templates that belongs to a rule that names none."""
    return rule_id.replace("-", "_")


def read_notify(rule: Values, scope: Scope, policies: Policies, reading: Reading) -> Notify | None:
    """The message. Its class and channels must exist."""
    values: Values | None = rule.get("notify")
    if values is None:
        return None
    message_class = values.get("class")
    if message_class is not None:
        known = policies.classes
        check_known((message_class,), values.at("class"), "classes", known, reading.faults)
    channels: tuple[str, ...] = values.get("channels", ())
    check_known(channels, values.at("channels"), "channels", policies.channels, reading.faults)
    if "until" in values and "within" not in values:
        message = "how long may a channel take before the next one is tried?"
        at = values.name_at("until")
        reading.faults.append(fault_at(at, "B202", message, hint="within: 10m"))
    if "within" in values and "until" not in values:
        message = "'within' goes with 'until': what ends the ladder"
        at = values.name_at("within")
        reading.faults.append(fault_at(at, "B212", message, hint="until: delivered"))
    return Notify(
        message_class=message_class or next(iter(policies.classes)),
        template=values.get("template") or default_template(rule.get("rule")),
        channels=tuple(dict.fromkeys(channels)) or tuple(policies.channels),
        priority=values.get("priority", 50),
        expires=values.get("expires"),
        tags=values.get("tags", ()),
        with_=_named_values(values, scope, reading),
        until=values.get("until"),
        within=values.get("within"),
        to=values.get("to", "current"),
    )


def read_task(rule: Values, scope: Scope, reading: Reading) -> Task | None:
    """Work for staff."""
    values: Values | None = rule.get("task")
    if values is None:
        return None
    return Task(
        role=values.get("role", ""),
        due=values.get("due"),
        priority=values.get("priority", 50),
        title=values.get("title"),
        with_=_named_values(values, scope, reading),
    )


def read_emit(rule: Values, scope: Scope, types: EventTypes, reading: Reading) -> Emit | None:
    """A derived event: its type is declared, its fields exist and have the right kind."""
    values: Values | None = rule.get("emit")
    name = values.get("event") if values else None
    if values is None or name is None:
        return None
    fields = types.fields.get(name)
    if fields is None or name in OWN_EVENTS:
        code = "B303" if fields is not None else "B301"
        what = "the engine makes it itself" if fields is not None else "unknown event type"
        hint = did_you_mean(name, types.incoming) if fields is None else None
        expected = listed(types.incoming)
        message = f"{what}: '{name}'"
        fault = fault_at(values.at("event"), code, message, expected=expected, hint=hint)
        reading.faults.append(fault)
        return None
    return Emit(name, _fields_of_event(name, types, values, scope, reading))


def _named_values(values: Values, scope: Scope, reading: Reading) -> dict[str, Expression]:
    given: Mapping[str, TextNode] = values.get("with", {})
    read = {name: reading.expression(node, scope) for name, node in given.items()}
    return {name: one for name, one in read.items() if one is not None}


def _fields_of_event(
    name: str, types: EventTypes, values: Values, scope: Scope, reading: Reading
) -> dict[str, Expression]:
    fields = types.fields[name]
    given: Mapping[str, TextNode] = values.get("with", {})
    own = [key for key in fields if key not in HEADER_DERIVED]
    found: dict[str, Expression] = {}
    for key, node in given.items():
        if key not in own:
            hint, expected = did_you_mean(key, own), listed(own)
            message = f"event '{name}' has no field '{key}' that can be given"
            fault = fault_at(node, "B305", message, expected=expected, hint=hint)
            reading.faults.append(fault)
            continue
        one = reading.expression(node, scope)
        if one is None:
            continue
        wanted: Kind = fields[key].kind
        if one.kind is not wanted:
            message = f"field '{key}' of '{name}' is a {wanted}, this is a {one.kind}"
            reading.faults.append(fault_at(node, "B306", message, expected=f"a {wanted}"))
            continue
        found[key] = one
    for needed in msgspec.structs.fields(types.structs[name]):
        key = needed.encode_name
        if needed.required and key in own and key not in given:
            message = f"event '{name}' needs the field '{key}'"
            at = values.at("event")
            reading.faults.append(fault_at(at, "B202", message, hint=f"with: {{{key}: …}}"))
    return found
