"""A real server process on a free port, and the few lines of HTTP that a client needs.

In: folders, options. Out: `Server`: post, get, kill, stop.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
TOKEN = "a-token-for-tests-only"
COMMAND = [sys.executable, "-c", "from belfry.cli import main; main()"]


class Server:
    """`belfry serve` as a process; its standard error is read until it takes requests."""

    def __init__(self, data: Path, *options: str, rules: Path | None = None, fault: str = "",
                 token: str = TOKEN, **more: str) -> None:  # fmt: skip
        self.data = data
        environment = {**os.environ, "BELFRY_FAULT": fault, "BELFRY_API_TOKEN": token, **more}
        environment["BELFRY_PROVIDER_FILE_PATH"] = str(self.messages)
        command = [
            *COMMAND, "serve", "--rules", str(rules or ROOT / "rules"), "--data", str(data),
            "--listen", "127.0.0.1:0", *options,
        ]  # fmt: skip
        self.token = token
        self.process = subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self.said: list[str] = []
        self.url = ""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.decode())
            if line.startswith(b"serving on "):
                self.url = line.decode().split()[-1]
                break

    @property
    def messages(self) -> Path:
        return Path(f"{self.data}.sent.ndjson")

    def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers.setdefault("Content-Type", "application/json")
        return self._ask(urllib.request.Request(self.url + path, raw, headers, method="POST"))

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, Any]]:
        return self._ask(urllib.request.Request(self.url + path, None, headers))

    def text(self, path: str) -> str:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return reply.read().decode()

    def _ask(self, request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
        """Status and body; (0, {}) if the process went away."""
        if self.token and not request.has_header("Authorization"):
            request.add_header("Authorization", f"Bearer {self.token}")
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, json.loads(reply.read())
        except urllib.error.HTTPError as refused:
            with refused:
                said = json.loads(refused.read())
                return refused.code, {**said, "headers": dict(refused.headers)}
        except OSError:
            return 0, {}

    def stop(self, by: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(by)
        assert self.process.stderr is not None
        if not self.process.stderr.closed:
            self.said += [line.decode() for line in self.process.stderr]
            self.process.stderr.close()
        return self.process.wait(timeout=60)
