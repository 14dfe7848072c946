"""Providers' servers played on this machine, one file each: for tests, and `belfry fake-providers`.

In: a name of `FAKES`. Out: a server that accepts, errs, hangs, and logs what it accepted.
"""

from __future__ import annotations

import importlib
from typing import Any, Protocol


class Fake(Protocol):
    """Started and stopped in one event loop. `accepted`: each message it took, in order."""

    accepted: list[dict[str, Any]]

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """The URL to give to the provider as its base."""

    async def stop(self) -> None: ...


FAKES: dict[str, str] = {
    "aliyun": "belfry.notifiers.fakes.aliyun:FakeAliyun",
    "twilio": "belfry.notifiers.fakes.twilio:FakeTwilio",
}


def make_fake(name: str) -> Fake:
    """A fake of the table. `KeyError` for a name that is not in it."""
    module, _, attribute = FAKES[name].partition(":")
    fake: Fake = getattr(importlib.import_module(module), attribute)()
    return fake
