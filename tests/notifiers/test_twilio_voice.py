"""Calls: who hears what. A machine hears no balance, and "completed" is not "heard"."""

import asyncio
from typing import Any

import msgspec

from belfry.notifiers.fakes.server import Play
from belfry.notifiers.fakes.twilio import FakeTwilio
from belfry.notifiers.provider import Accepted, Failure, Message, Rejected, Retry, Said, Unknown
from belfry.notifiers.providers.twilio_voice import TwilioVoice
from tests.notifiers.sample import ATTEMPT

URL = "http://127.0.0.1:9/v1/callbacks/twilio/C1/a-1"


def called(play: Play = Play.ACCEPT, *, text: str = "Balance is 150", language: str = "en",
           url: str | None = URL) -> tuple[Said, list[dict[str, Any]], str]:  # fmt: skip
    """One call: the answer, what the fake took, and the TwiML for whoever presses a digit."""

    async def story() -> tuple[Said, list[dict[str, Any]], str]:
        fake = FakeTwilio()
        fake.play = play
        base_url = await fake.start()
        voice = TwilioVoice(
            account_sid="AC1", auth_token="s3cret", from_number="+15005550006",
            base_url=base_url, timeout_s=0.2,
        )  # fmt: skip
        attempt = msgspec.structs.replace(ATTEMPT, language=language)
        try:
            said = await voice.send(Message(attempt, text, ATTEMPT.at, 60.0, url))
            return said, fake.accepted, voice.words_for("a-1")
        finally:
            await voice.close()
            await fake.stop()

    return asyncio.run(story())


def test_what_a_machine_could_hear_holds_nothing_of_the_message() -> None:
    said, accepted, words = called()
    assert isinstance(said, Accepted)
    assert "150" not in accepted[0]["Twiml"]
    assert accepted[0]["MachineDetection"] == "Enable"
    assert "Balance is 150" in words


def test_the_digit_comes_back_to_the_attempt() -> None:
    _, accepted, _ = called()
    assert f'action="{URL}"' in accepted[0]["Twiml"]
    assert 'numDigits="1"' in accepted[0]["Twiml"]
    assert accepted[0]["StatusCallback"] == URL


def test_greeting_and_text_are_spoken_in_the_customers_language() -> None:
    _, accepted, words = called(language="zh-Hans", text="余额不足")
    assert 'language="zh-CN"' in accepted[0]["Twiml"]
    assert "银行" in accepted[0]["Twiml"]
    assert '<Say language="zh-CN">余额不足</Say>' in words


def test_an_unknown_language_is_greeted_in_english_by_an_english_voice() -> None:
    _, accepted, _ = called(language="hu")
    assert '<Say language="en-GB">Hello' in accepted[0]["Twiml"]


def test_a_text_cannot_give_orders_to_the_telephone_exchange() -> None:
    _, _, words = called(text="<Dial>+1900</Dial>")
    assert "<Dial>" not in words


def test_without_a_public_url_nobody_is_called() -> None:
    said, accepted, _ = called(url=None)
    assert said == Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw="public_url")
    assert accepted == []


def test_a_call_whose_answer_was_lost_still_has_its_words() -> None:
    said, _, words = called(Play.DROP_AFTER)
    assert isinstance(said, Unknown)
    assert "150" in words


def test_a_refused_call_leaves_no_words() -> None:
    said, _, words = called(Play.BUSY)
    assert isinstance(said, Rejected)
    assert "Say" not in words
