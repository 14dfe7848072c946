"""The life of a real `belfry serve` by the wall clock: folders, signals, a disk that refuses."""

import json
import signal
import threading
from datetime import UTC, datetime

import pytest
from live_server import Server

RULES = {
    "login.yaml": "rule: login\nevent: login\n"
    "notify: {class: security, template: t, channels: [push]}\n",
    "policies/bank.yaml": "bank: {time_zone: UTC, language: en}\n",
    "policies/channels.yaml": "channels:\n  push: {contact: device, providers: [file]}\n",
    "templates/t/en.push.txt": "A login",
}
NOW = datetime.now(UTC).isoformat()
MAPPING = f"""source: core
files:
- match: ["logins*.csv"]
  events:
  - type: login
    id: "{{id}}"
    time: {{constant: "{NOW}"}}
    fields:
      customer_id: "{{who}}"
"""
PATIENCE_S = 30


@pytest.fixture
def place(tmp_path):
    for name, text in RULES.items():
        (tmp_path / "rules" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "rules" / name).write_text(text)
    (tmp_path / "core.yaml").write_text(MAPPING)
    (tmp_path / "inbox").mkdir()
    return tmp_path


@pytest.fixture
def serve(place):
    made = []

    def start(*options, **more):
        made.append(Server(place / "bank.db", *options, rules=place / "rules", **more))
        return made[-1]

    yield start
    for server in made:
        server.stop()


def device(customer):
    return {"type": "contact", "id": f"d-{customer}", "time": NOW, "customer_id": customer,
            "kind": "device", "address": "token", "verified": True, "primary": True}  # fmt: skip


def login(number, customer="C1"):
    return {"type": "login", "id": f"l-{number}", "time": NOW, "customer_id": customer}


def until(ask):
    """Ask again and again, for a while, until there is an answer."""
    pause = threading.Event()
    for _ in range(PATIENCE_S * 20):
        found = ask()
        if found:
            return found
        pause.wait(0.05)
    raise AssertionError("nothing happened")


def sent(server):
    if not server.messages.exists():
        return []
    return [json.loads(line)["customer_id"] for line in server.messages.read_text().splitlines()]


def test_files_of_a_watched_folder_are_taken_once(serve, place):
    watch = ("--watch", f"{place / 'core.yaml'}={place / 'inbox'}")
    server = serve(*watch)
    server.post("/v1/events", [device("C1"), device("C2")])
    (place / "inbox" / "logins-1.csv").write_text("id,who\n1,C1\n2,C2\n3,\n")
    until(lambda: len(sent(server)) == 2)
    assert server.stop() == 0
    again = serve(*watch)
    (place / "inbox" / "logins-2.csv").write_text("id,who\n4,C1\n")
    until(lambda: len(sent(again)) == 3)
    assert 'belfry_events_total{outcome="repeated"}' not in again.text("/metrics")


def test_a_signal_reloads_and_a_faulty_rulebook_is_not_taken(serve, place):
    server = serve()
    rule = place / "rules" / "login.yaml"
    good = rule.read_text()
    for text, shown in ((good + "wehn: true\n", "0.0"), (good + "cooldown: 1h\n", "1.0")):
        rule.write_text(text)
        server.process.send_signal(signal.SIGHUP)
        line = f"belfry_rulebook_reload_successful {shown}"
        until(lambda line=line: line in server.text("/metrics"))
    server.post("/v1/events", [device("C1"), login(1), login(2)])
    found = until(lambda: server.get("/v1/decisions")[1]["decisions"])
    assert [one["reason"] for one in found] == ["sent", "cooldown"]


def test_a_disk_that_refuses_is_told_to_the_sender_who_comes_again(serve):
    server = serve(fault="commit.end:2:raise")
    status, said = server.post("/v1/events", [device("C1"), login(1)])
    if status == 200:
        status, said = server.post("/v1/events", [login(2)])
    assert status == 503
    assert said["headers"]["retry-after"] == "5"
    status, said = server.post("/v1/events", [device("C1"), login(1), login(2)])
    assert (status, said["accepted"]) == (200, 3)
    until(lambda: len(sent(server)) == 2)


def test_a_stop_leaves_nothing_open(serve, place):
    server = serve()
    server.post("/v1/events", [device("C1"), *(login(number) for number in range(50))])
    assert server.stop(signal.SIGINT) == 0
    assert len(sent(server)) == 50
    again = serve()
    again.post("/v1/events", [login(0)])
    assert len(sent(again)) == 50


def test_killed_while_it_sends_nothing_is_lost_and_only_security_comes_twice(serve):
    points = ("call.before:3", "call.after:5", "commit.done:4", "commit.end:3", "reply.before:2")
    number = 0
    for point in points:
        server = serve(fault=f"{point}:kill9")
        while True:
            rows = [device(f"C{number}"), login(number, f"C{number}")]
            if server.post("/v1/events", rows)[0] == 200:
                number += 1
                if server.process.poll() is not None or number % 40 == 0:
                    break
            else:
                break
        server.stop()
    last = serve()
    last.post("/v1/events", [device(f"C{number}"), login(number, f"C{number}")])
    until(lambda: len(set(sent(last))) == number + 1)
