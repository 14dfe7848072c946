"""Help by example: the lines under `Examples:` at the end of every `--help`.

In: (command line, what it does) pairs. Out: an epilog that click leaves unwrapped.
tests/cli/test_program.py asks each command for at least one.
"""

from __future__ import annotations

WIDTH_MAX = 46  # a longer command line gets its explanation on the line below


def by_example(*examples: tuple[str, str]) -> str:
    """Use as `@click.command(epilog=by_example(("belfry lint", "check all of it")))`."""
    width = min(max(len(line) for line, _ in examples), WIDTH_MAX)
    rendered = ["Examples:"]
    for line, meaning in examples:
        if len(line) <= width:
            rendered.append(f"  {line:<{width}}  {meaning}")
        else:
            rendered += [f"  {line}", f"  {'':<{width}}  {meaning}"]
    return "\b\n" + "\n".join(rendered)
