"""Joining and leaving an account: the record follows, silently; rules look from then on."""

from typing import Any

import msgspec
import pytest

from belfry.engine.links import STORED, Links
from belfry.engine.record_codec import RecordCodec
from tests.engine.transition.bank import Bank, facts, program_of, spend

DAY = "2026-03-02T"
LOW = (
    "rule: low\nby: account\nwhen: account.balance < 500\n"
    "notify: {class: service, channels: [push]}\n"
)
CARD = {"type": "card", "card_id": "K1", "account_id": "A1", "at": "2026-03-01T01:00:00"}
LOAN = {"type": "loan", "loan_id": "L1", "account_id": "A1", "at": "2026-03-01T01:00:00"}


def held_by(at: str, *customers: str, **more: Any) -> dict[str, Any]:
    """A1 belongs to these, the first of them leads."""
    holders = [{"customer_id": one, "role": "authorised"} for one in customers]
    holders[0]["role"] = "owner"
    return {"at": DAY + at, "type": "account", "account_id": "A1", "holders": holders, **more}


def bank_of(*rules: str, shared: str = "") -> Bank:
    """C1 holds A1 and C2 holds A2."""
    return Bank(program_of(*rules, shared=shared)).take(*facts("C1"), *facts("C2", "A2"))


def of_second(bank: Bank) -> list[tuple[str, str, str]]:
    return [
        (d.at.strftime("%H:%M"), d.rule, str(d.reason))
        for d in bank.decisions
        if d.customer_id == "C2"
    ]


def test_who_joins_gets_the_account_with_its_cards_and_loans_as_they_are_known() -> None:
    bank = bank_of(LOW).take(
        {"at": "2026-03-01T01:00:00", "type": "account", "account_id": "A1", "product": "current",
         "currency": "CNY", "low_balance_limit": "300", "status": "active"},
        {**CARD, "status": "active", "expires_on": "2027-01-31"},
        {**LOAN, "amount": "1000", "balance": "900.50"},
        spend(DAY + "09:00:00", 1, balance=800),
        held_by("10:00:00", "C1", "C2"),
    )  # fmt: skip
    first, second = bank.record("C1"), bank.record("C2")
    assert second.accounts["A1"] == first.accounts["A1"]
    assert (second.cards, second.loans) == (first.cards, first.loans)
    assert second.accounts["A1"].balance == 800
    assert second.loans["L1"].balance == msgspec.convert("900.50", type(first.loans["L1"].balance))
    assert second.leads == ["A2"]


def test_what_was_removed_or_moved_away_is_not_handed_over() -> None:
    bank = bank_of(LOW).take(
        {"at": "2026-03-01T01:00:00", "type": "account", "account_id": "A1", "product": "current"},
        {"at": "2026-03-01T02:00:00", "type": "account", "account_id": "A1", "product": None},
        CARD,
        {**CARD, "at": "2026-03-01T03:00:00", "account_id": "A9", "customer_id": "C1"},
        held_by("10:00:00", "C1", "C2"),
    )
    assert bank.record("C2").accounts["A1"].product is None
    assert bank.record("C2").cards == {}


def test_nobody_is_told_because_they_joined_but_of_what_comes_then() -> None:
    bank = bank_of(LOW).take(
        spend(DAY + "09:00:00", 1, balance=400), held_by("10:00:00", "C1", "C2")
    )
    assert of_second(bank.until(DAY + "10:30:00")) == []
    bank.take(
        spend(DAY + "11:00:00", 1, balance=300),  # still low: nothing new
        spend(DAY + "12:00:00", 1, balance=900),
        spend(DAY + "13:00:00", 1, balance=100),
    )
    assert of_second(bank.until(DAY + "14:00:00")) == [("13:00", "low", "sent")]


def test_what_the_joining_event_itself_says_is_news() -> None:
    bank = bank_of(LOW).take(
        spend(DAY + "09:00:00", 1, balance=800),
        held_by("10:00:00", "C1", "C2", balance="100"),
    )
    assert of_second(bank.until(DAY + "11:00:00")) == [("10:00", "low", "sent")]


def test_a_feature_over_all_accounts_that_rises_by_joining_tells_nobody() -> None:
    shared = "features: {assets: {sum: balance, of: account}}\n"
    rich = "rule: rich\nwhen: features.assets > 1000\nnotify: {class: service, channels: [push]}\n"
    bank = bank_of(rich, shared=shared).take(
        spend(DAY + "09:00:00", 1, balance=5000), held_by("10:00:00", "C1", "C2")
    )
    assert of_second(bank.until(DAY + "11:00:00")) == []
    assert bank.record("C2").alerts != {}


def test_a_segment_that_changes_by_joining_is_no_event() -> None:
    shared = (
        "features: {assets: {sum: balance, of: account}}\n"
        "segments: {worth: {values: {rich: features.assets > 1000, other: true}}}\n"
    )
    rule = "rule: moved\nevent: segment\nnotify: {class: service, channels: [push]}\n"
    bank = bank_of(rule, shared=shared).take(
        {"at": DAY + "08:00:00", "type": "account", "account_id": "A2", "balance": "5"},
        spend(DAY + "09:00:00", 1, balance=5000),
        held_by("10:00:00", "C1", "C2"),
    )
    assert of_second(bank.until(DAY + "11:00:00")) == []
    assert bank.record("C2").segments["worth"].value == "rich"


def test_for_begins_when_the_customer_joins() -> None:
    bank = bank_of(LOW + "for: 2h\n").take(
        spend(DAY + "09:00:00", 1, balance=400), held_by("10:00:00", "C1", "C2")
    )
    assert of_second(bank.until(DAY + "13:00:00")) == [("12:00", "low", "sent")]


TIMER = (
    "rule: expiry\nby: card\n"
    'timer: {date: card.expires_on, before: [30d, 1d], at: "09:00"}\n'
    "notify: {class: service, channels: [push]}\n"
)


def test_timers_of_what_was_handed_over_fire_only_at_instants_to_come() -> None:
    bank = bank_of(TIMER).take(
        {**CARD, "expires_on": "2026-03-20"}, held_by("10:00:00", "C1", "C2")
    )
    assert of_second(bank.until("2026-03-18T00:00:00")) == []
    assert of_second(bank.until("2026-03-19T12:00:00")) == [("09:00", "expiry", "sent")]


def test_who_leaves_hears_no_more_of_the_account() -> None:
    bank = bank_of(LOW, TIMER).take(
        {**CARD, "expires_on": "2026-03-20"},
        held_by("09:00:00", "C1", "C2"),
        spend(DAY + "10:00:00", 1, balance=100),
        held_by("11:00:00", "C1"),
        spend(DAY + "12:00:00", 1, balance=900),
        spend(DAY + "13:00:00", 1, balance=100),
    )
    assert of_second(bank.until("2026-03-19T12:00:00")) == [("10:00", "low", "sent")]
    record = bank.record("C2")
    assert list(record.accounts) == ["A2"]
    assert (record.cards, record.live, record.alerts) == ({}, [], {})
    assert not [name for name in record.timers if "K1" in name or "A1" in name]


def test_what_is_held_for_who_leaves_dies_as_not_holder() -> None:
    rule = LOW.replace("push", "sms")
    bank = bank_of(rule).take(
        held_by("09:00:00", "C1", "C2"),
        spend(DAY + "22:00:00", 1, balance=100),
        held_by("23:00:00", "C1"),
    )
    assert of_second(bank.until("2026-03-03T12:00:00")) == [
        ("22:00", "low", "quiet_hold"), ("23:00", "low", "not_holder"),
    ]  # fmt: skip


def test_windows_chains_and_cooldowns_of_the_account_are_forgotten() -> None:
    shared = "features: {spent: {sum: amount, of: transaction, window: 30d, by: account}}\n"
    rule = (
        "rule: much\nby: account\nwhen: features.spent > 100\ncooldown: 9d\n"
        "notify: {class: service, channels: [push]}\n"
    )
    bank = bank_of(rule, shared=shared).take(
        held_by("09:00:00", "C1", "C2"),
        spend(DAY + "10:00:00", 200),
        held_by("11:00:00", "C1"),
        held_by("12:00:00", "C1", "C2"),
    )
    record = bank.until(DAY + "12:30:00").record("C2")
    assert (record.windows, record.alerts) == ({}, {})


def test_an_account_that_nobody_holds_any_more_belongs_to_nobody() -> None:
    bank = bank_of(LOW).take({**held_by("09:00:00", "C1"), "holders": []})
    event = bank.event(spend(DAY + "10:00:00", 1, balance=100))
    assert bank.host.accept(event) is False
    assert bank.record("C1").accounts == {}


def test_the_customers_own_story_needs_no_other_record() -> None:
    """`explain` runs one customer alone: the snapshot comes from the links, not from a record."""
    bank = bank_of(LOW).take(
        spend(DAY + "09:00:00", 1, balance=800), held_by("10:00:00", "C1", "C2")
    )
    alone = Bank(bank.program)
    alone.host.only = "C2"
    for event in bank.taken:
        alone.host.accept(event)
    assert alone.record("C2") == bank.record("C2")


HISTORY = (
    {**CARD, "expires_on": "2026-03-20"},
    spend(DAY + "09:00:00", 1, balance=400),
    held_by("10:00:00", "C1", "C2"),
    spend(DAY + "11:00:00", 1, balance=900),
    held_by("12:00:00", "C2", low_balance_limit="10"),
    spend(DAY + "13:00:00", 1, balance=100),
    held_by("14:00:00", "C2", "C1"),
    spend(DAY + "15:00:00", 1, balance=700),
    spend(DAY + "16:00:00", 1, balance=50),
)


@pytest.mark.parametrize("every", [1, 2, 3])
def test_links_and_records_may_go_through_bytes_between_any_two_events(every: int) -> None:
    whole = bank_of(LOW, TIMER).take(*HISTORY).until("2026-03-19T12:00:00")
    bank = Bank(whole.program)
    codec = RecordCodec(bank.program.book)
    for number, event in enumerate(whole.taken):
        bank.host.accept(event)
        if number % every == 0:
            bank.host.links = again(bank.host.links)
            for name, record in bank.host.records.items():
                bank.host.records[name] = codec.decode(codec.encode(record))
    bank.until("2026-03-19T12:00:00")
    assert [(d.id, d.at, d.reason) for d in bank.decisions] == [
        (d.id, d.at, d.reason) for d in whole.decisions
    ]
    assert len([d for d in whole.decisions if d.outcome == "send"]) == 7


def again(links: Links) -> Links:
    """As a host keeps them: each value by the type that `STORED` names."""
    assert links.handovers == []
    return Links(**{
        name: {
            key: msgspec.msgpack.decode(msgspec.msgpack.encode(value), type=kind)
            for key, value in getattr(links, name).items()
        }
        for name, kind in STORED.items()
    })  # fmt: skip


def test_a_late_fact_only_fills_what_is_missing() -> None:
    bank = bank_of(LOW)
    for fields in (
        {"at": DAY + "08:00:00", "type": "account", "account_id": "A1", "product": "savings"},
        {"at": DAY + "07:00:00", "type": "account", "account_id": "A1", "product": "current",
         "currency": "CNY"},
        spend(DAY + "09:00:00", 1, balance=5),
        spend(DAY + "08:30:00", 1, balance=7),
        held_by("10:00:00", "C1", "C2"),
    ):  # fmt: skip
        bank.host.accept(bank.event(fields))
    account = bank.record("C2").accounts["A1"]
    assert (account.product, account.currency, account.balance) == ("savings", "CNY", 5)


def test_a_repeated_snapshot_changes_nothing() -> None:
    bank = bank_of(LOW).take(spend(DAY + "09:00:00", 1, balance=800))
    links = bank.host.links
    event = bank.event(held_by("10:00:00", "C1", "C2"))
    links.resolve(event)
    ((customer_id, snapshot),) = links.take_handovers()
    for balance in (700, 600):
        bank.host._step(bank.record(customer_id), snapshot)
        bank.host.accept(bank.event(spend(DAY + "11:00:00", 1, balance=balance)))
    assert bank.record("C2").accounts["A1"].balance == 600
