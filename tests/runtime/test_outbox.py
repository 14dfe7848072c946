"""The outbox: what is begun with a commit, and who waits for whom."""

import msgspec
import pytest
from embedded_bank import batch, facts, login

from belfry.runtime import bounds
from belfry.runtime.outbox import STARTED


def want(bank, *rows):
    """Bring attempts with these (id, changes) into the outbox, as a batch would; what is begun."""
    if not bank.transport.called:
        bank.host.apply([batch(bank.program, *facts(), login(1))])
        bank.transport.called += bank.host.take_attempts()
    (shape,) = bank.transport.called

    def work():
        for name, changes in rows:
            bank.host.outbox.want(msgspec.structs.replace(shape, attempt_id=name, **changes))

    bank.host._guarded(work)
    return [one.attempt_id for one in bank.host.outbox.take()]


def test_neither_class_waits_for_the_other(banks):
    bank = banks(calls_max=2)
    offers = [(f"offer{n}", {"message_class": "marketing"}) for n in range(9)]
    assert want(bank, *offers) == ["offer0", "offer1"]
    assert want(bank, ("alarm1", {}), ("alarm2", {})) == ["alarm1"]  # one is under way already
    assert bank.host.outbox.waiting == 8
    assert [state for _, state in bank.attempts()].count(STARTED) == 4


def test_a_provider_that_never_answers_keeps_its_own_room_only(banks):
    bank = banks(calls_max=1)
    assert want(bank, ("behind", {}), ("beside", {"provider": "another"})) == ["beside"]
    assert want(bank, ("also", {"provider": "a third"})) == ["also"]
    assert not bank.host.outbox.has_room


@pytest.mark.parametrize(("name", "is_full"), [("marketing", False), ("security", True)])
def test_a_burst_of_marketing_keeps_nobody_out(banks, monkeypatch, name, is_full):
    monkeypatch.setattr(bounds, "READY_MAX", 3)
    bank = banks(calls_max=1)
    want(bank, *[(f"a{n}", {"message_class": name}) for n in range(5)])
    assert bank.host.outbox.waiting >= 4
    assert bank.host.is_full == is_full
