"""Programs from a cache: generated code is compiled once per rulebook and Python version.

In: a rulebook. Out: its `Program`. A cache that can't be read or written is done without.
"""

from __future__ import annotations

import marshal
import sys
from pathlib import Path
from types import CodeType

from belfry.engine.program import Program, build_program
from belfry.engine.rulebook.model import Rulebook
from belfry.runtime.rulebook_files import cache_folder

RULES_FROM = 200  # fewer compile in a blink


def program_of(book: Rulebook) -> Program:
    """Build the program; large ones with the cached code of an earlier build."""
    if len(book.rules) < RULES_FROM:
        return build_program(book)
    folder = cache_folder()
    if folder is None:
        return build_program(book)
    path = folder / f"{book.hash}-{sys.implementation.cache_tag}.code"
    code = _read(path)
    program = build_program(book, code)
    if code is None:
        _write(path, program.code)
    return program


def _read(path: Path) -> CodeType | None:
    try:
        code = marshal.loads(path.read_bytes())  # noqa: S302  our own file in a 0700 folder
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _write(path: Path, code: CodeType) -> None:
    part = path.with_suffix(".part")
    try:
        part.write_bytes(marshal.dumps(code))
        part.replace(path)
    except OSError:
        part.unlink(missing_ok=True)
