"""A rule that cannot be computed is switched off at the same event as in a replay, and stays so."""

from embedded_bank import RULES, Bank, batch, decoded, facts, program_of, replayed, spend

from belfry.engine.faulty import ERRORS_MAX
from belfry.runtime.ports import Batch

BROKEN = b"""rule: broken
event: transaction
when: account.opened_on + 1d > time
notify: {class: security, template: t, channels: [push]}
"""
PROGRAM = program_of({**RULES, "rules/broken.yaml": BROKEN})


def rows():
    last = {"type": "account", "id": "a", "time": "2026-03-01T09:00:00Z", "account_id": "A1",
            "customer_id": "C1", "opened_on": "9999-12-31"}  # fmt: skip
    fine = {**last, "id": "b", "account_id": "A2", "opened_on": "2027-01-01"}
    found = [*facts(), last, fine]
    for number in range(ERRORS_MAX + 60):
        at = f"12:{number // 60:02d}:{number % 60:02d}"
        account = "A2" if number % 7 == 0 else "A1"
        found.append({**spend(number, 10, at=at), "account_id": account})
    return found


def test_the_breaker_opens_at_the_same_event_as_in_a_replay_also_across_restarts(banks):
    bank: Bank = banks(PROGRAM, by_events=True)
    every = rows()
    for start in range(0, len(every), 25):
        bank.host.apply([Batch(decoded(PROGRAM, every[start : start + 25]))])
        bank.restart()
    bank.host.finish()
    assert bank.host.program.broken == {"broken"}
    assert bank.decisions() == replayed(PROGRAM, every)


def test_another_rulebook_gives_the_rule_another_chance(banks):
    bank: Bank = banks(PROGRAM)
    bank.host.apply([batch(PROGRAM, *rows())])
    assert bank.host.program.broken == {"broken"}
    mended = program_of({**RULES, "rules/broken.yaml": BROKEN.replace(b"1d", b"0d")})
    bank.host.reload(mended)
    assert bank.host.program.broken == frozenset()
