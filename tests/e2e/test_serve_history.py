"""`belfry serve --clock events` decides as `belfry replay`: undisturbed, and killed repeatedly.

The judge of what was sent is the provider's own log; of what was decided, the exported lines.
"""

import json
import os
import random
import subprocess
from collections import Counter

import pytest
from live_server import COMMAND, ROOT, Server

from belfry.runtime.faultpoints import FAULTPOINTS
from belfry.runtime.sample_bank import sample_bank

PLACES = {"apply", "commit", "call", "reply"}
POINTS = [name for name in FAULTPOINTS if name.split(".")[0] in PLACES]
KILLS = int(os.environ.get("BELFRY_KILLS", "16"))
FILE_PROVIDER = b"""channels:
  sms: {contact: mobile, providers: [file]}
  push: {contact: device, providers: [file]}
  email: {contact: email, providers: [file]}
"""


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The shipped rulebook, but what it sends goes into a file."""
    import shutil

    folder = tmp_path_factory.mktemp("rules") / "rules"
    shutil.copytree(ROOT / "rules", folder)
    (folder / "policies" / "channels.yaml").write_bytes(FILE_PROVIDER)
    return folder


def bank(seed, customers=5, days=120):
    rows = sample_bank(seed=seed, customers=customers)
    return [row for row in rows if row["time"] < rows[0]["time"][:4] + f"-{1 + days // 30:02d}"]


def belfry(*arguments):
    command = [*COMMAND, *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def replayed(rules, rows, folder):
    events = folder / "events.ndjson"
    events.write_text("".join(json.dumps(row) + "\n" for row in rows))
    belfry("replay", "--rules", rules, "--events", events, "--out", folder / "out")
    return (folder / "out" / "decisions.ndjson").read_bytes()


def exported(data):
    out = data.with_suffix(".ndjson")
    belfry("decisions", "export", "--data", data, "--out", out)
    return out.read_bytes()


def lines(rows):
    return b"\n".join(json.dumps(row).encode() for row in rows)


def test_the_same_history_gives_the_same_decisions_byte_for_byte(rules, tmp_path):
    rows = bank(11)
    server = Server(tmp_path / "b.db", "--clock", "events", rules=rules)
    random_ = random.Random(1)
    at = 0
    while at < len(rows):
        size = random_.choice((1, 10, 200, 1000))
        status, said = server.post("/v1/events", lines(rows[at : at + size]))
        assert (status, said["rejected"]) == (200, [])
        at += size
    status, _ = server.post("/v1/clock/finish", b"")
    assert status == 200
    beside = exported(server.data)
    assert server.stop() == 0
    assert exported(server.data) == beside == replayed(rules, rows, tmp_path)
    assert beside.count(b"\n") > 20


def test_killed_again_and_again_nothing_is_lost_and_nothing_sent_twice(rules, tmp_path):
    rows = bank(12, customers=5 * max(1, KILLS // 16))
    random_ = random.Random(2)
    data = tmp_path / "b.db"
    kills, at, size = 0, 0, 20
    while at < len(rows):
        point = random_.choice(POINTS)
        fault = f"{point}:{random_.randint(1, 3)}:kill9" if kills < KILLS else ""
        server = Server(data, "--clock", "events", rules=rules, fault=fault)
        while at < len(rows):
            status, said = server.post("/v1/events", lines(rows[at : at + size]))
            if not status:
                kills += 1  # nobody answered: the sender sends it again
                break
            assert (status, said["rejected"]) == (200, [])
            at += size
        code = server.stop()
        assert code == (0 if status else -9)
    wanted = replayed(rules, rows, tmp_path)
    told = [one for one in exported(data).splitlines() if b'"no_answer"' not in one]
    assert told == wanted.splitlines()
    sent = Counter(json.loads(line)["message_id"] for line in
                   server.messages.read_bytes().splitlines())  # fmt: skip
    approved = {d["message_id"]: d for d in map(json.loads, told) if d["outcome"] == "send"}
    assert sent.keys() <= approved.keys()
    # A message of a class that is sent again (security) may come twice, and only then.
    twice = {approved[name]["class"] for name, count in sent.items() if count > 1}
    assert twice <= {"security"}
    assert kills == KILLS
