"""What a careless or hostile user may type: a clear sentence and exit code 2, nothing destroyed."""

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from belfry.cli import main

RULES = str(Path(__file__).parents[2] / "rules")
EVENT = '{"type":"customer","id":"1","time":"2026-01-01T00:00:00Z","customer_id":"C1"}\n'
MAPPING = """\
source: core
files:
- match: "*.csv"
  events:
  - {type: login, id: nr, time: {column: day, time_zone: UTC}, fields: {customer_id: nr}}
"""
ROWS = "nr,day\n1,2026-01-01\n"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("events.ndjson", EVENT), ("map.yaml", MAPPING), ("in.csv", ROWS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def refused(result: Result, says: str) -> None:
    assert result.exit_code == 2, result.output
    assert says in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("command", ["replay", "explain", "customer"])
@pytest.mark.parametrize(
    ("instant", "says"),
    [
        ("0001-01-01T00:00:00+14:00", "outside of the years 1900 to 2199"),
        ("9999-12-31T23:59:59Z", "outside of the years 1900 to 2199"),
        ("2026-01-01", "e.g. 2026-01-01T00:00:00+08:00"),
        ("tomorrow", "is not an instant"),
    ],
)
def test_an_instant_that_cannot_be_meant_is_refused(
    here: Path, command: str, instant: str, says: str
) -> None:
    given = ("--rules", RULES, "--events", "events.ndjson")
    arguments = {
        "replay": ("replay", *given, "--out", "out", "--until", instant),
        "explain": ("explain", *given, "--customer", "C1", "--rule", "birthday", "--at", instant),
        "customer": ("customer", "show", "C1", *given, "--at", instant),
    }
    refused(run(*arguments[command]), says)
    assert not (here / "out").exists()


@pytest.mark.parametrize("out", ["in.csv", "map.yaml", "../{name}/in.csv"])
def test_an_import_never_overwrites_what_it_reads(here: Path, out: str) -> None:
    out = out.format(name=here.name)
    refused(run("import", "map.yaml", "in.csv", "--out", out), "would be overwritten")
    assert ((here / "in.csv").read_text(), (here / "map.yaml").read_text()) == (ROWS, MAPPING)


def test_an_import_writes_events_and_quarantine_to_two_files(here: Path) -> None:
    result = run("import", "map.yaml", "in.csv", "--out", "o.ndjson", "--quarantine", "o.ndjson")
    refused(result, "would be overwritten")


def test_events_of_an_earlier_import_in_the_same_folder_are_written_anew(here: Path) -> None:
    for _ in range(2):
        assert run("import", "map.yaml", here, "--out", "o.ndjson").exit_code == 0


def test_a_replay_never_overwrites_its_events(here: Path) -> None:
    (here / "messages.ndjson").write_text(EVENT)
    result = run("replay", "--rules", RULES, "--events", "messages.ndjson", "--out", here)
    refused(result, "would be overwritten")
    assert (here / "messages.ndjson").read_text() == EVENT


def test_a_retry_never_overwrites_the_quarantine(here: Path) -> None:
    (here / "q.ndjson").write_text("")
    refused(run("quarantine", "retry", "--file", "q.ndjson", "--out", "q.ndjson"), "overwritten")


def test_a_file_nested_too_deeply_is_no_quarantine_file(here: Path) -> None:
    (here / "deep.ndjson").write_text('{"other":' + "[" * 100_000 + "]" * 100_000 + "}\n")
    refused(run("quarantine", "list", "--file", "deep.ndjson"), "nested too deeply")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"nr,day,Gr\xf6\xdfe\n1,2026-01-01,5\n", "not utf-8 at byte 9"),
        (b"nr,day\r1,2026-01-01\r", "CR alone"),
        (b"nr,day,nr\n1,2026-01-01,2\n", "column 'nr' stands twice"),
        (b'nr,"day\n' + b"1,2\n" * 200, "a quote is not closed"),
        (b"nr," + b"x" * 1_000_000 + b"\n1,2\n", "more than 262,144 bytes"),
    ],
)
def test_a_header_that_cannot_be_used_stops_the_import(
    here: Path, content: bytes, says: str
) -> None:
    (here / "in.csv").write_bytes(content)
    result = run("import", "map.yaml", "in.csv", "--out", "o.ndjson")
    refused(result, "B709")
    assert says in result.output
    assert not (here / "o.ndjson").exists()


def test_a_column_that_nobody_reads_may_stand_twice(here: Path) -> None:
    (here / "in.csv").write_text("nr,day,x,x\n1,2026-01-01,a,b\n")
    assert run("import", "map.yaml", "in.csv", "--out", "o.ndjson").exit_code == 0


def test_a_packed_file_that_ends_before_its_header_is_in_quarantine(here: Path) -> None:
    packed = gzip.compress((ROWS * 1000).encode())
    (here / "in.csv").write_bytes(packed[: len(packed) // 2])
    result = run("import", "map.yaml", "in.csv", "--out", "o.ndjson")
    assert result.exit_code == 1
    assert "1 broken_file" in result.output


def test_a_line_that_ends_with_cr_alone_is_told_as_that(here: Path) -> None:
    (here / "in.csv").write_bytes(ROWS.encode() + b"2,2026-01-01\r3,2026-01-01\n4,2026-01-01\n")
    result = run("import", "map.yaml", "in.csv", "--out", "o.ndjson")
    assert result.exit_code == 1
    assert len((here / "o.ndjson").read_text().splitlines()) == 2


def test_a_folder_without_rules_is_no_clean_rulebook(here: Path) -> None:
    (here / "empty").mkdir()
    refused(run("lint", "empty"), "no rules there")


def test_a_folder_where_a_rule_is_expected_is_told_with_the_option_that_takes_it(
    here: Path,
) -> None:
    refused(run("test", "--rules", RULES, here), f"--rules {here}")
    refused(run("test", "--rules", RULES, "brithday"), "did you mean 'birthday'?")


def test_a_file_where_a_folder_is_expected_is_told_as_that(here: Path) -> None:
    refused(run("schema", "events", "--rules", "in.csv"), "not a folder")


def test_a_limit_below_zero_is_refused(here: Path) -> None:
    (here / "q.ndjson").write_text("")
    refused(run("quarantine", "list", "--file", "q.ndjson", "--limit", "-5"), "-5")
