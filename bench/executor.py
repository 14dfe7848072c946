"""One executor against a fake in the same process: what it adds, and who waits for whom.

In: nothing. Out: rows of `make bench`. Waits are from the hand-over to the executor until the call.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import statistics
import time
from collections.abc import Callable

import msgspec

from belfry.engine.decisions import Attempt
from belfry.notifiers.executor import Executor
from belfry.notifiers.limits import Limits
from belfry.notifiers.provider import Accepted, Said

RATE, SECONDS = 2_000, 5
FLOOD = 20_000
BURST = 100_000
CALL_S = 0.005  # what a call of the fake takes
AT = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
SHAPE = Attempt(
    attempt_id="a", message_id="m", customer_id="C1", rule="hello", key="C1",
    message_class="service", channel="sms", provider="fake", address="+15005550006", language="en",
    template="hello", title="Hello", values={}, at=AT, expires_at=None,
)  # fmt: skip


class Clock:
    def now(self) -> dt.datetime:
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def measure(add: Callable[[str, float, str, str], None]) -> None:
    """All rows."""
    add("executor_messages_per_s", asyncio.run(_flood()), "messages/s", "one executor, no rate")
    add("executor_added_p99_ms", asyncio.run(_offered()), "ms", f"at {RATE:,}/s, bar 50")
    delay = asyncio.run(_burst(Limits(concurrency=16, waiting_max=BURST)))
    add("security_behind_marketing_ms", delay, "ms", f"{BURST:,} of marketing wait, bar 100")
    limits = Limits(rate=100, burst=20, concurrency=16, waiting_max=BURST)
    delay = asyncio.run(_burst(limits))
    add("security_behind_marketing_limited_ms", delay, "ms", "the same, rate 100/s")
    add("beside_a_hanging_provider_p99_ms", asyncio.run(_beside()), "ms", "another one hangs")


def _one(message_class: str = "service") -> Attempt:
    return msgspec.structs.replace(SHAPE, message_class=message_class)


async def _flood() -> float:
    """As many as it can."""
    executor = Executor("fake", Limits(concurrency=64, waiting_max=FLOOD), Clock())

    async def call(at: dt.datetime) -> Said:
        await asyncio.sleep(0)
        return Accepted()

    begun = time.perf_counter()
    await asyncio.gather(*[executor.carry(_one(), call) for _ in range(FLOOD)])
    return FLOOD / (time.perf_counter() - begun)


async def _offered(executor: Executor | None = None) -> float:
    """The 99th percentile of waits at a steady offer, in milliseconds, from when one was due."""
    executor = executor or Executor("fake", Limits(concurrency=64), Clock())
    waits: list[float] = []

    async def one(due: float) -> None:
        async def call(at: dt.datetime) -> Said:
            waits.append(time.perf_counter() - due)
            await asyncio.sleep(CALL_S)
            return Accepted()

        await executor.carry(_one(), call)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(RATE * SECONDS):
            due = begun + number / RATE
            if (left := due - time.perf_counter()) > 0:
                await asyncio.sleep(left)
            tasks.create_task(one(due))
    return statistics.quantiles(waits, n=100)[98] * 1000


async def _burst(limits: Limits) -> float:
    """The longest wait of ten security messages while a burst of marketing is worked off."""
    executor = Executor("fake", limits, Clock())
    waits = []

    async def call(at: dt.datetime) -> Said:
        await asyncio.sleep(CALL_S)
        return Accepted()

    flood = [asyncio.create_task(executor.carry(_one("marketing"), call)) for _ in range(BURST)]
    await asyncio.sleep(0.5)
    for _ in range(10):
        begun = time.perf_counter()

        async def alarm(at: dt.datetime, begun: float = begun) -> Said:
            waits.append(time.perf_counter() - begun)
            return Accepted()

        await executor.carry(_one("security"), alarm)
        await asyncio.sleep(0.05)
    executor.stop()
    await asyncio.gather(*flood)
    return max(waits) * 1000


async def _beside() -> float:
    """One provider hangs with all its slots taken and a thousand waiting; the other is measured."""
    hangs = Executor("hangs", Limits(concurrency=64, timeout_s=60), Clock())
    never = asyncio.Event()

    async def call(at: dt.datetime) -> Said:
        await never.wait()
        return Accepted()

    tasks = [asyncio.create_task(hangs.carry(_one(), call)) for _ in range(1000)]
    found = await _offered()
    hangs.stop()
    never.set()
    await asyncio.gather(*tasks)
    return found
