"""A check-up: what would keep `belfry serve` from running well on this machine.

In: settings, the environment. Out: one `Finding` for each thing that was looked at, with a remedy.
Invariant: nothing is changed but a file that is made and removed; no secret is shown.
"""

from __future__ import annotations

import datetime as dt
import enum
import os
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from belfry.engine.faults import Severity
from belfry.engine.rulebook.model import Rulebook
from belfry.notifiers.dispatch import at_once
from belfry.notifiers.provider import PROVIDERS, SettingMissing, open_provider
from belfry.runtime.reading import reader
from belfry.runtime.rulebook_files import read_rulebook
from belfry.runtime.settings import Settings
from belfry.runtime.tokens import TokensRefused, is_loopback, read_tokens

PYTHON_MIN = (3, 11)
SQLITE_MIN = (3, 35, 0)
FREE_MIN = 1 << 30
SYNC_SLOW_S = 0.05
RELEASED = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)  # a clock before it is not set


class Verdict(enum.StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    verdict: Verdict
    said: str
    remedy: str = ""

    def as_dict(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}


def examine(settings: Settings, environment: Mapping[str, str]) -> list[Finding]:
    """Everything, in the order of `CHECKS`, then what hangs on the rulebook."""
    found = [check(settings) for check in CHECKS]
    found.append(_tokens(settings, environment))
    book, finding = _rulebook(settings)
    found.append(finding)
    if book is not None:
        found.append(_zone(book))
        found += _providers(settings, book)
    found += [_watched(*one) for one in settings.watch]
    return found


def _python(settings: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    is_good = sys.version_info >= PYTHON_MIN and sqlite3.sqlite_version_info >= SQLITE_MIN
    said = f"Python {version}, SQLite {sqlite3.sqlite_version}"
    if is_good:
        return Finding("python", Verdict.OK, said)
    return Finding("python", Verdict.PROBLEM, said, "Python 3.11 and SQLite 3.35 or newer")


def _folder(settings: Settings) -> Finding:
    """Can the data file be written, and how long does a sync take?"""
    folder = settings.data.absolute().parent
    try:
        with tempfile.NamedTemporaryFile(dir=folder) as file:
            start = time.perf_counter()
            file.write(b"\0" * 4096)
            file.flush()
            os.fsync(file.fileno())
            took = time.perf_counter() - start
    except OSError as problem:
        said = f"{folder}: {problem.strerror}"
        return Finding("disk", Verdict.PROBLEM, said, "a folder that this user may write")
    free = shutil.disk_usage(folder).free
    said = f"{free / (1 << 30):.1f} GiB free, a sync takes {took * 1000:.1f} ms"
    if free < FREE_MIN:
        return Finding("disk", Verdict.PROBLEM, said, "at least 1 GiB")
    if took > SYNC_SLOW_S:
        return Finding("disk", Verdict.WARNING, said, "every answer waits for one: a local disk")
    return Finding("disk", Verdict.OK, said)


def _data(settings: Settings) -> Finding:
    path = settings.data
    if not path.exists():
        return Finding("data", Verdict.OK, f"{path} will be made")
    try:
        with reader(path) as connection:
            (count,) = connection.execute("SELECT count(*) FROM customers").fetchone()
    except (OSError, sqlite3.Error) as problem:
        said = f"{path}: {getattr(problem, 'strerror', None) or problem}"
        return Finding("data", Verdict.PROBLEM, said, "another file, or a backup in its place")
    mode = path.stat().st_mode & 0o077
    said = f"{path}: {count:,} customers"
    if mode:
        return Finding("data", Verdict.WARNING, f"{said}, readable by others", f"chmod 600 {path}")
    return Finding("data", Verdict.OK, said)


def _clock(settings: Settings) -> Finding:
    now = dt.datetime.now(dt.UTC)
    if now < RELEASED:
        return Finding("clock", Verdict.PROBLEM, f"it is {now:%Y-%m-%d}?", "set it; run NTP")
    return Finding("clock", Verdict.OK, f"{now:%Y-%m-%d %H:%M:%S} UTC")


CHECKS: tuple[Callable[[Settings], Finding], ...] = (_python, _folder, _data, _clock)


def _tokens(settings: Settings, environment: Mapping[str, str]) -> Finding:
    try:
        tokens = read_tokens(environment)
    except (TokensRefused, OSError) as problem:
        return Finding("tokens", Verdict.PROBLEM, str(problem), "see docs/OPERATIONS.md")
    if tokens:
        return Finding("tokens", Verdict.OK, "set")
    if is_loopback(settings.host):
        return Finding("tokens", Verdict.WARNING, "none: all of this machine may ask",
                       "BELFRY_API_TOKEN")  # fmt: skip
    return Finding("tokens", Verdict.PROBLEM, f"none, and {settings.host} can be reached",
                   "BELFRY_API_TOKEN")  # fmt: skip


def _rulebook(settings: Settings) -> tuple[Rulebook | None, Finding]:
    try:
        book, faults = read_rulebook(settings.rules)
    except OSError as problem:
        said = f"{settings.rules}: {problem.strerror}"
        return None, Finding("rulebook", Verdict.PROBLEM, said, "--rules DIR")
    errors = [one for one in faults if one.severity is Severity.ERROR]
    if book is None:
        said = f"{len(errors)} errors, the first: {errors[0]}"
        return None, Finding("rulebook", Verdict.PROBLEM, said, "belfry lint")
    return book, Finding("rulebook", Verdict.OK, f"{len(book.rules)} rules, {book.hash}")


def _zone(book: Rulebook) -> Finding:
    name = book.policies.bank.time_zone
    try:
        local = dt.datetime.now(ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return Finding("zone", Verdict.PROBLEM, f"no zone {name!r}", "install tzdata")
    return Finding("zone", Verdict.OK, f"{name}: it is {local:%H:%M}")


def _providers(settings: Settings, book: Rulebook) -> list[Finding]:
    """Those that the rulebook names: can they be opened with their settings?"""
    channels = book.policies.channels.values()
    found = []
    for name in sorted({name for channel in channels for name in channel.providers}):
        what = f"provider {name}"
        if name not in PROVIDERS:
            known = ", ".join(sorted(PROVIDERS))
            found.append(Finding(what, Verdict.PROBLEM, "there is none of that name", known))
            continue
        given = dict(settings.providers.get(name, {}))
        if name == "file":
            given["path"] = os.devnull
        try:
            at_once(open_provider(name, **given).close())
        except (TypeError, ValueError, OSError) as problem:
            why = problem if isinstance(problem, SettingMissing) else type(problem).__name__
            said = f"cannot be opened: {why}"
            remedy = f"BELFRY_PROVIDER_{name.upper()}_…, or [providers.{name}]"
            found.append(Finding(what, Verdict.PROBLEM, said, remedy))
        else:
            found.append(Finding(what, Verdict.OK, "can be opened"))
    return found


def _watched(mapping: Path, folder: Path) -> Finding:
    if mapping.is_file() and folder.is_dir() and os.access(folder, os.R_OK | os.X_OK):
        return Finding("watch", Verdict.OK, f"{folder}, by {mapping.name}")
    return Finding("watch", Verdict.PROBLEM, f"{mapping} or {folder} cannot be read", "--watch")
