"""`belfry backup`: a copy of the data file while it is served."""

from __future__ import annotations

from pathlib import Path

import click

from belfry.cli.examples import by_example
from belfry.runtime.reading import backup as copy


@click.command(
    epilog=by_example(
        ("belfry backup --data bank.db --out bank-monday.db", "while the server runs, or not"),
        ("belfry serve --rules rules --data bank-monday.db", "a backup is a data file"),
    )
)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The data file.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
def backup(data: Path, out: Path) -> None:
    """Copy one committed state of the data file, checked, whole or not at all."""
    copy(data, out)
    click.echo(f"{out}: {out.stat().st_size:,} bytes, checked", err=True)
