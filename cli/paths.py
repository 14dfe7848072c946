"""Checks of paths that several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click


def refuse_overwriting(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """What is written must be none of what is read, and no file twice: a usage error names it."""
    taken = {_real(path): path for path in inputs}
    for path in outputs:
        if _real(path) in taken:
            raise click.UsageError(f"{path} would be overwritten: it is read or written already")
        taken[_real(path)] = path


def _real(path: Path) -> str:
    """One file by whatever name: links are followed, also to what is not there yet."""
    return str(path.resolve())
