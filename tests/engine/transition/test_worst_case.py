"""The worst case of each class, by playing all that providers can do: docs/delivery.md's table.

A play names what each attempt meets; its last word goes on for ever. `mute` took the message and
never answered, `lost` did neither.
"""

from __future__ import annotations

import datetime as dt
import random
from functools import cache
from itertools import product
from typing import NamedTuple

import pytest
from bank import instant, program_of
from posts import BOOK, Posts

from belfry.engine.program import Program

SAID = {
    "take": ("accepted", "never"),
    "mute": ("unknown", "never"),
    "lost": ("unknown", "never"),
    "again": ("rejected", "same_provider"),
    "elsewhere": ("rejected", "other_provider"),
    "never": ("rejected", "never"),
}
PLAYS = [*product(SAID, repeat=3)]
LADDER = ", until: delivered, within: 10m"
# How often the customer may have it at most, with three channels: the figures of the page.
WORST = [
    ("marketing", "", 1),
    ("advice", "", 1),
    ("service", "", 1),
    ("regulatory", "", 3),
    ("security", "", 8),
    ("service", LADDER, 3),
]


class Played(NamedTuple):
    there: int  # messages that a provider took
    accepted: int
    suppressed: list[str]
    attempts: int
    duplicated: int
    lost: int


@cache
def program(message_class: str, more: str) -> Program:
    text = (
        "rule: told\nevent: transaction\nnotify: {class: "
        f"{message_class}, template: t, channels: [push, sms, email]{more}}}\n"
    )
    return program_of(text, policies=BOOK)


def played(message_class: str, more: str, play: tuple[str, ...]) -> Played:
    bank = Posts(program(message_class, more), "2026-03-02T10:00:00")
    met: list[str] = []
    while len(met) < len(bank.attempts):
        met.append(play[min(len(met), len(play) - 1)])
        called = bank.attempts[-1].at
        bank.answer((called + dt.timedelta(seconds=1)).isoformat(), *SAID[met[-1]])
        bank.until((called + dt.timedelta(minutes=20)).isoformat())
    assert bank.is_settled, play
    words = [word for word, _ in bank.unsure]
    return Played(
        sum(one in {"take", "mute"} for one in met),
        met.count("take"),
        [one.reason for one in bank.decisions if one.outcome == "suppress"],
        len(met),
        words.count("possibly_duplicated"),
        words.count("possibly_lost"),
    )


@pytest.mark.parametrize(("message_class", "more", "worst"), WORST)
def test_the_customer_has_a_message_at_most_this_often(
    message_class: str, more: str, worst: int
) -> None:
    assert max(played(message_class, more, play).there for play in PLAYS) == worst


@pytest.mark.parametrize("message_class", ["service", "regulatory", "security"])
def test_every_end_has_its_record_and_every_doubt_its_count(message_class: str) -> None:
    for play in PLAYS:
        end = played(message_class, "", play)
        assert len(end.suppressed) == (0 if end.accepted else 1), (play, end)
        assert end.there - 1 <= end.duplicated, (play, end)
        if not end.accepted:
            is_doubtful = end.lost == 1
            assert is_doubtful or end.there == 0, (play, end)


def test_a_security_message_is_lost_only_after_eight_attempts_or_a_refusal_on_every_channel() -> (
    None
):
    for play in PLAYS:
        end = played("security", "", play)
        if end.there == 0 and end.attempts < 8:
            assert play[0] != "lost" or set(play) & {"never", "elsewhere"}, (play, end)
            assert end.suppressed[0] in {"provider_rejected", "provider_exhausted"}, (play, end)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_said_in_whatever_order_a_message_ends_with_one_word(seed: int) -> None:
    """Answers and receipts of any attempt, late, twice and contradicting each other."""
    random_ = random.Random(seed)
    message_class = random_.choice(["service", "regulatory", "security"])
    more = random_.choice(["", LADDER, LADDER.replace("delivered", "read")])
    bank = Posts(program(message_class, more), "2026-03-02T09:00:00")
    now = instant("2026-03-02T09:00:03")
    words: dict[str, list[str]] = {}
    for _ in range(25):
        now += dt.timedelta(seconds=random_.choice([0, 1, 5, 60, 700]))
        bank.until(now.isoformat())
        number = random_.randrange(len(bank.attempts))
        said = words.setdefault(bank.attempts[number].attempt_id, [])
        calls, was_settled = len(bank.calls), bank.is_settled
        if random_.random() < 0.5:
            said.append(random_.choice(["delivered", "read", "failed"]))
            bank.receipt(now.isoformat(), said[-1], number)
        else:
            said.append(random_.choice([*SAID]))
            bank.answer(now.isoformat(), *SAID[said[-1]], number)
        assert not was_settled or len(bank.calls) == calls, "what is settled goes nowhere"
        assert len(bank.calls) <= calls + 1
    for attempt in bank.attempts:
        bank.answer(now.isoformat(), "accepted", number=bank.attempts.index(attempt))
    bank.until("2026-03-04T09:00:00")
    assert bank.is_settled
    assert len(bank.calls) <= 8
    ends = [one.reason for one in bank.decisions if one.outcome == "suppress"]
    assert len(ends) <= 1
    if ends:
        assert not any(one in {"delivered", "read"} for said in words.values() for one in said[:1])
