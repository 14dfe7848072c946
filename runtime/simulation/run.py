"""One run: a seed, a world, faults, and what came of them.

In: a seed, a mode, perhaps the places of the only faults to happen. Out: `Run`, for the judge.
Invariant: the same seed and list give the same trace, whatever PYTHONHASHSEED.
Safety: faults to the last second. Liveness: they stop after the world's days, and a healthy day and
a half must bring everything to its end.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import msgspec

from belfry.runtime import faultpoints
from belfry.runtime.simulation import faults as fault_list
from belfry.runtime.simulation.disk import Disk, Step
from belfry.runtime.simulation.faults import Fault
from belfry.runtime.simulation.process import Crashed, Process, VirtualTime
from belfry.runtime.simulation.providers import Call, Lab
from belfry.runtime.simulation.rulebook import is_refused, programs
from belfry.runtime.simulation.world import HOUR, SECOND, World, make_world

TAIL = 36 * HOUR + 17 * 60 * SECOND


@dataclass(slots=True)
class Run:
    """What is known at the end. `decisions`: as exported; `records`, `attempts`: as stored."""

    seed: int
    is_liveness: bool
    world: World
    faults: list[Fault]
    end: dt.datetime
    calls: list[Call]
    journal: list[Step]
    answered: list[bytes]
    lines: list[bytes]
    decisions: list[dict[str, Any]]
    records: dict[str, bytes]
    attempts: list[tuple[Any, ...]]
    overdue: list[str]
    refused: int
    unanswered: int
    lateness_s: list[tuple[dt.datetime, float]]
    seen: Counter[str] = field(default_factory=Counter)
    trace: str = ""


def simulate(seed: int, *, is_liveness: bool = False, only: list[int] | None = None) -> Run:
    """Live through it. Ends with a process that was just started on what the disk has."""
    random_ = random.Random(f"belfry {seed}")  # noqa: S311  repeatable, no secret
    world = make_world(random_)
    seconds = (world.end - world.start).total_seconds()
    drawn = fault_list.draw(random_, seconds)
    chosen = drawn if only is None else [drawn[place] for place in only]
    seen: Counter[str] = Counter()
    time = VirtualTime(world.start)
    disk = Disk()
    lab = Lab(random.Random(f"providers {seed}"), seen)  # noqa: S311
    try:
        process = Process(
            time, disk, lab, programs()[0], random.Random(f"process {seed}")  # noqa: S311
        )  # fmt: skip
        process.seen = seen
        for request in world.requests:
            time.plan(request.at, partial(process.send, request))
        for fault in chosen:
            time.plan(world.start + fault.at * SECOND, partial(_befall, fault, process, lab))
        time.run(world.end)
        faultpoints.disarm()
        disk.heal()
        lab.weather = lambda _: ""
        if is_liveness:
            time.run(world.end + TAIL)
        elif process.host is None:
            process.start()
    finally:
        faultpoints.disarm()
    return _told(seed, process, lab, world, chosen, is_liveness=is_liveness)


def _befall(fault: Fault, process: Process, lab: Lab) -> None:
    """One fault happens."""
    time = process.time
    process.seen[f"fault {fault.kind} {fault.what}".strip()] += 1
    match fault.kind:
        case "crash":
            faultpoints.arm(fault.what, int(fault.size), lambda: _crash(fault.what, process))
        case "kill":
            if process.host is not None:
                process.die("between steps")
        case "disk":
            process.disk.fail(fault.what, int(fault.size))
        case "disk_long":
            until = time.at + fault.size * SECOND
            process.disk.break_while(lambda: fault.what if time.at < until else "")
        case "clock":
            time.skew = fault.size * SECOND
            process.soon()
        case "outage":
            until = time.at + fault.size * SECOND
            lab.weather = lambda name: fault.what if time.at < until and name != "beta" else ""
        case "reload":
            first, second = programs()
            process.take(second if process.program is first else first)
        case "reload_faulty":
            assert is_refused()
        case _:
            raise AssertionError(fault.kind)


def _crash(what: str, process: Process) -> None:
    process.seen[f"crash {what}"] += 1
    raise Crashed(what)


def _told(
    seed: int, process: Process, lab: Lab, world: World, faults: list[Fault], *, is_liveness: bool
) -> Run:
    disk, time = process.disk, process.time
    real = disk.real
    lines = [line for (line,) in real.execute("SELECT line FROM decisions ORDER BY number")]
    now = int(time.now().timestamp() * 1e6)
    due = real.execute("SELECT customer_id FROM timers WHERE due < ? ORDER BY 1", (now,))
    run = Run(
        seed,
        is_liveness,
        world,
        faults,
        time.now(),
        lab.calls,
        disk.journal,
        [*process.answered],
        lines,
        [msgspec.json.decode(line) for line in lines],
        dict(real.execute("SELECT id, record FROM customers")),
        real.execute("SELECT id, message_id, state, class, code FROM attempts").fetchall(),
        [name for (name,) in due],
        real.execute("SELECT count(*) FROM quarantine").fetchone()[0],
        len(process.waiting),
        process.lateness_s,
        process.seen,
    )
    trace = hashlib.blake2b(digest_size=8)
    for line in lines:
        trace.update(line)
    for call in lab.calls:
        trace.update(f"{call.attempt.attempt_id}{call.at}{call.behaviour}".encode())
    for name in sorted(run.records):
        trace.update(run.records[name])
    run.trace = trace.hexdigest()
    return run
