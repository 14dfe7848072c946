"""The demo goes on: what is to come arrives bit by bit, each message is shown as it goes."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from belfry.cli.demo_views import shortened
from belfry.cli.demo_words import HEADINGS, event_words, moment_words
from belfry.engine.decisions import Outcome
from belfry.runtime.replay import Replay

SPEED = 1800  # a day in 48 seconds
PAUSE_S_MAX = 1.0  # nobody watches a quiet night


class Onlooker:
    """The witness of the live part: prints what goes out, and what it was that happened."""

    def __init__(self, console: Console, language: str, names: Mapping[str, str]) -> None:
        self.messages = 0
        self._names = names
        self._console = console
        self._language = language
        self._event: Any = None

    def decided(self, customer_id: str, event: Any, outcome: Outcome) -> None:
        """Witness: remember what happened."""
        self._event = event

    def sent(self, message: dict[str, Any]) -> None:
        """Witness: show the message, and what made it go out."""
        if not message["text"]:
            return
        self.messages += 1
        at = dt.datetime.fromisoformat(message["at"])
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        customer = message["customer_id"]
        what = Text(self._names.get(customer, customer), style="bold")
        what.append(f"  {event_words(self._event, self._language)}", style="not bold")
        table.add_row(moment_words(at, self._language), what)
        said = Text("→ ")
        said.append(HEADINGS[self._language]["send"], style="green")
        said.append(f" {message['rule']}: ")
        said.append(f"[{message['channel']}] {shortened(message['text'])}", style="italic")
        table.add_row("", said)
        self._console.print(table)


def serve_live(
    console: Console,
    language: str,
    replay: Replay,
    coming: Iterable[Any],
    *,
    names: Mapping[str, str],
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Until Ctrl-C, or until nothing more is to come."""
    words = HEADINGS[language]
    onlooker = Onlooker(console, language, names)
    replay.witness = onlooker
    console.print(words["live"].format(speed=SPEED), style="bold")
    last: dt.datetime | None = None
    try:
        for event in coming:
            if last is not None:
                pause(min((event.time - last).total_seconds() / SPEED, PAUSE_S_MAX))
            last = event.time
            replay.feed(event)
    except KeyboardInterrupt:
        console.print()
    console.print(words["end"].format(messages=onlooker.messages))
