"""`belfry demo --bank berka`: the year of a Czech bank, where its files are, and the same rules."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
from pathlib import Path

import click

from belfry.cli.progress import progress_bar
from belfry.cli.summary import show_summary
from belfry.connectors.codec import Decoder
from belfry.connectors.sources.importing import find_files, import_files
from belfry.connectors.sources.read import read_source
from belfry.engine.program import Program
from belfry.runtime.replay import encode, replay_files
from belfry.runtime.sample_bank import contacts_for

BERKA = Path("../shared/data/berka")  # where somebody has put it there
BERKA_UNTIL = dt.datetime(1994, 1, 1, tzinfo=dt.UTC)  # its transactions are of 1993
MAPPING = Path("sources/berka.yaml")


def demo_berka(program: Program, rules: Path, data: Path | None, out: Path | None) -> None:
    """Import, replay, summary, and a few texts."""
    found = data or Path(os.environ.get("BELFRY_BERKA", BERKA))
    if not found.is_dir():
        said = f"{found}: no such folder; --data names the folder with the Berka files (*.asc)"
        raise click.UsageError(said)
    click.echo(f"A Czech bank's year ({found}), with made-up contacts and consents.\n")
    with tempfile.TemporaryDirectory() as scratch:
        events = Path(scratch) / "events.ndjson"
        _import(program, rules, found, events)
        kept = out or Path(scratch) / "out"
        with progress_bar("replay") as progress:
            replay_files(program, [events], kept, until=BERKA_UNTIL, progress=progress)
        show_summary(json.loads((kept / "summary.json").read_text()), out)
        _show_messages(kept / "messages.ndjson")


def _import(program: Program, rules: Path, data: Path, events: Path) -> None:
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
