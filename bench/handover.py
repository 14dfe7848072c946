"""From the sending of a request over HTTP until the provider is called, at 1,000 events a second.

In: a folder for files. Out: the 99th percentile in milliseconds, counted from when a request was
due, so that a slow server cannot make the offer wait. Run as a program it is the server.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from belfry.engine.program import build_program
from belfry.engine.rulebook.load import load_rulebook
from belfry.notifiers.provider import PROVIDERS, Accepted, Message, Said
from belfry.runtime.serve import serve
from belfry.runtime.settings import Settings
from belfry.runtime.tokens import Tokens

RATE, SECONDS = 1_000, 10
SHARE = 20  # one event in so many raises a message, as in real life
CONNECTIONS = 64
RULES = {
    "rules/login.yaml": b"""rule: login
event: login
notify: {class: security, template: t, channels: [push]}
""",
    "rules/large.yaml": b"""rule: large
event: transaction
when: amount > 5000
notify: {class: service, template: t, channels: [push]}
""",
    "policies/channels.yaml": b"channels:\n  push: {contact: device, providers: [noting]}\n",
    "policies/bank.yaml": b"bank: {time_zone: UTC, language: en}\n",
    "templates/t/en.push.txt": b"Hello",
}


class Noting:
    """Notes when it was called for whom; the monotonic clock is one for all processes."""

    def __init__(self, *, path: str) -> None:
        self.name = "noting"
        self.path = path
        self.rows: list[tuple[str, float]] = []

    async def send(self, message: Message) -> Said:
        self.rows.append((message.attempt.customer_id, time.monotonic()))
        return Accepted()

    async def close(self) -> None:
        Path(self.path).write_text(json.dumps(self.rows))  # noqa: ASYNC240  (nothing else runs)


def p99_ms(folder: Path) -> float:
    """Start the server, offer the load, compare."""
    noted = folder / "noted.json"
    command = [sys.executable, __file__, str(folder / "handover.db"), str(noted)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as server:
        assert server.stderr is not None
        url = server.stderr.readline().decode().split()[-1]
        begun = asyncio.run(_offer(int(url.rpartition(":")[2])))
        server.terminate()
        server.stderr.read()
    waits = [at - begun[name] for name, at in json.loads(noted.read_text()) if name in begun]
    assert len(waits) == RATE * SECONDS // SHARE, len(waits)
    return statistics.quantiles(waits, n=100)[98] * 1000


async def _offer(port: int) -> dict[str, float]:
    """When the request of each customer who is told was due."""
    total = RATE * SECONDS
    told = [f"c{number}" for number in range(0, total, SHARE)]
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    devices = [
        {"type": "contact", "id": f"d-{name}", "time": now, "customer_id": name, "kind": "device",
         "address": f"token-{name}", "verified": True, "primary": True}
        for name in told
    ]  # fmt: skip
    lines = asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
    for _ in range(CONNECTIONS):
        lines.put_nowait(await asyncio.open_connection("127.0.0.1", port))
    await _post(lines, devices)
    begun: dict[str, float] = {}
    start = time.monotonic() + 0.5
    tasks = []
    for number in range(total):
        due = start + number / RATE
        if (pause := due - time.monotonic()) > 0:
            await asyncio.sleep(pause)
        name = f"c{number}"
        event = {"type": "login", "id": f"e{number}", "time": now, "customer_id": name}
        if number % SHARE:
            event |= {"type": "transaction", "amount": 12, "currency": "EUR", "direction": "debit"}
        else:
            begun[name] = due
        tasks.append(asyncio.create_task(_post(lines, event)))
    await asyncio.gather(*tasks)
    await asyncio.sleep(0.5)
    return begun


async def _post(lines: asyncio.Queue, body: object) -> None:
    raw = json.dumps(body).encode()
    head = (
        f"POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(raw)}\r\n\r\n"
    )
    reader, writer = await lines.get()
    writer.write(head.encode() + raw)
    reply = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in reply.split(b"\r\n", 1)[0], reply
    length = next(
        int(line.split(b":")[1]) for line in reply.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )  # fmt: skip
    await reader.readexactly(length)
    lines.put_nowait((reader, writer))


def main(data: str, noted: str) -> None:
    """The server's side."""
    PROVIDERS["noting"] = "handover:Noting"
    book, faults = load_rulebook(RULES)
    assert book is not None, faults
    settings = Settings(Path(), Path(data), port=0, providers={"noting": {"path": noted}})
    serve(settings, build_program(book), Tokens({}), lambda url: print(url, file=sys.stderr))


if __name__ == "__main__":
    main(*sys.argv[1:])
