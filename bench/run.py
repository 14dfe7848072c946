"""`make bench`: measures the core and writes bench/results/latest.json.

In: nothing; all data is made here from a seed. Out: a table, and a list of {name, value, unit}.
Absolute figures depend on the machine; the ratios are what to quote. docs/performance.md says what
costs what.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import books
import embedded
import executor

from belfry.connectors.codec import Decoder
from belfry.engine.events import Timer
from belfry.engine.program import Program, build_program
from belfry.engine.record import ContactPoint, Record
from belfry.engine.record_codec import RecordCodec
from belfry.engine.rulebook.load import load_rulebook
from belfry.engine.transition import new_record, transition
from belfry.runtime.rulebook_files import read_rulebook

EVENTS = int(os.environ.get("BENCH_EVENTS", "200000"))
CUSTOMERS = 10_000
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
RESULTS = Path(__file__).parent / "results" / "latest.json"
Row = dict[str, Any]


def main() -> None:
    """All measurements, in the order of the table."""
    pin()
    rows: list[Row] = []
    raw = [json.dumps(event).encode() for event in books.events(EVENTS, CUSTOMERS)]
    few = program(books.ten_rules(rare=True))
    decoder = Decoder(few.book.event_types)
    events = [decoder.decode_event(line) for line in raw]
    rare, rare_share = events_per_s(few, events)
    add(rows, "core_events_per_s_10_rules", rare, "events/s", f"{rare_share:.1%} raise a candidate")
    many, many_share = events_per_s(program(books.ten_rules(rare=False)), events)
    add(rows, "core_events_per_s_10_rules_45pct", many, "events/s", f"{many_share:.1%}")
    add(rows, "decode_us", median(lambda: decode(decoder, raw)) / len(raw) * 1e6, "us/event", "")
    cost_of_rules(rows, events[: EVENTS // 4])
    against_rule_engine(rows, few, events[:2000])
    loading(rows)
    embedded.measure(lambda name, value, unit, note: add(rows, name, value, unit, note))
    executor.measure(lambda name, value, unit, note: add(rows, name, value, unit, note))
    add(rows, "idle_customer_bytes", idle_bytes(), "bytes", "five armed timers, msgpack")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")


def pin() -> None:
    """One core, so that the figure is one of one core."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def add(rows: list[Row], name: str, value: float, unit: str, note: str) -> None:
    """One row, printed at once."""
    shown = round(value, 3 if value < 100 else 0)
    rows.append({"name": name, "value": shown, "unit": unit})
    print(f"{name:36}{shown:>14,} {unit:10} {note}", flush=True)


def program(files: dict[str, bytes]) -> Program:
    """The program of a made-up rulebook; its faults are ours."""
    book, faults = load_rulebook(files)
    assert book is not None, "\n".join(map(str, faults[:10]))
    return build_program(book)


def events_per_s(prog: Program, events: list[Any]) -> tuple[float, float]:
    """Events per second of the transition alone, and the share that raised a candidate."""
    rates, share = [], 0.0
    for _ in range(RUNS):
        records = fresh_records(prog, events)
        gc.collect()
        gc.freeze()
        gc.disable()
        start = time.perf_counter()
        raised = run(prog, records, events)
        rates.append(len(events) / (time.perf_counter() - start))
        gc.enable()
        gc.unfreeze()
        share = raised / len(events)
    return statistics.median(rates), share


def run(prog: Program, records: dict[str, Record], events: list[Any]) -> int:
    """What a host does: due timers first, then the event. Counts events that raised a candidate."""
    raised = 0
    for event in events:
        record = records[event.customer_id]
        if record.next_due <= event.time:
            transition(prog, record, Timer(id="due", time=event.time))
        if transition(prog, record, event).fired:
            raised += 1
    return raised


def fresh_records(prog: Program, events: list[Any]) -> dict[str, Record]:
    """A record with a device for every customer."""
    records: dict[str, Record] = {}
    for event in events:
        if event.customer_id not in records:
            record = records[event.customer_id] = new_record(prog, event.customer_id)
            record.contacts.append(ContactPoint("device", "token", verified=True, primary=True))
    return records


def decode(decoder: Decoder, raw: list[bytes]) -> None:
    """Decode all."""
    for line in raw:
        decoder.decode_event(line)


def median(work: Callable[[], Any], runs: int = 3) -> float:
    """Median seconds of a few runs."""
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def cost_of_rules(rows: list[Row], events: list[Any]) -> None:
    """The cost of an event with 10, 1,000 and 10,000 rules of realistic selectivity."""
    cost: dict[int, float] = {}
    for count in (10, 1000, 10_000):
        prog = program(books.selective_rules(count))
        rate, share = events_per_s(prog, events)
        cost[count] = 1e6 / rate
        add(rows, f"event_us_{count}_rules", cost[count], "us/event", f"{share:.1%}")
    add(rows, "rule_cost_ratio_1000_to_10", cost[1000] / cost[10], "ratio", "")
    add(rows, "rule_cost_ratio_10000_to_10", cost[10_000] / cost[10], "ratio", "")


def against_rule_engine(rows: list[Row], prog: Program, events: list[Any]) -> None:
    """The same conditions on the same events: generated code against rule_engine's own."""
    ours, theirs = books.same_conditions(prog, events)
    assert ours() == theirs(), "the two must agree before their speed means anything"
    fast, slow = median(ours, 5), median(theirs, 3)
    add(rows, "speedup_over_rule_engine", slow / fast, "ratio", "conditions only, same values")


def loading(rows: list[Row]) -> None:
    """10,000 rules from files, cold and cached."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["BELFRY_CACHE_DIR"] = str(Path(folder) / "cache")
        rules = Path(folder) / "rules"
        for name, text in books.selective_rules(10_000).items():
            path = rules / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text)
        for word in ("cold", "cached"):
            start = time.perf_counter()
            book, _ = read_rulebook(rules)
            assert book is not None
            build_program(book)
            add(rows, f"load_10000_rules_{word}_s", time.perf_counter() - start, "s", "")


def idle_bytes() -> int:
    """A customer with contacts, consents, one account and five armed timers, encoded."""
    prog = program(books.timer_rules())
    record = books.idle_customer(prog)
    armed = [name for name, entry in record.timers.items() if entry.due.year < 9999]
    assert len(armed) == 5, armed
    codec = RecordCodec(prog.book)
    encoded = codec.encode(record)
    assert codec.encode(codec.decode(encoded)) == encoded
    return len(encoded)


if __name__ == "__main__":
    main()
