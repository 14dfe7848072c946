"""`belfry quarantine`: what was refused can be seen, and tried again; nothing is lost."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from belfry.cli import main
from belfry.connectors.quarantine import QuarantineRecord, read_quarantine, write_quarantine
from belfry.connectors.reasons import Reason, Rejected

MAPPING = """\
source: core
time_zone: UTC
codes: {way: {IN: credit}}
tables:
  people: {match: people.csv, key: id}
files:
- match: in.csv
  events:
  - type: transaction
    id: "T-{id}"
    time: day
    fields:
      account_id: "A1"
      amount: amount
      direction: {column: way, codes: way}
      counterparty: {object: {name: {table: people, key: id, take: name}}}
"""
ROWS = "id,day,amount,way\n1,2026-01-01,5.00,IN\n2,2026-01-01,6.00,OUT\n3,2026-01-01,-,OUT\n"
VISIT = b'{"type":"visit","id":"V-1","time":"2026-01-01T00:00:00Z","customer_id":"C1"}'


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An import with two rows in quarantine."""
    (tmp_path / "core.yaml").write_text(MAPPING.replace('"A1"', '{constant: "A1"}'))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "in.csv").write_text(ROWS)
    (tmp_path / "data" / "people.csv").write_text("id,name\n1,Jana\n2,Petr\n3,Eva\n")
    done = run("import", tmp_path / "core.yaml", tmp_path / "data", "--out", tmp_path / "e.ndjson")
    assert done.exit_code == 1, done.output
    return tmp_path


def test_list_says_how_many_why_and_where(folder: Path) -> None:
    result = run("quarantine", "list", "--file", folder / "quarantine.ndjson")
    assert result.exit_code == 0
    assert "1  unknown_word" in result.output
    assert "1  bad_number" in result.output
    assert "in.csv:3: transaction.direction: expected a word" in result.output


def test_list_as_json(folder: Path) -> None:
    found = json.loads(run("quarantine", "list", "--json", "--file",
                           folder / "quarantine.ndjson").stdout)  # fmt: skip
    assert found["count"] == 2
    assert [one["reason"] for one in found["groups"]] == ["bad_number", "unknown_word"]


def test_list_shows_no_more_than_asked(folder: Path) -> None:
    result = run("quarantine", "list", "--limit", 1, "--file", folder / "quarantine.ndjson")
    assert "in.csv:4" not in result.output
    assert "1 more" in result.output


def test_show_gives_the_bytes_of_one_record(folder: Path) -> None:
    result = run("quarantine", "show", 1, "--file", folder / "quarantine.ndjson")
    assert "2,2026-01-01,6.00,OUT" in result.output
    assert "columns: id, day, amount, way" in result.output
    found = json.loads(run("quarantine", "show", 1, "--json", "--file",
                           folder / "quarantine.ndjson").stdout)  # fmt: skip
    assert base64.b64decode(found["raw"]) == b"2,2026-01-01,6.00,OUT"


def test_bytes_of_strangers_do_not_steer_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "q.ndjson"
    raw = b"\x1b[2Jhello\x00\xff\n\xe2\x80\xaeevil"
    write_quarantine(path, [QuarantineRecord.of(Rejected(Reason.BROKEN_JSON, "not JSON"), raw)])
    shown = run("quarantine", "show", 1, "--file", path).output
    assert "\\x1b[2Jhello\\x00\\xff\\n\\u202eevil" in shown


@pytest.mark.parametrize("number", [0, 3, "x"])
def test_a_number_that_is_none_is_a_usage_error(folder: Path, number: object) -> None:
    result = run("quarantine", "show", number, "--file", folder / "quarantine.ndjson")
    assert result.exit_code == 2


def test_a_file_that_is_no_quarantine_is_a_usage_error(folder: Path) -> None:
    result = run("quarantine", "list", "--file", folder / "e.ndjson")
    assert result.exit_code == 2
    assert "not a quarantine file" in result.stderr
    assert "Traceback" not in result.output


def test_retry_moves_what_a_corrected_mapping_makes_good(folder: Path) -> None:
    kept, out = folder / "quarantine.ndjson", folder / "e.ndjson"
    path = folder / "core.yaml"
    path.write_text(path.read_text().replace("IN: credit", "IN: credit, OUT: debit"))
    arguments = ("quarantine", "retry", "--file", kept, "--source", path, "--data",
                 folder / "data", "--out", out, "--json")  # fmt: skip
    result = run(*arguments)
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout) == {"before": 2, "good": 1, "events": 1, "kept": 1}
    events = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one["id"] for one in events] == ["T-1", "T-2"]
    assert events[1]["counterparty"] == {"name": "Petr"}
    assert [one.line for one in read_quarantine(kept)] == [4]
    assert json.loads(run(*arguments).stdout) == {"before": 1, "good": 0, "events": 0, "kept": 1}


def test_retry_without_its_mapping_keeps_every_row(folder: Path) -> None:
    before = list(read_quarantine(folder / "quarantine.ndjson"))
    result = run("quarantine", "retry", "--file", folder / "quarantine.ndjson", "--out",
                 folder / "more.ndjson")  # fmt: skip
    assert result.exit_code == 1
    assert list(read_quarantine(folder / "quarantine.ndjson")) == before
    assert not (folder / "more.ndjson").exists()


def test_retry_with_a_faulty_mapping_changes_nothing(folder: Path) -> None:
    before = (folder / "quarantine.ndjson").read_bytes()
    (folder / "core.yaml").write_text("source: core\nflies: []\n")
    result = run("quarantine", "retry", "--file", folder / "quarantine.ndjson", "--source",
                 folder / "core.yaml", "--out", folder / "more.ndjson")  # fmt: skip
    assert result.exit_code == 2
    assert "did you mean 'files'?" in result.stderr
    assert (folder / "quarantine.ndjson").read_bytes() == before


def test_events_are_good_once_the_rulebook_knows_their_type(tmp_path: Path) -> None:
    kept = tmp_path / "q.ndjson"
    refused = Rejected(Reason.UNKNOWN_TYPE, "unknown type 'visit'")
    write_quarantine(kept, [QuarantineRecord.of(refused, VISIT.replace(b",", b",\n"), "web")])
    (tmp_path / "rules" / "events").mkdir(parents=True)
    (tmp_path / "rules" / "events" / "visit.yaml").write_text("events: {visit: {doc: A visit.}}")
    result = run("quarantine", "retry", "--file", kept, "--rules", tmp_path / "rules", "--out",
                 tmp_path / "more.ndjson")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert (tmp_path / "more.ndjson").read_bytes() == VISIT + b"\n"
    assert list(read_quarantine(kept)) == []
