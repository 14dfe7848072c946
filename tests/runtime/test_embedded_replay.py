"""By events, the embedded host decides as a replay does: the same lines in the same order."""

import datetime as dt
import random

import pytest
from embedded_bank import decoded, history, replayed, shipped

from belfry.runtime.faultpoints import FAULTPOINTS, FaultInjected, action_of, arm, disarm
from belfry.runtime.ports import Batch

PROGRAM = shipped()
SIZES = (1, 7, 100, 1000)


@pytest.mark.parametrize("seed", range(3))
def test_any_batches_decide_as_a_replay(banks, seed):
    rows = history(seed)
    bank = banks(PROGRAM, by_events=True)
    random_ = random.Random(seed)
    events = decoded(PROGRAM, rows)
    while events:
        size = random_.choice(SIZES)
        bank.host.apply([Batch(events[:size])])
        events = events[size:]
    bank.host.finish()
    wanted = replayed(PROGRAM, rows)
    assert bank.decisions() == wanted
    assert len(wanted) > 20


@pytest.mark.parametrize("seed", [3, 4])
def test_restarts_and_few_records_in_memory_change_nothing(banks, seed):
    rows = history(seed, days=200)
    bank = banks(PROGRAM, by_events=True, records_max=2)
    for start in range(0, len(rows), 150):
        bank.host.apply([Batch(decoded(PROGRAM, rows[start : start + 150]))])
        bank.restart()
        # The sender did not hear that it was taken, and sends the end once more.
        bank.host.apply([Batch(decoded(PROGRAM, rows[max(0, start - 20) : start + 150]))])
    bank.host.finish()
    assert bank.decisions() == replayed(PROGRAM, rows)


POINTS = [name for name in FAULTPOINTS if name.split(".")[0] in {"apply", "commit", "call"}]


@pytest.mark.parametrize("name", POINTS)
def test_a_failure_at_any_point_leaves_memory_as_the_disk(banks, name):
    rows = history(5, days=120)
    bank = banks(PROGRAM, by_events=True)
    failed = 0
    try:
        for start in range(0, len(rows), 100):
            some = Batch(decoded(PROGRAM, rows[start : start + 100]))
            arm(name, 1 + start // 100 % 3, action_of("raise"))
            try:
                bank.host.apply([some])
            except FaultInjected:
                failed += 1
                disarm()
                bank.host.apply([Batch(decoded(PROGRAM, rows[start : start + 100]))])
            disarm()
    finally:
        disarm()
    bank.host.finish()
    told = [line for line in bank.decisions() if b'"no_answer"' not in line]
    assert told == replayed(PROGRAM, rows)
    assert failed > 1


@pytest.mark.parametrize("seed", [6, 7])
def test_joining_and_leaving_an_account_survives_restarts(banks, seed):
    rows = history(seed, days=200)
    random_ = random.Random(seed)
    moments = [row["time"] for row in rows[200::40]]
    for number, time in enumerate(moments):
        holders = random_.sample(["C1", "C2", "C3", "C4"], k=random_.randrange(1, 4))
        rows.append({
            "type": "account", "id": f"hold-{number}", "time": time, "account_id": "A2",
            "holders": [{"customer_id": one, "role": "owner"} for one in holders],
        })  # fmt: skip
    rows.sort(key=lambda row: dt.datetime.fromisoformat(row["time"]))
    bank = banks(PROGRAM, by_events=True, records_max=2)
    for start in range(0, len(rows), 97):
        bank.host.apply([Batch(decoded(PROGRAM, rows[start : start + 97]))])
        bank.restart()
    bank.host.finish()
    assert bank.decisions() == replayed(PROGRAM, rows)
