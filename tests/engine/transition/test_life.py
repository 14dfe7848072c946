"""The life of alerts, windows, timers and the gates, told as short stories."""

from __future__ import annotations

from bank import Bank, facts, program_of, spend

LOW = """
rule: low
by: account
when: account.balance < 500
until: account.balance >= 600
cooldown: 24h
notify: {class: service, template: t, channels: [push]}
"""
DAY = "2026-03-02T"


def bank_of(*rules: str, shared: str = "") -> Bank:
    return Bank(program_of(*rules, shared=shared)).take(*facts())


def test_an_alert_fires_once_and_again_only_after_it_recovered() -> None:
    bank = bank_of(LOW).take(
        spend(DAY + "10:00:00", 1, balance=400),
        spend(DAY + "11:00:00", 1, balance=300),
        spend(DAY + "12:00:00", 1, balance=550),
        spend(DAY + "13:00:00", 1, balance=450),
        spend(DAY + "14:00:00", 1, balance=700),
        spend("2026-03-04T10:00:00", 1, balance=100),
    )
    assert [t[0] for t in bank.until("2026-03-04T10:00:00").told()] == [
        "03-02 10:00",
        "03-04 10:00",
    ]


def test_a_firing_inside_the_cooldown_is_recorded_and_one_at_its_end_is_sent() -> None:
    bank = bank_of(LOW).take(
        spend(DAY + "10:00:00", 1, balance=400),
        spend(DAY + "11:00:00", 1, balance=700),
        spend(DAY + "12:00:00", 1, balance=400),
        spend(DAY + "13:00:00", 1, balance=700),
        spend("2026-03-03T10:00:00", 1, balance=400),
    )
    outcomes = [(t[2], t[3]) for t in bank.until("2026-03-03T10:00:00").told()]
    assert outcomes == [("send", "push"), ("suppress", "cooldown"), ("send", "push")]


def test_a_repeated_event_changes_nothing() -> None:
    bank = bank_of(LOW)
    again = spend(DAY + "10:00:00", 1, balance=400, id="T1")
    bank.take(again, dict(again)).until(DAY + "12:00:00")
    assert len(bank.told()) == 1
    assert bank.host.counts["repeated"] == 1


def test_missing_never_fires_and_never_rearms() -> None:
    rule = "rule: r\nwhen: customer.income > 100\nnotify: {class: service, channels: [push]}\n"
    bank = bank_of(rule).take(
        {"at": DAY + "09:00:00", "type": "customer", "customer_id": "C1", "income": 200},
        {"at": DAY + "10:00:00", "type": "customer", "customer_id": "C1", "income": None},
        {"at": DAY + "11:00:00", "type": "customer", "customer_id": "C1", "income": 300},
    )
    assert [t[0] for t in bank.until(DAY + "12:00:00").told()] == ["03-02 09:00"]
    assert any("r" in outcome.unknown for outcome in bank.outcomes)


def test_for_needs_the_condition_to_hold_all_the_time() -> None:
    rule = LOW.replace("cooldown: 24h", "for: 2h")
    bank = bank_of(rule).take(
        spend(DAY + "10:00:00", 1, balance=400),
        spend(DAY + "11:00:00", 1, balance=550),
        spend(DAY + "12:00:00", 1, balance=400),
    )
    assert [t[0] for t in bank.until(DAY + "18:00:00").told()] == ["03-02 14:00"]


def test_repeat_ends_with_its_limit_or_with_the_alert() -> None:
    rule = LOW.replace("cooldown: 24h", "repeat: 1h\nlimit: 3")
    bank = bank_of(rule).take(spend(DAY + "10:00:00", 1, balance=400)).until(DAY + "20:00:00")
    assert [t[0][-5:] for t in bank.told()] == ["10:00", "11:00", "12:00"]
    bank = bank_of(rule).take(
        spend(DAY + "10:00:00", 1, balance=400), spend(DAY + "11:30:00", 1, balance=900)
    )
    assert [t[0][-5:] for t in bank.until(DAY + "20:00:00").told()] == ["10:00", "11:00"]


def test_each_tier_speaks_once_and_only_the_highest_new_one() -> None:
    shared = "features:\n  spent: {sum: amount, of: transaction, window: 30d}\n"
    rule = (
        "rule: budget\nwhen: features.spent / 1000\ntiers: [0.5, 0.75, 1.0]\n"
        "notify: {class: service, channels: [push]}\n"
    )
    bank = bank_of(rule, shared=shared).take(
        spend(DAY + "10:00:00", 400),
        spend(DAY + "11:00:00", 200),
        spend(DAY + "12:00:00", 50),
        spend(DAY + "13:00:00", 400),
    )
    assert [t[0][-5:] for t in bank.until(DAY + "20:00:00").told()] == ["11:00", "13:00"]


def test_a_window_that_empties_by_time_wakes_its_rule() -> None:
    shared = "features:\n  seen: {count: transaction, window: 10m}\n"
    rule = "rule: calm\nwhen: features.seen == 0\nnotify: {class: service, channels: [push]}\n"
    bank = bank_of(rule, shared=shared).take(spend(DAY + "10:00:00", 1))
    assert [t[0][-5:] for t in bank.until(DAY + "12:00:00").told()] == ["10:10"]


def test_a_baseline_leaves_the_event_itself_out() -> None:
    shared = "features:\n  usual: {mean: amount, of: transaction, window: 90d, at_least: 2}\n"
    rule = (
        "rule: unusual\nevent: transaction\nwhen: amount > 3 * features.usual\n"
        "notify: {class: security, channels: [push]}\n"
    )
    bank = bank_of(rule, shared=shared).take(
        spend(DAY + "10:00:00", 10), spend(DAY + "10:01:00", 10), spend(DAY + "10:02:00", 31)
    )
    assert [t[0][-5:] for t in bank.until(DAY + "12:00:00").told()] == ["10:02"]
    assert str(bank.decisions[0].values["features.usual"]) == "10"


def test_a_reversal_takes_the_amount_out_again() -> None:
    shared = "features:\n  spent: {sum: amount, of: transaction, window: 1d, exact: true}\n"
    rule = (
        "rule: much\nevent: transaction\nwhen: features.spent > 100\n"
        "notify: {class: security, channels: [push]}\n"
    )
    bank = bank_of(rule, shared=shared).take(
        spend(DAY + "10:00:00", 90, id="T1"),
        spend(DAY + "10:01:00", 90, id="T2", status="reversed", reverses="T1"),
        spend(DAY + "10:02:00", 50, id="T3"),
    )
    assert bank.until(DAY + "12:00:00").told() == []


def test_what_is_held_for_quiet_hours_dies_when_it_is_not_true_any_more() -> None:
    rule = LOW.replace("[push]", "[sms]")
    night = "2026-03-02T22:00:00"
    bank = bank_of(rule).take(spend(night, 1, balance=400)).until("2026-03-03T09:00:00")
    assert [(t[0], t[2], t[3]) for t in bank.told()] == [
        ("03-02 22:00", "hold", "quiet_hold"),
        ("03-03 08:00", "send", "sms"),
    ]
    bank = bank_of(rule).take(
        spend(night, 1, balance=400), spend("2026-03-03T07:00:00", 1, balance=900)
    )
    assert [t[3] for t in bank.until("2026-03-03T09:00:00").told()] == [
        "quiet_hold",
        "not_true_any_more",
    ]


def test_a_reversal_kills_what_is_held_because_of_it() -> None:
    rule = (
        "rule: big\nevent: transaction\nwhen: amount > 100\n"
        "notify: {class: service, channels: [sms]}\n"
    )
    bank = bank_of(rule).take(
        spend("2026-03-02T22:00:00", 500, id="T1"),
        spend("2026-03-02T23:00:00", 50, id="T2", status="reversed", reverses="T1"),
    )
    assert [t[3] for t in bank.until("2026-03-03T09:00:00").told()] == ["quiet_hold", "reversed"]


def test_a_hold_that_would_outlive_the_message_is_decided_now() -> None:
    rule = LOW.replace("[push]", "[sms], expires: 2h")
    bank = bank_of(rule).take(spend("2026-03-02T22:00:00", 1, balance=400))
    assert [t[2:] for t in bank.until("2026-03-03T09:00:00").told()] == [("suppress", "expired")]


def test_the_next_channel_is_taken_where_the_first_has_no_contact() -> None:
    program = program_of(LOW.replace("[push]", "[push, email]"))
    given = [f for f in facts() if f.get("kind") != "device"]
    bank = Bank(program).take(*given, spend(DAY + "10:00:00", 1, balance=400))
    assert [t[3] for t in bank.until(DAY + "11:00:00").told()] == ["email"]


def test_consent_decides_by_class_and_by_its_last_word() -> None:
    offer = "rule: offer\nevent: transaction\nnotify: {class: marketing, channels: [push]}\n"
    bare = Bank(program_of(offer)).take(*facts(consents=False), spend(DAY + "10:00:00", 1))
    assert [t[3] for t in bare.until(DAY + "11:00:00").told()] == ["no_consent"]
    withdrawn = {"type": "consent", "customer_id": "C1", "purpose": "marketing", "given": False}
    bank = bank_of(offer).take({"at": DAY + "09:00:00", **withdrawn}, spend(DAY + "10:00:00", 1))
    assert [t[3] for t in bank.until(DAY + "11:00:00").told()] == ["opted_out"]


def test_candidates_of_one_window_compete_for_a_cap_by_priority() -> None:
    rule = (
        "rule: {0}\nevent: transaction\n"
        "notify: {{class: marketing, channels: [push], priority: {1}}}\n"
    )
    bank = bank_of(rule.format("a", 10), rule.format("b", 90)).take(spend(DAY + "10:00:00", 1))
    bank.take(spend("2026-03-03T10:00:00", 1)).until("2026-03-03T11:00:00")
    assert [(t[1], t[3]) for t in bank.told()] == [
        ("b", "push"),
        ("a", "lost_arbitration"),
        ("b", "cap_marketing_week"),
        ("a", "cap_marketing_week"),
    ]


def test_an_inhibitor_silences_and_a_superseder_replaces() -> None:
    over = (
        "rule: over\nby: account\nwhen: account.balance < 0\ninhibits: [low]\n"
        "notify: {class: service, channels: [push], priority: 90}\n"
    )
    bank = bank_of(LOW, over).take(spend(DAY + "10:00:00", 1, balance=-5))
    assert sorted((t[1], t[3]) for t in bank.until(DAY + "11:00:00").told()) == [
        ("low", "inhibited"),
        ("over", "push"),
    ]
    newer = over.replace("inhibits", "supersedes")
    bank = bank_of(LOW, newer).take(spend(DAY + "10:00:00", 1, balance=-5))
    assert sorted((t[1], t[3]) for t in bank.until(DAY + "11:00:00").told()) == [
        ("low", "superseded"),
        ("over", "push"),
    ]


def test_joint_holders_have_their_own_alerts_and_the_first_owner_the_task() -> None:
    rule = LOW + "task: {role: branch}\n"
    bank = Bank(program_of(rule)).take(*facts("C1"), *facts("C2", "A2"))
    holders = [{"customer_id": "C1", "role": "owner"}, {"customer_id": "C2", "role": "authorised"}]
    bank.take(
        {"at": "2026-03-01T12:00:00", "type": "account", "account_id": "A1", "holders": holders},
        spend(DAY + "10:00:00", 1, balance=400),
    ).until(DAY + "11:00:00")
    sent = sorted(d.customer_id for d in bank.decisions if d.outcome == "send")
    tasks = [d.customer_id for d in bank.decisions if d.outcome == "task"]
    assert (sent, tasks) == (["C1", "C2"], ["C1"])


def test_a_sequence_completes_in_time_and_once() -> None:
    rule = (
        'rule: chain\nsequence:\n- {event: login, when: outcome == "failure"}\n'
        "- {event: transaction, when: amount > 100}\nwithin: 2h\n"
        "notify: {class: security, channels: [push]}\n"
    )
    failed = {"type": "login", "customer_id": "C1", "outcome": "failure"}
    bank = bank_of(rule).take(
        {"at": DAY + "08:00:00", **failed},
        spend(DAY + "10:00:01", 500),
        {"at": DAY + "11:00:00", **failed},
        spend(DAY + "13:00:00", 500),
        spend(DAY + "13:00:01", 500),
    )
    assert [t[0][-5:] for t in bank.until(DAY + "20:00:00").told()] == ["13:00"]


def test_a_missed_timer_leaves_a_record_and_one_within_its_grace_fires() -> None:
    rule = (
        'rule: daily\ntimer: {{daily: "09:00", grace: {0}}}\n'
        "notify: {{class: service, channels: [push]}}\n"
    )
    for grace, reason in (("1h", "missed"), ("3h", "sent")):
        bank = Bank(program_of(rule.format(grace))).take(*facts()).until("2026-03-01T08:00:00")
        record = bank.record()
        late = bank.event({"at": "2026-03-01T11:00:00", "type": "timer"})
        bank.host._step(record, late)  # a host that slept
        assert [d.reason for d in bank.until("2026-03-01T11:00:02").decisions] == [reason]


def test_an_unknown_answer_is_what_the_class_says() -> None:
    for message_class, attempts, last in (
        ("security", 8, "no_answer"),
        ("service", 1, "no_answer"),
    ):
        rule = (
            f"rule: r\nevent: transaction\nnotify: {{class: {message_class}, channels: [push]}}\n"
        )
        bank = bank_of(rule)
        bank.answers[""] = "unknown"
        bank.take(spend(DAY + "10:00:00", 1)).until(DAY + "11:00:00")
        assert len(bank.attempts) == attempts
        assert bank.decisions[-1].reason == last
        assert bank.record().outgoing == {}
