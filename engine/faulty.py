"""Faulty rules: one that cannot be computed too often is switched off, and the others go on.

In: the errors of outcomes, counted over all customers by whoever hosts the engine. Out: a program
without the rule. Hosts keep the `Breaker` with their state, so that the same events switch off the
same rules at the same place, also after a restart.
Invariant: a rule comes back with another rulebook only, and begins anew then (belfry.engine.edits).
Source: docs/decisions/0007-faulty-rules.md.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterable

import msgspec

from belfry.engine.instants import DAY
from belfry.engine.program.build import Program, build_program
from belfry.engine.program.rule_code import RuleCodes

ERRORS_MAX = 100  # of one rule within PERIOD; what fails less often is counted, and harms nobody
PERIOD = DAY


class Errors(msgspec.Struct):
    """How often a rule could not be computed since `since`."""

    since: dt.datetime
    count: int = 0


class Breaker(msgspec.Struct):
    """The errors of all rules under one rulebook. `broken`: rule → when it was switched off."""

    rulebook: str
    errors: dict[str, Errors] = {}
    broken: dict[str, dt.datetime] = {}

    def count(self, rules: Iterable[str], at: dt.datetime) -> list[str]:
        """Note one error for each id. Returns the rules that are to be switched off now."""
        found = []
        for rule in rules:
            if " " in rule:
                continue  # `segment x`: it keeps its value, there is nothing to switch off
            errors = self.errors.get(rule)
            if errors is None or at - errors.since >= PERIOD:
                errors = self.errors[rule] = Errors(at)
            errors.count += 1
            if errors.count >= ERRORS_MAX and rule not in self.broken:
                self.broken[rule] = at
                found.append(rule)
        return found


def switch_off(program: Program, rules: Iterable[str]) -> Program:
    """The same program, in which these rules neither look nor speak; their state stays as it is."""
    book = program.book
    broken = program.broken | frozenset(rules).intersection(book.rules)
    if broken == program.broken:
        return program
    left = {name: rule for name, rule in book.rules.items() if name not in broken}
    made = build_program(dataclasses.replace(book, rules=left))
    codes = RuleCodes(book, made.rules.feature_names, made.rules.space)
    return dataclasses.replace(made, book=book, rules=codes, broken=broken)
