"""What the design and its examples say loads as said; what is left out has its default."""

import datetime as dt
from decimal import Decimal

import pytest

from belfry.engine.fields import Kind
from belfry.engine.rulebook.load import load_rulebook
from belfry.engine.rulebook.model import Rule, Rulebook

LOW_BALANCE = """\
rule: low-balance                      # id; the file is rules/<area>/low-balance.yaml
title: Balance fell below the customer's limit
owner: accounts-team
by: account                            # one alert life per account
when: account.balance < (customer.low_balance_limit ?? 500)
until: account.balance >= (customer.low_balance_limit ?? 500) * 1.2
cooldown: 24h
notify: {class: service, template: low_balance, channels: [push, sms], priority: 50, expires: 12h}
tests:
- name: tells once, and again only after it recovered
  given: {customer: {language: zh, time_zone: Asia/Shanghai}, account: {balance: 900}}
  events:
  - {at: "2026-03-02T10:00:00+08:00", type: transaction, direction: debit, amount: 700, balance: 200}
  - {at: "2026-03-02T11:00:00+08:00", type: transaction, direction: debit, amount: 50, balance: 150}
  expect:
  - {at: "2026-03-02T10:00:00+08:00", send: push}
"""  # noqa: E501  (as in the design)
FEATURES = """\
features:
  spend_mean_90d: {mean: amount, of: transaction, where: direction == "debit", window: 90d, by: customer, at_least: 10}
  total_assets:   {sum: balance, of: account, where: status == "active", by: customer}
segments:
  assets: {stay: 30d, values: {private: features.total_assets >= 5000000, wealth: features.total_assets >= 100000, mass: true}}
"""  # noqa: E501  (as in the design)
POLICIES = """\
bank: {time_zone: Asia/Shanghai, language: zh, currency: CNY, country: CN}
classes:
  security:   {consent: none, quiet_hours: ignore, exempt_from_caps: true, counts_toward_caps: false, arbitration: 0s, unanswered: resend, holdout: never}
  regulatory: {consent: none, quiet_hours: respect, exempt_from_caps: true, counts_toward_caps: false, arbitration: 0s, unanswered: other_channel, holdout: never}
  service:    {consent: opt_out, purpose: service, quiet_hours: respect, arbitration: 2s, unanswered: drop}
  advice:     {consent: opt_in, purpose: advice, quiet_hours: respect, arbitration: 5m, unanswered: drop}
  marketing:  {consent: opt_in, purpose: marketing, quiet_hours: respect, arbitration: 5m, unanswered: drop}
quiet_hours:
- {classes: [service, advice, marketing], from: "21:00", to: "08:00", channels: [sms, voice, push], on_holidays: CN}
caps:
- {name: marketing_month, classes: [marketing], limit: 1, window: 30d, by: customer}
- {name: sms_day, channels: [sms], limit: 3, window: calendar_day, by: contact}
channels:
  sms: {contact: mobile, providers: [console]}
  push: {contact: device, providers: [console]}
  email: {contact: email, providers: [console]}
"""  # noqa: E501  (as in the design)


def load(*texts: str, **files: str) -> Rulebook:
    """Texts become files of their own; keyword names are paths with __ for / (no suffix)."""
    named = {f"a/f{number}.yaml": text for number, text in enumerate(texts)}
    named |= {f"{name.replace('__', '/')}.yaml": text for name, text in files.items()}
    book, faults = load_rulebook({path: text.encode() for path, text in named.items()})
    assert book is not None, [str(fault) for fault in faults]
    return book


def rule_of(text: str, *more: str) -> Rule:
    if not any(word in text for word in ("notify:", "task:", "emit:")):
        text += "notify: {class: service, template: t}\n"
    return load(f"rule: x\n{text}", *more).rules["x"]


def days(number: float) -> dt.timedelta:
    return dt.timedelta(days=number)


def test_the_examples_of_the_design_load_verbatim() -> None:
    book = load(accounts__low_balance=LOW_BALANCE, features__all=FEATURES, policies__all=POLICIES)
    rule = book.rules["low-balance"]
    assert rule.area == "accounts"
    assert rule.trigger == "change"
    assert rule.by == "account"
    assert rule.when is not None
    assert rule.when.reads == ("account.balance", "customer.low_balance_limit")
    assert rule.cooldown == days(1)
    assert rule.notify is not None
    assert rule.notify.channels == ("push", "sms")
    assert rule.notify.expires == dt.timedelta(hours=12)
    assert rule.tests[0].events[0]["amount"] == 700
    assert rule.tests[0].expect == ({"at": "2026-03-02T10:00:00+08:00", "send": "push"},)


def test_features_of_the_design_mean_what_it_says() -> None:
    book = load(FEATURES)
    mean, total = book.features["spend_mean_90d"], book.features["total_assets"]
    assert (mean.operation, mean.events, mean.window, mean.at_least) == (
        "mean", ("transaction",), days(90), 10,
    )  # fmt: skip
    assert (mean.entity, mean.current_included) == (None, False)
    assert (total.operation, total.entity, total.events) == ("sum", "account", ())
    assert total.value is not None
    assert total.value.reads == ("balance",)
    assets = book.segments["assets"]
    assert assets.stay == days(30)
    assert [(one.value, one.when is None) for one in assets.values] == [
        ("private", False), ("wealth", False), ("mass", True),
    ]  # fmt: skip


def test_written_policies_equal_the_defaults_that_the_design_gives() -> None:
    written, default = load(POLICIES).policies, load().policies
    assert written.classes == default.classes
    assert written.bank.time_zone == "Asia/Shanghai"
    assert [cap.window for cap in written.caps] == [days(30), "calendar_day"]
    assert [cap.by for cap in written.caps] == ["customer", "contact"]
    quiet = written.quiet_hours[0]
    assert (quiet.from_, quiet.to, quiet.on_holidays) == (dt.time(21), dt.time(8), "CN")
    assert quiet.classes == {"service", "advice", "marketing"}


def test_without_policies_there_are_four_channels_no_caps_and_no_quiet_hours() -> None:
    policies = load().policies
    assert {name: one.contact for name, one in policies.channels.items()} == {
        "sms": "mobile", "push": "device", "email": "email", "voice": "mobile",
    }  # fmt: skip
    assert (policies.caps, policies.quiet_hours) == ((), ())
    assert policies.bank.time_zone == "UTC"
    assert [one.rank for one in policies.classes.values()] == [0, 1, 2, 3, 4]


def test_a_rule_needs_no_more_than_an_id_a_trigger_and_an_action() -> None:
    rule = rule_of("event: login\nnotify: {class: service}\n")
    assert rule.when is None
    assert rule.by == "customer"
    assert rule.notify is not None
    assert rule.notify.template == "x"
    assert rule.notify.channels == ("sms", "push", "email", "voice")
    assert rule.notify.priority == 50


TIMERS: list[tuple[str, dict[str, object]]] = [
    ('{date: card.expires_on, before: [30d, 7d, 1d], at: "09:00"}',
     {"kind": "date", "before": (days(30), days(7), days(1)), "at": dt.time(9)}),
    ("{date: card.expires_on, after: 3d, at: 9:30}",
     {"kind": "date", "after": (days(3),), "at": dt.time(9, 30)}),
    ('{yearly: customer.birth_date, at: "09:00", leap: mar1}', {"kind": "yearly", "leap": "mar1"}),
    ('{monthly: 15, roll: next_business_day, at: "12:00"}',
     {"kind": "monthly", "day": 15, "roll": "next_business_day"}),
    ("{monthly: last, at: 12:00}", {"kind": "monthly", "day": 31, "at": dt.time(12)}),
    ("{weekly: wed, at: 12:00}", {"kind": "weekly", "weekday": 2}),
    ("{weekly: sunday, at: 12:00}", {"kind": "weekly", "weekday": 6}),
    ('{daily: "09:00", grace: 2h}',
     {"kind": "daily", "at": dt.time(9), "grace": dt.timedelta(hours=2)}),
    ('{after: features.last_activity, delay: 90d, at: "10:00"}',
     {"kind": "after", "delay": days(90), "after": (), "grace": days(1)}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), TIMERS, ids=[row[0] for row in TIMERS])
def test_each_form_of_timer_is_read(text: str, wanted: dict[str, object]) -> None:
    feature = "features: {last_activity: {last: time, of: [transaction, login]}}\n"
    timer = rule_of(f"by: card\ntimer: {text}\n", feature).timer
    assert timer is not None
    assert {key: getattr(timer, key) for key in wanted} == wanted


def test_a_sequence_has_steps_and_a_span() -> None:
    rule = rule_of(
        "by: card\n"
        "sequence:\n"
        '- {event: transaction, when: status == "declined"}\n'
        "- {event: [transaction, login], when: country != customer.country}\n"
        "within: 2h\n"
        'when: customer.status == "active"\n'
    )
    assert rule.trigger == "sequence"
    assert rule.sequence is not None
    assert rule.sequence.within == dt.timedelta(hours=2)
    assert [step.events for step in rule.sequence.steps] == [
        ("transaction",), ("transaction", "login"),
    ]  # fmt: skip


@pytest.mark.parametrize(("since", "wanted"), [("month_start", "month_start"), ("40d", days(40))])
def test_absence_looks_back_to_a_calendar_start_or_so_long(since: str, wanted: object) -> None:
    rule = rule_of(
        "timer: {monthly: 15, at: 12:00}\n"
        f'absent: {{event: transaction, when: purpose == "salary", since: {since}}}\n'
    )
    assert rule.absent is not None
    assert rule.absent.since == wanted


def test_a_campaign_without_offset_is_local() -> None:
    rule = rule_of("campaign: {start: 2026-12-01 10:00, stop: 2026-12-10}\n")
    assert rule.campaign is not None
    assert rule.campaign.start == dt.datetime(2026, 12, 1, 10)
    assert rule.campaign.stop == dt.datetime(2026, 12, 10)
    assert rule.campaign.start.tzinfo is None


def test_all_modifiers_are_read() -> None:
    rule = rule_of(
        "when: customer.income > 1\nuntil: customer.income < 1\n"
        "except: customer.open_complaints > 0\n"
        "for: 7d\nrepeat: 2d\nlimit: 5\ncooldown: 1d12h\n"
        'active: {from: 2026-01-01, to: "2026-12-31T00:00:00+08:00"}\n'
        "rollout: {branches: [north, 0123], percent: 10}\nholdout: 5%\n"
        "goal: {event: login, when: new_device, within: 7d}\n"
        "supersedes: other\ninhibits: [other]\npaused: true\n",
        "rule: other\nevent: login\ntask: {role: desk, due: 24h, priority: 70, title: Call}\n",
    )
    assert rule.for_ == days(7)
    assert (rule.repeat, rule.limit, rule.cooldown) == (days(2), 5, days(1.5))
    assert rule.active_from == dt.datetime(2026, 1, 1)
    assert rule.active_to is not None
    assert rule.active_to.utcoffset() == dt.timedelta(hours=8)
    assert rule.rollout is not None
    assert (rule.rollout.branches, rule.rollout.percent) == (("north", "0123"), Decimal(10))
    assert rule.holdout == Decimal(5)
    assert rule.goal is not None
    assert (rule.goal.step.events, rule.goal.within) == (("login",), days(7))
    assert (rule.supersedes, rule.inhibits, rule.paused) == (("other",), ("other",), True)


def test_tiers_come_in_order_and_may_be_compared_by_a_number_alone() -> None:
    rule = rule_of("by: card\nwhen: account.balance / card.credit_limit\ntiers: [0.9, 0.5, 1.0]\n")
    assert rule.tiers == (Decimal("0.5"), Decimal("0.9"), Decimal("1.0"))
    assert rule.when is not None
    assert rule.when.kind is Kind.NUMBER


def test_an_emitted_event_may_be_one_of_the_banks_own() -> None:
    rule = rule_of(
        "event: branch_visit\n"
        "emit: {event: promoted, with: {branch: branch, minutes: minutes * 2}}\n",
        "events:\n"
        "  branch_visit:\n"
        "    fields: {branch: {type: text, required: true, doc: where}, minutes: number}\n"
        "  promoted: {fields: {branch: text, minutes: number}}\n",
    )
    assert rule.events == ("branch_visit",)
    assert rule.emit is not None
    assert set(rule.emit.with_) == {"branch", "minutes"}


def test_extra_fields_of_standard_types_are_read_like_the_others() -> None:
    book = load(
        "rule: x\nevent: transaction\nwhen: kiosk == 'K1' and customer.vip\ntask: {role: desk}\n",
        events__ours="transaction: {fields: {kiosk: text}}\ncustomer: {fields: {vip: boolean}}\n",
    )
    assert book.event_types.fields["transaction"]["kiosk"].kind is Kind.TEXT
    assert book.event_types.entity_fields["customer"]["vip"].kind is Kind.BOOLEAN


SCOPES: list[tuple[str, str]] = [
    ("event: transaction", "merchant.country != customer.country and account.balance < 5"),
    ("event: transaction", "previous.balance > 5 and loan.amount_due > 0 and card.id != id"),
    ("event: [transaction, login]", "channel == 'mobile' and country != null"),
    ("event: account", "previous.status == 'dormant' and status == 'active'"),
    ("event: segment", "name == 'assets' and before == 'mass' and after == 'private'"),
    ("by: card", "card.expires_on != null and account.currency == 'CNY'"),
    ("by: loan", "loan.amount_due > 0 and account.balance > 0 and previous.amount_due == 0"),
    ("", "customer.income > 5 and time > d'2026-01-01' and previous.income <= 5"),
    ("timer: {daily: '09:00'}", "time - customer.since > 30d"),
    ("campaign: {start: 2026-01-01, stop: 2026-02-01}", "customer.city == 'Beijing'"),
]


@pytest.mark.parametrize(("trigger", "when"), SCOPES)
def test_what_is_in_sight_depends_on_trigger_and_key(trigger: str, when: str) -> None:
    assert rule_of(f"{trigger}\nwhen: {when}\n").when is not None


def test_folders_of_features_segments_and_lists_need_no_section_key() -> None:
    book = load(
        features__spend="spend: {sum: amount, of: transaction, window: 1d}\n",
        segments__age="age: {values: {young: customer.since > d'2000-01-01', old: true}}\n",
        lists__atm="[ATM, 6011]\n",
        lists__codes="a: [1, 2]\nb: [x]\n",
        macros="is_rich: customer.income > 10000\n",
    )
    assert list(book.features) == ["spend"]
    assert list(book.segments) == ["age"]
    assert book.lists == {
        "atm": {"ATM", "6011"}, "a": {Decimal(1), Decimal(2)}, "b": {"x"},
    }  # fmt: skip
    assert book.macros == {"is_rich": "customer.income > 10000"}


def test_sections_may_stand_in_any_file_also_beside_a_rule() -> None:
    book = load(
        "rule: x\nevent: login\nwhen: is_rich and country in lists.near\ntask: {role: desk}\n"
        "macros: {is_rich: features.n > 1}\nfeatures: {n: {count: login}}\n"
        "lists: {near: [CN, NO]}\n"
    )
    assert book.lists["near"] == {"CN", "NO"}
    assert book.rules["x"].when is not None


def test_several_rules_may_stand_in_one_file() -> None:
    rule = "{rule: %s, event: login, task: {role: desk}}"
    book = load("rules:\n" + "".join(f"- {rule % name}\n" for name in ("b", "a")))
    assert list(book.rules) == ["a", "b"]


def test_sources_and_products_are_left_to_others() -> None:
    assert load(sources__core="files: [1]\n", products__all="anything: 1\n").rules == {}


COUNTS = [
    "{count: transaction, window: 10m}",
    "{count: transaction, of: transaction, window: 10m}",
    "{count: true, of: transaction, window: 10m}",
    "{count: all, of: [transaction], window: 10m}",
    "{count: '*', of: transaction, window: 10m}",
]


@pytest.mark.parametrize("text", COUNTS)
def test_counting_is_said_in_several_ways(text: str) -> None:
    feature = load(f"features: {{f: {text}}}\n").features["f"]
    assert (feature.operation, feature.events, feature.value) == ("count", ("transaction",), None)
    assert feature.current_included


@pytest.mark.parametrize(
    ("operation", "included"),
    [
        ("sum", True), ("last", True), ("first", True),
        ("mean", False), ("min", False), ("max", False), ("deviation", False), ("distinct", False),
    ],
)  # fmt: skip
def test_baselines_leave_the_current_event_out_unless_told_otherwise(
    operation: str, *, included: bool
) -> None:
    text = f"features: {{f: {{{operation}: amount, of: transaction%s}}}}\n"
    assert load(text % "").features["f"].current_included is included
    assert load(text % ", current: include").features["f"].current_included
    assert not load(text % ", current: exclude").features["f"].current_included


def test_segments_come_after_those_that_they_read() -> None:
    book = load(
        "segments:\n  a: {values: {x: segments.b == 'y', z: true}}\n"
        "  b: {values: {y: customer.income > 5, n: true}}\n"
    )
    assert list(book.segments) == ["b", "a"]
