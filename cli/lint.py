"""`belfry lint`: check a rulebook and show every fault with its place, line, caret and remedy."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.engine.event_types import event_types
from belfry.engine.faults import Fault, Severity
from belfry.runtime.rulebook_files import check_rulebook
from belfry.runtime.source_files import check_sources

EXIT_OK, EXIT_FINDINGS, EXIT_USAGE = 0, 1, 2
SCHEMA = "belfry.lint/1"
LINE_MAX = 160  # characters of a source line that are shown
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


@click.command(
    epilog=by_example(
        ("belfry lint rules", "every fault of a rulebook"),
        ("belfry lint rules --strict", "warnings count, too: for CI"),
        ("belfry lint --rules rules --json", "for another program"),
    )
)
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--rules", type=click.Path(path_type=Path), help="The rulebook folder [rules].")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings, too.")
def lint(folder: Path | None, rules: Path | None, *, as_json: bool, strict: bool) -> None:
    """Check a rulebook and its sources: every fault at once, each with its place and a remedy.

    Exit codes: 0 nothing found, 1 errors (with --strict also warnings), 2 no such folder.
    """
    if folder is not None and rules is not None and folder != rules:
        raise click.UsageError(f"two folders: {folder} and --rules {rules}; give one")
    root = folder or rules or Path("rules")
    if not root.is_dir():
        what = "not a folder" if root.exists() else "no such folder"
        raise click.UsageError(f"{root}: {what}; name the rulebook, e.g. `belfry lint rules`")
    found = check(root)
    if not (found.rules or found.sources or found.faults):
        raise click.UsageError(f"{root}: no rules there (files *.yaml with a key `rule:`)")
    if as_json:
        click.echo(msgspec.json.encode(as_data(found, root)).decode())
    else:
        shown = [_under(fault, root) for fault in found.faults]
        if shown:
            show_faults(shown)
        click.echo(summary(found, root))
    sys.exit(EXIT_FINDINGS if found.errors or (strict and found.faults) else EXIT_OK)


class Checked(NamedTuple):
    """What a rulebook folder amounts to. `hash` is None unless its rules could be loaded."""

    rules: int
    sources: int
    hash: str | None
    faults: list[Fault]

    @property
    def errors(self) -> int:
        """How many findings keep it from being used."""
        return sum(fault.severity is Severity.ERROR for fault in self.faults)


def check(root: Path) -> Checked:
    """The rules and everything they read, then the source mappings."""
    loaded = check_rulebook(root)
    sources = check_sources(root, event_types(loaded.declared))
    book_hash = loaded.book.hash if loaded.book is not None else None
    return Checked(loaded.rules, sources.written, book_hash, [*loaded.faults, *sources.faults])


def show_faults(faults: Iterable[Fault], *, err: bool = True) -> None:
    """Print each fault like a compiler does; colours only on a terminal, never with NO_COLOR."""
    stream = sys.stderr if err else sys.stdout
    coloured = has_colour(stream)
    for fault in faults:
        click.echo(rendered(fault, coloured=coloured) + "\n", err=err, color=coloured)


def has_colour(stream: Any) -> bool:
    """FORCE_COLOR, then NO_COLOR, then whether it is a terminal that can."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def rendered(fault: Fault, *, coloured: bool = False) -> str:
    """One fault: what, where, the line with a caret, what was expected, what to do."""

    def paint(text: str, colour: str) -> str:
        return click.style(text, fg=colour, bold=True) if coloured else text

    head = paint(f"{fault.severity}[{fault.code}]", COLOURS[fault.severity])
    number = str(fault.place.line)
    margin = " " * len(number)
    lines = [f"{head}: {_visible(fault.message)}", f"{margin}--> {_visible(str(fault.place))}"]
    if fault.line is not None:
        shown, column = _window(fault.line, fault.place.column)
        caret = "^" * max(1, min(fault.width, len(shown) - column + 1))
        pad = "".join(" " * _cells(char) for char in shown[: column - 1])
        lines += [f"{margin} |", f"{number} | {shown}"]
        lines.append(f"{margin} | {pad}{paint(caret, COLOURS[fault.severity])}")
    if fault.expected:
        lines.append(f"{margin} = expected: {_visible(fault.expected)}")
    if fault.hint:
        lines.append(f"{margin} = {_visible(fault.hint)}")
    return "\n".join(lines)


def _window(line: str, column: int) -> tuple[str, int]:
    """A long line is cut around its fault; control characters are made visible."""
    line = _visible(line.replace("\t", " "))
    if len(line) <= LINE_MAX:
        return line, column
    start = max(0, min(column - LINE_MAX // 2, len(line) - LINE_MAX))
    return line[start : start + LINE_MAX], column - start


def _visible(text: str) -> str:
    """What an author wrote must not steer the terminal of whoever reads the report."""
    return "".join(char if char.isprintable() or char == " " else "\N{REPLACEMENT CHARACTER}"
                   for char in text)  # fmt: skip


def _cells(char: str) -> int:
    """Han, kana and fullwidth characters take two cells of a terminal."""
    return 2 if "\u1100" <= char <= "\u115f" or "\u2e80" <= char <= "\uffef" else 1


def summary(found: Checked, root: Path) -> str:
    """`12 rules, 1 source, 3 errors, 1 warning`."""
    counts = [_count(found.rules, "rule")]
    if found.sources:
        counts.append(_count(found.sources, "source"))
    warnings = len(found.faults) - found.errors
    counts += [_count(found.errors, "error"), _count(warnings, "warning")]
    return f"{root}: " + ", ".join(counts)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _under(fault: Fault, root: Path) -> Fault:
    """The path as it can be opened from here."""
    place = dataclasses.replace(fault.place, file=str(root / fault.place.file))
    return dataclasses.replace(fault, place=place)


def as_data(found: Checked, root: Path) -> dict[str, Any]:
    """The report as plain data."""
    return {
        "schema": SCHEMA,
        "folder": str(root),
        "rules": found.rules,
        "sources": found.sources,
        "hash": found.hash,
        "faults": [
            {
                "code": fault.code,
                "severity": str(fault.severity),
                "file": fault.place.file,
                "line": fault.place.line,
                "column": fault.place.column,
                "width": fault.width,
                "message": fault.message,
                "expected": fault.expected,
                "hint": fault.hint,
            }
            for fault in found.faults
        ],
    }
