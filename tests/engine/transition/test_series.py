"""Series in the life of a customer: told step by step, missed, bounded, kept across restarts."""

from typing import Any

from belfry.engine.edition import edition_of
from belfry.engine.edits import compare
from belfry.engine.migrate import migrate
from belfry.engine.program import Program
from belfry.engine.record_codec import RecordCodec
from tests.engine.transition.bank import Bank, facts, instant, program_of, spend

SERIES = """
series:
  rent: {where: direction == "debit", same: counterparty.account, grace: 2d, most: 3, ahead: 10d}
"""
TELL = """
rule: tell
by: account
event: series
when: name == "rent"
task: {role: desk, with: {step: step, amount: amount, before: before, change: change,
  share: change_share, usual: usual, count: count, expected: expected_on, next: next_on}}
"""
SOON = """
rule: soon
by: account
timer: {date: series.rent.next_on, before: 3d, at: "09:00"}
when: series.rent.due_soon > account.balance
task: {role: desk}
"""
DAYS = ("03-05", "04-07", "05-06")  # 5 April is a Sunday, the 6th a holiday; as 5 May is


def rent(day: str, amount: float = 1000, to: str = "88", **more: Any) -> dict[str, Any]:
    at = f"2026-{day}T10:00:00"
    return spend(at, amount, counterparty={"account": to, "name": "Landlord"}, **more)


def bank(*rules: str) -> Bank:
    return Bank(program_of(*rules, shared=SERIES)).take(*facts())


def steps(one: Bank) -> list[tuple[str, Any]]:
    """(local day, step) of each task of the rule `tell`."""
    return [
        (task.at.strftime("%m-%d"), task.values["step"])
        for outcome in one.outcomes
        for task in outcome.tasks
    ]


def last_task(one: Bank) -> dict[str, Any]:
    return [task.values for outcome in one.outcomes for task in outcome.tasks][-1]


def test_found_at_the_third_then_continued_missing_and_ended() -> None:
    one = bank(TELL).take(*(rent(day) for day in DAYS), rent("06-05", 1100))
    assert steps(one) == [("05-06", "found"), ("06-05", "continued")]
    values = last_task(one)
    shown = {name: str(values[name]) for name in ("amount", "before", "change", "share", "usual")}
    assert shown == {
        "amount": "1100", "before": "1000", "change": "100", "share": "0.1", "usual": "1000",
    }  # fmt: skip
    assert (str(values["count"]), str(values["next"])) == ("4", "2026-07-06")  # the 5th: Sunday
    one.until("2026-12-31T00:00:00")
    assert steps(one)[2:] == [("07-08", "missing"), ("08-07", "ended")]
    assert one.record().series == {"rent\x1fA1": {}}
    assert not any(name.startswith("series") for name in one.record().timers)


def test_what_comes_before_the_grace_is_over_is_not_missing() -> None:
    one = bank(TELL).take(*(rent(day) for day in DAYS), rent("06-07")).until("2026-06-30T00:00:00")
    assert [step for _, step in steps(one)] == ["found", "continued"]


def test_one_more_in_between_is_said_and_moves_nothing() -> None:
    one = bank(TELL).take(*(rent(day) for day in DAYS), rent("05-12"), rent("06-05"))
    assert [step for _, step in steps(one)] == ["found", "again", "continued"]


def test_a_reversal_undoes_and_nothing_is_missed_then() -> None:
    reversal = {**rent("05-07"), "direction": "credit", "reverses": "third"}
    one = bank(TELL).take(rent(DAYS[0]), rent(DAYS[1]), rent(DAYS[2], id="third"), reversal)
    one.until("2026-08-01T00:00:00")
    assert [step for _, step in steps(one)] == ["found", "undone"]


def test_a_timer_before_the_next_one_follows_it() -> None:
    one = bank(SOON).take(*(rent(day, balance=900) for day in DAYS)).until("2026-06-04T00:00:00")
    assert one.told() == [("06-02 09:00", "soon", "task", "raised")]
    one.take(rent("06-04", balance=5000)).until("2026-07-05T00:00:00")
    assert len(one.told()) == 1


def test_only_so_many_runs_are_kept_and_the_short_and_old_ones_go() -> None:
    one = bank(TELL).take(
        rent("03-05"), rent("03-06", to="a"), rent("03-07", to="b"), rent("04-07"),
        rent("04-08", to="c"), rent("04-09", to="d"),
    )  # fmt: skip
    assert set(one.record().series["rent\x1fA1"]) == {"88", "c", "d"}


def test_accounts_have_series_of_their_own() -> None:
    other = [{**rent(day), "account_id": "A2", "customer_id": "C1"} for day in DAYS[:2]]
    one = bank(TELL).take(rent(DAYS[2]), *other)
    assert steps(one) == []


def test_a_record_keeps_its_runs_across_restarts_and_changes_of_the_rulebook() -> None:
    program: Program = program_of(TELL, shared=SERIES)
    plain = Bank(program).take(*facts(), *(rent(day) for day in DAYS)).until("2026-07-01T00:00:00")
    restarted = Bank(program).take(*facts())
    codec = RecordCodec(program.book)
    for day in DAYS:
        restarted.take(rent(day))
        records = restarted.host.records
        records["C1"] = codec.decode(codec.encode(records["C1"]))
    restarted.until("2026-07-01T00:00:00")
    assert restarted.told() == plain.told()
    without = program_of("rule: x\nevent: login\ntask: {role: a}")
    raw = codec.encode(plain.record())
    assert RecordCodec(without.book).decode(raw).series == {}


def test_another_rulebook_forgets_series_that_it_has_not_and_waits_as_it_says() -> None:
    old = bank(TELL).take(*(rent(day) for day in DAYS))
    now = instant("2026-05-10T00:00:00")
    patient = program_of(TELL, shared=SERIES.replace("grace: 2d", "grace: 9d"))
    record, name = old.record(), "series\x1frent\x1fA1\x1f88"
    migrate(patient, record, compare(edition_of(old.program.book), patient.book), now)
    assert record.timers[name].due == instant("2026-06-14T10:00:00")
    without = program_of("rule: x\nevent: login\ntask: {role: a}")
    migrate(without, record, compare(edition_of(patient.book), without.book), now)
    assert record.series == {}
    assert name not in record.timers


def test_what_lacks_the_field_that_is_the_same_is_part_of_no_series() -> None:
    one = bank(TELL).take(*(spend(f"2026-{day}T10:00:00", 5) for day in DAYS))
    assert one.record().series == {}


def test_a_date_timer_whose_feature_moved_does_not_fire_for_the_old_date() -> None:
    shared = "features: {seen_at: {last: time, of: login}}"
    rule = 'rule: x\ntimer: {date: features.seen_at, after: 10d, at: "09:00"}\ntask: {role: a}'
    login = {"type": "login", "customer_id": "C1", "outcome": "success"}
    one = Bank(program_of(rule, shared=shared)).take(
        *facts(), {"at": "2026-03-02T10:00:00", **login}, {"at": "2026-03-05T10:00:00", **login}
    )
    one.until("2026-04-01T00:00:00")
    assert one.told() == [("03-15 09:00", "x", "task", "raised")]


def test_a_rule_on_transactions_reads_what_was_known_before_them() -> None:
    rule = """
rule: dear
by: account
event: transaction
when: amount > 500 and amount > series.rent.next_amount
task: {role: desk}
"""
    one = bank(rule).take(*(rent(day) for day in DAYS), rent("06-05", 1001), rent("07-06", 1000))
    assert one.told() == [("06-05 10:00", "dear", "task", "raised")]
