"""The rulebook that ships is a product to copy from: clean, tested, and it shows everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from belfry.cli import main
from belfry.engine.rulebook.model import Rule, Rulebook
from belfry.notifiers.render import render
from belfry.runtime.rule_tests import run_tests
from belfry.runtime.rulebook_files import read_rulebook

RULES = Path(__file__).resolve().parents[2] / "rules"
SMS_SEGMENT = 70  # characters of one segment once a text holds one that GSM 03.38 has not

# What a customer's record may hold at the worst: long ids, amounts with all their digits.
SHOWN: Mapping[str, Any] = {
    "customer": {
        "id": "C1",
        "name": "王小明",
        "time_zone": "Asia/Shanghai",
        "id_expires_on": "2026-12-30",
        "spending_limit": 30000,
    },
    "account": {
        "id": "6222020200112233",
        "balance": "12345.67",
        "credit_limit": "50000",
        "matures_on": "2026-12-30",
    },
    "card": {"id": "6222020200112233", "expires_on": "2026-04-30"},
    "loan": {"id": "L20260101", "next_due_on": "2026-04-10", "amount_due": "12345.67"},
    "event": {
        "amount": "25000.50",
        "before": "20000.50",
        "branch": "SH-01",
        "changed": "password",
        "kind": "complaint",
        "purpose": "statement_fee",
        "expected_on": "2026-12-30",
        "time": "2026-03-02T10:15:00+08:00",
        "usual": "20000.50",
        "who": "上海市自来水有限公司",
    },
    "features": {
        "card_payments_10m": 5,
        "countries_24h": 3,
        "failed_logins_1h": 5,
        "fees_90d": 3,
        "income_30d": "21234.50",
        "spend_7d": "11234.50",
        "spend_30d": "31234.50",
        "withdrawals_1h": 4,
    },
    "bank": {"name": "Belfry", "currency": "CNY"},
    "tier": "0.75",
    "coming": "12345.67",
    "idle": "100000",
    "usual": "4321.09",
    "years": 5,
}
OPT_OUT = {"zh": ("退订", "关闭", "回复"), "en": ("stop", "turn off", "turn such", "reply")}


@pytest.fixture(scope="module")
def book() -> Rulebook:
    found, faults = read_rulebook(RULES)
    assert found is not None, faults
    return found


def test_the_rulebook_is_large_enough_to_find_an_example_in(book: Rulebook) -> None:
    assert len(book.rules) >= 45
    assert {rule.area for rule in book.rules.values()} >= {
        *("accounts", "cards", "care", "loans", "offers", "payments", "security")
    }
    assert set(book.segments) >= {"assets", "activity", "life_cycle"}


def test_the_shipped_rulebook_has_no_findings_at_all() -> None:
    result = CliRunner().invoke(main, ["lint", "--rules", str(RULES), "--strict"])
    assert result.exit_code == 0, result.output


def test_every_test_inside_the_rules_passes(book: Rulebook) -> None:
    failed = {(one.rule, one.test): one.faults for one in run_tests(book) if one.faults}
    assert failed == {}


def test_every_rule_says_why_and_has_tests(book: Rulebook) -> None:
    poor = [r.id for r in book.rules.values() if len(r.tests) < 2 or not (r.why and r.owner)]
    assert poor == []


def shown_by(rule: Rule) -> set[str]:
    """The keys of design §5 that a rule shows, triggers by their form."""
    shown = {rule.trigger}
    if rule.timer is not None:
        timer = rule.timer
        shown |= {f"timer/{timer.kind}"}
        shown |= {f"timer/{n}" for n in ("before", "after", "roll") if getattr(timer, n)}
    for name in ("absent", "except_", "goal", "holdout", "inhibits", "limit", "repeat", "rollout",
                 "supersedes", "tiers", "until", "for_", "cooldown", "notify", "task", "emit",
                 "active_from"):  # fmt: skip
        if getattr(rule, name):
            shown.add(name)
    return shown


def test_the_rules_together_show_every_trigger_modifier_and_action(book: Rulebook) -> None:
    shown = set().union(*(shown_by(rule) for rule in book.rules.values()))
    assert shown >= {
        *("change", "event", "timer", "sequence", "campaign", "absent"),
        *("timer/date", "timer/before", "timer/after", "timer/yearly", "timer/monthly"),
        *("timer/roll", "timer/weekly", "timer/daily"),
        *("for_", "until", "cooldown", "repeat", "limit", "tiers", "except_", "active_from"),
        *("rollout", "holdout", "goal", "supersedes", "inhibits"),
        *("notify", "task", "emit"),
    }


def test_the_features_together_show_every_operation_and_option(book: Rulebook) -> None:
    features = book.features.values()
    assert {feature.operation for feature in features} == {
        *("count", "sum", "mean", "min", "max", "last", "first", "distinct", "deviation")
    }
    assert any(feature.entity for feature in features)
    assert any(feature.exact for feature in features)
    assert any(feature.at_least for feature in features)
    assert any(rule.events == ("segment",) for rule in book.rules.values())


def test_every_rule_that_speaks_has_its_texts_in_every_language(book: Rulebook) -> None:
    missing = [
        (rule.id, language, channel)
        for rule in book.rules.values()
        if rule.notify is not None
        for language in book.policies.bank.languages
        for channel in rule.notify.channels
        if (rule.notify.template, language, channel) not in book.templates
    ]
    assert missing == []


def test_every_text_can_be_shown_and_a_text_message_fits_one_segment(book: Rulebook) -> None:
    for (name, language, channel), template in book.templates.items():
        text = render(template, language=language, values=SHOWN)
        assert isinstance(text, str), (name, text)
        if channel == "sms":
            assert text.startswith("【Belfry】"), text
            assert "http" not in text
            assert len(text) <= SMS_SEGMENT, text


def test_marketing_says_how_to_hear_no_more_of_it(book: Rulebook) -> None:
    names = {
        rule.notify.template
        for rule in book.rules.values()
        if rule.notify is not None and rule.notify.message_class == "marketing"
    }
    silent = [
        key
        for key, template in book.templates.items()
        if key[0] in names and not any(w in template.text.lower() for w in OPT_OUT[key[1]])
    ]
    assert names
    assert silent == []


def row(rule: Rule) -> str:
    """How README.md shows a rule."""
    notify, task, emit = rule.notify, rule.task, rule.emit
    says = [] if notify is None else [f"{notify.message_class}: {', '.join(notify.channels)}"]
    says += [] if task is None else [f"task: {task.role}"]
    says += [] if emit is None else [f"event: {emit.event}"]
    return f"| `{rule.area}/{rule.id}` | {rule.title} | {'; '.join(says)} |"


def test_the_guide_lists_every_rule_as_it_is(book: Rulebook) -> None:
    guide = (RULES / "README.md").read_text(encoding="utf-8").splitlines()
    order = sorted(book.rules.values(), key=lambda rule: (rule.area, rule.id))
    rows = [line for line in guide if re.match(r"\| `\w+/\S+` \|[^|]*\|[^|]*\|$", line)]
    assert rows == [row(rule) for rule in order]


def test_no_text_for_customers_shows_a_whole_number_of_an_account_card_or_loan(
    book: Rulebook,
) -> None:
    for key, template in book.templates.items():
        for written in re.findall(r"{{[^}]*\.id\b[^}]*}}", template.text):
            assert "masked" in written, key


def test_what_a_customer_is_told_expires_unless_the_law_wants_it_told(book: Rulebook) -> None:
    endless = [
        rule.id
        for rule in book.rules.values()
        if rule.notify is not None
        and rule.notify.expires is None
        and rule.notify.message_class != "regulatory"
    ]
    assert endless == []
