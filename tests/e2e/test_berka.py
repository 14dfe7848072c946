"""The whole path against brute force: import, replay, and every decision computed a second time.

The rules of berka_rules/ are computed in berka_oracle.py and their gates in berka_gates.py,
straight from the .asc files. Runs on the small seeded bank always, and on the Berka year where it
is: in the folder that BELFRY_BERKA names, or ../shared/data/berka beside the repository.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

import berka_gates
import berka_oracle
import pytest
from berka_oracle import END, PRAGUE, Bank, read_bank
from click.testing import CliRunner
from sample_bank import write_sample_bank

from belfry.cli import main

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "rules"
TEST_RULES = Path(__file__).parent / "berka_rules"
BERKA = Path(os.environ.get("BELFRY_BERKA", ROOT.parent / "shared" / "data" / "berka"))
BANKS = ["sample", "berka"] if BERKA.is_dir() else ["sample"]
TEST_RULE_IDS = sorted(path.stem for path in (TEST_RULES / "history").glob("*-*.yaml"))
UNTIL = END.isoformat()

Shipped = tuple[str, int, int, str, str, str]


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """One bank, imported: its files, its events, and where the replays of this run are kept."""

    name: str
    bank: Bank
    events: Path
    people: Path
    folder: Path


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> History:
    folder = tmp_path_factory.mktemp("sample")
    data = folder / "asc"
    data.mkdir()
    write_sample_bank(data)
    return imported("sample", data, folder)


@pytest.fixture(scope="session", params=BANKS)
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> History:
    if request.param == "sample":
        found: History = request.getfixturevalue("sample")
        return found
    return imported("berka", BERKA, tmp_path_factory.mktemp("berka"))


def imported(name: str, data: Path, folder: Path) -> History:
    events, people = folder / "events.ndjson", folder / "people.ndjson"
    belfry("import", RULES / "sources" / "berka.yaml", data, "--out", events)
    bank = read_bank(data)
    rows = berka_gates.people_events(bank.births, customer_name(events))
    people.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return History(name, bank, events, people, folder)


def belfry(*arguments: object) -> str:
    """Run a command as a user would; it must succeed."""
    result = CliRunner().invoke(main, [str(one) for one in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def customer_name(events: Path) -> str:
    """How the import names customers, such as `C{}`."""
    with events.open() as lines:
        first = next(one for line in lines if (one := json.loads(line))["type"] == "customer")
    return re.sub(r"\d+", "{}", first["customer_id"])


@lru_cache(maxsize=8)
def replayed(history: History, rules: Path, *, with_people: bool) -> Path:
    """The folder that a replay wrote; each is run once."""
    out = history.folder / f"{rules.name}-{with_people}"
    people = ["--events", history.people] if with_people else []
    belfry("replay", "--rules", rules, *people, "--events", history.events, "--out", out,
           "--until", UNTIL)  # fmt: skip
    return out


@lru_cache(maxsize=2)
def rulebook_of_test(history: History) -> Path:
    """The rules of this test, and the bank's own event types of the import."""
    rules = history.folder / "rulebook"
    shutil.copytree(TEST_RULES, rules)
    (rules / "events").mkdir()
    shutil.copy(RULES / "events" / "berka.yaml", rules / "events")
    return rules


@lru_cache(maxsize=2)
def expected(history: History) -> Counter[berka_gates.Told]:
    return berka_gates.decide(berka_oracle.candidates(history.bank))


def decisions(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "decisions.ndjson").read_text().splitlines()]


def number(name: str) -> int:
    return int(re.sub(r"\D", "", name))


def told(one: dict[str, Any]) -> berka_gates.Told:
    """A decision record as the oracle's tuple. Only what goes out has a channel that counts."""
    at = dt.datetime.fromisoformat(one["at"]).astimezone(dt.UTC)
    channel = one["channel"] if one["outcome"] in ("send", "hold") else None
    key = number(one["key"])
    return one["rule"], number(one["customer_id"]), key, at, one["outcome"], one["reason"], channel


def assert_same(got: Counter[Any], want: Counter[Any]) -> None:
    missing = sorted((want - got).elements())
    unexpected = sorted((got - want).elements())
    assert (missing[:5], len(missing), unexpected[:5], len(unexpected)) == ([], 0, [], 0)


@pytest.mark.parametrize("rule", TEST_RULE_IDS)
def test_every_decision_equals_the_brute_force(history: History, rule: str) -> None:
    out = replayed(history, rulebook_of_test(history), with_people=True)
    got = Counter(told(one) for one in decisions(out) if one["rule"] == rule)
    want = Counter({one: n for one, n in expected(history).items() if one[0] == rule})
    assert want, "the data must give this rule something to decide"
    assert_same(got, want)


def test_the_check_reaches_every_kind_of_decision(history: History) -> None:
    kinds = {(one[4], one[5]) for one in expected(history)}
    assert kinds >= {
        ("send", "sent"),
        ("hold", "quiet_hold"),
        ("task", "raised"),
        ("suppress", "cap_advice_month"),
        ("suppress", "cooldown"),
        ("suppress", "lost_arbitration"),
        ("suppress", "no_consent"),
        ("suppress", "no_contact"),
        ("suppress", "opted_out"),
    }


def test_the_brute_force_notices_a_rule_that_is_slightly_wrong(sample: History) -> None:
    wrong = sample.folder / "wrong"
    shutil.copytree(rulebook_of_test(sample), wrong)
    rule = wrong / "history" / "big-debit.yaml"
    rule.write_text(rule.read_text().replace("cooldown: 10d", "cooldown: 9d"))
    out = replayed(sample, wrong, with_people=True)
    got = Counter(told(one) for one in decisions(out) if one["rule"] == "big-debit")
    assert got != Counter({one: n for one, n in expected(sample).items() if one[0] == "big-debit"})


def test_joint_holders_have_decisions_of_their_own(history: History) -> None:
    out = replayed(history, rulebook_of_test(history), with_people=True)
    spoken = {(one["rule"], number(one["key"]), number(one["customer_id"]))
              for one in decisions(out)}  # fmt: skip
    joint = {account: held for account, held in history.bank.holders.items() if len(held) > 1}
    for rule in ("big-debit", "low-state"):
        keys = {key for name, key, _ in spoken if name == rule and key in joint}
        assert keys
        for key in keys:
            assert {who for name, k, who in spoken if (name, k) == (rule, key)} == set(joint[key])


# --- the shipped rules ----------------------------------------------------------------------------
def shipped_large_payment(bank: Bank) -> list[Shipped]:
    return [
        ("large-payment", client, account, day(row.at), "suppress", "no_contact")
        for account, rows in bank.rows.items()
        for client in bank.holders[account]
        for row in rows
        if row.is_debit and row.amount >= 20_000
    ]


def shipped_salary_arrived(bank: Bank) -> list[Shipped]:
    return [
        ("salary-arrived", client, client, day(row.at), "suppress", "no_contact")
        for account, rows in bank.rows.items()
        for client in bank.holders[account]
        for row in rows
        if not row.is_debit and row.purpose == "DUCHOD"
    ]


def shipped_birthday(bank: Bank) -> list[Shipped]:
    found: list[Shipped] = []
    for client, born in bank.births.items():
        is_leap_child = (born.month, born.day) == (2, 29)
        on = dt.date(1993, 2, 28) if is_leap_child else born.replace(year=1993)
        found.append(("birthday", client, client, on.isoformat(), "suppress", "no_consent"))
    return found


def shipped_low_balance(bank: Bank) -> list[Shipped]:
    """Below 500, over at 600; asked again two seconds later, with the day's other bookings."""
    found: list[Shipped] = []
    for account, rows in bank.rows.items():
        is_firing = False
        for row in rows:
            if is_firing:
                is_firing = row.balance < 600
                continue
            is_firing = row.balance < 500
            if is_firing:
                end_of_day = berka_oracle.balance_at(tuple(rows), row.at)
                reason = "no_contact" if end_of_day < 500 else "not_true_any_more"
                for client in bank.holders[account]:
                    one = ("low-balance", client, account, day(row.at), "suppress", reason)
                    found.append(one)
    return found


def day(at: dt.datetime) -> str:
    return at.astimezone(PRAGUE).date().isoformat()


SHIPPED = {
    "birthday": shipped_birthday,
    "large-payment": shipped_large_payment,
    "low-balance": shipped_low_balance,
    "salary-arrived": shipped_salary_arrived,
}


@pytest.mark.parametrize("rule", sorted(SHIPPED))
def test_shipped_rules_decide_like_the_brute_force(history: History, rule: str) -> None:
    out = replayed(history, RULES, with_people=False)
    got = Counter(
        (rule, number(one["customer_id"]), number(one["key"]), one["at"][:10], one["outcome"],
         one["reason"])
        for one in decisions(out) if one["rule"] == rule
    )  # fmt: skip
    want = Counter(SHIPPED[rule](history.bank))
    assert want or (history.name, rule) == ("sample", "large-payment")
    assert_same(got, want)


# --- the run itself ------------------------------------------------------------------------------
def test_every_event_is_accounted_for(history: History) -> None:
    out = replayed(history, RULES, with_people=False)
    summary = json.loads((out / "summary.json").read_text())
    lines = len(history.events.read_text().splitlines())
    counted = summary["events"]
    assert counted["in"] == lines
    assert counted["quarantined"] == 0
    assert counted["by_type"]["transaction"] == sum(
        len(rows) for rows in history.bank.rows.values()
    )
    assert summary["decisions"] == len(decisions(out))
    assert summary["errors"] == {}


def test_a_replay_gives_the_same_bytes_under_any_hash_seed(sample: History) -> None:
    rules = rulebook_of_test(sample)
    first = replayed(sample, rules, with_people=True)
    again = sample.folder / "again"
    subprocess.run(
        [
            *(sys.executable, "-c", "from belfry.cli import main; main()", "replay"),
            *("--rules", rules, "--events", sample.people, "--events", sample.events),
            *("--out", again, "--until", UNTIL),
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
    )
    for name in ("decisions.ndjson", "messages.ndjson", "summary.json"):
        assert (first / name).read_bytes() == (again / name).read_bytes(), name


# --- why, and why not ----------------------------------------------------------------------------
def explained(history: History, client: int, rule: str) -> dict[str, Any]:
    customer = customer_name(history.events).format(client)
    output = belfry(
        "explain", "--rules", rulebook_of_test(history), "--events", history.people,
        "--events", history.events, "--customer", customer, "--rule", rule,
        "--at", UNTIL, "--json",
    )  # fmt: skip
    found: dict[str, Any] = json.loads(output)
    return found


def test_explain_shows_every_decision_of_a_rule_that_spoke(history: History) -> None:
    often = Counter(one[1] for one in expected(history) if one[0] == "low-state")
    client = max(often, key=lambda one: (often[one], one))
    shown = Counter(
        (dt.datetime.fromisoformat(one["at"]).astimezone(dt.UTC), one["outcome"], one["reason"])
        for one in explained(history, client, "low-state")["decisions"]
    )
    want: Counter[Any] = Counter()
    for one, times in expected(history).items():
        if one[:2] == ("low-state", client):
            want[one[3:6]] += times
    assert_same(shown, want)


def test_explain_names_the_condition_that_kept_a_rule_silent(history: History) -> None:
    spoke = {one[1] for one in expected(history) if one[0] == "big-debit"}
    client, last = next(
        (held[0], rows[-1])
        for account, rows in sorted(history.bank.rows.items())
        if not spoke & set(held := history.bank.holders[account]) and rows[-1].is_debit
    )
    found = explained(history, client, "big-debit")
    assert found["decisions"] == []
    (leaf,) = found["looked"][-1]["nearest_failing"]
    figures = {Decimal(one) for one in re.findall(r"\d+(?:\.\d+)?", leaf)}
    assert "amount" in leaf
    assert last.amount in figures
