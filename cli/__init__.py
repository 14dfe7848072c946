"""The command line: `belfry …`.

In: arguments. Out: an exit code: 0 ok, 1 findings, 2 usage or environment, 70 our own fault.
"""

from belfry.cli.program import main

__all__ = ["main"]
