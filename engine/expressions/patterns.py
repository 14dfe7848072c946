"""Regular expressions, on RE2 only: linear in the text, whatever the pattern.

In: a pattern. Out: it compiled, or why RE2 refuses it. Never compiled or run by Python's own `re`.
"""

from __future__ import annotations

from typing import Any

import re2

MEMORY_MAX_BYTES = 1 << 20


def compiled(pattern: str) -> Any:
    """The pattern, ready to `match` (from the start) and `search`. Raises `re2.error`."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY_MAX_BYTES
    return re2.compile(pattern, options)


def why_refused(pattern: str) -> str | None:
    """What RE2 says against it."""
    try:
        compiled(pattern)
    except re2.error as error:
        said = error.args[0]
        return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return None
