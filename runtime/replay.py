"""Replay: history through the whole engine on event time.

In: a rulebook, event files, an end. Out: decisions.ndjson, messages.ndjson, summary.json,
quarantine.ndjson.
Invariant: the same input gives the same bytes, whatever PYTHONHASHSEED; events in = applied +
repeated +
late + quarantined.
"""

from __future__ import annotations

import datetime as dt
import gc
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

import msgspec

from belfry.connectors.codec import Decoder
from belfry.connectors.ndjson import read_events
from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.reasons import Reason, Rejected
from belfry.engine.decisions import Attempt, Outcome
from belfry.engine.events import Answer
from belfry.engine.program import Program
from belfry.engine.record import Record
from belfry.notifiers.render import Renderer
from belfry.runtime.host import MemoryHost, accept_all, in_time_order

SEEN = ("applied", "repeated", "late", "quarantined", "after_until")
RESULTS = ("decisions.ndjson", "messages.ndjson", "quarantine.ndjson", "summary.json")
encode = msgspec.json.Encoder(order="deterministic").encode


@dataclass(slots=True)
class Summary:
    """What a replay amounts to; `as_dict` is summary.json."""

    rulebook: str
    events: Counter[str] = field(default_factory=Counter)
    by_type: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)
    decisions: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    broken: dict[str, dt.datetime] = field(default_factory=dict)
    conversions: Counter[str] = field(default_factory=Counter)
    messages: int = 0
    tasks: int = 0
    customers: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, keys sorted where they count things."""
        rules: dict[str, dict[str, Any]] = {}
        for (rule, outcome, reason), count in sorted(self.decisions.items()):
            one = rules.setdefault(rule, {"outcomes": {}, "reasons": {}})
            one["outcomes"][outcome] = one["outcomes"].get(outcome, 0) + count
            one["reasons"][reason] = one["reasons"].get(reason, 0) + count
        return {
            "schema": "belfry.replay/1",
            "rulebook": self.rulebook,
            "events": {
                "in": sum(self.events.values()),
                **{k: self.events[k] for k in SEEN},
                "by_type": dict(sorted(self.by_type.items())),
                "quarantined_by_reason": dict(sorted(self.quarantined.items())),
            },
            "time": {"first": self.first, "last": self.last},
            "customers": self.customers,
            "decisions": sum(self.decisions.values()),
            "messages": self.messages,
            "tasks": self.tasks,
            "conversions": dict(sorted(self.conversions.items())),
            "rules": rules,
            "unknown": dict(sorted(self.unknown.items())),
            "errors": dict(sorted(self.errors.items())),
            "broken": dict(sorted(self.broken.items())),
        }


def read_history(
    paths: Iterable[Path], decoder: Decoder, keep_bad: Callable[[QuarantineRecord], None]
) -> tuple[list[Any], int]:
    """All good events in order of time, and how many were bad (each handed to `keep_bad`)."""
    good, bad = [], 0
    for one in read_events(list(paths), decoder):
        if isinstance(one, QuarantineRecord):
            keep_bad(one)
            bad += 1
        else:
            good.append(one)
    return in_time_order(good), bad


class Witness(Protocol):
    """Who wants to see a run as it goes."""

    def decided(self, customer_id: str, event: Any, outcome: Outcome) -> None:
        """What one event (or due timer) led to, at one customer."""

    def sent(self, message: dict[str, Any]) -> None:
        """A message that went to a provider; it belongs to the decision before it."""


class Replay:
    """One run: feed it events, then `finish`. Decisions and messages are written as they come.

    `witness` is told the same: each outcome, and each message with its text.
    """

    def __init__(
        self,
        program: Program,
        decisions: IO[bytes],
        messages: IO[bytes],
        witness: Witness | None = None,
    ) -> None:
        self.witness = witness
        self.program = program
        self.summary = Summary(program.book.hash)
        self.renderer = Renderer(program.book)
        self._decisions = decisions
        self._messages = messages
        self.host = MemoryHost(program, self._deliver, self._listen)

    def feed(self, event: Any) -> bool:
        """Apply an event; False: it belongs to nobody known."""
        summary = self.summary
        if not self.host.accept(event):
            return False
        summary.by_type[event.__struct_config__.tag] += 1
        if summary.first is None:
            summary.first = event.time
        summary.last = event.time
        return True

    def refused(self, reason: str) -> None:
        """Count a record that is no event, or one of nobody's."""
        self.summary.quarantined[reason] += 1
        self.summary.events["quarantined"] += 1

    def finish(self, until: dt.datetime | None = None) -> Summary:
        """Fire what is due by `until` (default: the last event's time) and close what is open."""
        end = until or self.summary.last
        if end is not None:
            self.host.run_until(end)
        self.host.close_arbitration()
        self.summary.customers = len(self.host.records)
        self.summary.broken = dict(self.host.breaker.broken)
        for seen in ("applied", "repeated", "late"):
            self.summary.events[seen] += self.host.counts[seen]
        return self.summary

    def _deliver(self, attempt: Attempt) -> Answer:
        self.summary.messages += 1
        message = self.renderer.message(attempt)
        self._messages.write(encode(message) + b"\n")
        if self.witness is not None:
            self.witness.sent(message)
        return accept_all(attempt)

    def _listen(self, record: Record, event: Any, outcome: Outcome) -> None:
        summary = self.summary
        if self.witness is not None:
            self.witness.decided(record.customer_id, event, outcome)
        for decision in outcome.decisions:
            self._decisions.write(encode(decision) + b"\n")
            summary.decisions[decision.rule, decision.outcome, decision.reason] += 1
        for rule in outcome.unknown:
            summary.unknown[rule] += 1
        for rule in outcome.errors:
            summary.errors[rule] += 1
        for conversion in outcome.conversions:
            word = "told" if conversion.told else "holdout"
            summary.conversions[f"{conversion.rule}/{word}"] += 1
        summary.tasks += len(outcome.tasks)


def replay_files(
    program: Program,
    paths: list[Path],
    out: Path,
    *,
    until: dt.datetime | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Summary:
    """Replay files into a folder. Each result appears whole, under its name, or not at all."""
    out.mkdir(parents=True, exist_ok=True)
    names = RESULTS[:-1]
    parts = {name: out / f".{name}.part" for name in names}
    with (
        parts["decisions.ndjson"].open("wb") as decisions,
        parts["messages.ndjson"].open("wb") as messages,
        parts["quarantine.ndjson"].open("wb") as quarantine,
    ):
        replay = Replay(program, decisions, messages)

        def keep_bad(bad: QuarantineRecord) -> None:
            quarantine.write(encode(bad) + b"\n")
            replay.refused(bad.reason)

        events, _ = read_history(paths, Decoder(program.book.event_types), keep_bad)
        # Events and rulebook stay: looking through them for garbage costs a third of a run.
        gc.freeze()
        for number, event in enumerate(events):
            if until is not None and event.time > until:
                replay.summary.events["after_until"] += len(events) - number
                break
            if not replay.feed(event):
                keep_bad(_nobodys(event))
            if progress is not None and not number % 1000:
                progress(number, len(events))
        summary = replay.finish(until)
    (out / ".summary.json.part").write_bytes(
        msgspec.json.format(encode(summary.as_dict()), indent=2) + b"\n"
    )
    for name in RESULTS:
        (out / f".{name}.part").replace(out / name)
    return summary


def _nobodys(event: Any) -> QuarantineRecord:
    """An event about an account, card or loan that nobody holds."""
    raw = encode(event)
    return QuarantineRecord.of(
        Rejected(Reason.UNKNOWN_ACCOUNT, "no holder known"), raw, event.source
    )
