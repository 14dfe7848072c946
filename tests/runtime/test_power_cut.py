"""A power cut at any instant: what was not yet synced is lost, or half of it, in any mixture.

The store's code writes through a VFS that notes every write and sync. Each cut makes the files that
a disk might hold then; the real store opens them. Needs apsw, which also has a newer SQLite.
"""

import random
import sqlite3
from collections import defaultdict
from pathlib import Path

import apsw
import pytest
from embedded_bank import StillClock
from test_kill import PROGRAM, Filing, history

from belfry.runtime.embedded import Host
from belfry.runtime.ports import Batch
from belfry.runtime.store_schema import prepare
from belfry.runtime.store_sqlite import SqliteStore

CUTS = 200
SIZE = 4
WAL_PAGES = 60  # a checkpoint every few commits
EVENTS = 150


class Noting(apsw.VFS):
    """Passes everything on to the real one; `log`: (file, what, offset, bytes)."""

    def __init__(self, name):
        self.name = name
        self.log = []
        super().__init__(name, base="")

    def xOpen(self, name, flags):  # noqa: N802  SQLite's name
        return NotingFile(self.log, name, flags)

    def xDelete(self, name, syncdir):  # noqa: N802
        self.log.append((Path(name).name, "delete", 0, b""))
        super().xDelete(name, syncdir)


class NotingFile(apsw.VFSFile):
    def __init__(self, log, name, flags):
        self.log = log
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self.name = Path(path or "temporary").name
        super().__init__("", name, flags)

    def xWrite(self, data, offset):  # noqa: N802
        self.log.append((self.name, "write", offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size):  # noqa: N802
        self.log.append((self.name, "truncate", size, b""))
        super().xTruncate(size)

    def xSync(self, flags):  # noqa: N802
        super().xSync(flags)
        self.log.append((self.name, "sync", 0, b""))


class Connection(apsw.Connection):
    def executescript(self, sql):
        self.execute(sql)


class NotedStore(SqliteStore):
    """The code of the real store over that VFS. It needs no shared memory with one connection."""

    def __init__(self, path, vfs, synchronous):
        self.path = path
        self.connection = Connection(str(path), vfs=vfs)
        for pragma in ("locking_mode = EXCLUSIVE", "journal_mode = WAL",
                       f"synchronous = {synchronous}",
                       f"wal_autocheckpoint = {WAL_PAGES}"):  # fmt: skip
            self.connection.execute(f"PRAGMA {pragma}").fetchall()
        prepare(self.connection, str(path))


def lived(folder, synchronous):
    """The log of a life, what was answered when, and all its decisions."""
    vfs = Noting(f"noting-{synchronous}-{folder.name}")
    store = NotedStore(folder / "bank.db", vfs.name, synchronous)
    made = len(vfs.log)
    host = Host(PROGRAM, store, StillClock(), Filing(folder / "sent.ndjson"), by_events=True)
    events = history(3)[:EVENTS]
    answered = []
    for start in range(0, len(events), SIZE):
        place = ("test", "events", str(start + SIZE).encode())
        host.apply([Batch(events[start : start + SIZE], positions=[place])])
        answered.append((len(vfs.log), start + SIZE))
    lines = [line for (line,) in store.connection.execute("SELECT line FROM decisions")]
    log = list(vfs.log)
    store.connection.close()
    return log, made, answered, lines


def files_after(log, cut, random_):
    """What a disk may hold if the power goes at that place of the log."""
    synced = defaultdict(int)
    for place, (name, what, _, _) in enumerate(log[:cut]):
        if what == "sync":
            synced[name] = place
    files = defaultdict(bytearray)
    for place, (name, what, offset, data) in enumerate(log[:cut]):
        is_sure = place <= synced[name]
        if what == "delete":
            files.pop(name, None)
            continue
        file = files[name]
        if not is_sure and random_.random() < 0.5:
            continue
        if what == "write":
            if not is_sure and random_.random() < 0.3:
                data = data[: random_.randrange(len(data))]
            if len(file) < offset:
                file.extend(bytes(offset - len(file)))
            file[offset : offset + len(data)] = data
        elif what == "truncate":
            del file[offset:]
    return files


def losses(folder, synchronous, cuts):
    """What is wrong after each cut."""
    log, made, answered, lines = lived(folder, synchronous)
    random_ = random.Random(7)
    found = []
    for number in range(cuts):
        cut = random_.randrange(made, len(log) + 1)
        path = folder / f"cut{number}" / "bank.db"
        path.parent.mkdir()
        for name, content in files_after(log, cut, random_).items():
            (path.parent / name).write_bytes(content)
        sure = max((place for end, place in answered if end <= cut), default=0)
        try:
            found += wrong(path, sure, lines)
        except (OSError, ValueError, sqlite3.Error) as problem:
            found.append(f"not usable: {problem}")
    return found


def wrong(path, sure, lines):
    store = SqliteStore(path)
    try:
        if store.connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            yield "damaged"
        held = int(store.position("test", "events") or 0)
        if held < sure:
            yield f"answered up to {sure}, on disk up to {held}"
        rows = store.connection.execute("SELECT line FROM decisions ORDER BY number")
        kept = [line for (line,) in rows]
        if kept != lines[: len(kept)]:
            yield "other decisions"
        Host(PROGRAM, store, StillClock(), Filing(path.parent / "sent"), by_events=True).tick()
    finally:
        store.close()


def test_no_cut_loses_or_damages_what_was_answered(tmp_path):
    assert losses(tmp_path, "FULL", CUTS) == []


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_with_less_than_full_the_test_finds_losses(tmp_path, synchronous):
    assert losses(tmp_path, synchronous, 40)
