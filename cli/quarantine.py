"""`belfry quarantine`: what was refused and why; a second try with corrected rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.cli.paths import refuse_overwriting
from belfry.cli.sources import declared_types, load_source, stop_on
from belfry.connectors.codec import Decoder
from belfry.connectors.quarantine import (
    QuarantineRecord,
    QuarantineUnreadable,
    read_quarantine,
    replace_file,
    retry,
    write_quarantine,
)  # fmt: skip
from belfry.connectors.reasons import MEANINGS, Reason, Rejected
from belfry.connectors.sources.importing import again, find_files

EXIT_FINDINGS = 1
SHOWN_BYTES_MAX = 4096
LISTED_MAX = 20
EXISTING = click.Path(exists=True, path_type=Path)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
Again = Callable[[QuarantineRecord], list[bytes] | Rejected]

file_option = click.option(
    "--file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=Path("quarantine.ndjson"),
    show_default=True,
    help="The quarantine file.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


@click.group(
    epilog=by_example(
        ("belfry quarantine list --file out/quarantine.ndjson", "how many, and why"),
        ("belfry quarantine show 3 --file out/quarantine.ndjson", "one record, byte for byte"),
        (
            "belfry quarantine retry --source s.yaml --data data --out more.ndjson",
            "once more, after the mapping was corrected",
        ),
    )
)
def quarantine() -> None:
    """Records that were refused: nothing is lost, each is kept with its reason and its bytes."""


def records_of(file: Path) -> list[QuarantineRecord]:
    """All records, or a usage error that names the line."""
    try:
        return list(read_quarantine(file))
    except QuarantineUnreadable as problem:
        raise click.UsageError(f"not a quarantine file: {problem}") from problem


@quarantine.command(
    "list",
    epilog=by_example(("belfry quarantine list --file out/quarantine.ndjson", "by reason")),
)
@file_option
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=LISTED_MAX,
    show_default=True,
    help="Records shown.",
)
@json_option
def list_command(file: Path, limit: int, *, as_json: bool) -> None:
    """How many records are there, for which reason, and where they come from."""
    records = records_of(file)
    groups = Counter((one.reason, one.source, one.file) for one in records)
    if as_json:
        rows = [
            {"reason": reason, "source": source, "file": path, "count": count}
            for (reason, source, path), count in sorted(groups.items())
        ]
        click.echo(msgspec.json.encode({"count": len(records), "groups": rows}).decode())
        return
    if not records:
        click.echo(f"{file}: nothing in quarantine")
        return
    for (reason, source, path), count in sorted(groups.items()):
        click.echo(f"{count:>8,}  {reason:<16} {_visible(path or source or '-')}")
    click.echo()
    for number, record in enumerate(records[:limit], start=1):
        click.echo(f"{number:>8}  {record.reason:<16} {_place(record)}: {_visible(record.detail)}")
    if len(records) > limit:
        click.echo(f"{'…':>8}  {len(records) - limit:,} more (--limit)")


@quarantine.command(
    epilog=by_example(("belfry quarantine show 3 --file out/quarantine.ndjson", "the third")),
)
@click.argument("number", type=click.IntRange(min=1))
@file_option
@json_option
def show(number: int, file: Path, *, as_json: bool) -> None:
    """One record: why it was refused, where it stood, its bytes. Numbers are those of `list`."""
    records = records_of(file)
    if number > len(records):
        raise click.UsageError(f"{file} holds {len(records):,} records")
    record = records[number - 1]
    if as_json:
        click.echo(msgspec.json.encode(record).decode())
        return
    meaning = MEANINGS[Reason(record.reason)] if record.reason in set(Reason) else ""
    click.echo(f"reason:  {record.reason}: {meaning}")
    click.echo(f"detail:  {_visible(record.detail)}")
    click.echo(f"place:   {_place(record)}")
    if record.source:
        click.echo(f"source:  {_visible(record.source)}")
    cut = "" if record.is_whole else f", of which {len(record.raw):,} are kept"
    click.echo(f"bytes:   {record.length:,}{cut}")
    if record.sha256:
        click.echo(f"sha256:  {record.sha256}")
    if record.columns:
        click.echo(f"columns: {_visible(', '.join(record.columns))}")
    click.echo()
    click.echo(_visible(record.raw[:SHOWN_BYTES_MAX].decode("utf-8", errors="backslashreplace")))
    if len(record.raw) > SHOWN_BYTES_MAX:
        click.echo(f"… {len(record.raw) - SHOWN_BYTES_MAX:,} more bytes (--json has them)")


@quarantine.command(
    "retry",
    epilog=by_example(
        ("belfry quarantine retry --rules rules --out more.ndjson", "events, with new types"),
        ("belfry quarantine retry --source s.yaml --data data --out more.ndjson", "mapped rows"),
    ),
)
@file_option
@click.option("--source", type=EXISTING, help="The corrected mapping, for rows of a bank's files.")
@click.option(
    "--data", multiple=True, type=EXISTING, help="Files that the mapping looks things up in."
)
@click.option("--rules", type=FOLDER, help="The rulebook whose events/ declares own types.")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="Where events that are good now are added.",
)
@json_option
def retry_command(
    file: Path,
    source: Path | None,
    data: tuple[Path, ...],
    rules: Path | None,
    out: Path,
    *,
    as_json: bool,
) -> int:
    """Try every record again; what is good now moves to --out, the rest stays.

    Exit codes: 0 nothing is left, 1 some records stay, 2 usage.
    """
    refuse_overwriting((out,), (file, *([source] if source else []), *find_files(list(data))))
    records = records_of(file)
    result = retry(records, _second_try(records, source, data, rules))
    before = out.read_bytes().splitlines() if out.exists() else []
    if result.good:
        # First the events: a crash between the two repeats some, and repeats change nothing.
        replace_file(out, [*before, *result.events])
    write_quarantine(file, result.kept)
    report: dict[str, Any] = {
        "before": len(records),
        "good": result.good,
        "events": len(result.events),
        "kept": len(result.kept),
    }
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        click.echo(
            f"{result.good:,} of {len(records):,} records are good now: "
            f"{len(result.events):,} events added to {out}; {len(result.kept):,} stay in {file}"
        )
    return EXIT_FINDINGS if result.kept else 0


def _second_try(
    records: list[QuarantineRecord], source: Path | None, data: tuple[Path, ...], rules: Path | None
) -> Again:
    if source is None:
        return _as_event(Decoder(declared_types(rules)))
    mapping, decoder = load_source(source, rules)
    as_event = _as_event(decoder)
    mapped = again(mapping, find_files(list(data)), decoder, records)
    if isinstance(mapped, list):
        stop_on(mapped, source)
        return as_event

    def either(record: QuarantineRecord) -> list[bytes] | Rejected:
        if not record.mapped:
            return as_event(record)
        is_ours = record.source == mapping.source
        return mapped(record) if is_ours else Rejected(Reason(record.reason), record.detail)

    return either


def _as_event(decoder: Decoder) -> Again:
    def once_more(record: QuarantineRecord) -> list[bytes] | Rejected:
        if record.mapped:  # a row is no event: it needs its mapping
            return Rejected(Reason(record.reason), record.detail)
        event = decoder.decode_event(record.raw, source=record.source)
        return event if isinstance(event, Rejected) else [_one_line(record.raw)]

    return once_more


def _one_line(raw: bytes) -> bytes:
    """An element of a JSON array may span lines; an event is one."""
    return bytes(msgspec.json.format(raw, indent=-1)) if b"\n" in raw else raw


def _place(record: QuarantineRecord) -> str:
    if not record.file:
        return _visible(record.source or "-")
    return f"{_visible(record.file)}:{record.line}"


def _visible(text: str) -> str:
    """Somebody else's bytes must not steer the terminal."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
