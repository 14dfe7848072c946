"""The life of the embedded host by the wall clock: batches, attempts, crashes, timers, refusals."""

import datetime as dt

import pytest
from embedded_bank import NOON, batch, facts, login, spend

from belfry.connectors.reasons import Reason
from belfry.notifiers.dispatch import at_once
from belfry.runtime import embedded
from belfry.runtime.faultpoints import FaultInjected, action_of, arm, disarm
from belfry.runtime.outbox import STARTED

HOUR = dt.timedelta(hours=1)
SOON = dt.timedelta(seconds=2)  # service candidates wait so long for each other
PAUSE = dt.timedelta(seconds=4)  # at most, before the first retry with the same provider


@pytest.fixture(autouse=True)
def nothing_armed():
    yield
    disarm()


def test_a_batch_is_on_disk_when_it_is_answered(banks):
    bank = banks()
    committed = bank.host.apply([batch(bank.program, *facts(), login(1))])
    assert committed.taken[0].applied == 4
    bank.restart()
    assert bank.reasons() == [("alarm", "sent")]


def test_an_attempt_is_on_disk_as_started_before_it_is_given_out(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts(), login(1))])
    assert bank.attempts() == [("alarm", STARTED)]
    assert bank.carry() == 1
    assert bank.attempts() == [("alarm", "accepted")]
    assert bank.host.take_attempts() == []


def test_an_attempt_without_an_answer_follows_the_policy_of_its_class(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts(), login(1), spend(1, 200))])
    bank.clock.at += SOON
    bank.host.tick()
    assert len(bank.host.take_attempts()) == 2
    bank.restart()
    bank.host.tick()
    assert ("large", "no_answer") in bank.reasons()
    bank.clock.at += PAUSE
    bank.host.tick()
    assert bank.attempts() == [("alarm", "unknown"), ("large", "unknown"), ("alarm", STARTED)]


def test_what_waits_for_room_is_surely_not_sent_and_tried_again_after_a_crash(banks):
    bank = banks(calls_max=1)
    rows = [row for n in range(3) for row in facts(f"C{n}")]
    logins = [login(n, f"C{n}") for n in range(3)]
    bank.host.apply([batch(bank.program, *rows, *logins)])
    assert sorted(state for _, state in bank.attempts()) == ["ready", "ready", STARTED]
    bank.carry()
    bank.restart()
    bank.host.tick()
    bank.clock.at += PAUSE
    bank.host.tick()
    while bank.carry():
        pass
    told = [attempt.customer_id for attempt in bank.transport.called]
    assert sorted(told) == ["C0", "C1", "C2"]


def test_everything_that_waits_is_called_once_room_is_free(banks):
    bank = banks(calls_max=2)
    rows = [row for n in range(7) for row in facts(f"C{n}")]
    logins = [login(n, f"C{n}") for n in range(7)]
    bank.host.apply([batch(bank.program, *rows, *logins)])
    counts = []
    while count := bank.carry():
        counts.append(count)
    assert max(counts) == 2
    assert sum(counts) == 7


def test_a_timer_fires_by_the_clock_and_in_its_grace_after_downtime(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts())])
    bank.host.tick()
    assert bank.host.next_due() == NOON + 2 * HOUR
    bank.clock.at += 3 * HOUR  # nobody ran meanwhile
    bank.restart()
    assert bank.host.tick().timers == 1
    bank.clock.at += SOON
    bank.host.tick()
    assert bank.reasons()[-1] == ("daily", "sent")


def test_a_timer_missed_by_more_than_its_grace_leaves_a_record(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts())])
    bank.host.tick()
    bank.clock.at += 5 * HOUR
    bank.restart()
    bank.host.tick()
    assert bank.reasons()[-1] == ("daily", "missed")
    assert bank.carry() == 0


@pytest.mark.parametrize("point", ["commit.begin", "commit.middle", "commit.end", "commit.done"])
def test_after_a_failed_commit_memory_is_what_the_disk_says(banks, point):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts())])
    arm(point, 1, action_of("raise"))
    with pytest.raises(FaultInjected):
        bank.host.apply([batch(bank.program, login(1), spend(1, 10))])
    is_on_disk = point == "commit.done"
    taken = bank.host.apply([batch(bank.program, login(1), spend(1, 10))]).taken[0]
    assert (taken.applied, taken.repeated) == ((0, 2) if is_on_disk else (2, 0))
    assert [one for one in bank.reasons() if one[0] != "daily"] == [("alarm", "sent")]
    bank.carry()
    bank.clock.at += PAUSE
    bank.host.tick()
    bank.carry()
    assert len(bank.transport.called) == 1


def test_a_refused_event_leaves_the_others_and_is_kept(banks):
    bank = banks()
    stray = {**spend(2, 10), "account_id": "A9"}
    del stray["customer_id"]
    early = {**spend(3, 10), "time": "2026-03-02T13:00:00Z"}
    taken = bank.host.apply([batch(bank.program, *facts(), stray, spend(1, 10), early)]).taken[0]
    assert taken.applied == 4
    found = [(place, why.reason) for place, why in taken.rejected]
    assert found == [(3, Reason.UNKNOWN_ACCOUNT), (5, Reason.OUT_OF_RANGE)]
    kept = bank.store.connection.execute("SELECT count(*) FROM quarantine").fetchone()
    assert kept == (2,)


def test_a_request_with_the_same_key_is_answered_as_before(banks):
    bank = banks()
    first = batch(bank.program, *facts(), key="k", digest="d")
    bank.host.apply([first])
    again, other = bank.host.apply([
        batch(bank.program, *facts(), key="k", digest="d"),
        batch(bank.program, spend(1, 10), key="k", digest="e"),
    ]).taken  # fmt: skip
    assert again.answer == {"accepted": 3, "applied": 3, "repeated": 0, "late": 0, "rejected": []}
    assert other.is_conflict


def test_an_event_that_breaks_the_engine_stops_no_other(banks, monkeypatch):
    bank = banks()

    def broken(program, record, event):
        if event.id == "t2":
            raise ZeroDivisionError
        return real(program, record, event)

    real = embedded.transition
    monkeypatch.setattr(embedded, "transition", broken)
    rows = [*facts(), *(spend(number, 10) for number in range(4))]
    taken = bank.host.apply([batch(bank.program, *rows)]).taken[0]
    assert (taken.applied, [why.reason for _, why in taken.rejected]) == (6, [Reason.ENGINE_FAULT])


def test_a_customer_whose_timers_break_the_engine_rests(banks, monkeypatch):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts("C1"), *facts("C2"))])
    bank.host.tick()

    def broken(program, record, event):
        if event.__class__.__name__ == "Timer" and record.customer_id == "C1":
            raise ZeroDivisionError
        return real(program, record, event)

    real = embedded.transition
    monkeypatch.setattr(embedded, "transition", broken)
    bank.clock.at += 2 * HOUR
    assert bank.host.tick().timers == 1
    assert bank.host.stuck == {"C1"}


def test_a_million_customers_need_no_more_timers_in_memory_than_a_window(banks, monkeypatch):
    from belfry.runtime import agenda

    monkeypatch.setattr(agenda, "WINDOW", 10)
    monkeypatch.setattr(agenda, "KEPT_MAX", 20)
    bank = banks(records_max=10)
    rows = [facts(f"C{number:03d}")[0] for number in range(100)]
    bank.host.apply([batch(bank.program, *rows)])
    bank.host.tick()
    bank.clock.at += 2 * HOUR
    assert bank.host.tick().timers == 100
    assert len(bank.host.agenda._heap) <= 120


def test_an_answer_whose_commit_failed_is_still_the_answer(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts(), login(1))])
    (attempt,) = bank.host.take_attempts()
    bank.host.answer(at_once(bank.transport.carry(attempt, bank.clock.now())))
    arm("commit.middle", 1, action_of("raise"))
    with pytest.raises(FaultInjected):
        bank.host.tick()
    bank.host.tick()
    bank.host.tick()
    assert bank.attempts() == [("alarm", "accepted")]


def test_an_attempt_whose_consent_ended_in_the_same_commit_is_not_given_out(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts(), spend(1, 60))])
    bank.clock.at += 6 * 60 * SOON / 2  # longer than advice and marketing wait for each other
    withdrawn = {"type": "consent", "id": "w", "time": "2026-03-02T12:00:01Z",
                 "customer_id": "C1", "purpose": "marketing", "given": False}  # fmt: skip
    bank.host.apply([batch(bank.program, withdrawn)])
    assert bank.host.take_attempts() == []
    bank.host.tick()
    assert bank.reasons()[-2:] == [("offer", "sent"), ("offer", "opted_out")]
    assert bank.attempts() == [("offer", "rejected")]


def test_memory_that_could_not_be_read_again_is_read_before_anything_else(banks, monkeypatch):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts())])
    arm("commit.middle", 1, action_of("raise"))
    with monkeypatch.context() as broken:
        broken.setattr(bank.store, "seen", lambda bytes_max: 1 / 0)  # the disk is gone for reads
        with pytest.raises(ZeroDivisionError):
            bank.host.apply([batch(bank.program, login(1))])
    assert bank.host.apply([batch(bank.program, login(1))]).taken[0].applied == 1
    bank.restart()
    assert bank.reasons().count(("alarm", "sent")) == 1


def test_what_a_crash_left_unknown_stays_unknown_when_the_next_commit_fails(banks):
    bank = banks()
    bank.host.apply([batch(bank.program, *facts(), login(1))])
    bank.host.take_attempts()
    bank.restart()
    arm("commit.middle", 1, action_of("raise"))
    with pytest.raises(FaultInjected):
        bank.host.tick()
    bank.host.tick()
    bank.host.tick()
    bank.clock.at += PAUSE
    bank.host.tick()
    assert [state for _, state in bank.attempts()] == ["unknown", STARTED]
