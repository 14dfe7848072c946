"""Twilio's Messages and Calls, played: magic numbers, misbehaviour, signed callbacks.

In: the requests of an SDK. Out: what Twilio would answer; `accepted`; callbacks to StatusCallback.
Invariant: each acceptance has its own sid. The magic numbers are those of Twilio's test credentials
(https://www.twilio.com/docs/iam/test-credentials), plus +1555000 0500 … for plays.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import aiohttp
from aiohttp import web
from twilio.request_validator import RequestValidator

from belfry.notifiers.fakes.server import Play, Server

# The last digits of To → status and code. A number is a To of the United States' fictional range.
REFUSED_TO = {"0001": 21211, "0002": 21612, "0003": 21408, "0004": 21610, "0009": 21614}
REFUSED_FROM = {"0001": 21212, "0007": 21606, "0008": 21611}
MAGIC = ("+1500555", "+1555000")
PLAYED_TO = {
    "0429": Play.LIMIT,
    "0500": Play.ERROR_AFTER,
    "0503": Play.BUSY,
    "0598": Play.HANG_AFTER,
    "0599": Play.DROP_AFTER,
}
FINAL = {"Messages": ("sent", "delivered"), "Calls": ("in-progress", "completed")}
AUTH_TOKEN = "fake-token"  # noqa: S105  (the fake's own: it signs its callbacks with it)


class FakeTwilio(Server):
    """`callbacks`: the statuses told after an acceptance, in this order, each `copies` times."""

    def __init__(self, *, auth_token: str = AUTH_TOKEN) -> None:
        super().__init__([web.post("/2010-04-01/Accounts/{account}/{kind}.json", self._create)])
        self.auth_token = auth_token
        self.callbacks: tuple[str, ...] | None = None
        self.callback_delay_s = 0.0
        self.copies = 1
        self.told: list[tuple[str, int]] = []  # status, HTTP status of whoever was told
        self._sids = itertools.count(1)
        self._telling: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        for task in self._telling:
            task.cancel()
        await asyncio.gather(*self._telling, return_exceptions=True)
        await super().stop()

    async def settled(self) -> None:
        """Returns when every callback under way was told."""
        await asyncio.gather(*self._telling)

    async def _create(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        if kind not in FINAL:
            return _refusal(404, 20404)
        if "Authorization" not in request.headers:
            return _refusal(401, 20003)
        form = {name: str(value) for name, value in (await request.post()).items()}
        code = _refused(form)
        if code:
            return _refusal(400, code)
        play = _played(form["To"]) or self.play
        if play is Play.BUSY:
            return _refusal(503, 20503)
        if play is Play.LIMIT:
            return _refusal(429, 20429)

        async def accept() -> web.Response:
            return self._accept(kind, request.match_info["account"], form)

        return await self.misbehave(request, play, accept)

    def _accept(self, kind: str, account: str, form: dict[str, str]) -> web.Response:
        sid = f"{'SM' if kind == 'Messages' else 'CA'}{next(self._sids):032x}"
        self.accepted.append({"sid": sid, "kind": kind, **form})
        if form.get("StatusCallback"):
            task = asyncio.create_task(self._tell(kind, account, sid, form))
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        status = "accepted" if form.get("MessagingServiceSid") else "queued"
        body: dict[str, Any] = {"sid": sid, "account_sid": account, "status": status}
        if kind == "Messages":
            body |= {"num_segments": "0", "error_code": None, "error_message": None}
        return web.json_response(body, status=201)

    async def _tell(self, kind: str, account: str, sid: str, form: dict[str, str]) -> None:
        name = "Message" if kind == "Messages" else "Call"
        url = form["StatusCallback"]
        statuses = FINAL[kind] if self.callbacks is None else self.callbacks
        await asyncio.sleep(self.callback_delay_s)
        async with aiohttp.ClientSession() as session:
            for status in [one for one in statuses for _ in range(self.copies)]:
                said = {
                    "AccountSid": account, f"{name}Sid": sid, f"{name}Status": status,
                    "To": form["To"], "From": form.get("From", "+15005550006"),
                }  # fmt: skip
                signature = RequestValidator(self.auth_token).compute_signature(url, said)
                headers = {"X-Twilio-Signature": signature}
                try:
                    async with session.post(url, data=said, headers=headers) as reply:
                        self.told.append((status, reply.status))
                except aiohttp.ClientError:
                    self.told.append((status, 0))


def _refused(form: dict[str, str]) -> int:
    to, sender = form.get("To", ""), form.get("From", "")
    if not to.removeprefix("+").isdecimal():
        return 21211
    if not sender and not form.get("MessagingServiceSid"):
        return 21603
    if to.startswith(MAGIC) and to[-4:] in REFUSED_TO:
        return REFUSED_TO[to[-4:]]
    return REFUSED_FROM.get(sender[-4:], 0) if sender.startswith(MAGIC) else 0


def _played(to: str) -> Play | None:
    return PLAYED_TO.get(to[-4:]) if to.startswith(MAGIC) else None


def _refusal(status: int, code: int) -> web.Response:
    """Twilio's message may quote the number: so does this, to show that nobody repeats it."""
    body = {
        "code": code, "status": status, "message": "The number +8613800138000 is refused",
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
    }  # fmt: skip
    return web.json_response(body, status=status)
