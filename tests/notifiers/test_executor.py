"""One provider's executor: who is next, how many at once, and what is said without a call."""

import asyncio
import datetime as dt

import msgspec
import pytest
from test_dispatch import NOW, attempt

from belfry.notifiers.breaker import FAILURES, OPEN_S
from belfry.notifiers.executor import Executor
from belfry.notifiers.limits import Limits
from belfry.notifiers.provider import Accepted, Failure, Rejected, Retry, Unknown

TOO_MANY = Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER)
DOWN = Unknown(Failure.TIMED_OUT)


class Pause:
    """The others of the loop run once."""

    def __await__(self):
        yield


class Time:
    """Stands still until moved; whoever sleeps moves it."""

    def __init__(self):
        self.passed = 0.0

    def now(self):
        return NOW + dt.timedelta(seconds=self.passed)

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds, wake):
        self.passed += seconds
        await Pause()


class Fake:
    """A provider whose calls end when the test says so."""

    def __init__(self, said=None):
        self.said = said or Accepted()
        self.called = []
        self.under_way = self.most = 0
        self.hold = None

    async def call(self, one, at):
        self.called.append(one.attempt_id)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            if self.hold is not None:
                await self.hold.wait()
            return self.said
        finally:
            self.under_way -= 1


def named(name, message_class="service", **changes):
    return msgspec.structs.replace(
        attempt(), attempt_id=name, message_class=message_class, **changes
    )


def made(time=None, **limits):
    time = time or Time()
    more = {"sleep": time.sleep} if limits.pop("sleeps", False) else {}
    return Executor("sms", Limits(**limits), time, **more)


async def settle():
    for _ in range(20):
        await Pause()


def send(executor, fake, one):
    return asyncio.create_task(executor.carry(one, lambda at: fake.call(one, at)))


def test_no_more_calls_at_once_than_there_are_slots():
    async def scene():
        executor, fake = made(concurrency=3), Fake()
        fake.hold = asyncio.Event()
        tasks = [send(executor, fake, named(f"a{n}")) for n in range(20)]
        await settle()
        assert fake.under_way == 3
        fake.hold.set()
        assert await asyncio.gather(*tasks) == [Accepted()] * 20
        assert fake.most == 3

    asyncio.run(scene())


def test_the_most_urgent_class_is_next_and_within_a_class_the_first_come():
    async def scene():
        executor, fake = made(concurrency=1), Fake()
        fake.hold = asyncio.Event()
        classes = ["service", "marketing", "advice", "service", "regulatory", "security"]
        tasks = [send(executor, fake, named("first"))]
        await settle()
        tasks += [send(executor, fake, named(f"{c}{n}", c)) for n, c in enumerate(classes)]
        await settle()
        fake.hold.set()
        await asyncio.gather(*tasks)
        assert fake.called == [
            "first", "security5", "regulatory4", "service0", "service3", "advice2", "marketing1",
        ]  # fmt: skip

    asyncio.run(scene())


def test_marketing_never_takes_the_last_slots_and_security_has_one_at_once():
    async def scene():
        executor, fake = made(concurrency=8), Fake()
        fake.hold = asyncio.Event()
        tasks = [send(executor, fake, named(f"m{n}", "marketing")) for n in range(50)]
        await settle()
        assert fake.under_way == 6
        tasks.append(send(executor, fake, named("alarm", "security")))
        await settle()
        assert fake.called[-1] == "alarm"
        fake.hold.set()
        await asyncio.gather(*tasks)

    asyncio.run(scene())


def test_marketing_leaves_the_last_of_a_burst_to_security():
    async def scene():
        executor, fake = made(rate=0.01, burst=8), Fake()
        tasks = [send(executor, fake, named(f"m{n}", "marketing")) for n in range(50)]
        await settle()
        assert len(fake.called) == 6
        alarm = send(executor, fake, named("alarm", "security"))
        assert await asyncio.wait_for(alarm, 2) == Accepted()
        executor.stop()
        said = await asyncio.gather(*tasks)
        later = Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "stopping")
        assert said.count(Accepted()) == 6
        assert said.count(later) == 44

    asyncio.run(scene())


def test_the_rate_holds_over_a_minute(monkeypatch):
    time = Time()
    monkeypatch.setattr("throttled.utils.now_mono_f", time.monotonic)

    async def scene():
        executor, fake = made(time, rate=20, burst=1, sleeps=True), Fake()
        tasks = [send(executor, fake, named(f"a{n}")) for n in range(1200)]
        await asyncio.gather(*tasks)
        assert 59.4 <= time.passed <= 60.6

    asyncio.run(scene())


def test_a_message_costs_its_segments_and_one_longer_than_a_burst_still_leaves(monkeypatch):
    time = Time()
    monkeypatch.setattr("throttled.utils.now_mono_f", time.monotonic)

    async def scene():
        executor, fake = made(time, rate=10, burst=4, sleeps=True), Fake()
        executor._cost = lambda one: 2
        await asyncio.gather(*[send(executor, fake, named(f"a{n}")) for n in range(102)])
        assert time.passed == pytest.approx(20, abs=0.3)
        executor._cost = lambda one: 7
        assert await send(executor, fake, named("long")) == Accepted()

    asyncio.run(scene())


def test_a_provider_that_says_too_many_is_called_by_half_as_many_at_once():
    async def scene():
        executor, fake = made(concurrency=8), Fake(TOO_MANY)
        await send(executor, fake, named("a"))
        fake.hold = asyncio.Event()
        tasks = [send(executor, fake, named(f"a{n}", "security")) for n in range(9)]
        await settle()
        assert fake.under_way == 4
        fake.hold.set()
        fake.said = Accepted()
        await asyncio.gather(*tasks)

    asyncio.run(scene())


def test_an_open_breaker_sends_the_attempt_elsewhere_and_one_call_tries_again():
    async def scene():
        time = Time()
        executor, fake = made(time), Fake(DOWN)
        elsewhere = Rejected(Failure.UNAVAILABLE, Retry.OTHER_PROVIDER, "breaker open")
        for n in range(FAILURES):
            assert await send(executor, fake, named(f"a{n}")) == DOWN
        assert await send(executor, fake, named("b")) == elsewhere
        time.passed += OPEN_S
        fake.hold = asyncio.Event()
        trial = send(executor, fake, named("trial"))
        await settle()
        assert await send(executor, fake, named("c")) == elsewhere
        fake.hold.set()
        assert await trial == DOWN
        time.passed += OPEN_S  # twice as long now
        assert await send(executor, fake, named("d")) == elsewhere
        time.passed += OPEN_S
        fake.said = Accepted()
        assert await send(executor, fake, named("e")) == Accepted()
        assert await send(executor, fake, named("f")) == Accepted()
        assert fake.called == ["a0", "a1", "a2", "a3", "a4", "trial", "e", "f"]

    asyncio.run(scene())


def test_a_trial_that_was_suppressed_leaves_the_breaker_to_the_next():
    async def scene():
        time = Time()
        executor, fake = made(time), Fake(DOWN)
        for n in range(FAILURES):
            await send(executor, fake, named(f"a{n}"))
        time.passed += OPEN_S
        await executor.suppression.add("+420777", ("*",))
        said = await send(executor, fake, named("gone", address="+420777"))
        assert said == Rejected(Failure.OPTED_OUT, Retry.NEVER)
        fake.said = Accepted()
        assert await send(executor, fake, named("b")) == Accepted()

    asyncio.run(scene())


def test_a_call_that_hangs_is_unknown_and_its_slot_is_free_again():
    async def scene():
        executor, fake = made(concurrency=1, timeout_s=0.01), Fake()
        fake.hold = asyncio.Event()
        assert await send(executor, fake, named("hangs")) == Unknown(Failure.TIMED_OUT)
        fake.hold = None
        assert await send(executor, fake, named("next")) == Accepted()

    asyncio.run(scene())


def test_a_call_that_breaks_is_unknown_and_its_slot_is_free_again():
    async def breaks(at):
        raise ZeroDivisionError("+8613800138000")

    async def scene():
        executor, fake = made(concurrency=1), Fake()
        said = await executor.carry(named("a"), breaks)
        assert said == Unknown(Failure.CRASHED, "ZeroDivisionError")
        assert await send(executor, fake, named("next")) == Accepted()

    asyncio.run(scene())


def test_a_turn_that_breaks_is_answered_and_the_others_have_theirs(caplog):
    async def scene():
        executor, fake = made(), Fake()
        executor._cost = lambda one: 1 // len(one.attempt_id.removeprefix("bad"))
        said = await asyncio.gather(*[send(executor, fake, named(n)) for n in ("bad", "good")])
        assert said == [
            Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "executor"),
            Accepted(),
        ]
        assert "ZeroDivisionError" in caplog.text

    asyncio.run(scene())


def test_who_waited_too_long_is_expired_and_never_called():
    async def scene():
        time = Time()
        executor, fake = made(time, concurrency=1), Fake()
        fake.hold = asyncio.Event()
        first = send(executor, fake, named("first"))
        await settle()
        late = send(executor, fake, named("late", expires_at=NOW + dt.timedelta(seconds=5)))
        await settle()
        time.passed = 5.0
        fake.hold.set()
        assert await first == Accepted()
        assert await late == Rejected(Failure.EXPIRED, Retry.NEVER)
        assert fake.called == ["first"]

    asyncio.run(scene())


def test_a_stop_while_the_message_waits_is_honoured_and_security_still_comes():
    async def scene():
        executor, fake = made(concurrency=1), Fake()
        fake.hold = asyncio.Event()
        tasks = [send(executor, fake, named("first"))]
        await settle()
        tasks += [send(executor, fake, named(c, c)) for c in ("marketing", "security")]
        await settle()
        await executor.suppression.add(attempt().address)
        fake.hold.set()
        said = await asyncio.gather(*tasks)
        assert said == [Accepted(), Rejected(Failure.OPTED_OUT, Retry.NEVER), Accepted()]
        assert fake.called == ["first", "security"]
        assert attempt().address not in repr(vars(executor.suppression))
        await executor.suppression.remove(attempt().address)
        assert await send(executor, fake, named("again", "marketing")) == Accepted()

    asyncio.run(scene())


def test_a_suppression_set_that_cannot_be_read_lets_security_through_only():
    class Broken:
        async def has(self, address, message_class):
            raise ConnectionError("redis")

    async def scene():
        executor, fake = made(), Fake()
        executor.suppression = Broken()
        said = await send(executor, fake, named("a", "service"))
        assert said == Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "suppression set")
        assert await send(executor, fake, named("b", "security")) == Accepted()

    asyncio.run(scene())


def test_more_than_may_wait_are_asked_again_later_but_security_waits():
    async def scene():
        executor, fake = made(concurrency=1, waiting_max=2), Fake()
        fake.hold = asyncio.Event()
        tasks = [send(executor, fake, named("first"))]
        await settle()
        tasks += [send(executor, fake, named(f"a{n}")) for n in range(3)]
        tasks.append(send(executor, fake, named("alarm", "security")))
        await settle()
        fake.hold.set()
        said = await asyncio.gather(*tasks)
        assert said.count(Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER, "too many wait")) == 1
        assert said[-1] == Accepted()

    asyncio.run(scene())


def test_whoever_gives_up_waiting_leaves_no_trace():
    async def scene():
        executor, fake = made(concurrency=1), Fake()
        fake.hold = asyncio.Event()
        first = send(executor, fake, named("first"))
        await settle()
        gone = send(executor, fake, named("gone"))
        await settle()
        gone.cancel()
        await settle()
        fake.hold.set()
        assert await first == Accepted()
        assert await send(executor, fake, named("next")) == Accepted()
        assert fake.called == ["first", "next"]
        assert executor._under_way == 0

    asyncio.run(scene())


def test_the_ears_hear_how_long_each_waited():
    heard = []

    class Ears:
        def waited(self, provider, message_class, seconds):
            heard.append((provider, message_class, seconds))

        def goes(self, provider, waiting, pace, *, is_open): ...

    async def scene():
        time = Time()
        executor, fake = Executor("sms", Limits(), time, ears=Ears()), Fake()
        await send(executor, fake, named("a"))
        assert heard == [("sms", "service", 0.0)]

    asyncio.run(scene())
