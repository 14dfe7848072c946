"""What `import` and `quarantine retry` share: a source mapping and the event types it may name.

In: paths. Out: the mapping and a decoder; faults are shown like lint shows them, with exit code 2.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from belfry.cli.lint import show_faults
from belfry.connectors.codec import Decoder
from belfry.connectors.sources.model import Source
from belfry.connectors.sources.read import read_source
from belfry.engine.event_types import EventTypes, event_types
from belfry.engine.faults import Fault, Severity
from belfry.engine.rulebook.declarations import read_declarations
from belfry.engine.rulebook.parts import cut

EXIT_USAGE = 2


def stop_on(faults: list[Fault], what: Path) -> None:
    """Show faults and end the command, if there are any."""
    errors = [fault for fault in faults if fault.severity is Severity.ERROR]
    if errors:
        show_faults(errors)
        count = f"{len(errors)} error" + ("s" if len(errors) > 1 else "")
        click.echo(f"{what}: {count}; nothing was written", err=True)
        sys.exit(EXIT_USAGE)


def declared_types(rules: Path | None) -> EventTypes:
    """The standard types, and those that the rulebook's events/ declares."""
    folder = rules / "events" if rules is not None else None
    if folder is None or not folder.is_dir():
        return event_types()
    paths = sorted(one for one in folder.rglob("*") if one.suffix in (".yaml", ".yml"))
    files = {f"events/{path.relative_to(folder).as_posix()}": path.read_bytes() for path in paths}
    faults: list[Fault] = []
    declared = read_declarations(cut(files, faults).of("events"), faults)
    stop_on(faults, folder)
    return event_types(declared)


def load_source(path: Path, rules: Path | None) -> tuple[Source, Decoder]:
    """A mapping, with the types of its rulebook: `rules`, else the folder above `sources/`."""
    if rules is None and path.absolute().parent.name == "sources":
        rules = path.absolute().parent.parent
    types = declared_types(rules)
    source, faults = read_source(str(path), path.read_bytes(), types)
    stop_on(faults, path)
    assert source is not None
    return source, Decoder(types)
