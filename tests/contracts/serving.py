"""ASGI apps on a free port of 127.0.0.1, over HTTP/1.1 or, with a certificate, HTTP/2."""

import asyncio
import socket
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config


class Server:
    def __init__(self, app: Any, *, certificate: tuple[Path, Path] | None = None) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._stopped = asyncio.Event()
        config = Config()
        config.bind = [f"fd://{self._socket.detach()}"]
        config.errorlog = None
        config.graceful_timeout = 0.01
        if certificate is not None:
            config.certfile, config.keyfile = map(str, certificate)
        serving = hypercorn_serve(app, config, shutdown_trigger=self._stopped.wait)
        self._task = asyncio.get_running_loop().create_task(serving)

    async def stop(self) -> None:
        self._stopped.set()
        await asyncio.gather(self._task, return_exceptions=True)


async def serve(app: Any, *, certificate: tuple[Path, Path] | None = None) -> Server:
    """Listening already: who connects before it serves waits in the socket's queue."""
    return Server(app, certificate=certificate)


async def local(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


class Deaf:
    """A server that reads a request and hangs up without a word."""

    def __init__(self) -> None:
        self.heard = b""

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._hear, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def _hear(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.heard += await reader.read(65_536)
        writer.close()

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()
