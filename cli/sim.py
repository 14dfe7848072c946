"""`belfry sim`: the embedded host in a made-up world where everything fails, from a seed."""

from __future__ import annotations

import json
from collections import Counter

import click

from belfry.cli.examples import by_example
from belfry.cli.program import EXIT_FINDINGS, EXIT_OK
from belfry.cli.progress import progress_bar
from belfry.runtime.simulation.campaign import (
    Result,
    campaign,
    command,
    cut_down,
    expected,
    judged,
)

CAMPAIGN_MIN = 100  # fewer seeds need not reach everything


def _range(ctx: click.Context, parameter: click.Parameter, value: str | None) -> range | None:
    if value is None:
        return None
    first, _, last = value.partition("..")
    if not first.isdecimal() or not last.isdecimal():
        raise click.BadParameter("two numbers, like 1..200")
    return range(int(first), int(last) + 1)


@click.command(
    epilog=by_example(
        ("belfry sim --seeds 1..200", "a campaign, each seed once"),
        ("belfry sim --seed 17 --liveness", "one run again, event for event"),
        ("belfry sim --ablations", "one safeguard less at a time: how soon is it noticed?"),
    )
)
@click.option("--seed", type=int, help="One run.")
@click.option("--seeds", callback=_range, metavar="A..B", help="Many; both ends count.")
@click.option(
    "--liveness/--safety", default=None, help="Faults stop and all must end; or never stop."
)
@click.option("--only", metavar="N,N", help="Only these of the seed's faults (`none`: no fault).")
@click.option("--ablations", is_flag=True, help="Take safeguards away; write the table.")
@click.option("--json", "as_json", is_flag=True, help="One object at the end.")
def sim(
    *,
    seed: int | None,
    seeds: range | None,
    liveness: bool | None,
    only: str | None,
    ablations: bool,
    as_json: bool,
) -> int:
    """Run the embedded host through crashes, lying providers, full disks and stepping clocks.

    Prints one line per failure with the command that replays it.
    """
    if ablations:
        return _ablations()
    if seed is not None:
        places = None
        if only is not None:
            places = [] if only == "none" else [int(one) for one in only.split(",")]
        result = judged(seed, is_liveness=bool(liveness), only=places)
        _say(result, places)
        click.echo(f"seed {seed}: {len(result.failures)} failures, trace {result.trace}")
        return EXIT_FINDINGS if result.failures else EXIT_OK
    return _campaign(seeds or range(1, 201), liveness, as_json=as_json)


def _campaign(seeds: range, liveness: bool | None, *, as_json: bool) -> int:
    seen: Counter[str] = Counter()
    failed = 0
    with progress_bar("seeds") as progress:
        for number, result in enumerate(campaign(seeds, is_liveness=liveness)):
            seen += result.seen
            failed += bool(result.failures)
            if result.failures:
                _say(result, cut_down(result))
            progress(number + 1, len(seeds))
    missing = sorted(expected() - seen.keys()) if len(seeds) >= CAMPAIGN_MIN else []
    if as_json:
        click.echo(json.dumps({"seeds": len(seeds), "failed": failed, "missing": missing,
                               "seen": dict(sorted(seen.items()))}))  # fmt: skip
    else:
        click.echo(f"{len(seeds):,} seeds, {failed} failed")
        for one in missing:
            click.echo(f"never reached: {one}")
    return EXIT_FINDINGS if failed or missing else EXIT_OK


def _say(result: Result, only: list[int] | None) -> None:
    for one in result.failures[:5]:
        click.echo(f"{one.invariant}: {one.what} | {command(result, only)}")


def _ablations() -> int:
    from pathlib import Path  # noqa: PLC0415  only who writes the table needs these

    from belfry.runtime.simulation.ablations import into, table  # noqa: PLC0415

    page = Path("docs/reliability.md")
    with progress_bar("safeguards") as progress:
        rows = table(progress)
    for row in rows:
        click.echo(f"{row.safeguard}: {row.seeds or 'not noticed'} {row.invariant}")
    if page.exists():
        page.write_text(into(page.read_text(encoding="utf-8"), rows), encoding="utf-8")
    return EXIT_FINDINGS if any(row.seeds is None for row in rows) else EXIT_OK
