"""The demo goes on through the real host: `belfry serve` on a free local port, fed bit by bit."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import queue
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from rich.console import Console

from belfry.cli.demo_live import PAUSE_S_MAX, SPEED
from belfry.cli.demo_words import HEADINGS
from belfry.runtime.bank.life import Setting, stamp

PROGRAM = "from belfry.cli import main; main()"
SAID = "serving on "
CHUNK = 1000  # events of one request
STOP_S = 20.0
ANSWER_S = 60.0
AMOUNT = "25000.00"
NONE_GOOD = 422  # all records of the request were refused, each with its reason


class Unserved(Exception):  # noqa: N818  (reads as what it is)
    """The host did not start; holds what it said."""


class Served:
    """A running `belfry serve`: its address, and the boxes that its console provider prints."""

    def __init__(self, rules: Path, folder: Path) -> None:
        command = [
            *(sys.executable, "-c", PROGRAM, "serve", "--clock", "events"),
            *("--listen", "127.0.0.1:0", "--rules", str(rules), "--data", str(folder / "demo.db")),
        ]
        # The user's own settings and tokens are for the user's own host.
        own = {name: value for name, value in os.environ.items() if not name.startswith("BELFRY_")}
        self._is_stopped = False
        self.boxes: queue.SimpleQueue[str] = queue.SimpleQueue()
        # Its own session: Ctrl-C is the demo's, which then stops it in order.
        self._process = subprocess.Popen(  # noqa: S603  our own program
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8",
            env={**own, "PYTHONUTF8": "1"}, start_new_session=True,
        )  # fmt: skip
        out, err = self._process.stdout, self._process.stderr
        assert out is not None
        assert err is not None
        said = err.readline()
        if SAID not in said:
            self._process.terminate()
            said += err.read()
            self._process.wait(STOP_S)
            out.close()
            err.close()
            raise Unserved(said.strip())
        self.url = said.partition(SAID)[2].strip()
        self._readers = [
            threading.Thread(target=self._read_boxes, args=(out,), daemon=True),
            threading.Thread(target=err.read, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    def post(self, lines: list[bytes]) -> None:
        """Returns when they are on disk; what is no event is answered as such, and stays out."""
        for first in range(0, len(lines), CHUNK):
            request = urllib.request.Request(  # noqa: S310  our own address
                f"{self.url}/v1/events",
                data=b"".join(lines[first : first + CHUNK]),
                headers={"Content-Type": "application/x-ndjson"},
            )
            try:
                urllib.request.urlopen(request, timeout=ANSWER_S).close()  # noqa: S310
            except urllib.error.HTTPError as refused:
                refused.close()
                if refused.code != NONE_GOOD:
                    raise

    def messages(self, since: str) -> Iterator[str]:
        """Boxes that have come, of messages since a time like the one in their upper edge."""
        with contextlib.suppress(queue.Empty):
            while True:
                box = self.boxes.get_nowait()
                if box[3:19] >= since:
                    yield box

    def stop(self) -> None:
        """SIGTERM: it ends when all is on disk. A second stop does nothing."""
        if self._is_stopped:
            return
        self._is_stopped = True
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(STOP_S)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_boxes(self, out: IO[str]) -> None:
        box = ""
        for line in out:
            box += line
            if line.startswith("╰"):
                self.boxes.put(box)
                box = ""


def start_served(rules: Path, folder: Path, known: list[bytes]) -> Served:
    """A host that knows these events. `Unserved` or OSError: there is none."""
    served = Served(rules, folder)
    try:
        served.post(known)
    except OSError:
        served.stop()
        raise
    return served


def visitor(setting: Setting) -> tuple[list[bytes], str]:
    """Facts about a customer who is whoever watches, and an event of theirs, to be posted."""
    at = setting.end + dt.timedelta(hours=10)
    before = {"time": stamp(at - dt.timedelta(minutes=1)), "customer_id": "YOU"}
    facts: list[dict[str, Any]] = [
        {"type": "customer", "id": "you-1", **before, "name": "You", "status": "active",
         "language": setting.language, "time_zone": "Asia/Shanghai", "country": "CN"},
        {"type": "account", "id": "you-2", **before, "account_id": "YOURS-0001",
         "product": "current", "currency": "CNY", "balance": "100000.00",
         "holders": [{"customer_id": "YOU"}]},
        {"type": "contact", "id": "you-3", **before, "kind": "mobile", "verified": True,
         "address": "+8612000000000", "primary": True},
    ]  # fmt: skip
    payment = {"type": "transaction", "id": "mine-1", "time": stamp(at),
               "account_id": "YOURS-0001", "direction": "debit", "amount": AMOUNT}  # fmt: skip
    return [json.dumps(fact).encode() + b"\n" for fact in facts], json.dumps(payment)


def serve_on_host(
    console: Console,
    language: str,
    setting: Setting,
    served: Served,
    coming: Iterable[tuple[Any, bytes]],
    *,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Until Ctrl-C, or until nothing more is to come. Shows each message as it goes out."""
    words = HEADINGS[language]
    facts, payment = visitor(setting)
    served.post(facts)
    console.print(words["live"].format(speed=SPEED), style="bold")
    console.print(words["yours"].format(url=served.url))
    curl = f"curl -sS {served.url}/v1/events -H 'Content-Type: application/json' -d '{payment}'"
    console.print(curl, style="cyan", soft_wrap=True)
    console.print(words["change"], style="dim")
    since = f"{setting.end - dt.timedelta(hours=8):%Y-%m-%d %H:%M}"  # boxes are in UTC
    shown = 0
    last: dt.datetime | None = None
    try:
        for event, line in coming:
            if last is not None:
                pause(min((event.time - last).total_seconds() / SPEED, PAUSE_S_MAX))
            last = event.time
            served.post([line])
            shown += _show(console, served, since)
    except KeyboardInterrupt:
        console.print()
    served.stop()
    shown += _show(console, served, since)
    console.print(words["end"].format(messages=shown))


def _show(console: Console, served: Served, since: str) -> int:
    boxes = list(served.messages(since))
    for box in boxes:
        console.print(box, end="", soft_wrap=True)
    return len(boxes)
