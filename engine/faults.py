"""Author's faults: what is wrong in a rulebook or a source mapping, where, and what to do.

In: nothing. Out: `Fault` values, all collected, never raised one at a time.
Codes are stable: operations staff search for them, tests assert them.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """An error keeps a rulebook from loading; a warning is reported by lint and does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a text stands: path relative to the rulebook, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One finding. `line` is the source line shown with a caret of `width` under `place.column`."""

    code: str
    place: Place
    message: str
    expected: str | None = None
    hint: str | None = None
    line: str | None = None
    width: int = 1
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        text = f"{self.place}: {self.severity}[{self.code}]: {self.message}"
        return f"{text}; {self.hint}" if self.hint else text


class RulebookRefused(Exception):  # noqa: N818  (reads as what happened)
    """A rulebook with errors was asked to run. Carries every fault, in file order."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults
