"""HTTP: events in, decisions out, orders of operators; health and metrics.

In: requests. Out: JSON; `application/problem+json` for whatever is not 2xx.
Invariant: 200 to events means that they are on disk. No answer and no log holds a person's data
beyond what the asker sent or may read. docs/OPERATIONS.md shows each call.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from belfry.connectors.http_body import records_of
from belfry.connectors.reasons import Rejected
from belfry.engine.faults import RulebookRefused
from belfry.runtime import serving
from belfry.runtime.callbacks import callback_routes
from belfry.runtime.reading import Query, find_decisions
from belfry.runtime.service import Service

BODY_BYTES_MAX = 16 * 1024 * 1024
RECORDS_MAX = 10_000
KEY_MAX = 200  # characters of an Idempotency-Key
TITLES = {
    400: "Bad request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported encoding",
    422: "Nothing was accepted",
    429: "Too many requests",
    503: "Not now",
}
_encode = msgspec.json.encode
Handler = Callable[[Request], Awaitable[Response]]


class Refusal(HTTPException):
    """An answer that is not 2xx. `more` is added to the problem document."""

    def __init__(self, status: int, detail: str, retry_s: int = 0, **more: Any) -> None:
        headers = {"Retry-After": str(retry_s)} if retry_s else {}
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        super().__init__(status, detail, headers)
        self.more = more


def application(service: Service) -> Starlette:
    """The ASGI application of one host."""
    api = _Api(service)

    def asks(scope: str, handler: Handler) -> Handler:
        async def guarded(request: Request) -> Response:
            _may(service, request, scope)
            return await handler(request)

        return guarded

    return Starlette(
        routes=[
            Route("/v1/events", asks("events", api.events), methods=["POST"]),
            Route("/v1/decisions", asks("decisions", api.decisions)),
            Route("/v1/rulebook/reload", asks("operate", api.reload), methods=["POST"]),
            Route("/v1/clock/finish", asks("operate", api.finish), methods=["POST"]),
            *callback_routes(service),
            Route("/healthz", api.health),
            Route("/readyz", api.ready),
            Route("/metrics", api.metrics),
        ],
        exception_handlers={HTTPException: _problem, Exception: _fault},
    )


class _Api:
    def __init__(self, service: Service) -> None:
        self.service = service

    async def events(self, request: Request) -> Response:
        body = await _body(request)
        pieces = records_of(body, request.headers.get("content-type", ""))
        if isinstance(pieces, Rejected):
            raise Refusal(400, pieces.detail, reason=pieces.reason)
        if len(pieces) > RECORDS_MAX:
            raise Refusal(413, f"more than {RECORDS_MAX:,} records in one request")
        key = request.headers.get("idempotency-key", "")
        if len(key) > KEY_MAX:
            raise Refusal(400, f"Idempotency-Key has more than {KEY_MAX} characters")
        digest = hashlib.sha256(body).hexdigest() if key else ""
        try:
            reply = await self.service.serving.submit(
                serving.Request(pieces, source="http", key=key, digest=digest)
            )
        except serving.Full:
            raise Refusal(429, "the queue is full; nothing was taken", retry_s=1) from None
        except (serving.StoreFailed, serving.Stopping):
            raise Refusal(503, "nothing was taken; send it again", retry_s=5) from None
        if reply.is_conflict:
            raise Refusal(409, "this Idempotency-Key came with another body before")
        if not reply.body["accepted"] and reply.body["rejected"]:
            raise Refusal(422, "no record is a good event", **reply.body)
        return _json(reply.body)

    async def decisions(self, request: Request) -> Response:
        asked = request.query_params
        try:
            query = Query(
                customer_id=asked.get("customer_id", ""),
                rule=asked.get("rule", ""),
                outcome=asked.get("outcome", ""),
                reason=asked.get("reason", ""),
                after=int(asked.get("after", "0")),
                limit=int(asked.get("limit", "100")),
            )
        except ValueError:
            raise Refusal(400, "after and limit are whole numbers") from None
        found = await asyncio.to_thread(find_decisions, self.service.data, query)
        after = found[-1][0] if found else query.after
        return _json({"decisions": [msgspec.Raw(line) for _, line in found], "after": after})

    async def reload(self, request: Request) -> Response:
        try:
            rulebook = await self.service.reload()
        except RulebookRefused as refused:
            faults = [str(fault) for fault in refused.faults]
            raise Refusal(
                422, "the rulebook has faults; the old one decides", faults=faults
            ) from None
        except OSError as problem:
            raise Refusal(422, f"the rulebook cannot be read: {problem.strerror}") from None
        return _json({"rulebook": rulebook})

    async def finish(self, request: Request) -> Response:
        host = self.service.serving.host
        if not host.by_events:
            raise Refusal(409, "the clock is the wall's: it ends by itself")
        done = await self.service.serving.order(host.finish)
        self.service.serving.metrics.committed(done)
        return _json({"decisions": len(done.decisions), "now": host.now()})

    async def health(self, request: Request) -> Response:
        return _json({"status": "alive"})

    async def ready(self, request: Request) -> Response:
        state = self.service.serving
        if state.is_ready and not state.is_stopping:
            return _json({"status": "ready"})
        raise Refusal(503, "stopping" if state.is_stopping else "the store does not take commits")

    async def metrics(self, request: Request) -> Response:
        text = self.service.serving.metrics.text()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


def _may(service: Service, request: Request, scope: str) -> None:
    """A token with that scope; without any configured: this machine, and no browser's page."""
    if not service.tokens:
        if request.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            raise Refusal(403, "not for pages of other origins")
        return
    allowed = service.tokens.allows(request.headers.get("authorization", ""), scope)
    if allowed is None:
        raise Refusal(401, "Authorization: Bearer TOKEN is required")
    if not allowed:
        raise Refusal(403, f"the token has no scope '{scope}'")


async def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise Refusal(415, "send the body as it is, without Content-Encoding")
    size, parts = 0, []
    async for part in request.stream():
        size += len(part)
        if size > BODY_BYTES_MAX:
            raise Refusal(413, f"the body has more than {BODY_BYTES_MAX:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _json(value: Any) -> Response:
    return Response(_encode(value), media_type="application/json")


async def _problem(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    status = problem.status_code
    more = problem.more if isinstance(problem, Refusal) else {}
    body = {
        "type": "about:blank",
        "title": TITLES.get(status, "Refused"),
        "status": status,
        "detail": problem.detail,
        **more,
    }
    return Response(
        _encode(body), status, dict(problem.headers or {}), media_type="application/problem+json"
    )


async def _fault(request: Request, fault: Exception) -> Response:
    body = {"type": "about:blank", "title": "A fault of belfry", "status": 500}
    return Response(_encode(body), 500, media_type="application/problem+json")
