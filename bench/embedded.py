"""The embedded host's rows of `make bench`: durable throughput, latency over HTTP, restart, timers.

In: nothing; all data is made here from a seed. Out: rows {name, value, unit}, by `measure`.
All of it runs on one core; files lie in the folder that TMPDIR names, with synchronous FULL.
"""

from __future__ import annotations

import datetime as dt
import gc
import json
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import books
import handover

from belfry.connectors.codec import Decoder
from belfry.engine.decisions import Attempt
from belfry.engine.events import Answer
from belfry.engine.program import Program, build_program
from belfry.engine.record_codec import RecordCodec
from belfry.engine.rulebook.load import load_rulebook
from belfry.notifiers.dispatch import at_once
from belfry.runtime.embedded import Host
from belfry.runtime.host import accept_all
from belfry.runtime.ports import Batch, Changes, micros
from belfry.runtime.rulebook_files import read_rulebook
from belfry.runtime.store_sqlite import SqliteStore

ROOT = Path(__file__).parents[1]
CUSTOMERS = 10_000
EVENTS = int(os.environ.get("BENCH_EMBEDDED_EVENTS", "100000"))
BATCH = 4_000  # as many as the server takes together under load
MILLION = int(os.environ.get("BENCH_MILLION", "1000000"))
DUE_S = 20  # seconds over which the due part of the timers is spread
DUE = 20_000
Add = Callable[[str, float, str, str], None]


class Still:
    """A clock that the benchmark moves."""

    def __init__(self, at: dt.datetime) -> None:
        self.at = at

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return time.monotonic()


class Taking:
    """A provider that takes everything at once."""

    async def carry(self, attempt: Attempt, at: dt.datetime | None = None) -> Answer:
        return accept_all(attempt)


def measure(add: Add) -> None:
    """All rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ten = program_of(books.ten_rules(rare=True))
        rate = throughput(folder / "ten.db", ten, book_events())
        add("embedded_events_per_s_10_rules", rate, "events/s", "durable, one core, bar 15,000")
        rate = throughput(folder / "shipped.db", shipped(), book_events())
        add("embedded_events_per_s_shipped", rate, "events/s", "durable, one core, bar 8,000")
        add(
            "handover_p99_ms_at_1000",
            handover.p99_ms(folder),
            "ms",
            "HTTP accept to provider, bar 100",
        )
        restart, lateness = million(folder / "million.db")
        add("restart_s_1m_customers", restart, "s", f"{MILLION:,} customers, bar 10")
        add("timer_p99_lateness_s_1m", lateness, "s", f"{MILLION:,} armed, bar 5")


def program_of(files: dict[str, bytes]) -> Program:
    book, faults = load_rulebook(files)
    assert book is not None, "\n".join(map(str, faults[:10]))
    return build_program(book)


def shipped() -> Program:
    book, faults = read_rulebook(ROOT / "rules")
    assert book is not None, faults
    return build_program(book)


def book_events() -> list[bytes]:
    return [json.dumps(event).encode() for event in books.events(EVENTS, CUSTOMERS)]


def facts(number: int) -> bytes:
    """A device, so that what is decided is also sent."""
    fields = {
        "type": "contact", "id": f"device-{number}", "time": books.START.isoformat(),
        "customer_id": f"c{number:08d}", "kind": "device", "address": f"token-{number}",
        "verified": True, "primary": True,
    }  # fmt: skip
    return json.dumps(fields).encode()


def throughput(path: Path, program: Program, raw: list[bytes]) -> float:
    """Raw records to a commit that a power cut does not undo, attempts and answers included."""
    store = SqliteStore(path)
    clock = Still(books.START)
    host = Host(program, store, clock, Taking())
    decoder = Decoder(program.book.event_types)
    transport = Taking()

    def apply(some: list[bytes]) -> None:
        events = [decoder.decode_event(one) for one in some]
        clock.at = max(clock.at, events[-1].time)
        host.apply([Batch(events)])
        for attempt in host.take_attempts():
            host.answer(at_once(transport.carry(attempt, clock.at)))

    for at in range(0, CUSTOMERS, BATCH):
        apply([facts(number) for number in range(at, at + BATCH)])
    rates = []
    third = len(raw) // 3
    for begin in range(0, third * 3, third):
        gc.collect()
        gc.freeze()
        start = time.perf_counter()
        for at in range(begin, begin + third, BATCH):
            apply(raw[at : min(at + BATCH, begin + third)])
        rates.append(third / (time.perf_counter() - start))
    store.close()
    return statistics.median(rates)


def million(path: Path) -> tuple[float, float]:
    """Restart to the first decision; how late timers fire while a million are armed."""
    program = program_of(books.timer_rules())
    due = fill(path, program)
    gc.collect()
    start = time.perf_counter()
    store = SqliteStore(path)
    clock = Still(due)
    host = Host(program, store, clock, Taking())
    host.tick()
    host.next_due()
    restart = time.perf_counter() - start
    lateness: list[float] = []
    begun = time.perf_counter()
    while (elapsed := time.perf_counter() - begun) < DUE_S + 10:
        clock.at = due + dt.timedelta(seconds=elapsed)
        done = host.tick()
        for attempt in host.take_attempts():
            host.answer(accept_all(attempt))
        lateness += done.lateness_s
        if not done.is_more_due and not host.has_answers:
            time.sleep(0.05)
    store.close()
    assert len(lateness) >= min(DUE, MILLION), len(lateness)
    return restart, statistics.quantiles(lateness, n=100)[98]


def fill(path: Path, program: Program) -> dt.datetime:
    """Customers with five armed timers; `DUE` of them are due within `DUE_S` seconds."""
    store = SqliteStore(path)
    host = Host(program, store, Still(books.START), Taking())
    record = books.idle_customer(program)
    codec = RecordCodec(program.book)
    due = record.next_due
    record.customer_id = "c-0000000"
    raw = codec.encode(record)
    for at in range(0, MILLION, 20_000):
        changes = Changes()
        for number in range(at, min(at + 20_000, MILLION)):
            name = f"c-{number:07d}"
            moment = due + dt.timedelta(seconds=(number * DUE_S / DUE))
            changes.records.append((name, _at(codec, raw, record, name, moment, due)))
            changes.armed.append((micros(moment), name))
        changes.seen = random.Random(at).randbytes(20_000 * 16)
        store.commit(changes)
    del host
    store.close()
    return due


def _at(  # noqa: PLR0917  each of another type
    codec: RecordCodec,
    raw: bytes,
    record: Any,
    name: str,
    moment: dt.datetime,
    due: dt.datetime,
) -> bytes:
    """The same customer under another name, with its first timer at another moment."""
    if moment - due > dt.timedelta(seconds=DUE_S):
        record.customer_id = name
        record.next_due = moment
        return codec.encode(record)
    one = codec.decode(raw)
    one.customer_id, one.next_due = name, moment
    for entry in one.timers.values():
        if entry.due == due:
            entry.due = moment
    return codec.encode(one)


def main() -> None:
    """These rows alone, into the results beside all others."""
    import run  # noqa: PLC0415  it imports this module

    run.pin()
    rows = json.loads(run.RESULTS.read_text()) if run.RESULTS.exists() else []
    ours: list[dict[str, Any]] = []
    measure(lambda name, value, unit, note: run.add(ours, name, value, unit, note))
    names = {one["name"] for one in ours}
    rows = [one for one in rows if one["name"] not in names] + ours
    run.RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
