"""Serving around a host on a real file: what is taken reaches its provider, whatever else fails."""

import asyncio

import msgspec
import pytest
from embedded_bank import facts, login

from belfry.notifiers.dispatch import at_once
from belfry.notifiers.executor import Executor
from belfry.notifiers.limits import Limits
from belfry.notifiers.provider import Accepted
from belfry.runtime.metrics import Metrics
from belfry.runtime.service import Carrier
from belfry.runtime.serving import Request, Serving


def request(*rows):
    return Request([msgspec.json.encode(row) for row in rows])


def served(bank, work, transport=None):
    """Run `work(serving)` beside a serving loop, then stop it."""

    async def scene():
        serving = Serving(bank.host, bank.clock, transport or bank.transport, Metrics())
        running = asyncio.create_task(serving.run())
        try:
            return await work(serving)
        finally:
            serving.stop()
            await running

    return asyncio.run(scene())


class Breaking:
    """A transport with a bug."""

    async def carry(self, attempt, at=None):
        raise ZeroDivisionError("+8613800138000")


def test_a_transport_that_breaks_is_answered_as_unknown(banks, caplog):
    bank = banks()
    served(bank, lambda serving: serving.submit(request(*facts(), login(1))), Breaking())
    assert ("alarm", "unknown") in bank.attempts()  # and security is then tried anew
    assert "ZeroDivisionError" in caplog.text
    assert "138001" not in caplog.text


@pytest.mark.parametrize("method", ["next_due", "take_attempts"])
def test_what_is_due_cannot_be_read_once_and_yet_every_attempt_is_called(banks, method):
    bank = banks()
    whole = getattr(bank.host, method)
    broken = []

    def breaks_once():
        if bank.host.outbox.to_call and not broken:
            broken.append(method)
            raise OSError("the disk")
        return whole()

    setattr(bank.host, method, breaks_once)

    async def work(serving):
        first = await serving.submit(request(*facts(), login(1)))
        second = await serving.submit(request(login(2)))
        return first.body["applied"], second.body["applied"]

    assert served(bank, work) == (4, 1)
    assert broken == [method]
    assert {attempt.rule for attempt in bank.transport.called} == {"alarm"}
    assert bank.store.open_attempts() == []


class Console:
    name = "console"

    async def send(self, message):
        return Accepted()

    async def close(self): ...


def carrier(bank):
    executors = {"console": Executor("console", Limits(), bank.clock)}
    return Carrier(bank.program, {"console": Console()}, bank.clock, executors)


def test_attempts_take_their_turn_at_the_executor_of_their_provider(banks):
    bank = banks()
    transport = carrier(bank)
    served(bank, lambda serving: serving.submit(request(*facts(), login(1))), transport)
    assert bank.attempts() == [("alarm", "accepted")]
    transport.stop()
    served(bank, lambda serving: serving.submit(request(login(2))), transport)
    states = [state for _, state in bank.attempts()]
    assert states.count("accepted") == 1  # and what came after the stop was not called
    assert "rejected" in states


def test_by_events_a_provider_that_never_waits_is_called_without_a_loop(banks):
    bank = banks()
    served(bank, lambda serving: serving.submit(request(*facts(), login(1))))
    (attempt,) = bank.transport.called
    answer = at_once(carrier(bank).carry(attempt, attempt.at))
    assert (answer.result, answer.time) == ("accepted", attempt.at)
