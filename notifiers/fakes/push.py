"""FCM, APNs and a browser's push service that only pretend: they keep what they accepted.

In: HTTP requests (one ASGI app, for any server; APNs needs one that speaks HTTP/2).
Out: `accepted`, one row a message, with its text: what browsers get is decrypted with their key.
Invariant: a message is in the log before anything goes wrong after its acceptance.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

import http_ece
import orjson
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from belfry.notifiers.fakes.play import Play

FCM_ERROR = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
AUTH_SECRET = b"fake-auth-secret"  # 16 bytes, as RFC 8291 wants

# Tokens that are refused, whatever is sent: token → status, word.
FCM_MAGIC = {
    "unregistered": (404, "NOT_FOUND", "UNREGISTERED"),
    "malformed": (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    "malformed-request": (400, "INVALID_ARGUMENT", None),
    "foreign": (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
    "quota": (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    "busy": (503, "UNAVAILABLE", "UNAVAILABLE"),
    "internal": (500, "INTERNAL", "INTERNAL"),
    "apple-certificate": (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
    "teapot": (418, "NEVER_HEARD_OF", None),
}
APNS_MAGIC = {
    "dead0001": (410, {"reason": "Unregistered", "timestamp": 1_700_000_000_000}),
    "dead0002": (400, {"reason": "BadDeviceToken"}),
    "dead0003": (400, {"reason": "DeviceTokenNotForTopic"}),
    "dead0004": (403, {"reason": "ExpiredProviderToken"}),
    "dead0005": (413, {"reason": "PayloadTooLarge"}),
    "dead0006": (429, {"reason": "TooManyRequests"}),
    "dead0007": (503, {"reason": "Shutdown"}),
    "dead0008": (500, {"reason": "InternalServerError"}),
    "dead0009": (400, {"reason": "NeverHeardOf"}),
}


@dataclass
class FakePush:
    """`status`: what the browser's push service answers when it refuses."""

    play: Play = Play.ACCEPT
    status: int = 400
    token_status: int = 200
    accepted: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/token", self._token, methods=["POST"]),
                Route("/v1/projects/{project}/messages:send", self._fcm, methods=["POST"]),
                Route("/3/device/{device}", self._apns, methods=["POST"]),
                Route("/web/moved", self._moved, methods=["POST"]),
                Route("/web/{browser}", self._web, methods=["POST"]),
            ]
        )

    def subscription(self, base_url: str, *, browser: str = "b1") -> str:
        """What a browser would hand to the bank: the contact of a web push."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": _base64(point), "auth": _base64(AUTH_SECRET)}
        return json.dumps({"endpoint": f"{base_url}/web/{browser}", "keys": keys})

    async def _token(self, request: Request) -> Response:
        if self.token_status != 200:
            return JSONResponse({"error": "invalid_grant"}, status_code=self.token_status)
        self.tokens.append(f"token-{len(self.tokens)}")
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": 3_600})

    async def _fcm(self, request: Request) -> Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self.tokens:
            return JSONResponse({"error": {"status": "UNAUTHENTICATED"}}, status_code=401)
        message = orjson.loads(await request.body())["message"]
        if message["token"] in FCM_MAGIC:
            status, word, fcm_word = FCM_MAGIC[message["token"]]
            details = [{"@type": FCM_ERROR, "errorCode": fcm_word}] if fcm_word else []
            error = {"status": word, "message": message["token"], "details": details}
            return JSONResponse({"error": error}, status_code=status)
        name = f"projects/{request.path_params['project']}/messages/{len(self.accepted)}"
        row = {"by": "fcm", "text": message["notification"]["body"], **message}
        return await self._played(row, JSONResponse({"name": name}), 400)

    async def _apns(self, request: Request) -> Response:
        device = request.path_params["device"]
        # Read before any answer: hypercorn breaks a connection whose body comes too late.
        body = orjson.loads(await request.body())
        if device in APNS_MAGIC:
            status, told = APNS_MAGIC[device]
            return JSONResponse(told, status_code=status)
        row = {
            "by": "apns",
            "device": device,
            "http": request.scope["http_version"],
            "headers": dict(request.headers),
            "text": body["aps"]["alert"]["body"],
            **body,
        }
        good = Response(headers={"apns-id": request.headers["apns-id"]})
        return await self._played(row, good, 400)

    async def _web(self, request: Request) -> Response:
        clear = http_ece.decrypt(
            await request.body(),
            private_key=self._key,
            auth_secret=AUTH_SECRET,
            version="aes128gcm",
        )
        shown = orjson.loads(clear)
        row = {"by": "web", "headers": dict(request.headers), "text": shown["body"], **shown}
        return await self._played(row, Response(status_code=201), self.status)

    async def _moved(self, request: Request) -> Response:
        return Response(status_code=307, headers={"location": "/web/b1"})

    async def _played(self, row: dict[str, Any], good: Response, status: int) -> Response:
        if self.play is Play.REFUSE:
            return JSONResponse({}, status_code=status)
        self.accepted.append(row)
        match self.play:
            case Play.FAIL:
                return JSONResponse({}, status_code=500)
            case Play.HANG | Play.DROP:
                await asyncio.Event().wait()
        return good


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
