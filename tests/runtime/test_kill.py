"""The real store, killed again and again: by itself at fault points, from outside at any instant.

Each life is a process of its own (a fork) on the same file, with the `file` provider; the judge is
that provider's log, and an undisturbed run.
"""

import contextlib
import datetime as dt
import itertools
import json
import os
import random
import select
import signal
from collections import Counter

from embedded_bank import StillClock

from belfry.connectors.codec import Decoder
from belfry.notifiers.dispatch import carry_out
from belfry.notifiers.providers.file import File
from belfry.runtime.embedded import Host
from belfry.runtime.faultpoints import arm
from belfry.runtime.ports import Batch
from belfry.runtime.simulation.rulebook import programs
from belfry.runtime.simulation.world import make_world
from belfry.runtime.store_sqlite import SqliteStore

PROGRAM = programs()[0]
KILLS = 200
SIZE = 4  # events in a batch
POINTS = (
    "apply.begin", "apply.end", "commit.begin", "commit.middle", "commit.end", "commit.done",
    "call.before", "call.after",
)  # fmt: skip
LIFE_S = 0.03  # the longest before a kill from outside


class Filing:
    """Every provider of the rulebook writes to one file."""

    def __init__(self, path):
        file = File(path=path)
        self.providers = dict.fromkeys(("alpha", "beta", "gamma"), file)

    async def carry(self, attempt, at=None):
        return await carry_out(attempt, PROGRAM.book, self.providers, at=at or attempt.at)


def history(seed):
    """Events of several small worlds, in order of time."""
    decoder = Decoder(PROGRAM.book.event_types)
    found = []
    for number in range(2):
        for request in make_world(random.Random(f"{seed} {number}")).requests:
            for raw in request.rows:
                event = decoder.decode_event(raw.replace(b'"id": "', b'"id": "%d-' % number))
                if hasattr(event, "time"):
                    found.append(event)
    return sorted(found, key=lambda event: event.time)


def live(folder, events):
    """One life: goes on where the file says; the whole of it if nobody interferes."""
    store = SqliteStore(folder / "bank.db")
    host = Host(PROGRAM, store, StillClock(), Filing(folder / "sent.ndjson"), by_events=True)
    start = int(store.position("test", "events") or 0)
    while start < len(events):
        place = ("test", "events", str(start + SIZE).encode())
        host.apply([Batch(events[start : start + SIZE], positions=[place])])
        start += SIZE
    host.finish(events[-1].time + dt.timedelta(days=2))
    store.close()


def born(folder, events, fault, delay_s):
    """A child that lives until it is done or killed; True if it was killed."""
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(BaseException):
            if fault is not None:
                arm(*fault, lambda: os.kill(os.getpid(), signal.SIGKILL))
            live(folder, events)
            code = 0
        os._exit(code)
    if fault is None:
        select.select([], [], [], delay_s)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def state(folder):
    """Decisions without those that only say that an answer never came, records, log."""
    store = SqliteStore(folder / "bank.db")
    rows = store.connection.execute("SELECT line FROM decisions ORDER BY number")
    lines = [line for (line,) in rows if b'"no_answer"' not in line]
    records = dict(store.connection.execute("SELECT id, record FROM customers"))
    unknown = store.connection.execute(
        "SELECT message_id FROM attempts WHERE state = 'unknown'"
    ).fetchall()
    assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert store.open_attempts() == []
    store.close()
    sent = [json.loads(line) for line in (folder / "sent.ndjson").read_bytes().splitlines()]
    return lines, records, sent, {message for (message,) in unknown}


def test_killed_hundreds_of_times_it_ends_where_an_undisturbed_life_does(tmp_path):
    kills = Counter()
    for seed in itertools.count(1):
        if kills.total() >= KILLS:
            break
        folders = [tmp_path / f"{word}{seed}" for word in ("killed", "calm")]
        for folder in folders:
            folder.mkdir()
        events = history(seed)
        live(folders[1], events)
        killed(folders[0], events, random.Random(seed), kills)
        compare(*folders)
    assert set(kills) == {"from outside", *POINTS}


def killed(folder, events, random_, kills):
    """All lives that it takes."""
    while True:
        by_itself = random_.random() < 0.7
        fault = (random_.choice(POINTS), random_.randrange(1, 6)) if by_itself else None
        if kills.total() >= KILLS:
            fault = ("finish.before", 10**6)
        if not born(folder, events, fault, random_.random() * LIFE_S):
            return
        kills["from outside" if fault is None else fault[0]] += 1


def compare(disturbed, undisturbed):
    """Same decisions, same records; only security comes twice, and only where it is recorded."""
    lines, records, sent, unknown = state(disturbed)
    calm = state(undisturbed)
    assert lines == calm[0]
    assert records == calm[1]
    attempts = Counter(one["attempt_id"] for one in sent)
    assert [one for one, count in attempts.items() if count > 1] == []
    twice = {one for one, count in Counter(one["message_id"] for one in sent).items() if count > 1}
    assert {one["class"] for one in sent if one["message_id"] in twice} <= {"security"}
    assert twice <= unknown
    missing = {one["message_id"] for one in calm[2]} - {one["message_id"] for one in sent}
    assert missing <= unknown
