"""Between two attempts the world may have changed: a retry is asked again like anything held."""

import datetime as dt

import msgspec
import pytest
from bank import Bank, facts, program_of

from belfry.engine.events import Answer

POLICIES = """
bank: {time_zone: Asia/Shanghai, language: zh, currency: CNY, country: CN}
quiet_hours:
- {classes: [service, advice, marketing], from: "21:00", to: "08:00", channels: [sms]}
channels:
  sms: {contact: mobile, providers: [alpha, beta]}
"""
PROGRAM = program_of(
    """
rule: told
event: transaction
when: amount > 100
notify: {class: service, template: t, channels: [sms], expires: 21h}
""",
    policies=POLICIES,
)
SPENT = {"type": "transaction", "account_id": "A1", "amount": 200, "direction": "debit"}


@pytest.fixture
def bank():
    found = Bank(PROGRAM).take(*facts())
    found.answers[""] = "none"
    found.host.deliver = found.attempts.append  # nobody answers yet
    found.take({**SPENT, "at": "2026-03-02T12:00:00"})
    return found.until("2026-03-02T12:01:00")


def refuse(bank, at, number=-1):
    """The provider of the last attempt refuses; another one may be tried."""
    attempt = bank.attempts[number]
    answer = Answer(
        id="a", time=msgspec.convert(f"{at}+08:00", type=dt.datetime),
        attempt_id=attempt.attempt_id, customer_id="C1", result="rejected",
        retry="other_provider", provider=attempt.provider,
    )  # fmt: skip
    bank.host._step(bank.record(), answer)


def test_a_retry_goes_to_the_number_of_today(bank):
    bank.take({"type": "contact", "customer_id": "C1", "kind": "mobile", "verified": True,
               "primary": True, "address": "+8613900139000",
               "at": "2026-03-02T12:02:00"})  # fmt: skip
    refuse(bank, "2026-03-02T12:03:00")
    assert [one.provider for one in bank.attempts] == ["alpha", "beta"]
    assert bank.attempts[-1].address == "+8613900139000"


def test_a_retry_after_a_withdrawal_does_not_happen(bank):
    bank.take({"type": "consent", "customer_id": "C1", "purpose": "service", "given": False,
               "at": "2026-03-02T12:02:00"})  # fmt: skip
    refuse(bank, "2026-03-02T12:03:00")
    assert len(bank.attempts) == 1
    assert bank.told()[-1][2:] == ("suppress", "opted_out")


def test_a_retry_at_night_waits_for_the_morning(bank):
    refuse(bank, "2026-03-02T22:00:00")
    assert len(bank.attempts) == 1
    assert bank.told()[-1][2:] == ("hold", "quiet_hold")
    bank.until("2026-03-03T07:59:00")
    assert len(bank.attempts) == 1
    bank.until("2026-03-03T08:00:00")
    assert len(bank.attempts) == 2
    refuse(bank, "2026-03-03T08:00:05", number=0)  # told twice: it was answered before
    assert len(bank.attempts) == 2


def test_a_retry_that_would_come_too_late_ends_with_its_reason(bank):
    refuse(bank, "2026-03-03T09:00:00")
    assert bank.told()[-1][2:] == ("suppress", "expired")
    assert not bank.record().outgoing


CAPPED = program_of(
    """
rule: told
event: transaction
when: amount > 100
notify: {class: service, template: t, channels: [sms], expires: 3d}
""",
    policies=POLICIES + "caps:\n- {name: day, classes: [service], limit: 1, window: 24h}\n",
)


@pytest.fixture
def capped():
    found = Bank(CAPPED).take(*facts())
    found.answers[""] = "none"
    found.host.deliver = found.attempts.append
    found.take({**SPENT, "at": "2026-03-02T20:50:00"})
    found.until("2026-03-02T20:51:00")
    refuse(found, "2026-03-02T21:30:00")  # night: the retry waits for 08:00
    return found.until("2026-03-03T09:00:00")


def test_a_message_does_not_stand_in_its_own_way_under_a_cap(capped):
    assert [str(one.at)[:16] for one in capped.attempts] == ["2026-03-02 12:50", "2026-03-03 00:00"]


def test_a_retry_takes_its_place_under_a_cap_when_it_goes_out(capped):
    capped.take({**SPENT, "at": "2026-03-03T20:55:00"})
    capped.until("2026-03-03T20:56:00")  # 24 hours after the first attempt, not after the second
    assert capped.told()[-1][2:] == ("suppress", "cap_day")
