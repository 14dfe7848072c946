"""Providers that are slow, lie, hang, reject and break, and what they really took.

In: attempts. Out: answers; `calls`: every call with what became of it, which the sender never sees.
Invariant: `Unknown` is said for calls that were accepted and for calls that were not.
"""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from belfry.engine.decisions import Attempt
from belfry.notifiers.provider import Accepted, Failure, Message, Rejected, Retry, Said, Unknown

# How often each happens in fair weather, and what a provider does while it is out of order.
FAIR = {"take": 88, "slow": 4, "again": 2, "elsewhere": 2, "never": 1, "lying": 1, "dead": 1,
        "breaks": 1}  # fmt: skip
FOUL = {"slow": {"slow": 9, "take": 1}, "lying": {"lying": 6, "take": 4},
        "dead": {"dead": 6, "take": 4}, "again": {"again": 9, "take": 1},
        "elsewhere": {"elsewhere": 9, "take": 1}, "never": {"never": 5, "take": 5}}  # fmt: skip
TIMEOUT_S = 30.0


class Call(NamedTuple):
    """One call. `at`: the host's clock. `taken`: commits on disk when it was given out."""

    attempt: Attempt
    at: dt.datetime
    taken: int
    commits: int
    behaviour: str
    is_accepted: bool


@dataclass(slots=True)
class Moment:
    """What a provider cannot know, set before each call."""

    at: dt.datetime
    taken: int
    commits: int


class Lab:
    """All providers of the simulation."""

    def __init__(self, random_: random.Random, seen: Counter[str]) -> None:
        self.random = random_
        self.calls: list[Call] = []
        self.weather: Callable[[str], str] = lambda _: ""
        self.moment: Moment | None = None
        self.latency_s = 0.0
        self._seen = seen
        self.providers = {name: Simulated(name, self) for name in ("alpha", "beta", "gamma")}

    def take(self, name: str, attempt: Attempt) -> Said:
        """One call of the provider of that name."""
        table = FOUL.get(self.weather(name), FAIR)
        behaviour = self.random.choices([*table], [*table.values()])[0]
        self._seen[f"provider {behaviour}"] += 1
        moment = self.moment
        assert moment is not None
        is_accepted = behaviour in {"take", "slow", "lying", "breaks"}
        self.latency_s = self.random.uniform(0.02, 0.4)
        if behaviour in {"slow", "lying", "dead"}:
            self.latency_s = self.random.uniform(2, TIMEOUT_S)
        self.calls.append(
            Call(attempt, moment.at, moment.taken, moment.commits, behaviour, is_accepted)
        )
        return self._said(behaviour)

    def _said(self, behaviour: str) -> Said:
        match behaviour:
            case "take" | "slow":
                return Accepted("ref")
            case "again":
                return Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER)
            case "elsewhere":
                return Rejected(Failure.UNAVAILABLE, Retry.OTHER_PROVIDER)
            case "never":
                return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER)
            case "breaks":
                raise ConnectionResetError
            case _:
                return Unknown(Failure.TIMED_OUT)


class Simulated:
    """One provider's face."""

    def __init__(self, name: str, lab: Lab) -> None:
        self.name = name
        self._lab = lab

    async def send(self, message: Message) -> Said:
        return self._lab.take(self.name, message.attempt)

    async def close(self) -> None:
        """Nothing is open."""
