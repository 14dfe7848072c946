"""`belfry preview` as an author sees it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from belfry.cli.program import main

RULE = """\
rule: low
title: Low balance
owner: team
by: account
when: account.balance < 5
notify: {class: service, template: low, channels: [push, sms]}
tests:
  - name: nothing happens
    given: {at: "2026-03-02T10:00:00+08:00", account: {balance: 10}}
    expect: []
  - name: it falls
    given: {account: {balance: 10}}
    events:
      - {at: "2026-03-02T10:00:00+08:00", type: account, balance: 3}
    expect: [{at: "2026-03-02T10:00:00+08:00", send: push}]
"""
BANK = """\
bank: {time_zone: Asia/Shanghai, language: en, languages: [zh], currency: CNY}
channels:
  push: {contact: device}
  sms: {contact: mobile, price: 0.045}
"""


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BELFRY_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "rules"
    write(folder / "accounts" / "low.yaml", RULE)
    write(folder / "policies" / "bank.yaml", BANK)
    texts = folder / "templates" / "low"
    write(texts / "en.sms.txt", "Balance {{ account.balance | money }}\u202f– “low” " + "a" * 140)
    write(texts / "zh.sms.txt", "余额 {{ account.balance | money }}")
    write(texts / "en.push.txt", "Balance {{ account.balance | money }}")
    return folder


def previewed(rules: Path, *words: str) -> Result:
    return CliRunner().invoke(main, ["preview", *words, "--rules", str(rules)])


def rows(result: Result) -> dict[tuple[str, str], dict[str, object]]:
    found = [json.loads(line) for line in result.stdout.splitlines()]
    return {(one["channel"], one["language"]): one for one in found}


def test_each_channel_and_language_is_shown_with_segments_and_cost(rules: Path) -> None:
    result = previewed(rules, "low", "--json")
    assert result.exit_code == 0, result.output
    shown = rows(result)
    assert list(shown) == [("push", "en"), ("push", "zh"), ("sms", "en"), ("sms", "zh")]
    assert {one["test"] for one in shown.values()} == {"it falls"}
    chinese = shown["sms", "zh"]
    assert chinese["text"] == "余额 ¥3.00"
    assert (chinese["alphabet"], chinese["segments"], chinese["cost"]) == ("ucs2", 1, "0.045")
    assert (shown["push", "en"]["segments"], shown["push", "en"]["cost"]) == (None, None)


def test_a_text_message_is_shown_and_counted_as_it_is_sent(rules: Path) -> None:
    write(rules / "templates" / "low" / "en.sms.txt", "“low”\u202f– " + "a" * 155)
    english = rows(previewed(rules, "low", "--json"))["sms", "en"]
    assert english["text"] == '"low" - ' + "a" * 155
    assert (english["alphabet"], english["units"], english["segments"]) == ("gsm7", 163, 2)
    assert english["cost"] == "0.090"


def test_a_language_without_a_text_shows_which_one_stands_in(rules: Path) -> None:
    result = previewed(rules, "low")
    assert "push zh · low/en.push.txt · " in result.output
    assert "sms zh · low/zh.sms.txt · 8 units of ucs2, 1 segment · costs 0.045" in result.output


def test_a_text_that_cannot_be_made_is_named_and_ends_with_1(rules: Path) -> None:
    write(rules / "templates" / "low" / "zh.sms.txt", "余额 {{ event.description }}")
    result = previewed(rules, "low", "--json")
    broken = rows(result)["sms", "zh"]
    assert result.exit_code == 1
    assert broken["text"] is None
    assert broken["fault"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["lwo"], "low"),
        (["low", "--test", "no such"], "it falls"),
        (["low", "--test", "nothing happens"], "no test of it sends"),
    ],
)
def test_what_cannot_be_shown_says_why_and_what_there_is(
    rules: Path, words: list[str], said: str
) -> None:
    result = previewed(rules, *words)
    assert result.exit_code == 2
    assert said in result.output
