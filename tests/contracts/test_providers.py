"""What every provider promises. A new row of PROVIDERS needs a line in WORLDS."""

import datetime as dt
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from belfry.engine.decisions import Attempt
from belfry.notifiers.dispatch import at_once
from belfry.notifiers.provider import (
    PROVIDERS,
    Accepted,
    Message,
    Provider,
    Rejected,
    Said,
    Unknown,
    open_provider,
)

ADDRESS = "+8613800138000"


@dataclass
class World:
    """A provider in its surroundings: what got out so far, and how to break them."""

    provider: Provider
    sent: Callable[[], str]
    breaks: Callable[[], None]


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


WORLDS = {"console": console_world, "file": file_world}


@pytest.fixture(params=sorted(PROVIDERS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = WORLDS[request.param](tmp_path)
    yield made
    at_once(made.provider.close())


def send(world: World, attempt: Attempt, text: str) -> Said:
    return at_once(world.provider.send(Message(attempt, text, attempt.at)))


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
        "address": ADDRESS,
        "language": "zh",
        "template": "low_balance",
        "title": "Balance fell",
        "values": {},
        "at": dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC),
        "expires_at": None,
    }
    return Attempt(**{**values, **changes})  # type: ignore[arg-type]


def test_every_row_is_named_as_it_is_registered(world: World) -> None:
    assert world.provider.name in PROVIDERS


def test_an_accepted_text_gets_out_once_and_whole(world: World) -> None:
    assert isinstance(send(world, attempt(), "余额不足 ¥150"), Accepted)
    assert world.sent().count("余额不足 ¥150") == 1


def test_two_attempts_are_two_calls_a_provider_never_dedupes_or_retries(world: World) -> None:
    send(world, attempt(), "one text")
    send(world, attempt(attempt_id="a-2"), "one text")
    assert world.sent().count("one text") == 2


def test_a_broken_world_is_an_answer_not_an_exception(world: World) -> None:
    send(world, attempt(), "before")
    world.breaks()
    said = send(world, attempt(attempt_id="a-2"), "after")
    assert isinstance(said, Rejected | Unknown)
    assert said.raw
    assert "after" not in world.sent()


def test_an_answer_never_repeats_the_contact_or_the_text(world: World) -> None:
    world.breaks()
    said = repr(send(world, attempt(), "balance 150"))
    assert ADDRESS not in said
    assert "balance 150" not in said


def test_closing_twice_is_harmless(world: World) -> None:
    at_once(world.provider.close())
    at_once(world.provider.close())
