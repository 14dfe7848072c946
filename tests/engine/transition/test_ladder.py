"""The life of a message: its rungs, its pauses, and answers that come late."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bank import program_of
from posts import BOOK, SPENT, Posts

DAY = "2026-03-02T"


def rule(message_class: str = "service", channels: str = "push, sms, email", more: str = "") -> str:
    return (
        "rule: told\nevent: transaction\n"
        f"notify: {{class: {message_class}, template: t, channels: [{channels}]{more}}}\n"
    )


LADDER = ", until: delivered, within: 10m"


def posts(*args: Any, at: str = DAY + "12:00:00", extra: str = "", **named: Any) -> Posts:
    return Posts(program_of(rule(*args, **named) + extra, policies=BOOK), at)


def test_without_its_receipt_in_time_a_message_goes_to_the_next_channel() -> None:
    bank = posts(more=LADDER).answer(DAY + "12:00:01", "accepted")
    assert bank.until(DAY + "12:10:00").calls == ["push/gamma"]
    assert bank.until(DAY + "12:10:01").calls == ["push/gamma", "sms/alpha"]
    bank.answer(DAY + "12:10:02", "accepted")
    assert bank.until(DAY + "12:20:02").calls[-1] == "email/delta"
    bank.answer(DAY + "12:20:03", "accepted")
    assert not bank.is_settled
    assert bank.until(DAY + "12:30:03").is_settled
    assert [one.reason for one in bank.decisions] == ["sent"]  # it went out: no second record


def test_the_receipt_that_a_rule_waits_for_ends_the_ladder() -> None:
    bank = posts(more=LADDER).answer(DAY + "12:00:01", "accepted")
    assert bank.receipt(DAY + "12:05:00", "delivered").is_settled
    assert bank.until(DAY + "13:00:00").calls == ["push/gamma"]


def test_delivered_is_not_read() -> None:
    bank = posts(more=LADDER.replace("delivered", "read")).answer(DAY + "12:00:01", "accepted")
    bank.receipt(DAY + "12:05:00", "delivered").until(DAY + "12:10:01")
    assert bank.calls == ["push/gamma", "sms/alpha"]
    assert bank.receipt(DAY + "12:11:00", "read", number=0).is_settled  # of the earlier rung


def test_a_failed_receipt_climbs_at_once_and_comes_after_delivered_as_no_news() -> None:
    bank = posts(more=LADDER.replace("delivered", "read")).answer(DAY + "12:00:01", "accepted")
    assert bank.receipt(DAY + "12:01:00", "failed").calls == ["push/gamma", "sms/alpha"]
    bank.answer(DAY + "12:01:01", "accepted").receipt(DAY + "12:02:00", "delivered")
    assert bank.receipt(DAY + "12:03:00", "failed").calls == ["push/gamma", "sms/alpha"]


def test_a_message_that_failed_on_every_channel_says_so() -> None:
    bank = posts(channels="push, email", more=LADDER)
    for minute in ("01", "02"):
        bank.answer(f"{DAY}12:{minute}:00", "accepted").receipt(f"{DAY}12:{minute}:30", "failed")
    assert bank.is_settled
    assert bank.told()[-1][2:] == ("suppress", "provider_rejected")


def test_a_rung_in_quiet_hours_waits_for_the_morning() -> None:
    bank = posts(channels="push, sms", more=LADDER, at=DAY + "20:55:00")
    bank.answer(DAY + "20:55:01", "accepted").until(DAY + "23:00:00")
    assert bank.calls == ["push/gamma"]
    assert bank.told()[-1][2:] == ("hold", "quiet_hold")
    assert bank.until("2026-03-03T08:00:00").calls == ["push/gamma", "sms/alpha"]


def test_a_receipt_for_the_rung_below_calls_off_the_one_that_waits() -> None:
    bank = posts(channels="push, sms", more=LADDER, at=DAY + "20:55:00")
    bank.answer(DAY + "20:55:01", "accepted").until(DAY + "23:00:00")
    assert bank.receipt(DAY + "23:30:00", "delivered").is_settled
    assert bank.until("2026-03-03T09:00:00").calls == ["push/gamma"]


def test_a_rung_without_consent_is_left_out() -> None:
    bank = posts(more=LADDER).answer(DAY + "12:00:01", "accepted")
    bank.take({"type": "consent", "customer_id": "C1", "purpose": "service", "channel": "sms",
               "given": False, "at": DAY + "12:05:00"})  # fmt: skip
    assert bank.until(DAY + "12:11:00").calls == ["push/gamma", "email/delta"]


def capped(*caps: str) -> Posts:
    """Two channels; the first message was accepted by SMS, and again by email ten minutes later."""
    policies = BOOK + "caps:\n" + "".join(f"- {{{cap}}}\n" for cap in caps)
    program = program_of(rule(channels="sms, email", more=LADDER), policies=policies)
    bank = Posts(program).answer(DAY + "12:00:03", "accepted").until(DAY + "12:10:03")
    assert bank.answer(DAY + "12:10:04", "accepted").calls == ["sms/alpha", "email/delta"]
    return bank


def test_a_message_that_climbed_keeps_its_place_on_the_channel_below() -> None:
    bank = capped("name: sms_day, channels: [sms], limit: 1, window: calendar_day")
    bank.take({**SPENT, "at": DAY + "12:30:00"}).until(DAY + "12:30:02")
    assert bank.calls[2:] == ["email/delta"]


def test_a_message_on_two_channels_is_one_message() -> None:
    bank = capped("name: day, classes: [service], limit: 2, window: calendar_day")
    for hour in ("13", "14"):
        bank.take({**SPENT, "at": f"{DAY}{hour}:00:00"}).until(f"{DAY}{hour}:00:02")
    assert bank.calls[2:] == ["sms/alpha"]
    assert bank.told()[-1][2:] == ("suppress", "cap_day")


def test_a_channel_that_an_edit_took_from_the_rule_is_not_used_any_more() -> None:
    bank = posts(channels="push, email").answer(DAY + "12:00:03", "rejected", "same_provider")
    bank.switch(program_of(rule(channels="sms, email"), policies=BOOK), DAY + "12:00:03")
    assert bank.until(DAY + "12:00:10").calls == ["push/gamma", "sms/alpha"]


def test_a_rung_is_left_out_once_the_transaction_was_reversed() -> None:
    bank = posts(more=LADDER).answer(DAY + "12:00:01", "accepted")
    cause = next(e.id for e in bank.taken if type(e).__name__ == "Transaction")
    bank.take({**SPENT, "at": DAY + "12:05:00", "amount": 50, "reverses": cause})
    assert bank.until(DAY + "12:10:01").calls == ["push/gamma"] * 2  # the reversal's own message


def test_the_goal_of_the_rule_is_what_acted_means() -> None:
    goal = "goal: {event: login, within: 1d}\n"
    bank = posts(more=LADDER.replace("delivered", "acted"), extra=goal)
    bank.answer(DAY + "12:00:01", "accepted").receipt(DAY + "12:01:00", "read")
    assert not bank.is_settled
    bank.take({"type": "login", "customer_id": "C1", "outcome": "success", "at": DAY + "12:05:00"})
    assert bank.until(DAY + "13:00:00").calls == ["push/gamma"]
    assert bank.is_settled


def test_what_is_no_longer_true_climbs_no_further() -> None:
    text = rule(more=LADDER).replace("event: transaction\n", "by: account\nwhen: balance < 500\n")
    bank = Posts(program_of(text.replace("balance", "account.balance"), policies=BOOK))
    bank.take({**SPENT, "at": DAY + "12:01:00", "balance": 400}).until(DAY + "12:01:00")
    bank.answer(DAY + "12:01:01", "accepted")
    bank.take({**SPENT, "at": DAY + "12:05:00", "balance": 900})
    assert bank.until(DAY + "13:00:00").calls == ["push/gamma"]
    assert bank.is_settled


def test_a_refusal_for_good_goes_on_to_the_next_channel() -> None:
    bank = posts().answer(DAY + "12:00:01", "rejected", "never")
    assert bank.calls == ["push/gamma", "sms/alpha"]
    bank.answer(DAY + "12:00:02", "rejected", "other_provider")
    bank.answer(DAY + "12:00:03", "rejected", "other_provider")
    assert bank.calls == ["push/gamma", "sms/alpha", "sms/beta", "email/delta"]
    assert bank.answer(DAY + "12:00:04", "rejected", "never").is_settled
    assert bank.told()[-1][2:] == ("suppress", "provider_rejected")


def test_the_same_provider_is_asked_again_only_after_a_pause_that_grows() -> None:
    bank = posts("service", "push")
    pauses = []
    for _ in range(7):
        called = bank.attempts[-1].at
        text = called.astimezone(dt.UTC).isoformat()
        count = len(bank.answer(text, "rejected", "same_provider").calls)
        bank.until((called + dt.timedelta(minutes=15)).isoformat())
        assert len(bank.calls) == count + 1
        pauses.append((bank.attempts[-1].at - called).total_seconds())
    assert all(0 < pause <= 4 * 2**n for n, pause in enumerate(pauses)), pauses
    assert max(pauses) > 16
    last = bank.attempts[-1].at.isoformat()
    assert bank.answer(last, "rejected", "same_provider").is_settled
    assert bank.told()[-1][2:] == ("suppress", "provider_exhausted")


def test_a_pause_never_ends_after_the_message_expired() -> None:
    bank = posts("service", "push", more=", expires: 3s")
    bank.answer(DAY + "12:00:02.999999", "rejected", "same_provider")
    assert bank.is_settled
    assert bank.told()[-1][2:] == ("suppress", "provider_exhausted")


def test_an_acceptance_after_the_time_out_calls_off_the_retry() -> None:
    bank = posts("security", "push").answer(DAY + "12:00:10", "unknown")
    assert not bank.is_settled
    assert bank.answer(DAY + "12:00:10", "accepted").is_settled
    assert bank.until(DAY + "13:00:00").calls == ["push/gamma"]
    assert bank.unsure == []


def test_a_late_receipt_of_an_earlier_attempt_settles_the_message() -> None:
    bank = posts("security", "sms").answer(DAY + "12:00:10", "unknown")
    assert bank.calls == ["sms/alpha", "sms/beta"]
    bank.answer(DAY + "12:00:20", "unknown")  # now it waits
    assert bank.receipt(DAY + "12:00:20", "delivered", number=0).is_settled
    assert bank.until(DAY + "13:00:00").calls == ["sms/alpha", "sms/beta"]


def test_an_answer_told_twice_changes_nothing() -> None:
    bank = posts("security", more=LADDER).answer(DAY + "12:00:01", "accepted")
    bank.until(DAY + "12:10:01").answer(DAY + "12:10:02", "accepted", number=0)
    bank.answer(DAY + "12:10:03", "rejected", number=0)
    assert bank.calls == ["push/gamma", "sms/alpha"]
    assert not bank.is_settled


def test_an_answer_after_its_receipt_takes_nothing_back() -> None:
    bank = posts(more=LADDER.replace("delivered", "read")).receipt(DAY + "12:00:03", "delivered")
    bank.answer(DAY + "12:00:04", "accepted").receipt(DAY + "12:00:05", "failed")
    assert bank.calls == ["push/gamma"]
    assert bank.until(DAY + "12:10:02").calls == ["push/gamma"]
    assert bank.until(DAY + "12:10:03").calls == ["push/gamma", "sms/alpha"]


def test_after_a_late_acceptance_only_the_ladder_goes_on() -> None:
    bank = posts("security", "push, sms", more=LADDER).answer(DAY + "12:00:10", "rejected")
    bank.answer(DAY + "12:00:11", "rejected", "other_provider")
    bank.answer(DAY + "12:00:20", "unknown")  # of sms/beta; it waits
    bank.answer(DAY + "12:00:20", "accepted")
    timers = [name.split("\x1f")[0] for name in bank.record().timers]
    assert timers == ["ladder"]
    assert bank.until(DAY + "12:10:20").is_settled
    assert bank.calls == ["push/gamma", "sms/alpha", "sms/beta"]


def test_who_left_the_account_hears_no_further_rung() -> None:
    bank = posts(more=LADDER).answer(DAY + "12:00:01", "accepted")
    bank.take({"type": "account", "account_id": "A1", "at": DAY + "12:05:00",
               "holders": [{"customer_id": "C2", "role": "owner"}]})  # fmt: skip
    assert bank.until(DAY + "13:00:00").calls == ["push/gamma"]
    assert bank.is_settled


def test_no_message_is_tried_more_than_eight_times() -> None:
    bank = posts("security", "push")
    for _ in range(8):
        bank.answer(bank.attempts[-1].at.isoformat(), "unknown").until(DAY + "13:00:00")
    assert len(bank.calls) == 8
    assert bank.told()[-1][2:] == ("suppress", "no_answer")
    words = [word for word, _ in bank.unsure]
    assert (words.count("possibly_duplicated"), words.count("possibly_lost")) == (7, 1)
