"""A rulebook folder on disk: read, loaded, and kept in a cache so that the next start is quick.

In: a folder. Out: what `load_rulebook` says of its files. Hidden files and links that lead out of
the folder are left out.
The cache holds our own pickles in a folder that only this user can write (`BELFRY_CACHE_DIR`, else
`$XDG_CACHE_HOME/belfry`, else `~/.cache/belfry`); a broken or foreign one is done without.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from belfry.engine.event_types import event_types
from belfry.engine.faults import Fault
from belfry.engine.rulebook.load import Loaded, load
from belfry.engine.rulebook.model import Rulebook
from belfry.engine.rulebook.yaml_nodes import BYTES_MAX

FILES_MAX = 200_000
DEPTH_MAX = 8  # folders inside folders
SUFFIXES = (".yaml", ".yml", ".txt", ".html")
PROTOCOL = pickle.HIGHEST_PROTOCOL
_CODE_FOLDERS = ("rulebook", "expressions")  # what a cached rulebook was made by


def read_rulebook(folder: Path, *, cache: bool = True) -> tuple[Rulebook | None, list[Fault]]:
    """The rulebook of a folder and every fault. A folder that is not there raises `OSError`."""
    loaded = check_rulebook(folder, cache=cache)
    return loaded.book, loaded.faults


def check_rulebook(folder: Path, *, cache: bool = True) -> Loaded:
    """As `read_rulebook`, with the number of rules that were written."""
    files = read_files(folder)
    kept = cache_folder() if cache else None
    if kept is None:
        return _load(files)
    path = kept / f"{_digest(files)}.rulebook"
    known = _read_cache(path)
    if known is not None:
        return known
    loaded = _load(files)
    if loaded.book is not None:
        _write_cache(path, loaded)
    return loaded


def _load(files: Mapping[str, bytes]) -> Loaded:
    with _without_collector():
        return load(files)


def read_files(folder: Path) -> dict[str, bytes]:
    """Path (relative, with `/`) → bytes, of all files that a rulebook may consist of."""
    found: dict[str, bytes] = {}
    for path, entry in _walk(os.fspath(folder), "", 0, os.path.realpath(folder)):
        with open(entry, "rb") as file:  # noqa: PTH123  (10,000 of them: Path doubles the time)
            # One byte more than allowed is enough for the fault.
            found[path] = file.read(BYTES_MAX + 1)
        if len(found) > FILES_MAX:
            raise OSError(None, f"more than {FILES_MAX:,} files", os.fspath(folder))
    return found


def _walk(folder: str, prefix: str, depth: int, root: str) -> Iterator[tuple[str, str]]:
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: entry.name)
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_symlink() and not _is_inside(entry.path, root):
            continue
        if entry.is_dir():
            if depth < DEPTH_MAX:
                yield from _walk(entry.path, f"{prefix}{entry.name}/", depth + 1, root)
        elif entry.name.endswith(SUFFIXES) and entry.is_file():
            yield prefix + entry.name, entry.path


def _is_inside(path: str, root: str) -> bool:
    """A link may point to another place in the rulebook, never out of it."""
    real = os.path.realpath(path)
    return real.startswith(root + os.sep)


# --- cache ----------------------------------------------------------------------------------------
def cache_folder() -> Path | None:
    """A folder that only this user can write, made if need be; None if there can be none."""
    named = os.environ.get("BELFRY_CACHE_DIR")
    if named:
        folder = Path(named)
    elif os.environ.get("XDG_CACHE_HOME"):
        folder = Path(os.environ["XDG_CACHE_HOME"]) / "belfry"
    else:
        try:
            folder = Path.home() / ".cache" / "belfry"
        except RuntimeError:
            return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError:
        return None
    # Whoever can write a pickle there can run code here.
    is_ours = status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    return folder if is_ours else None


def _digest(files: Mapping[str, bytes]) -> str:
    """Names these files, this Python and this version of the loader."""
    digest = hashlib.sha256(f"{sys.version_info[:3]} {_own_version()}".encode())
    for path in sorted(files):
        raw = files[path]
        digest.update(f"\0{path}\0{len(raw)}\0".encode("utf-8", "surrogateescape"))
        digest.update(raw)
    return digest.hexdigest()[:32]


def _own_version() -> str:
    """Size and time of our own modules: an edited loader never reads what an older one made."""
    engine = Path(sys.modules[Rulebook.__module__].__file__ or "").parent.parent
    own = [engine, *(engine / name for name in _CODE_FOLDERS)]
    stats = [
        (entry.name, status.st_size, status.st_mtime_ns)
        for folder in own
        for entry in sorted(os.scandir(folder), key=lambda one: one.name)
        if entry.name.endswith(".py")
        for status in [entry.stat()]
    ]
    return repr(stats)


def _read_cache(path: Path) -> Loaded | None:
    """None for whatever is not a rulebook that this version wrote."""
    try:
        with _without_collector():
            book, declared = pickle.loads(path.read_bytes())  # noqa: S301  our own: `cache_folder`
        if not isinstance(book, Rulebook):
            return None
        book = dataclasses.replace(book, event_types=event_types(declared))
        return Loaded(book, list(book.warnings), declared, len(book.rules))
    except (OSError, pickle.UnpicklingError, EOFError, *_BROKEN):
        return None


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """A large rulebook is a million new objects, none of them garbage: looking doubles the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


# What unpickling a damaged file has been seen to raise.
_BROKEN = (AttributeError, ImportError, IndexError, KeyError, MemoryError, TypeError, ValueError)


def _write_cache(path: Path, loaded: Loaded) -> None:
    """Whole or not at all. Structs of event types don't pickle: they are made anew on reading."""
    assert loaded.book is not None
    bare: Any = dataclasses.replace(loaded.book, event_types=None)  # type: ignore[arg-type]
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            try:
                pickle.dump((bare, loaded.declared), part, PROTOCOL)
            except BaseException:
                Path(part.name).unlink(missing_ok=True)
                raise
        Path(part.name).replace(path)
    except (OSError, pickle.PicklingError):
        return
