"""Push to iPhones: HTTP/2 with a provider token, one notification a call.

In: an attempt and its text; the contact is the device token. Out: the apns-id, which is ours.
Invariant: a repeat has the same collapse id and replaces what it repeats; a token is signed anew
every 30 minutes, never for each call.
Source: developer.apple.com "Sending notification requests to APNs"; facts/delivery.md 2.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import ssl
import uuid

import httpx2
import orjson
from joserfc import jwk, jwt

from belfry.notifiers.provider import (
    Accepted,
    Failure,
    Message,
    Rejected,
    Retry,
    Said,
    Unknown,
)
from belfry.notifiers.wire import CONNECTIONS_MAX, Reply, post, word_of

BASE_URL = "https://api.push.apple.com"
PAYLOAD_MAX = 4_096  # bytes, Apple's limit
COLLAPSE_MAX = 64  # bytes, Apple's limit
TOKEN_LIFE_S = 30 * 60  # Apple: refused after 60 minutes, "too many updates" below 20
KEPT_S = 30 * 24 * 3_600  # Apple keeps a notification without an end no longer
DEVICE = re.compile(r"[0-9A-Fa-f]{8,200}")  # it becomes a part of the path
IDS = uuid.UUID("0b6f2c1e-6f0c-5d2a-9a55-7f3a1c0e9d11")  # our namespace of apns-ids
PATIENT = frozenset(("advice", "marketing"))

LATER = Rejected(Failure.UNAVAILABLE, Retry.SAME_PROVIDER)
SLOWER = Rejected(Failure.RATE_LIMITED, Retry.SAME_PROVIDER)
OURS = Rejected(Failure.NOT_CONFIGURED, Retry.OTHER_PROVIDER)
GONE = Rejected(Failure.INVALID_ADDRESS, Retry.NEVER)

# Apple's `reason` → ours.
REASONS: dict[str, Rejected | Unknown] = {
    "BadDeviceToken": GONE,
    "ExpiredToken": GONE,
    "Unregistered": GONE,
    "DeviceTokenNotForTopic": OURS,
    "BadTopic": OURS,
    "TopicDisallowed": OURS,
    "MissingTopic": OURS,
    "InvalidProviderToken": OURS,
    "MissingProviderToken": OURS,
    "Forbidden": OURS,
    "ExpiredProviderToken": Rejected(Failure.NOT_CONFIGURED, Retry.SAME_PROVIDER),
    "PayloadTooLarge": Rejected(Failure.UNRENDERABLE, Retry.NEVER),
    "TooManyProviderTokenUpdates": SLOWER,
    "TooManyRequests": SLOWER,
    "IdleTimeout": LATER,
    "ServiceUnavailable": LATER,
    "Shutdown": LATER,
    "InternalServerError": Unknown(Failure.UNAVAILABLE),
}
STALE = frozenset(("ExpiredProviderToken", "InvalidProviderToken"))


class Apns:
    """`key`: the text of the .p8 file; `topic`: the app's bundle id."""

    def __init__(
        self,
        *,
        key: str,
        key_id: str,
        team_id: str,
        topic: str,
        base_url: str = BASE_URL,
        timeout_s: float = 10.0,
        tls_context: ssl.SSLContext | None = None,
    ) -> None:
        self.name = "apns"
        self._key = jwk.ECKey.import_key(key)
        self._key_id, self._team_id, self._topic = key_id, team_id, topic
        self._base_url = base_url
        self._timeout_s = timeout_s
        self._tls_context = tls_context
        self._client: httpx2.AsyncClient | None = None
        self._token = ""
        self._token_until = 0.0

    async def send(self, message: Message) -> Said:
        device = message.attempt.address
        if not DEVICE.fullmatch(device):
            return Rejected(Failure.INVALID_ADDRESS, Retry.NEVER, raw="not a device token")
        content = payload(message)
        if len(content) > PAYLOAD_MAX:
            return Rejected(Failure.UNRENDERABLE, Retry.NEVER, raw="more than 4096 bytes")
        reply = await post(
            self._opened(),
            f"{self._base_url}/3/device/{device}",
            content=content,
            headers=self._headers(message),
            timeout_s=self._timeout_s,
        )
        if not isinstance(reply, Reply):
            return reply
        said = answer(reply)
        if not isinstance(said, Accepted) and any(one in said.raw for one in STALE):
            self._token = ""
        return said

    async def close(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            await client.aclose()

    def _headers(self, message: Message) -> dict[str, str]:
        attempt = message.attempt
        left_s = KEPT_S if message.ttl_s is None else message.ttl_s
        return {
            "authorization": f"bearer {self._bearer(message)}",
            "apns-id": apns_id(attempt.attempt_id),
            "apns-topic": self._topic,
            "apns-push-type": "alert",
            "apns-priority": "5" if attempt.message_class in PATIENT else "10",
            "apns-collapse-id": collapse_id(attempt.message_id),
            "apns-expiration": str(int(message.at.timestamp() + left_s)),
        }

    def _bearer(self, message: Message) -> str:
        now = asyncio.get_running_loop().time()
        if not self._token or now >= self._token_until:
            claims = {"iss": self._team_id, "iat": int(message.at.timestamp())}
            header = {"alg": "ES256", "kid": self._key_id}
            self._token = jwt.encode(header, claims, self._key)
            self._token_until = now + TOKEN_LIFE_S
        return self._token

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                http1=False,
                http2=True,
                verify=self._tls_context or ssl.create_default_context(),
                trust_env=False,
                timeout=self._timeout_s,
                limits=httpx2.Limits(max_connections=CONNECTIONS_MAX),
            )
        return self._client


def payload(message: Message) -> bytes:
    attempt = message.attempt
    return orjson.dumps({
        "aps": {"alert": {"title": attempt.title, "body": message.text}, "sound": "default"},
        "message_id": attempt.message_id,
        "attempt_id": attempt.attempt_id,
    })  # fmt: skip


def apns_id(attempt_id: str) -> str:
    return str(uuid.uuid5(IDS, attempt_id))


def collapse_id(message_id: str) -> str:
    if len(message_id.encode()) <= COLLAPSE_MAX and message_id.isascii():
        return message_id
    return hashlib.sha256(message_id.encode()).hexdigest()


def answer(reply: Reply) -> Said:
    if reply.status == httpx2.codes.OK:
        return Accepted(provider_ref=reply.headers.get("apns-id"))
    try:
        told = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        told = {}
    told = told if isinstance(told, dict) else {}
    reason, since = word_of(told.get("reason")), told.get("timestamp")
    # 410: since when (ms) the token is dead; one that was registered anew after that lives.
    parts = (str(reply.status), reason, str(since) if isinstance(since, int) else "")
    raw = " ".join(one for one in parts if one)
    match REASONS.get(reason):
        case Rejected(failure=failure, retry=retry):
            return Rejected(failure, retry, raw=raw)
        case Unknown(failure=failure):
            return Unknown(failure, raw=raw)
        case _ if 400 <= reply.status < 500:
            return Rejected(Failure.REFUSED, Retry.OTHER_PROVIDER, raw=raw)
        case _:
            return Unknown(Failure.UNAVAILABLE, raw=raw)
