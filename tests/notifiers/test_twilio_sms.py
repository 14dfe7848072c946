"""Twilio's answers, and what we make of them; the judge is what its fake accepted."""

import asyncio
import logging
from typing import Any

import msgspec
import pytest

from belfry.notifiers.dispatch import at_once
from belfry.notifiers.fakes.server import Play
from belfry.notifiers.fakes.twilio import FakeTwilio
from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    SettingMissing,
    Unknown,
)
from belfry.notifiers.providers.twilio_client import said_of
from belfry.notifiers.providers.twilio_sms import TwilioSms
from tests.notifiers.sample import ATTEMPT

ACCOUNT = {"account_sid": "AC1", "auth_token": "s3cret"}


def played(play: Play = Play.ACCEPT, *, to: str = ATTEMPT.address, text: str = "hello",
           ttl_s: float | None = None, message_class: str = "service",
           **settings: Any) -> tuple[Said, list[dict[str, Any]]]:  # fmt: skip
    """One send against a fake that plays: what was said, what was accepted."""

    async def story() -> tuple[Said, list[dict[str, Any]]]:
        fake = FakeTwilio()
        fake.play = play
        url = await fake.start()
        sms = TwilioSms(**{"service": "MG1", **ACCOUNT, "base_url": url, **settings})
        attempt = msgspec.structs.replace(ATTEMPT, address=to, message_class=message_class)
        try:
            return await sms.send(Message(attempt, text, ATTEMPT.at, ttl_s)), fake.accepted
        finally:
            await sms.close()
            await fake.stop()

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("to", "failure", "retry"),
    [
        ("+15005550001", Failure.INVALID_ADDRESS, Retry.NEVER),
        ("+15005550002", Failure.REFUSED, Retry.OTHER_PROVIDER),
        ("+15005550003", Failure.REFUSED, Retry.OTHER_PROVIDER),
        ("+15005550004", Failure.OPTED_OUT, Retry.NEVER),
        ("+15005550009", Failure.INVALID_ADDRESS, Retry.NEVER),
        ("+15550000429", Failure.RATE_LIMITED, Retry.SAME_PROVIDER),
        ("+15550000503", Failure.UNAVAILABLE, Retry.SAME_PROVIDER),
    ],
)
def test_a_number_that_twilio_refuses_is_rejected_for_its_reason(
    to: str, failure: Failure, retry: Retry
) -> None:
    said, accepted = played(to=to)
    assert isinstance(said, Rejected)
    assert (said.failure, said.retry) == (failure, retry)
    assert accepted == []


@pytest.mark.parametrize(
    "play", [Play.DROP_AFTER, Play.ERROR_AFTER, Play.HANG_AFTER, Play.NONSENSE, Play.DROP_BEFORE]
)
def test_what_may_have_been_taken_is_unknown_and_asked_once(play: Play) -> None:
    said, accepted = played(play, timeout_s="0.2")
    assert isinstance(said, Unknown)
    assert len(accepted) == (0 if play is Play.DROP_BEFORE else 1)


def test_a_slow_answer_within_the_timeout_is_an_answer() -> None:
    said, accepted = played(Play.SLOW)
    assert said == Accepted(provider_ref=accepted[0]["sid"])


def test_a_port_where_nobody_listens_is_surely_not_sent() -> None:
    said, _ = played(base_url="http://127.0.0.1:9")
    assert isinstance(said, Rejected)
    assert said.retry is Retry.SAME_PROVIDER


@pytest.mark.parametrize(
    ("ttl_s", "told"), [(None, None), (0.2, "1"), (90.9, "90"), (1e6, "36000")]
)
def test_twilio_is_told_how_long_it_may_try(ttl_s: float | None, told: str | None) -> None:
    _, accepted = played(ttl_s=ttl_s)
    assert accepted[0].get("ValidityPeriod") == told


@pytest.mark.parametrize(
    ("message_class", "service"), [("marketing", "MGm"), ("security", "MGs"), ("advice", "MG1")]
)
def test_each_class_goes_out_by_its_own_service(message_class: str, service: str) -> None:
    _, accepted = played(services="marketing=MGm; security=MGs", message_class=message_class)
    assert accepted[0]["MessagingServiceSid"] == service


def test_a_class_without_a_sender_is_not_sent_by_another_ones() -> None:
    said, accepted = played(services={"marketing": "MGm"}, service="", message_class="security")
    assert isinstance(said, Rejected)
    assert said.failure is Failure.NOT_CONFIGURED
    assert accepted == []


def test_a_text_that_twilio_never_takes_is_not_offered() -> None:
    said, accepted = played(text="x" * 1601)
    assert said == Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw="over 1600 characters")
    assert accepted == []


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (400, 99999, Rejected(Failure.REFUSED, Retry.NEVER, raw="400 99999")),
        (401, 20003, Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw="401 20003")),
        (429, None, Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER, raw="429")),
        (503, 503, Unknown(Failure.UNAVAILABLE, raw="503")),
        (500, 21211, Unknown(Failure.UNAVAILABLE, raw="500 21211")),
        (502, "sick", Unknown(Failure.UNAVAILABLE, raw="502")),
        (504, None, Unknown(Failure.TIMED_OUT, raw="504")),
        (408, None, Unknown(Failure.TIMED_OUT, raw="408")),
        (302, None, Rejected(Failure.UNAVAILABLE, Retry.OTHER_PROVIDER, raw="302")),
    ],
)
def test_an_unknown_code_is_judged_by_its_http_status(status: int, code: Any, said: Said) -> None:
    assert said_of(status, code) == said


@pytest.mark.parametrize("missing", ["account_sid", "auth_token", "service"])
def test_a_missing_setting_is_named_and_no_secret_is_shown(missing: str) -> None:
    given = {"service": "MG1", **ACCOUNT, missing: ""}
    with pytest.raises(SettingMissing, match=missing) as refused:
        TwilioSms(**given)
    assert "s3cret" not in str(refused.value)


def test_an_unused_provider_is_closed_without_a_loop() -> None:
    at_once(TwilioSms(service="MG1", **ACCOUNT).close())


def test_neither_phone_nor_text_is_logged_or_kept_in_an_answer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [played(play, text="balance 150", timeout_s=0.2)[0] for play in Play]
        answers += [played(to="+15005550001", text="balance 150")[0]]
    told = caplog.text + repr(answers)
    assert "13800" not in told
    assert "5005550001" not in told
    assert "balance 150" not in told
