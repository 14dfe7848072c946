"""Loads a rulebook for a command; its faults are shown like lint shows them, with exit code 2.

In: a folder. Out: a `Program`, or the command ends.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from belfry.cli.lint import show_faults
from belfry.engine.faults import Severity
from belfry.engine.program import Program, build_program
from belfry.engine.rulebook.model import Rulebook
from belfry.runtime.rulebook_files import read_rulebook

EXIT_USAGE = 2


def load_book(folder: Path) -> Rulebook:
    """The rulebook; only errors are shown, warnings are lint's business."""
    book, faults = read_rulebook(folder)
    if book is None:
        errors = [fault for fault in faults if fault.severity is Severity.ERROR]
        show_faults(errors)
        count = f"{len(errors)} error" + ("s" if len(errors) > 1 else "")
        click.echo(f"{folder}: the rulebook has {count}; nothing was run", err=True)
        sys.exit(EXIT_USAGE)
    if not book.rules:
        click.echo(f"{folder}: no rules there (files *.yaml with a key `rule:`)", err=True)
        sys.exit(EXIT_USAGE)
    return book


def load_program(folder: Path) -> Program:
    """The rulebook, compiled."""
    return build_program(load_book(folder))
