"""How generated code reads a name: `customer.city` becomes `x.r.customer.city`.

In: a dotted name, the event type in sight (or None: any). Out: Python source over a `Sight` named
`x`.
Invariant: a missing value reads as None, never as UNSET and never as an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import UNSET

from belfry.engine.event_types import EventTypes
from belfry.engine.events import FACTS, type_name

ENTITY_VARIABLES = {"account": "a", "card": "k", "loan": "l", "previous": "p"}
OF_ENTITY = "@"  # "@account" for an event type: bare names are the account's own fields
_FACT_TYPES = frozenset(type_name(struct) for struct in FACTS)


def get_field(event: Any, name: str) -> Any:
    """A field of whatever event this is; None where it has none."""
    value = getattr(event, name, None)
    return None if value is UNSET else value


GLOBALS: dict[str, Any] = {"UNSET": UNSET, "get_field": get_field, "getattr": getattr}


@dataclass(slots=True)
class Reader:
    """Turns dotted names into local variables of one generated function, each loaded once.

    `sight`: what stands before the letters of a `Sight`; empty where they are variables themselves.
    `whole`: source of the sight itself, for what is read by a function.
    """

    types: EventTypes
    event_type: str | None
    feature_readers: Mapping[str, str]
    locals: dict[str, str] = field(default_factory=dict)
    sight: str = "x."
    whole: str = "x"

    def __call__(self, dotted: str) -> str:
        variable = self.locals.get(dotted)
        if variable is None:
            variable = self.locals[dotted] = f"v{len(self.locals)}"
        return variable

    def loads(self, names: Iterable[str] | None = None) -> list[str]:
        """Assignments for these names (default: all), in the order they were asked for."""
        wanted = self.locals if names is None else [n for n in self.locals if n in set(names)]
        return [f"{self.locals[name]} = {self.source(name)}" for name in wanted]

    def source(self, dotted: str) -> str:
        """The Python source that reads one name from a sight."""
        x = self.sight
        head, _, rest = dotted.partition(".")
        if dotted == "time":
            return f"{x}e.time" if self.event_type in self.types.structs else f"{x}t"
        if dotted == "tier":
            return f"{x}tier"
        if head == "features":
            return f"{self.feature_readers[rest]}({self.whole})"
        if head == "series":
            return f"S_{rest.replace('.', '_')}({self.whole})"
        if head == "segments":
            return f"segment_of({x}r, {rest!r})"
        if head == "customer":
            return f"{x}r.customer_id" if rest == "id" else f"{x}r.customer.{rest}"
        if head in ENTITY_VARIABLES:
            if rest == "id" and head != "previous":
                return f"({x}{head}_id or None)"
            variable = x + ENTITY_VARIABLES[head]
            # `previous` is whichever entity the event changes; it may not have this field.
            if head == "previous":
                return f"getattr({variable}, {rest!r}, None)"
            return f"({variable}.{rest} if {variable} is not None else None)"
        return self._event_field(head, rest)

    def _event_field(self, name: str, nested: str) -> str:
        x = self.sight
        if self.event_type is None:
            base = f"get_field({x}e, {name!r})"
        elif self.event_type.startswith(OF_ENTITY):
            base = f"{x}{ENTITY_VARIABLES[self.event_type[1:]]}.{name}"
        elif name not in self.types.fields[self.event_type]:
            return "None"
        elif self.event_type in _FACT_TYPES:
            base = f"(None if {x}e.{name} is UNSET else {x}e.{name})"
        else:
            base = f"{x}e.{name}"
            if nested and "." not in nested:
                return f"({base}.{nested} if {base} is not None else None)"
        for part in nested.split(".") if nested else ():
            base = f"getattr({base}, {part!r}, None)"
        return base


def is_costly(dotted: str) -> bool:
    """Reads that call into the record's windows: loaded only when the cheap part already holds."""
    return dotted.startswith(("features.", "series."))
