"""Whatever the events and whenever the switch: an edit by itself tells nobody anything."""

from __future__ import annotations

import datetime as dt
from typing import Any

from bank import Bank, facts, program_of
from hypothesis import given
from hypothesis import strategies as st
from test_properties import CHECKED, PROGRAM, RULES, SHARED, START, faults, happenings, run

from belfry.engine.decisions import Decision
from belfry.engine.instants import NEVER
from belfry.engine.program import Program
from belfry.engine.record_codec import RecordCodec

REWORDED = program_of(*(f"title: New\nowner: team\n{one}" for one in RULES), shared=SHARED)
# Name → (old text, new text) in the rules.
REPLACED: dict[str, tuple[tuple[str, str], ...]] = {
    "none": (),
    "raised": (("< 500", "< 900"), ("600", "950")),
    "lowered": (("< 500", "< 100"), ("> 100", "> 10")),
    "counted": ((">= 3", ">= 1"), ("> 0", "> 1")),
    "moved": (("20:30", "13:00"), ("5h", "1h")),
    "window": (("1d", "2d"),),
}


def edited(name: str) -> Program:
    texts = [*RULES, SHARED]
    for old, new in REPLACED[name]:
        texts = [text.replace(old, new) for text in texts]
    return program_of(*texts[:-1], shared=texts[-1])


EDITS = {"words": REWORDED} | {name: edited(name) for name in REPLACED}


def split(stream: list[dict[str, Any]], cut: int) -> tuple[list[dict[str, Any]], str]:
    """The first part, and the instant of the switch: that of its last event."""
    first = stream[:cut]
    return first, first[-1]["at"] if first else (START - dt.timedelta(hours=1)).isoformat()


def without_rulebook(decisions: list[Decision]) -> list[Any]:
    names = [name for name in Decision.__struct_fields__ if name != "rulebook"]
    return [[getattr(one, name) for name in names] for one in decisions]


@CHECKED
@given(happenings(), st.integers(0, 25), st.sampled_from(["none", "words"]))
def test_the_same_rules_in_other_words_decide_the_same(
    stream: list[dict[str, Any]], cut: int, edit: str
) -> None:
    first, at = split(stream, cut)
    bank = Bank(PROGRAM).take(*facts("C1"), *facts("C2", "A2")).take(*first).switch(EDITS[edit], at)
    bank.take(*stream[cut:]).until("2026-03-09T12:00:00")
    whole = run(PROGRAM, stream)
    assert without_rulebook(bank.decisions) == without_rulebook(whole.decisions)


@CHECKED
@given(happenings(), st.integers(0, 25), st.sampled_from(sorted(EDITS)))
def test_an_edit_decides_nothing_and_what_follows_keeps_all_safeguards(
    stream: list[dict[str, Any]], cut: int, edit: str
) -> None:
    first, at = split(stream, cut)
    bank = Bank(PROGRAM).take(*facts("C1"), *facts("C2", "A2")).take(*first)
    bank.host.run_until(dt.datetime.fromisoformat(at))
    before = len(bank.decisions)
    bank.switch(EDITS[edit], at)
    assert len(bank.decisions) == before
    bank.host.run_until(dt.datetime.fromisoformat(at))
    assert len(bank.decisions) == before
    codec = RecordCodec(EDITS[edit].book)
    for record in bank.host.records.values():
        stored = codec.decode(codec.encode(record))
        assert (stored.alerts, stored.timers) == (record.alerts, record.timers)
        assert record.next_due == min(
            (entry.due for entry in record.timers.values()), default=NEVER
        )
    assert faults(bank.take(*stream[cut:]).until("2026-03-09T12:00:00")) == []
