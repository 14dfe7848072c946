"""Watched folders: a bank's files, by their source mapping, each taken once.

In: a mapping, a folder. Out: deliveries: events in order of time, and what was refused.
Invariant: a file's position is committed with its events: after a crash the rest is taken, and
nothing twice. A file is touched only once it stopped growing; hidden and `.part` files never.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from belfry.connectors.codec import Decoder
from belfry.connectors.quarantine import QuarantineRecord
from belfry.connectors.sources.importing import import_files
from belfry.connectors.sources.model import Source
from belfry.connectors.sources.read import read_source
from belfry.engine.faults import RulebookRefused

log = logging.getLogger("belfry")

CHUNK = 2_000  # events in one commit
UNFINISHED = (".part", ".tmp", ".partial")
DONE = b"done"
Stamp = tuple[str, int, int]
Position = Callable[[str, str], bytes | None]


@dataclass(slots=True)
class Chunk:
    """What goes into one commit, with the positions that say so."""

    events: list[bytes]
    bad: list[QuarantineRecord]
    positions: list[tuple[str, str, bytes]]


class Folder:
    """One folder and its mapping. `look` is called again and again."""

    def __init__(self, mapping: Path, folder: Path) -> None:
        self.mapping, self.folder = mapping, folder
        self.source_name = ""
        self._last: set[Stamp] = set()
        self._over: set[Stamp] = set()  # taken, or not for us, or faulty: until it changes

    def read_mapping(self, decoder: Decoder) -> Source:
        """`RulebookRefused` holds its faults."""
        source, faults = read_source(str(self.mapping), self.mapping.read_bytes(), decoder.types)
        if source is None:
            raise RulebookRefused(faults)
        return source

    def look(self, decoder: Decoder, position: Position) -> Iterator[Chunk]:
        """Chunks of all files that are new; each is committed before the next is asked for."""
        source = self.read_mapping(decoder)
        self.source_name = source.source
        now = {stamp_of(path) for path in self._files()}
        steady = (now & self._last) - self._over
        self._last = now
        fitting = [
            self.folder / name for name, _, _ in sorted(steady)
            if any(file.fits(name) for file in source.files)
        ]  # fmt: skip
        place = f"folder:{source.source}"
        names = {path: f"{path.name}:{digest_of(path)}" for path in fitting}
        fresh = [path for path in fitting if position(place, names[path]) != DONE]
        if fresh:
            named = [names[path] for path in fresh]
            yield from self._deliver(source, fresh, named, decoder, position)
        self._over |= steady

    def _deliver(
        self,
        source: Source,
        fresh: list[Path],
        named: list[str],
        decoder: Decoder,
        position: Position,
    ) -> Iterator[Chunk]:
        place = f"folder:{source.source}"
        tables = [
            path for path in self._files()
            if path not in fresh and any(one.fits(path.name) for one in source.tables.values())
        ]  # fmt: skip
        found = import_files(source, [*fresh, *tables], decoder)
        if isinstance(found, list):
            for fault in found:
                log.error("watched folder: %s", fault)
            return
        delivery = hashlib.sha256("\n".join(named).encode()).hexdigest()
        begun = position(place, delivery)
        start = int(begun) if begun else 0
        bad = [] if begun else list(found.quarantined)
        for at in range(start, len(found.events), CHUNK):
            done = min(at + CHUNK, len(found.events))
            yield Chunk(found.events[at:done], bad, [(place, delivery, str(done).encode())])
            bad = []
        yield Chunk([], bad, [(place, name, DONE) for name in named])
        log.info("watched folder: %d files of %s taken", len(fresh), source.source)

    def _files(self) -> list[Path]:
        return sorted(
            path for path in self.folder.iterdir()
            if path.is_file() and not path.name.startswith(".")
            and not path.name.endswith(UNFINISHED)
        )  # fmt: skip


def stamp_of(path: Path) -> Stamp:
    """Changes when the file does."""
    status = path.stat()
    return path.name, status.st_size, status.st_mtime_ns


def digest_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:32]
