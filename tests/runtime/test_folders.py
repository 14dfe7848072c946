"""Watched folders: a file is taken once, whole, in order, and again only if it changed."""

import pytest

from belfry.connectors.codec import Decoder
from belfry.engine.event_types import event_types
from belfry.runtime.folders import DONE, Folder

MAPPING = b"""source: core
time_zone: UTC
files:
- match: ["logins*.csv"]
  format: csv
  events:
  - type: login
    id: "{id}"
    time: {constant: "2026-03-02T12:00:00Z"}
    fields:
      customer_id: "{who}"
"""


@pytest.fixture
def folder(tmp_path):
    mapping = tmp_path / "core.yaml"
    mapping.write_bytes(MAPPING)
    (tmp_path / "inbox").mkdir()
    return Folder(mapping, tmp_path / "inbox")


class Positions(dict):
    def read(self, source, name):
        return self.get((source, name))

    def take(self, chunk):
        self.update({(source, name): value for source, name, value in chunk.positions})
        return chunk


def write(folder, name, *rows):
    lines = ["id,at,who", *(f"{n},2026-03-02T12:00:{n:02d}Z,C{n}" for n in rows)]
    (folder.folder / name).write_text("\n".join(lines) + "\n")


def look(folder, positions):
    decoder = Decoder(event_types([]))
    return [positions.take(chunk) for chunk in folder.look(decoder, positions.read)]


def events(chunks):
    return [line for chunk in chunks for line in chunk.events]


def test_a_file_is_taken_once_it_stopped_growing(folder):
    positions = Positions()
    write(folder, "logins.csv", 1)
    assert look(folder, positions) == []
    write(folder, "logins.csv", 1, 2)
    assert look(folder, positions) == []
    assert len(events(look(folder, positions))) == 2
    assert look(folder, positions) == []
    assert DONE in positions.values()


def test_after_a_crash_the_rest_is_taken_and_nothing_twice(folder, monkeypatch):
    from belfry.runtime import folders

    monkeypatch.setattr(folders, "CHUNK", 2)
    write(folder, "logins.csv", 1, 2, 3, 4, 5)
    positions = Positions()
    look(folder, positions)
    begun = folder.look(Decoder(event_types([])), positions.read)
    first = positions.take(next(begun))
    again = Folder(folder.mapping, folder.folder)
    look(again, positions)
    rest = events(look(again, positions))
    assert len(first.events) == 2
    assert len(rest) == 3


def test_hidden_unfinished_and_foreign_files_stay(folder):
    positions = Positions()
    for name in (".logins.csv", "logins.csv.part", "other.csv"):
        write(folder, name, 1)
    look(folder, positions)
    assert look(folder, positions) == []


def test_a_refused_row_is_handed_on_with_its_reason(folder):
    (folder.folder / "logins.csv").write_text("id,at,who\n1,,\n2,,C2\n")
    positions = Positions()
    look(folder, positions)
    chunks = look(folder, positions)
    assert len(events(chunks)) == 1
    assert [bad.reason for chunk in chunks for bad in chunk.bad] == ["no_subject"]
