"""The executors of a process, as the settings want them: with Redis, or each on its own.

In: providers, settings, a clock, the metrics. Out: an executor for each provider, put down at the
end. Invariant: no connection is made here; a Redis that is down is no reason not to start.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

from redis.asyncio import Redis
from throttled.asyncio import RedisStore

from belfry.notifiers.executor import Executor
from belfry.notifiers.limits import Limits
from belfry.notifiers.rates import REDIS_S, Rates, close_store
from belfry.notifiers.suppression import MemorySuppression, RedisSuppression, Suppression
from belfry.runtime.metrics import Metrics
from belfry.runtime.ports import Clock
from belfry.runtime.settings import Settings

NO_LIMITS = Limits()


@contextlib.asynccontextmanager
async def open_executors(
    names: Iterable[str], settings: Settings, clock: Clock, metrics: Metrics
) -> AsyncIterator[dict[str, Executor]]:
    """By the name of the provider."""
    store, client = _redis(settings.redis)
    suppression: Suppression = MemorySuppression(settings.contact_key.encode())
    if client is not None and settings.contact_key:
        suppression = RedisSuppression(client, settings.contact_key.encode())
    lost = metrics["belfry_redis_failures_total"].inc
    opened = {}
    for name in names:
        limits = settings.limits.get(name, NO_LIMITS)
        rates = Rates(name, limits, monotonic=clock.monotonic, redis=store, lost=lost)
        opened[name] = Executor(
            name, limits, clock, rates=rates, suppression=suppression, ears=metrics
        )
    try:
        yield opened
    finally:
        for executor in opened.values():
            executor.stop()
        if store is not None:
            await close_store(store)


def _redis(url: str) -> tuple[RedisStore | None, Redis | None]:
    """The store of the rate limiter and its client: one pool of connections for both uses."""
    if not url:
        return None, None
    patience = {"socket_timeout": REDIS_S, "socket_connect_timeout": REDIS_S}
    store = RedisStore(url, options={"CONNECTION_POOL_KWARGS": patience})
    client: Any = store._backend.get_client()  # noqa: SLF001  (one pool)
    return store, client
