"""The rulebooks under docs/examples hold what they promise."""

import re
from pathlib import Path

import pytest

from belfry.notifiers.render import render
from belfry.runtime.rule_tests import run_tests
from belfry.runtime.rulebook_files import read_rulebook

CANADA = Path(__file__).parents[1] / "docs" / "examples" / "canada"
# Bank Act s. 627.13: charges may be imposed; what the customer can do; by when.
MUST_SAY = {
    "en": ("Charges may be imposed", r"(Deposit|Make a payment)", "before the end of the day"),
    "fr": (
        "frais peuvent s'appliquer",
        r"Faites un (dépôt|paiement)",
        "avant la fin de la journée",
    ),
}
VALUES = {
    "account": {"id": "00123456789", "balance": 99, "available_credit": 88, "currency": "CAD"},
    "bank": {"name": "Maple Bank", "currency": "CAD", "country": "CA"},
    "customer": {"time_zone": "America/Toronto"},
}
BOOK, FAULTS = read_rulebook(CANADA)
assert BOOK is not None
TEXTS = sorted(BOOK.templates)


def test_the_canadian_rulebook_has_no_finding_and_its_tests_pass() -> None:
    assert FAULTS == []
    results = list(run_tests(BOOK))
    assert {result.rule for result in results} == set(BOOK.rules)
    assert [result.faults for result in results if result.faults] == []


def test_every_notice_exists_in_both_languages_on_every_channel_of_its_rule() -> None:
    wanted = {
        (rule.notify.template, language, channel)
        for rule in BOOK.rules.values()
        for language in BOOK.policies.bank.languages
        for channel in rule.notify.channels
    }
    assert wanted == set(TEXTS)


@pytest.mark.parametrize("name", TEXTS, ids=".".join)
def test_every_notice_says_the_three_things_that_the_law_wants(name: tuple[str, str, str]) -> None:
    text = render(BOOK.templates[name], language=name[1], values=VALUES)
    assert isinstance(text, str)
    assert [point for point in MUST_SAY[name[1]] if not re.search(point, text)] == []
    assert "00123456789" not in text
