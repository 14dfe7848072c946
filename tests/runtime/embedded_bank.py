"""An embedded host on a real file, a clock that stands still until moved, a transport that notes.

In: a program, a folder. Out: hosts that can be restarted; what they called, what they decided.
"""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from belfry.connectors.codec import Decoder
from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.program import Program, build_program
from belfry.engine.rulebook.load import load_rulebook
from belfry.notifiers.dispatch import at_once
from belfry.runtime.embedded import Host
from belfry.runtime.host import accept_all
from belfry.runtime.ports import Batch
from belfry.runtime.replay import Replay
from belfry.runtime.rulebook_files import read_rulebook
from belfry.runtime.sample_bank import sample_bank
from belfry.runtime.store_sqlite import SqliteStore

ROOT = Path(__file__).parents[2]
NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
RULES = {
    "rules/large.yaml": b"""rule: large
event: transaction
when: amount > 100
notify: {class: service, template: t, channels: [push], expires: 1d}
""",
    "rules/offer.yaml": b"""rule: offer
event: transaction
when: amount > 50
notify: {class: marketing, template: t, channels: [push], expires: 1d}
""",
    "rules/alarm.yaml": b"""rule: alarm
event: login
notify: {class: security, template: t, channels: [push]}
""",
    "rules/daily.yaml": b"""rule: daily
timer: {daily: "14:00", grace: 2h}
notify: {class: service, template: t, channels: [push]}
""",
    "templates/t/en.push.txt": b"Dear customer",
    "policies/bank.yaml": b"bank: {time_zone: UTC, language: en}\n",
}


class StillClock:
    """A clock that a test moves."""

    def __init__(self, at: dt.datetime = NOON) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


class Noting:
    """Accepts everything and notes it."""

    def __init__(self) -> None:
        self.called: list[Attempt] = []

    async def carry(self, attempt: Attempt, at: dt.datetime | None = None) -> Answer:
        self.called.append(attempt)
        return msgspec.structs.replace(accept_all(attempt), time=at or attempt.at)


class Bank:
    """A host that can crash and come back."""

    def __init__(self, path: Path, program: Program | None = None, **options: Any) -> None:
        self.path = path
        self.program = program or program_of(RULES)
        self.clock = StillClock()
        self.transport = Noting()
        self.options = options
        self.start()

    def start(self) -> None:
        self.store = SqliteStore(self.path)
        self.host = Host(self.program, self.store, self.clock, self.transport, **self.options)

    def restart(self) -> None:
        """What is in memory is gone, as after a crash."""
        self.store.close()
        self.start()

    def carry(self) -> int:
        """Carry out what is to be called, and commit the answers; how many there were."""
        attempts = self.host.take_attempts()
        for attempt in attempts:
            self.host.answer(at_once(self.transport.carry(attempt, self.clock.now())))
        self.host.tick()
        return len(attempts)

    def decisions(self) -> list[bytes]:
        rows = self.store.connection.execute("SELECT line FROM decisions ORDER BY number")
        return [line for (line,) in rows]

    def reasons(self) -> list[tuple[str, str]]:
        found = [msgspec.json.decode(line) for line in self.decisions()]
        return [(one["rule"], one["reason"]) for one in found]

    def attempts(self) -> list[tuple[str, str]]:
        sql = "SELECT rule, state FROM attempts ORDER BY at, id"
        return list(self.store.connection.execute(sql))


def program_of(files: dict[str, bytes]) -> Program:
    book, faults = load_rulebook(files)
    assert book is not None, "\n".join(map(str, faults))
    return build_program(book)


def shipped() -> Program:
    """The rulebook of this repository."""
    book, faults = read_rulebook(ROOT / "rules")
    assert book is not None, faults
    return build_program(book)


def decoded(program: Program, rows: Iterable[dict[str, Any]]) -> list[Any]:
    decoder = Decoder(program.book.event_types)
    return [decoder.decode_event(msgspec.json.encode(row)) for row in rows]


def facts(customer: str = "C1") -> list[dict[str, Any]]:
    """A customer with a device who agrees to everything."""
    base = {"time": "2026-03-01T09:00:00Z", "customer_id": customer}
    return [
        {**base, "type": "customer", "id": f"{customer}-c", "language": "en"},
        {
            **base, "type": "contact", "id": f"{customer}-d", "kind": "device",
            "address": f"token-{customer}", "verified": True, "primary": True,
        },
        {**base, "type": "consent", "id": f"{customer}-m", "purpose": "marketing", "given": True},
    ]  # fmt: skip


def spend(number: int, amount: int, customer: str = "C1", at: str = "12:00:00") -> dict[str, Any]:
    return {
        "type": "transaction", "id": f"t{number}", "time": f"2026-03-02T{at}Z",
        "customer_id": customer, "amount": amount, "currency": "EUR", "direction": "debit",
    }  # fmt: skip


def login(number: int, customer: str = "C1") -> dict[str, Any]:
    time = "2026-03-02T12:00:00Z"
    return {"type": "login", "id": f"l{number}", "time": time, "customer_id": customer}


def history(seed: int, customers: int = 6, days: int = 365) -> list[dict[str, Any]]:
    """A made-up bank's events with joint accounts and a few repeats, in order of time."""
    random_ = random.Random(seed)
    rows = sample_bank(seed=seed, customers=customers)
    rows = [row for row in rows if row["time"] < f"2025-{1 + days // 31:02d}-31"]
    for row in list(rows):
        if row["type"] == "account" and random_.random() < 0.5:
            row["holders"].append({"customer_id": "C1", "role": "authorised"})
        if random_.random() < 0.02:
            rows.append(dict(row))
    rows.sort(key=lambda row: dt.datetime.fromisoformat(row["time"]))
    return rows


def replayed(program: Program, rows: list[dict[str, Any]]) -> list[bytes]:
    """The lines of decisions.ndjson."""
    import io

    decisions, messages = io.BytesIO(), io.BytesIO()
    replay = Replay(program, decisions, messages)
    for event in decoded(program, rows):
        replay.feed(event)
    replay.finish()
    return decisions.getvalue().splitlines()


def batch(program: Program, *rows: dict[str, Any], **more: Any) -> Batch:
    return Batch(decoded(program, rows), **more)
