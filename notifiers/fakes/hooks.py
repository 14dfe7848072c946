"""A bank's own system that only pretends: takes signed webhooks and keeps them.

In: HTTP requests (an ASGI app, for any server). Out: `accepted`, the bodies in order.
Invariant: what is unsigned, forged or stale is answered 401 and not kept.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import orjson
import standardwebhooks
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from belfry.notifiers.fakes.play import Play


@dataclass
class FakeHooks:
    """`status`: what it answers when it refuses. `check_time` False takes any timestamp."""

    secret: str
    play: Play = Play.ACCEPT
    status: int = 422
    check_time: bool = True
    accepted: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/hook", self._take, methods=["POST"]),
                Route("/moved", self._moved, methods=["POST"]),
            ]
        )

    async def _take(self, request: Request) -> Response:
        body = await request.body()
        if not self._is_signed(body, request):
            return Response(status_code=401)
        if self.play is Play.REFUSE:
            return Response(status_code=self.status)
        self.accepted.append(orjson.loads(body))
        self.headers.append(dict(request.headers))
        match self.play:
            case Play.FAIL:
                return Response(status_code=500)
            case Play.HANG | Play.DROP:
                await asyncio.Event().wait()
        return Response(status_code=204)

    async def _moved(self, request: Request) -> Response:
        return RedirectResponse("/hook", status_code=307)

    def _is_signed(self, body: bytes, request: Request) -> bool:
        hook = standardwebhooks.Webhook(self.secret)
        headers = dict(request.headers)
        try:
            if not self.check_time:
                at = _moment(headers["webhook-timestamp"])
                signed = hook.sign(headers["webhook-id"], at, body.decode())
                return signed == headers["webhook-signature"]
            hook.verify(body, headers)
        except (standardwebhooks.WebhookVerificationError, KeyError, ValueError):
            return False
        return True


def _moment(seconds: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), tz=dt.UTC)
