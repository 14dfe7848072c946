"""One safeguard less at a time: how many seeds until the judge notices? A check that cannot fail
proves nothing.

In: nothing. Out: a row for each safeguard; the table of docs/reliability.md.
Invariant: production code knows nothing of this. Its names are replaced for the time of a run and
put back; `without` says which.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from belfry.runtime.simulation.campaign import judged
from belfry.runtime.simulation.removals import REMOVALS

SEEDS_MAX = 60
BEGIN, END = "<!-- ablations: begin -->", "<!-- ablations: end -->"


class Row(NamedTuple):
    """`seeds`: how many it took; None: not noticed. `invariant`: what noticed it."""

    name: str
    safeguard: str
    seeds: int | None
    invariant: str


@contextmanager
def without(name: str) -> Iterator[None]:
    """The safeguard of that name is gone meanwhile."""
    before: list[tuple[Any, str, Any]] = []
    try:
        for target, replacement in REMOVALS[name].replaced.items():
            module, _, path = target.partition(":")
            owner: Any = importlib.import_module(module)
            *owners, attribute = path.split(".")
            for one in owners:
                owner = getattr(owner, one)
            real = getattr(owner, attribute)
            before.append((owner, attribute, real))
            setattr(owner, attribute, replacement(real))
        yield
    finally:
        for owner, attribute, real in reversed(before):
            setattr(owner, attribute, real)


def noticed(name: str, seeds_max: int = SEEDS_MAX) -> Row:
    """The first seed at which something is wrong without it."""
    safeguard = REMOVALS[name].safeguard
    with without(name):
        for seed in range(1, seeds_max + 1):
            try:
                failures = judged(seed, is_liveness=bool(seed % 2)).failures
            except Exception as crash:  # noqa: BLE001  a crash of the engine is noticed, too
                return Row(name, safeguard, seed, f"the run breaks: {type(crash).__name__}")
            if failures:
                return Row(name, safeguard, seed, failures[0].invariant)
    return Row(name, safeguard, None, "")


def table(progress: Callable[[int, int], None]) -> list[Row]:
    """All of them."""
    rows = []
    for number, name in enumerate(REMOVALS):
        rows.append(noticed(name))
        progress(number + 1, len(REMOVALS))
    return rows


def into(page: str, rows: list[Row]) -> str:
    """The page with the table between its two marks."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    lines = ["| safeguard removed | seeds until noticed | noticed by |", "| --- | --- | --- |"]
    lines += [
        f"| {row.safeguard} | {row.seeds or f'not in {SEEDS_MAX}'} | {row.invariant} |"
        for row in rows
    ]
    return f"{head}{BEGIN}\n" + "\n".join(lines) + f"\n{END}{tail}"
