"""A rule that cannot be computed: counted, switched off after too many errors, and named."""

from __future__ import annotations

import datetime as dt
import io
import json
from typing import Any

import pytest
from bank import Bank, facts, instant, program_of, spend

from belfry.engine.faulty import ERRORS_MAX, Breaker, switch_off
from belfry.engine.program import Program
from belfry.runtime.replay import Replay

NEVER = "9999-12-31"  # how some systems write it: one day later is beyond all calendars
BAD = """
rule: bad
by: account
event: transaction
when: account.opened_on + 1d > time
notify: {class: service, template: t, channels: [sms]}
"""
FINE = "rule: fine\nevent: transaction\nnotify: {class: security, channels: [push]}\n"
DAY = "2026-03-02T"


def opened(at: str, on: str) -> dict[str, Any]:
    return {"at": at, "type": "account", "account_id": "A1", "opened_on": on}


def many(count: int, begin: str = "2026-03-02T10:00:00") -> list[dict[str, Any]]:
    first = dt.datetime.fromisoformat(begin)
    return [
        spend((first + dt.timedelta(seconds=number)).isoformat(), 1, id=f"{begin}-{number}")
        for number in range(count)
    ]


def failing(*rules: str) -> Bank:
    """A bank at which BAD cannot be computed any more."""
    return Bank(program_of(BAD, *rules)).take(*facts(), opened(DAY + "09:00:00", NEVER))


def errors(bank: Bank) -> int:
    return sum(one.errors.count("bad") for one in bank.outcomes)


def test_after_too_many_errors_a_rule_is_switched_off_and_the_others_speak() -> None:
    bank = failing(FINE).take(*many(ERRORS_MAX + 20))
    assert errors(bank) == ERRORS_MAX
    assert bank.host.breaker.broken == {"bad": bank.taken[-21].time}
    assert bank.host.program.broken == {"bad"}
    assert len(bank.told("fine")) == ERRORS_MAX + 20


def test_one_error_less_leaves_it_on() -> None:
    bank = failing().take(*many(ERRORS_MAX - 1), opened(DAY + "12:00:00", "2030-01-01"))
    bank.take(spend(DAY + "13:00:00", 1)).until(DAY + "14:00:00")
    assert [one[0::3] for one in bank.told("bad")] == [("03-02 13:00", "sms")]
    assert bank.host.breaker.broken == {}


def test_errors_of_another_day_are_forgotten() -> None:
    bank = failing()
    for day in range(2, 6):
        bank.take(*many(ERRORS_MAX // 2, f"2026-03-0{day}T10:00:00"))
    assert errors(bank) == 2 * ERRORS_MAX
    assert bank.host.breaker.broken == {}


def test_what_is_held_when_its_rule_breaks_is_not_sent_and_says_so() -> None:
    bank = failing().take(opened(DAY + "21:30:00", "2030-01-01"), spend(DAY + "22:00:00", 1))
    bank.take(opened(DAY + "22:30:00", NEVER), *many(ERRORS_MAX, DAY + "23:00:00"))
    assert [one[2:] for one in bank.until("2026-03-03T12:00:00").told()] == [
        ("hold", "quiet_hold"),
        ("suppress", "rule_broken"),
    ]


def test_another_rulebook_switches_it_on_again_and_it_begins_anew() -> None:
    bank = failing().take(*many(ERRORS_MAX), opened(DAY + "12:00:00", "2030-01-01"))
    bank.take(spend(DAY + "12:30:00", 1)).switch(program_of(BAD, FINE), DAY + "13:00:00")
    assert (bank.host.program.broken, bank.host.breaker.errors) == (frozenset(), {})
    bank.take(spend(DAY + "14:00:00", 1)).until(DAY + "15:00:00")
    assert [one[0::3] for one in bank.told("bad")] == [("03-02 14:00", "sms")]


def test_an_absence_that_nobody_noted_while_its_rule_was_off_is_not_said() -> None:
    absent = (
        'rule: bad\nby: account\ntimer: {daily: "10:00"}\nwhen: account.opened_on + 1d > time\n'
        "absent: {event: transaction, since: 7d}\n"
        "notify: {class: security, channels: [push]}\n"
    )
    program = program_of(absent)
    bank = Bank(program).take(*facts())
    bank.host.program = switch_off(program, ["bad"])
    bank.take(spend(DAY + "11:00:00", 1), opened(DAY + "11:30:00", "2030-01-01"))
    bank.switch(program_of(absent, FINE), DAY + "12:00:00").until("2026-03-10T12:00:00")
    assert [one[0::3] for one in bank.told("bad")] == [
        *((f"03-0{day} 10:00", "warming_up") for day in range(3, 10)),
        ("03-10 10:00", "push"),
    ]


def test_the_same_events_switch_off_the_same_rules_at_the_same_place() -> None:
    one, other = (failing(FINE).take(*many(ERRORS_MAX + 20)) for _ in (1, 2))
    assert one.host.breaker == other.host.breaker
    assert one.decisions == other.decisions


def test_switching_off_what_is_off_or_not_there_changes_nothing() -> None:
    program = switch_off(program_of(BAD, FINE), ["bad"])
    assert switch_off(program, ["bad", "nothing"]) is program


def test_a_summary_names_what_was_switched_off() -> None:
    source = failing().take(*many(ERRORS_MAX))
    replay = Replay(program_of(BAD), io.BytesIO(), io.BytesIO())
    for event in source.taken:
        replay.feed(event)
    summary = json.loads(json.dumps(replay.finish().as_dict(), default=str))
    assert summary["errors"] == {"bad": ERRORS_MAX}
    assert list(summary["broken"]) == ["bad"]


def test_a_segment_is_no_rule_to_switch_off() -> None:
    breaker = Breaker("")
    assert breaker.count(["segment x"] * ERRORS_MAX, instant(DAY + "10:00:00")) == []


CONDITION = "event: transaction\nwhen: account.opened_on + 1d > time"
STEP = "{event: transaction, when: account.opened_on + 1d > time}"
PARTS = {
    "timer": (CONDITION, "timer: {date: account.opened_on + 1d}"),
    "sequence": (CONDITION, f"within: 1h\nsequence: [{STEP}, {{event: transaction}}]"),
    "text": (
        CONDITION + "\nnotify: {class: service, ",
        "event: transaction\nnotify: {class: security, with: {day: account.opened_on + 1d}, ",
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_wherever_it_cannot_be_computed_it_is_counted_and_the_others_speak(part: str) -> None:
    program: Program = program_of(BAD.replace(*PARTS[part]).replace("sms", "push"), FINE)
    bank = Bank(program).take(*facts(), opened(DAY + "09:00:00", NEVER))
    bank.take(spend(DAY + "10:00:00", 1)).until(DAY + "11:00:00")
    assert errors(bank) >= 1
    assert len(bank.told("fine")) == 1


def test_a_segment_that_cannot_be_computed_is_counted_and_the_rules_speak() -> None:
    condition = "customer.birth_date + 1d > d'2020-01-01'"
    shared = f"segments:\n  new: {{values: {{young: {condition}, old: true}}}}\n"
    bank = Bank(program_of(FINE, shared=shared)).take(*facts())
    bank.take({"at": DAY + "09:00:00", "type": "customer", "customer_id": "C1",
               "birth_date": NEVER})  # fmt: skip
    bank.take(spend(DAY + "10:00:00", 1)).until(DAY + "11:00:00")
    assert "segment new" in [error for one in bank.outcomes for error in one.errors]
    assert len(bank.told("fine")) == 1
