"""`belfry plan`: what another rulebook would do to live state, before it does it."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from belfry.cli.examples import by_example
from belfry.cli.lint import show_faults
from belfry.cli.loading import load_book
from belfry.cli.replay import FOLDER
from belfry.engine.edits import Effect
from belfry.engine.faults import Severity
from belfry.runtime.plan import Change, Plan, Planned, plan
from belfry.runtime.rulebook_files import read_rulebook

EXIT_FINDINGS = 1
COLOURS = {
    Effect.ADDED: "green",
    Effect.REMOVED: "red",
    Effect.WARM_UP: "yellow",
    Effect.RE_ARMED: "cyan",
    Effect.RE_EVALUATED: "cyan",
}
SHOWN_MAX = 120  # characters of one text
CONTEXT = 40  # of them before the first that differs


@click.command(
    name="plan",
    epilog=by_example(
        ("belfry plan live rules", "what becomes of alerts, timers and windows"),
        ("belfry plan live rules --all", "what does not change, too"),
        ("belfry plan live rules --json", "for another program, or the approval's file"),
    ),
)
@click.argument("old", metavar="OLD_DIR", type=FOLDER)
@click.argument("new", metavar="NEW_DIR", type=FOLDER)
@click.option("--all", "is_all", is_flag=True, help="Name what does not change, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def plan_command(old: Path, new: Path, *, is_all: bool, as_json: bool) -> None:
    """Say what becomes of live state when NEW_DIR takes the place of OLD_DIR.

    For every rule, feature and segment: what happens to alerts, timers and windows, and which key
    is the reason. No edit by itself tells a customer anything.

    Exit codes: 0 ok, 1 the new rulebook has faults, 2 usage, or the old one cannot be read.
    """
    before = load_book(old)
    after, faults = read_rulebook(new)
    if after is None:
        show_faults(fault for fault in faults if fault.severity is Severity.ERROR)
        click.echo(f"{new}: the new rulebook has faults; `belfry lint {new}`", err=True)
        sys.exit(EXIT_FINDINGS)
    found = plan(before, after)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _show(found, is_all=is_all)


def _show(found: Plan, *, is_all: bool) -> None:
    click.secho(f"rulebook {found.old} → {found.new}", bold=True)
    for title, some in (
        ("rule", found.rules), ("feature", found.features), ("segment", found.segments),
    ):  # fmt: skip
        for one in some:
            if is_all or not one.is_unchanged:
                _show_one(title, one)
    for name in found.kept:
        click.echo(f"\n{name}\n  changed; live state goes on under the new text")
    counts = [
        f"{sum(one.is_unchanged for one in some)} {title}"
        for title, some in (
            ("rules", found.rules), ("features", found.features), ("segments", found.segments),
        )
    ]  # fmt: skip
    click.echo("\nunchanged: " + ", ".join(counts))


def _show_one(title: str, one: Planned) -> None:
    colour = next((COLOURS[effect] for effect in one.effects if effect in COLOURS), None)
    words = ", ".join(effect.replace("_", " ") for effect in one.effects)
    click.echo(f"\n{title} {click.style(one.name, bold=True)}: {click.style(words, fg=colour)}")
    for sentence in one.says:
        click.echo(f"  {sentence}")
    for change in one.changes:
        for line in _lines(change):
            click.echo(f"    {line}")


def _lines(change: Change) -> list[str]:
    if change.old == change.new:
        return [f"{change.key}: {_cut(change.new)} (the same words; what they name changed)"]
    if change.old is None:
        return [f"{change.key}: now {_cut(change.new)}"]
    if change.new is None:
        return [f"{change.key}: no longer; was {_cut(change.old)}"]
    old, new = _around_the_change(change.old, change.new)
    return [f"{change.key}: was {old}", f"{' ' * len(change.key)}  now {new}"]


def _around_the_change(old: str, new: str) -> tuple[str, str]:
    """Long texts begin shortly before the first letter that differs."""
    old, new = " ".join(old.split()), " ".join(new.split())
    letters = enumerate(zip(old, new, strict=False))
    same = next((n for n, (a, b) in letters if a != b), min(len(old), len(new)))
    if max(len(old), len(new)) <= SHOWN_MAX or same <= CONTEXT:
        return _cut(old), _cut(new)
    start = same - CONTEXT
    return "…" + _cut(old[start:]), "…" + _cut(new[start:])


def _cut(text: str | None) -> str:
    text = " ".join((text or "").split())
    return text if len(text) <= SHOWN_MAX else text[:SHOWN_MAX] + "…"
