"""The source mappings of a rulebook folder, checked like its rules: all faults of all files.

In: the rulebook's folder, its event types. Out: how many mappings there are, and every fault, with
paths relative to the rulebook. Which mapping belongs to which files is left to the import.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from belfry.connectors.sources.read import read_source
from belfry.engine.event_types import EventTypes
from belfry.engine.faults import Fault
from belfry.runtime.rulebook_files import read_files

FOLDER = "sources"
YAML = (".yaml", ".yml")


class CheckedSources(NamedTuple):
    """`written`: how many mappings there are, faulty ones included."""

    written: int
    faults: list[Fault]


def check_sources(rulebook: Path, types: EventTypes) -> CheckedSources:
    """Everything wrong in `sources/`. No such folder: nothing to check."""
    folder = rulebook / FOLDER
    if not folder.is_dir():
        return CheckedSources(0, [])
    files = {path: raw for path, raw in read_files(folder).items() if path.endswith(YAML)}
    faults: list[Fault] = []
    for path, raw in files.items():
        faults += read_source(f"{FOLDER}/{path}", raw, types)[1]
    return CheckedSources(len(files), faults)
