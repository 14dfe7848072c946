"""Names of event types wherever a rulebook mentions them.

In: names as written, the event types. Out: the types meant; unknown ones are faults.
"""

from __future__ import annotations

from collections.abc import Iterable

from belfry.engine.event_types import EventTypes
from belfry.engine.events import HANDLED_APART, type_name
from belfry.engine.rulebook.shapes import Faults
from belfry.engine.rulebook.suggest import closest, did_you_mean, listed
from belfry.engine.rulebook.yaml_nodes import ListNode, Node, fault_at

UNSEEN = frozenset(type_name(struct) for struct in HANDLED_APART)


def known_events(
    names: Iterable[str], node: Node, types: EventTypes, faults: Faults
) -> tuple[str, ...]:
    """Each once. A misspelt type is read as the closest one, an odd one as any type: its fault is
    told once, and not again for every field that its conditions read.
    """
    found: list[str] = []
    seen = [name for name in types.fields if name not in UNSEEN]
    for position, name in enumerate(names):
        if name in seen:
            found.append(name)
            continue
        at = node.items[position] if isinstance(node, ListNode) else node
        if name in types.fields:
            message = f"the engine handles '{name}' itself: no rule sees it"
            hint = "a rule's key `timer:` says when it is looked at" if name == "timer" else None
            faults.append(fault_at(at, "B322", message, expected=listed(seen), hint=hint))
            found.append(name)
            continue
        hint, expected = did_you_mean(name, seen), listed(seen)
        message = f"unknown event type '{name}'"
        faults.append(fault_at(at, "B301", message, expected=expected, hint=hint))
        near = closest(name, seen)
        found.extend([near] if near else types.incoming)
    return tuple(dict.fromkeys(found))
