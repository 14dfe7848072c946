"""`belfry customer show`: what is known about a customer."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.cli.history import customer_not_found, history, moment
from belfry.cli.loading import load_program
from belfry.cli.replay import FILE, FOLDER, Instant
from belfry.engine.instants import NEVER
from belfry.engine.program import Program
from belfry.engine.record import SEPARATOR, Record
from belfry.engine.sight import keys_of, of_key
from belfry.runtime.story import Story, tell


@click.group(
    epilog=by_example(
        ("belfry customer show C1 --events events.ndjson", "as of the last event"),
    )
)
def customer() -> None:
    """Look at one customer."""


@customer.command(
    epilog=by_example(
        ("belfry customer show C1 --events events.ndjson", "as of the last event"),
        ("belfry customer show C1 --events events.ndjson --at 2026-03-02T12:00:00+08:00", "then"),
    )
)
@click.argument("customer_id", metavar="CUSTOMER")
@click.option("--rules", type=FOLDER, default=Path("rules"), show_default=True)
@click.option("--events", type=FILE, required=True, multiple=True, help="Event files (NDJSON, gz).")
@click.option("--at", type=Instant(), help="The moment; default: the last event's time.")
@click.option("--json", "as_json", is_flag=True)
def show(
    customer_id: str,
    rules: Path,
    events: tuple[Path, ...],
    at: dt.datetime | None,
    *,
    as_json: bool,
) -> None:
    """Facts, features, segments, alerts, timers and decisions of one customer."""
    program = load_program(rules)
    happened = history(program, events)
    when = moment(at, happened)
    story = tell(program, happened, customer_id, when)
    if story.record is None:
        raise customer_not_found(customer_id, happened)
    known = _known(program, story, story.record, when)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(known, order="sorted"), indent=2))
        return
    for title, value in known.items():
        click.secho(title, bold=True)
        _print(value, "  ")


def _known(program: Program, story: Story, record: Record, at: dt.datetime) -> dict[str, Any]:
    entities = {
        kind: {key: _set(entity) for key, entity in getattr(record, kind).items()}
        for kind in ("accounts", "cards", "loans")
    }
    return {
        "customer": {"id": record.customer_id, **_set(record.customer)},
        **entities,
        "contacts": [
            {
                "kind": c.kind,
                "verified": c.verified,
                "primary": c.primary,
                "suppressed": c.suppressed,
            }
            for c in record.contacts
        ],
        "consents": [
            {"purpose": c.purpose, "channel": c.channel or "all", "given": c.given}
            for c in record.consents
        ],
        "features": _features(program, record, at),
        "segments": {name: state.value for name, state in record.segments.items()},
        "alerts": {
            f"{alert.rule} {alert.key}": {"phase": alert.phase, "since": alert.since}
            for alert in record.alerts.values()
        },
        "timers": {
            name.replace(SEPARATOR, " "): entry.due
            for name, entry in sorted(record.timers.items(), key=lambda one: one[1].due)
            if entry.due != NEVER
        },
        "decisions": [
            f"{d.at.isoformat()} {d.rule}: {d.outcome}, {d.reason}" for d in story.decisions[-10:]
        ],
    }


def _features(program: Program, record: Record, at: dt.datetime) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, feature in program.book.features.items():
        for key in keys_of(record, feature.by):
            label = name if feature.by == "customer" else f"{name} {key}"
            found[label] = program.readers[name](of_key(record, feature.by, key, at))
    return found


def _set(entity: Any) -> dict[str, Any]:
    values = {name: getattr(entity, name) for name in entity.__struct_fields__}
    return {name: value for name, value in values.items() if value is not None}


def _print(value: Any, indent: str) -> None:
    if isinstance(value, dict):
        for name, one in value.items():
            if isinstance(one, dict) and one:
                click.echo(f"{indent}{name}")
                _print(one, indent + "  ")
            else:
                click.echo(f"{indent}{name}: {'unknown' if one is None else one}")
    else:
        for one in value:
            line = ", ".join(f"{k} {v}" for k, v in one.items()) if isinstance(one, dict) else one
            click.echo(f"{indent}{line}")
    if not value:
        click.echo(f"{indent}none")
