"""`belfry lint` and `belfry schema` as an author and a CI job see them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from belfry.cli.lint import lint, rendered
from belfry.cli.schema import schema
from belfry.engine.faults import Fault, Place, Severity

GOOD = """\
rule: low
title: Low balance
owner: team
by: account
when: account.balance < 5
notify: {class: service, template: low, channels: [sms]}
tests: [{name: nothing happens, expect: []}]
"""


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELFRY_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    folder = tmp_path / "rules"
    (folder / "accounts").mkdir(parents=True)
    (folder / "accounts" / "low.yaml").write_text(GOOD, encoding="utf-8")
    (folder / "templates" / "low").mkdir(parents=True)
    (folder / "templates" / "low" / "en.sms.txt").write_text("low", encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(lint, [str(one) for one in arguments])


def spoil(rules: Path, *changes: tuple[str, str]) -> Path:
    path = rules / "accounts" / "low.yaml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_clean_rulebook_is_one_line_and_exit_code_0(rules: Path) -> None:
    result = run(rules)
    assert result.exit_code == 0
    assert result.stdout == f"{rules}: 1 rule, 0 errors, 0 warnings\n"
    assert result.stderr == ""


def test_three_mistakes_are_shown_in_one_go_like_a_compiler_does(rules: Path) -> None:
    path = spoil(
        rules, ("when:", "whn:"), ("class: service", "class: servise"), ("[sms]", "[sms, psh]")
    )
    result = run(rules)
    assert result.exit_code == 1
    assert result.stdout == f"{rules}: 1 rule, 4 errors, 0 warnings\n"
    assert (
        f"""\
error[B201]: unknown key 'whn' in rule
 --> {path}:5:1
  |
5 | whn: account.balance < 5
  | ^^^
"""
        in result.stderr
    )
    assert "  = did you mean 'when'?\n" in result.stderr
    assert (
        """\
6 | notify: {class: servise, template: low, channels: [sms, psh]}
  |                 ^^^^^^^
  = expected: security, regulatory, service, advice, marketing
  = did you mean 'service'?
"""
        in result.stderr
    )
    assert "did you mean 'push'?" in result.stderr


def test_warnings_are_findings_only_when_strict(rules: Path) -> None:
    spoil(rules, ("owner: team\n", ""))
    assert run(rules).exit_code == 0
    assert "warning[B505]" in run(rules).stderr
    assert run(rules, "--strict").exit_code == 1


def test_the_report_is_one_json_object_on_request(rules: Path) -> None:
    spoil(rules, ("when:", "whn:"))
    result = run("--rules", rules, "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 1
    assert result.stderr == ""
    assert (report["schema"], report["rules"], report["hash"]) == ("belfry.lint/1", 1, None)
    first = report["faults"][-1]
    assert (first["code"], first["severity"], first["file"], first["line"], first["column"]) == (
        "B201", "error", "accounts/low.yaml", 5, 1,
    )  # fmt: skip
    assert first["hint"] == "did you mean 'when'?"


SOURCE = """\
source: core
files:
- match: visits.csv
  events:
  - type: branch_visit
    id: nr
    time: {column: at, format: iso}
    fields: {customer_id: who, branch: branch}
"""
VISIT = "branch_visit: {fields: {branch: {type: text, required: true}}}\n"


def with_source(rules: Path, text: str = SOURCE, events: str = VISIT) -> Path:
    for name, content in (("events", events), ("sources", text)):
        (rules / name).mkdir()
        (rules / name / "core.yaml").write_text(content, encoding="utf-8")
    return rules / "sources" / "core.yaml"


def test_sources_are_checked_with_the_rules_and_know_the_banks_own_types(rules: Path) -> None:
    with_source(rules)
    result = run(rules)
    assert result.exit_code == 0
    assert result.stdout == f"{rules}: 1 rule, 1 source, 0 errors, 0 warnings\n"


def test_faults_of_sources_events_and_rules_are_shown_in_one_go(rules: Path) -> None:
    broken = SOURCE.replace("branch: branch", "brnch: branch").replace("match:", "mach:")
    path = with_source(rules, broken, VISIT.replace("text", "txt"))
    spoil(rules, ("when:", "whn:"))
    result = run(rules)
    assert result.exit_code == 1
    assert "error[B201]: unknown key 'whn' in rule" in result.stderr
    assert f"--> {rules / 'events' / 'core.yaml'}:1:" in result.stderr
    assert f"error[B201]: unknown key 'mach' in file\n --> {path}:3:3\n" in result.stderr
    assert "did you mean 'match'?" in result.stderr
    assert "event type 'branch_visit' has no field 'brnch'" in result.stderr
    assert json.loads(run(rules, "--json").stdout)["sources"] == 1


@pytest.mark.parametrize("name", ["nothing-there", "file"])
def test_what_is_no_folder_is_a_mistake_of_usage(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    result = run(tmp_path / name)
    assert result.exit_code == 2
    assert str(tmp_path / name) in result.stderr
    assert "Traceback" not in result.stderr


def test_two_folders_are_one_too_many(rules: Path, tmp_path: Path) -> None:
    assert run(rules, "--rules", tmp_path).exit_code == 2


def test_colours_are_forced_or_refused_by_the_environment(
    rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(rules, ("when:", "whn:"))
    assert "\x1b[" not in run(rules).stderr
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31m" in run(rules).stderr
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run(rules).stderr


def fault(line: str, column: int, width: int = 1) -> Fault:
    place = Place("x.yaml", 7, column)
    return Fault("B201", place, "odd", None, None, line, width, Severity.ERROR)


def test_the_caret_stands_under_its_text_also_behind_wide_characters() -> None:
    *_, shown, caret = rendered(fault("名: 值 whn", 6, 3)).splitlines()
    assert shown == "7 | 名: 值 whn"
    assert caret == "  |        ^^^"  # two cells for each of the two Han characters


def test_a_long_line_is_cut_around_its_fault() -> None:
    *_, shown, caret = rendered(fault("a" * 5000 + "whn" + "b" * 5000, 5001, 3)).splitlines()
    assert len(shown) < 200
    assert shown[caret.index("^") : caret.index("^") + 3] == "whn"


def test_what_an_author_wrote_does_not_steer_the_terminal() -> None:
    assert "\x1b" not in rendered(fault("when: \x1b[2J\u202ex", 1))


@pytest.mark.parametrize("what", ["rules", "events", "decision"])
def test_schemas_are_json_schemas(what: str) -> None:
    result = CliRunner().invoke(schema, [what])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["$schema"].startswith("https://json-schema.org/")


def test_the_schema_of_events_includes_the_banks_own_types(rules: Path) -> None:
    (rules / "events").mkdir()
    text = "branch_visit: {fields: {branch: {type: text, required: true}}}\n"
    (rules / "events" / "ours.yaml").write_text(text, encoding="utf-8")
    result = CliRunner().invoke(schema, ["events", "--rules", str(rules), "--json"])
    made = json.loads(result.stdout)
    names = {one["properties"]["type"]["enum"][0] for one in made["$defs"].values()
             if "type" in one.get("properties", {})}  # fmt: skip
    assert "branch_visit" in names
    assert result.stdout.count("\n") == 1


def test_a_schema_of_a_broken_rulebook_shows_its_faults(rules: Path) -> None:
    spoil(rules, ("when:", "whn:"))
    result = CliRunner().invoke(schema, ["rules", "--rules", str(rules)])
    assert result.exit_code == 2
    assert "B201" in result.stderr


def test_an_unknown_schema_is_a_mistake_of_usage() -> None:
    assert CliRunner().invoke(schema, ["rule"]).exit_code == 2
