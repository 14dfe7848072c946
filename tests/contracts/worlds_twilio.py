"""The worlds of SMS and calls: the provider and its fake in one loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from worlds import World

from belfry.notifiers.fakes.twilio import FakeTwilio
from belfry.notifiers.provider import open_provider


def twilio_sms_world(folder: Path) -> World:
    fake = FakeTwilio()
    account = {"account_sid": "AC1", "auth_token": "s3cret", "service": "MG1"}
    return world_of("twilio_sms", fake, lambda one: str(one["Body"]), **account)


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


WORLDS: dict[str, Callable[[Path], World]] = {"twilio_sms": twilio_sms_world}
