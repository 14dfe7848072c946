"""Aliyun's SendSms, played: checks the signature by its own reckoning, errs by magic numbers.

In: signed requests. Out: what Aliyun would answer; `accepted`.
Invariant: an unsigned or forged request is never accepted; a nonce is taken once.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
from urllib.parse import quote

from aiohttp import web

from belfry.notifiers.fakes.server import Play, Server

SECRET = "fake-secret"  # noqa: S105  (the fake's own)
# The last digits of a number that starts with +8615500 → Aliyun's word.
REFUSED_TO = {
    "0001": "isv.MOBILE_NUMBER_ILLEGAL",
    "0002": "isv.BUSINESS_LIMIT_CONTROL",
    "0003": "isv.AMOUNT_NOT_ENOUGH",
    "0004": "isp.SYSTEM_ERROR",
    "0005": "isv.NEVER_HEARD_OF",
}
MAGIC = "+8615500"


class FakeAliyun(Server):
    """`secret`: of every access key."""

    def __init__(self, *, secret: str = SECRET) -> None:
        super().__init__([web.post("/", self._send_sms)])
        self.secret = secret
        self._ids = itertools.count(1)
        self._nonces: set[str] = set()

    async def _send_sms(self, request: web.Request) -> web.Response:
        await request.read()
        if not self._is_signed(request):
            return _word("SignatureDoesNotMatch", 400)
        query = dict(request.query)
        to = query.get("PhoneNumbers", "")
        if to.startswith(MAGIC) and to[-4:] in REFUSED_TO:
            return _word(REFUSED_TO[to[-4:]])
        if self.play is Play.BUSY:
            return _word("ServiceUnavailable", 503)
        if self.play is Play.LIMIT:
            return _word("Throttling.User", 400)
        nonce = request.headers["x-acs-signature-nonce"]
        if nonce in self._nonces:
            return _word("SignatureNonceUsed", 400)
        self._nonces.add(nonce)

        async def accept() -> web.Response:
            reference = f"{next(self._ids):018d}^0"
            self.accepted.append({"sid": reference, **query})
            return _word("OK", reference=reference)

        return await self.misbehave(request, self.play, accept)

    def _is_signed(self, request: web.Request) -> bool:
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        parts = dict(part.partition("=")[::2] for part in rest.split(","))
        names = parts.get("SignedHeaders", "").split(";")
        if scheme != "ACS3-HMAC-SHA256" or "x-acs-signature-nonce" not in names:
            return False
        pairs = sorted((_quoted(name), _quoted(value)) for name, value in request.query.items())
        canonical = "\n".join([
            "POST",
            "/",
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{request.headers.get(name, '').strip()}" for name in names),
            "",
            ";".join(names),
            request.headers.get("x-acs-content-sha256", ""),
        ])  # fmt: skip
        text = f"{scheme}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        wanted = hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(wanted, parts.get("Signature", ""))


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _word(word: str, status: int = 200, *, reference: str | None = None) -> web.Response:
    body = {"Code": word, "Message": "+8613800138000: " + word, "RequestId": "R-1"}
    return web.json_response(body | ({"BizId": reference} if reference else {}), status=status)
