"""Another rulebook while alerts live: nobody is told because of it, nobody is forgotten."""

import pytest
from embedded_bank import (
    RULES,
    batch,
    decoded,
    facts,
    history,
    program_of,
    replayed,
    shipped,
    spend,
)

from belfry.runtime import embedded
from belfry.runtime.faultpoints import FaultInjected, action_of, arm, disarm
from belfry.runtime.ports import Batch

STATE = b"""rule: low
by: account
when: account.balance < 500
notify: {class: security, template: t, channels: [push]}
"""
LATER = {
    "rules/late.yaml": b"""rule: late
timer: {daily: "16:00"}
notify: {class: security, template: t, channels: [push]}
"""
}


def low(limit):
    return program_of({**RULES, "rules/low.yaml": STATE.replace(b"500", str(limit).encode())})


def balance(number, value):
    return {**spend(number, 10), "account_id": "A1", "balance": value}


@pytest.mark.parametrize("by_restart", [False, True])
def test_an_edited_threshold_tells_nobody_and_counts_from_then_on(banks, by_restart):
    bank = banks(low(500))
    bank.host.apply([batch(bank.program, *facts(), balance(1, 700))])
    bank.program = low(1000)
    if by_restart:
        bank.restart()
    else:
        bank.host.reload(bank.program)
    bank.host.tick()
    assert [one for one in bank.reasons() if one[0] == "low"] == []
    bank.host.apply([batch(bank.program, balance(2, 1200), balance(3, 900))])
    assert ("low", "sent") in bank.reasons()


def test_customers_without_events_get_the_timers_of_new_rules(banks, monkeypatch):
    monkeypatch.setattr(embedded, "SWEPT", 3)
    bank = banks()
    rows = [row for number in range(10) for row in facts(f"C{number}")]
    bank.host.apply([batch(bank.program, *rows)])
    program = program_of({**RULES, **LATER})
    bank.host.reload(program)
    bank.program = program
    bank.host.tick()
    bank.restart()  # in the middle of it
    while bank.host.tick().is_more_due:
        pass
    timers = bank.store.connection.execute("SELECT count(*) FROM timers").fetchone()
    assert timers == (10,)
    bank.clock.at = bank.clock.at.replace(hour=16)
    bank.host.tick()
    assert bank.reasons().count(("late", "sent")) == 10


@pytest.mark.parametrize("point", ["reload.before", "commit.begin", "commit.end"])
def test_a_failure_on_the_way_leaves_no_record_behind(banks, point):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts())])
    bank.program = program_of({**RULES, **LATER})
    arm(point, 1, action_of("raise"))
    with pytest.raises(FaultInjected):
        bank.host.reload(bank.program)
    disarm()
    bank.restart()
    while bank.host.tick().is_more_due:
        pass
    bank.clock.at = bank.clock.at.replace(hour=16)
    bank.host.tick()
    assert ("late", "sent") in bank.reasons()


def test_the_same_rulebook_again_changes_nothing(banks):
    program = shipped()
    rows = history(21, days=150)
    bank = banks(program, by_events=True)
    for start in range(0, len(rows), 300):
        bank.host.apply([Batch(decoded(program, rows[start : start + 300]))])
        program = shipped()
        bank.host.reload(program)
    bank.host.finish()
    assert bank.decisions() == replayed(program, rows)
