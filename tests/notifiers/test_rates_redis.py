"""Rate limits and the suppression set in a real Redis: shared, and what happens without it."""

import asyncio
import contextlib
import time

import pytest
from redis.asyncio import Redis
from redis_server import redis_server
from test_executor import Fake, Time, named, send, settle
from throttled.asyncio import RedisStore

from belfry.notifiers import executor as executors
from belfry.notifiers.executor import Executor
from belfry.notifiers.limits import Limits
from belfry.notifiers.provider import Accepted, Failure, Rejected, Retry
from belfry.notifiers.rates import DOWN_S, LOCAL_SHARE, Rates, close_store
from belfry.notifiers.suppression import MemorySuppression, RedisSuppression


@pytest.fixture
def server(tmp_path):
    with redis_server(tmp_path) as running:
        yield running


class Shared:
    """What one process has: a store and its client."""

    def __init__(self, server):
        self.store = RedisStore(server.url)

    async def __aenter__(self):
        return self.store

    async def __aexit__(self, *_):
        await close_store(self.store)


def test_four_processes_share_one_rate(server):
    limits = Limits(rate=200, burst=20)

    async def one(until):
        taken = 0
        async with Shared(server) as store:
            rates = Rates("sms", limits, monotonic=time.monotonic, redis=store)
            while (left := until - time.monotonic()) > 0:
                wait = await rates.take(1, "service")
                taken += wait == 0
                if wait:
                    # The one real wait: Redis has a clock of its own.
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(asyncio.Event().wait(), min(wait, left))
        return taken

    async def scene():
        until = time.monotonic() + 2.0
        return await asyncio.gather(*[one(until) for _ in range(4)])

    # The pauses of a busy machine may cost some; more than the rate is never taken.
    assert 100 <= sum(asyncio.run(scene())) <= 424


def test_without_redis_security_goes_on_at_a_share_and_the_rest_waits_and_is_told(server):
    clock, lost = Time(), []

    async def scene():
        async with Shared(server) as store:
            limits = Limits(rate=100, burst=10)
            rates = Rates(
                "sms", limits, monotonic=clock.monotonic, redis=store,
                lost=lambda: lost.append(1),
            )  # fmt: skip
            executor = Executor("sms", limits, clock, rates=rates, sleep=clock.sleep)
            fake = Fake()
            assert await send(executor, fake, named("before")) == Accepted()
            server.stop()
            quiet = [send(executor, fake, named(c, c)) for c in ("service", "marketing")]
            await settle()
            assert await send(executor, fake, named("alarm", "security")) == Accepted()
            said = await asyncio.gather(*quiet)
            later = Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "redis")
            assert said == [later, later]
            assert clock.passed >= executors.PATIENCE_S
            assert fake.called == ["before", "alarm"]
            assert lost
            server.start()
            clock.passed += DOWN_S
            assert await send(executor, fake, named("after")) == Accepted()

    asyncio.run(scene())


def test_the_share_of_security_without_redis_is_a_quarter_of_the_rate(server, monkeypatch):
    clock = Time()
    monkeypatch.setattr("throttled.utils.now_mono_f", clock.monotonic)
    server.stop()

    async def scene():
        async with Shared(server) as store:
            limits = Limits(rate=40, burst=1)
            rates = Rates("sms", limits, monotonic=clock.monotonic, redis=store)
            assert await rates.take(1, "service") is None
            taken = 0
            while clock.passed < 0.9:  # no second question to Redis within this time
                wait = await rates.take(1, "security")
                taken += wait == 0
                clock.passed += wait
            assert taken == pytest.approx(0.9 * 40 * LOCAL_SHARE, abs=1)

    asyncio.run(scene())


def test_a_stop_is_seen_by_all_processes_and_redis_holds_no_phone(server):
    async def scene():
        key = b"k" * 32
        async with Redis.from_url(server.url) as one, Redis.from_url(server.url) as two:
            here, there = RedisSuppression(one, key), RedisSuppression(two, key)
            await here.add("+420777123456")
            assert await there.has("+420777123456", "marketing")
            assert not await there.has("+420777123456", "security")
            assert not await there.has("+420777123457", "marketing")
            await here.add("+420777123456", ("*",))
            assert await there.has("+420777123456", "security")
            assert "777123456" not in repr(await one.keys("*"))
            await there.remove("+420777123456")
            assert not await here.has("+420777123456", "marketing")

    asyncio.run(scene())


def test_the_same_contact_has_another_hash_under_another_key():
    async def scene():
        one, other = MemorySuppression(b"a" * 32), MemorySuppression(b"b" * 32)
        for each in (one, other):
            await each.add("+420777123456")
            assert await each.has("+420777123456", "marketing")
        assert set(one._stopped).isdisjoint(other._stopped)

    asyncio.run(scene())
