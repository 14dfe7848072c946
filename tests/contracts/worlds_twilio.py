"""The worlds of SMS and calls: the provider and its fake in one loop."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worlds import World

from belfry.notifiers.fakes.aliyun import FakeAliyun
from belfry.notifiers.fakes.twilio import FakeTwilio
from belfry.notifiers.provider import open_provider


def twilio_sms_world(folder: Path) -> World:
    fake = FakeTwilio()
    account = {"account_sid": "AC1", "auth_token": "s3cret", "service": "MG1"}
    return world_of("twilio_sms", fake, lambda one: str(one["Body"]), **account)


def twilio_voice_world(folder: Path) -> World:
    """What would be said to whoever presses a digit."""
    fake = FakeTwilio()
    account = {"account_sid": "AC1", "auth_token": "s3cret", "from_number": "+15005550006"}

    def words(one: dict[str, Any]) -> str:
        voice: Any = made.provider
        return str(voice.words_for(one["StatusCallback"].rpartition("/")[2]))

    made = world_of("twilio_voice", fake, words, **account)
    return made


def aliyun_sms_world(folder: Path) -> World:
    template = {"code": "SMS_1", "params": {"all": "{{ text }}"}}
    return world_of(
        "aliyun_sms",
        FakeAliyun(secret="s3cret"),
        lambda one: str(json.loads(one["TemplateParam"])["all"]),
        access_key_id="LTAI",
        access_key_secret="s3cret",
        sign_name="bank",
        templates={"low_balance": template},
    )


def world_of(
    name: str, fake: Any, text_of: Callable[[dict[str, Any]], str], **settings: Any
) -> World:
    runner = asyncio.Runner()
    url = runner.run(fake.start())
    provider = open_provider(name, base_url=url, **settings)

    def end() -> None:
        runner.run(fake.stop())
        runner.close()

    return World(
        provider,
        lambda: "\n".join(text_of(one) for one in fake.accepted),
        lambda: runner.run(fake.stop()),
        run=runner.run,
        ends=end,
    )


WORLDS: dict[str, Callable[[Path], World]] = {
    "aliyun_sms": aliyun_sms_world,
    "twilio_sms": twilio_sms_world,
    "twilio_voice": twilio_voice_world,
}
