"""Quarantine: what was refused, with its reason, its place and its bytes, until somebody decides.

In: records. Out: NDJSON files, one record a line, bytes as base64. Writing is all or nothing.
Invariant: no record leaves a file but by a retry that succeeded or by a newer import of its file.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from belfry.connectors.lines import Piece, cut_piece
from belfry.connectors.reasons import Rejected

_encode = msgspec.json.Encoder(order="deterministic").encode


class QuarantineRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One refused record: a row of a `mapped` file with its `columns`, else an event.

    `raw` is cut at 64 KiB; `length` and `sha256` are of the whole.
    """

    reason: str
    detail: str
    source: str = ""
    file: str = ""
    line: int | None = None
    offset: int | None = None
    raw: bytes
    length: int
    sha256: str = ""
    mapped: bool = False
    columns: tuple[str, ...] = ()

    @classmethod
    def of(cls, rejected: Rejected, raw: bytes, source: str = "") -> QuarantineRecord:
        """A record without a file: it came over a wire."""
        piece = cut_piece(Piece(1, 0, raw, len(raw)))
        return cls(
            reason=rejected.reason,
            detail=rejected.detail,
            source=source,
            raw=piece.raw,
            length=piece.length,
            sha256=piece.sha256,
        )

    @classmethod
    def at(
        cls,
        rejected: Rejected,
        piece: Piece,
        *,
        source: str,
        file: str,
        mapped: bool = False,
        columns: tuple[str, ...] = (),
    ) -> QuarantineRecord:
        """A record with its place in a file."""
        piece = cut_piece(piece)
        return cls(
            reason=rejected.reason,
            detail=rejected.detail,
            source=source,
            file=file,
            line=piece.line,
            offset=piece.offset,
            raw=piece.raw,
            length=piece.length,
            sha256=piece.sha256,
            mapped=mapped,
            columns=columns,
        )

    @property
    def is_whole(self) -> bool:
        """All bytes are here, so that it can be tried again."""
        return len(self.raw) == self.length


class QuarantineUnreadable(Exception):  # noqa: N818  (reads as what happened)
    """A line of a quarantine file is no quarantine record: nothing was changed."""


def read_quarantine(path: Path) -> Iterator[QuarantineRecord]:
    """All records of a file, in order."""
    decode = msgspec.json.Decoder(QuarantineRecord).decode
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                yield decode(line)
            except RecursionError as problem:
                raise QuarantineUnreadable(f"{path}:{number}: nested too deeply") from problem
            except (msgspec.MsgspecError, ValueError) as problem:
                raise QuarantineUnreadable(f"{path}:{number}: {problem}") from problem


def replace_file(path: Path, lines: Iterable[bytes]) -> None:
    """Write the lines under a name of their own, then rename: whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as file:
        file.writelines(line + b"\n" for line in lines)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def write_quarantine(path: Path, records: Iterable[QuarantineRecord]) -> None:
    """The file holds exactly these records."""
    replace_file(path, (_encode(record) for record in records))


def renew_quarantine(
    path: Path, records: Collection[QuarantineRecord], *, files: Collection[tuple[str, str]]
) -> None:
    """Add records; what an earlier import said of the same (source, file) is replaced.

    So that an import repeated changes nothing, and one with a better mapping leaves nothing stale.
    """
    before = list(read_quarantine(path)) if path.exists() else []
    kept = [record for record in before if (record.source, record.file) not in files]
    if before or records:
        write_quarantine(path, [*kept, *records])


class Retried(NamedTuple):
    """What became of a second try: before = good + kept."""

    events: list[bytes]
    good: int
    kept: list[QuarantineRecord]


def retry(
    records: Iterable[QuarantineRecord],
    again: Callable[[QuarantineRecord], list[bytes] | Rejected],
) -> Retried:
    """Try each record again; what is refused again stays, with its newest reason."""
    result = Retried([], 0, [])
    events, kept, good = result.events, result.kept, 0
    for record in records:
        found = again(record) if record.is_whole else None
        if found is None:
            kept.append(record)
        elif isinstance(found, Rejected):
            newest = msgspec.structs.replace(record, reason=found.reason, detail=found.detail)
            kept.append(newest)
        else:
            events.extend(found)
            good += 1
    return result._replace(good=good)
