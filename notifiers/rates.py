"""The rate limit of one provider: GCRA in memory, or in Redis for all processes together.

In: a cost in messages or SMS segments. Out: seconds to wait, 0 when it was taken, None if nobody
knows because Redis is down.
Invariant: marketing may not spend the last of a burst. Without Redis security goes on at a small
share of the rate; the others are not let through.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from redis.exceptions import RedisError
from throttled.asyncio import BaseStore, MemoryStore, Quota, RateLimiterType, RedisStore, Throttled
from throttled.asyncio import per_duration as quota_of
from throttled.exceptions import StoreUnavailableError

from belfry.notifiers.limits import Limits

log = logging.getLogger("belfry")

LOCAL_SHARE = 0.25  # of the rate, for security, while Redis is down
REDIS_S = 0.5  # a question that takes longer was not answered
DOWN_S = 1.0  # between two questions to a Redis that is down


class Rates:
    """`redis`: shared by all processes; None: in memory, for this one."""

    def __init__(
        self,
        name: str,
        limits: Limits,
        *,
        monotonic: Callable[[], float],
        redis: RedisStore | None = None,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._key = f"prov:{name}"
        self._rate = limits.rate
        burst = limits.burst or max(1, math.ceil((limits.rate or 1) / 10))
        self._bursts = (burst, burst - (max(1, burst // 4) if burst > 1 else 0))
        self._monotonic, self._redis, self._lost = monotonic, redis, lost
        self._memory = MemoryStore()
        self._made: dict[tuple[bool, bool, float], Throttled] = {}
        self._down_until = -math.inf

    async def take(self, cost: int, message_class: str, share: float = 1.0) -> float | None:
        """`share`: of the rate, while the provider asks for less."""
        if self._rate is None:
            return 0.0
        is_marketing = message_class == "marketing"
        if self._redis is None:
            return await self._ask(self._memory, cost, share, is_marketing=is_marketing)
        if self._monotonic() >= self._down_until:
            try:
                async with asyncio.timeout(REDIS_S):
                    return await self._ask(self._redis, cost, share, is_marketing=is_marketing)
            except (StoreUnavailableError, RedisError, OSError, TimeoutError) as problem:
                self._down_until = self._monotonic() + DOWN_S
                self._lost()
                log.error("redis does not answer: %s", type(problem).__name__)
        if message_class != "security":
            return None
        return await self._ask(self._memory, cost, share * LOCAL_SHARE, is_marketing=False)

    async def _ask(self, store: BaseStore, cost: int, share: float, *, is_marketing: bool) -> float:
        burst = self._bursts[is_marketing]
        key = (store is self._memory, is_marketing, share)
        limiter = self._made.get(key)
        if limiter is None:
            assert self._rate is not None
            quota = _quota(self._rate * share, burst)
            limiter = self._made[key] = Throttled(
                using=RateLimiterType.GCRA.value, quota=quota, store=store
            )
        # A message longer than a burst would wait for ever.
        found = await limiter.limit(self._key, cost=max(1, min(cost, burst)))
        return max(0.001, found.state.retry_after) if found.limited else 0.0


async def close_store(store: RedisStore) -> None:
    """Its connections; the library has no way to close them."""
    client: Any = store._backend.get_client()  # noqa: SLF001
    if hasattr(client, "connection_pool"):
        await client.aclose(close_connection_pool=True)
    else:  # a cluster's
        await client.aclose()


def _quota(rate: float, burst: int) -> Quota:
    """Whole numbers are what the library takes: 2.5 a second is 5 in 2 seconds."""
    exact = Fraction(rate).limit_denominator(10_000)
    exact = max(exact, Fraction(1, 10_000))
    return quota_of(dt.timedelta(seconds=exact.denominator), exact.numerator, burst)
