"""Code of series: which events join them, and how conditions read them.

In: a rulebook's series. Out: names of generated functions for each event type, then `SeriesCode`;
readers of the measures by the name that generated code calls.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from belfry.engine import recurring
from belfry.engine.instants import UTC, zone
from belfry.engine.program.conditions import Conditions
from belfry.engine.record import Run, joined
from belfry.engine.rulebook.model import MEASURES, Bank, Rulebook, SeriesDef
from belfry.engine.sight import Sight, key_of

Names = list[tuple[SeriesDef, str | None, str, str, str]]
Test = Callable[..., Any]


@dataclass(slots=True)
class SeriesCode:
    """One series as an event of one type may join it. `same`, `amount`, `who` give values."""

    series: SeriesDef
    where: Test
    same: Test
    amount: Test
    who: Test


def name_series(cond: Conditions, book: Rulebook, event_type: str) -> Names:
    """Names of the functions that an event of this type needs."""
    return [
        (
            one,
            None if one.where is None else cond.is_true(one.where, event_type),
            cond.value(one.same, event_type),
            cond.value(one.amount, event_type),
            cond.value(one.who, event_type),
        )
        for one in book.series.values()
        if event_type in one.events
    ]


def fill_series(cond: Conditions, names: Names) -> list[SeriesCode]:
    """The functions themselves, once they are compiled."""
    return [
        SeriesCode(one, _always if where is None else cond[where], *(cond[f] for f in rest))
        for one, where, *rest in names
    ]


def _always(x: Any) -> bool:
    return True


def series_readers(book: Rulebook) -> dict[str, Any]:
    """What reads `series.<name>.<measure>`, by the name under which it is called."""
    bank = book.policies.bank
    return {
        f"S_{name}_{measure}": reader(one, measure, bank)
        for name, one in book.series.items()
        for measure in MEASURES
    }


def reader(series: SeriesDef, measure: str, bank: Bank) -> Test:
    """The function that reads `series.<name>.<measure>` of the key in sight."""
    compute = _MEASURES[measure]

    def read_series(x: Sight) -> Any:
        key = key_of(x, series.by)
        runs = x.r.series.get(joined(series.name, key), {}) if key else {}
        tz = zone(x.r.customer.time_zone or bank.time_zone) or UTC
        known = [run for run in runs.values() if run.expected is not None]
        return compute(series, known, x.t.astimezone(tz).date())

    return read_series


def _coming(runs: list[Run]) -> list[Run]:
    return [run for run in runs if not run.missed]


def _next(series: SeriesDef, runs: list[Run], today: dt.date) -> Run | None:
    return min(_coming(runs), key=lambda run: (run.expected, run.who or ""), default=None)


def _next_on(series: SeriesDef, runs: list[Run], today: dt.date) -> dt.date | None:
    run = _next(series, runs, today)
    return None if run is None else run.expected


def _next_amount(series: SeriesDef, runs: list[Run], today: dt.date) -> Decimal | None:
    run = _next(series, runs, today)
    return None if run is None else recurring.usual(run)


def _due_soon(series: SeriesDef, runs: list[Run], today: dt.date) -> Decimal:
    edge = today + series.ahead
    amounts = [
        recurring.usual(run)
        for run in _coming(runs)
        if run.expected is not None and run.expected <= edge
    ]
    return sum((one for one in amounts if one is not None), Decimal(0))


_MEASURES: dict[str, Callable[[SeriesDef, list[Run], dt.date], Any]] = {
    "count": lambda series, runs, today: len(runs),
    "missing": lambda series, runs, today: sum(run.missed > 0 for run in runs),
    "next_on": _next_on,
    "next_amount": _next_amount,
    "due_soon": _due_soon,
}
