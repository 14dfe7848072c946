"""Aliyun's words, and what we make of them; the fake checks the signature by its own reckoning."""

import asyncio
import json
import logging
from typing import Any

import msgspec
import pytest

from belfry.notifiers.fakes.aliyun import FakeAliyun
from belfry.notifiers.fakes.server import Play
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
from belfry.notifiers.providers.aliyun_sms import AliyunSms, said_of
from tests.notifiers.sample import ATTEMPT

TEMPLATES = {
    "low_balance": {"code": "SMS_1", "params": {"name": "{{ customer.name }}"}},
    "low_balance.zh": {"code": "SMS_2", "params": {"all": "{{ text }}"}},
}
ACCOUNT = {
    "access_key_id": "LTAI", "access_key_secret": "s3cret", "sign_name": "银行 & Co",
    "templates": TEMPLATES,
}  # fmt: skip


def played(play: Play = Play.ACCEPT, *, times: int = 1, settings: dict[str, Any] | None = None,
           **changes: Any) -> tuple[list[Said], list[dict[str, Any]]]:  # fmt: skip
    """The same attempt, `times` times."""

    async def story() -> tuple[list[Said], list[dict[str, Any]]]:
        fake = FakeAliyun(secret="s3cret")
        fake.play = play
        url = await fake.start()
        sms = AliyunSms(**{**ACCOUNT, "base_url": url, "timeout_s": "0.2", **(settings or {})})
        attempt = msgspec.structs.replace(ATTEMPT, **changes)
        try:
            message = Message(attempt, "余额 ¥150*~", ATTEMPT.at)
            return [await sms.send(message) for _ in range(times)], fake.accepted
        finally:
            await sms.close()
            await fake.stop()

    return asyncio.run(story())


def test_a_signed_request_is_taken_with_the_attempts_id_and_the_languages_template() -> None:
    said, accepted = played()
    assert said == [Accepted(provider_ref=accepted[0]["sid"])]
    assert accepted[0]["OutId"] == "a-1"
    assert accepted[0]["TemplateCode"] == "SMS_2"
    assert json.loads(accepted[0]["TemplateParam"]) == {"all": "余额 ¥150*~"}


def test_parameters_are_made_of_the_messages_values() -> None:
    _, accepted = played(language="en", values={"customer": {"name": "Novak"}})
    assert accepted[0]["TemplateCode"] == "SMS_1"
    assert json.loads(accepted[0]["TemplateParam"]) == {"name": "Novak"}


def test_a_missing_value_sends_nothing() -> None:
    said, accepted = played(language="en")
    assert isinstance(said[0], Rejected)
    assert said[0].failure is Failure.UNRENDERABLE
    assert accepted == []


def test_a_template_that_aliyun_does_not_have_is_for_another_provider() -> None:
    said, _ = played(template="other")
    assert said == [Rejected(Failure.NO_TEMPLATE, Retry.OTHER_PROVIDER, raw="other")]


def test_a_wrong_secret_is_a_setting_to_mend() -> None:
    said, accepted = played(settings={"access_key_secret": "another"})
    assert isinstance(said[0], Rejected)
    assert said[0].failure is Failure.NOT_CONFIGURED
    assert accepted == []


def test_one_attempt_is_never_taken_twice() -> None:
    said, accepted = played(times=2)
    assert isinstance(said[1], Unknown)
    assert len(accepted) == 1


@pytest.mark.parametrize(
    ("to", "failure", "retry"),
    [
        ("0001", Failure.INVALID_ADDRESS, Retry.NEVER),
        ("0002", Failure.RATE_LIMITED, Retry.OTHER_PROVIDER),
        ("0003", Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER),
        ("0005", Failure.REFUSED, Retry.NEVER),
    ],
)
def test_a_refusal_has_its_reason(to: str, failure: Failure, retry: Retry) -> None:
    said, accepted = played(address=f"+8615500000{to}")
    assert isinstance(said[0], Rejected)
    assert (said[0].failure, said[0].retry) == (failure, retry)
    assert accepted == []


@pytest.mark.parametrize(
    "play", [Play.DROP_AFTER, Play.ERROR_AFTER, Play.HANG_AFTER, Play.NONSENSE]
)
def test_what_may_have_been_taken_is_unknown(play: Play) -> None:
    said, accepted = played(play)
    assert isinstance(said[0], Unknown)
    assert len(accepted) == 1


@pytest.mark.parametrize("play", [Play.BUSY, Play.LIMIT])
def test_not_now_is_for_later(play: Play) -> None:
    said, accepted = played(play)
    assert isinstance(said[0], Rejected)
    assert said[0].retry is Retry.SAME_PROVIDER
    assert accepted == []


@pytest.mark.parametrize(
    ("status", "word", "said"),
    [
        (200, "isp.SYSTEM_ERROR", Unknown(Failure.UNAVAILABLE, raw="200 isp.SYSTEM_ERROR")),
        (200, "Brand.New", Unknown(Failure.UNAVAILABLE, raw="200 Brand.New")),
        (400, "Brand.New", Rejected(Failure.REFUSED, Retry.NEVER, raw="400 Brand.New")),
        (200, "13800138000", Unknown(Failure.UNAVAILABLE, raw="200")),
        (502, "", Unknown(Failure.UNAVAILABLE, raw="502")),
    ],
)
def test_an_unknown_word_is_kept_and_judged_by_the_status(
    status: int, word: str, said: Said
) -> None:
    assert said_of(status, word, None) == said


@pytest.mark.parametrize("missing", [*ACCOUNT])
def test_a_missing_setting_is_named_and_no_secret_is_shown(missing: str) -> None:
    with pytest.raises(SettingMissing, match=missing) as refused:
        AliyunSms(**{**ACCOUNT, missing: ""})
    assert "s3cret" not in str(refused.value)


def test_neither_phone_nor_text_is_logged_or_kept(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        answers = [played(play)[0] for play in Play]
    assert "13800" not in caplog.text + repr(answers)
    assert "150" not in caplog.text + repr(answers)
