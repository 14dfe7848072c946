"""Requests of providers to us: receipts of attempts, digits of calls, texts of customers.

In: requests that a provider has signed. Out: `receipt` and `consent` events, on disk when answered.
Invariant: what is unsigned, foreign or too large is refused and counted, before anything is read
from it. A receipt's id is made of attempt and word: told again, it counts once. The URL that was
signed is built from `public_url`, never from a header.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from belfry.engine.events import Receipt
from belfry.notifiers.callbacks import PATH, attempt_of
from belfry.runtime import serving
from belfry.runtime.reading import holders_of
from belfry.runtime.service import Service

log = logging.getLogger("belfry")

BYTES_MAX = 16 * 1024
NO_REPLY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


def callback_routes(service: Service) -> list[Route]:
    """They have no token: the signature is the permission."""
    inbound = _Inbound(service)
    return [
        Route(f"{PATH}/inbound", inbound.text, methods=["POST"]),
        Route(PATH + "/{rest:path}", inbound.receipt, methods=["POST"]),
    ]


class _Inbound:
    def __init__(self, service: Service) -> None:
        self._service = service

    async def receipt(self, request: Request) -> Response:
        from belfry.notifiers.inbound import news_of  # noqa: PLC0415  twilio is slow to import

        form = await self._signed(request)
        named = attempt_of(_raw_path(request))
        if named is None:
            raise HTTPException(404, "no attempt in this path")
        customer_id, attempt_id = named
        news = news_of(form)
        if not news.is_known:
            log.warning("a receipt has a word that is not known: %s", news.word)
        if news.result is None:
            self._count("no_news" if news.is_known else "unknown_word")
            return Response(status_code=204)
        event = Receipt(
            id=f"receipt:{attempt_id}:{news.word}",
            source="provider:twilio",
            time=self._service.carrier.clock.now(),
            customer_id=customer_id,
            attempt_id=attempt_id,
            result=news.result,  # type: ignore[arg-type]
            code=news.code,
        )
        await self._submit(serving.Request((), source="provider:twilio", events=[event]))
        self._count("receipt")
        if news.is_digit:
            return _twiml(self._words(attempt_id))
        return Response(status_code=204)

    async def text(self, request: Request) -> Response:
        """A STOP or START of a number counts for every customer who has it."""
        from belfry.notifiers.inbound import consent_word  # noqa: PLC0415

        form = await self._signed(request)
        given = consent_word(form)
        if given is None:
            self._count("other_text")
            return _twiml(NO_REPLY)
        sender = form.get("From", "")
        holders = await asyncio.to_thread(holders_of, self._service.data, sender)
        now = self._service.carrier.clock.now().isoformat()
        told = {"type": "consent", "channel": "sms", "contact": sender, "given": given,
                "time": now, "evidence": f"twilio {form.get('MessageSid', '')}"}  # fmt: skip
        # Nobody's number: without a customer it goes to quarantine, to be tried again by hand.
        pieces = [
            msgspec.json.encode({
                **told, "purpose": purpose, **({"customer_id": one} if one else {}),
                "id": f"stop:{form.get('MessageSid', '')}:{purpose}:{one}",
            })
            for one in holders or [""]
            for purpose in self._service.stop_scope
        ]  # fmt: skip
        await self._submit(serving.Request(pieces, source="provider:twilio"))
        self._count("consent")
        return _twiml(NO_REPLY)

    async def _signed(self, request: Request) -> dict[str, str]:
        """The form, if one of our accounts signed it for this very URL."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > BYTES_MAX:
                self._count("refused")
                raise HTTPException(413, f"the body has more than {BYTES_MAX:,} bytes")
        carrier = self._service.carrier
        form = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
        query = request.scope["query_string"].decode("latin-1")
        url = carrier.public_url + _raw_path(request) + (f"?{query}" if query else "")
        accounts: list[Any] = [getattr(one, "api", None) for one in carrier.providers.values()]
        checks = [one.has_signed for one in accounts if hasattr(one, "has_signed")]
        is_ours = any(check(url, form, request.headers) for check in checks)
        if not carrier.public_url or not is_ours:
            self._count("refused")
            raise HTTPException(403, "not signed by a provider of ours for this URL")
        return form

    async def _submit(self, request: serving.Request) -> None:
        try:
            await self._service.serving.submit(request)
        except (serving.Full, serving.StoreFailed, serving.Stopping):
            raise HTTPException(503, "nothing was taken; send it again") from None

    def _words(self, attempt_id: str) -> str:
        voice: Any = self._service.carrier.providers.get("twilio_voice")
        return NO_REPLY if voice is None else str(voice.words_for(attempt_id))

    def _count(self, outcome: str) -> None:
        self._service.serving.metrics["belfry_callbacks_total"].labels(outcome).inc()


def _raw_path(request: Request) -> str:
    """As it was sent: a decoded `/` in a customer's id would be another path."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    return raw.decode("latin-1").partition("?")[0]


def _twiml(text: str) -> Response:
    return Response(text, media_type="application/xml")
