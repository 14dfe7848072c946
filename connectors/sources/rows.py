"""Rows of a bank's file, each with its place and its bytes: CSV of any dialect, NDJSON, JSON.

In: a path and its layout. Out: `Row` values: texts by column, or why there are none.
Invariant: every line that is not blank belongs to exactly one row; a broken row costs only itself.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import msgspec

from belfry.connectors.codec import RECORD_BYTES_MAX
from belfry.connectors.lines import Piece, open_bytes, read_json, read_lines
from belfry.connectors.ndjson import TOO_LARGE
from belfry.connectors.reasons import Reason, Rejected
from belfry.connectors.sources.model import Layout

ROW_LINES_MAX = 100  # physical lines of one CSV row; more: a quote was not closed

csv.field_size_limit(RECORD_BYTES_MAX)
_object = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


class Row(NamedTuple):
    """One row. `is_blank`: an empty line of a CSV file."""

    piece: Piece
    values: dict[str, str] | Rejected
    is_blank: bool = False


class Rows(NamedTuple):
    """The rows of one file. `columns` is empty for JSON, where each row has its own.

    `header`: why the header line of a CSV file cannot be used; there are no rows then.
    """

    columns: tuple[str, ...]
    rows: Iterator[Row]
    header: Rejected | None = None


def read_rows(path: Path, layout: Layout) -> Iterator[Rows]:
    """One `Rows`, while the file is open: use it in a `for`."""
    with open_bytes(path) as stream:
        yield rows_of(stream, layout)


def rows_of(stream: BinaryIO, layout: Layout) -> Rows:
    """The rows of an open file; for CSV the header has been read."""
    if layout.format == "json":
        return Rows((), (_json_row(piece) for piece in read_json(stream)))
    if layout.format == "ndjson":
        return Rows((), (_json_row(piece) for piece in read_lines(stream)))
    if layout.encoding.startswith("utf-16"):
        stream = _as_utf8(stream, layout.encoding)
    lines = _Lines(read_lines(stream))
    columns = layout.columns or _header(lines, layout)
    if isinstance(columns, Rejected):
        return Rows((), iter(()), columns)
    return Rows(columns, _csv_rows(lines, layout, columns))


def row_again(raw: bytes, layout: Layout, columns: tuple[str, ...]) -> dict[str, str] | Rejected:
    """A row from the bytes that quarantine kept of it."""
    if layout.format != "csv":
        return _object_texts(raw)
    for row in _csv_rows(_Lines(read_lines(io.BytesIO(raw))), layout, columns):
        if row.piece.length == len(raw):
            return row.values
    return Rejected(Reason.BROKEN_ROW, "not one row")


# --- CSV ----------------------------------------------------------------------------------------
class _Lines:
    """Lines that can be put back: what belonged to no row is read again."""

    def __init__(self, lines: Iterator[Piece | Rejected]) -> None:
        self._lines = lines
        self._back: deque[Piece | Rejected] = deque()

    def next(self) -> Piece | Rejected | None:
        return self._back.popleft() if self._back else next(self._lines, None)

    def put_back(self, pieces: list[Piece | Rejected]) -> None:
        self._back.extendleft(reversed(pieces))


def _as_utf8(stream: BinaryIO, encoding: str) -> BinaryIO:
    # Half a character becomes U+FFFD: rows that hold it are refused like other broken text.
    text = io.TextIOWrapper(stream, encoding, errors="replace", newline="")
    return io.BufferedReader(_Recoded(text), buffer_size=1 << 16)


class _Recoded(io.RawIOBase):
    """A text stream as UTF-8 bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = self._text.read(1 << 14).encode("utf-8", errors="replace")
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        return len(taken)


def _header(lines: _Lines, layout: Layout) -> tuple[str, ...] | Rejected:
    while (piece := lines.next()) is not None:
        if isinstance(piece, Rejected):
            lines.put_back([piece])  # the file is broken: that is told as its only row
            return ()
        if not piece.is_whole:
            return TOO_LARGE
        if not piece.raw.strip():
            continue
        cells, _, _ = _row_of(piece, lines, _dialect(layout), layout.encoding)
        if isinstance(cells, Rejected):
            return cells
        return tuple(name.strip() for name in cells)
    return ()


def _dialect(layout: Layout) -> dict[str, Any]:
    dialect: dict[str, Any] = {"delimiter": layout.delimiter, "strict": True}
    if layout.quote:
        return dialect | {"quotechar": layout.quote, "doublequote": True}
    return dialect | {"quoting": csv.QUOTE_NONE, "quotechar": None}


def _csv_rows(lines: _Lines, layout: Layout, columns: tuple[str, ...]) -> Iterator[Row]:
    dialect = _dialect(layout)
    while (piece := lines.next()) is not None:
        if isinstance(piece, Rejected):
            yield Row(Piece(0, 0, b"", 0), piece)
            continue
        if not piece.is_whole:
            yield Row(piece, TOO_LARGE)
            continue
        cells, whole, others = _row_of(piece, lines, dialect, layout.encoding)
        if isinstance(cells, Rejected):
            lines.put_back(others)
            yield Row(piece, cells)
        elif not cells or (len(cells) == 1 != len(columns) and not cells[0].strip()):
            yield Row(piece, {}, is_blank=True)
        elif len(cells) != len(columns):
            lines.put_back(others)
            said = f"expected {len(columns)} columns, found {len(cells)}"
            yield Row(piece, Rejected(Reason.BROKEN_ROW, said))
        else:
            yield Row(whole, dict(zip(columns, cells, strict=True)))


def _row_of(
    piece: Piece, lines: _Lines, dialect: dict[str, Any], encoding: str
) -> tuple[list[str] | Rejected, Piece, list[Piece | Rejected]]:
    """The cells, the row's bytes, and the lines after the first that it took."""
    raw, others = piece.raw, list[Piece | Rejected]()
    recoded = encoding.startswith("utf-16")
    encoding = "utf-8" if recoded else encoding
    while True:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as problem:
            said = f"not {encoding} at byte {problem.start}"
            return Rejected(Reason.INVALID_UTF8, said), piece, others
        if recoded and "\ufffd" in text:
            return Rejected(Reason.INVALID_UTF8, "half a character"), piece, others
        if "\0" in text:
            return Rejected(Reason.BAD_TEXT, "a text holds the character NUL"), piece, others
        try:
            cells = next(csv.reader((text,), **dialect), [])
        except csv.Error as problem:
            said = str(problem)
            if "new-line" in said:
                told = "a line that ends with CR alone: save the file with LF or CRLF"
                return Rejected(Reason.BROKEN_ROW, told), piece, others
            if "end of data" not in said:
                return Rejected(Reason.BROKEN_ROW, "a quote inside a cell"), piece, others
        else:
            whole = piece._replace(raw=raw, length=len(raw)) if others else piece
            return cells, whole, others
        following = lines.next()
        if following is not None:
            others.append(following)
        if (
            not isinstance(following, Piece)
            or len(others) >= ROW_LINES_MAX
            or len(raw) + following.length > RECORD_BYTES_MAX
        ):
            return Rejected(Reason.BROKEN_ROW, "a quote is not closed"), piece, others
        raw += b"\n" + following.raw


# --- JSON ---------------------------------------------------------------------------------------
def _json_row(piece: Piece | Rejected) -> Row:
    if isinstance(piece, Rejected):
        return Row(Piece(0, 0, b"", 0), piece)
    if not piece.raw.strip():
        return Row(piece, {}, is_blank=True)
    if piece.length > RECORD_BYTES_MAX:
        return Row(piece, TOO_LARGE)
    return Row(piece, _object_texts(piece.raw))


def _object_texts(raw: bytes) -> dict[str, str] | Rejected:
    try:
        found = _object(raw)
        texts: dict[str, str] = {}
        _flatten("", found, texts)
    except msgspec.ValidationError:
        return Rejected(Reason.WRONG_TYPE, "expected a JSON object")
    except RecursionError:
        return Rejected(Reason.TOO_DEEP, "nested too deeply")
    except (msgspec.MsgspecError, ValueError, ArithmeticError):
        return Rejected(Reason.BROKEN_JSON, "not JSON")
    if any("\0" in text for text in texts.values()):
        return Rejected(Reason.BAD_TEXT, "a text holds the character NUL")
    return texts


def _flatten(prefix: str, value: dict[str, Any], texts: dict[str, str]) -> None:
    """`{"a": {"b": 1}}` is the column `a.b`. Lists are left out: a column holds one value."""
    for name, one in value.items():
        if isinstance(one, dict):
            _flatten(f"{prefix}{name}.", one, texts)
        elif isinstance(one, bool):
            texts[prefix + name] = "true" if one else "false"
        elif one is None:
            texts[prefix + name] = ""
        elif not isinstance(one, list):
            texts[prefix + name] = one if isinstance(one, str) else str(one)
