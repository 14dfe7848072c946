"""What commands that look into history share: event files, a moment, a customer.

In: paths. Out: good events in order of time; what is bad is counted on stderr.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from belfry.connectors.codec import Decoder
from belfry.engine.program import Program
from belfry.runtime.replay import read_history


def history(program: Program, paths: tuple[Path, ...]) -> list[Any]:
    """All good events, in order."""
    events, bad = read_history(paths, Decoder(program.book.event_types), lambda one: None)
    if bad:
        click.echo(f"{bad} lines are not events and were left out (see `belfry replay`)", err=True)
    if not events:
        raise click.UsageError("no events in these files")
    return events


def moment(at: dt.datetime | None, events: list[Any]) -> dt.datetime:
    """The moment asked for; without one the last event's."""
    last: dt.datetime = events[-1].time
    return at or last


def customer_not_found(customer: str, events: list[Any]) -> click.UsageError:
    """A sentence with customers that there are."""
    known = sorted({event.customer_id for event in events if event.customer_id})
    near = ", ".join(known[:5]) + (", …" if len(known) > 5 else "")
    return click.UsageError(f"nothing is known of customer {customer!r} by then; there are {near}")
