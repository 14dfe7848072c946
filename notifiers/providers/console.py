"""Shows messages to whoever sits before the terminal: the demo, and a first try of a rule.

In: an attempt and its text. Out: a box on a stream, the contact masked. Accepts everything.
"""

from __future__ import annotations

import sys
import textwrap
import unicodedata
from typing import TextIO

from belfry.engine.decisions import Attempt
from belfry.notifiers.clean import clean_characters
from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    masked_address,
)

WIDTH = 76


class Console:
    """`stream` None is standard output as it is at the time of writing."""

    def __init__(self, *, stream: TextIO | None = None) -> None:
        self.name = "console"
        self._stream = stream

    async def send(self, message: Message) -> Said:
        stream = self._stream or sys.stdout
        try:
            stream.write(box(message.attempt, message.text))
            stream.flush()
        except (OSError, ValueError) as problem:
            # A closed pipe: nobody saw the box, and nobody will see the next one here.
            return Rejected(Failure.UNAVAILABLE, Retry.OTHER_PROVIDER, raw=type(problem).__name__)
        return Accepted()

    async def close(self) -> None:
        """The stream belongs to whoever gave it."""


def box(attempt: Attempt, text: str) -> str:
    """Time, channel and masked contact in the upper edge, the text inside."""
    heading = f" {attempt.at:%Y-%m-%d %H:%M} {attempt.channel} → {masked_address(attempt.address)} "
    footing = f" {attempt.rule} "
    inner = WIDTH - 4
    lines = [
        piece
        for paragraph in text.split("\n")
        for piece in wrapped(clean_characters(paragraph), inner)
    ]
    return "\n".join([
        "╭─" + heading + "─" * (WIDTH - 3 - columns(heading)) + "╮",
        *(f"│ {line}{' ' * (inner - columns(line))} │" for line in lines),
        "╰─" + footing + "─" * (WIDTH - 3 - columns(footing)) + "╯",
        "",
    ])  # fmt: skip


def wrapped(paragraph: str, width: int) -> list[str]:
    """Like textwrap, but a Chinese character takes two columns and may be followed by a break."""
    if columns(paragraph) == len(paragraph):
        return textwrap.wrap(paragraph, width) or [""]
    lines, line = [], ""
    for character in paragraph:
        if columns(line + character) > width:
            lines.append(line.rstrip())
            line = ""
        line += character
    return [*lines, line]


def columns(text: str) -> int:
    """Columns of a terminal that a text takes: wide East Asian characters take two, marks none."""
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )
