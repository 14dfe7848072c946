"""Edits of rules with live state: what goes on, what begins anew; no edit tells anybody."""

from __future__ import annotations

from typing import Any

import pytest
from bank import Bank, facts, instant, program_of, spend

from belfry.engine.edition import edition_of
from belfry.engine.edits import compare
from belfry.engine.migrate import migrate
from belfry.engine.record_codec import RecordCodec

LOW = """
rule: low
by: account
when: account.balance < 500
until: account.balance >= 600
cooldown: 1h
notify: {class: security, template: t, channels: [push]}
"""
SPENT = "features:\n  spent: {sum: amount, of: transaction, window: 10d}\n"
MUCH = """
rule: much
when: features.spent > 1000
notify: {class: security, template: t, channels: [push]}
"""
FINE = "rule: fine\nevent: login\nnotify: {class: security, channels: [push]}\n"
DAY = "2026-03-02T"


def bank_of(*rules: str, shared: str = "") -> Bank:
    return Bank(program_of(*rules, shared=shared)).take(*facts())


def times(bank: Bank, rule: str | None = None) -> list[str]:
    return [one[0] for one in bank.told(rule) if one[2] == "send"]


def test_a_text_edit_keeps_a_firing_alert_and_its_cooldown() -> None:
    bank = bank_of(LOW).take(spend(DAY + "10:00:00", 1, balance=400))
    before = dict(bank.record().alerts)
    bank.switch(program_of("title: Low\nowner: team" + LOW), DAY + "10:30:00")
    assert bank.record().alerts == before
    bank.take(
        spend(DAY + "10:40:00", 1, balance=300),
        spend(DAY + "10:45:00", 1, balance=700),
        spend(DAY + "10:50:00", 1, balance=400),
    )
    assert [one[3] for one in bank.told()] == ["push", "cooldown"]
    assert bank.decisions[-1].rulebook == bank.program.book.hash
    assert bank.record().rulebook == bank.program.book.hash


def test_a_raised_threshold_that_holds_already_fires_without_a_word() -> None:
    bank = bank_of(LOW).take(spend(DAY + "10:00:00", 1, balance=800))
    raised = program_of(LOW.replace("500", "1000").replace("600", "1200"))
    bank.switch(raised, DAY + "11:00:00").take(spend(DAY + "11:30:00", 1, balance=700))
    assert bank.told() == []
    bank.take(spend(DAY + "12:00:00", 1, balance=1300), spend(DAY + "13:00:00", 1, balance=900))
    assert times(bank) == ["03-02 13:00"]


def test_a_lowered_threshold_ends_what_no_longer_holds_and_tells_of_the_next_time() -> None:
    bank = bank_of(LOW).take(spend(DAY + "10:00:00", 1, balance=400))
    lowered = program_of(LOW.replace("500", "100"))
    bank.switch(lowered, DAY + "11:00:00")
    assert bank.record().live == []
    bank.take(spend(DAY + "12:00:00", 1, balance=50))
    assert times(bank) == ["03-02 10:00", "03-02 12:00"]


def test_an_edit_of_until_alone_does_not_end_what_stands_between_both() -> None:
    bank = bank_of(LOW).take(
        spend(DAY + "10:00:00", 1, balance=400), spend(DAY + "10:30:00", 1, balance=550)
    )
    bank.switch(program_of(LOW.replace("600", "650")), DAY + "11:00:00")
    bank.take(spend(DAY + "12:00:00", 1, balance=400))
    assert times(bank) == ["03-02 10:00"]


def test_a_list_that_a_condition_names_is_part_of_its_meaning() -> None:
    rule = FINE.replace("event: login", "event: transaction\nwhen: operation in lists.cash")
    old = program_of(rule, shared="lists: {cash: [atm]}")
    edition = edition_of(old.book)
    same = compare(edition, program_of(rule, shared="lists:\n  cash: [atm]").book)
    other = compare(edition, program_of(rule, shared="lists: {cash: [till]}").book)
    respaced = rule.replace("operation in lists.cash", "(operation  in lists.cash)")
    written = compare(
        edition_of(old.book), program_of(respaced, shared="lists: {cash: [atm]}").book
    )
    assert same.touched == written.touched == {}
    assert other.touched["fine"].keys == ("when",)


def test_a_shorter_for_moves_what_is_pending_and_never_fires_by_the_edit() -> None:
    pending = LOW.replace("cooldown: 1h", "for: 6h")
    for hours, told in (("3h", ["03-02 13:00"]), ("30m", [])):
        bank = bank_of(pending).take(spend(DAY + "10:00:00", 1, balance=400))
        bank.switch(program_of(pending.replace("6h", hours)), DAY + "11:00:00")
        assert times(bank.until(DAY + "20:00:00")) == told
        assert bank.record().alerts["low\x1fA1"].phase == "firing"


def test_tiers_that_are_reached_already_are_silent_and_the_next_one_speaks() -> None:
    rule = MUCH.replace("features.spent > 1000", "features.spent / 1000\ntiers: [0.5, 1.0]")
    bank = bank_of(rule, shared=SPENT).take(spend(DAY + "10:00:00", 450))
    bank.switch(program_of(rule.replace("0.5", "0.4, 0.9"), shared=SPENT), DAY + "11:00:00")
    bank.take(spend(DAY + "12:00:00", 100), spend(DAY + "13:00:00", 400))
    assert times(bank) == ["03-02 13:00"]


def test_a_new_rule_is_silent_about_what_holds_and_speaks_of_what_comes() -> None:
    bank = bank_of(FINE).take(spend(DAY + "10:00:00", 1, balance=400))
    bank.switch(program_of(FINE, LOW), DAY + "11:00:00").take(
        spend(DAY + "12:00:00", 1, balance=300),
        spend(DAY + "13:00:00", 1, balance=700),
        spend(DAY + "14:00:00", 1, balance=300),
    )
    assert times(bank) == ["03-02 14:00"]


def test_a_new_timer_is_armed_for_customers_who_are_there() -> None:
    daily = FINE.replace("event: login", 'timer: {daily: "09:00"}').replace("fine", "daily")
    bank = bank_of(FINE).switch(program_of(FINE, daily), DAY + "09:00:00")
    assert times(bank.until("2026-03-04T12:00:00")) == ["03-03 09:00", "03-04 09:00"]


def test_a_removed_rule_takes_its_alerts_timers_and_chains_along() -> None:
    chain = (
        "rule: chain\nsequence: [{event: login}, {event: security}]\nwithin: 2h\n"
        "notify: {class: security, channels: [push]}\n"
    )
    repeated = LOW.replace("cooldown: 1h", "repeat: 1h")
    bank = bank_of(repeated, chain, FINE).take(
        spend(DAY + "10:00:00", 1, balance=400),
        {"at": DAY + "10:01:00", "type": "login", "customer_id": "C1"},
    )
    assert bank.record().chains
    bank.switch(program_of(FINE), DAY + "10:30:00")
    record = bank.record()
    assert (record.alerts, record.live, record.chains, record.timers) == ({}, [], {}, {})
    assert bank.until(DAY + "20:00:00").told("low") == [("03-02 10:00", "low", "send", "push")]


def test_what_was_held_for_a_removed_rule_leaves_a_record_with_its_reason() -> None:
    held = LOW.replace("security", "service").replace("[push]", "[sms]")
    bank = bank_of(held, FINE).take(spend("2026-03-02T22:00:00", 1, balance=400))
    bank.host.run_until(instant("2026-03-02T23:00:00"))
    assert bank.record().held
    bank.switch(program_of(FINE), "2026-03-02T23:00:00")
    assert bank.record().timers == {}
    bank.until("2026-03-03T12:00:00")
    assert [one[2:] for one in bank.told()] == [
        ("hold", "quiet_hold"),
        ("suppress", "rule_removed"),
    ]
    last = bank.decisions[-1]
    assert (last.message_class, last.message_id) == ("service", bank.decisions[0].message_id)


def test_what_was_waiting_for_a_rule_with_another_key_leaves_a_record() -> None:
    waiting = LOW.replace("security", "service")
    bank = bank_of(waiting).take(spend(DAY + "10:00:00", 1, balance=400))
    by_customer = waiting.replace("by: account\n", "").replace("account.balance", "features.worth")
    shared = "features:\n  worth: {sum: balance, of: account}\n"
    bank.switch(program_of(by_customer, shared=shared), DAY + "10:00:01")
    assert bank.until(DAY + "12:00:00").told() == [
        ("03-02 10:00", "low", "suppress", "rule_changed")
    ]
    assert bank.record().alerts["low\x1fC1"].phase == "firing"


def test_an_edited_window_fills_once_before_its_rule_speaks() -> None:
    bank = bank_of(MUCH, shared=SPENT).take(spend(DAY + "10:00:00", 900))
    bank.switch(program_of(MUCH, shared=SPENT.replace("10d", "5d")), DAY + "12:00:00")
    assert bank.record().windows == {}
    bank.take(
        spend("2026-03-03T10:00:00", 1100),
        spend("2026-03-09T10:00:00", 10),
        spend("2026-03-09T11:00:00", 1100),
    )
    assert [one[0::3] for one in bank.told()] == [
        ("03-03 10:00", "warming_up"),
        ("03-09 11:00", "push"),
    ]


def test_with_at_least_a_rule_speaks_as_soon_as_that_many_values_are_there() -> None:
    shared = "features:\n  usual: {mean: amount, of: transaction, window: 90d, at_least: 2}\n"
    rule = (
        "rule: unusual\nevent: transaction\nwhen: amount > 3 * features.usual\n"
        "notify: {class: security, channels: [push]}\n"
    )
    bank = bank_of(FINE).take(spend(DAY + "10:00:00", 10))
    bank.switch(program_of(FINE, rule, shared=shared), DAY + "11:00:00").take(
        spend(DAY + "12:00:00", 500),
        spend(DAY + "13:00:00", 10),
        spend(DAY + "14:00:00", 5000),
    )
    assert times(bank) == ["03-02 14:00"]


def test_a_new_absence_is_not_said_of_a_month_that_nobody_watched() -> None:
    absent = (
        'rule: no-salary\ntimer: {monthly: 15, at: "12:00"}\n'
        "absent: {event: transaction, when: category == 'salary', since: month_start}\n"
        "notify: {class: security, channels: [push]}\n"
    )
    bank = bank_of(FINE).take(spend(DAY + "10:00:00", 1, category="salary"))
    bank.switch(program_of(FINE, absent), DAY + "11:00:00").until("2026-05-01T00:00:00")
    assert [one[0::3] for one in bank.told()] == [
        ("03-15 12:00", "warming_up"),
        ("04-15 12:00", "push"),
    ]


@pytest.mark.parametrize(
    ("edited_at", "told"),
    [("12:00:00", ["03-03 09:00", "03-04 18:00"]), ("08:00:00", ["03-03 18:00", "03-04 18:00"])],
    ids=["fired today", "still to fire today"],
)
def test_a_moved_timer_fires_once_on_the_day_of_the_edit(edited_at: str, told: list[str]) -> None:
    daily = FINE.replace("event: login", 'timer: {daily: "09:00"}')
    bank = bank_of(daily)
    bank.host.run_until(instant("2026-03-02T23:00:00"))
    bank.decisions.clear()
    bank.switch(program_of(daily.replace("09:00", "18:00")), "2026-03-03T" + edited_at)
    assert times(bank.until("2026-03-04T23:00:00")) == told


CARD: dict[str, Any] = {
    "at": DAY + "10:00:00", "type": "card", "card_id": "K1", "account_id": "A1",
    "expires_on": "2026-03-20",
}  # fmt: skip


def test_an_added_offset_of_a_date_that_lies_in_the_past_stays_silent() -> None:
    expiry = FINE.replace("event: login", "by: card\ntimer: {date: card.expires_on, before: [7d]}")
    more = expiry.replace("[7d]", "[14d, 7d, 3d]")
    bank = bank_of(expiry).take(CARD)
    bank.switch(program_of(more), "2026-03-10T10:00:00")
    assert times(bank.until("2026-04-01T00:00:00")) == ["03-13 00:00", "03-17 00:00"]


def test_a_shorter_delay_that_is_over_already_stays_silent() -> None:
    shared = "features:\n  last_seen: {last: time, of: transaction}\n"
    idle = FINE.replace("event: login", "timer: {after: features.last_seen, delay: 30d}")
    bank = bank_of(idle, shared=shared).take(spend(DAY + "10:00:00", 1))
    bank.switch(program_of(idle.replace("30d", "5d"), shared=shared), "2026-03-12T10:00:00")
    bank.take(spend("2026-04-20T10:00:00", 1))
    assert times(bank.until("2026-05-01T00:00:00")) == ["04-25 10:00"]


def test_an_edited_segment_counts_at_once_and_is_no_change() -> None:
    shared = (
        (
            "features:\n  worth: {sum: balance, of: account}\n"
            "segments:\n  rich: {values: {yes: features.worth >= 1000, no: true}}\n"
        )
        .replace("yes:", "private:")
        .replace("no:", "mass:")
    )
    rule = FINE.replace("event: login", "event: segment")
    bank = bank_of(rule, shared=shared).take(spend(DAY + "10:00:00", 1, balance=800))
    bank.switch(program_of(rule, shared=shared.replace("1000", "500")), DAY + "11:00:00")
    assert bank.record().segments["rich"].value == "private"
    bank.take(spend(DAY + "12:00:00", 1, balance=700))
    assert bank.told() == []
    bank.take(spend(DAY + "13:00:00", 1, balance=300))
    assert times(bank) == ["03-02 13:00"]


def test_a_segment_keeps_its_value_while_what_it_reads_fills() -> None:
    shared = SPENT + (
        "segments:\n  spender: {values: {big: features.spent >= 1000, small: true}}\n"
    )
    rule = FINE.replace("event: login", "event: segment")
    bank = bank_of(rule, shared=shared).take(spend(DAY + "10:00:00", 2000))
    bank.decisions.clear()
    bank.switch(program_of(rule, shared=shared.replace("10d", "5d")), DAY + "11:00:00")
    bank.take(spend("2026-03-03T10:00:00", 1))
    assert bank.record().segments["spender"].value == "big"
    bank.until("2026-03-08T00:00:00")
    assert bank.record().segments["spender"].value == "small"
    assert bank.told() == []


def test_declared_fields_may_come_and_go() -> None:
    declared = "events:\n  account: {fields: {colour: {type: text}}}\n"
    rule = LOW.replace("account.balance < 500", 'account.colour == "red"')
    bank = bank_of(LOW).take(spend(DAY + "10:00:00", 1, balance=800))
    bank.switch(program_of(rule, shared=declared), DAY + "11:00:00")
    bank.take({"at": DAY + "12:00:00", "type": "account", "account_id": "A1", "colour": "red"})
    assert times(bank) == ["03-02 12:00"]
    bank.switch(program_of(LOW), DAY + "13:00:00").take(spend(DAY + "14:00:00", 1, balance=100))
    assert bank.record().accounts["A1"].balance == 100


def test_a_stored_window_of_another_kind_of_values_is_dropped() -> None:
    shared = "features:\n  latest: {last: purpose, of: transaction}\n"
    bank = bank_of(FINE, shared=shared).take(spend(DAY + "10:00:00", 1, purpose="rent"))
    program = program_of(FINE, shared=shared.replace("purpose", "amount"))
    raw = RecordCodec(bank.program.book).encode(bank.record())
    record = RecordCodec(program.book).decode(raw)
    assert record.windows == {}
    edits = compare(edition_of(bank.program.book), program.book)
    assert migrate(program, record, edits, instant(DAY + "11:00:00")).decisions == []


def test_without_the_old_rulebook_every_rule_is_asked_again_and_nobody_is_told() -> None:
    bank = bank_of(FINE).take(spend(DAY + "10:00:00", 1, balance=400))
    program, record = program_of(LOW), bank.record()
    outcome = migrate(program, record, compare(None, program.book), instant(DAY + "11:00:00"))
    assert outcome.decisions == []
    assert record.alerts["low\x1fA1"].phase == "firing"
    again = record.__copy__()
    assert migrate(program, record, compare(None, program.book), instant(DAY + "12:00:00")) == (
        migrate(program, again, compare(None, program.book), instant(DAY + "12:00:00"))
    )
