"""The executor of one provider: attempts wait here for their turn, and are called under its limits.

In: attempts that are on disk as started, each with the call to make. Out: what was said.
Invariant: one call at most, always an answer. Security is next; expiry and the suppression set are
looked at when the turn has come; a call that takes too long is unknown, and its slot free again.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from redis.exceptions import RedisError

from belfry.engine.decisions import Attempt
from belfry.notifiers.breaker import Breaker
from belfry.notifiers.lanes import Lanes, Turn
from belfry.notifiers.limits import Limits
from belfry.notifiers.pace import Pace
from belfry.notifiers.provider import Failure, Rejected, Retry, Said, Unknown
from belfry.notifiers.rates import DOWN_S, Rates
from belfry.notifiers.suppression import MemorySuppression, Suppression

log = logging.getLogger("belfry")

PATIENCE_S = 30.0  # how long the others wait for a Redis that is down
Call = Callable[[dt.datetime], Awaitable[Said]]


class Time(Protocol):
    """The machine's clock, or a test's."""

    def now(self) -> dt.datetime: ...

    def monotonic(self) -> float: ...


class Ears(Protocol):
    """Who is told how it goes: the metrics."""

    def waited(self, provider: str, message_class: str, seconds: float) -> None: ...

    def goes(self, provider: str, waiting: int, pace: float, *, is_open: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Deaf:
    """Nobody is told."""

    def waited(self, provider: str, message_class: str, seconds: float) -> None: ...

    def goes(self, provider: str, waiting: int, pace: float, *, is_open: bool) -> None: ...


async def _either(seconds: float, wake: asyncio.Event) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(wake.wait(), seconds)


class Executor:
    """One for each provider, in one loop. `cost`: of an attempt, in what the rate counts."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        time: Time,
        *,
        rates: Rates | None = None,
        suppression: Suppression | None = None,
        ears: Ears | None = None,
        cost: Callable[[Attempt], int] = lambda _: 1,
        sleep: Callable[[float, asyncio.Event], Awaitable[None]] = _either,
    ) -> None:
        self.name, self.limits, self.time = name, limits, time
        self.rates = rates or Rates(name, limits, monotonic=time.monotonic)
        self.suppression = suppression or MemorySuppression()
        self.breaker, self.pace = Breaker(), Pace()
        self._ears = ears or Deaf()
        self._cost, self._sleep = cost, sleep
        self._lanes = Lanes()
        self._under_way = 0
        self._is_stopping = False
        self._wake = asyncio.Event()
        self._asks_for: int | None = None  # the priority of whom the rate limit is asked for
        self._pump: asyncio.Task[None] | None = None

    async def carry(self, attempt: Attempt, call: Call) -> Said:
        """What became of it. `call` gets the instant at which it is made."""
        is_full = len(self._lanes) >= self.limits.waiting_max
        if self._is_stopping or (is_full and attempt.message_class != "security"):
            return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw="too many wait")
        turn = Turn(attempt, self.time.monotonic())
        self._lanes.put(turn)
        if self._asks_for is None or turn.priority < self._asks_for:
            self._wake.set()
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._serve())
        try:
            refused = await turn.granted
        except asyncio.CancelledError:
            granted = turn.granted
            if not granted.cancelled() and granted.done() and granted.result() is None:
                self._free(allowed=True)
            raise
        if refused is not None:
            return refused
        self._ears.waited(self.name, attempt.message_class, self.time.monotonic() - turn.since)
        return await self._call(attempt, call)

    def stop(self) -> None:
        """Whoever waits is told to come back later; nobody new is taken. Calls end as they do."""
        self._is_stopping = True
        for turn in self._lanes.take_all():
            self._refuse(turn, Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "stopping")
        self._wake.set()

    # --- the turn has come ---
    async def _call(self, attempt: Attempt, call: Call) -> Said:
        said: Said | None = None
        try:
            refused = await self._last_look(attempt)
            if refused is not None:
                return refused
            said = await self._timed(attempt, call)
            return said
        finally:
            if said is not None:
                self._heard(said)
            self._free(allowed=said is None)

    async def _last_look(self, attempt: Attempt) -> Rejected | None:
        """Nothing may come between this and the call."""
        try:
            if await self.suppression.has(attempt.address, attempt.message_class):
                return Rejected(Failure.OPTED_OUT, Retry.NEVER)
        except (RedisError, OSError, TimeoutError) as problem:
            log.error("the suppression set cannot be read: %s", type(problem).__name__)
            if attempt.message_class != "security":
                return Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, raw="suppression set")
        return None

    async def _timed(self, attempt: Attempt, call: Call) -> Said:
        try:
            async with asyncio.timeout(self.limits.timeout_s):
                return await call(self.time.now())
        except TimeoutError:
            return Unknown(Failure.TIMED_OUT)
        except Exception as crash:  # noqa: BLE001  (a provider broke its promise)
            return Unknown(Failure.CRASHED, raw=type(crash).__name__)

    def _heard(self, said: Said) -> None:
        now = self.time.monotonic()
        self.breaker.heard(said, now)
        if isinstance(said, Rejected) and said.failure is Failure.RATE_LIMITED:
            self.pace.slow_down(now)

    def _free(self, *, allowed: bool) -> None:
        """A slot is free again. `allowed`: the call that the breaker let through never happened."""
        self._under_way -= 1
        if allowed:
            self.breaker.gave_back()
        if self._asks_for is None:
            self._wake.set()
        self._tell()

    # --- who is next ---
    async def _serve(self) -> None:
        """Until nobody waits."""
        while self._lanes:
            share = self.pace.share(self.time.monotonic())
            slots = max(1, int(self.limits.concurrency * share))
            turn = self._lanes.next(self._under_way, slots)
            self._tell()
            if turn is None:
                self._wake.clear()
                await self._sleep(DOWN_S, self._wake)  # a slower pace is won back by the clock
            elif not self._is_over(turn):
                try:
                    await self._ask_rate(turn, share)
                except Exception as problem:  # noqa: BLE001  (the others must not wait for ever)
                    log.error("the turn of an attempt broke: %s", type(problem).__name__)
                    self._refuse(turn, Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "executor")

    def _is_over(self, turn: Turn) -> bool:
        """It will not be called: nobody waits for it, or it came too late."""
        if turn.granted.done():
            self._lanes.take(turn)
            return True
        if turn.is_expired(self.time.now()):
            self._lanes.take(turn)
            self._refuse(turn, Failure.EXPIRED, Retry.NEVER, "")
            return True
        return False

    async def _ask_rate(self, turn: Turn, share: float) -> None:
        self._asks_for = turn.priority
        self._wake.clear()
        try:
            await self._ask_rate_for(turn, share)
        finally:
            self._asks_for = None

    async def _ask_rate_for(self, turn: Turn, share: float) -> None:
        if self.breaker.is_open and not self.breaker.allows(self.time.monotonic()):
            self._lanes.take(turn)
            self._refuse(turn, Failure.UNAVAILABLE, Retry.OTHER_PROVIDER, "breaker open")
            return
        wait = await self.rates.take(self._cost(turn.attempt), turn.attempt.message_class, share)
        if wait == 0:
            if turn.granted.done() or self._is_stopping:
                self.breaker.gave_back()  # `stop` has answered it, or nobody waits any more
                return
            self._lanes.take(turn)
            self._under_way += 1
            turn.granted.set_result(None)
            return
        self.breaker.gave_back()
        if wait is None:
            early = self.time.monotonic() - PATIENCE_S
            for one in self._lanes.take_all(older_than=early, but=0):
                self._refuse(one, Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "redis")
        await self._sleep(DOWN_S if wait is None else wait, self._wake)

    def _refuse(self, turn: Turn, failure: Failure, retry: Retry, raw: str) -> None:
        if not turn.granted.done():
            turn.granted.set_result(Rejected(failure, retry, raw))

    def _tell(self) -> None:
        pace = self.pace.share(self.time.monotonic())
        self._ears.goes(self.name, len(self._lanes), pace, is_open=self.breaker.is_open)
