"""`belfry decisions export`: the decision records of an embedded host."""

from __future__ import annotations

from pathlib import Path

import click

from belfry.cli.examples import by_example
from belfry.runtime.reading import export_decisions


@click.group(
    epilog=by_example(
        ("belfry decisions export --data bank.db --out decisions.ndjson", "all of them"),
    )
)
def decisions() -> None:
    """The decision records of an embedded host."""


@decisions.command(
    epilog=by_example(
        ("belfry decisions export --data bank.db --out d.ndjson", "beside a server, or without"),
    )
)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def export(data: Path, out: Path) -> None:
    """Write all decision records, one JSON object a line, in the order they were made."""
    count = export_decisions(data, out)
    click.echo(f"{count:,} decisions in {out}", err=True)
