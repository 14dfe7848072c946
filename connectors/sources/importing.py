"""The import: files of a bank, by their mapping, into events in order of time.

In: a `Source`, paths, a decoder. Out: `Imported` (event lines, quarantine, report), or faults.
Invariant: rows = rows mapped + skipped + quarantined, file by file; what is refused is kept.
Order: by time; equal times in the order of the mapping's files, then of their rows.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from belfry.connectors.codec import Decoder
from belfry.connectors.quarantine import QuarantineRecord, renew_quarantine, replace_file
from belfry.connectors.reasons import Reason, Rejected
from belfry.connectors.sources.model import FileMap, Source, Table
from belfry.connectors.sources.report import FileReport, Imported
from belfry.connectors.sources.rows import Row, Rows, read_rows, row_again
from belfry.connectors.sources.values import RowMapper, TableRows
from belfry.engine.faults import Fault, Place
from belfry.engine.rulebook.suggest import did_you_mean, listed

__all__ = ["Imported", "again", "find_files", "import_files", "write_imported"]

PROGRESS_ROWS = 2000
QUARANTINE = "quarantine.ndjson"
Progress = Callable[[int, int], None]
_encode = msgspec.json.encode


def write_imported(found: Imported, out: Path, quarantine: Path) -> None:
    """First what was refused: a crash between the two leaves nothing unaccounted for."""
    renew_quarantine(quarantine, found.quarantined, files=found.files)
    replace_file(out, found.events)


def find_files(paths: list[Path]) -> list[Path]:
    """The files given, and all files in the folders given, in order of their names."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else []
        found += inside or ([] if path.is_dir() else [path])
    return [one for one in dict.fromkeys(found) if not one.name.startswith(".")]


def import_files(
    source: Source, files: list[Path], decoder: Decoder, progress: Progress | None = None
) -> Imported | list[Fault]:
    """Read everything. Faults: the mapping does not fit these files; nothing was imported."""
    run = _Run(source, files, decoder, progress)
    run.read_tables({path.name for path in files})
    if not run.faults:
        run.read_files()
    return run.faults or run.finish()


class _Run:
    """One import under way."""

    def __init__(
        self, source: Source, files: list[Path], decoder: Decoder, progress: Progress | None
    ) -> None:
        self.source = source
        self.files = files
        self.decoder = decoder
        self.faults: list[Fault] = []
        self.tables = {name: TableRows() for name in source.tables}
        self.result = Imported(source.source)
        self._progress = progress
        self._rows = 0
        self._timed: list[tuple[dt.datetime, bytes]] = []
        self._used: set[Path] = set()
        self._mapped = {path for path in files if any(f.fits(path.name) for f in source.files)}
        self._table_reports: dict[Path, FileReport] = {}

    # --- tables ---
    def read_tables(self, names: set[str]) -> None:
        """Those that files of these names ask for: bookings alone need no master data."""
        for table in self._asked(names):
            paths = [path for path in self.files if table.fits(path.name)]
            if not paths:
                self.faults.append(_no_file(table))
            for path in paths:
                self._used.add(path)
                for rows in read_rows(path, table.layout):
                    if self._fits(path, rows, table.needs):
                        self._read_table(table, path, rows)

    def _asked(self, names: set[str]) -> list[Table]:
        given = [file for file in self.source.files if any(file.fits(name) for name in names)]
        asked = {name for file in given for name in file.tables}
        return [table for name, table in self.source.tables.items() if name in asked]

    def _read_table(self, table: Table, path: Path, rows: Rows) -> None:
        """A file that is also mapped, or two tables, is reported once."""
        is_reported = path in self._mapped or path in self._table_reports
        report = FileReport(str(path), "table")
        into = self.tables[table.name].rows
        for row in self._counted(rows.rows):
            report.rows += 1
            if row.is_blank:
                report.skipped += 1
            elif isinstance(row.values, Rejected):
                report.quarantined += 1
                if not is_reported:
                    self._keep(row.values, row, path, rows.columns)
            else:
                key = row.values.get(table.key, "").strip()
                into.setdefault(key, []).append(row.values)
        if not is_reported:
            self._table_reports[path] = report
            self.result.reports.append(report)

    # --- events ---
    def read_files(self) -> None:
        for file in self.source.files:
            mapper = RowMapper(file, self.source.source, self.tables)
            for path in (one for one in self.files if file.fits(one.name)):
                self._used.add(path)
                for rows in read_rows(path, file.layout):
                    if self._fits(path, rows, file.needs):
                        self._read_file(mapper, path, rows)
            self.result.left_out.update(mapper.left_out)

    def _read_file(self, mapper: RowMapper, path: Path, rows: Rows) -> None:
        report = FileReport(str(path), "events")
        self.result.reports.append(report)
        for row in self._counted(rows.rows):
            report.rows += 1
            if row.is_blank:
                report.skipped += 1
                continue
            found = row.values
            if not isinstance(found, Rejected):
                events = events_of(mapper, found, self.decoder)
                if not isinstance(events, Rejected):
                    report.events += len(events)
                    report.skipped += not events
                    for time, kind, line in events:
                        self._timed.append((time, line))
                        self.result.by_type[kind] += 1
                    continue
                found = events
            report.quarantined += 1
            self._keep(found, row, path, rows.columns)

    def finish(self) -> Imported:
        result = self.result
        self._timed.sort(key=lambda one: one[0])
        result.events = [line for _, line in self._timed]
        if self._timed:
            zone = self.source.time_zone or dt.UTC
            result.first = self._timed[0][0].astimezone(zone)
            result.last = self._timed[-1][0].astimezone(zone)
        result.not_used = [str(path) for path in self.files if path not in self._used]
        for name, table in self.source.tables.items():
            for path, report in self._table_reports.items():
                if table.fits(path.name):
                    rows = self.tables[name]
                    unused = (len(rows.rows[key]) for key in rows.rows.keys() - rows.used)
                    report.unused = sum(unused)
        return result

    def _keep(self, why: Rejected, row: Row, path: Path, columns: tuple[str, ...]) -> None:
        self.result.quarantined.append(
            QuarantineRecord.at(
                why,
                row.piece,
                source=self.source.source,
                file=str(path),
                mapped=True,
                columns=columns,
            )
        )

    def _counted(self, rows: Iterator[Row]) -> Iterator[Row]:
        for row in rows:
            self._rows += 1
            if self._progress is not None and not self._rows % PROGRESS_ROWS:
                self._progress(self._rows, 0)
            yield row

    def _fits(self, path: Path, rows: Rows, needs: Any) -> bool:
        """Has the file the columns that the mapping names? JSON objects may lack any."""
        if rows.header is not None:
            self.faults.append(_unusable(path, needs, rows.header.detail))
            return False
        twice = [column for column in needs if rows.columns.count(column) > 1]
        if twice:
            self.faults.append(_unusable(path, needs, f"column '{twice[0][:60]}' stands twice"))
            return False
        if not rows.columns:
            return True
        missing = [fault for column, fault in needs.items() if column not in rows.columns]
        for column, fault in needs.items():
            if column not in rows.columns:
                self.faults.append(
                    dataclasses.replace(
                        fault,
                        message=f"{fault.message} in {path.name}",
                        expected=listed(rows.columns),
                        hint=did_you_mean(column, rows.columns),
                    )
                )
        return not missing


def _unusable(path: Path, needs: Any, why: str) -> Fault:
    first = next(iter(needs.values()), None)
    place = first.place if first is not None else Place("", 1, 1)
    message = f"the header of {path.name} cannot be used: {why}"
    hint = "check `encoding`, `delimiter`, `quote`; a file without a header names its `columns`"
    return Fault("B709", place, message, None, hint)


def _no_file(table: Table) -> Fault:
    fault = next(iter(table.needs.values()), None)
    message = f"no file given fits the table '{table.name}' ({', '.join(table.match)})"
    if fault is None:
        return Fault("B708", Place("", 1, 1), message)
    return dataclasses.replace(fault, code="B708", message=message, hint="give its folder as PATH")


def events_of(
    mapper: RowMapper, values: dict[str, str], decoder: Decoder
) -> list[tuple[dt.datetime, str, bytes]] | Rejected:
    """(time, type, line) of each event of a row, each decoded as it will be when it is replayed."""
    mapped = mapper.map_row(values)
    if isinstance(mapped, Rejected):
        return mapped
    found = []
    for one in mapped:
        line = _encode(one)
        event = decoder.decode_event(line)
        if isinstance(event, Rejected):
            return Rejected(event.reason, f"{one['type']}.{event.detail}")
        found.append((event.time, one["type"], line))
    return found


def again(
    source: Source, files: list[Path], decoder: Decoder, records: Iterable[QuarantineRecord]
) -> Callable[[QuarantineRecord], list[bytes] | Rejected] | list[Fault]:
    """A function that maps these records' rows once more; `files` hold the tables."""
    run = _Run(source, files, decoder, None)
    run.read_tables({Path(record.file).name for record in records if record.mapped})
    if run.faults:
        return run.faults
    mappers: dict[int, RowMapper] = {}

    def once_more(record: QuarantineRecord) -> list[bytes] | Rejected:
        name = Path(record.file).name
        file = next((one for one in source.files if one.fits(name)), None)
        if file is None:
            return Rejected(Reason(record.reason), "the mapping has no file of this name")
        mapper = mappers.setdefault(id(file), RowMapper(file, source.source, run.tables))
        return _row_events(mapper, file, record, decoder)

    return once_more


def _row_events(
    mapper: RowMapper, file: FileMap, record: QuarantineRecord, decoder: Decoder
) -> list[bytes] | Rejected:
    values = row_again(record.raw, file.layout, file.layout.columns or record.columns)
    if isinstance(values, Rejected):
        return values
    events = events_of(mapper, values, decoder)
    return events if isinstance(events, Rejected) else [line for _, _, line in events]
