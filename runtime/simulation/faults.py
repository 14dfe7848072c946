"""What goes wrong in one run, and when: a list that can be cut down.

In: a random generator. Out: `Fault`s in order of time.
Invariant: a run is its seed and its list; each seed draws its own subset of kinds, because faults
that are always there together hide each other.
"""

from __future__ import annotations

import random
from typing import NamedTuple

KINDS: dict[str, str] = {
    "crash": "the process dies at a named fault point",
    "kill": "the process dies between two of its steps, calls under way",
    "disk": "the Nth call of the store from now fails",
    "disk_long": "the disk stays full for a while",
    "clock": "the machine's clock steps, forwards or backwards",
    "outage": "a provider rejects, hangs or lies for a while",
    "reload": "another rulebook is taken",
    "reload_faulty": "a faulty rulebook is offered",
}
POINTS = (
    "apply.begin", "apply.end", "commit.begin", "commit.middle", "commit.end", "commit.done",
    "call.before", "call.after", "answer.before", "reply.before", "reload.before", "reload.after",
)  # fmt: skip
ERRORS = ("locked", "io", "full")
OUTAGES = ("slow", "lying", "dead", "again", "elsewhere", "never")
COUNT_MAX = 40


class Fault(NamedTuple):
    """`at`: seconds after the begin. `what`: fault point, error, outage. `size`: count, seconds."""

    at: float
    kind: str
    what: str = ""
    size: float = 0


def draw(random_: random.Random, seconds: float) -> list[Fault]:
    """Faults over that many seconds."""
    kinds = random_.sample([*KINDS], k=random_.randrange(2, len(KINDS) + 1))
    found = [
        _one(random_, random_.choice(kinds), random_.uniform(0, seconds))
        for _ in range(random_.randrange(4, COUNT_MAX))
    ]
    return sorted(found)


def _one(random_: random.Random, kind: str, at: float) -> Fault:
    match kind:
        case "crash":
            return Fault(at, kind, random_.choice(POINTS), random_.randrange(1, 4))
        case "disk":
            return Fault(at, kind, random_.choice(ERRORS), random_.randrange(1, 40))
        case "disk_long":
            return Fault(at, kind, random_.choice(ERRORS), random_.uniform(1, 600))
        case "clock":
            return Fault(at, kind, "", random_.uniform(-300, 300))
        case "outage":
            return Fault(at, kind, random_.choice(OUTAGES), random_.uniform(60, 6 * 3600))
        case _:
            return Fault(at, kind)
