"""`belfry serve`: the embedded host."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click

from belfry.cli.examples import by_example
from belfry.cli.loading import load_program
from belfry.runtime.settings import CLOCKS, DEFAULT_LISTEN, SettingsRefused, read_settings
from belfry.runtime.tokens import Tokens, TokensRefused, is_loopback, read_tokens

EXIT_FAULTY = 2


@click.command(
    epilog=by_example(
        ("belfry serve --rules rules --data bank.db", "events over HTTP, on this machine only"),
        ("belfry serve … --watch rules/sources/berka.yaml=inbox", "and files of a folder"),
        ("belfry serve … --clock events", "history: time follows the events"),
        ("belfry serve --settings belfry.toml", "everything from a file"),
    )
)
@click.option("--rules", type=click.Path(path_type=Path), help="The rulebook's folder.")
@click.option("--data", type=click.Path(path_type=Path), help="The data file, made if need be.")
@click.option("--listen", help=f"HOST:PORT [default: {DEFAULT_LISTEN}]")
@click.option("--clock", type=click.Choice(CLOCKS), help="[default: wall]")
@click.option("--watch", multiple=True, metavar="SOURCE.yaml=DIR", help="Take files from there.")
@click.option("--keep-days", type=int, help="Delete older decisions, tasks, attempts. 0: never.")
@click.option("--settings", type=click.Path(exists=True, path_type=Path), help="A TOML file.")
def serve(settings: Path | None, **flags: Any) -> None:
    """Run a bank's alerts in one process on one file: events in over HTTP and from folders.

    The token of the API is BELFRY_API_TOKEN; without one only this machine may ask. SIGTERM stops
    when all is on disk, SIGHUP reloads the rulebook. Settings: file < BELFRY_… < flags.
    """
    try:
        found = read_settings(settings, os.environ, flags)
        tokens = read_tokens(os.environ)
        _check_listen(found.host, tokens)
    except (SettingsRefused, TokensRefused) as refused:
        raise click.UsageError(str(refused)) from refused
    program = load_program(found.rules)
    from belfry.runtime import serve as serving  # noqa: PLC0415  slow to import

    serving.log_to_stderr()
    try:
        serving.serve(found, program, tokens, lambda url: click.echo(f"serving on {url}", err=True))
    except ValueError as problem:
        click.echo(f"Error: {problem}", err=True)
        sys.exit(EXIT_FAULTY)


def _check_listen(host: str, tokens: Tokens) -> None:
    if not tokens and not is_loopback(host):
        raise SettingsRefused(
            f"{host} can be reached by other machines: set BELFRY_API_TOKEN "
            f"(or BELFRY_API_TOKENS), or listen on 127.0.0.1"
        )
