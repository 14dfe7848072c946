"""`belfry demo`: a year of a bank's history through the first rulebook."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from pathlib import Path

import click

from belfry.cli.examples import by_example
from belfry.cli.loading import load_program
from belfry.cli.progress import progress_bar
from belfry.cli.replay import FOLDER
from belfry.cli.summary import show_summary
from belfry.connectors.codec import Decoder
from belfry.connectors.sources.importing import find_files, import_files
from belfry.connectors.sources.read import read_source
from belfry.engine.program import Program
from belfry.runtime.replay import encode, replay_files
from belfry.runtime.sample_bank import contacts_for, sample_bank

BERKA = Path("../shared/data/berka")  # a Czech bank's year, where somebody has put it there
BERKA_UNTIL = dt.datetime(1994, 1, 1, tzinfo=dt.UTC)  # its transactions are of 1993
MAPPING = Path("sources/berka.yaml")


@click.command(
    epilog=by_example(
        ("belfry demo", "the shipped rules on a year of a bank"),
        ("belfry demo --out out", "and keep decisions and messages there"),
    )
)
@click.option("--rules", type=FOLDER, default=Path("rules"), show_default=True)
@click.option("--data", type=FOLDER, help="A folder with the Berka files; default: where they are.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Keep the results.")
def demo(rules: Path, data: Path | None, out: Path | None) -> None:
    """Replay a year of a bank through the first rulebook and sum it up."""
    program = load_program(rules)
    found = data or Path(os.environ.get("BELFRY_BERKA", BERKA))
    with tempfile.TemporaryDirectory() as scratch:
        events = Path(scratch) / "events.ndjson"
        if found.is_dir():
            click.echo(f"A Czech bank's year ({found}), with made-up contacts and consents.\n")
            _berka(program, rules, found, events)
            until: dt.datetime | None = BERKA_UNTIL
        else:
            click.echo("A small made-up bank: 60 customers, one year, always the same.\n")
            events.write_bytes(b"".join(encode(event) + b"\n" for event in sample_bank()))
            until = None
        kept = out or Path(scratch) / "out"
        with progress_bar("replay") as progress:
            replay_files(program, [events], kept, until=until, progress=progress)
        summary = json.loads((kept / "summary.json").read_text())
        show_summary(summary, out)
        _show_messages(kept / "messages.ndjson")
    click.echo(
        "\nWhy, or why not? belfry explain --help    Your own rule? README.md, in five minutes"
    )


def _berka(program: Program, rules: Path, data: Path, events: Path) -> None:
    types = program.book.event_types
    path = rules / MAPPING
    source, faults = read_source(str(path), path.read_bytes(), types)
    if source is None:
        raise click.ClickException("; ".join(str(fault) for fault in faults))
    with progress_bar("import") as progress:
        found = import_files(source, find_files([data]), Decoder(types), progress)
    if isinstance(found, list):
        raise click.ClickException("; ".join(str(fault) for fault in found))
    events.write_bytes(b"".join(line + b"\n" for line in found.events))
    decoder = Decoder(types)
    customers: dict[str, None] = {}
    first = ""
    with events.open("rb") as lines:
        for line in lines:
            event = decoder.decode_event(line)
            if getattr(event, "customer_id", None) is not None:
                customers[str(getattr(event, "customer_id"))] = None  # noqa: B009
            first = first or json.loads(line)["time"]
    with events.open("ab") as more:
        for one in contacts_for(customers, first):
            more.write(encode(one) + b"\n")


def _show_messages(path: Path) -> None:
    """A few texts as customers would read them, one per rule."""
    shown: dict[str, str] = {}
    with path.open("rb") as lines:
        for line in lines:
            message = json.loads(line)
            if message.get("text") and message["rule"] not in shown:
                shown[message["rule"]] = f"  {message['channel']:5} {message['text'].strip()}"
    click.echo("\nWhat customers read:")
    for text in list(shown.values())[:6]:
        click.echo(text)
