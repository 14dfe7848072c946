"""The pieces of a file, each with its place: lines of bounded length, elements of a JSON array.

In: a path, plain or gzip. Out: `Piece` values, bytes without their line end, in file order.
Invariant: memory is bounded by one piece (a JSON file: by 256 MiB); a piece that is too long keeps
its first 64 KiB, its length and its SHA-256, and the next piece is read.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from belfry.connectors.codec import RECORD_BYTES_MAX
from belfry.connectors.reasons import Reason, Rejected

KEPT_BYTES_MAX = 64 * 1024
JSON_FILE_BYTES_MAX = 256 * 1024 * 1024
_CHUNK = 1 << 20
_GZIP = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
# A JSON text, or a sign that opens, closes or parts. A string does not span lines.
_TOKEN = re.compile(rb'"(?:[^"\\\n]|\\.)*+"|[\[\]{},\n]')


class Piece(NamedTuple):
    """One record's bytes. `line` counts from 1, `offset` from 0 (unpacked). `sha256` if cut."""

    line: int
    offset: int
    raw: bytes
    length: int
    sha256: str = ""

    @property
    def is_whole(self) -> bool:
        """All of it is here."""
        return len(self.raw) == self.length


def open_bytes(path: Path) -> BinaryIO:
    """Plain or gzip: the first two bytes say, whatever the name."""
    with path.open("rb") as file:
        is_gzip = file.read(2) == _GZIP
    return cast("BinaryIO", gzip.open(path)) if is_gzip else path.open("rb")


def read_lines(stream: BinaryIO) -> Iterator[Piece | Rejected]:
    """Every line, the last one also without its end. `Rejected` only last: the file is broken."""
    number = offset = 0
    try:
        while True:
            found = stream.readline(RECORD_BYTES_MAX + 3)
            if not found:
                return
            number += 1
            start = offset
            offset += len(found)
            if number == 1 and found.startswith(_BOM):
                found = found[len(_BOM) :]
            raw = found.removesuffix(b"\n").removesuffix(b"\r")
            if found.endswith(b"\n") or len(raw) <= RECORD_BYTES_MAX:
                yield Piece(number, start, raw, len(raw))
                continue
            piece, offset = _overlong(stream, number, start, found)
            yield piece
    except (EOFError, OSError, zlib.error) as problem:
        yield Rejected(Reason.BROKEN_FILE, f"cannot be read after byte {offset}: {_name(problem)}")


def _overlong(stream: BinaryIO, number: int, start: int, found: bytes) -> tuple[Piece, int]:
    digest = hashlib.sha256(found)
    kept, length = found[:KEPT_BYTES_MAX], len(found)
    while found and not found.endswith(b"\n"):
        found = stream.readline(_CHUNK)
        digest.update(found)
        length += len(found)
    return Piece(number, start, kept, length, digest.hexdigest()), start + length


def cut_piece(piece: Piece) -> Piece:
    """At most 64 KiB of it, with the digest of the whole."""
    if len(piece.raw) <= KEPT_BYTES_MAX or piece.sha256:
        return piece
    digest = hashlib.sha256(piece.raw).hexdigest()
    return piece._replace(raw=piece.raw[:KEPT_BYTES_MAX], sha256=digest)


def read_json(stream: BinaryIO) -> Iterator[Piece | Rejected]:
    """The elements of a JSON array, or objects that follow each other.

    An element that is no JSON is a piece like the others: its decoder says so.
    """
    try:
        whole = stream.read(JSON_FILE_BYTES_MAX + 1)
    except (EOFError, OSError, zlib.error) as problem:
        yield Rejected(Reason.BROKEN_FILE, f"cannot be unpacked: {_name(problem)}")
        return
    if len(whole) > JSON_FILE_BYTES_MAX:
        said = f"a JSON file holds at most {JSON_FILE_BYTES_MAX:,} bytes; use one object per line"
        yield Rejected(Reason.TOO_LARGE, said)
        return
    body = len(_BOM) if whole.startswith(_BOM) else 0
    first = re.compile(rb"\s*\[").match(whole, body)
    if first is None:
        yield from _elements(whole, body, inside=False)
    else:
        yield from _elements(whole, first.end(), inside=True)


def _elements(whole: bytes, start: int, *, inside: bool) -> Iterator[Piece]:
    """Split at the commas of the outermost array; outside of one, after each object."""
    depth, line = 0, 1 + whole.count(b"\n", 0, start)
    begun = line
    for token in _TOKEN.finditer(whole, start):
        sign = token[0]
        if sign == b"\n":
            line += 1
            if not whole[start : token.start()].strip():
                start, begun = token.end(), line
        elif sign in (b"{", b"["):
            depth += 1
        elif sign in (b"}", b"]"):
            depth -= 1
            if depth < 0 and sign == b"]":  # the end of the array
                yield from _piece(whole, start, token.start(), begun)
                start, begun, depth, inside = token.end(), line, 0, False
            elif depth <= 0 and not inside:
                yield from _piece(whole, start, token.end(), begun)
                start, begun, depth = token.end(), line, 0
        elif sign == b"," and depth <= 0 and inside:
            yield from _piece(whole, start, token.start(), begun)
            start, begun, depth = token.end(), line, 0
    yield from _piece(whole, start, len(whole), begun)


def _piece(whole: bytes, start: int, end: int, line: int) -> Iterator[Piece]:
    found = whole[start:end]
    raw = found.strip()
    if raw:
        offset = start + len(found) - len(found.lstrip())
        yield Piece(line, offset, raw, len(raw))


def _name(problem: Exception) -> str:
    return type(problem).__name__
