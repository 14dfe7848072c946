"""Templates, lists and the hash: what a rulebook holds beside its rules."""

import itertools
from decimal import Decimal

import pytest

from belfry.engine.faults import Severity
from belfry.engine.rulebook.load import load_rulebook
from belfry.engine.rulebook.model import Rulebook


def load(*texts: str, **files: str) -> Rulebook:
    """Texts become files of their own; keyword names are paths with __ for / (no suffix)."""
    named = {f"a/f{number}.yaml": text for number, text in enumerate(texts)}
    named |= {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()}
    book, faults = load_rulebook({path: text.encode() for path, text in named.items()})
    assert book is not None, [str(fault) for fault in faults]
    return book


def test_templates_are_found_by_name_language_and_channel() -> None:
    files = {
        "templates/low/zh.sms.txt": "余额{{ account.balance }}".encode(),
        "templates/low/en.email.html": b"<p>{{ limit }}</p>",
        "templates/low/en.email.txt": b"{{ limit }}",
    }
    book, _ = load_rulebook(files)
    assert book is not None
    assert set(book.templates) == {("low", "zh", "sms"), ("low", "en", "email")}
    assert book.templates["low", "en", "email"].format == "html"
    assert book.templates["low", "zh", "sms"].names == {"account"}


@pytest.mark.parametrize(
    ("path", "code"),
    [("templates/low/sms.txt", "B216"), ("templates/zh.sms.txt", "B216")],
)
def test_a_template_that_does_not_say_what_it_is_is_a_fault(path: str, code: str) -> None:
    book, faults = load_rulebook({path: b"x"})
    assert book is None
    assert [fault.code for fault in faults] == [code]


def test_the_hash_is_of_the_content_alone() -> None:
    one = load(a__x="rule: x\nevent: login\ntask: {role: desk}\n", lists__l="l: [a]\n")
    other = load(
        b__y="# moved\nrule: 'x'\nevent:   login\ntask:\n  role: desk\n", z="lists: {l: ['a']}\n"
    )
    assert one.hash == other.hash
    assert one.rules["x"].text_hash == other.rules["x"].text_hash


BOOKS = [
    "rule: x\nevent: login\ntask: {role: desk}\n",
    "rule: x\nevent: login\ntask: {role: deck}\n",
    "rule: y\nevent: login\ntask: {role: desk}\n",
    "rule: x\nevent: login\ntask: {role: desk}\nlists: {l: [a]}\n",
    "rule: x\nevent: login\ntask: {role: desk}\nlists: {l: [b]}\n",
    "rule: x\nevent: login\ntask: {role: desk}\nbank: {name: b}\n",
    "classes: {a: {consent: none}, b: {consent: none}}\n",
    "classes: {b: {consent: none}, a: {consent: none}}\n",
]


def test_any_change_of_content_changes_the_hash() -> None:
    hashes = [load(text).hash for text in BOOKS]
    assert all(one != other for one, other in itertools.combinations(hashes, 2))


def test_the_order_in_which_files_are_given_makes_no_difference() -> None:
    files = {f"a/r{n}.yaml": f"rule: r{n}\nevent: login\ntask: {{role: d}}\n".encode()
             for n in range(5)}  # fmt: skip
    first, _ = load_rulebook(files)
    second, _ = load_rulebook(dict(reversed(files.items())))
    assert first is not None
    assert second is not None
    assert list(first.rules) == list(second.rules)
    assert first.hash == second.hash


def test_warnings_do_not_keep_a_rulebook_from_loading() -> None:
    book = load("rule: x\nevent: login\nnotify: {class: service}\n")
    assert book.warnings
    assert {fault.severity for fault in book.warnings} == {Severity.WARNING}


def test_a_list_of_codes_stays_text_as_soon_as_one_item_is() -> None:
    book = load(
        "lists: {mixed: [6011, ATM], quoted: ['6011'], zeros: [0123], plain: [6011, 1.5]}\n"
    )
    assert book.lists == {
        "mixed": {"6011", "ATM"},
        "quoted": {"6011"},
        "zeros": {"0123"},
        "plain": {Decimal(6011), Decimal("1.5")},
    }


def test_a_country_called_no_is_no_boolean() -> None:
    book = load("lists: {l: [NO, SE]}\nchannels: {sms: {contact: mobile, countries: [NO]}}\n")
    assert book.lists["l"] == {"NO", "SE"}
    assert book.policies.channels["sms"].countries == {"NO"}
