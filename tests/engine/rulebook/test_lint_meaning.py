"""Lints over money, times and rules that cover each other: found where they matter only."""

import pytest

from belfry.engine.faults import Fault
from belfry.engine.rulebook.load import load_rulebook

HEAD = "title: A\nowner: team\ntests: [{name: a, expect: []}]\n"
NOTIFY = "notify: {class: service, template: t, channels: [sms]}\n"
TEMPLATE = {"templates/t/en.sms.txt": b"hello", "templates/t/en.push.txt": b"hello"}
TWO = "bank: {currency: CNY, currencies: [CNY, USD]}\n"
ONE = "bank: {currency: CNY}\n"


def found(*rules: str, **more: str) -> list[Fault]:
    files = {f"a/r{number}.yaml": text.encode() for number, text in enumerate(rules)}
    files |= {f"{name}.yaml": text.encode() for name, text in more.items()}
    return load_rulebook({**files, **TEMPLATE})[1]


def rule(body: str, *, number: int = 0, notify: str = NOTIFY) -> str:
    return f"rule: r{number}\n{HEAD}{notify}{body}"


def codes(*rules: str, **more: str) -> list[str]:
    return [fault.code for fault in found(*rules, **more)]


# what a rule says, and whether money of several currencies is compared in it
COMPARED = [
    ("event: transaction\nwhen: amount > 1000\n", True),
    ("event: transaction\nwhen: 1000 <= amount\n", True),
    ("event: transaction\nwhen: direction == 'debit' and amount * 2 > 1000\n", True),
    ("by: account\nwhen: account.balance < 500\nuntil: account.balance > 600\n", True),
    ("event: transaction\nwhen: amount > 1000 and currency == 'CNY'\n", False),
    ("event: transaction\nwhen: amount > 1000\nexcept: currency != 'CNY'\n", False),
    ("by: account\nwhen: account.balance < 0\n", False),
    ("by: account\nwhen: account.balance < (account.low_balance_limit ?? 0)\n", False),
    ("when: customer.low_balance_limit > 500\n", False),
    ("when: customer.open_complaints > 5\n", False),
]


@pytest.mark.parametrize(("body", "is_mixed"), COMPARED)
def test_money_of_any_currency_against_a_number_is_found_in_a_bank_of_several(
    body: str, *, is_mixed: bool
) -> None:
    assert codes(rule(body), bank=TWO) == ["B522"] * is_mixed
    assert codes(rule(body), bank=ONE) == []


def test_the_comparison_itself_is_underlined() -> None:
    body = "event: transaction\nwhen: direction == 'debit' and amount > 1000\n"
    (fault,) = found(rule(body), bank=TWO)
    assert (fault.place.line, fault.place.column, fault.width) == (7, 32, 13)
    assert "CNY, USD" in fault.message


@pytest.mark.parametrize(
    ("feature", "is_mixed"),
    [
        ("{sum: balance, of: account}", True),
        ("{sum: amount, of: transaction, window: 30d}", True),
        ("{max: amount, of: transaction, window: 30d}", True),
        ("{sum: amount, of: transaction, where: currency == 'CNY', window: 30d}", False),
        ("{sum: amount, of: transaction, window: 30d, by: account}", False),
        ("{count: transaction, where: amount > 5}", False),
        ("{sum: score, of: survey}", False),
    ],
)
def test_a_sum_over_a_customers_money_is_found_in_a_bank_of_several(
    feature: str, *, is_mixed: bool
) -> None:
    shared = f"f: {feature}\n"
    asks = rule("by: account\nwhen: features.f > 1\n")
    assert codes(asks, features=shared, bank=TWO) == ["B522"] * is_mixed
    assert codes(asks, features=shared, bank=ONE) == []


def test_currencies_that_conditions_name_count_as_known() -> None:
    dollars = rule("event: transaction\nwhen: currency == 'USD'\n", number=1)
    large = rule("event: transaction\nwhen: amount > 1000\n")
    assert codes(large, dollars, bank=ONE) == ["B522"]


WIDE = "by: account\nwhen: account.balance < 500\n"
NARROW = "by: account\nwhen: account.balance < 100 and account.status == 'active'\n"


def test_a_rule_that_another_covers_with_the_same_message_is_found() -> None:
    (fault,) = found(rule(WIDE), rule(NARROW, number=1))
    assert (fault.code, fault.place.file, fault.place.line) == ("B524", "a/r1.yaml", 7)
    assert "'r1'" in fault.message
    assert "'r0'" in fault.message


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (rule(WIDE + "except: account.status == 'blocked'\n"), rule(NARROW, number=1)),
        (rule(WIDE + "rollout: {percent: 10}\n"), rule(NARROW, number=1)),
        (rule(WIDE + "for: 1d\n"), rule(NARROW, number=1)),
        (rule(WIDE), rule(NARROW + "inhibits: [r0]\n", number=1)),
        (rule(WIDE), rule(NARROW, number=1, notify=NOTIFY.replace("sms", "push"))),
        (rule(WIDE), rule(NARROW, number=1, notify=NOTIFY.replace("service", "security"))),
        (rule(WIDE), rule("by: account\nwhen: account.balance < 900\n" + "for: 1d\n", number=1)),
    ],
)
def test_rules_that_differ_in_more_than_their_threshold_are_left_alone(
    wide: str, narrow: str
) -> None:
    assert codes(wide, narrow) == []


def test_what_outlives_the_decisions_of_its_class_is_found() -> None:
    classes = "service: {consent: opt_out, purpose: service, retention: 30d}\n"
    body = "event: transaction\ncooldown: 60d\ngoal: {event: login, within: 31d}\n"
    faults = found(rule(body), classes=classes)
    assert [(one.code, one.place.line) for one in faults] == [("B523", 7), ("B523", 8)]
    assert codes(rule(body.replace("60d", "30d").replace("31d", "30d")), classes=classes) == []


QUIET = "[{from: '21:00', to: '08:00', channels: [sms]}]\n"


@pytest.mark.parametrize(
    ("at", "channels", "message_class", "is_quiet"),
    [
        ("07:30", "[sms]", "service", True),
        ("21:00", "[sms]", "service", True),
        ("08:00", "[sms]", "service", False),
        ("07:30", "[push, sms]", "service", False),
        ("07:30", "[sms]", "security", False),
    ],
)
def test_a_timer_inside_quiet_hours_of_all_its_channels_is_found(
    at: str, channels: str, message_class: str, *, is_quiet: bool
) -> None:
    notify = f"notify: {{class: {message_class}, template: t, channels: {channels}}}\n"
    body = f'timer: {{monthly: 1, at: "{at}"}}\n'
    assert codes(rule(body, notify=notify), quiet_hours=QUIET) == ["B526"] * is_quiet


@pytest.mark.parametrize(
    ("body", "is_found"),
    [
        ('timer: {daily: "09:00"}\n', True),
        ('timer: {daily: "09:00", grace: 4h}\n', False),
        ('timer: {daily: "09:00", grace: 24h}\n', False),
        ('timer: {daily: "09:00"}\ncooldown: 3d\n', False),
        ('timer: {weekly: mon, at: "09:00"}\n', False),
    ],
)
def test_a_daily_message_without_a_grace_of_its_own_is_found(body: str, *, is_found: bool) -> None:
    assert codes(rule(body)) == ["B527"] * is_found


def test_segments_and_templates_that_nothing_uses_are_found() -> None:
    segments = "s: {values: {rich: customer.income > 5, other: true}}\n"
    assert codes(rule("event: login\n"), segments=segments) == ["B525"]
    assert codes(rule("when: segments.s == 'rich'\n"), segments=segments) == []
    assert codes(rule("event: segment\n"), segments=segments) == []
    files = {"a/r0.yaml": rule("event: login\n").encode(), **TEMPLATE}
    (fault,) = load_rulebook({**files, "templates/old/en.sms.txt": b"x"})[1]
    assert (fault.code, fault.place.file) == ("B528", "templates/old/en.sms.txt")


@pytest.mark.parametrize("name", ["timer", "answer", "receipt", "snapshot", "departure"])
def test_a_rule_that_waits_for_an_event_that_no_rule_sees_is_refused(name: str) -> None:
    (fault,) = found(rule(f"event: [login, {name}]\n"))
    assert (fault.code, fault.place.column) == ("B322", 16)


def test_a_rule_may_wait_for_a_reply_of_the_customer() -> None:
    assert codes(rule("event: reply\n")) == []
