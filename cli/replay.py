"""`belfry replay`: history through the whole engine."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import click

from belfry.cli.examples import by_example
from belfry.cli.loading import load_program
from belfry.cli.paths import refuse_overwriting
from belfry.cli.progress import progress_bar
from belfry.runtime.replay import RESULTS, replay_files


class Instant(click.ParamType):
    """An instant with offset on the command line."""

    name = "instant"

    def convert(self, value: Any, param: Any, ctx: Any) -> dt.datetime:
        try:
            found = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an instant like 2026-03-02T10:00:00+08:00", param, ctx)
        if not YEAR_MIN <= found.year <= YEAR_MAX:
            self.fail(f"{value!r} is outside of the years {YEAR_MIN} to {YEAR_MAX}", param, ctx)
        if found.tzinfo is None:
            meant = found.isoformat()
            self.fail(f"{value!r} needs a time and an offset, e.g. {meant}+08:00", param, ctx)
        return found.astimezone(dt.UTC)


YEAR_MIN, YEAR_MAX = 1900, 2199  # those of events
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(
    epilog=by_example(
        ("belfry replay --rules rules --events events.ndjson --out out", "a history, whole"),
        ("belfry replay … --until 2026-03-31T23:59:59+08:00", "timers due by then fire"),
    )
)
@click.option("--rules", type=FOLDER, required=True, help="The rulebook's folder.")
@click.option("--events", type=FILE, required=True, multiple=True, help="Event files (NDJSON, gz).")
@click.argument("more_events", nargs=-1, type=FILE)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--until", type=Instant(), help="Stop there; timers due by then fire.")
@click.option("--json", "as_json", is_flag=True, help="Print summary.json.")
def replay(
    rules: Path,
    events: tuple[Path, ...],
    more_events: tuple[Path, ...],
    out: Path,
    until: dt.datetime | None,
    *,
    as_json: bool,
) -> None:
    """Run history through the whole engine on event time.

    Writes decisions.ndjson, messages.ndjson, summary.json and quarantine.ndjson into --out.
    """
    refuse_overwriting((out / name for name in RESULTS), (*events, *more_events))
    program = load_program(rules)
    with progress_bar("replay") as progress:
        replay_files(program, [*events, *more_events], out, until=until, progress=progress)
    if as_json:
        click.echo((out / "summary.json").read_text().rstrip())
        return
    from belfry.cli.summary import show_summary  # noqa: PLC0415  rich is slow to import

    show_summary(json.loads((out / "summary.json").read_text()), out)
