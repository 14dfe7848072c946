"""`belfry simulate-bank`: a synthetic bank's events, the same for the same seed."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import click

from belfry.cli.examples import by_example
from belfry.cli.progress import progress_bar
from belfry.runtime.bank.life import Setting
from belfry.runtime.bank.simulate import START, as_lines, simulate_bank

SEED = 7


@click.command(
    "simulate-bank",
    epilog=by_example(
        ("belfry simulate-bank --out events.ndjson", "300 customers, 90 days"),
        ("belfry simulate-bank --customers 5000 --language en --out e.ndjson", "a larger one"),
        ("belfry simulate-bank --customers 2 --out - | head", "a look at the events"),
    ),
)
@click.option("--customers", type=click.IntRange(1, 1_000_000), default=300, show_default=True)
@click.option("--days", type=click.IntRange(30, 3650), default=90, show_default=True)
@click.option("--seed", type=int, default=SEED, show_default=True, help="Same seed, same bytes.")
@click.option(
    "--language",
    type=click.Choice(["zh", "en"]),
    default="zh",
    show_default=True,
    help="Of names, shops and most customers.",
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default=START.isoformat(),
    show_default=True,
    help="The first day.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    required=True,
    help="The file (NDJSON); - is standard output.",
)
def simulate_bank_command(
    *, customers: int, days: int, seed: int, language: str, start: dt.datetime, out: Path
) -> None:
    """Make a synthetic bank: events of made-up customers who live through some months.

    Nobody in it exists, and no phone number or address can reach anybody. Branch visits and some
    fields are those of the shipped rulebook (rules/events/).
    """
    setting = Setting(customers, days, seed, language, start.date())
    with progress_bar("bank") as progress:
        events = simulate_bank(setting, progress)
    if str(out) == "-":
        sys.stdout.buffer.writelines(as_lines(events))
        return
    part = out.with_name(f".{out.name}.part")
    with part.open("wb") as stream:
        stream.writelines(as_lines(events))
    part.replace(out)
    click.echo(f"{len(events):,} events of {customers:,} customers, {days} days: {out}")
