"""The worlds of mail and of webhooks: real servers on 127.0.0.1, in the provider's own loop."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import serving
from worlds import World

from belfry.notifiers.fakes.hooks import FakeHooks
from belfry.notifiers.fakes.mail import FakeRelay
from belfry.notifiers.provider import open_provider

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LOCAL = ("127.0.0.0/8",)


def smtp_world(folder: Path) -> World:
    runner, relay = asyncio.Runner(), FakeRelay()
    port = runner.run(relay.start())
    provider = open_provider(
        "smtp",
        host="127.0.0.1",
        port=port,
        security="none",
        sender="alerts@bank.example",
        timeout_s=2,
    )

    def end() -> None:
        runner.run(relay.stop())
        runner.close()

    return World(
        provider,
        lambda: "\n".join(mail.text for mail in relay.accepted),
        lambda: runner.run(relay.stop()),
        run=runner.run,
        ends=end,
        address="jan.novak@dopisy.example",
        channel="email",
    )


def webhook_world(folder: Path) -> World:
    runner, hooks = asyncio.Runner(), FakeHooks(SECRET, check_time=False)
    server = runner.run(serving.serve(hooks.app()))
    provider = open_provider(
        "webhook",
        secret=SECRET,
        url=f"http://localhost:{server.port}/hook",
        allowed_hosts=["localhost"],
        networks=[*LOCAL, "::1/128"],
        resolve=serving.local,
        timeout_s=2,
    )

    def end() -> None:
        runner.run(server.stop())
        runner.close()

    return World(
        provider,
        lambda: "\n".join(one["text"] for one in hooks.accepted),
        lambda: runner.run(server.stop()),
        run=runner.run,
        ends=end,
        address="queue:retention",
        channel="work_queue",
    )


WORLDS: dict[str, Callable[[Path], World]] = {"smtp": smtp_world, "webhook": webhook_world}
