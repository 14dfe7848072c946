"""What all fakes over HTTP/1.1 share: how they misbehave, and how one tells them to.

In: a `Play`, by attribute or `POST /_fake/play`. Out: a running server; `GET /_fake/accepted`.
Invariant: a message is in `accepted` before anything goes wrong after its acceptance.
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

HANG_S = 3_600.0


class Play(enum.StrEnum):
    """What the next requests meet."""

    ACCEPT = "accept"
    SLOW = "slow"  # accepts after `delay_s`
    DROP_BEFORE = "drop_before"  # closes the connection, nothing accepted
    DROP_AFTER = "drop_after"  # accepts, then closes the connection without an answer
    ERROR_AFTER = "error_after"  # accepts, then answers 500
    HANG_AFTER = "hang_after"  # accepts, then says nothing
    BUSY = "busy"  # the provider's documented "not now", nothing accepted
    LIMIT = "limit"  # the provider's "too many requests", nothing accepted
    NONSENSE = "nonsense"  # accepts, answers 2xx with what is not the provider's JSON


class Server:
    """A server with the routes it is given and the two of the fake itself."""

    def __init__(self, routes: list[web.RouteDef]) -> None:
        self.play = Play.ACCEPT
        self.delay_s = 0.05
        self.accepted: list[dict[str, Any]] = []
        self._routes = routes
        self._runner: web.AppRunner | None = None

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        app = web.Application()
        app.add_routes([
            *self._routes,
            web.post("/_fake/play", self._set_play),
            web.get("/_fake/accepted", self._get_accepted),
        ])  # fmt: skip
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        bound = self._runner.addresses[0]
        return f"http://{host}:{bound[1]}"

    async def stop(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _set_play(self, request: web.Request) -> web.Response:
        asked = await request.json()
        self.play = Play(asked.get("play", self.play))
        self.delay_s = float(asked.get("delay_s", self.delay_s))
        return web.json_response({"play": self.play, "delay_s": self.delay_s})

    async def _get_accepted(self, request: web.Request) -> web.Response:
        return web.json_response(self.accepted)

    async def misbehave(
        self, request: web.Request, play: Play, accept: Callable[[], Awaitable[web.Response]]
    ) -> web.Response:
        """`accept` notes the message and gives the good answer; the play decides what is seen."""
        if play is Play.DROP_BEFORE:
            return _dropped(request)
        if play is Play.SLOW:
            await asyncio.sleep(self.delay_s)
        good = await accept()
        match play:
            case Play.DROP_AFTER:
                return _dropped(request)
            case Play.ERROR_AFTER:
                return web.Response(status=500, text="internal error")
            case Play.HANG_AFTER:
                await asyncio.sleep(HANG_S)
            case Play.NONSENSE:
                return web.Response(status=good.status, text="<html>it works</html>")
            case _:
                pass
        return good


def _dropped(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=499)
