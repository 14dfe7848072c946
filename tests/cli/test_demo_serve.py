"""The live part of the demo through `belfry serve`, a real process on a free port."""

import io
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from belfry.cli.demo_serve import Served, Unserved, serve_on_host, start_served
from belfry.cli.loading import load_program
from belfry.cli.program import COMMANDS
from belfry.connectors.codec import Decoder
from belfry.runtime.bank.life import ZONE, Setting
from belfry.runtime.bank.simulate import START, as_lines, simulate_bank

pytestmark = pytest.mark.skipif("serve" not in COMMANDS, reason="there is no `belfry serve`")
RULES = Path(__file__).parents[2] / "rules"
SETTING = Setting(12, 30, 7, "en", START)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    started = start_served(RULES, tmp_path, list(as_lines(simulate_bank(SETTING))))
    yield started
    started.stop()


def coming() -> list[tuple[Any, bytes]]:
    decoder = Decoder(load_program(RULES).book.event_types)
    end = SETTING.end.replace(tzinfo=ZONE)
    longer = Setting(12, 40, 7, "en", START)
    lines = list(as_lines(simulate_bank(longer)))
    pairs: list[tuple[Any, bytes]] = [(decoder.decode_event(line), line) for line in lines]
    return [one for one in pairs if hasattr(one[0], "time") and one[0].time >= end]


def test_an_event_posted_by_the_user_becomes_a_message_on_the_screen(served: Served) -> None:
    screen = io.StringIO()
    pauses = 0

    def pause(seconds: float) -> None:
        """After some events the user follows the advice, then presses Ctrl-C."""
        nonlocal pauses
        pauses += 1
        if pauses < 20:
            return
        found = re.search(r"curl -sS (\S+) .* -d '(.+)'", screen.getvalue())
        assert found
        request = urllib.request.Request(
            found[1], found[2].encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=60).close()
        raise KeyboardInterrupt

    console = Console(file=screen, width=80, highlight=False, markup=False)
    serve_on_host(console, "en", SETTING, served, coming(), pause=pause)
    output = screen.getvalue()
    assert "large-payment" in output
    assert "CN¥25,000.00" in output
    assert re.search(r"Messages shown live: [1-9]\d*\.\n$", output)


def test_a_host_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(Unserved, match="nowhere"):
        start_served(tmp_path / "nowhere", tmp_path, [])
