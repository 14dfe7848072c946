"""Timers wait for sources that lag, and not for sources that have nothing to say."""

from __future__ import annotations

import datetime as dt

import pytest

from belfry.engine.rulebook.load import load_rulebook
from belfry.engine.rulebook.model import Bank
from belfry.engine.watermark import NOTHING_READ, Watermarks

NOON = dt.datetime(2026, 3, 15, 12, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)
BANK = Bank(wait_for=("core", "cards"), wait_max=15 * MINUTE)


def marks() -> Watermarks:
    """Both sources have been read up to noon, at noon."""
    found = Watermarks(BANK, NOON)
    for source in BANK.wait_for:
        found.caught_up(source, NOON)
    return found


def test_a_bank_that_waits_for_nobody_goes_by_the_clock() -> None:
    assert Watermarks(Bank(), NOON).horizon(NOON) == NOON


def test_a_source_that_lags_holds_timers_back_at_what_was_read_of_it() -> None:
    found = marks()
    later = NOON + 10 * MINUTE
    found.caught_up("cards", later)
    found.read("core", NOON + 3 * MINUTE, later)
    assert found.horizon(later) == NOON + 3 * MINUTE
    assert found.lagging(later) == ["core"]


def test_the_slowest_source_counts() -> None:
    found = marks()
    later = NOON + 10 * MINUTE
    found.read("core", NOON + 3 * MINUTE, later)
    found.read("cards", NOON + 2 * MINUTE, later)
    assert found.horizon(later) == NOON + 2 * MINUTE


def test_before_anything_was_read_no_timer_fires() -> None:
    assert Watermarks(BANK, NOON).horizon(NOON + 14 * MINUTE) == NOTHING_READ


@pytest.mark.parametrize("minutes", [14, 15])
def test_a_silent_source_is_waited_for_so_long_and_no_longer(minutes: int) -> None:
    at = NOON + minutes * MINUTE
    assert marks().horizon(at) == (NOON if minutes < 15 else at)


def test_a_source_known_to_be_behind_is_waited_for_however_long_it_takes() -> None:
    found = marks()
    for minute in range(10, 120, 10):
        found.caught_up("cards", NOON + minute * MINUTE)
        found.behind("core", NOON + minute * MINUTE)
    assert found.horizon(NOON + 110 * MINUTE) == NOON


def test_a_source_that_speaks_again_is_waited_for_again() -> None:
    found = marks()
    found.read("core", NOON + 5 * MINUTE, NOON + 60 * MINUTE)
    assert found.horizon(NOON + 61 * MINUTE) == NOON + 5 * MINUTE


def test_late_events_do_not_take_a_watermark_back_and_those_from_the_future_do_not_push_it() -> (
    None
):
    found = marks()
    at = NOON + MINUTE
    found.caught_up("cards", at)
    found.read("core", NOON - 60 * MINUTE, at)
    assert found.horizon(at) == NOON
    found.read("core", NOON + 500 * MINUTE, at)
    assert found.horizon(at) == at
    found.caught_up("cards", at + MINUTE)
    assert found.horizon(at + MINUTE) == at


def test_other_sources_hold_nobody_back() -> None:
    found = marks()
    found.read("survey", NOON - 600 * MINUTE, NOON)
    found.behind("survey", NOON)
    assert found.horizon(NOON) == NOON


def test_the_bank_says_for_whom_it_waits() -> None:
    text = b"bank: {wait_for: [core, cards], wait_max: 5m}"
    book, _ = load_rulebook({"policies/bank.yaml": text})
    assert book is not None
    assert book.policies.bank.wait_for == ("core", "cards")
    assert book.policies.bank.wait_max == 5 * MINUTE
