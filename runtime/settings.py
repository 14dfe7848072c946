"""Settings of `belfry serve`: a TOML file, then the environment (`BELFRY_…`), then flags.

In: a path, the environment, flags. Out: `Settings`, or `SettingsRefused` naming key and remedy.
Invariant: an unknown key is refused, with a "did you mean". Secrets of providers come from the
environment, or from a file that `…_FILE` names; they are never shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from belfry.engine.rulebook.suggest import did_you_mean
from belfry.notifiers.limits import LimitRefused, Limits, take_limits
from belfry.notifiers.provider import PROVIDERS

DEFAULT_LISTEN = "127.0.0.1:8750"
KEYS: dict[str, str] = {
    "rules": "the rulebook's folder",
    "data": "the data file",
    "listen": "HOST:PORT of the HTTP server; port 0 takes a free one",
    "clock": "wall, or events: time follows the events' own times",
    "keep_days": "how many days of decisions, tasks and attempts are kept; 0: all",
    "watch": "source mapping = folder, for each folder whose files are read",
    "redis": "URL of a Redis that all processes share for rate limits; none: each on its own",
    "contact_key": "secret under which contacts are hashed in Redis, from 32 characters",
    "public_url": "the https URL under which providers reach this server; none: no receipts",
    "stop_scope": "purposes that a STOP by text withdraws; marketing if not given",
    "providers": "settings of providers, by name; rate, burst, concurrency, timeout_s are of all",
}
CLOCKS = ("wall", "events")
REDIS_SCHEMES = ("redis://", "rediss://", "redis+sentinel://", "redis+cluster://", "unix://")
CONTACT_KEY_MIN = 32
PORT_MAX = 65_535


class SettingsRefused(ValueError):  # noqa: N818  (reads as what happened)
    """What is wrong, in words for whoever wrote it."""


@dataclass(slots=True)
class Settings:
    """All of it, checked but for what only starting can show."""

    rules: Path
    data: Path
    host: str = "127.0.0.1"
    port: int = 8750
    clock: str = "wall"
    keep_days: int = 0
    watch: list[tuple[Path, Path]] = field(default_factory=list)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict, repr=False)
    limits: dict[str, Limits] = field(default_factory=dict)
    redis: str = field(default="", repr=False)  # it may hold a password
    contact_key: str = field(default="", repr=False)
    public_url: str = ""
    stop_scope: tuple[str, ...] = ("marketing",)


def read_settings(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]
) -> Settings:
    """Later ones win, key by key. A flag that is None or empty was not given."""
    found: dict[str, Any] = {}
    if file is not None:
        found |= _file(file)
    for key in KEYS:
        value = environment.get(f"BELFRY_{key.upper()}", "")
        if value and key != "providers":
            found[key] = value
    found |= {key: value for key, value in flags.items() if value not in (None, (), "")}
    for key in ("rules", "data"):
        if not found.get(key):
            raise SettingsRefused(f"{key} is required ({KEYS[key]}): --{key}, BELFRY_{key.upper()}")
    host, port = _listen(str(found.get("listen", DEFAULT_LISTEN)))
    clock = str(found.get("clock", "wall"))
    if clock not in CLOCKS:
        raise SettingsRefused(f"clock is one of {', '.join(CLOCKS)}")
    providers, limits = _parted(_providers(found.get("providers", {}), environment))
    return Settings(
        Path(found["rules"]),
        Path(found["data"]),
        host,
        port,
        clock,
        _days(found.get("keep_days", 0)),
        _watch(found.get("watch", ())),
        providers,
        limits,
        _redis(found.get("redis", "")),
        _contact_key(found.get("contact_key", "")),
        public_url=_public_url(str(found.get("public_url", ""))),
        stop_scope=_words(found.get("stop_scope", "marketing")),
    )


def _file(path: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as problem:
        raise SettingsRefused(f"{path}: {problem}") from problem
    for key in found:
        if key not in KEYS:
            hint = did_you_mean(key, tuple(KEYS))
            raise SettingsRefused(f"{path}: unknown key '{key}'" + (f"; {hint}" if hint else ""))
    return found


def _listen(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > PORT_MAX:
        raise SettingsRefused(f"listen is HOST:PORT, such as {DEFAULT_LISTEN}, not {text!r}")
    return host.strip("[]"), int(port)


def _days(value: Any) -> int:
    if not str(value).isdecimal():
        raise SettingsRefused("keep_days is a whole number of days; 0 keeps all")
    return int(value)


def _watch(value: Any) -> list[tuple[Path, Path]]:
    """`SOURCE.yaml=FOLDER`, several in the environment parted by `;`, or a table in the file."""
    if isinstance(value, dict):
        return [(Path(source), Path(str(folder))) for source, folder in value.items()]
    rows = value.split(";") if isinstance(value, str) else list(value)
    found = []
    for row in rows:
        source, equals, folder = str(row).partition("=")
        if not equals or not source or not folder:
            raise SettingsRefused(f"watch is SOURCE.yaml=FOLDER, not {row!r}")
        found.append((Path(source), Path(folder)))
    return found


def _redis(value: Any) -> str:
    url = str(value)
    if url and not url.startswith(REDIS_SCHEMES):
        raise SettingsRefused("redis is a URL such as redis://127.0.0.1:6379/0")
    return url


def _contact_key(value: Any) -> str:
    if value and len(str(value)) < CONTACT_KEY_MIN:
        raise SettingsRefused(f"contact_key has at least {CONTACT_KEY_MIN} characters")
    return str(value)


def _parted(
    given: dict[str, dict[str, Any]],
) -> tuple[dict[str, dict[str, Any]], dict[str, Limits]]:
    """What is the provider's own, and what its executor keeps to."""
    own, limits = {}, {}
    for name, settings in given.items():
        try:
            limits[name], own[name] = take_limits(name, settings)
        except LimitRefused as problem:
            raise SettingsRefused(str(problem)) from problem
    return own, limits


def _public_url(text: str) -> str:
    if text and not re.fullmatch(r"https?://[^/?#\s]+[^?#\s]*", text):
        raise SettingsRefused(f"public_url is such as https://alerts.bank.example, not {text!r}")
    return text.rstrip("/")


def _words(value: Any) -> tuple[str, ...]:
    """A list, or words parted by commas."""
    rows = value.split(",") if isinstance(value, str) else list(value)
    words = tuple(str(row).strip() for row in rows)
    if not words or not all(words):
        raise SettingsRefused("stop_scope is a list of purposes, such as marketing,advice")
    return words


def _providers(table: Any, environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """`[providers.NAME]` of the file, then `BELFRY_PROVIDER_NAME_SETTING` (or `…_FILE`)."""
    found: dict[str, dict[str, Any]] = {name: dict(one) for name, one in dict(table).items()}
    for name in found:
        if name not in PROVIDERS:
            hint = did_you_mean(name, tuple(PROVIDERS))
            raise SettingsRefused(f"no provider '{name}'" + (f"; {hint}" if hint else ""))
    for name in PROVIDERS:
        prefix = f"BELFRY_PROVIDER_{name.upper()}_"
        for variable, value in environment.items():
            if not variable.startswith(prefix):
                continue
            setting = variable.removeprefix(prefix).lower()
            if setting.endswith("_file"):
                setting = setting.removesuffix("_file")
                value = Path(value).read_text(encoding="utf-8").strip()
            found.setdefault(name, {})[setting] = value
    return found
