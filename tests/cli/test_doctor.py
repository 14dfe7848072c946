"""`belfry doctor`: every finding has a verdict, a bad one a remedy and exit code 1."""

import json

import pytest
from click.testing import CliRunner

from belfry.cli import main


@pytest.fixture
def rules(tmp_path):
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "one.yaml").write_text(
        "rule: one\nevent: login\nnotify: {class: security, template: t, channels: [push]}\n"
    )
    (folder / "bank.yaml").write_text("bank: {time_zone: UTC}\n")
    return folder


def doctor(*arguments, **environment):
    found = CliRunner().invoke(main, ["doctor", *map(str, arguments), "--json"], env=environment)
    rows = [json.loads(line) for line in found.output.splitlines() if line.startswith("{")]
    return found.exit_code, {row["what"]: row for row in rows}


def test_a_good_place_has_nothing_bad(rules, tmp_path):
    code, rows = doctor("--rules", rules, "--data", tmp_path / "b.db")
    assert code == 0
    assert {"python", "disk", "data", "clock", "tokens", "rulebook", "zone"} <= rows.keys()
    assert rows["tokens"]["verdict"] == "warning"


@pytest.mark.parametrize("what", ["rulebook", "data", "tokens", "disk"])
def test_what_is_bad_is_named_with_a_remedy(rules, tmp_path, what):
    data, more = tmp_path / "b.db", []
    if what == "rulebook":
        (rules / "one.yaml").write_text("rule: one\nwehn: true\n")
    elif what == "data":
        data.write_text("something else " * 100)
    elif what == "tokens":
        more = ["--listen", "0.0.0.0:1"]
    else:
        data = tmp_path / "nowhere" / "b.db"
    code, rows = doctor("--rules", rules, "--data", data, *more)
    assert code == 1
    assert rows[what]["verdict"] == "problem"
    assert rows[what]["remedy"]


def test_a_token_is_not_shown(rules, tmp_path):
    found = doctor(
        "--rules", rules, "--data", tmp_path / "b.db", BELFRY_API_TOKEN="very-secret-token-1"
    )
    assert "very-secret" not in str(found)
