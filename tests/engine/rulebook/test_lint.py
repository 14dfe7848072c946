"""Lints: what a rulebook means beyond what it says."""

import pytest

from belfry.engine.faults import Fault, Severity
from belfry.engine.rulebook.load import load_rulebook

TOLD = "title: A\nowner: team\ntests: [{name: a, expect: []}]\n"
TEMPLATE = {"templates/t/en.sms.txt": b"hello"}
NOTIFY = "notify: {class: service, template: t, channels: [sms]}\n"
CLEAN = f"rule: x\n{TOLD}event: login\n{NOTIFY}"


def findings(text: str, **more: str) -> list[Fault]:
    files = {"a/x.yaml": text.encode(), **(TEMPLATE if "notify" in text else {})}
    files |= {f"{name}.yaml": content.encode() for name, content in more.items()}
    return load_rulebook(files)[1]


def codes(text: str, **more: str) -> list[str]:
    return [fault.code for fault in findings(text, **more)]


def rule(body: str, *, notify: str = NOTIFY) -> str:
    return f"rule: x\n{TOLD}{notify}{body}"


def test_a_rule_that_lacks_nothing_has_no_findings() -> None:
    assert findings(CLEAN) == []


EXACT = "features: {f: {max: amount, of: transaction, exact: true, items: 50000}}\n"
ONE_OF_TWO = (
    "when: account.balance < 5 and customer.income > 1\n"
    "until: customer.income > 0 or account.balance > 9\n"
)
# what follows the rule's header and message (line 6 on) → code, line, is it an error
FINDINGS: list[tuple[str, str, int, bool]] = [
    ("by: account\nwhen: account.balance < 5\nuntil: account.balance < 5\n", "B508", 8, True),
    ("by: account\nwhen: account.balance < 5\nuntil: account.balance <= 9\n", "B508", 8, True),
    (f"by: account\n{ONE_OF_TWO}", "B508", 8, True),
    ("by: account\nwhen: account.balance < 9\nuntil: account.balance > 5\n", "B508", 8, False),
    ("when: customer.income > 5\ntiers: [1, 2]\n", "B516", 7, False),
    ("timer: {monthly: 1}\n", "B512", 6, False),
    ("when: customer.income > 5\nrepeat: 1d\ncooldown: 2d\n", "B518", 8, False),
    ("event: login\nholdout: 0.05\n", "B517", 7, False),
    ("event: segment\nwhen: after == 'private'\n", "B519", 6, False),
    ("event: login\nmacros: {m: customer.income > 1}\n", "B501", 7, False),
    ("event: login\nlists: {l: [a]}\n", "B502", 7, False),
    ("event: login\nfeatures: {f: {count: login}}\n", "B503", 7, False),
    (f"when: features.f > 1\n{EXACT}", "B515", 7, False),
]  # fmt: skip


@pytest.mark.parametrize(("body", "code", "line", "is_error"), FINDINGS)
def test_a_finding_points_to_what_it_is_about(
    body: str, code: str, line: int, *, is_error: bool
) -> None:
    found = findings(rule(body))
    assert [(fault.code, fault.place.line) for fault in found] == [(code, line)]
    assert (found[0].severity is Severity.ERROR) is is_error


NO_FINDINGS = [
    "by: account\nwhen: account.balance < 5\nuntil: account.balance >= 5\n",
    "by: account\nwhen: account.balance < 5\nuntil: account.balance >= 5 * 1.2\n",
    "by: account\nwhen: account.balance < 5\nuntil: account.balance > 9 or time > d'2030-01-01'\n",
    "when: customer.income > tier\ntiers: [1, 2]\n",
    "when: customer.income\ntiers: [1, 2]\n",
    "event: login\nholdout: 5%\n",
    "event: login\nwhen: m\nmacros: {m: k, k: customer.income in lists.l}\nlists: {l: [1]}\n",
    ("when: segments.s == 'a'\nfeatures: {f: {count: login}}\n"
    "segments: {s: {values: {a: features.f > 1, b: true}}}\n"),
]  # fmt: skip


@pytest.mark.parametrize("body", NO_FINDINGS)
def test_what_is_well_meant_is_left_alone(body: str) -> None:
    assert findings(rule(body)) == []


def test_what_a_reader_of_a_rule_misses_is_told() -> None:
    assert codes(f"rule: x\nevent: login\n{NOTIFY}") == ["B504", "B505", "B506"]


def test_a_file_is_named_after_its_rule() -> None:
    assert codes(CLEAN.replace("rule: x", "rule: y")) == ["B507"]


def test_several_rules_in_a_file_need_no_name_of_theirs() -> None:
    one = CLEAN.replace("\n", "\n  ").rstrip()
    assert codes(f"rules:\n- {one}\n") == []


def test_a_message_that_expires_while_others_are_waited_for_is_an_error() -> None:
    notify = "notify: {class: advice, template: t, channels: [sms], expires: 4m}\n"
    found = findings(rule("event: login\n", notify=notify))
    assert [(fault.code, fault.severity) for fault in found] == [("B513", Severity.ERROR)]


def test_a_second_channel_that_comes_after_the_expiry_is_told() -> None:
    notify = (
        "notify: {class: service, template: t, channels: [sms], expires: 1h,"
        " until: read, within: 2h}\n"
    )
    assert codes(rule("event: login\n", notify=notify)) == ["B513"]


def test_a_ladder_that_waits_for_an_act_which_nothing_tells_is_told() -> None:
    notify = "notify: {class: service, template: t, channels: [sms], until: acted, within: 1h}\n"
    assert codes(rule("event: login\n", notify=notify)) == ["B531"]
    assert codes(rule("event: login\ngoal: {event: reply, within: 1h}\n", notify=notify)) == []


def test_a_holdout_that_the_class_forbids_is_told() -> None:
    notify = "notify: {class: security, template: t, channels: [sms]}\n"
    assert codes(rule("event: login\nholdout: 5%\n", notify=notify)) == ["B514"]


def test_goal_and_holdout_without_a_message_are_told() -> None:
    body = "event: login\nholdout: 5%\ngoal: {event: login, within: 1d}\n"
    assert codes(rule(body, notify="task: {role: desk}\n")) == ["B520", "B520"]


def test_two_rules_that_say_the_same_to_the_same_people_are_told() -> None:
    other = CLEAN.replace("rule: x", "rule: y")
    found = findings(CLEAN, y=other)
    assert [(fault.code, fault.place.file) for fault in found] == [("B509", "y.yaml")]
    assert codes(CLEAN, y=other + "when: new_device\n") == []


def test_a_template_is_asked_for_in_every_language_and_channel() -> None:
    bank = "bank: {languages: [en, zh]}\n"
    found = findings(CLEAN, bank=bank)
    assert [fault.code for fault in found] == ["B510"]
    assert "zh.sms.txt" in found[0].message
    assert "en.sms.txt" not in found[0].message


def test_a_template_that_is_not_there_has_the_nearest_name_as_hint() -> None:
    found = findings(CLEAN.replace("template: t", "template: tt"))
    assert [fault.code for fault in found] == ["B510"]
    assert found[0].hint == "did you mean 't'?"


def test_a_template_that_is_not_named_is_told() -> None:
    assert codes(CLEAN.replace(" template: t,", "")) == ["B510", "B521"]


def test_a_name_that_nothing_provides_is_told_at_its_place() -> None:
    files = {"a/x.yaml": CLEAN.encode(), "templates/t/en.sms.txt": b"Hi\n{{ limit }} {{ acount }}"}
    _, found = load_rulebook(files)
    assert [(f.code, f.place.line, f.place.column) for f in found] == [
        ("B511", 2, 4),
        ("B511", 2, 16),
    ]
    assert found[1].hint == "did you mean 'account'?"


def test_names_of_with_are_provided() -> None:
    notify = (
        "notify: {class: service, template: t, channels: [sms], with: {limit: customer.income}}\n"
    )
    files = {
        "a/x.yaml": rule("event: login\n", notify=notify).encode(),
        "templates/t/en.sms.txt": b"{{ limit }} {{ customer.name }} {{ event.time }}",
    }
    assert load_rulebook(files)[1] == []


def test_a_policy_for_a_channel_that_may_come_later_is_a_warning() -> None:
    text = "quiet_hours: [{from: '21:00', to: '08:00', channels: [sms, carrier_pigeon]}]\n"
    found = findings(text)
    assert [(fault.code, fault.severity) for fault in found] == [("B402", Severity.WARNING)]


def test_a_policy_for_a_misspelt_channel_is_an_error() -> None:
    found = findings("quiet_hours: [{from: '21:00', to: '08:00', channels: [smss]}]\n")
    assert [(fault.code, fault.severity) for fault in found] == [("B402", Severity.ERROR)]


def test_one_broken_rule_does_not_make_its_macros_look_unused() -> None:
    text = rule("event: login\nwhn: m\nmacros: {m: customer.income > 1}\n")
    assert codes(text) == ["B201"]
