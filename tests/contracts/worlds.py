"""A provider in its surroundings: what got out so far, and how to break them."""

import datetime as dt
import io
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from belfry.engine.decisions import Attempt
from belfry.notifiers.dispatch import at_once
from belfry.notifiers.provider import Provider, open_provider

PHONE = "+8613800138000"


@dataclass
class World:
    """`run` runs a coroutine of the provider; `ends` puts the surroundings away."""

    provider: Provider
    sent: Callable[[], str]
    breaks: Callable[[], object]
    run: Callable[[Coroutine[Any, Any, Any]], Any] = at_once
    ends: Callable[[], object] = lambda: None
    address: str = PHONE
    channel: str = "sms"


def console_world(folder: Path) -> World:
    stream = io.StringIO()
    kept: list[str] = []

    def shut() -> None:
        kept.append(stream.getvalue())
        stream.close()

    sent = lambda: kept[0] if kept else stream.getvalue()  # noqa: E731
    return World(open_provider("console", stream=stream), sent, shut)


def file_world(folder: Path) -> World:
    path = folder / "messages.ndjson"
    provider = open_provider("file", path=path, fsync=True)
    return World(
        provider, lambda: path.read_text(encoding="utf-8"), lambda: at_once(provider.close())
    )


WORLDS: dict[str, Callable[[Path], World]] = {"console": console_world, "file": file_world}


def attempt(**changes: object) -> Attempt:
    values: dict[str, object] = {
        "attempt_id": "a-1",
        "message_id": "m-1",
        "customer_id": "C1",
        "rule": "low-balance",
        "key": "A1",
        "message_class": "service",
        "channel": "sms",
        "provider": "console",
        "address": PHONE,
        "language": "zh",
        "template": "low_balance",
        "title": "Balance fell",
        "values": {},
        "at": dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC),
        "expires_at": None,
    }
    return Attempt(**{**values, **changes})  # type: ignore[arg-type]
