"""A chronicle: what happened to each customer in a run, told in order; and whose story to tell.

In: a run's events, decisions and messages, as its witness. Out: chapters by customer; totals of
what was sent, and of what waited for the end of quiet hours.
A chapter is one event (or due timer) with all that was decided because of it. What is decided when
a window of arbitration closes belongs to the event that opened it.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from belfry.engine.decisions import Decision, Outcome
from belfry.engine.events import ENGINE_EVENTS, Customer
from belfry.engine.reasons import Outcome as Verdict

CHAPTERS_MAX = 60  # per customer; whoever has more makes a poor story anyway
LENGTH = 6  # chapters of a story as told
DAYS_APART = 12  # a good story happens within some days
AFTERMATH = dt.timedelta(minutes=6)  # longer than any class of the shipped policies arbitrates


@dataclass(slots=True)
class Line:
    """A decision, and the text if a message went out because of it."""

    decision: Decision
    text: str | None = None
    channel: str | None = None

    @property
    def candidate(self) -> tuple[str, str, str]:
        return self.decision.rule, self.decision.key, self.decision.occurrence


@dataclass(slots=True)
class Chapter:
    """`event` is a `Timer` where time alone set it in motion; `is_release`: of what was held."""

    at: dt.datetime
    event: Any
    lines: list[Line]
    is_release: bool = False


@dataclass(slots=True)
class Chronicle:
    """The witness of a run."""

    chapters: dict[str, list[Chapter]] = field(default_factory=lambda: defaultdict(list))
    people: dict[str, Customer] = field(default_factory=dict)
    sent_by: Counter[tuple[str, str]] = field(default_factory=Counter)  # (class, channel)
    fates: Counter[str] = field(default_factory=Counter)  # of what was held: sent, or a reason
    _latest: dict[str, Any] = field(default_factory=dict)
    _waiting: dict[tuple[str, str, str, str], None] = field(default_factory=dict)
    _speaking: dict[str, Line] = field(default_factory=dict)

    def decided(self, customer_id: str, event: Any, outcome: Outcome) -> None:
        """Witness: keep what was decided; an event that led to nothing is no chapter."""
        is_own = isinstance(event, ENGINE_EVENTS)
        if not is_own:
            self._latest[customer_id] = event
            if event.__struct_config__.tag == "customer":
                self.people.setdefault(customer_id, event)
        if not outcome.decisions:
            return
        lines = [Line(decision) for decision in outcome.decisions]
        was_held = [self._follow(line) for line in lines]
        is_release = all(was_held)
        lines = [line for line in lines if line.decision.outcome != Verdict.EMIT]
        chapters = self.chapters[customer_id]
        if not lines or len(chapters) >= CHAPTERS_MAX:
            return
        at, latest = lines[0].decision.at, self._latest.get(customer_id)
        if is_own and not is_release and latest is not None and at - latest.time <= AFTERMATH:
            event, at = latest, latest.time
        if chapters and chapters[-1].event is event:
            chapters[-1].lines += lines
        else:
            chapters.append(Chapter(at, event, lines, is_release))

    def sent(self, message: dict[str, Any]) -> None:
        """Witness: the text belongs to the decision with this message's id."""
        self.sent_by[message["class"], message["channel"]] += 1
        line = self._speaking.get(message["message_id"])
        if line is not None and line.text is None:
            line.text, line.channel = message["text"], message["channel"]

    def _follow(self, line: Line) -> bool:
        """Count what becomes of what is held; True: it had been held before."""
        decision = line.decision
        name = (decision.customer_id, *line.candidate)
        was_held = name in self._waiting
        if decision.outcome == Verdict.HOLD:
            self._waiting[name] = None
        elif was_held:
            del self._waiting[name]
            self.fates["sent" if decision.outcome == Verdict.SEND else decision.reason] += 1
        if decision.outcome == Verdict.SEND and decision.message_id is not None:
            self._speaking[decision.message_id] = line
        return was_held


@dataclass(frozen=True, slots=True)
class Tale:
    """A customer and the chapters worth telling."""

    customer: str
    chapters: tuple[Chapter, ...]


def best_tales(chronicle: Chronicle, language: str) -> list[Tale]:
    """Different kinds of stories: one held and dropped, one held and sent, one of a bad day.

    Of customers who are written to in the language.
    """
    told: list[Tale] = []
    used: set[str] = set()
    for kind in (_dropped, _released, _guarded):
        best: tuple[float, str, Tale] | None = None
        for customer, chapters in sorted(chronicle.chapters.items()):
            person = chronicle.people.get(customer)
            if customer in used or person is None or person.language != language:
                continue
            for place in kind(chapters):
                tale = Tale(customer, _around(chapters, place))
                score = _worth(tale)
                if best is None or score > best[0]:
                    best = score, customer, tale
        if best is not None:
            told.append(best[2])
            used.add(best[1])
    return told


def _dropped(chapters: list[Chapter]) -> Iterator[int]:
    """Places where something held was not sent any more."""
    held: set[tuple[str, str, str]] = set()
    for place, chapter in enumerate(chapters):
        for line in chapter.lines:
            if line.decision.outcome == Verdict.HOLD:
                held.add(line.candidate)
            elif line.candidate in held and line.decision.reason == "not_true_any_more":
                yield place


def _released(chapters: list[Chapter]) -> Iterator[int]:
    """Places where something held went out."""
    held: set[tuple[str, str, str]] = set()
    for place, chapter in enumerate(chapters):
        for line in chapter.lines:
            if line.decision.outcome == Verdict.HOLD:
                held.add(line.candidate)
            elif line.candidate in held and line.text:
                yield place


def _guarded(chapters: list[Chapter]) -> Iterator[int]:
    """Places where a second kind of security message followed within hours."""
    first: tuple[dt.datetime, str] | None = None
    for place, chapter in enumerate(chapters):
        for line in chapter.lines:
            if line.text and line.decision.message_class == "security":
                rule = line.decision.rule
                is_near = first is not None and chapter.at - first[0] <= dt.timedelta(hours=12)
                if first is not None and is_near and rule != first[1]:
                    yield place
                first = chapter.at, rule


def _around(chapters: list[Chapter], place: int) -> tuple[Chapter, ...]:
    """Some chapters before and after, within days of it, so that the middle makes sense."""
    first = max(0, min(place - LENGTH // 2, len(chapters) - LENGTH))
    near = dt.timedelta(days=DAYS_APART)
    at = chapters[place].at
    return tuple(one for one in chapters[first : first + LENGTH] if abs(one.at - at) <= near)


def _worth(tale: Tale) -> float:
    """Many different things in few lines; texts and reasons both; not always the same rule."""
    lines = [line for chapter in tale.chapters for line in chapter.lines]
    rules = {line.decision.rule for line in lines}
    outcomes = {line.decision.outcome for line in lines}
    reasons = {line.decision.reason for line in lines} - {"sent", "raised", "emitted"}
    texts = sum(1 for line in lines if line.text)
    return 3 * len(rules) + 2 * len(outcomes) + 2 * len(reasons) + min(texts, 4) - 1.5 * len(lines)
