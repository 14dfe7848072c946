"""`belfry import`: files in, events out, everything accounted for; nothing half-written."""

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from belfry.cli import main

MAPPING = """\
source: core
time_zone: Europe/Prague
files:
- match: logins*.csv
  events:
  - {type: login, id: "L-{id}", time: day, fields: {customer_id: "C{id}"}}
"""
GOOD = "id,day\n2,2026-01-02\n1,2026-01-01\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "core.yaml").write_text(MAPPING)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "logins.csv").write_text(GOOD)
    return tmp_path


def run(folder: Path, *more: str) -> Result:
    paths = [str(folder / "core.yaml"), str(folder / "data")]
    out = ["--out", str(folder / "out" / "events.ndjson")]
    return CliRunner().invoke(main, ["import", *paths, *out, *more])


def ids(folder: Path) -> list[str]:
    lines = (folder / "out" / "events.ndjson").read_text().splitlines()
    return [json.loads(line)["id"] for line in lines]


def test_events_are_written_in_order_of_time(folder: Path) -> None:
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert ids(folder) == ["L-1", "L-2"]
    assert [one.name for one in (folder / "out").iterdir()] == ["events.ndjson"]


def test_the_report_accounts_for_every_row(folder: Path) -> None:
    (folder / "data" / "logins-2.csv").write_text("id,day\n3,2026-02-30\n\n4,2026-01-01\n")
    (folder / "data" / "notes.txt").write_text("hello")
    result = run(folder)
    assert result.exit_code == 1
    for said in (
        "logins-2.csv",
        "3 login",
        "quarantined: 1 bad_time",
        "2026-01-01T00:00:00+01:00 to 2026-01-02T00:00:00+01:00",
        "not in the mapping: notes.txt",
        "belfry quarantine list --file",
    ):
        assert said in result.output


def test_the_report_as_json(folder: Path) -> None:
    (folder / "data" / "logins-2.csv").write_text("id,day\n3,2026-02-30\n\n4,2026-01-01\n")
    report = json.loads(run(folder, "--json").stdout)
    assert report["schema"] == "belfry.import/1"
    counted = (report["rows"], report["events"], report["skipped"], report["quarantined"])
    assert counted == (5, 3, 1, 1)
    assert report["by_type"] == {"login": 3}
    assert report["quarantined_by_reason"] == {"bad_time": 1}


def test_importing_again_changes_nothing(folder: Path) -> None:
    (folder / "data" / "logins-2.csv").write_text("id,day\n3,2026-02-30\n")
    first = {run(folder).exit_code: read_all(folder / "out")}
    assert first == {run(folder).exit_code: read_all(folder / "out")}


def read_all(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_what_was_refused_leaves_quarantine_when_its_file_is_imported_well(folder: Path) -> None:
    path = folder / "data" / "logins.csv"
    path.write_text(GOOD.replace("01-02", "02-30"))
    assert run(folder).exit_code == 1
    path.write_text(GOOD)
    assert run(folder).exit_code == 0
    assert (folder / "out" / "quarantine.ndjson").read_bytes() == b""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MAPPING.replace("type: login", "type: logni"), "did you mean 'login'?"),
        (MAPPING.replace("time: day", "time: date"), "no column 'date' in logins.csv"),
        (MAPPING.replace("logins*", "nothing"), "none of the files given fits"),
        ("{", "B103"),
    ],
)
def test_a_mapping_that_does_not_fit_writes_nothing(folder: Path, text: str, said: str) -> None:
    (folder / "core.yaml").write_text(text)
    result = run(folder)
    assert result.exit_code == 2
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert not (folder / "out").exists()


def test_a_quarantine_file_of_another_kind_is_not_overwritten(folder: Path) -> None:
    (folder / "mine.txt").write_text("precious")
    (folder / "data" / "logins.csv").write_text("id,day\n3,2026-02-30\n")
    result = run(folder, "--quarantine", str(folder / "mine.txt"))
    assert result.exit_code == 2
    assert (folder / "mine.txt").read_text() == "precious"
    assert not (folder / "out").exists()


def test_own_event_types_come_from_the_rulebook_around_the_mapping(folder: Path) -> None:
    rules = folder / "rules"
    (rules / "sources").mkdir(parents=True)
    (rules / "events").mkdir()
    (rules / "events" / "visit.yaml").write_text("events:\n  visit:\n    doc: A visit.\n")
    mapping = MAPPING.replace("type: login", "type: visit")
    (rules / "sources" / "core.yaml").write_text(mapping)
    (folder / "core.yaml").write_text(mapping)
    assert run(folder).exit_code == 2
    assert run(folder, "--rules", str(rules)).exit_code == 0
    inside = CliRunner().invoke(
        main,
        ["import", str(rules / "sources" / "core.yaml"), str(folder / "data"), "--out",
         str(folder / "out" / "events.ndjson")],
    )  # fmt: skip
    assert inside.exit_code == 0, inside.output


@pytest.mark.parametrize("argument", ["absent.yaml", "core.yaml"])
def test_a_file_that_is_not_there_is_a_usage_error(folder: Path, argument: str) -> None:
    arguments = ["import", str(folder / argument), str(folder / "absent"), "--out", "x"]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert "does not exist" in result.stderr


@pytest.mark.parametrize("hidden", [".DS_Store", ".logins.csv.swp"])
def test_hidden_files_are_no_data(folder: Path, hidden: str) -> None:
    (folder / "data" / hidden).write_bytes(os.urandom(20))
    assert run(folder).exit_code == 0
