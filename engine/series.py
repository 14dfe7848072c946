"""Series in the life of a customer: events join them, timers miss them, rules are told.

In: a turn, a sight of an event, the series' code. Out: the record's runs, and a `series` event for
each step: found, continued, again, missing, ended, undone.
Invariant: at most `most` runs are kept for each series and key; one that is regular has one timer,
at the instant from which its next occurrence is missing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from belfry.engine import recurring
from belfry.engine.agenda import drop_timer, set_timer
from belfry.engine.decisions import derived_id
from belfry.engine.events import Series
from belfry.engine.instants import UTC, at_local
from belfry.engine.program.series_code import SeriesCode
from belfry.engine.record import SEPARATOR, Occurrence, Record, Run, TimerEntry, joined
from belfry.engine.rulebook.model import SeriesDef
from belfry.engine.sight import Sight, key_of, of_key
from belfry.engine.turn import Turn, local_zone

GROUP_LENGTH = 80
ENDED_AFTER = 2  # missed in a row


@dataclass(frozen=True, slots=True)
class Strand:
    """Which run: of which series, whose, and what is the same in its events."""

    series: SeriesDef
    key: str
    group: str

    @property
    def timer(self) -> str:
        """The name of the timer that waits for the next occurrence."""
        return joined("series", self.series.name, self.key, self.group)


def follow(turn: Turn, codes: Iterable[SeriesCode], x: Sight) -> None:
    """The event joins the runs that it belongs to."""
    for code in codes:
        key = key_of(x, code.series.by)
        if not key or not code.where(x):
            continue
        same, amount = code.same(x), code.amount(x)
        if same is None or amount is None:
            continue
        strand = Strand(code.series, key, str(same)[:GROUP_LENGTH])
        run = _run_of(turn.record, strand)
        run.who = code.who(x) or run.who
        run.currency = getattr(x.e, "currency", None) or run.currency
        day = x.e.time.astimezone(local_zone(turn)).date()
        before = recurring.latest(run) if run.items else None
        step = recurring.take(code.series, run, Occurrence(day, x.e.time, Decimal(amount), x.e.id))
        _arm(turn, strand, run)
        if step:
            _tell(turn, strand, run, step, before=before, cause=x.e.id)


def undo(turn: Turn, event_id: str) -> None:
    """A transaction was reversed: it has not been part of any series."""
    for name, runs in turn.record.series.items():
        series_name, _, key = name.partition(SEPARATOR)
        series = turn.program.book.series.get(series_name)
        for group, run in list(runs.items()):
            was_regular = run.expected is not None
            if series is None or not recurring.undo(series, run, event_id):
                continue
            strand = Strand(series, key, group)
            _arm(turn, strand, run)
            if not run.items:
                del runs[group]
            elif was_regular:
                _tell(turn, strand, run, "undone", before=None, cause=event_id)


def due(turn: Turn, name: str, entry: TimerEntry, *place: str) -> None:
    """What was expected has not come. Twice in a row: it is over."""
    series_name, key, group = place
    drop_timer(turn.record, name)
    series = turn.program.book.series.get(series_name)
    runs = turn.record.series.get(joined(series_name, key), {})
    run = runs.get(group)
    if series is None or run is None or not recurring.is_regular(series, run):
        return
    strand = Strand(series, key, group)
    step = "missing" if run.missed + 1 < ENDED_AFTER else "ended"
    _tell(turn, strand, run, step, before=None, cause=entry.due.isoformat())
    run.missed += 1
    if step == "ended":
        del runs[group]
    else:
        _arm(turn, strand, run)


def forget(turn: Turn, gone: Mapping[str, list[str]]) -> None:
    """Keys that are no longer the customer's: their runs go, and nobody misses anything."""
    record = turn.record
    for name in list(record.series):
        series_name, _, key = name.partition(SEPARATOR)
        series = turn.program.book.series.get(series_name)
        if series is not None and key in gone[series.by]:
            for group in record.series.pop(name):
                drop_timer(record, Strand(series, key, group).timer)


def renew(turn: Turn) -> None:
    """Another rulebook: runs of series that are gone go, the others wait as the new one says."""
    record = turn.record
    for name in list(record.series):
        series_name, _, key = name.partition(SEPARATOR)
        series = turn.program.book.series.get(series_name)
        if series is None:
            for group in record.series.pop(name):
                drop_timer(record, joined("series", series_name, key, group))
            continue
        for group, run in record.series[name].items():
            _arm(turn, Strand(series, key, group), run)


def _run_of(record: Record, strand: Strand) -> Run:
    series, key = strand.series, strand.key
    runs = record.series.setdefault(joined(series.name, key), {})
    run = runs.get(strand.group)
    if run is None:
        if len(runs) >= series.most:
            gone = min(runs, key=lambda one: (recurring.count(runs[one]), _last_at(runs[one]), one))
            del runs[gone]
            drop_timer(record, Strand(series, key, gone).timer)
        run = runs[strand.group] = Run()
    return run


def _last_at(run: Run) -> dt.datetime:
    return recurring.latest(run).at if run.items else dt.datetime.min.replace(tzinfo=UTC)


def _arm(turn: Turn, strand: Strand, run: Run) -> None:
    series = strand.series
    if not run.items or not recurring.is_regular(series, run):
        run.expected = None
        drop_timer(turn.record, strand.timer)
        return
    run.expected = recurring.expected_on(series, run, turn.program.book.policies.bank.country)
    moment = at_local(run.expected + series.grace, series.at, local_zone(turn))
    set_timer(turn.record, strand.timer, TimerEntry(moment))


def _tell(
    turn: Turn, strand: Strand, run: Run, step: str, *, before: Occurrence | None, cause: str
) -> None:
    record, series = turn.record, strand.series
    amount = recurring.latest(run).amount
    earlier = None if before is None else before.amount
    change = None if earlier is None else amount - earlier
    sight = of_key(record, series.by, strand.key, turn.now)
    parts = (record.customer_id, series.name, strand.key, strand.group, step, cause)
    is_due = step in ("missing", "ended")
    turn.derived.append(
        Series(
            id=derived_id("series", *parts),
            time=turn.now,
            customer_id=record.customer_id,
            account_id=sight.account_id or None,
            card_id=sight.card_id or None,
            loan_id=sight.loan_id or None,
            name=series.name,
            step=step,  # type: ignore[arg-type]
            who=run.who,
            amount=amount,
            currency=run.currency,
            before=earlier,
            before_at=None if before is None else before.at,
            change=change,
            change_share=change / earlier if change is not None and earlier else None,
            usual=recurring.usual(run),
            count=Decimal(recurring.count(run)),
            extras=Decimal(recurring.extras(run)),
            expected_on=run.expected if is_due else None,
            next_on=None if is_due else run.expected,
        )
    )
