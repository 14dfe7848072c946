"""What comes back weekly or monthly is found, followed and missed; what one buys often is not."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from belfry.engine import recurring
from belfry.engine.record import Occurrence, Run
from belfry.engine.rulebook.load import load_rulebook
from belfry.engine.rulebook.model import SeriesDef


def series(**keys: Any) -> SeriesDef:
    pairs = ", ".join(f"{key}: {value}" for key, value in keys.items())
    book, faults = load_rulebook({"series/x.yaml": f"one: {{same: purpose, {pairs}}}".encode()})
    assert book is not None, faults
    return book.series["one"]


MONTHLY = series(every="month")


def occurrence(day: str, amount: str = "30") -> Occurrence:
    moment = dt.datetime.fromisoformat(f"{day}T10:00+00:00")
    return Occurrence(moment.date(), moment, Decimal(amount), day)


def fed(one: SeriesDef, *days: str) -> tuple[Run, list[str]]:
    run = Run()
    return run, [recurring.take(one, run, occurrence(day)) for day in days]


MONTHS = ("2026-01-15", "2026-02-15", "2026-03-15")
STORIES = [
    ("found at the third", MONTHLY, MONTHS, ["", "", "found"]),
    ("then continued", MONTHLY, (*MONTHS, "2026-04-15"), ["", "", "found", "continued"]),
    ("four days early", MONTHLY, (*MONTHS, "2026-04-11"), ["", "", "found", "continued"]),
    ("five days early is in between", MONTHLY, (*MONTHS, "2026-04-10"), ["", "", "found", "again"]),
    ("a known run may be half a month late", MONTHLY, (*MONTHS, "2026-04-30"),
     ["", "", "found", "continued"]),
    ("later than that begins anew", MONTHLY, (*MONTHS, "2026-05-05"), ["", "", "found", ""]),
    ("one month may be missed", MONTHLY, (*MONTHS, "2026-05-14"), ["", "", "found", "continued"]),
    ("a new run may not be late", MONTHLY, ("2026-01-15", "2026-02-20", "2026-03-20"),
     ["", "", ""]),
    ("weekly", series(every="week"), ("2026-01-05", "2026-01-12", "2026-01-20"), ["", "", "found"]),
    ("yearly", series(every="year", at_least=2), ("2025-06-01", "2026-06-03"), ["", "found"]),
    ("the last day of the month", MONTHLY, ("2025-12-31", "2026-01-31", "2026-02-28"),
     ["", "", "found"]),
]  # fmt: skip


@pytest.mark.parametrize(("what", "one", "days", "steps"), STORIES, ids=[s[0] for s in STORIES])
def test_what_each_occurrence_is_to_its_run(
    what: str, one: SeriesDef, days: tuple[str, ...], steps: list[str]
) -> None:
    assert fed(one, *days)[1] == steps


def test_a_shop_that_one_visits_every_week_is_no_monthly_series() -> None:
    start = dt.date(2026, 1, 3)
    days = [str(start + dt.timedelta(days=7 * week)) for week in range(40)]
    run, steps = fed(MONTHLY, *days)
    assert {"found", "continued"} & set(steps) == set()
    assert len(run.items) <= recurring.ITEMS_KEPT
    assert len(run.extras) <= recurring.EXTRAS_KEPT


def test_the_next_day_keeps_to_the_day_of_the_month_and_leaves_weekends() -> None:
    run, _ = fed(MONTHLY, "2026-01-15", "2026-02-16", "2026-03-15", "2026-04-15")
    assert recurring.nominal(MONTHLY, run) == dt.date(2026, 5, 15)
    run, _ = fed(MONTHLY, "2026-02-10", "2026-03-10", "2026-04-09")
    assert recurring.nominal(MONTHLY, run) == dt.date(2026, 5, 10)  # a Sunday
    assert recurring.expected_on(MONTHLY, run, "CN") == dt.date(2026, 5, 11)
    before = series(roll="previous_business_day")
    assert recurring.expected_on(before, run, "CN") == dt.date(2026, 5, 8)


def test_a_month_without_that_day_is_met_at_its_end() -> None:
    run, _ = fed(MONTHLY, "2025-11-30", "2025-12-31", "2026-01-31")
    assert recurring.nominal(MONTHLY, run) == dt.date(2026, 2, 28)


def test_the_usual_amount_is_the_middle_one_of_the_last_three() -> None:
    run = Run()
    for day, amount in zip((*MONTHS, "2026-04-15"), ("30", "90", "31", "32"), strict=True):
        recurring.take(MONTHLY, run, occurrence(day, amount))
    assert recurring.usual(run) == Decimal(32)


def test_a_reversed_occurrence_is_out_and_its_double_takes_its_place() -> None:
    run, _ = fed(MONTHLY, *MONTHS, "2026-03-16")
    assert recurring.extras(run) == 1
    assert recurring.undo(MONTHLY, run, "2026-03-15")
    assert [one.event_id for one in run.items] == ["2026-01-15", "2026-02-15", "2026-03-16"]
    assert recurring.extras(run) == 0
    assert not recurring.undo(MONTHLY, run, "2026-03-15")


def test_what_comes_late_and_is_older_than_the_last_one_changes_nothing() -> None:
    run, steps = fed(MONTHLY, *MONTHS, "2026-03-01")
    assert steps[-1] == ""
    assert recurring.count(run) == 3


FAULTS = [
    ("{where: is_x, same: purpose}", "B311"),
    ("{every: month}", "B202"),
    ("{same: purpose, every: week, tolerance: 4d}", "B212"),
    ("{same: purpose, every: fortnight}", "B209"),
    ("{same: direction == 'debit'}", "B306"),
    ("{same: purpose, of: transction}", "B301"),
    ("{same: purpose, amount: purpose}", "B306"),
    ("{same: purpose, sume: 1}", "B201"),
]


@pytest.mark.parametrize(("text", "code"), FAULTS)
def test_a_faulty_series_is_refused_with_its_reason(text: str, code: str) -> None:
    book, faults = load_rulebook({"series/x.yaml": f"one: {text}".encode()})
    assert book is None
    assert code in {fault.code for fault in faults}, [f.message for f in faults]
