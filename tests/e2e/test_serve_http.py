"""A real `belfry serve` over HTTP: what it takes, what it refuses, and what it says of itself."""

import json
import shutil
import subprocess
import urllib.request

import pytest
from live_server import COMMAND, ROOT, Server

EVENT = {"type": "login", "customer_id": "C1", "time": "2026-03-02T12:00:00Z"}
SECRET_NAME = "Zhang Xiuying"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serve")
    shutil.copytree(ROOT / "rules", folder / "rules")
    running = Server(folder / "bank.db", rules=folder / "rules")
    yield running
    assert running.stop() == 0


def login(number, **more):
    return {**EVENT, "id": f"http-{number}", **more}


def envelope(number):
    data = {"customer_id": "C1"}
    return {"specversion": "1.0", "type": "login", "source": "core", "id": f"ce-{number}",
            "time": EVENT["time"], "data": data}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "body", "count"),
    [
        ("application/json", json.dumps(login("one")).encode(), 1),
        ("application/json", json.dumps([login("a1"), login("a2")]).encode(), 2),
        ("application/x-ndjson", b"\n".join(json.dumps(login(n)).encode() for n in "xyz"), 3),
        ("application/cloudevents+json", json.dumps(envelope(1)).encode(), 1),
        (
            "application/cloudevents-batch+json",
            json.dumps([envelope(2), envelope(3)]).encode(),
            2,
        ),
        ("application/x-www-form-urlencoded", json.dumps(login("curl")).encode(), 1),
    ],
)
def test_events_come_alone_as_an_array_as_lines_and_as_cloudevents(server, kind, body, count):
    status, said = server.post("/v1/events", body, **{"Content-Type": kind})
    assert (status, said["applied"], said["rejected"]) == (200, count, [])


def test_the_good_ones_of_a_batch_are_taken_and_the_bad_ones_named(server):
    bad = login("bad")
    del bad["time"]
    status, said = server.post("/v1/events", [login("g1"), bad, login("g2"), {"type": "nonsense"}])
    assert (status, said["applied"]) == (200, 2)
    found = [(one["index"], one["field"], one["reason"]) for one in said["rejected"]]
    assert found == [(1, "time", "missing_field"), (3, None, "unknown_type")]


def test_a_repeat_changes_nothing(server):
    server.post("/v1/events", login("twice"))
    status, said = server.post("/v1/events", login("twice"))
    assert (status, said["applied"], said["repeated"]) == (200, 0, 1)


def test_an_idempotency_key_gets_the_first_answer_again(server):
    key = {"Idempotency-Key": "k-1"}
    first = server.post("/v1/events", login("key"), **key)
    assert server.post("/v1/events", login("key"), **key) == first
    status, _ = server.post("/v1/events", login("other"), **key)
    assert status == 409


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/v1/events", b"", 400, "empty"),
        ("/v1/events", b"[1, 2", 400, "array"),
        ("/v1/events", b'{"type": "login"}', 422, "no record"),
        ("/v1/events", b"[" + b"1," * 10_000 + b"1]", 413, "10,000"),
        ("/v1/clock/finish", b"", 409, "wall"),
        ("/v1/nothing", b"", 404, "Not Found"),
        ("/v1/decisions", b"", 405, "Method"),
    ],
)
def test_what_is_refused_gets_a_problem_document(server, path, body, status, word):
    found, said = server.post(path, body)
    assert found == status
    assert word in said["detail"]
    assert said["headers"]["content-type"] == "application/problem+json"


def test_a_body_too_large_is_refused(server):
    status, _ = server.post("/v1/events", b" " * (17 * 1024 * 1024))
    assert status in {413, 0}  # it may hang up before the client wrote all


@pytest.mark.parametrize("given", ["", "Bearer wrong-token-wrong-token", "Basic abc"])
def test_without_the_token_nobody_gets_in(server, given):
    status, said = server.get("/v1/decisions", Authorization=given)
    assert status == 401
    assert said["headers"]["www-authenticate"] == "Bearer"


def test_health_and_readiness(server):
    server.post("/v1/events", login("ready"))
    for path, word in (("/healthz", "alive"), ("/readyz", "ready")):
        with urllib.request.urlopen(server.url + path) as reply:
            assert json.loads(reply.read()) == {"status": word}


def test_every_metric_is_of_the_table_and_no_label_is_a_person(server):
    from belfry.runtime.metrics import METRICS

    name = {"type": "customer", "id": "person", "time": EVENT["time"], "customer_id": "C-SECRET-1",
            "name": SECRET_NAME}  # fmt: skip
    server.post("/v1/events", [name, login("person", customer_id="C-SECRET-1")])
    text = server.text("/metrics")
    declared = {one.name.removesuffix("_total") for one in METRICS}
    typed = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    families = {one.removesuffix("_total") for one in typed if not one.endswith("_created")}
    assert families == declared
    assert "C-SECRET" not in text
    assert SECRET_NAME not in text
    assert 'belfry_events_applied_total{type="login"}' in text


def test_a_faulty_rulebook_never_replaces_a_good_one(server):
    rule = server.data.parent / "rules" / "cards" / "lost-card.yaml"
    good = rule.read_bytes()
    before = server.post("/v1/rulebook/reload", b"")[1]["rulebook"]
    try:
        rule.write_bytes(good.replace(b"rule: lost-card", b"rule: lost-card\nwehn: true"))
        status, said = server.post("/v1/rulebook/reload", b"")
        assert status == 422
        assert "lost-card.yaml" in said["faults"][0]
        assert "belfry_rulebook_reload_successful 0.0" in server.text("/metrics")
        assert server.post("/v1/events", login("after-fault"))[0] == 200
        rule.write_bytes(good + b"\n# another text, the same meaning\n")
        status, said = server.post("/v1/rulebook/reload", b"")
        assert status == 200
    finally:
        rule.write_bytes(good)
    assert server.post("/v1/rulebook/reload", b"")[1]["rulebook"] == before
    assert "belfry_rulebook_reload_successful 1.0" in server.text("/metrics")


def test_a_second_process_on_the_same_file_is_refused(server):
    command = [*COMMAND, "serve", "--rules", str(ROOT / "rules"), "--data", str(server.data),
               "--listen", "127.0.0.1:0"]  # fmt: skip
    second = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert second.returncode == 2
    assert "another process serves this file" in second.stderr


def test_without_a_token_only_this_machine_is_served(tmp_path):
    command = [*COMMAND, "serve", "--rules", str(ROOT / "rules"), "--data", str(tmp_path / "x.db"),
               "--listen", "0.0.0.0:0"]  # fmt: skip
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "BELFRY_API_TOKEN" in refused.stderr


def test_a_backup_of_a_running_server_is_a_data_file(server, tmp_path):
    server.post("/v1/events", [login("backup-1"), login("backup-2")])
    copy = tmp_path / "copy.db"
    command = [*COMMAND, "backup", "--data", str(server.data), "--out", str(copy)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    restored = Server(copy)
    try:
        status, said = restored.post("/v1/events", [login("backup-1"), login("new")])
        assert (status, said["repeated"], said["applied"]) == (200, 1, 1)
        assert restored.get("/v1/decisions?limit=1000")[0] == 200
    finally:
        assert restored.stop() == 0
