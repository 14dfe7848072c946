"""What every provider promises. A new row of PROVIDERS needs a line in the WORLDS of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import worlds
import worlds_mail
import worlds_push
import worlds_twilio
from worlds import World, attempt

from belfry.notifiers.provider import PROVIDERS, Accepted, Message, Rejected, Said, Unknown

WORLDS = {
    **worlds.WORLDS,
    **worlds_mail.WORLDS,
    **worlds_push.WORLDS,
    **worlds_twilio.WORLDS,
}


@pytest.fixture(params=sorted(PROVIDERS))
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    made = WORLDS[request.param](tmp_path)
    yield made
    made.run(made.provider.close())
    made.ends()


def send(world: World, text: str, *, attempt_id: str = "a-1") -> Said:
    made = attempt(attempt_id=attempt_id, address=world.address, channel=world.channel)
    message = Message(made, text, made.at, 600, callback_url=f"http://127.0.0.1:9/{attempt_id}")
    said: Said = world.run(world.provider.send(message))
    return said


def test_every_row_is_named_as_it_is_registered(world: World) -> None:
    assert world.provider.name in PROVIDERS


def test_an_accepted_text_gets_out_once_and_whole(world: World) -> None:
    assert isinstance(send(world, "余额不足 ¥150"), Accepted)
    assert world.sent().count("余额不足 ¥150") == 1


def test_two_attempts_are_two_calls_a_provider_never_dedupes_or_retries(world: World) -> None:
    send(world, "one text")
    send(world, "one text", attempt_id="a-2")
    assert world.sent().count("one text") == 2


def test_a_broken_world_is_an_answer_not_an_exception(world: World) -> None:
    send(world, "before")
    world.breaks()
    said = send(world, "after", attempt_id="a-2")
    assert isinstance(said, Rejected | Unknown)
    assert said.raw
    assert "after" not in world.sent()


def test_an_answer_never_repeats_the_contact_or_the_text(world: World) -> None:
    world.breaks()
    said = repr(send(world, "balance 150"))
    assert world.address not in said
    assert "balance 150" not in said


def test_closing_twice_is_harmless(world: World) -> None:
    world.run(world.provider.close())
    world.run(world.provider.close())
