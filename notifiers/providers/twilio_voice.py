"""Calls by Twilio. Nothing is said to a machine: the text is spoken after a digit was pressed.

In: an attempt and its text. Out: accepted with the call's sid, rejected, or unknown.
Invariant: what Twilio gets with the call is a greeting without a person's data. The text waits here
until the receipt of the digit (the message's `callback_url`) asks for it with `words_for`; a voice
mail hears the greeting at most. "completed" is not "heard": only a digit is.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from twilio.rest import Client
from twilio.twiml.voice_response import Gather, VoiceResponse

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
from belfry.notifiers.providers.twilio_client import TwilioApi

WAITING_MAX = 2_000  # texts of calls under way; Twilio starts one call a second by default
RING_S = 40
DIGIT_S = 8
VOICES = {"cs": "cs-CZ", "de": "de-DE", "en": "en-GB", "zh": "zh-CN"}
GREETINGS = {
    "cs": "Dobrý den, volá vaše banka. Zprávu si poslechnete stisknutím jedničky.",
    "de": "Guten Tag, hier ist Ihre Bank. Drücken Sie die Eins, um die Nachricht zu hören.",
    "en": "Hello, this is your bank. Press one to hear a message.",
    "zh": "您好，这里是您的银行。请按一收听通知。",
}


class TwilioVoice:
    """`from_number`: the caller. `greetings`: language → what replaces ours."""

    def __init__(
        self, *, from_number: str = "", greetings: dict[str, str] | None = None, **account: Any
    ) -> None:
        self.name = "twilio_voice"
        if not from_number:
            raise SettingMissing("from_number is required")
        self._from_number = from_number
        self._greetings = GREETINGS | (greetings or {})
        self._waiting: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self.api = TwilioApi(**account)

    async def send(self, message: Message) -> Said:
        if not message.callback_url:
            # Without it no digit comes back, and nothing could be said.
            return Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER, raw="public_url")
        attempt, url = message.attempt, message.callback_url
        self._wait(attempt.attempt_id, attempt.language, message.text)

        async def create(client: Client) -> Any:
            return await client.calls.create_async(
                to=attempt.address,
                from_=self._from_number,
                twiml=str(self._greeting(attempt.language, url)),
                machine_detection="Enable",
                timeout=RING_S,
                status_callback=url,
                status_callback_event=["completed"],
            )

        said = await self.api.said(create)
        match said:
            case Rejected():
                self._waiting.pop(attempt.attempt_id, None)
            case Accepted() | Unknown():
                pass
        return said

    def words_for(self, attempt_id: str) -> str:
        """TwiML for whoever pressed a digit; a call that is not known here is ended."""
        response = VoiceResponse()
        language, text = self._waiting.get(attempt_id, ("", ""))
        if text:
            response.say(text, language=_voice(language))
        response.hangup()
        return str(response)

    def _wait(self, attempt_id: str, language: str, text: str) -> None:
        self._waiting[attempt_id] = (language, text)
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popitem(last=False)

    def _greeting(self, language: str, url: str) -> VoiceResponse:
        words = self._greetings.get(_base(language), self._greetings["en"])
        response = VoiceResponse()
        gather = Gather(num_digits=1, timeout=DIGIT_S, action=url, method="POST")
        gather.say(words, language=_voice(language if _base(language) in self._greetings else "en"))
        response.append(gather)
        response.hangup()
        return response

    async def close(self) -> None:
        self._waiting.clear()
        await self.api.close()


def _base(language: str) -> str:
    return language.replace("_", "-").partition("-")[0].lower()


def _voice(language: str) -> str:
    return VOICES.get(_base(language), language)
