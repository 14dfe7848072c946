"""What only the console or only the file does."""

import io
from pathlib import Path

import orjson
from sample import ATTEMPT

from belfry.notifiers.dispatch import at_once
from belfry.notifiers.provider import Message, masked_address
from belfry.notifiers.providers.console import WIDTH, Console, box, columns
from belfry.notifiers.providers.file import File


def test_the_console_masks_the_contact() -> None:
    stream = io.StringIO()
    at_once(Console(stream=stream).send(Message(ATTEMPT, "hello", ATTEMPT.at)))
    assert "****8000" in stream.getvalue()
    assert "13800" not in stream.getvalue()


def test_the_box_is_straight_also_around_chinese() -> None:
    lines = box(ATTEMPT, "您的账户余额不足，" * 12 + "\nsecond line").splitlines()
    assert {columns(line) for line in lines} == {WIDTH}
    assert any("second line" in line for line in lines)


def test_a_text_cannot_draw_on_the_terminal() -> None:
    assert "\x1b" not in box(ATTEMPT, "\x1b[2J gone")


def test_the_file_keeps_one_object_a_line(tmp_path: Path) -> None:
    path = tmp_path / "messages.ndjson"
    provider = File(path=path)
    at_once(provider.send(Message(ATTEMPT, "first\nwith a break", ATTEMPT.at)))
    at_once(provider.send(Message(ATTEMPT, "second", ATTEMPT.at)))
    at_once(provider.close())
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [row["text"] for row in rows] == ["first\nwith a break", "second"]
    assert rows[0]["address"] == "+8613800138000"
    assert rows[0]["class"] == "service"
    assert rows[0]["expires_at"] == "2026-03-02T22:00:00+00:00"


def test_the_file_is_for_its_owner_only_and_is_appended_to(tmp_path: Path) -> None:
    path = tmp_path / "messages.ndjson"
    for _ in range(2):
        provider = File(path=path)
        at_once(provider.send(Message(ATTEMPT, "hello", ATTEMPT.at)))
        at_once(provider.close())
    assert path.stat().st_mode & 0o077 == 0
    assert len(path.read_bytes().splitlines()) == 2


def test_addresses_are_masked_by_their_kind() -> None:
    assert masked_address("+8613800138000") == "****8000"
    assert masked_address("novak@bank.cz") == "n****@bank.cz"
    assert masked_address("12345") == "****"
