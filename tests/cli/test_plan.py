"""`belfry plan` as an author, an approver and a CI job see it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from belfry.cli import main

SHARED = """\
features:
  spent: {sum: amount, of: transaction, window: 10d}
  usual: {mean: amount, of: transaction, window: 90d, at_least: 5}
  worth: {sum: balance, of: account}
segments:
  assets: {values: {private: features.worth >= 1000, mass: true}}
lists: {cash: [atm]}
"""
RULES = {
    "low": "by: account\nwhen: account.balance < 500\n",
    "much": "when: features.spent > 1000\n",
    "odd": "event: transaction\nwhen: amount > 3 * features.usual\n",
    "atm": "event: transaction\nwhen: operation in lists.cash\n",
    "daily": 'timer: {daily: "09:00"}\n',
    "chain": "sequence: [{event: login}, {event: security}]\nwithin: 2h\n",
    "rich": "event: transaction\nwhen: segments.assets == 'private'\n",
    "gone": "event: login\n",
}
TEXT = "why: because\nnotify: {class: service, channels: [push]}\n"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BELFRY_CACHE_DIR", str(tmp_path / "cache"))


def written(folder: Path, *changes: tuple[str, str], without: str = "") -> Path:
    """The rulebook, with some texts replaced."""
    files = {f"{name}.yaml": f"rule: {name}\n{text}{TEXT}" for name, text in RULES.items()}
    files |= {"shared.yaml": SHARED, "templates/low/en.push.txt": "low"}
    for name, text in files.items():
        for old, new in changes:
            text = text.replace(old, new)
        if name != f"{without}.yaml":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    return folder


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["plan", *map(str, arguments)])


def planned(tmp_path: Path, *changes: tuple[str, str], without: str = "") -> Result:
    old = written(tmp_path / "old")
    return run(old, written(tmp_path / "new", *changes, without=without))


def test_nothing_changed_is_said_in_one_line(tmp_path: Path) -> None:
    result = planned(tmp_path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[1:] == ["", "unchanged: 8 rules, 3 features, 1 segments"]


def test_all_names_what_does_not_change(tmp_path: Path) -> None:
    old, new = written(tmp_path / "old"), written(tmp_path / "new")
    shown = run(old, new, "--all").stdout
    assert all(f"rule {name}: kept" in shown for name in RULES)


EDITS = [
    ("a text", ("because", "for good reasons"), ["rule low: kept", "live state goes on",
     "why: was because", "     now for good reasons"]),
    ("a threshold", ("< 500", "< 900"), ["rule low: re evaluated", "asked again in silence",
     "when: was account.balance < 500", "      now account.balance < 900"]),
    ("a key", ("by: account\nwhen: account.balance < 500", "when: features.worth < 500"),
     ["rule low: warm up", "begins anew", "by: was account", "    now customer"]),
    ("a window", ("10d", "5d"), ["rule much: warm up",
     "says nothing until features.spent has filled once, 5 days after the switch (warming_up)",
     "feature spent: warm up", "its windows are dropped and fill anew", "window: was 10d"]),
    ("a window that need not fill", ("90d", "60d"), ["rule odd: warm up",
     "features.usual begins empty and is unknown until it has 5 values"]),
    ("a lifetime", (", window: 10d", ""), ["rule much: warm up",
     "features.spent has no window: it counts from the switch on", "window: no longer; was 10d"]),
    ("a list", ("[atm]", "[atm, till]"), ["rule atm: re evaluated",
     "when: operation in lists.cash (the same words; what they name changed)"]),
    ("a schedule", ("09:00", "10:00"), ["rule daily: re armed", "timers are derived again",
     "timer: was {daily: true, at: 09:00}", "       now {daily: true, at: 10:00}"]),
    ("a sequence", ("within: 2h", "within: 3h"), ["rule chain: warm up", "within: was 2h"]),
    ("a segment", (">= 1000", ">= 2000"), ["segment assets: re evaluated",
     "the value that holds now counts at once and is no change",
     "rule rich: re evaluated", "the next event is judged by the new condition"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"), [row[1:] for row in EDITS], ids=[row[0] for row in EDITS]
)
def test_every_edit_is_said_with_its_reason(
    tmp_path: Path, change: tuple[str, str], said: list[str]
) -> None:
    result = planned(tmp_path, change)
    assert result.exit_code == 0, result.output
    for sentence in said:
        assert sentence in result.stdout


def test_a_rule_that_goes_and_one_that_comes_are_named(tmp_path: Path) -> None:
    shown = planned(tmp_path, without="gone").stdout
    assert "rule gone: removed" in shown
    assert "rule_removed" in shown
    old, new = tmp_path / "new", tmp_path / "old"
    shown = run(old, new).stdout
    assert "rule gone: added" in shown
    assert "new: looks at events from the switch on" in shown


def test_policies_and_texts_go_on(tmp_path: Path) -> None:
    old, new = written(tmp_path / "old"), written(tmp_path / "new")
    (new / "templates/low/en.push.txt").write_text("lower", encoding="utf-8")
    (new / "caps.yaml").write_text("caps: [{name: a, limit: 1, window: 1d}]", encoding="utf-8")
    shown = run(old, new).stdout
    assert "policies: caps\n  changed; live state goes on" in shown
    assert "template: low/en.push\n  changed" in shown
    assert "unchanged: 8 rules" in shown


def test_json_has_everything_with_texts_before_and_after(tmp_path: Path) -> None:
    old, new = written(tmp_path / "old"), written(tmp_path / "new", ("< 500", "< 900"))
    found = json.loads(run(old, new, "--json").stdout)
    assert (found["schema"], len(found["rules"])) == ("belfry.plan/1", len(RULES))
    low = next(one for one in found["rules"] if one["name"] == "low")
    assert low["effects"] == ["re_evaluated"]
    assert low["changes"] == [
        {"key": "when", "old": "account.balance < 500", "new": "account.balance < 900"}
    ]


def test_a_long_text_is_shown_where_it_differs(tmp_path: Path) -> None:
    long = "because " + "of this and that " * 20
    old = written(tmp_path / "old", ("because", long + "old"))
    shown = run(old, written(tmp_path / "new", ("because", long + "new"))).stdout
    assert "that old\n" in shown
    assert "that new\n" in shown


def test_faults_of_the_new_rulebook_are_findings_and_those_of_the_old_one_are_not(
    tmp_path: Path,
) -> None:
    good, bad = written(tmp_path / "good"), written(tmp_path / "bad", ("when:", "whn:"))
    result = run(good, bad)
    assert result.exit_code == 1
    assert "error[B201]" in result.stderr
    assert run(bad, good).exit_code == 2
    assert run(good, tmp_path / "nowhere").exit_code == 2
