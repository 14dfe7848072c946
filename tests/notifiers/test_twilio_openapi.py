"""Our requests against Twilio's own OpenAPI description, so that not only our fake believes us."""

import asyncio
import json
import re
from pathlib import Path

import pytest

from belfry.notifiers.fakes.twilio import FakeTwilio
from belfry.notifiers.provider import Message
from belfry.notifiers.providers.twilio_sms import TwilioSms
from belfry.notifiers.providers.twilio_voice import TwilioVoice
from tests.notifiers.sample import ATTEMPT

DESCRIPTION = json.loads((Path(__file__).parent / "twilio_create.json").read_text())
SERVICE = "MG" + "0" * 32
ACCOUNT = {"account_sid": "AC" + "0" * 32, "auth_token": "s3cret"}
URL = "https://alerts.bank.example/v1/callbacks/twilio/C1/a-1"


def faults(kind, form):
    """What Twilio's description does not allow."""
    rules = DESCRIPTION[kind]
    found = [f"{name} is missing" for name in rules["required"] if name not in form]
    for name, value in form.items():
        rule = rules["properties"].get(name)
        if rule is None:
            found.append(f"{name} is no parameter")
        elif rule.get("type") == "integer" and not value.isdecimal():
            found.append(f"{name} is no whole number")
        elif "enum" in rule and value not in rule["enum"]:
            found.append(f"{name} is not in its list")
        elif not re.search(rule.get("pattern", ""), value):
            found.append(f"{name} has another pattern")
    return found


def requested(made):
    async def story():
        fake = FakeTwilio()
        provider = made(await fake.start())
        try:
            await provider.send(Message(ATTEMPT, "hello", ATTEMPT.at, 60.0, URL))
        finally:
            await provider.close()
            await fake.stop()
        return {k: v for k, v in fake.accepted[0].items() if k not in {"sid", "kind"}}

    return asyncio.run(story())


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        ("Messages", lambda url: TwilioSms(**ACCOUNT, service=SERVICE, base_url=url)),
        ("Messages", lambda url: TwilioSms(**ACCOUNT, from_number="+15005550006", base_url=url)),
        ("Calls", lambda url: TwilioVoice(**ACCOUNT, from_number="+15005550006", base_url=url)),
    ],
)
def test_what_we_ask_is_what_twilio_describes(kind, made) -> None:
    assert faults(kind, requested(made)) == []


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({}, "To is missing"),
        ({"To": "+1", "Boddy": "x"}, "Boddy is no parameter"),
        ({"To": "+1", "ValidityPeriod": "1.5"}, "ValidityPeriod is no whole number"),
        ({"To": "+1", "ContentRetention": "keep"}, "ContentRetention is not in its list"),
        ({"To": "+1", "MessagingServiceSid": "XX1"}, "MessagingServiceSid has another pattern"),
    ],
)
def test_the_check_can_fail(form, fault) -> None:
    assert fault in faults("Messages", form)
