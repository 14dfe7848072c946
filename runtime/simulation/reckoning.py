"""The journal on the disk, lived through once more by fresh records: what should have come of it.

In: a run. Out: `Reckoning`: decisions and records again, and what held when each call was given
out.
Invariant: only the transition and the journal are used; no store, no process, no crash.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from belfry.engine.contacts import preferred
from belfry.engine.decisions import Decision, Outcome
from belfry.engine.edition import edition_of
from belfry.engine.edits import Edits, compare
from belfry.engine.migrate import migrate
from belfry.engine.program import Program
from belfry.engine.record import Record
from belfry.engine.record_codec import RecordCodec
from belfry.engine.transition import new_record, transition
from belfry.runtime.pending import as_json
from belfry.runtime.simulation.process import Switched
from belfry.runtime.simulation.providers import Call
from belfry.runtime.simulation.rulebook import programs
from belfry.runtime.simulation.run import Run

KINDS = {"push": "device", "sms": "mobile"}
# Purpose → what counts without a word of the customer.
PURPOSES = {"service": True, "advice": False, "marketing": False}


@dataclass(slots=True)
class Reckoning:
    """`unwanted`, `misdirected`: calls given out against the last word on disk by then."""

    lines: list[bytes] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    records: dict[str, bytes] = field(default_factory=dict)
    applied: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    twice: list[str] = field(default_factory=list)
    unwanted: list[Call] = field(default_factory=list)
    raced: list[Call] = field(default_factory=list)
    misdirected: list[Call] = field(default_factory=list)
    hashes: set[str] = field(default_factory=set)


def reckon(run: Run) -> Reckoning:
    """All of the journal, then what is left of the calls."""
    found = Reckoning()
    records: dict[str, Record] = {}
    words = Words()
    calls = sorted(run.calls, key=lambda call: call.taken)
    late = sorted(run.calls, key=lambda call: call.commits)
    for step in run.journal:
        while calls and calls[0].taken < step.commit:
            _look(calls.pop(0), records, words, found)
        while late and late[0].commits < step.commit:
            _race(late.pop(0), words, found)
        program = _by_hash(step.program)
        record = records.get(step.customer_id)
        if record is None:
            record = records[step.customer_id] = new_record(program, step.customer_id)
        outcome = _live(program, record, step.event)
        found.decisions += outcome.decisions
        found.lines += [as_json(one) for one in outcome.decisions]
        if outcome.seen == "applied":
            found.applied[step.customer_id].append(step.event)
            words.hear(step.customer_id, step.event)
    for call in calls:
        _look(call, records, words, found)
    for call in late:
        _race(call, words, found)
    found.twice = _twice(found.applied)
    codec = RecordCodec(programs()[0].book)
    found.records = {name: codec.encode(record) for name, record in records.items()}
    return found


def _live(program: Program, record: Record, event: Any) -> Outcome:
    if not isinstance(event, Switched):
        return transition(program, record, event)
    return migrate(program, record, _edits(event.before, program.book.hash), event.time)


def _by_hash(name: str) -> Program:
    return next(program for program in programs() if program.book.hash == name)


@lru_cache(maxsize=8)
def _edits(before: str, after: str) -> Edits:
    program = _by_hash(after)
    return compare(edition_of(_by_hash(before).book), program.book, program.broken)


def _twice(applied: dict[str, list[Any]]) -> list[str]:
    found = []
    for name, events in applied.items():
        ids = [event.id for event in events if event.id.startswith("e")]
        if len(ids) != len(set(ids)):
            found.append(name)
    return found


class Words:
    """The customers' last words on each purpose, by the times of the words."""

    def __init__(self) -> None:
        self._words: dict[tuple[str, str], tuple[dt.datetime, bool]] = {}

    def hear(self, customer_id: str, event: Any) -> None:
        """A word counts from when it is on disk; an older one changes nothing."""
        if event.__class__.__name__ == "Consent":
            key = (customer_id, event.purpose)
            before = self._words.get(key)
            if before is None or event.time >= before[0]:
                self._words[key] = (event.time, event.given)

    def allow(self, customer_id: str, message_class: str) -> bool:
        """Security and regulatory messages need no word."""
        if message_class not in PURPOSES:
            return True
        word = self._words.get((customer_id, message_class))
        return PURPOSES[message_class] if word is None else word[1]


def _look(call: Call, records: dict[str, Record], words: Words, found: Reckoning) -> None:
    attempt = call.attempt
    if not words.allow(attempt.customer_id, attempt.message_class):
        found.unwanted.append(call)
    point = preferred(records[attempt.customer_id], KINDS[attempt.channel])
    if point is None or point.address != attempt.address:
        found.misdirected.append(call)


def _race(call: Call, words: Words, found: Reckoning) -> None:
    """The word came while the call was on its way."""
    attempt = call.attempt
    if not words.allow(attempt.customer_id, attempt.message_class):
        found.raced.append(call)
