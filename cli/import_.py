"""`belfry import`: a bank's files become events, by a mapping and without code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.cli.paths import refuse_overwriting
from belfry.cli.progress import progress_bar
from belfry.cli.sources import load_source, stop_on
from belfry.connectors.quarantine import QuarantineUnreadable
from belfry.connectors.sources.importing import QUARANTINE, find_files, import_files, write_imported

EXIT_FINDINGS = 1
EXISTING = click.Path(exists=True, path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    "import",
    epilog=by_example(
        ("belfry import rules/sources/berka.yaml data/berka --out events.ndjson", "a folder"),
        ("belfry import s.yaml a.csv b.csv.gz --out events.ndjson --json", "some files"),
    ),
)
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("paths", nargs=-1, required=True, type=EXISTING, metavar="PATH...")
@click.option("--out", type=FILE, required=True, help="The events, one a line, in order of time.")
@click.option(
    "--quarantine",
    "refused",
    type=FILE,
    help="Where refused rows are kept [quarantine.ndjson beside --out].",
)
@click.option(
    "--rules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The rulebook whose events/ declares the bank's own types [the folder above sources/].",
)
@click.option("--json", "as_json", is_flag=True, help="The report as one JSON object.")
def import_command(
    source: Path,
    paths: tuple[Path, ...],
    out: Path,
    refused: Path | None,
    rules: Path | None,
    *,
    as_json: bool,
) -> int:
    """Turn a bank's files into events, as the mapping SOURCE says.

    PATH: files, or folders of files. Each row becomes events, is left out by the mapping, or is
    kept in quarantine with its reason; the report accounts for all of them.

    Exit codes: 0 all rows taken, 1 some are in quarantine, 2 the mapping or the files do not fit
    (then nothing is written).
    """
    mapping, decoder = load_source(source, rules)
    kept = refused or out.with_name(QUARANTINE)
    files = find_files(list(paths))
    read = (path for path in files if mapping.reads(path.name))
    refuse_overwriting((out, kept), (source, *read))
    with progress_bar("import") as progress:
        found = import_files(mapping, files, decoder, progress)
    if isinstance(found, list):
        stop_on(found, source)
        return EXIT_FINDINGS
    if not any(one.role == "events" for one in found.reports):
        names = ", ".join(name for file in mapping.files for name in file.match)
        raise click.UsageError(f"none of the files given fits the mapping ({names})")
    try:
        write_imported(found, out, kept)
    except QuarantineUnreadable as problem:
        raise click.UsageError(f"{problem}; name another file with --quarantine") from problem
    report = found.as_dict() | {"out": str(out), "quarantine": str(kept)}
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        show_report(report)
    return EXIT_FINDINGS if found.quarantined else 0


def show_report(report: dict[str, Any]) -> None:
    """For people: each file's rows, events by type, what was refused and why."""
    from rich.console import Console  # noqa: PLC0415  slow to import, not needed for --help
    from rich.table import Table  # noqa: PLC0415

    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("file", no_wrap=True)
    for name in ("rows", "events", "skipped", "quarantined"):
        table.add_column(name, justify="right")
    table.add_column("")
    for one in report["files"]:
        figures = (one["rows"], one["events"], one["skipped"], one["quarantined"])
        note = "looked up" if one["role"] == "table" else ""
        if one["unused"]:
            note += f", {one['unused']:,} rows never asked for"
        name = Path(one["file"]).name
        table.add_row(name, *(f"{figure:,}" if figure else "·" for figure in figures), note)
    console.print(table)
    console.print()
    for kind, count in report["by_type"].items():
        console.print(f"{count:>10,} {kind}")
    time = report["time"]
    if time["first"] is not None:
        console.print(f"\n{time['first'].isoformat()} to {time['last'].isoformat()}")
    for name, count in report["values_left_out"].items():
        console.print(f"left out: {count:,} values of {name}")
    for reason, count in report["quarantined_by_reason"].items():
        console.print(f"quarantined: {count:,} {reason}")
    if report["files_not_used"]:
        names = ", ".join(Path(one).name for one in report["files_not_used"])
        console.print(f"not in the mapping: {names}")
    console.print(f"\n{report['events']:,} events written: {report['out']}")
    if report["quarantined"]:
        told = f"belfry quarantine list --file {report['quarantine']}"
        console.print(f"{report['quarantined']:,} rows kept in quarantine; see them: {told}")
