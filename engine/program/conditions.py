"""Compiles the conditions of a rulebook to functions, many in one module of generated source.

In: expressions and the event type they look at. Out: named functions of a `Sight`.
Invariant: one `exec` for all of them; a name is a value of `Conditions.functions` once `finish`
has run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from belfry.engine.event_types import EventTypes
from belfry.engine.expressions import (
    Constants,
    Expression,
    false_source,
    true_source,
    value_source,
)
from belfry.engine.program.reads import GLOBALS, Reader
from belfry.engine.record import Record

Function = Callable[..., Any]


def segment_of(record: Record, name: str) -> str | None:
    """The value that counts now."""
    state = record.segments.get(name)
    return None if state is None else state.value


class Conditions:
    """Collects sources; `finish` compiles them all at once."""

    def __init__(self, types: EventTypes, feature_names: Mapping[str, str]) -> None:
        self.types = types
        self.feature_names = feature_names
        self.constants = Constants()
        self.sources: list[str] = []
        self.names: dict[tuple[str, Any, str | None], str] = {}
        self.functions: dict[str, Any] = {}

    def is_true(self, expr: Expression, event_type: str | None = None) -> str:
        """Name of `x -> bool`: definitely true."""
        return self._one("true", expr, event_type, true_source)

    def is_false(self, expr: Expression, event_type: str | None = None) -> str:
        """Name of `x -> bool`: definitely false."""
        return self._one("false", expr, event_type, false_source)

    def value(self, expr: Expression, event_type: str | None = None) -> str:
        """Name of `x -> value or None`."""
        return self._one("value", expr, event_type, value_source)

    def values(self, reads: tuple[str, ...], event_type: str | None = None) -> str:
        """Name of `x -> {name: value read}`, for decision records."""
        key = ("values", "\n".join(reads), event_type)
        if key not in self.names:
            reader = self.reader(event_type)
            parts = ", ".join(f"{name!r}: {reader.source(name)}" for name in reads)
            self.names[key] = self.define(f"return {{{parts}}}")
        return self.names[key]

    def _one(self, kind: str, expr: Expression, event_type: str | None, source_of: Function) -> str:
        key = (kind, expr, event_type)
        if key not in self.names:
            reader = self.reader(event_type)
            body = source_of(expr, reader, self.constants)
            self.names[key] = self.define(*reader.loads(), f"return {body}")
        return self.names[key]

    def reader(self, event_type: str | None) -> Reader:
        """A fresh set of local variables."""
        return Reader(self.types, event_type, self.feature_names)

    def define(self, *lines: str, takes: str = "x") -> str:
        """Add a function; its name."""
        name = f"f{len(self.sources)}"
        body = "\n    ".join(lines)
        self.sources.append(f"def {name}({takes}):\n    {body}\n")
        return name

    def source(self) -> str:
        """All of the generated source."""
        return "\n".join(self.sources)

    def finish(self, space: Mapping[str, Any]) -> None:
        """Compile and run the source, which may call what is in `space`."""
        code = compile(self.source(), "<rulebook>", "exec")
        self.functions = {**GLOBALS, **space, "segment_of": segment_of, **self.constants.names}
        exec(code, self.functions)  # noqa: S102  generated from checked expressions only

    def __getitem__(self, name: str) -> Function:
        found: Function = self.functions[name]
        return found
