"""What must hold whatever the events: determinism, order, no message where it may not go.

`test_ablations.py` takes one safeguard away at a time and asks these checks to notice.
"""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from bank import Bank, facts, program_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from belfry.engine.decisions import Decision
from belfry.engine.program import Program
from belfry.engine.record_codec import RecordCodec

SHANGHAI = ZoneInfo("Asia/Shanghai")
RULES = (
    """
rule: low
by: account
when: account.balance < 500
until: account.balance >= 600
repeat: 5h
limit: 4
notify: {class: service, template: t, channels: [sms, push], expires: 6h}
""",
    """
rule: offer
event: transaction
when: amount > 100
notify: {class: marketing, template: t, channels: [sms, push], expires: 1d}
""",
    """
rule: often
event: transaction
when: features.seen >= 3
notify: {class: security, template: t, channels: [push]}
""",
    """
rule: evening
timer: {daily: "20:30"}
when: features.seen > 0
notify: {class: advice, template: t, channels: [sms]}
""",
)
SHARED = "features:\n  seen: {count: transaction, window: 1d}\n"
PROGRAM = program_of(*RULES, shared=SHARED)
START = dt.datetime(2026, 3, 2, tzinfo=SHANGHAI)
CHECKED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)


@st.composite
def happenings(draw: Any, customer: str = "C1", account: str = "A1") -> list[dict[str, Any]]:
    """Transactions, consents and a lost phone over a few days, in order of time, some repeated."""
    minutes = sorted(draw(st.lists(st.integers(0, 5 * 1440), min_size=1, max_size=25)))
    found: list[dict[str, Any]] = []
    for number, minute in enumerate(minutes):
        at = (START + dt.timedelta(minutes=minute)).isoformat()
        base = {"at": at, "id": f"{customer}-{number}"}
        kind = draw(st.integers(0, 9))
        if kind < 7:
            found.append({
                **base, "type": "transaction", "account_id": account, "direction": "debit",
                "amount": draw(st.integers(1, 300)), "balance": draw(st.integers(0, 1200)),
            })  # fmt: skip
        elif kind == 7:
            purpose = draw(st.sampled_from(["service", "advice", "marketing"]))
            found.append({**base, "type": "consent", "customer_id": customer, "purpose": purpose,
                          "given": draw(st.booleans())})  # fmt: skip
        elif kind == 8:
            found.append({**base, "type": "contact", "customer_id": customer, "kind": "mobile",
                          "address": "+8613800138000",
                          "suppressed": draw(st.booleans())})  # fmt: skip
        else:
            found.append(dict(draw(st.sampled_from(found))) if found else
                         {**base, "type": "login", "customer_id": customer})  # fmt: skip
    found.sort(key=lambda one: one["at"])
    return found


def run(program: Program, *streams: list[dict[str, Any]]) -> Bank:
    bank = Bank(program).take(*facts("C1"), *facts("C2", "A2"))
    for stream in streams:
        bank.take(*stream)
    return bank.until("2026-03-09T12:00:00")


def lines(decisions: list[Decision]) -> list[bytes]:
    return [msgspec.json.encode(one) for one in decisions]


def faults(bank: Bank) -> list[str]:
    """What went out that may not have, reckoned from the decisions alone."""
    found = []
    seen: set[str] = set()
    marketing: list[dt.datetime] = []
    sms: dict[dt.date, int] = {}
    for one in bank.decisions:
        if one.id in seen:
            found.append(f"decided twice: {one.rule} {one.occurrence}")
        seen.add(one.id)
        if one.outcome != "send":
            continue
        assert one.send_at is not None
        at = one.send_at.astimezone(SHANGHAI)
        if one.channel == "sms":
            sms[at.date()] = sms.get(at.date(), 0) + 1
            if one.message_class != "security" and not 8 <= at.hour < 21:
                found.append(f"in quiet hours: {at}")
        if one.message_class == "marketing":
            marketing.append(at)
    found += ["cap of a week"] * sum(
        later - earlier < dt.timedelta(days=7) for earlier, later in itertools.pairwise(marketing)
    )
    found += ["cap of a day"] * sum(count > 2 for count in sms.values())
    return found


def consent_faults(bank: Bank, stream: list[dict[str, Any]]) -> list[str]:
    """Marketing and advice only while the last word was yes."""
    found = []
    for one in bank.decisions:
        if one.outcome != "send" or one.message_class not in ("marketing", "advice"):
            continue
        words = [
            event["given"]
            for event in stream
            if event["type"] == "consent"
            and event["purpose"] == one.message_class
            and one.send_at is not None
            and dt.datetime.fromisoformat(event["at"]) < one.send_at
        ]
        if words and not words[-1]:
            found.append(f"without consent: {one.rule} {one.send_at}")
    return found


@CHECKED
@given(happenings())
def test_nothing_goes_out_against_consent_caps_quiet_hours_or_twice(
    stream: list[dict[str, Any]],
) -> None:
    bank = run(PROGRAM, stream)
    assert faults(bank) == []
    assert consent_faults(bank, stream) == []


@CHECKED
@given(happenings())
def test_nothing_goes_out_after_it_expired(stream: list[dict[str, Any]]) -> None:
    bank = run(PROGRAM, stream)
    first: dict[str, dt.datetime] = {}
    for one in bank.decisions:
        if one.message_id is None:
            continue
        begun = first.setdefault(one.message_id, one.at)
        notify = PROGRAM.book.rules[one.rule].notify
        if one.outcome == "send" and notify is not None and notify.expires is not None:
            assert one.send_at is not None
            assert one.send_at < begun + notify.expires


@CHECKED
@given(happenings(), st.integers(0, 25))
def test_any_split_of_the_log_gives_the_same_decisions(
    stream: list[dict[str, Any]], cut: int
) -> None:
    whole = run(PROGRAM, stream)
    split = Bank(PROGRAM).take(*facts("C1"), *facts("C2", "A2")).take(*stream[:cut])
    codec = RecordCodec(PROGRAM.book)
    for name, record in split.host.records.items():
        split.host.records[name] = codec.decode(codec.encode(record))
    split.take(*stream[cut:]).until("2026-03-09T12:00:00")
    assert lines(split.decisions) == lines(whole.decisions)


@CHECKED
@given(happenings("C1", "A1"), happenings("C2", "A2"))
def test_the_order_of_two_customers_events_is_irrelevant(
    one: list[dict[str, Any]], other: list[dict[str, Any]]
) -> None:
    def merged(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> list[bytes]:
        both = sorted([*first, *second], key=lambda event: event["at"])
        return sorted(lines(run(PROGRAM, both).decisions))

    assert merged(one, other) == merged(other, one)


@CHECKED
@given(happenings())
def test_a_log_told_twice_is_told_once(stream: list[dict[str, Any]]) -> None:
    twice = [event for event in stream for _ in (1, 2)]
    assert lines(run(PROGRAM, twice).decisions) == lines(run(PROGRAM, stream).decisions)
