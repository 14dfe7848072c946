"""`belfry doctor`: what would keep a server from running well, found before it starts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from belfry.cli.examples import by_example
from belfry.runtime.checkup import Finding, Verdict, examine
from belfry.runtime.settings import SettingsRefused, read_settings

EXIT_FINDINGS = 1
MARKS = {Verdict.OK: "ok  ", Verdict.WARNING: "warn", Verdict.PROBLEM: "BAD "}


@click.command(
    epilog=by_example(
        ("belfry doctor --rules rules --data bank.db", "before the first start"),
        ("belfry doctor --settings belfry.toml --json", "for a machine"),
    )
)
@click.option("--rules", type=click.Path(path_type=Path), help="The rulebook's folder.")
@click.option("--data", type=click.Path(path_type=Path), help="The data file.")
@click.option("--listen", help="HOST:PORT, as for `belfry serve`.")
@click.option("--settings", type=click.Path(exists=True, path_type=Path), help="A TOML file.")
@click.option("--json", "as_json", is_flag=True, help="One object a finding.")
def doctor(settings: Path | None, *, as_json: bool, **flags: Any) -> None:
    """Check Python, disk, permissions, clock, zone data, settings, rulebook, providers, tokens.

    Exit code 1 if anything would keep `belfry serve` from running.
    """
    try:
        found = read_settings(settings, os.environ, flags)
    except SettingsRefused as refused:
        raise click.UsageError(str(refused)) from refused
    findings = examine(found, os.environ)
    for one in findings:
        click.echo(json.dumps(one.as_dict()) if as_json else _line(one))
    if any(one.verdict is Verdict.PROBLEM for one in findings):
        sys.exit(EXIT_FINDINGS)


def _line(one: Finding) -> str:
    text = f"{MARKS[one.verdict]}  {one.what:12} {one.said}"
    return f"{text}\n{'':20}{one.remedy}" if one.remedy else text
