"""Events from files: NDJSON (.ndjson, .jsonl), JSON (.json: an array or objects), plain or gzip.

In: paths and a decoder. Out: events and `QuarantineRecord` values, in the order of files and lines.
Invariant: every line that is not blank is one event or one quarantine record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from belfry.connectors.codec import RECORD_BYTES_MAX, Decoder
from belfry.connectors.lines import Piece, open_bytes, read_json, read_lines
from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.reasons import Reason, Rejected
from belfry.engine.events import Event

TOO_LARGE = Rejected(Reason.TOO_LARGE, f"more than {RECORD_BYTES_MAX:,} bytes")

__all__ = ["TOO_LARGE", "QuarantineRecord", "read_events", "read_pieces"]


def read_events(
    paths: Iterable[Path], decoder: Decoder, *, source: str = ""
) -> Iterator[Event | QuarantineRecord]:
    """A file that cannot be opened raises OSError; whatever is in it does not."""
    for path in paths:
        yield from _read_file(path, decoder, source)


def _read_file(path: Path, decoder: Decoder, source: str) -> Iterator[Event | QuarantineRecord]:
    decode, name = decoder.decode_event, str(path)
    for piece in read_pieces(path):
        if isinstance(piece, Rejected):
            yield QuarantineRecord.at(piece, Piece(0, 0, b"", 0), source=source, file=name)
            continue
        if not piece.raw.strip():
            continue
        found = decode(piece.raw, source=source) if piece.is_whole else TOO_LARGE
        if isinstance(found, Rejected):
            yield QuarantineRecord.at(found, piece, source=source, file=name)
        else:
            yield found


def read_pieces(path: Path, *, form: str | None = None) -> Iterator[Piece | Rejected]:
    """Lines, or elements of a `.json` file."""
    is_json = form == "json" if form else path.name.removesuffix(".gz").endswith(".json")
    with open_bytes(path) as stream:
        yield from read_json(stream) if is_json else read_lines(stream)
