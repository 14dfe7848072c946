"""A rule that cannot be computed is counted, and harms no other, whatever asked it."""

from __future__ import annotations

import pytest
from bank import Bank, facts, program_of, spend

FINE = "rule: fine\nevent: transaction\nnotify: {class: security, channels: [push]}\n"


def test_a_rule_that_cannot_be_computed_is_counted_and_the_others_speak(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    daily = (
        'rule: bad\ntimer: {daily: "09:00"}\nwhen: features.seen > 0\n'
        "notify: {class: security, channels: [push]}\n"
    )
    shared = "features:\n  seen: {count: transaction, window: 30d}\n"
    program = program_of(daily, FINE, shared=shared)

    def raising(x: object) -> bool:
        raise ArithmeticError

    monkeypatch.setattr(program.rules["bad"], "stands", raising)
    bank = (
        Bank(program).take(*facts(), spend("2026-03-01T08:00:00", 1)).until("2026-03-01T10:00:00")
    )
    assert [one[1] for one in bank.told()] == ["fine"]
    assert [error for one in bank.outcomes for error in one.errors] == ["bad"]
