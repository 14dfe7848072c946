"""A template and values become what a customer reads, or a reason why not."""

import datetime as dt
from decimal import Decimal
from typing import Any, Literal

import pytest

from belfry.engine.rulebook.model import Template
from belfry.engine.rulebook.template_names import FILTERS
from belfry.notifiers import formats
from belfry.notifiers.render import TEXT_MAX, Unrenderable, choose, compile_template, render

VALUES: dict[str, Any] = {
    "customer": {"name": "Jan Novák", "time_zone": "Asia/Shanghai", "manager": None},
    "account": {"id": "6222020200112233", "balance": Decimal("150.5"), "currency": "CZK"},
    "event": {
        "amount": Decimal("1234.5"),
        "currency": "CNY",
        "time": dt.datetime(2026, 3, 2, 20, 15, tzinfo=dt.UTC),
        "counterparty": {"name": "call 0912345678"},
        "note": "{{ account.balance }} {% if x %} ${y} <b>",
        "items": None,
    },
    "rule": {"id": "low-balance"},
    "left": Decimal(7),
}


def template(text: str, language: str = "en", form: Literal["txt", "html"] = "txt") -> Template:
    return Template("low_balance", language, "sms", form, text)


def rendered(text: str, language: str = "en", values: dict[str, Any] | None = None) -> Any:
    return render(template(text, language), language=language, values=values or VALUES)


FIGURES = [
    ("{{ event.amount | money }}", "zh", "¥1,234.50"),
    ("{{ event.amount | money }}", "en", "CN¥1,234.50"),
    ("{{ account.balance | money(account.currency) }}", "cs", "150,50 Kč"),
    ("{{ event.time | date }}", "zh", "2026年3月3日"),
    ("{{ event.time | date('short') }}", "cs", "03.03.26"),
    ("{{ event.time | time }}", "cs", "4:15"),
    ("{{ event.time | time }}", "en", "4:15 AM"),
    ("{{ event.amount | number }}", "cs", "1 234,5"),
    ("{{ event.amount | number(0) }}", "en", "1,234"),
    ("{{ 0.125 | percent }}", "cs", "12,5 %"),
    ("{{ account.id | masked }}", "en", "****2233"),
    ("{{ 'A237' | masked }}", "en", "****"),
    ("{{ rule.id | upper }}", "en", "LOW-BALANCE"),
    ("{{ left }}", "en", "7"),
]


@pytest.mark.parametrize(("text", "language", "expected"), FIGURES)
def test_figures_stand_as_the_customers_language_writes_them(
    text: str, language: str, expected: str
) -> None:
    assert rendered(text, language) == expected


def test_figures_use_only_plain_spaces() -> None:
    shown = rendered("{{ event.amount | money }} {{ event.time | time }}", "cs")
    assert "\u00a0" not in shown
    assert "\u202f" not in shown


def test_what_became_text_on_its_way_is_shown_like_the_value() -> None:
    values = {**VALUES, "event": {"amount": "1234.5", "time": "2026-03-02T20:15:00+00:00"}}
    text = "{{ event.amount | money('CNY') }} {{ event.time | date }}"
    assert rendered(text, "zh", values) == "¥1,234.50 2026年3月3日"


def test_data_is_never_read_as_a_template() -> None:
    assert rendered("{{ event.note }}") == "{{ account.balance }} {% if x %} ${y} <b>"


def test_html_escapes_data_and_keeps_the_templates_own_tags() -> None:
    made = render(template("<p>{{ event.note }}</p>", form="html"), language="en", values=VALUES)
    assert made == "<p>{{ account.balance }} {% if x %} ${y} &lt;b&gt;</p>"


def test_strangers_names_are_made_harmless() -> None:
    assert rendered("from {{ event.counterparty.name }}", "cs") == "from klient"
    assert VALUES["event"]["counterparty"]["name"] == "call 0912345678", (
        "the values are not changed"
    )


MISSING = [
    ("{{ nobody }}", "'nobody' is undefined"),
    ("{{ customer.manager }}", "'manager' is missing"),
    ("{{ customer.manager | upper }}", "'manager' is missing"),
    ("{{ event.nothing.deep }}", "'nothing' is missing"),
    ("{% if customer.manager == 'x' %}a{% endif %}", "'manager' is missing"),
]


@pytest.mark.parametrize(("text", "why"), MISSING)
def test_a_missing_value_refuses_the_message(text: str, why: str) -> None:
    assert rendered(text) == Unrenderable("low_balance/en.sms.txt", why)


def test_a_template_may_say_what_stands_for_a_missing_value() -> None:
    assert rendered("{{ customer.manager | default('your branch') }}") == "your branch"
    text = "{% if customer.manager is defined %}{{ customer.manager }}{% else %}us{% endif %}"
    assert rendered(text) == "us"


def test_only_fields_of_data_can_be_read_not_what_python_hangs_on_them() -> None:
    for attribute in ("items", "keys", "get", "copy", "format", "amount.real"):
        assert isinstance(rendered("{{ event." + attribute + " }}"), Unrenderable), attribute


def test_a_value_of_the_wrong_kind_is_a_reason_without_the_value() -> None:
    refused = rendered("{{ customer.name | money }}")
    assert isinstance(refused, Unrenderable)
    assert refused.why == "a value cannot be shown: not a number"
    assert isinstance(rendered("{{ customer.name | date }}"), Unrenderable)
    assert isinstance(rendered("{% if customer.name > 3 %}x{% endif %}"), Unrenderable)


def test_a_text_longer_than_any_provider_takes_is_refused() -> None:
    assert isinstance(rendered("x" * (TEXT_MAX + 1)), Unrenderable)


def test_what_the_small_language_refuses_is_not_rendered_either() -> None:
    refused = rendered("{{ 'x' * 300000000 }}")
    assert isinstance(refused, Unrenderable)
    assert "B604" in refused.why


def test_compiling_gives_the_names_or_every_fault() -> None:
    assert compile_template("{{ event.amount | money }} {{ left }}") == frozenset({"event", "left"})
    faults = compile_template("{{ a | mony }}\n{% for x in y %}{% endfor %}")
    assert isinstance(faults, tuple)
    assert [(fault.code, fault.place.line) for fault in faults] == [("B606", 1), ("B604", 2)]


def test_the_filters_that_may_be_written_are_those_that_exist() -> None:
    assert set(FILTERS) == {*formats.FILTERS, "default"}


def library(*languages: str) -> dict[tuple[str, str, str], Template]:
    return {("low_balance", one, "sms"): template(one, one) for one in languages}


CHOICES: list[tuple[tuple[str, ...], tuple[str, ...], str | None]] = [
    (("zh", "en"), ("zh", "en"), "zh"),
    (("zh", "en"), ("zh-Hans-CN", "en"), "zh"),
    (("zh", "zh-Hant"), ("zh-Hant-TW",), "zh-Hant"),
    (("zh", "en"), ("cs", "zh", "en"), "zh"),
    (("zh", "en"), ("cs", "en", "zh"), "en"),
    (("zh",), ("cs",), None),
]


@pytest.mark.parametrize(("there", "languages", "expected"), CHOICES)
def test_a_missing_language_falls_back_in_the_declared_order(
    there: tuple[str, ...], languages: tuple[str, ...], expected: str | None
) -> None:
    found = choose(library(*there), name="low_balance", channel="sms", languages=languages)
    assert (found and found.language) == expected


def test_a_fallback_text_writes_its_figures_in_its_own_language() -> None:
    text = template("{{ event.time | date }}", "zh")
    assert render(text, language="cs", values=VALUES) == "2026年3月3日"


def test_an_unknown_language_or_zone_still_gives_a_text() -> None:
    values = {**VALUES, "customer": {"time_zone": "Mars/Olympus"}}
    shown = render(template("{{ event.time | date }}", "xx"), language="xx", values=values)
    assert shown == "Mar 2, 2026"
