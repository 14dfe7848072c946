"""One turn of the loop for one customer: the record, the program, the instant, and what comes out.

In: made by the transition. Out: passed to every part of it, so that none keeps state of its own.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from belfry.engine.decisions import Attempt, Conversion, Decision, TaskOrder
from belfry.engine.instants import zone
from belfry.engine.program.build import Program
from belfry.engine.program.plan import Test
from belfry.engine.record import Record
from belfry.engine.rulebook.model import Rule
from belfry.engine.sight import Sight


class Turn(msgspec.Struct, gc=False):
    """`now` is the instant at which this turn happens; `derived` are events still to be applied."""

    program: Program
    record: Record
    now: dt.datetime
    decisions: list[Decision] = []
    attempts: list[Attempt] = []
    tasks: list[TaskOrder] = []
    conversions: list[Conversion] = []
    unknown: list[str] = []
    errors: list[str] = []
    derived: list[Any] = []
    fired: int = 0
    unsure: list[tuple[str, str]] = []


def holds(turn: Turn, test: Test, sight: Sight, rule: Rule) -> bool:
    """Ask a rule's condition; one that cannot be computed is its error and does not hold."""
    if rule.id in turn.program.broken:
        return False
    try:
        return bool(test(sight))
    except ArithmeticError:
        turn.errors.append(rule.id)
        return False


def value_of(turn: Turn, read: Test, sight: Sight, rule: Rule) -> Any:
    """Read a rule's value; one that cannot be computed is its error and is missing."""
    try:
        return read(sight)
    except ArithmeticError:
        turn.errors.append(rule.id)
        return None


def zone_name(turn: Turn) -> str:
    """The customer's zone, else the bank's."""
    name: str | None = turn.record.customer.time_zone
    return name or turn.program.book.policies.bank.time_zone


def local_zone(turn: Turn) -> dt.tzinfo:
    """The zone to reckon timers in; UTC where the name is unknown (gates refuse to send then)."""
    return zone(zone_name(turn)) or dt.UTC
