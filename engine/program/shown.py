"""What the texts of a rule show: the only values that travel with its messages.

In: the templates of a rule's `notify`. Out: `Shown`: of each thing the fields that some text reads.
Invariant: what no text of the rule can show is neither copied nor kept while a message waits.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from belfry.engine.rulebook.model import Rule, Rulebook

ENTITIES = ("customer", "account", "card", "loan")
# Filters show an amount in its own currency without the text naming it (notifiers/formats.py).
ALWAYS = {"event.currency", "account.currency"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Names of fields, by what they belong to. `event` None: some text reads the whole event."""

    fields: Mapping[str, tuple[str, ...]]
    event: tuple[str, ...] | None
    features: tuple[str, ...]

    def of_event(self, event: Any) -> dict[str, Any] | None:
        """The event's fields as plain values, without those that are missing; None: no event."""
        if event is None:
            return None
        found: dict[str, Any] = {}
        for name in event.__struct_fields__ if self.event is None else self.event:
            value = getattr(event, name, None)
            if value is None or value is msgspec.UNSET or isinstance(value, list):
                continue
            is_nested = isinstance(value, msgspec.Struct)
            found[name] = msgspec.structs.asdict(value) if is_nested else value
        return found

    def of_entity(self, kind: str, entity: Any, key: str) -> dict[str, Any]:
        """The entity's id and fields; the id alone where nothing is known of it."""
        found = {"id": key}
        if entity is not None:
            for name in self.fields[kind]:
                found[name] = getattr(entity, name)
        return found


def shown_of(book: Rulebook, rule: Rule) -> Shown:
    """Read from all texts of the rule, in any language and for any channel."""
    name = None if rule.notify is None else rule.notify.template
    paths = set(ALWAYS).union(*(t.paths for key, t in book.templates.items() if key[0] == name))
    read: dict[str, set[str]] = defaultdict(set)
    for path in paths:
        head, _, rest = path.partition(".")
        read[head].add(rest.partition(".")[0])
    return Shown(
        fields={kind: _known(book, kind, read[kind]) for kind in ENTITIES},
        event=None if "" in read["event"] else tuple(sorted(read["event"])),
        features=tuple(f for f in book.features if read["features"] & {f, ""}),
    )


def _known(book: Rulebook, kind: str, names: set[str]) -> tuple[str, ...]:
    """Those that the entity has; all of them where a text names the entity itself."""
    fields = book.event_types.entity_fields[kind]
    return tuple(fields) if "" in names else tuple(name for name in fields if name in names)
