"""The small language of templates: what they read, what they may not do, where the fault is."""

import pytest

from belfry.engine.faults import Fault
from belfry.engine.rulebook.template_names import (
    CODES,
    TEMPLATE_MAX,
    TemplateNames,
    check_template,
    names_used,
)


def test_names_and_paths_are_what_the_text_reads() -> None:
    text = (
        "{% if event.merchant.name is defined %}"
        "{{ event.amount | money(event.currency) }}{% endif %}"
        "{{ left }}"
    )
    assert check_template(text) == TemplateNames(
        names=frozenset({"event", "left"}),
        paths=frozenset({"event.merchant.name", "event.amount", "event.currency", "left"}),
    )
    assert names_used(text) == {"event", "left"}


REFUSED = [
    ("loop", "{% for x in y %}{{ x }}{% endfor %}", "B604"),
    ("call", "{{ customer.name() }}", "B604"),
    ("product", "{{ 'x' * 300000000 }}", "B604"),
    ("power", "{{ 9 ** 9 }}", "B604"),
    ("sum", "{{ a + b }}", "B604"),
    ("assignment", "{% set x = 1 %}", "B604"),
    ("item", "{{ a['b'] }}", "B604"),
    ("include", "{% include 'x' %}", "B604"),
    ("import", "{% import 'x' as y %}", "B604"),
    ("extends", "{% extends 'x' %}", "B604"),
    ("block", "{% block x %}{% endblock %}", "B604"),
    ("macro", "{% macro m() %}{% endmacro %}", "B604"),
    ("filter block", "{% filter upper %}x{% endfilter %}", "B604"),
    ("dictionary", "{{ {'a': 1} }}", "B604"),
    ("underscore", "{{ _x }}", "B605"),
    ("dunder", "{{ ''.__class__.__mro__ }}", "B605"),
    ("filter", "{{ a | attr('b') }}", "B606"),
    ("test", "{{ a is callable }}", "B607"),
    ("broken", "{{ a", "B602"),
    ("unknown tag", "{% frob %}", "B602"),
    ("depth", "{% if a %}" * 30 + "{% endif %}" * 30, "B603"),
    ("brackets", "{{ " + "(" * 9000 + "a" + ")" * 9000 + " }}", "B603"),
    ("length", "x" * (TEMPLATE_MAX + 1), "B601"),
]


@pytest.mark.parametrize(
    ("text", "code"), [row[1:] for row in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_what_is_unbounded_or_reaches_beyond_the_data_is_refused(text: str, code: str) -> None:
    found = names_used(text)
    assert isinstance(found, Fault)
    assert found.code == code


def test_every_code_is_documented_and_reached() -> None:
    assert {row[2] for row in REFUSED} == set(CODES)


def test_all_faults_are_reported_with_place_and_remedy() -> None:
    faults = check_template("Dear {{ a | mony }}\n{% set b = 1 %}", file="templates/x/en.sms.txt")
    assert isinstance(faults, tuple)
    assert [str(fault.place) for fault in faults] == [
        "templates/x/en.sms.txt:1:13",
        "templates/x/en.sms.txt:2:4",
    ]
    assert faults[0].hint == "did you mean 'money'?"
    assert faults[0].line == "Dear {{ a | mony }}"
    assert faults[0].width == len("mony")
    assert "with" in (faults[1].hint or "")
