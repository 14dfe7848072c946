"""`belfry test`: the tests inside rules."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import click

from belfry.cli.examples import by_example
from belfry.cli.loading import load_book
from belfry.cli.replay import FOLDER
from belfry.engine.rulebook.suggest import did_you_mean, listed
from belfry.runtime.rule_tests import Result, run_tests


@click.command(
    epilog=by_example(
        ("belfry test --rules rules", "all tests"),
        ("belfry test --rules rules low-balance", "the tests of one rule"),
    )
)
@click.option("--rules", type=FOLDER, default=Path("rules"), show_default=True)
@click.argument("only", nargs=-1, metavar="[RULE]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per test.")
def test(rules: Path, only: tuple[str, ...], *, as_json: bool) -> int:
    """Run the tests that stand inside rules. Exit code 1 if one fails."""
    book = load_book(rules)
    unknown = sorted(set(only) - set(book.rules))
    if unknown:
        raise click.UsageError(_no_rule(unknown[0], book.rules))
    results = list(run_tests(book, frozenset(only)))
    failed = [result for result in results if result.faults]
    for result in results:
        if as_json:
            click.echo(json.dumps(_as_dict(result), ensure_ascii=False))
        elif result.faults:
            _show(result)
    untested = sorted(rule.id for rule in book.rules.values() if not rule.tests)
    if not as_json:
        if untested and not only:
            click.echo(f"without tests: {', '.join(untested)}", err=True)
        tested = len({result.rule for result in results})
        click.echo(
            f"{len(results) - len(failed)} passed, {len(failed)} failed, "
            f"{tested} of {len(book.rules)} rules have tests"
        )
    return 1 if failed else 0


def _no_rule(name: str, rules: Iterable[str]) -> str:
    if Path(name).is_dir():
        return f"no rule {name!r}; a folder is named with --rules {name}"
    meant = did_you_mean(name, rules) or f"there are {listed(sorted(rules))}"
    return f"no rule {name!r}; {meant}"


def _show(result: Result) -> None:
    click.secho(f"FAILED {result.rule}: {result.test}", fg="red")
    click.echo(f"  --> {result.place}")
    for fault in result.faults:
        click.echo(f"  {fault}")


def _as_dict(result: Result) -> dict[str, object]:
    return {
        "rule": result.rule,
        "test": result.test,
        "place": str(result.place),
        "passed": not result.faults,
        "faults": list(result.faults),
    }
