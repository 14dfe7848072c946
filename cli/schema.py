"""`belfry schema`: JSON Schema of the rulebook, of events and of decisions, for editors."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.cli.lint import EXIT_USAGE, show_faults
from belfry.engine.event_types import STANDARD, EventTypes
from belfry.engine.rulebook.schema import decision_schema, events_schema, rules_schema
from belfry.runtime.rulebook_files import read_rulebook


@click.command(
    epilog=by_example(
        ("belfry schema rules > rules.schema.json", "for the YAML language server of an editor"),
        ("belfry schema events --rules rules", "with the bank's own event types"),
        ("belfry schema decision", "a line of decisions.ndjson"),
    )
)
@click.argument("what", type=click.Choice(["rules", "events", "decision"]))
@click.option("--rules", type=click.Path(path_type=Path), help="Include this rulebook's own types.")
@click.option("--json", "as_json", is_flag=True, help="On one line instead of indented.")
def schema(what: str, rules: Path | None, *, as_json: bool) -> None:
    """Print the JSON Schema of rules, events or decisions."""
    types = _types(rules)
    made: dict[str, Any]
    if what == "rules":
        made = rules_schema(types.fields)
    elif what == "events":
        made = events_schema(types)
    else:
        made = decision_schema()
    text = msgspec.json.encode(made)
    click.echo((text if as_json else msgspec.json.format(text, indent=2)).decode())


def _types(rules: Path | None) -> EventTypes:
    if rules is None:
        return STANDARD
    if not rules.is_dir():
        what = "not a folder" if rules.exists() else "no such folder"
        raise click.UsageError(f"{rules}: {what}")
    book, faults = read_rulebook(rules)
    if book is None:
        show_faults(faults)
        sys.exit(EXIT_USAGE)
    return book.event_types
